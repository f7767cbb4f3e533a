"""A message queue: is a broker of one's own needed for work that must not be lost?"""

from seawall.advice.deciding import (
    NOTHING_SIMPLER,
    NOTHING_TO_TRY,
    Answered,
    Case,
    Presence,
    Subject,
    conclude,
)
from seawall.advice.figures import count, fact, not_measured, total
from seawall.advice.headroom import is_thin, standing
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import JOBS_SECOND
from seawall.advice.words import Advice, Figure

SUBJECT = Subject(
    thing="queue",
    title="Message queue",
    term="A message queue (RabbitMQ, SQS) keeps work until a worker has done it, whatever crashes.",
    link="jobs.md",
    effort="days",
    is_infrastructure=True,
)
ASK = "seawall facts set must_not_lose none"


def queue(numbers: Numbers, replays: Replays) -> Advice:
    """Advise on a broker: jobs that are in Seawall already come first, and keep up with 292 a second."""
    hour = numbers.sums.hour
    must_keep = _must_not_lose(numbers)
    has_broker = fact(numbers, "queue") is True
    second = max((each.background for each in numbers.hours), default=0) / 3_600
    has_jobs, is_full = bool(numbers.setup.tasks or hour.background), second > JOBS_SECOND.value
    problem = _problem(numbers, must_keep, is_full=is_full)
    presence = Presence.ABSENT
    if has_broker and problem.answer != "not measured":
        presence = Presence.USED if problem.answer == "yes" else Presence.IDLE
    if problem.answer == "yes" and has_jobs and not is_full:
        why = "What must not be lost can go through the jobs that you use; they survive crashes and restarts."
        problem = Answered("no", why, problem.figures)
    return conclude(
        Case(
            SUBJECT,
            found=_found(hour.lost, must_keep, has_jobs=has_jobs),
            problem=problem,
            simpler=NOTHING_SIMPLER if is_full else Answered("yes", "Seawall has a queue inside: its jobs."),
            tried=NOTHING_TO_TRY if is_full else Answered("no", "No call and no task goes through them yet."),
            presence=presence,
            simple="send what must not be lost as a job or a task of Seawall, which survive crashes.",
            do=_do(presence),
            measure=f"Say which tasks must never be lost: `{ASK}`, or their names with commas.",
            threshold=standing(JOBS_SECOND, second),
            replays=(replays.queue.told,) if replays.queue else (),
        ),
        numbers,
    )


def _must_not_lose(numbers: Numbers) -> tuple[str, ...] | None:
    value = fact(numbers, "must_not_lose")
    return value if isinstance(value, tuple) else None


def _problem(numbers: Numbers, must_keep: tuple[str, ...] | None, *, is_full: bool) -> Answered:
    """Answer whether something is lost that must not be."""
    lost = numbers.sums.hour.lost
    figures = (
        Figure(f"{count(lost)} answers lost to a stop of the gateway", total(numbers, "lost"), lost),
        Figure(
            f"{count(numbers.sums.hour.background)} calls made as jobs",
            total(numbers, "background"),
            numbers.sums.hour.background,
        ),
    )
    if is_full:
        return Answered("yes", "More jobs come than the queue inside of Seawall carries.", figures)
    if must_keep:
        return Answered("yes", f"You state that {', '.join(must_keep)} must never be lost.", figures)
    if must_keep is not None:
        return Answered("no", "You state that any task may be lost: people ask again.", figures)
    if is_thin(numbers) and not lost and fact(numbers, "queue") is not True:
        return Answered("no", "Nothing was lost, and an app of this size can ask again.", figures)
    missing = not_measured("which tasks must never be lost", ASK)
    return Answered("not measured", "Only you know what may be lost.", (*figures, missing))


def _found(lost: int, must_keep: tuple[str, ...] | None, *, has_jobs: bool) -> str:
    answers = f"{count(lost)} answers were lost to a stop of the gateway" if lost else "No answer was lost"
    if must_keep is None:
        return f"{answers}; which tasks must never be lost is not stated."
    if not must_keep:
        return f"{answers}, and no task is so important that it must not be."
    kept = " and can go through the jobs that you use" if has_jobs else ""
    return f"{answers}; {', '.join(must_keep)} must never be{kept}."


def _do(presence: Presence) -> tuple[str, ...]:
    if presence is Presence.IDLE:
        return (
            "Let the broker run empty, then switch it off; what is to be done later can be a job of Seawall.",
        )
    if presence is Presence.USED:
        return ()
    return ("Move the store to Postgres, and run `seawall worker` on a second machine.",)
