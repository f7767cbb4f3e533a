"""What every home of the call log promises: one row per call, and sums that agree with them."""

from collections.abc import Iterator
from typing import Any

import pytest

from seawall.core.call import first_id_at
from seawall.core.contracts import Spend
from seawall.core.ledger import CallRow
from seawall.core.money import Money, Usage
from seawall.core.watching import Seen
from tests.fixtures.ledgers import AT_MS, Home, Process, ask, row_of, settlement

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
RECALLED = b'[{"step":"recall","why":"hit"}]'
FULL = row_of(
    "call_1",
    endpoint="/v1/responses",
    end_user="ä' OR '1'='1 %s ? :id",
    model="fake-gpt",
    provider="mock",
    stream=True,
    status=402,
    outcome="refused",
    code="budget_exhausted",
    took_ms=1.25,
    first_ms=0.5,
    usage=Usage(input=2**40, output=2, cached_read=3, cached_write=4, reasoning=5, exact=False),
    held=Money(9 * 10**18),
    cost=Money(2**53 + 1),
    overage=Money(1),
    listed_cost=Money(2),
    decisions=b'[{"step":"hold","why":"100 % \\u00e4"}]',
    attempts=b'[{"provider":"mock"}]',
    saved=Money(3),
)


@pytest.fixture
def other(home: Home, process: Process) -> Iterator[Process]:
    """Open the same home as another process."""
    opened = home.open()
    yield opened
    opened.store.close()


def call_at(at_ms: int, number: int = 0, **fields: Any) -> CallRow:
    """Return the row of a call of a moment; ids sort by time."""
    row = row_of(f"{first_id_at(at_ms)}{number:04}", **fields)
    return CallRow(**{name: getattr(row, name) for name in row.__struct_fields__} | {"at_ms": at_ms})


async def settle(process: Process, row: CallRow, cost: int, *, held: int | None = None) -> CallRow:
    """Hold for a call on the gateway and on its key, and settle it; returns its row."""
    held = cost if held is None else held
    accounts = [
        (scope, period, 10**15)
        for scope in ("global", f"key:{row.key_id}")
        for period in ("2026-11-21", "2026-11", "life")
    ]
    await process.store.ledger.hold(ask(row.id, held, *accounts, earlier=row))
    done = settlement(row.id, cost, held=held, earlier=row)
    await process.store.ledger.settle(type(done)(done.hold_id, done.cost, done.overage, done.usage, done.row))
    return done.row


@pytest.mark.parametrize("row", [row_of("call_1"), FULL], ids=["bare", "full"])
async def test_a_row_is_found_at_once_and_as_it_was_written(process: Process, row: CallRow) -> None:
    process.store.call_log.write(row)
    assert await process.store.call_log.find("call_1") == row
    assert await process.store.call_log.find("call_2") is None


async def test_what_one_process_wrote_every_process_finds(process: Process, other: Process) -> None:
    process.store.call_log.write(FULL)
    await process.store.ledger.check()
    assert await other.store.call_log.find("call_1") == FULL


async def test_the_newest_calls_come_first_and_page_by_page(process: Process) -> None:
    log = process.store.call_log
    rows = [call_at(AT_MS + number, key_id=f"key_{number % 2}") for number in range(7)]
    for row in rows[::-1]:
        log.write(row)
    newest = rows[::-1]
    assert await log.newest(key_id=None, before=None, limit=3) == newest[:3]
    assert await log.newest(key_id=None, before=newest[2].id, limit=10) == newest[3:]
    assert await log.newest(key_id="key_1", before=None, limit=2) == [rows[5], rows[3]]
    assert await log.newest(key_id="key_1", before=rows[3].id, limit=2) == [rows[1]]
    assert await log.newest(key_id="key_9", before=None, limit=2) == []


