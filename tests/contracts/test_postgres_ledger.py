"""What only a ledger on Postgres can meet: connections that break, servers that restart, gateways side by side."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from seawall.core.errors import Overloaded
from seawall.core.ledger import Busy, Held
from seawall.core.money import Money
from seawall.stores.accounting import OpenHold
from seawall.stores.postgres.connection import migrate
from seawall.stores.postgres.engine import PostgresEngine
from seawall.stores.postgres.ledger import PostgresLedger
from seawall.stores.postgres.process import MISSING_S, ProcessNames
from seawall.stores.writer import Writer
from tests.fixtures.ledgers import ask, settlement
from tests.fixtures.mock_calls import until
from tests.fixtures.servers import PostgresServer

ACCOUNTS = "SELECT spent, held FROM accounts WHERE scope = 'global' AND period = 'life'"
CUT = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)

ALIVE = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Clock:
    """Counts the seconds that a test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Gateway:
    """The ledger as one process has it open."""

    def __init__(self, url: str) -> None:
        self.clock = Clock()
        self.processes = ProcessNames(self.clock)
        self.open_holds: dict[str, OpenHold] = {}
        self.writer = Writer(PostgresEngine(url, self.processes, self.open_holds))
        self.ledger = PostgresLedger(self.writer, self.processes)
        self.writer.start()

    async def close(self) -> None:
        await asyncio.to_thread(self.writer.stop, 10)


@asynccontextmanager
async def gateways(url: str, count: int) -> AsyncIterator[list[Gateway]]:
    opened = [Gateway(url) for _ in range(count)]
    try:
        yield opened
    finally:
        for each in opened:
            await each.close()


@pytest.fixture
def url(database_url: str) -> str:
    migrate(database_url)
    return database_url


def ask_database(url: str, question: str) -> tuple[int, ...]:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return tuple(row)


def cut(url: str) -> None:
    """Cut the connections of all gateways, and wait until the server has let go of their locks."""
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(CUT.encode()).fetchall():
            pass


async def gone(url: str, left: int) -> None:
    """Wait until the server has noticed that all gateways but so many have hung up."""
    await until(lambda: ask_database(url, ALIVE) == (left,))


async def test_two_gateways_never_spend_more_than_one_budget(url: str) -> None:
    async with gateways(url, 2) as both:
        asks = [both[number % 2].ledger.hold(ask(f"call_{number}", 10)) for number in range(300)]
        answers = await asyncio.gather(*asks)
        assert sum(isinstance(answer, Held) for answer in answers) == 100
        assert sum(isinstance(answer, Busy) for answer in answers) == 200
        assert ask_database(url, ACCOUNTS) == (0, 1_000)


async def test_a_connection_that_breaks_is_opened_again(url: str) -> None:
    async with gateways(url, 1) as [one]:
        await one.ledger.hold(ask("call_1", 500))
        cut(url)
        settled = one.ledger.settle(settlement("call_1", 120))
        await settled
        assert await one.ledger.hold(ask("call_2", 880)) == Held(Money(880), 880)
        assert ask_database(url, ACCOUNTS) == (120, 880)


async def test_what_a_commit_without_an_answer_has_held_is_given_back(url: str) -> None:
    async with gateways(url, 1) as [one]:
        await one.ledger.hold(ask("call_1", 400))
        await one.ledger.hold(ask("call_2", 300))
        del one.open_holds[
            "call_2"
        ]  # As if nothing had been heard of its commit, and the caller been refused.
        cut(url)
        with pytest.raises(Overloaded):
            await one.ledger.check()
        assert await one.ledger.hold(ask("call_3", 600)) == Held(Money(600), 600)
        assert ask_database(url, ACCOUNTS) == (0, 1_000)
        assert set(one.open_holds) == {"call_1", "call_3"}


async def test_a_settlement_whose_commit_was_not_heard_of_counts_once(url: str) -> None:
    async with gateways(url, 1) as [one]:
        await one.ledger.hold(ask("call_1", 400))
        kept = dict(one.open_holds)
        await one.ledger.settle(settlement("call_1", 120))
        one.open_holds.update(kept)
        await one.ledger.settle(settlement("call_1", 120))
        assert ask_database(url, ACCOUNTS) == (120, 0)
        assert not one.open_holds


async def test_a_gateway_that_died_is_settled_in_full_by_the_next_that_starts(url: str) -> None:
    async with gateways(url, 1) as [dead]:
        await dead.ledger.hold(ask("call_1", 400))
    await gone(url, left=0)
    async with gateways(url, 1) as [fresh]:
        assert await fresh.ledger.reap() == 1
        assert ask_database(url, ACCOUNTS) == (400, 0)


async def test_a_gateway_that_lives_is_left_alone_and_a_dead_one_is_settled_soon(url: str) -> None:
    async with gateways(url, 2) as [one, other]:
        assert await other.ledger.reap() == 0
        await one.ledger.hold(ask("call_1", 400))
        other.clock.now += 2 * MISSING_S
        assert await other.ledger.reap() == 0
        await one.close()
        await gone(url, left=1)
        assert await other.ledger.reap() == 0  # It may come back at once, as after a broken connection.
        other.clock.now += MISSING_S
        assert await other.ledger.reap() == 1
        assert ask_database(url, ACCOUNTS) == (400, 0)


async def test_a_gateway_whose_connection_broke_is_not_taken_for_dead(url: str) -> None:
    async with gateways(url, 2) as [one, other]:
        assert await other.ledger.reap() == 0
        await one.ledger.hold(ask("call_1", 400))
        cut(url)
        with pytest.raises(Overloaded):
            await other.ledger.check()
        assert await other.ledger.reap() == 0
        await one.ledger.settle(settlement("call_1", 120))
        other.clock.now += 2 * MISSING_S
        assert await other.ledger.reap() == 0
        assert ask_database(url, ACCOUNTS) == (120, 0)


async def test_what_was_taken_for_dead_is_not_settled_twice(url: str) -> None:
    async with gateways(url, 2) as [one, other]:
        await one.ledger.hold(ask("call_1", 400))
        cut(url)
        assert await other.ledger.reap() == 1  # Its first look, as at a start.
        await one.ledger.settle(settlement("call_1", 120))
        assert ask_database(url, ACCOUNTS) == (400, 0)


async def test_a_restart_of_the_server_kills_no_gateway(own_server: PostgresServer) -> None:
    url = own_server.create()
    migrate(url)
    async with gateways(url, 1) as [one]:
        await one.ledger.hold(ask("call_1", 400))
        own_server.stop(signal.SIGQUIT)
        with pytest.raises(Overloaded) as refused:
            await one.ledger.hold(ask("call_2", 10))
        assert refused.value.wire_status == 503
        owed = one.ledger.settle(settlement("call_1", 120))
        own_server.start()
        async with gateways(url, 1) as [fresh]:
            assert await fresh.ledger.reap() == 0  # Everybody has lost their locks; nobody is dead for that.
        await owed
        assert ask_database(url, ACCOUNTS) == (120, 0)


async def test_a_server_that_is_silent_is_hung_up_on(own_server: PostgresServer) -> None:
    url = own_server.create()
    migrate(url)
    async with gateways(url, 1) as [one]:
        await one.ledger.hold(ask("call_1", 400))
        with own_server.frozen(), pytest.raises(Overloaded):
            await one.ledger.hold(ask("call_2", 10))
        await one.ledger.settle(settlement("call_1", 120))
        spent, held = ask_database(url, ACCOUNTS)
        assert (spent, held) == (120, 0)
