"""The path of five questions: from what is known of a thing to a verdict, and how that is shown.

1. Do I have this problem right now? No: not yet. Where the thing is there and idle: remove it.
2. Is there a simpler solution? Yes, and (3) not tried: do that first.
4. Can it be added later, and (5) is the stage too early for it? Not yet.
Else: do it now. What is never skipped is done at once.
A question that decides and is not measured: cannot tell.
"""

from enum import StrEnum

from msgspec import Struct

from seawall.advice.figures import calls_a_day, is_enough, users_on_record
from seawall.advice.numbers import Numbers
from seawall.advice.stage_words import stage_for
from seawall.advice.thresholds import MANY_CALLS, SMALL_APP_CALLS, SMALL_APP_USERS
from seawall.advice.words import (
    QUESTIONS,
    Advice,
    Answer,
    Effort,
    Figure,
    Replayed,
    Step,
    Threshold,
    Verdict,
)
from seawall.core.stages import Stage


class Presence(StrEnum):
    """Whether the thing is there, and whether it does anything."""

    ABSENT = "absent"
    IDLE = "idle"
    USED = "used"


class Subject(Struct, frozen=True):
    """What a thing is, whatever the app: its name, what it means in one sentence, where to read on.

    `earliest` is the stage before which it is too early. `is_infrastructure` says that it is another machine
    or service to look after; a small app is never told to add one.
    """

    thing: str
    title: str
    term: str
    link: str
    effort: Effort
    earliest: Stage = Stage.POC
    is_never_skip: bool = False
    is_infrastructure: bool = False


class Answered(Struct, frozen=True):
    """The answer to one of the five questions, why, and the numbers behind it."""

    answer: Answer
    why: str
    figures: tuple[Figure, ...] = ()


NOTHING_SIMPLER = Answered("no", "This is the simplest thing that helps.")
NOTHING_TO_TRY = Answered("no", "There is nothing simpler to try.")


class Case(Struct, frozen=True):
    """All that is known of one thing in one app. `found` is the sentence that the verdict follows from.

    `do` is what to do where it is to be done (or removed), `simple` the simple thing, `measure` how to
    measure what is missing. `saves_month` is in nano-dollars.
    """

    subject: Subject
    found: str
    problem: Answered
    simpler: Answered = NOTHING_SIMPLER
    tried: Answered = NOTHING_TO_TRY
    presence: Presence = Presence.ABSENT
    simple: str | None = None
    do: tuple[str, ...] = ()
    measure: str | None = None
    threshold: Threshold | None = None
    replays: tuple[Replayed, ...] = ()
    saves_month: int | None = None


def conclude(case: Case, numbers: Numbers) -> Advice:
    """Walk the path and say what to do."""
    later, stage = _can_wait(case.subject), _stage(case.subject, numbers)
    verdict = decide(case, stage_fits=stage.answer == "yes")
    subject = case.subject
    answers = (case.problem, case.simpler, case.tried, later, stage)
    return Advice(
        thing=subject.thing,
        title=subject.title,
        verdict=verdict,
        summary=f"{case.found} {_closing(case, verdict)}",
        steps=tuple(
            Step(question, given.answer, given.why, given.figures)
            for question, given in zip(QUESTIONS, answers, strict=True)
        ),
        effort=subject.effort,
        term=subject.term,
        link=subject.link,
        simple=case.simple if verdict is Verdict.SIMPLE_FIRST else None,
        do=_to_do(case, verdict),
        threshold=_held_back(case.threshold, numbers) if verdict is Verdict.NOT_YET else case.threshold,
        replays=case.replays,
        saves_month=max(0, case.saves_month) if verdict is Verdict.DO_NOW and case.saves_month else None,
        is_never_skip=subject.is_never_skip,
    )