async def test_sums_are_by_whatever_is_asked_for_the_dearest_first(process: Process) -> None:
    log = process.store.call_log
    await settle(process, call_at(AT_MS, 1, key_id="key_1", model="a", end_user="ada"), 10)
    await settle(process, call_at(AT_MS, 2, key_id="key_1", model="b"), 30)
    await settle(process, call_at(AT_MS + DAY_MS, 3, key_id="key_2", model="a", end_user="ada"), 25, held=20)

    async def sums(by: str) -> list[tuple[str, int, int, int]]:
        found = await log.usage(by=by, since_ms=0, until_ms=AT_MS + 2 * DAY_MS)
        return [(row["name"], row["calls"], row["cost"], row["overage"]) for row in found]

    assert await sums("key") == [("key_1", 2, 40, 0), ("key_2", 1, 25, 5)]
    assert await sums("model") == [("a", 2, 35, 5), ("b", 1, 30, 0)]
    assert await sums("user") == [("ada", 2, 35, 5), ("", 1, 30, 0)]
    assert await sums("day") == [("2026-11-21", 2, 40, 0), ("2026-11-22", 1, 25, 5)]


async def test_sums_have_every_bucket_of_tokens_as_whole_numbers(process: Process) -> None:
    row = await settle(process, call_at(AT_MS), 10)
    assert await process.store.call_log.find(row.id) == row
    [sums] = await process.store.call_log.usage(by="key", since_ms=AT_MS, until_ms=AT_MS + 1)
    assert sums == {
        "name": "key_1", "calls": 1, "input_tokens": 1, "output_tokens": 10, "cached_read_tokens": 0,
        "cached_write_tokens": 0, "reasoning_tokens": 0, "cost": 10, "overage": 0,
    }  # fmt: skip
    assert {type(value) for name, value in sums.items() if name != "name"} == {int}


async def test_sums_are_of_whole_hours_that_touch_what_is_asked_for(process: Process) -> None:
    for number in range(4):
        await settle(process, call_at(AT_MS + number * HOUR_MS), 10**number)
    log = process.store.call_log
    [sums] = await log.usage(by="key", since_ms=AT_MS + HOUR_MS, until_ms=AT_MS + 2 * HOUR_MS + 1)
    assert (sums["calls"], sums["cost"]) == (2, 110)
    assert await log.usage(by="key", since_ms=AT_MS + DAY_MS, until_ms=AT_MS + 2 * DAY_MS) == []


async def test_what_was_spent_is_by_period_with_the_overage(process: Process) -> None:
    await settle(process, call_at(AT_MS), 700, held=500)
    await process.store.ledger.hold(ask("call_9", 30, ("key:key_1", "life", 10**6)))
    at_s = AT_MS / 1000
    assert await process.store.call_log.spend("key:key_1", at_s) == Spend(
        daily=Money(700), monthly=Money(700), lifetime=Money(700), held=Money(30), overage=Money(200)
    )
    tomorrow = await process.store.call_log.spend("key:key_1", at_s + 86_400)
    assert (tomorrow.daily, tomorrow.monthly, tomorrow.lifetime) == (0, 700, 700)
    assert await process.store.call_log.spend("key:key_9", at_s) == Spend()


async def test_what_the_cache_saved_is_of_its_answers_alone(process: Process) -> None:
    log = process.store.call_log
    log.write(call_at(AT_MS, 1, decisions=RECALLED, saved=Money(5)))
    log.write(call_at(AT_MS, 2, decisions=RECALLED, saved=Money(7)))
    log.write(call_at(AT_MS, 3, decisions=RECALLED, saved=Money(9), outcome="refused"))
    log.write(call_at(AT_MS, 4, decisions=b'[{"step":"hold"}]'))
    log.write(call_at(AT_MS - DAY_MS, 5, decisions=RECALLED, saved=Money(100)))
    assert await log.saved(since_ms=AT_MS) == (2, Money(12))
    assert await log.saved(since_ms=AT_MS + DAY_MS) == (0, Money(0))


