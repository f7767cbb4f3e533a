"""Postgres is slow, hangs, breaks off in the middle of a commit, restarts or is gone, and comes back.

Meanwhile calls are refused with 503; nothing that was owed is forgotten, and nobody has to restart a gateway.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from seawall.core.money import parse_usd
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.books import assert_books_hold
from tests.fixtures.fault_proxy import Fault, FaultProxy
from tests.fixtures.gateways import ADMIN_KEY, RunningApp, marked, running
from tests.fixtures.mock_calls import LONGER, o200k, until
from tests.fixtures.servers import PostgresServer
from tests.pipeline.test_budget_under_load import BUDGET, CALLS, KINDS, make_call

BACK_S = LONGER * 3
"""How long a gateway may take to notice that its database is back."""


@dataclass(frozen=True)
class Place:
    """A gateway that reaches its database through a proxy."""

    app: RunningApp
    proxy: FaultProxy

    async def is_ready(self) -> bool:
        """Ask whether calls should come here."""
        return (await self.app.http.get("/readyz")).status_code == 200

    async def comes_back(self) -> None:
        """Heal the proxy and wait until the gateway is ready by itself."""
        self.proxy.heal()
        async with asyncio.timeout(BACK_S):
            while not await self.is_ready():
                await asyncio.sleep(0.05)


@pytest.fixture
async def place(tmp_path: Path, postgres: PostgresServer, database_url: str) -> AsyncIterator[Place]:
    with FaultProxy(postgres.port) as proxy:
        through = database_url.replace(f":{postgres.port}/", f":{proxy.port}/")
        async with running(tmp_path, database_url=through, timeouts__call_s=60) as app:
            assert (await app.chat(marked("first", "s5"))).status_code == 200
            await app.settled()
            yield Place(app, proxy)


async def take_away(proxy: FaultProxy, how: str) -> None:
    if how == "hangs":
        proxy.swallow()
    else:
        proxy.refuse()
        proxy.cut()


@pytest.mark.parametrize("how", ["is gone", "hangs"])
async def test_a_database_that_is_away_costs_refusals_only(place: Place, how: str) -> None:
    app = place.app
    under_way = asyncio.ensure_future(app.chat(marked("under-way", "s40-g10", stream=True)))
    await until(lambda: len(app.mock.requests) == 2)
    await take_away(place.proxy, how)
    refused = await asyncio.gather(*(app.chat(marked(f"refused{number}", "s5")) for number in range(5)))
    assert {(each.status_code, each.json()["error"]["code"]) for each in refused} == {(503, "overloaded")}
    assert {each.headers["retry-after"] for each in refused} == {"1"}
    ready = await app.http.get("/readyz")
    told = await app.http.get("/readyz", headers={"authorization": f"Bearer {ADMIN_KEY}"})
    assert (ready.status_code, ready.json()) == (503, {"ready": False})
    assert "password" not in told.text
    assert len(told.json()["reasons"]) >= 1
    assert (await app.http.get("/healthz")).status_code == 200
    assert (await under_way).text.endswith("data: [DONE]\n\n")
    assert len(app.mock.requests) == 2
    await place.comes_back()
    await assert_books_hold(app, "5.00")
    assert (await app.row("under-way")).cost == (await app.seen("under-way")).cost


WRITE = b"INSERT INTO holds"
"""A part of the statement that writes a batch, whatever is in it."""
LOST = {
    "the hold never arrives": Fault("reset", "up", armed_by=WRITE),
    "nobody hears that the hold is there": Fault("reset", "down", armed_by=WRITE),
    "nobody hears of the hold for long": Fault("hole", "down", armed_by=WRITE),
    "the settlement never arrives": Fault("reset", "up", armed_by=WRITE),
    "nobody hears that the settlement is there": Fault("reset", "down", armed_by=WRITE),
}


@pytest.mark.parametrize("name", LOST)
async def test_a_commit_that_breaks_off_counts_once_or_not_at_all(place: Place, name: str) -> None:
    app, proxy, is_hold = place.app, place.proxy, "hold" in name
    if is_hold:
        proxy.fault = LOST[name]
    calling = asyncio.ensure_future(app.chat(marked("broken", "s5-d300")))
    if not is_hold:
        await until(lambda: len(app.mock.requests) == 2)
        proxy.fault = LOST[name]
    answer = await calling
    assert answer.status_code == (503 if is_hold else 200), answer.text
    assert len(app.mock.requests) == (1 if is_hold else 2)
    await until(lambda: proxy.struck is LOST[name])
    await place.comes_back()
    await assert_books_hold(app, "5.00")
    rows = [row for row in await app.rows() if row.end_user == "broken"]
    bill = sum(seen.cost for seen in app.mock.requests if seen.body["user"] == "broken")
    assert sum(row.cost for row in rows) == bill


async def test_a_slow_database_slows_calls_down_and_that_is_all(place: Place) -> None:
    place.proxy.delay_s = 0.05
    bodies = [marked(f"n{number}", "s20", stream=number % 2 == 0) for number in range(20)]
    answers = await asyncio.gather(*map(place.app.chat, bodies))
    assert {answer.status_code for answer in answers} == {200}
    place.proxy.heal()
    assert (await place.app.spend()).lifetime == place.app.mock.bill
    await assert_books_hold(place.app, "5.00")


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    server = PostgresServer({})
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.mark.timeout(240)
async def test_a_restart_of_the_database_under_load_loses_nothing(
    tmp_path: Path, own_server: PostgresServer
) -> None:
    dice = random.Random(21)
    kinds = [kind for kind in KINDS if kind != "worth five budgets"]
    async with running(tmp_path, database_url=own_server.create(), budget__daily_usd="500.00") as app:
        numbers = iter(range(10**6))
        is_over = asyncio.Event()
        statuses: Counter[int] = Counter()

        async def caller() -> None:
            while not is_over.is_set():
                status, _ = await make_call(app, f"call{next(numbers):04d}", dice.choice(kinds))
                statuses[status] += 1

        load = [asyncio.create_task(caller()) for _ in range(20)]
        for answered in (30, 60):
            await until(lambda n=answered: statuses[200] >= n and app.mock.open_calls > 0)
            await asyncio.to_thread(own_server.stop)
            await asyncio.to_thread(own_server.start)
            async with asyncio.timeout(BACK_S):
                while (await app.chat(marked("between", "s5"))).status_code != 200:
                    await asyncio.sleep(0.05)
        is_over.set()
        await asyncio.gather(*load)
        assert statuses.keys() <= {0, 200, 502, 503}
        await until(lambda: app.mock.open_calls == 0)
        await assert_exact(app)
        await assert_books_hold(app, "500.00")


async def assert_exact(*apps: RunningApp) -> None:
    """Check every call of gateways on one ledger and provider, where usage was told to the nano-dollar."""
    for app in apps:
        await app.settled()
    rows = {row.end_user: row for row in await apps[0].rows() if row.end_user != "between"}
    bills = {seen.body["user"]: seen.cost for seen in apps[0].mock.requests}
    bills.pop("between", None)
    exact = {user for user, row in rows.items() if row.usage and row.usage.exact and user in bills}
    assert {user: rows[user].cost for user in exact} == {user: bills[user] for user in exact}
    assert [user for user, bill in bills.items() if user not in rows or rows[user].cost < bill] == []
    assert len(exact) >= 10


@pytest.mark.timeout(240)
async def test_two_gateways_on_one_database_spend_one_budget(tmp_path: Path, database_url: str) -> None:
    dice = random.Random(11)
    others = [kind for kind in KINDS if kind != "worth five budgets"]
    kinds = ["worth five budgets", *(dice.choice(others) for _ in range(CALLS - 1))]
    dice.shuffle(kinds)
    markers = [f"call{number:04d}" for number in range(CALLS)]
    shared = {"database_url": database_url, "budget__daily_usd": "0.90", "server__grace_s": 5}
    async with (
        MockProvider(count=o200k()) as mock,
        running(tmp_path / "one", mock=mock, **shared) as one,
        running(tmp_path / "two", mock=mock, **shared) as two,
    ):
        pair = [one, replace(two, key=one.key)]
        ends = await asyncio.gather(*(make_call(pair[i % 2], markers[i], kinds[i]) for i in range(CALLS)))
        await until(lambda: mock.open_calls == 0)
        await assert_exact(*pair)
        spend = await one.spend()
        assert mock.bill <= spend.lifetime <= BUDGET
        assert spend == await two.spend()
        assert (spend.held, spend.overage) == (0, 0)
        assert {status for status, _ in ends} <= {0, 200, 402, 429, 502}


@pytest.mark.timeout(240)
async def test_calls_that_fit_can_use_the_budget_of_two_gateways(tmp_path: Path, database_url: str) -> None:
    shared = {"database_url": database_url, "budget__daily_usd": "0.90"}
    async with (
        MockProvider(count=o200k()) as mock,
        running(tmp_path / "one", mock=mock, **shared) as one,
        running(tmp_path / "two", mock=mock, **shared) as two,
    ):
        pair = [one, replace(two, key=one.key)]

        async def caller(first: int) -> None:
            for number in range(first, CALLS, 40):
                status, _ = await make_call(pair[first % 2], f"call{number:04d}", "plain")
                if status == 402:
                    return

        await asyncio.gather(*map(caller, range(40)))
        await two.settled()
        spend = await one.spend()
        assert spend.lifetime == mock.bill
        assert parse_usd("0.90") * 80 // 100 <= mock.bill <= BUDGET
