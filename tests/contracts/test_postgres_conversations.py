"""What only stored responses on Postgres can meet: one transaction each, beside others that write and delete."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from seawall.core.state import Owner, StoredItem, StoredResponse
from seawall.stores.packing import PART_BYTES
from seawall.stores.postgres.connection import Pool, migrate
from seawall.stores.postgres.conversations import PostgresConversations
from tests.fixtures.mock_calls import until

ME = Owner("key_1", "ada")
NOW, LATER = 1_000.0, 2_000.0
WAITING = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'parts'::regclass"
TABLES = ("owners", "responses", "parts", "items")


def response(name: str = "resp_1", owner: Owner = ME, size: int = 0) -> StoredResponse:
    return StoredResponse(
        id=name, owner=owner, created_at=NOW, expires_at=LATER, body=os.urandom(size),
        output=(StoredItem(f"out_of_{name}", b"{}"),),
    )  # fmt: skip


class Database:
    """The database, and two gateways that keep responses in it."""

    def __init__(self, url: str) -> None:
        migrate(url)
        self.url = url
        self.pools = [Pool(url), Pool(url)]
        self.one, self.other = map(PostgresConversations, self.pools)

    def holds(self) -> list[int]:
        """Count the rows of every table."""
        with psycopg.connect(self.url) as connection:
            counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchall() for table in TABLES]
        return [count for [(count,)] in counts]

    @contextmanager
    def nothing_is_written(self) -> Iterator[None]:
        """Let whoever writes parts of a response wait in the middle of it."""
        with psycopg.connect(self.url) as connection:
            connection.execute("LOCK TABLE parts IN SHARE MODE")
            yield

    async def somebody_waits(self) -> None:
        """Return once somebody waits to write parts."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            await until(lambda: connection.execute(WAITING).fetchall() == [(True,)])


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    for pool in opened.pools:
        pool.close()


async def test_a_response_whose_writer_leaves_is_not_there_at_all(database: Database) -> None:
    with database.nothing_is_written():
        putting = asyncio.create_task(database.one.put(response(size=2 * PART_BYTES)))
        await database.somebody_waits()
        putting.cancel()
        await asyncio.wait([putting])
    assert putting.cancelled()
    assert database.holds() == [0, 0, 0, 0]


async def test_what_is_forgotten_while_something_is_kept_leaves_what_is_kept_whole(
    database: Database,
) -> None:
    await database.one.put(response("resp_0"))
    with database.nothing_is_written():
        putting = asyncio.create_task(database.one.put(response("resp_1")))
        await database.somebody_waits()
        forgetting = asyncio.create_task(database.other.forget("key_1", None))
        await asyncio.sleep(0)
    await putting
    forgotten = await forgetting
    left = [await database.one.get(name, ME, NOW) for name in ("resp_0", "resp_1")]
    assert left[0] is None and len([one for one in left if one]) == 2 - forgotten


async def test_gateways_that_keep_and_forget_the_same_owner_never_fail(database: Database) -> None:
    async def keep(gateway: PostgresConversations, name: str) -> None:
        for number in range(10):
            await gateway.put(response(f"resp_{name}_{number}"))
            await gateway.delete(f"resp_{name}_{number}", ME, NOW)

    async def forget(gateway: PostgresConversations) -> None:
        for _ in range(10):
            await gateway.forget("key_1", None)
            await gateway.trim(LATER, at_most=5)

    gateways = (database.one, database.other)
    await asyncio.gather(*(keep(gateways[n % 2], str(n)) for n in range(4)), *map(forget, gateways))
    await database.one.forget(None, "ada")
    assert database.holds() == [0, 0, 0, 0]


async def test_a_batch_that_another_gateway_deletes_is_counted_once(database: Database) -> None:
    for number in range(120):
        await database.one.put(response(f"resp_{number}"))
    counts = await asyncio.gather(database.one.forget("key_1", None), database.other.forget(None, "ada"))
    assert sum(counts) == 120
    assert database.holds() == [0, 0, 0, 0]


async def test_a_long_name_that_an_index_takes_is_kept_as_it_is(database: Database) -> None:
    # Compresses badly, as an index would compress it.
    owner = Owner(os.urandom(650).hex(), os.urandom(650).hex())
    await database.one.put(response(owner=owner))
    assert await database.one.get("resp_1", owner, NOW) is not None
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT key_id, end_user FROM owners").fetchall() == [
            (owner.key_id, owner.end_user)
        ]


@pytest.mark.parametrize("name", ["sha256:", "ä" * 651, "a\x00", "a\x00b"])
async def test_a_name_that_is_kept_as_a_hash_is_nobody_elses(database: Database, name: str) -> None:
    await database.one.put(response(owner=Owner("key_1", name)))
    assert await database.one.get("resp_1", Owner("key_1", name), NOW) is not None
    with psycopg.connect(database.url) as connection:
        [(kept,)] = connection.execute("SELECT end_user FROM owners").fetchall()
    assert await database.one.get("resp_1", Owner("key_1", kept), NOW) is None
    assert await database.one.forget(None, name) == 1
