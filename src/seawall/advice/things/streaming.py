"""Streaming: should people see the answer while it is written?"""

from seawall.advice.deciding import Answered, Case, Presence, Subject, conclude
from seawall.advice.figures import (
    count,
    hourly,
    is_enough,
    model_percent_of,
    money_a_month,
    percent,
    percent_of,
    share,
)
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.sums import over
from seawall.advice.thresholds import BROKEN_S, WAIT_S, WAITING_PERCENT
from seawall.advice.words import Advice, Figure, Threshold
from seawall.core.stages import Stage
from seawall.core.traffic import WAITS_MS

SUBJECT = Subject(
    thing="streaming",
    title="Streaming",
    term="With streaming the answer appears word by word while it is written, instead of all at the end.",
    link="javascript.md",
    effort="an hour",
    earliest=Stage.MVP,
)
MOSTLY = 90
"""From so many percent of streamed calls on, an app streams."""


def streaming(numbers: Numbers, replays: Replays) -> Advice:
    """Advise on streaming by how long people wait, and how many leave while they do."""
    hour, asked = numbers.sums.hour, numbers.sums.asked
    whole = sum(hour.took)
    slow, broken = over(hour.took, WAIT_S.value), over(hour.took, BROKEN_S.value)
    streamed = share(
        asked.streamed, asked.calls, "calls are streamed",
        hourly(numbers, model_percent_of("streamed", "calls"), each="models"),
    )  # fmt: skip
    waiting = share(slow, whole, "whole answers took 5 s or more", _longer(numbers, "took", WAIT_S.value))
    figures = (
        streamed,
        waiting,
        share(broken, whole, "whole answers took 10 s or more", _longer(numbers, "took", BROKEN_S.value)),
        _first(numbers),
        _left(numbers),
        money_a_month(
            numbers, hour.left_cost, "for answers nobody waited for", "total(data->>'$.left_cost')"
        ),
    )
    due = is_enough(whole) and (waiting.value or 0) >= WAITING_PERCENT.value
    is_there = asked.streamed > 0 and (streamed.value or 0) >= MOSTLY
    case = Case(
        SUBJECT,
        _found(numbers, waiting, is_there=is_there),
        Answered("yes" if due or is_there else "no", _why(due=due, is_there=is_there), figures),
        presence=Presence.USED if is_there else Presence.ABSENT,
        do=()
        if is_there
        else (
            'Add "stream": true to the request, and show each piece as it comes.',
            "From a web page: seawall.js does both (docs/javascript.md).",
        ),
        threshold=None
        if is_there
        else Threshold(
            f"{WAIT_S.text}, in {WAITING_PERCENT.value} % of the answers; {BROKEN_S.text}",
            waiting.value,
            WAITING_PERCENT.value,
            "% of the answers",
            WAIT_S.source,
        ),
    )
    return conclude(case, numbers)


def _found(numbers: Numbers, waiting: Figure, *, is_there: bool) -> str:
    hour = numbers.sums.hour
    if is_there:
        late = _first(numbers)
        slow = (late.value or 0) >= WAITING_PERCENT.value
        begin = f", but {percent(late.value or 0)} of them begin after 5 s or more" if slow else ""
        return f"Answers are streamed{begin}; {count(hour.left)} callers left before the end."
    return f"{waiting.text}, and {count(hour.left)} callers left before the end."


def _why(*, due: bool, is_there: bool) -> str:
    if is_there:
        return "Answers are read while they are written."
    return "People look at nothing for seconds." if due else "Answers come before anybody grows impatient."


def _first(numbers: Numbers) -> Figure:
    """Return how many streams kept people waiting for their first word."""
    first = numbers.sums.hour.first
    what = "streams began after 5 s or more"
    return share(over(first, WAIT_S.value), sum(first), what, _longer(numbers, "first", WAIT_S.value))


def _left(numbers: Numbers) -> Figure:
    hour = numbers.sums.hour
    query = hourly(numbers, percent_of("left", "calls"))
    return share(hour.left, hour.calls, "calls were left before the answer was whole", query)


def _longer(numbers: Numbers, field: str, seconds: float) -> str:
    """Return the query for the share of waits that are longer; counts are by the bounds of `WAITS_MS`."""
    place = WAITS_MS.index(int(seconds * 1_000))
    return hourly(
        numbers, f"100 * total(each.value * (each.key > {place})) / max(1, total(each.value))", each=field
    )  # fmt: skip
