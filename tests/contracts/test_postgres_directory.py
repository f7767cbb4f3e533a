"""What only keys and users on Postgres can meet: others who work on the same rows at the same moment."""

import asyncio

import psycopg

from seawall.stores.postgres.store import PostgresStore
from tests.fixtures.ledgers import AT_MS, LIFE, ask, row_of, settlement
from tests.fixtures.mock_calls import until

HOUR_MS = 3_600_000
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
SUMS = "SELECT end_user, sum(cost)::bigint, count(*) FROM usage_hourly GROUP BY end_user"


async def spend(store: PostgresStore, name: str, hours: int) -> None:
    """Let a user spend ten nano-dollars in each of some hours."""
    for hour in range(hours):
        row = row_of(f"call_{name}_{hour}", end_user=name)
        done = settlement(
            row.id, 10, earlier=type(row)(id=row.id, at_ms=AT_MS + hour * HOUR_MS, end_user=name)
        )
        await store.ledger.hold(ask(row.id, 10, (*LIFE, 1_000)))
        await store.ledger.settle(done)


async def test_a_user_is_erased_whole_while_their_sums_are_added_up(database_url: str) -> None:
    store = PostgresStore(database_url)
    await spend(store, "ada", 3)
    with (
        psycopg.connect(database_url, autocommit=True) as onlooker,
        psycopg.connect(database_url) as holder,
    ):

        def waiting() -> int:
            [(count,)] = onlooker.execute(WAITING).fetchall()
            return int(count)

        holder.execute("SELECT 1 FROM usage_hourly ORDER BY hour DESC LIMIT 1 FOR UPDATE")
        folding = asyncio.create_task(store.retention.fold_hours(AT_MS // HOUR_MS + 24, at_most=100))
        await until(lambda: waiting() == 1)
        erasing = asyncio.create_task(store.directory.erase_user("ada", "gone"))
        await until(lambda: waiting() == 2)
        holder.rollback()
        assert await folding == 3
        await erasing
        assert onlooker.execute(SUMS).fetchall() == [("gone", 30, 1)]
    assert await asyncio.to_thread(store.close)
