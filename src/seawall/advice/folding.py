"""Folds rows of the call log into sums by hour.

Invariants:
- A call counts in the hour in which it came, whenever it ended; a job in the one in which it was accepted.
- Calls without a valid key count nowhere.
- Sums of parts of an hour added up are the sums of the hour, its fullest minute apart.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from seawall.core.call import moment_of
from seawall.core.ledger import CallRow
from seawall.core.traffic import (
    LONG_TURNS,
    SMALL_TOKENS,
    TOKENS,
    WAITS_MS,
    Hour,
    ModelSums,
    Shape,
    Tries,
    count_in,
)

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
MINUTES_AN_HOUR = 60
CODES_MAX = 50
"""Providers have codes of their own: what is beyond so many in an hour is counted as one."""
OTHER_CODE = "other"
_FOUND: Final = ("flag", "redact")
_NOBODYS_FAULT: Final = ("complete", "cut", "client_left")


class _Said(Struct):
    """What is read of a decision."""

    step: str = ""
    verdict: str = ""


class _Try(Struct):
    """What is read of an attempt at a provider."""

    provider: str = ""
    ending: str = ""


_decode_said = msgspec.json.Decoder(list[_Said]).decode
_decode_tries = msgspec.json.Decoder(list[_Try]).decode
_decode_shape = msgspec.json.Decoder(Shape).decode


class Folding:
    """Adds up calls that come one after the other; `hours` are their sums, in order."""

    __slots__ = ("_hours", "_minutes")

    def __init__(self) -> None:
        self._hours: dict[int, Hour] = {}
        self._minutes: dict[int, int] = {}

    def add(self, row: CallRow) -> None:
        """Count a call."""
        if not row.key_id:
            return
        at_ms = came_ms(row)
        number = at_ms // HOUR_MS
        hour = self._hours.get(number)
        if hour is None:
            hour = self._hours[number] = Hour(number)
        minute = at_ms // MINUTE_MS
        self._minutes[minute] = calls = self._minutes.get(minute, 0) + 1
        hour.peak_minute = max(hour.peak_minute, calls)
        _add(row, hour)

    def hours(self) -> list[Hour]:
        """Return the sums."""
        return [self._hours[number] for number in sorted(self._hours)]

    def take(self, before: int) -> list[Hour]:
        """Return the sums of hours before one, and forget them."""
        done = [self._hours.pop(number) for number in sorted(self._hours) if number < before]
        self._minutes = {
            minute: calls for minute, calls in self._minutes.items() if minute >= before * MINUTES_AN_HOUR
        }
        return done


def came_ms(row: CallRow) -> int:
    """Return when a call came: as its id says, for a job has another moment in its row."""
    came = moment_of(row.id)
    return row.at_ms if came is None else came


def fold(rows: Iterable[CallRow]) -> list[Hour]:
    """Return the sums of calls, hour after hour; hours without calls lack."""
    folding = Folding()
    for row in rows:
        folding.add(row)
    return folding.hours()


def _add(row: CallRow, hour: Hour) -> None:
    said = _decode_said(row.decisions)
    tries = _decode_tries(row.attempts)
    steps = {each.step for each in said}
    is_job = row.outcome == "accepted" or "perform" in steps
    hour.calls += 1
    hour.busy_ms += row.took_ms
    hour.background += is_job
    hour.flagged += any(each.step.startswith("guard_") and each.verdict in _FOUND for each in said)
    hour.blocked += any(each.step.startswith("guard_") and each.verdict == "block" for each in said)
    if row.outcome == "ok":
        hour.ok += 1
        hour.fell_back += _fell_back(tries)
        if "recall" in steps:
            hour.hits += 1
            hour.saved += row.saved
        if not is_job:
            _count_waiting(row, hour)
    elif row.outcome == "left":
        hour.left += 1
        hour.left_cost += row.cost
        count_in(hour.left_after, WAITS_MS, row.took_ms)
    elif row.outcome == "crashed":
        hour.lost += 1
    elif row.outcome == "refused":
        _count_code(hour.refused, row)
    elif row.outcome == "failed":
        _count_code(hour.failed, row)
    _add_tries(row, tries, hour)
    if row.outcome == "crashed" or any(each.ending != "not_sent" for each in tries):
        _add_to_model(row, hour)


def _count_waiting(row: CallRow, hour: Hour) -> None:
    if not row.stream:
        count_in(hour.took, WAITS_MS, row.took_ms)
    elif row.first_ms is not None:
        count_in(hour.first, WAITS_MS, row.first_ms)


def _count_code(counts: dict[str, int], row: CallRow) -> None:
    code = row.code or OTHER_CODE
    if code not in counts and len(counts) >= CODES_MAX:
        code = OTHER_CODE
    counts[code] = counts.get(code, 0) + 1


def _fell_back(tries: list[_Try]) -> bool:
    return bool(tries) and _provider(tries[0]) != _provider(tries[-1])


def _provider(tried: _Try) -> str:
    """Return the provider of an account: "openai#2" is its second key."""
    return tried.provider.partition("#")[0]


def _add_tries(row: CallRow, tries: list[_Try], hour: Hour) -> None:
    """Count attempts; the last one has failed where the caller is told so and is not to blame."""
    is_told = row.outcome == "failed" and (row.status >= 500 or row.status == 429)
    for number, tried in enumerate(tries, 1):
        sums = hour.providers.get(_provider(tried))
        if sums is None:
            sums = hour.providers[_provider(tried)] = Tries()
        sums.tries += 1
        sums.failed += tried.ending not in _NOBODYS_FAULT and (is_told or number < len(tries))


def _add_to_model(row: CallRow, hour: Hour) -> None:
    sums = hour.models.get(row.model)
    if sums is None:
        sums = hour.models[row.model] = ModelSums()
    sums.calls += 1
    sums.ok += row.outcome == "ok"
    sums.streamed += row.stream
    sums.cost += row.cost
    sums.listed_cost += row.listed_cost
    shape = None if row.shape is None else _decode_shape(row.shape)
    if shape is not None:
        sums.shaped += 1
        sums.whole_bytes += shape.whole_bytes
        sums.head_bytes += shape.head_bytes
        sums.history_bytes += shape.history_bytes
    usage = row.usage
    if usage is None:
        return
    sums.input += usage.input
    sums.output += usage.output
    sums.cached_read += usage.cached_read
    sums.cached_write += usage.cached_write
    count_in(sums.inputs, TOKENS, usage.input)
    count_in(sums.outputs, TOKENS, usage.output)
    if usage.input + usage.output < SMALL_TOKENS:
        sums.small += 1
        sums.small_input += usage.input
        sums.small_output += usage.output
        sums.small_cost += row.cost
    if shape is not None and shape.turns >= LONG_TURNS:
        sums.long += 1
        sums.long_input += usage.input
    if shape is not None and not shape.wanted_tokens:
        sums.uncapped += 1
        sums.uncapped_output += usage.output
