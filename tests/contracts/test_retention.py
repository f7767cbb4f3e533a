"""What every home promises while it makes itself smaller: no total changes, and nothing that is held goes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from seawall.core.call import first_id_at
from seawall.core.feedback import Feedback
from seawall.core.ledger import Account, Held
from seawall.core.money import Money
from seawall.core.traffic import Hour
from seawall.stores.postgres.store import PostgresStore
from seawall.stores.retention import is_over
from seawall.stores.sqlite.store import SqliteStore
from seawall.trimming import HOURS_KEPT_DAYS, Keep, Trimming
from tests.fixtures.ledgers import AT_MS, ask, row_of, settlement

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
NOW = AT_MS / 1000
KEEP = Keep(calls_days=7, sums_days=400)
Store = SqliteStore | PostgresStore


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "sqlite":
        opened: Store = SqliteStore(tmp_path)
    else:
        opened = PostgresStore(request.getfixturevalue("database_url"))
    yield opened
    opened.close()


async def spend(store: Store, name: str, days_ago: float, cost: int = 10, **fields: Any) -> None:
    """Settle a call of so many days ago."""
    answer = await store.ledger.hold(ask(name, cost))
    assert isinstance(answer, Held)
    row = row_of(name, at_ms=AT_MS - int(days_ago * DAY_MS), **fields)
    await store.ledger.settle(replace(settlement(name, cost), row=row))


async def trim(store: Store) -> None:
    """Take steps until there is nothing left to do."""
    trimming = Trimming(store, KEEP, lambda: NOW)
    while await trimming.step():
        pass


async def sums(store: Store, by: str) -> list[tuple[str, int, int, int]]:
    """Return the sums of all time: name, calls, output and cost, by name."""
    rows = await store.call_log.usage(by=by, since_ms=0, until_ms=AT_MS + DAY_MS)
    return sorted((row["name"], row["calls"], row["output_tokens"], row["cost"]) for row in rows)


async def hours_with_sums(store: Store, days_ago: int) -> list[int]:
    """Return the hours of a UTC day for which there are sums of their own."""
    midnight = (AT_MS // DAY_MS - days_ago) * DAY_MS
    found = []
    for hour in range(24):
        since = midnight + hour * HOUR_MS
        if await store.call_log.usage(by="key", since_ms=since, until_ms=since + HOUR_MS):
            found.append(hour)
    return found


async def spend_in_each_hour(store: Store, days_ago: int) -> None:
    """Settle a call in each of the last hours of a UTC day, by two users and on three models."""
    into_day = AT_MS % DAY_MS / DAY_MS
    for hour in range(18, 24):
        back = days_ago + into_day - hour / 24
        await spend(
            store, f"call_{days_ago}_{hour}", back, end_user=f"user-{hour % 2}", model=f"model-{hour % 3}"
        )


OLD, NEW = HOURS_KEPT_DAYS + 1, HOURS_KEPT_DAYS - 1


async def test_old_sums_are_added_up_by_day_and_no_total_changes(store: Store) -> None:
    for day in (NEW, OLD, OLD + 1, OLD + 30):
        await spend_in_each_hour(store, day)
    before = {by: await sums(store, by) for by in ("key", "model", "user", "day")}
    assert await hours_with_sums(store, OLD) == [18, 19, 20, 21, 22, 23]
    await trim(store)
    assert {by: await sums(store, by) for by in ("key", "model", "user", "day")} == before
    assert [await hours_with_sums(store, day) for day in (OLD, OLD + 1, OLD + 30)] == [[0], [0], [0]]
    assert await hours_with_sums(store, NEW) == [18, 19, 20, 21, 22, 23]
    active = await store.call_log.active_users(since_ms=0, after="", limit=10)
    assert [(row["id"], row["calls"], row["cost"]) for row in active] == [
        ("user-0", 12, 120),
        ("user-1", 12, 120),
    ]


async def test_much_older_sums_forget_their_users_and_nothing_else(store: Store) -> None:
    await spend_in_each_hour(store, KEEP.sums_days + 3)
    await spend_in_each_hour(store, KEEP.sums_days - 3)
    before = {by: await sums(store, by) for by in ("key", "model", "day")}
    await trim(store)
    assert {by: await sums(store, by) for by in ("key", "model", "day")} == before
    assert await sums(store, "user") == [("", 6, 60, 60), ("user-0", 3, 30, 30), ("user-1", 3, 30, 30)]


async def test_what_is_added_up_later_goes_to_the_same_row(store: Store) -> None:
    """A settlement may come late, and another process may have begun: totals stay right."""
    await spend_in_each_hour(store, OLD)
    await trim(store)
    await spend_in_each_hour(store, OLD + 2)
    await spend(store, "call_late", OLD, end_user="user-0", model="model-0")
    before = await sums(store, "model")
    await trim(store)
    await trim(store)  # A new one looks from the beginning.
    assert await sums(store, "model") == before
    assert await hours_with_sums(store, OLD) == [0]


async def test_accounts_go_once_they_are_over_and_nothing_is_held(store: Store) -> None:
    old, kept = "2025-01-02", "2026-11-20"
    keys = [
        ("user:ada", old, None),
        ("user:ada", old[:7], None),
        ("user:ada", f"tokens:{old}", 5_000),
        ("user:ada", "life", None),
        ("user:ada", kept, None),
        ("user:ada", f"requests:{kept[:7]}", 5_000),
    ]
    await store.ledger.hold(ask("call_1", 10, *keys))
    await store.ledger.settle(settlement("call_1", 10))
    await store.ledger.hold(ask("call_2", 7, ("user:bob", old, None)))
    await trim(store)
    standings = await store.ledger.standings(
        [Account(scope, period, Money(9_000)) for scope, period, _ in keys]
    )
    assert [standing.spent for standing in standings] == [0, 0, 0, 10, 10, 1]
    [held] = await store.ledger.standings([Account("user:bob", old, Money(9_000))])
    assert held.held == 7
    await store.ledger.settle(settlement("call_2", 7))


async def test_looking_at_accounts_goes_on_from_page_to_page(store: Store) -> None:
    names = [f"user:{number}" for number in range(7)]
    for name in names:
        await store.ledger.hold(ask(f"call_{name}", 5, (name, "2024-05-05", None)))
        await store.ledger.settle(settlement(f"call_{name}", 5))
    dropped = [await store.retention.trim_accounts("2026-01-01", at_most=3) for _ in range(4)]
    assert dropped == [3, 3, 1, 0]
    left = await store.ledger.standings([Account(name, "2024-05-05", Money(9)) for name in names])
    assert {standing.spent for standing in left} == {0}


async def test_calls_go_after_their_days_and_their_sums_stay(store: Store) -> None:
    await spend(store, f"{first_id_at(AT_MS - 8 * DAY_MS)}1", 8)
    await spend(store, f"{first_id_at(AT_MS - 6 * DAY_MS)}1", 6)
    await trim(store)
    rows = await store.call_log.newest(key_id=None, before=None, limit=10)
    assert [row.id for row in rows] == [f"{first_id_at(AT_MS - 6 * DAY_MS)}1"]
    assert await sums(store, "key") == [("key_1", 2, 20, 20)]


async def test_sums_of_traffic_and_what_people_said_go_with_the_sums_of_users(store: Store) -> None:
    days = [KEEP.sums_days + 1, KEEP.sums_days - 1]
    hours = [Hour(AT_MS // HOUR_MS - day * 24) for day in days]
    await store.traffic.put(hours, hours[1].hour + 1)
    for day in days:
        said = Feedback(f"call_{day}", NOW - day * 86_400, "key_1", "ada", "m", "up")
        await store.feedback.put(said)
    await trim(store)
    assert await store.traffic.hours(0, 2**40) == hours[1:]
    left = await store.feedback.newest(rating=None, before=None, limit=9)
    assert [said.call_id for said in left] == [f"call_{days[1]}"]


@pytest.mark.parametrize(
    ("period", "over"),
    [
        ("2026-11-20", True), ("2026-11-21", False), ("2026-10", True), ("2026-11", False), ("life", False),
        ("tokens:2026-11-20", True), ("tokens:2026-11-21", False), ("requests:2026-10", True), ("", False),
    ],
)  # fmt: skip
def test_a_period_is_over_where_it_ended_before_the_day(period: str, over: bool) -> None:
    assert is_over(period, "2026-11-21") is over