def decide(case: Case, *, stage_fits: bool) -> Verdict:
    """Return the verdict; the head of this file is this function in words."""
    if case.presence is Presence.USED:
        return Verdict.KEEP
    if case.subject.is_never_skip:
        return Verdict.DO_NOW if case.presence is Presence.ABSENT else Verdict.KEEP
    if case.presence is Presence.IDLE:
        return Verdict.KEEP if case.problem.answer == "yes" else Verdict.REMOVE
    if case.problem.answer == "no":
        return Verdict.NOT_YET
    if case.problem.answer == "not measured" or case.simpler.answer == "not measured":
        return Verdict.CANNOT_TELL
    if case.simpler.answer == "yes" and case.tried.answer != "yes":
        return Verdict.SIMPLE_FIRST
    return Verdict.DO_NOW if stage_fits else Verdict.NOT_YET


def not_tried(name: str) -> Answered:
    """Return that nothing says that a simple thing was tried, and how to say it."""
    return Answered("no", f"Nothing says so. When you have: `seawall facts set tried {name}`.")


def is_small(numbers: Numbers) -> bool:
    """Return whether the app is too small for another machine or service."""
    calls = numbers.a_day(numbers.sums.hour.calls)
    return numbers.users.users < SMALL_APP_USERS.value and calls < SMALL_APP_CALLS.value


def stage_of(numbers: Numbers) -> Stage:
    """Return the stage by the users that calls name; where most name nobody, that of the configuration."""
    return stage_for(numbers.users.users) if _names_users(numbers) else numbers.setup.stage


def _names_users(numbers: Numbers) -> bool:
    """Say whether calls name their users, most of them at least."""
    return numbers.users.users > 0 and 2 * numbers.users.unnamed <= numbers.sums.hour.calls


def _held_back(threshold: Threshold | None, numbers: Numbers) -> Threshold | None:
    """Return the number of calls where only that is missing: a share of few decides nothing."""
    calls = numbers.sums.hour.calls
    if threshold is None or threshold.way != 1 or is_enough(calls):
        return threshold
    text = f"{threshold.text}; {MANY_CALLS.text}"
    return Threshold(text, calls, MANY_CALLS.value, MANY_CALLS.unit, MANY_CALLS.source)


def _can_wait(subject: Subject) -> Answered:
    if subject.is_never_skip:
        return Answered("no", "Never skipped: without it one bug or one stranger spends all of your money.")
    return Answered("yes", f"It can be added on any day; it takes {_taking(subject.effort)}.")


def _stage(subject: Subject, numbers: Numbers) -> Answered:
    """Answer whether the stage is far enough for a thing."""
    order = list(Stage)
    stage = stage_of(numbers)
    figures = (calls_a_day(numbers), users_on_record(numbers))
    words = f"{stage}, by {'its users' if _names_users(numbers) else 'the configuration'}"
    if subject.is_never_skip:
        return Answered("yes", f"{words}. This is for every stage.", figures)
    if subject.is_infrastructure and is_small(numbers):
        return Answered(
            "no", f"{words}. An app of this size needs no further machine and no further service.", figures
        )
    if order.index(stage) < order.index(subject.earliest):
        return Answered("no", f"{words}. That is too early: this belongs to {subject.earliest}.", figures)
    return Answered("yes", f"{words}. That is not too early for it.", figures)


def _closing(case: Case, verdict: Verdict) -> str:
    """Return the short sentence that ends the summary."""
    match verdict:
        case Verdict.DO_NOW:
            return "Do it now."
        case Verdict.SIMPLE_FIRST:
            return f"The simple thing first: {case.simple or case.simpler.why}"
        case Verdict.NOT_YET:
            return "Not yet."
        case Verdict.KEEP:
            return "Keep it."
        case Verdict.REMOVE:
            return "It is not needed: remove it."
        case Verdict.CANNOT_TELL:
            return f"Cannot tell yet. {case.measure or 'It is not measured.'}"


def _to_do(case: Case, verdict: Verdict) -> tuple[str, ...]:
    if verdict in (Verdict.DO_NOW, Verdict.REMOVE, Verdict.KEEP):
        return case.do
    if verdict is Verdict.SIMPLE_FIRST and case.simple:
        return (case.simple,)
    return (case.measure,) if verdict is Verdict.CANNOT_TELL and case.measure else ()


def _taking(effort: Effort) -> str:
    return effort if effort in ("an hour", "a day") else f"some {effort}"
