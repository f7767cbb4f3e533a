"""The path of five questions: which answers lead to which verdict."""

import msgspec
import pytest

from seawall.advice.deciding import Answered, Case, Presence, Subject, conclude, stage_of
from seawall.advice.words import QUESTIONS, Threshold, Verdict
from seawall.core.stages import Stage
from tests.advice.apps import BARE, app, calls, people, spread, usd

SUBJECT = Subject("thing", "A thing", "A thing is a thing.", "README.md", "a day")
YES, NO, UNKNOWN = (
    Answered("yes", "So it is."),
    Answered("no", "It is not."),
    Answered("not measured", "Who knows?"),
)
CASE = Case(
    SUBJECT,
    "It is found.",
    YES,
    simple="do less.",
    do=("this",),
    measure="Count it.",
    saves_month=usd(3),
)
BIG = app(spread(calls(2_000)), users=people(5_000))


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ({"problem": NO}, Verdict.NOT_YET),
        ({"problem": UNKNOWN}, Verdict.CANNOT_TELL),
        ({"problem": NO, "simpler": UNKNOWN}, Verdict.NOT_YET),
        ({"simpler": UNKNOWN}, Verdict.CANNOT_TELL),
        ({"simpler": YES, "tried": NO}, Verdict.SIMPLE_FIRST),
        ({"simpler": YES, "tried": UNKNOWN}, Verdict.SIMPLE_FIRST),
        ({"simpler": YES, "tried": YES}, Verdict.DO_NOW),
        ({"simpler": NO}, Verdict.DO_NOW),
        ({"presence": Presence.USED, "problem": NO}, Verdict.KEEP),
        ({"presence": Presence.IDLE, "problem": NO}, Verdict.REMOVE),
        ({"presence": Presence.IDLE, "problem": UNKNOWN}, Verdict.REMOVE),
        ({"presence": Presence.IDLE}, Verdict.KEEP),
    ],
)
def test_the_answers_lead_to_the_verdict(answers: dict[str, Answered | Presence], verdict: Verdict) -> None:
    advice = conclude(msgspec.structs.replace(CASE, **answers), BIG)
    assert advice.verdict is verdict
    assert tuple(step.question for step in advice.steps) == QUESTIONS


@pytest.mark.parametrize("problem", [YES, NO, UNKNOWN])
def test_what_is_never_skipped_is_done_whatever_the_answers_are(problem: Answered) -> None:
    never = msgspec.structs.replace(SUBJECT, is_never_skip=True, earliest=Stage.PRODUCTION)
    case = msgspec.structs.replace(CASE, subject=never, problem=problem, simpler=YES, tried=NO)
    assert conclude(case, app()).verdict is Verdict.DO_NOW
    kept = msgspec.structs.replace(case, presence=Presence.IDLE)
    assert conclude(kept, app()).verdict is Verdict.KEEP


def test_what_belongs_to_a_later_stage_is_not_yet() -> None:
    later = msgspec.structs.replace(CASE, subject=msgspec.structs.replace(SUBJECT, earliest=Stage.PRODUCTION))
    advice = conclude(later, BIG)
    assert advice.verdict is Verdict.NOT_YET
    assert advice.steps[4].why == "beta, by its users. That is too early: this belongs to production."


def test_another_machine_is_for_no_small_app() -> None:
    machine = msgspec.structs.replace(CASE, subject=msgspec.structs.replace(SUBJECT, is_infrastructure=True))
    assert conclude(machine, app(users=people(99))).verdict is Verdict.NOT_YET
    assert conclude(machine, BIG).verdict is Verdict.DO_NOW


def test_each_verdict_says_what_follows() -> None:
    simple = msgspec.structs.replace(CASE, simpler=YES, tried=NO)
    unknown = msgspec.structs.replace(CASE, problem=UNKNOWN)
    said = [(conclude(case, BIG).summary, conclude(case, BIG).do) for case in (CASE, simple, unknown)]
    assert said == [
        ("It is found. Do it now.", ("this",)),
        ("It is found. The simple thing first: do less.", ("do less.",)),
        ("It is found. Cannot tell yet. Count it.", ("Count it.",)),
    ]


def test_money_is_promised_only_for_what_is_to_be_done() -> None:
    assert conclude(CASE, BIG).saves_month == usd(3)
    assert conclude(msgspec.structs.replace(CASE, problem=NO), BIG).saves_month is None


def test_a_threshold_that_few_calls_reach_waits_for_more_calls() -> None:
    reached = Threshold("due at 20 %", 50, 20, "%", "a rule")
    case = msgspec.structs.replace(CASE, problem=NO, threshold=reached)
    threshold = conclude(case, app([calls(30)])).threshold
    assert threshold is not None
    assert (threshold.now, threshold.due, threshold.unit) == (30, 100, "calls")


@pytest.mark.parametrize(
    ("users", "stage"),
    [
        (0, Stage.ALPHA),
        (1, Stage.POC),
        (100, Stage.MVP),
        (101, Stage.ALPHA),
        (9_999, Stage.BETA),
        (10_001, Stage.PRODUCTION),
    ],
)
def test_the_stage_is_that_of_the_users_where_calls_name_them(users: int, stage: Stage) -> None:
    setup = msgspec.structs.replace(BARE, stage=Stage.ALPHA)
    assert stage_of(app(setup=setup, users=people(users))) is stage


def test_the_stage_is_that_of_the_configuration_where_most_calls_name_nobody() -> None:
    setup = msgspec.structs.replace(BARE, stage=Stage.BETA)
    numbers = app([calls(100)], setup=setup, users=people(3, unnamed=90))
    assert stage_of(numbers) is Stage.BETA
    assert conclude(CASE, numbers).steps[4].why == "beta, by the configuration. That is not too early for it."
