"""How hours of the call log are summed up: whole, once, and with what is settled late."""

from collections.abc import Iterator
from typing import Any

import pytest

from seawall.advice.folding import fold
from seawall.core.call import first_id_at
from seawall.core.ledger import CallRow
from seawall.core.traffic import Hour
from seawall.summing import OVER_FOR_S, Summing, catch_up, hours_until_now
from tests.fixtures.jobs import DONE, RULES, accepted, started
from tests.fixtures.ledgers import AT_MS, Home, Process, ask, row_of, settlement

HOUR_MS = 3_600_000
HOUR = AT_MS // HOUR_MS
OVER = HOUR * 3_600 + 3_600 + OVER_FOR_S
"""The first second at which the hour of AT_MS is over for good."""


@pytest.fixture
def other(home: Home, process: Process) -> Iterator[Process]:
    """Open the same home as another process."""
    opened = home.open()
    yield opened
    opened.store.close()


def call_at(at_ms: int, number: int = 0, **fields: Any) -> CallRow:
    """Return the row of a call of a moment; ids sort by time."""
    return row_of(f"{first_id_at(at_ms)}{number:04}", **{"at_ms": at_ms, **fields})


async def write(process: Process, *rows: CallRow) -> None:
    """Write rows that held no money."""
    for row in rows:
        process.store.call_log.write(row)
    await process.store.ledger.check()


async def counts(process: Process) -> list[tuple[int, int]]:
    """Return the hours that are summed up, with their calls."""
    return [(hour.hour - HOUR, hour.calls) for hour in await process.store.traffic.hours(0, 2**40)]


async def test_an_hour_is_summed_up_when_it_is_over_and_not_before(process: Process) -> None:
    await write(process, call_at(AT_MS), call_at(AT_MS + HOUR_MS - 1), call_at(AT_MS + HOUR_MS))
    await catch_up(process.store, OVER - 1)
    assert (await counts(process), await process.store.traffic.summed_until()) == ([], HOUR)
    await catch_up(process.store, OVER)
    assert (await counts(process), await process.store.traffic.summed_until()) == ([(0, 2)], HOUR + 1)


async def test_every_step_writes_whole_hours_alone(process: Process) -> None:
    rows = [call_at(AT_MS + number * HOUR_MS // 5, number) for number in range(12)]
    await write(process, *rows)
    summing, seen = Summing(process.store.traffic, rows=2), []
    while await summing.step(OVER + 3 * 3_600):
        seen.append(await counts(process))
    assert all(calls == 5 for hours in seen for _, calls in hours)
    assert await process.store.traffic.hours(0, 2**40) == fold(rows)


async def test_a_call_that_is_settled_late_is_waited_for(process: Process) -> None:
    late = call_at(AT_MS)
    await process.store.ledger.hold(ask(late.id, 5, earlier=late))
    await write(process, call_at(AT_MS, 1), call_at(AT_MS + HOUR_MS, 2))
    await catch_up(process.store, OVER + 7_200)
    assert await counts(process) == []
    await process.store.ledger.settle(settlement(late.id, 5, earlier=late))
    await catch_up(process.store, OVER + 7_200)
    assert await counts(process) == [(0, 2), (1, 1)]


async def test_what_a_stopped_gateway_left_is_waited_for(process: Process, other: Process) -> None:
    lost = call_at(AT_MS)
    await process.store.ledger.hold(ask(lost.id, 5, earlier=lost))
    process.crash()
    await catch_up(other.store, OVER + 7_200)
    assert await counts(other) == []
    await other.reap()
    await catch_up(other.store, OVER + 7_200)
    [hour] = await other.store.traffic.hours(0, 2**40)
    assert (hour.hour, hour.lost) == (HOUR, 1)


async def test_a_job_is_waited_for(home: Home, process: Process) -> None:
    name = call_at(AT_MS).id.removeprefix("call_")
    await accepted(process, name)
    await write(process, call_at(AT_MS, outcome="accepted", status=202))
    run = await started(process, home, name)
    await catch_up(process.store, OVER + 7_200)
    assert await counts(process) == []
    await write(process, call_at(AT_MS, took_ms=7e6, decisions=b'[{"step":"perform"}]'))
    await process.store.jobs.finish(run.id, run.run, DONE, OVER + 7_200, RULES)
    await catch_up(process.store, OVER + 7_200)
    [hour] = await process.store.traffic.hours(0, 2**40)
    assert (hour.hour, hour.calls, hour.ok, hour.background) == (HOUR, 1, 1, 1)


async def test_nothing_is_waited_for_until_the_log_is_trimmed(process: Process) -> None:
    await process.store.ledger.hold(ask(call_at(AT_MS).id, 5))
    await write(process, call_at(AT_MS, 1))
    await catch_up(process.store, OVER + 20 * 3_600 - 1, keep_days=1)
    assert await counts(process) == []
    await catch_up(process.store, OVER + 20 * 3_600, keep_days=1)
    assert await counts(process) == [(0, 1)]


async def test_calls_that_are_trimmed_stay_in_the_sums(process: Process) -> None:
    await write(process, call_at(AT_MS))
    await catch_up(process.store, OVER)
    assert await process.store.call_log.trim(AT_MS + HOUR_MS, at_most=9) == 1
    await catch_up(process.store, OVER + 9 * 3_600)
    assert await counts(process) == [(0, 1)]


async def test_several_gateways_sum_up_the_same_once(process: Process, other: Process) -> None:
    rows = [call_at(AT_MS + number * HOUR_MS // 4, number) for number in range(20)]
    await write(process, *rows)
    both = [Summing(one.store.traffic, rows=3) for one in (process, other)]
    turns = [True, True]
    while any(turns):
        turns = [await summing.step(OVER + 9 * 3_600) for summing in both]
    assert await process.store.traffic.hours(0, 2**40) == fold(rows)


async def test_what_is_asked_now_has_the_hour_that_is_not_over(process: Process) -> None:
    rows = [call_at(AT_MS + number * HOUR_MS, number) for number in (0, 1, 2)]
    await write(process, *rows)
    await catch_up(process.store, OVER)
    now = (AT_MS + 2 * HOUR_MS) / 1000
    assert await hours_until_now(process.store, HOUR, now) == fold(rows)
    assert await hours_until_now(process.store, HOUR + 1, now) == fold(rows[1:])
    assert await hours_until_now(process.store, HOUR, now - 1) == fold(rows[:2])


async def test_where_nothing_was_ever_asked_there_are_no_sums(process: Process) -> None:
    await catch_up(process.store, OVER)
    no_hours: list[Hour] = []
    assert await hours_until_now(process.store, 0, OVER) == no_hours