async def test_active_users_come_by_id_and_page_by_page(process: Process) -> None:
    for number, name in enumerate(("ä", "a", "Z", "a b", None)):
        await settle(process, call_at(AT_MS, number, end_user=name), 10)
    await settle(process, call_at(AT_MS + HOUR_MS, 7, end_user="a"), 10)
    await settle(process, call_at(AT_MS - DAY_MS, 8, end_user="long ago"), 10)
    log = process.store.call_log
    first = await log.active_users(since_ms=AT_MS, after="", limit=2)
    assert first == [
        {"id": "Z", "calls": 1, "tokens": 11, "cost": 10, "last_hour": AT_MS // 1000},
        {"id": "a", "calls": 2, "tokens": 22, "cost": 20, "last_hour": AT_MS // 1000 + 3600},
    ]
    rest = await log.active_users(since_ms=AT_MS, after="a", limit=9)
    assert [row["id"] for row in rest] == ["a b", "ä"]


async def test_the_oldest_rows_are_trimmed_in_batches_and_sums_stay(process: Process) -> None:
    rows = [await settle(process, call_at(AT_MS + number), 10) for number in range(5)]
    log = process.store.call_log
    assert [await log.trim(AT_MS + 3, at_most=2) for _ in range(3)] == [2, 1, 0]
    assert await log.newest(key_id=None, before=None, limit=9) == [rows[4], rows[3]]
    [sums] = await log.usage(by="key", since_ms=0, until_ms=AT_MS + DAY_MS)
    assert sums["calls"] == 5


async def test_alerts_see_accounts_with_anything_on_them(process: Process) -> None:
    await settle(process, call_at(AT_MS), 700, held=500)
    await process.store.ledger.hold(ask("call_9", 30, ("user:ada", "life", 10**6), ("global", "life", 10**6)))
    watch = process.store.watch
    assert await watch.used("life") == [("global", 700, 30), ("key:key_1", 700, 0)]
    assert await watch.used("2026-10") == []


async def test_alerts_see_spending_by_day_of_the_gateway_and_of_keys(process: Process) -> None:
    for scope, period in (
        ("global", "2026-11-20"), ("global", "2026-11-21"), ("key:a", "2026-11-21"), ("user:ada", "2026-11-21"),
        ("global", "2026-11"), ("global", "2026-11-22"), ("global", "tokens:2026-11-21"),
    ):  # fmt: skip
        name = f"call_{scope}_{period}"
        await process.store.ledger.hold(ask(name, 10, (scope, period, 100)))
        await process.store.ledger.settle(settlement(name, 7, held=10))
    assert await process.store.watch.days("2026-11-20", "2026-11-21") == {
        "global": {"2026-11-20": 7, "2026-11-21": 7}, "key:a": {"2026-11-21": 7},
    }  # fmt: skip


async def test_alerts_see_the_newest_calls(process: Process) -> None:
    process.store.call_log.write(call_at(AT_MS - 1))
    process.store.call_log.write(call_at(AT_MS, 1, provider="mock", took_ms=1.5, end_user="ada"))
    process.store.call_log.write(call_at(AT_MS, 2, outcome="failed", code="upstream_error", first_ms=2.5))
    await process.store.ledger.check()
    assert await process.store.watch.calls(AT_MS) == [
        Seen("", "failed", "upstream_error", 0.0, 2.5, 0, "key_1", None),
        Seen("mock", "ok", None, 1.5, None, 0, "key_1", "ada"),
    ]


async def test_alerts_see_the_dearest_ten_of_some_hours(process: Process) -> None:
    for number in range(12):
        await settle(process, call_at(AT_MS, number, model=f"m{number:02}", end_user="ada"), number + 1)
    await settle(process, call_at(AT_MS + HOUR_MS, 99, model="later"), 1_000)
    watch, hour = process.store.watch, AT_MS // HOUR_MS
    assert await watch.sums("all", hour, hour + 1) == [("", 12, 12 + 78, 78)]
    assert await watch.sums("user", hour, hour + 1) == [("ada", 12, 12 + 78, 78)]
    models = await watch.sums("model", hour, hour + 1)
    assert [name for name, *_ in models] == [f"m{number:02}" for number in range(11, 1, -1)]
    assert models[0] == ("m11", 1, 13, 12)
    assert await watch.sums("all", hour + 5, hour + 6) == []


async def test_alerts_see_what_was_refused_and_what_the_cache_saved(process: Process) -> None:
    log, watch = process.store.call_log, process.store.watch
    for number, code in enumerate(("rate_limited", "budget_exhausted", "rate_limited")):
        log.write(call_at(AT_MS, number, outcome="refused", code=code))
    log.write(call_at(AT_MS, 8, saved=Money(5)))
    log.write(call_at(AT_MS + DAY_MS, 9, outcome="refused", code="later", saved=Money(100)))
    await process.store.ledger.check()
    span = (AT_MS, AT_MS + HOUR_MS)
    assert await watch.refused(*span) == [("rate_limited", 2), ("budget_exhausted", 1)]
    assert (await watch.saved(*span), await watch.saved(0, 1)) == (5, 0)
