"""Five hundred calls at once, worth ten times the budget, many of them broken: the provider's bill never passes it."""

import asyncio
import json
import random
from contextlib import suppress
from typing import Any

import pytest

from seawall.core.money import Money, parse_usd
from tests.fixtures.gateways import RunningApp, Start, marked
from tests.fixtures.mock_calls import LONGER, until
from tests.fixtures.raw_http import peer_of

CALLS = 500
BUDGET = parse_usd("0.90")
FITS: tuple[str, dict[str, Any]] = ("full", {"max_tokens": 600})  # 1.8 cents of output: 500 are ten budgets

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": FITS,
    "stream": ("full", {"max_tokens": 600, "stream": True}),
    "reset": ("full-reset9", {"max_tokens": 600, "stream": True}),
    "reset, billed in full": ("full-reset9-greedy", {"max_tokens": 600, "stream": True}),
    "without usage": ("full-nousage", {"max_tokens": 600, "stream": True}),
    "cut off": ("full-eof20", {"max_tokens": 600, "stream": True}),
    "leaves": ("full-g1-notice20", {"max_tokens": 600, "stream": True}),
    "leaves before the answer": ("full-d30", {"max_tokens": 600}),
    "eight choices": ("full", {"max_tokens": 75, "n": 8}),
    "undeclared": ("full", {}),
    "worth five budgets": ("s40", {"max_tokens": 4_096, "n": 37}),
    "fails": ("e500", {"max_tokens": 600}),
}


async def make_call(app: RunningApp, marker: str, kind: str) -> tuple[int, dict[str, Any]]:
    """Make one call of a kind; returns its status, 0 where the client left, and its error."""
    mocked, fields = KINDS[kind]
    async with peer_of(app.port) as peer:
        peer.ask(marked(marker, mocked, **fields), app.key)
        if kind.startswith("leaves"):
            with suppress(TimeoutError):
                async with asyncio.timeout(random.Random(marker).uniform(0.0, 0.5)):
                    await peer.head()
            return 0, {}
        status, headers = await peer.head()
        if status == 200:
            async with asyncio.timeout(LONGER * 6):
                await drain(peer, headers)
            return status, {}
        return status, json.loads(await peer.reader.readexactly(int(headers["content-length"])))["error"]


async def drain(peer: Any, headers: dict[str, str]) -> None:
    if "content-length" in headers:
        await peer.reader.readexactly(int(headers["content-length"]))
        return
    async for _ in peer.chunks():
        pass


@pytest.mark.timeout(240)
async def test_the_bill_of_500_calls_worth_ten_budgets_stays_within_the_budget(start: Start) -> None:
    app = await start(budget__daily_usd="0.90", server__grace_s=5)
    dice = random.Random(11)
    others = [kind for kind in KINDS if kind != "worth five budgets"]
    kinds = ["worth five budgets", *(dice.choice(others) for _ in range(CALLS - 1))]
    dice.shuffle(kinds)
    markers = [f"call{number:04d}" for number in range(CALLS)]
    ends = await asyncio.gather(*map(make_call, [app] * CALLS, markers, kinds))
    await until(lambda: app.mock.open_calls == 0)
    spend = await app.spend()

    assert app.mock.bill <= BUDGET
    assert spend.held == 0
    assert spend.lifetime >= app.mock.bill
    bills = {seen.body["user"]: seen.cost for seen in app.mock.requests}
    rows = {row.end_user: row for row in await app.rows()}
    exact = {
        user for user, row in rows.items() if row.usage is not None and row.usage.exact and user in bills
    }
    assert {user: rows[user].cost for user in exact} == {user: bills[user] for user in exact}
    assert [user for user, bill in bills.items() if rows[user].cost < bill] == []
    assert len(exact) >= 10
    refusals = {(status, error["code"]) for status, error in ends if status in (402, 429)}
    assert refusals <= {(402, "budget_exhausted"), (429, "budget_busy")}
    assert {status for status, _ in ends} <= {0, 200, 402, 429, 502}
    assert all(set(error) >= {"message", "type", "param", "code"} for _, error in ends if error)


@pytest.mark.timeout(240)
async def test_calls_that_fit_can_use_at_least_80_percent_of_the_budget(start: Start) -> None:
    app = await start(budget__daily_usd="0.90")

    async def caller(first: int) -> None:
        for number in range(first, CALLS, 50):
            status, _ = await make_call(app, f"call{number:04d}", "plain")
            if status == 402:
                return

    await asyncio.gather(*map(caller, range(50)))
    spend = await app.spend()
    assert spend.lifetime == app.mock.bill
    assert Money(BUDGET * 80 // 100) <= app.mock.bill <= BUDGET
