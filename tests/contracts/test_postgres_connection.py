"""How Postgres is reached: its schema is made once, whatever is wrong is said at once, and nothing hangs."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import resources

import psycopg
import pytest

from seawall.core.errors import Overloaded
from seawall.stores.postgres.connection import Line, Pool, migrate
from tests.fixtures.mock_calls import LONGER
from tests.fixtures.servers import PostgresServer, free_port

SECRET = "hunter2-and-more"


async def one(connection: Line) -> int:
    cursor = await connection.execute("SELECT 1")
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def backend(connection: Line) -> int:
    return connection.info.backend_pid


async def connect(pool: Pool) -> None:
    """Let a pool that is quick to give up have a connection, however long that takes."""
    async with asyncio.timeout(LONGER):
        while True:
            with suppress(Overloaded):
                await pool.run(one)
                return


@contextmanager
def standing_still(process: int) -> Iterator[None]:
    """Let a process of the server stand still: it is there, and answers nothing."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    opened = Pool(database_url)
    yield opened
    opened.close()


def numbers_of(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT number FROM schema_version ORDER BY number").fetchall()
    return [number for (number,) in rows]


def test_every_migration_runs_once_however_many_processes_start(database_url: str) -> None:
    with ThreadPoolExecutor(8) as processes:
        list(processes.map(migrate, [database_url] * 8))
    migrate(database_url)
    numbers = numbers_of(database_url)
    assert numbers == list(range(1, len(numbers) + 1))
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT length(value) FROM salt").fetchall() == [(32,)]


def test_an_upgrade_says_that_a_dump_is_the_way_back(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = resources.files("seawall.stores.postgres") / "schema" / "0001_ledger.sql"
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "CREATE TABLE schema_version (number INTEGER PRIMARY KEY, at TIMESTAMPTZ DEFAULT now())"
        )
        connection.execute("INSERT INTO schema_version (number) VALUES (1)")
        connection.execute(first.read_bytes())
    for _ in range(2):
        migrate(database_url)
    told = [record.getMessage() for record in caplog.records]
    assert told == ["the schema is brought up to date; the way back is a pg_dump from before"]


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database_url: str) -> None:
    migrate(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO schema_version (number) VALUES (999)")
    with pytest.raises(OSError, match=r"newer Seawall.*999"):
        migrate(database_url)


def test_a_migration_that_fails_leaves_nothing_behind(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE usage_hourly (mine INTEGER)")
    with pytest.raises(OSError, match="usage_hourly"):
        migrate(database_url)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT to_regclass('accounts')").fetchall() == [(None,)]
    assert numbers_of(database_url) == []


def test_a_database_that_cannot_hold_every_text_is_refused(postgres: PostgresServer) -> None:
    postgres.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(OSError, match="ENCODING 'UTF8'"):
            migrate(postgres.url("latin"))
    finally:
        postgres.drop(postgres.url("latin"))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:{secret}@127.0.0.1:{port}/app",
        "postgresql://me:{secret}@127.0.0.1:{port}/app?sslmode=no-such-mode",
        "postgresql://me:x%zz{secret}@127.0.0.1/app",
        "postgresql://me:x@{secret}@127.0.0.1:{port}/app",
        "postgresql://me:x/{secret}@127.0.0.1/app",
        "postgresql://me@127.0.0.1:{port}/app?password={secret}&no-such-setting=1",
        "postgresql://me:{secret}@no-such-host.invalid/app",
    ],
)
async def test_no_error_shows_a_password(address: str) -> None:
    url = address.format(secret=SECRET, port=free_port())
    with pytest.raises(OSError, match="Postgres") as refused:
        migrate(url)
    assert SECRET not in str(refused.value)
    with pytest.raises((OSError, Overloaded)) as down:
        await Pool(url).run(one)
    assert SECRET not in f"{down.value} {getattr(down.value, 'private', '')}"


