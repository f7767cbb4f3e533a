"""All hours of a span as one: what most advice is made of."""

from collections.abc import Iterable, Sequence
from statistics import median

from msgspec import Struct

from seawall.core.traffic import WAITS_MS, Hour, ModelSums, Tries

ODD_TIMES = 20
"""A day that costs so many times what an ordinary one does is an odd one: nothing is to be built on it."""


class Sums(Struct, frozen=True):
    """One `hour` that holds all of them, its models as one, and what each UTC day with calls cost."""

    hour: Hour
    asked: ModelSums
    cost_by_day: tuple[int, ...]

    @property
    def ordinary_day(self) -> float:
        """Return what the day in the middle cost, of those with calls; nano-dollars."""
        return median(self.cost_by_day) if self.cost_by_day else 0.0

    @property
    def ordinary_share(self) -> float:
        """Return which part of the cost is left where odd days cost what ordinary ones do; 1 without any."""
        ordinary, total = self.ordinary_day, sum(self.cost_by_day)
        if not total or not ordinary:
            return 1.0
        return sum(day if day < ODD_TIMES * ordinary else ordinary for day in self.cost_by_day) / total

    @property
    def worth(self) -> int:
        """Return what the calls cost, or would have where nothing was booked; nano-dollars."""
        return self.asked.cost or self.asked.listed_cost


def sum_up(hours: Iterable[Hour]) -> Sums:
    """Add up hours; the fullest minute is that of all of them, the hour is 0."""
    total = Hour(hour=0)
    asked = ModelSums()
    days: dict[int, int] = {}
    for hour in hours:
        _add_hour(total, hour)
        day = hour.hour // 24
        for model in hour.models.values():
            days[day] = days.get(day, 0) + (model.cost or model.listed_cost)
    for model in total.models.values():
        _add_model(asked, model)
    return Sums(total, asked, tuple(days[day] for day in sorted(days)))


def over(counts: Sequence[int], seconds: float) -> int:
    """Return how many waits are longer than some seconds; these must be one of the bounds."""
    return sum(counts[WAITS_MS.index(int(seconds * 1_000)) + 1 :])


def _add_hour(total: Hour, hour: Hour) -> None:
    total.calls += hour.calls
    total.ok += hour.ok
    total.hits += hour.hits
    total.saved += hour.saved
    total.left += hour.left
    total.left_cost += hour.left_cost
    total.lost += hour.lost
    total.fell_back += hour.fell_back
    total.flagged += hour.flagged
    total.blocked += hour.blocked
    total.background += hour.background
    total.busy_ms += hour.busy_ms
    total.peak_minute = max(total.peak_minute, hour.peak_minute)
    for mine, theirs in ((total.refused, hour.refused), (total.failed, hour.failed)):
        for code, count in theirs.items():
            mine[code] = mine.get(code, 0) + count
    total.first = _added(total.first, hour.first)
    total.took = _added(total.took, hour.took)
    total.left_after = _added(total.left_after, hour.left_after)
    for name, model in hour.models.items():
        _add_model(total.models.setdefault(name, ModelSums()), model)
    for name, tries in hour.providers.items():
        sums = total.providers.setdefault(name, Tries())
        sums.tries += tries.tries
        sums.failed += tries.failed


def _add_model(total: ModelSums, model: ModelSums) -> None:
    total.calls += model.calls
    total.ok += model.ok
    total.streamed += model.streamed
    total.input += model.input
    total.output += model.output
    total.cached_read += model.cached_read
    total.cached_write += model.cached_write
    total.cost += model.cost
    total.listed_cost += model.listed_cost
    total.small += model.small
    total.small_input += model.small_input
    total.small_output += model.small_output
    total.small_cost += model.small_cost
    total.long += model.long
    total.long_input += model.long_input
    total.uncapped += model.uncapped
    total.uncapped_output += model.uncapped_output
    total.shaped += model.shaped
    total.whole_bytes += model.whole_bytes
    total.head_bytes += model.head_bytes
    total.history_bytes += model.history_bytes
    total.inputs = _added(total.inputs, model.inputs)
    total.outputs = _added(total.outputs, model.outputs)


def _added(mine: Sequence[int], theirs: Sequence[int]) -> list[int]:
    return [a + b for a, b in zip(mine, theirs, strict=True)]
