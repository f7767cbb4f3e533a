"""What a report on an app says, before it is written down in one form or another.

Invariant: nobody is named unless the owner asks for it, and no text of a user is in it.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from msgspec import Struct

from seawall.advice.numbers import Numbers
from seawall.advice.ranking import rank
from seawall.advice.words import Advice, Threshold
from seawall.core.money import Money
from seawall.core.traffic import WAITS_MS, Hour

PAGES = "https://seawall.dev/docs"
HOURS = 24
MODELS_SHOWN = 8
WAITS_SHOWN_MS = (1_000, 2_000, 5_000, 10_000, 30_000)
"""The bounds between the bars of waiting: 1 s feels like an answer, after 10 s people leave."""

_CODE = re.compile(r"\[[\w.\"-]+\]$|[\w.\"-]+ = |seawall [a-z]")


class Part(Struct, frozen=True):
    """Some advice under one heading; `is_brief` says that a line for each is enough."""

    name: str
    title: str
    advices: tuple[Advice, ...]
    is_brief: bool = False


class Row(Struct, frozen=True):
    """One bar of a chart, or one line of a table."""

    name: str
    value: int


class Spender(Struct, frozen=True):
    """One of those who cost most."""

    name: str
    calls: int
    cost: Money
    days: int


class Totals(Struct, frozen=True):
    """The span in a few numbers; money in nano-dollars, `listed_cost` for what cost nothing."""

    calls: int
    hits: int
    saved: Money
    cost: Money
    listed_cost: Money
    refused: int
    failed: int
    left: int


class Report(Struct, frozen=True):
    """An app at a moment: its numbers, and the advice made from them in the order of its ranking.

    `at` is when it was made. `stage_lines` say where the app is. `shows_names` is what the owner asked for.
    """

    at: datetime
    numbers: Numbers
    parts: tuple[Part, ...]
    stage_lines: tuple[str, ...] = ()
    shows_names: bool = False

    @property
    def advices(self) -> list[Advice]:
        """Return all advice, in order."""
        return [advice for part in self.parts for advice in part.advices]


def parts_of(advices: Iterable[Advice]) -> tuple[Part, ...]:
    """Rank advice under the headings of a report."""
    ranked = rank(advices)
    return (
        Part("do_now", "Do now", ranked.do_now),
        Part("simple_first", "Do the simple thing first", ranked.simple_first),
        Part("remove", "Remove", ranked.remove),
        Part("watch", "Watch", ranked.watch),
        Part("cannot_tell", "Cannot tell yet", ranked.cannot_tell),
        Part("keep", "Keep", ranked.keep, is_brief=True),
        Part("skip", "Skip for now", ranked.skip, is_brief=True),
    )


def totals_of(numbers: Numbers) -> Totals:
    """Add the hours up."""
    hours = numbers.hours
    models = [model for hour in hours for model in hour.models.values()]
    return Totals(
        calls=sum(hour.calls for hour in hours),
        hits=sum(hour.hits for hour in hours),
        saved=Money(sum(hour.saved for hour in hours)),
        cost=Money(sum(model.cost for model in models)),
        listed_cost=Money(sum(model.listed_cost for model in models)),
        refused=sum(sum(hour.refused.values()) for hour in hours),
        failed=sum(sum(hour.failed.values()) for hour in hours),
        left=sum(hour.left for hour in hours),
    )


def cost_by_day(numbers: Numbers) -> list[Row]:
    """Return what each day cost, the oldest first; days without calls cost nothing."""
    costs: dict[date, int] = {}
    for hour in numbers.hours:
        day = _day(hour)
        costs[day] = costs.get(day, 0) + sum(model.cost for model in hour.models.values())
    return [Row(day.isoformat(), costs.get(day, 0)) for day in days_of(numbers)]


def calls_by_day(numbers: Numbers) -> list[Row]:
    """Return how many calls each day had, the oldest first."""
    calls: dict[date, int] = {}
    for hour in numbers.hours:
        day = _day(hour)
        calls[day] = calls.get(day, 0) + hour.calls
    return [Row(day.isoformat(), calls.get(day, 0)) for day in days_of(numbers)]


def users_by_day(numbers: Numbers) -> list[Row]:
    """Return how many end users called on each day, the oldest first."""
    users = dict(numbers.users.by_day)
    return [Row(day.isoformat(), users.get(day.isoformat(), 0)) for day in days_of(numbers)]


def waits(numbers: Numbers) -> list[Row]:
    """Return how many calls waited how long: for the first piece of a stream, else for the whole answer."""
    bounds = [*WAITS_SHOWN_MS, None]
    counts = [0] * len(bounds)
    for hour in numbers.hours:
        for place, (first, took) in enumerate(zip(hour.first, hour.took, strict=True)):
            bound = WAITS_MS[place] if place < len(WAITS_MS) else None
            counts[_bar_of(bound)] += first + took
    return [Row(name, count) for name, count in zip(_wait_names(), counts, strict=True)]


def cost_by_model(numbers: Numbers) -> list[Row]:
    """Return what each model cost, the dearest first; what is beyond a handful stands together."""
    costs: dict[str, int] = {}
    for hour in numbers.hours:
        for name, model in hour.models.items():
            costs[name] = costs.get(name, 0) + model.cost
    return _dearest(costs)


def spenders(report: Report) -> list[Spender]:
    """Return those who cost most; by their place alone unless the owner asks for names."""
    return [
        Spender(use.user if report.shows_names else f"user {place}", use.calls, use.cost, use.days)
        for place, use in enumerate(report.numbers.users.dearest, 1)
    ]


def days_of(numbers: Numbers) -> list[date]:
    """Return the days of the span since the app is known, the oldest first."""
    last = _date(numbers.until_hour - 1)
    first = _date(numbers.until_hour - numbers.days * HOURS)
    known = [_day(hour) for hour in numbers.hours[:1]]
    if known and (numbers.users.first_hour is None or _date(numbers.users.first_hour) >= first):
        first = max(first, known[0])
    return [first + timedelta(days=more) for more in range((last - first).days + 1)] if known else []


def to_do(lines: Iterable[str]) -> list[tuple[bool, str]]:
    """Return what to do in pieces: (is code, text); lines of configuration and commands stay together."""
    found: list[tuple[bool, str]] = []
    for line in lines:
        is_code = _CODE.match(line) is not None
        if is_code and found and found[-1][0]:
            found[-1] = (True, f"{found[-1][1]}\n{line}")
        else:
            found.append((is_code, line))
    return found


def due_when(threshold: Threshold) -> str:
    """Return in a sentence when a thing becomes due."""
    return f"Due when {threshold.text.removeprefix('due when ').removesuffix('.')}."


def page_of(advice: Advice) -> str:
    """Return the address of the page that says more about a thing."""
    return advice.link if advice.link.startswith("https://") else f"{PAGES}/{advice.link.replace('.md', '')}"


def _bar_of(bound_ms: int | None) -> int:
    """Return which bar the calls are in that did not wait longer than a bound."""
    for place, shown in enumerate(WAITS_SHOWN_MS):
        if bound_ms is not None and bound_ms <= shown:
            return place
    return len(WAITS_SHOWN_MS)


def _wait_names() -> list[str]:
    seconds = [bound // 1000 for bound in WAITS_SHOWN_MS]
    between = [f"{low}-{high} s" for low, high in pairwise(seconds)]
    return [f"to {seconds[0]} s", *between, f"{seconds[-1]} s on"]


def _dearest(costs: Mapping[str, int]) -> list[Row]:
    rows = [Row(name, cost) for name, cost in sorted(costs.items(), key=lambda each: (-each[1], each[0]))]
    rest = rows[MODELS_SHOWN:]
    if not rest:
        return rows
    return [*rows[:MODELS_SHOWN], Row(f"{len(rest)} others", sum(row.value for row in rest))]


def _day(hour: Hour) -> date:
    return _date(hour.hour)


def _date(hour: int) -> date:
    return datetime.fromtimestamp(hour * 3_600, UTC).date()