async def test_a_server_that_is_not_there_is_down_and_not_the_end(own_server: PostgresServer) -> None:
    pool = Pool(own_server.url("postgres"))
    assert await pool.run(one) == 1
    own_server.stop(signal.SIGQUIT)
    with pytest.raises(Overloaded) as refused:
        await pool.run(one)
    assert (refused.value.wire_status, refused.value.retry_after_s) == (503, 1.0)
    own_server.start()
    assert await pool.run(one) == 1
    pool.close()


async def test_a_connection_that_was_cut_while_nobody_used_it_is_replaced(
    own_server: PostgresServer,
) -> None:
    pool = Pool(own_server.url("postgres"))
    first = await pool.run(backend)
    own_server.stop()
    own_server.start()
    assert await pool.run(backend) != first
    pool.close()


async def test_a_connection_is_used_again(pool: Pool) -> None:
    assert await pool.run(backend) == await pool.run(backend)


async def test_what_was_sent_is_not_sent_again(pool: Pool, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE SEQUENCE sent")

    async def work(connection: Line) -> None:
        await connection.execute("SELECT nextval('sent'), pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(Overloaded):
        await pool.run(work)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT nextval('sent')").fetchall() == [(2,)]
    assert await pool.run(one) == 1


async def test_a_server_that_falls_silent_is_hung_up_on(database_url: str) -> None:
    pool = Pool(database_url)
    with standing_still(await pool.run(backend)), pytest.raises(Overloaded):
        await pool.run(one, timeout_s=0.5)
    assert await pool.run(one) == 1
    pool.close()


async def test_a_server_that_never_answers_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Overloaded):
            await Pool(f"postgresql://me@127.0.0.1:{port}/app", timeout_s=0.2).run(one)


async def test_work_that_fails_changes_nothing_and_leaves_the_connection_as_it_was(pool: Pool) -> None:
    async def work(connection: Line) -> None:
        async with connection.transaction():
            await connection.execute("CREATE TABLE made (number INTEGER)")
            raise KeyError("mine")

    before = await pool.run(backend)
    with pytest.raises(KeyError, match="mine"):
        await pool.run(work)

    async def ask(connection: Line) -> object:
        cursor = await connection.execute("SELECT to_regclass('made')")
        return await cursor.fetchone()

    assert await pool.run(ask) == (None,)
    assert await pool.run(backend) == before


async def test_who_leaves_while_a_statement_runs_leaves_no_statement_running(
    pool: Pool, database_url: str
) -> None:
    begun = asyncio.Event()

    async def work(connection: Line) -> None:
        begun.set()
        await connection.execute("SELECT pg_sleep(4)")

    leaving = asyncio.create_task(pool.run(work))
    await begun.wait()
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert leaving.cancelled()
    with psycopg.connect(database_url) as connection:
        statement = (
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(%s)' AND state = 'active'"
        )
        assert connection.execute(statement, (4,)).fetchall() == [(0,)]
    assert await pool.run(one) == 1


async def test_more_work_than_connections_waits_its_turn(database_url: str) -> None:
    pool = Pool(database_url, size=2)
    assert await asyncio.gather(*(pool.run(one) for _ in range(20))) == [1] * 20
    assert len(set(await asyncio.gather(*(pool.run(backend) for _ in range(20))))) <= 2
    pool.close()


async def test_work_that_waits_too_long_for_a_connection_is_told(database_url: str) -> None:
    pool = Pool(database_url, size=1, timeout_s=0.2)
    await connect(pool)
    done = asyncio.Event()

    async def work(connection: Line) -> None:
        await done.wait()

    busy = asyncio.create_task(pool.run(work, timeout_s=60.0))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await pool.run(one)
    done.set()
    await busy
    pool.close()


async def test_after_closing_nothing_is_opened_any_more(pool: Pool) -> None:
    await pool.run(one)
    pool.close()
    with pytest.raises(Overloaded):
        await pool.run(one)
