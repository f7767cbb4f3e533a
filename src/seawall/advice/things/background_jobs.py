"""Background jobs: should slow answers be made after the call, and fetched later?"""

from seawall.advice.deciding import (
    NOTHING_SIMPLER,
    NOTHING_TO_TRY,
    Answered,
    Case,
    Presence,
    Subject,
    conclude,
    not_tried,
)
from seawall.advice.figures import count, hourly, is_enough, is_tried, share, total
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.sums import over
from seawall.advice.thresholds import BROKEN_S, WAIT_S, WAITING_PERCENT, Rule
from seawall.advice.words import Advice, Figure, Threshold
from seawall.core.traffic import WAITS_MS

SUBJECT = Subject(
    thing="background-jobs",
    title="Background jobs",
    term="A background job is work that is accepted at once, done later, and fetched when it is done.",
    link="jobs.md",
    effort="a day",
)
STREAMING = "streaming"
STEPS = (
    "Send the slow calls with the header `Prefer: respond-async`: the answer is 202 with an id.",
    "Show that it is being made, and fetch it by its id or be told by a webhook.",
)


def background_jobs(numbers: Numbers, _: Replays) -> Advice:
    """Advise by how long people wait for the first that they see of an answer."""
    hour = numbers.sums.hour
    waits = _waits(numbers, WAIT_S, f"answers take longer than {WAIT_S.value:g} seconds to begin")
    jobs = Figure(
        f"{count(hour.background)} calls were made as jobs", total(numbers, "background"), hour.background
    )
    figures = (
        waits,
        _waits(numbers, BROKEN_S, f"answers take longer than {BROKEN_S.value:g} seconds"),
        Figure(f"{count(hour.left)} callers left before the end", total(numbers, "left"), hour.left),
        jobs,
    )
    is_known = is_enough(_answers(numbers))
    is_slow = is_known and (waits.value or 0) >= WAITING_PERCENT.value
    is_used = bool(hour.background or numbers.setup.tasks)
    simpler, tried = _streaming_first(numbers)
    return conclude(
        Case(
            SUBJECT,
            found=f"{jobs.text if is_used else waits.text}.",
            problem=Answered("yes" if is_slow else "no", _why(is_slow, is_known), figures),
            simpler=simpler,
            tried=tried,
            presence=Presence.USED if is_used else Presence.ABSENT,
            simple="stream the answers (`stream: true`): the first words are there within a second or two.",
            do=() if is_used else STEPS,
            threshold=_threshold(waits.value),
        ),
        numbers,
    )


def _threshold(percent: float | None) -> Threshold:
    text = f"due when {WAIT_S.text}, in {WAITING_PERCENT.value:g} % of the calls; {BROKEN_S.text}"
    return Threshold(text, percent, WAITING_PERCENT.value, WAITING_PERCENT.unit, WAIT_S.source)


def _answers(numbers: Numbers) -> int:
    return sum(numbers.sums.hour.first) + sum(numbers.sums.hour.took)


def _waits(numbers: Numbers, bound: Rule, words: str) -> Figure:
    """Return the share of answers that take longer than a bound to begin."""
    hour = numbers.sums.hour
    slow = over(hour.first, bound.value) + over(hour.took, bound.value)
    return share(slow, _answers(numbers), words, _slow(numbers, bound.value))


def _streaming_first(numbers: Numbers) -> tuple[Answered, Answered]:
    """Answer whether streaming is the simpler solution, and whether it was tried."""
    hour = numbers.sums.hour
    if over(hour.took, WAIT_S.value) <= over(hour.first, WAIT_S.value):
        return NOTHING_SIMPLER, NOTHING_TO_TRY
    simpler = Answered("yes", "Most of them are not streamed: the first words could be there at once.")
    if is_tried(numbers, STREAMING):
        return simpler, Answered("yes", "You state that streaming was tried.")
    return simpler, not_tried(STREAMING)


def _why(is_slow: bool, is_known: bool) -> str:
    if is_slow:
        return "People wait so long that some believe it is broken, and leave."
    if not is_known:
        return "So few calls do not tell, and nobody is kept waiting much."
    return "Answers begin in time."


def _slow(numbers: Numbers, seconds: float) -> str:
    """Return the query for the share of answers that take longer than so many seconds to begin."""
    place = WAITS_MS.index(int(seconds * 1_000)) + 1
    slow, answers = _counted(numbers, f" AND each.key >= {place}"), _counted(numbers, "")
    return f"SELECT 100.0 * ({slow}) / max(1, {answers})"


def _counted(numbers: Numbers, which: str) -> str:
    return " + ".join(
        f"({hourly(numbers, 'total(each.value)', each=counts)}{which})" for counts in ("took", "first")
    )
