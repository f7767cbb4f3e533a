"""Hundreds of calls at once, worth several budgets, many of them broken: the provider's bill never passes one."""

import asyncio
import json
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from seawall.core.money import Money, parse_usd
from tests.fixtures.gateways import RunningApp, Start, marked
from tests.fixtures.mock_calls import LONGER, until
from tests.fixtures.pairs import CLIENTS, PAIRS, Hall, body_of, hall_in
from tests.fixtures.raw_http import Peer, peer_of

CALLS = 500
PATIENCE_S = LONGER * 8
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
        status, headers = await head_of(peer)
        if status == 200:
            async with asyncio.timeout(PATIENCE_S):
                await drain(peer, headers)
            return status, {}
        return status, json.loads(await peer.reader.readexactly(int(headers["content-length"])))["error"]


async def head_of(peer: Peer) -> tuple[int, dict[str, str]]:
    """Read the head of an answer, which may be the last of hundreds."""
    async with asyncio.timeout(PATIENCE_S):
        head = await peer.reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    pairs = (line.partition(": ") for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}


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


MIXED_CALLS = 300
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}

MIXED: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("full", {}),
    "stream": ("full", {"stream": True}),
    "without usage": ("full-nousage", {"stream": True}),
    "reset": ("full-reset9", {"stream": True}),
    "reset, billed in full": ("full-reset9-greedy", {"stream": True}),
    "cut off": ("full-eof20", {"stream": True}),
    "ends early": ("full-end7", {"stream": True}),
    "fails inside": ("full-error5", {"stream": True}),
    "nonsense": ("full-badjson", {"stream": True}),
    "leaves": ("full-g1-notice20", {"stream": True}),
    "leaves before the answer": ("full-d30", {}),
    "thinks": ("think250-full", {"stream": True}),
    "thinks and leaves": ("think250-full-g1", {"stream": True}),
    "writes to a cache": ("full-write100000", {"stream": True}),
    "writes to a cache and dies": ("full-write100000-reset5", {"stream": True}),
    "fails": ("e500", {}),
    "never answered": ("full-badhttp", {}),
}
"""What calls of every pair of dialects do; only Anthropic's models write to a cache."""

HOURLY: dict[str, tuple[str, dict[str, Any]]] = {
    "writes for an hour": ("full-hour100000", HOUR),
    "writes for an hour and dies": ("full-hour100000-reset5", {**HOUR, "stream": True}),
}
"""What calls do besides, whose client and vendor both speak messages."""


async def make_mixed_call(hall: Hall, pair: tuple[str, str], marker: str, kind: str) -> tuple[int, Any]:
    """Make a call of a pair of dialects; returns its status, 0 where the client left, and its error."""
    mocked, fields = (MIXED | HOURLY)[kind]
    hall.behave(marker, mocked)
    async with peer_of(hall.app.port) as peer:
        body = body_of(*pair, marker, cap=300, **fields)
        peer.ask(body, hall.app.key, path=CLIENTS[pair[0]], headers=f"seawall-user: {marker}\r\n")
        if "leaves" in kind:
            with suppress(TimeoutError):
                async with asyncio.timeout(random.Random(marker).uniform(0.0, 0.4)):
                    await peer.head()
            return 0, {}
        status, headers = await head_of(peer)
        if status == 200:
            async with asyncio.timeout(PATIENCE_S):
                await drain(peer, headers)
            return status, {}
        return status, json.loads(await peer.reader.readexactly(int(headers["content-length"])))["error"]


def mixed_kinds(pair: tuple[str, str], dice: random.Random) -> str:
    """Choose what a call of a pair does."""
    kinds = [kind for kind in MIXED if pair[1] == "fake-claude" or "cache" not in kind]
    if pair == ("messages", "fake-claude"):
        kinds += HOURLY
    return dice.choice(kinds)


@pytest.mark.timeout(240)
async def test_the_bill_of_300_calls_in_all_dialects_stays_within_the_budget(tmp_path: Path) -> None:
    dice = random.Random(12)
    pairs = [PAIRS[number % len(PAIRS)] for number in range(MIXED_CALLS)]
    dice.shuffle(pairs)
    markers = [f"m-{number:04d}" for number in range(MIXED_CALLS)]
    kinds = [mixed_kinds(pair, dice) for pair in pairs]
    async with hall_in(tmp_path, budget__daily_usd="0.90", server__grace_s=5) as hall:
        calls = map(make_mixed_call, [hall] * MIXED_CALLS, pairs, markers, kinds)
        ends = await asyncio.gather(*calls)
        mock = hall.app.mock
        await until(lambda: mock.open_calls == 0)
        spend = await hall.app.spend()
        logged = await hall.app.rows()
        rows = {row.end_user: row for row in logged}
        stayed = {marker for marker, kind in zip(markers, kinds, strict=True) if "leaves" not in kind}

        assert mock.bill <= BUDGET
        assert spend.held == 0
        assert mock.bill <= spend.lifetime <= BUDGET
        assert spend.overage == 0
        assert stayed <= rows.keys() <= {*markers, None}  # Who leaves at once may not have said who it is.
        assert len([row for row in logged if row.end_user]) == len(rows.keys() - {None})
        bills = {marker: hall.sent(marker) for marker in markers}
        assert [marker for marker, seen in bills.items() if len(seen) > 1] == []
        assert [marker for marker, seen in bills.items() if seen and rows[marker].cost < seen[0].cost] == []
        exact = [
            marker for marker in markers if bills[marker] and (usage := rows[marker].usage) and usage.exact
        ]
        assert [marker for marker in exact if rows[marker].cost != bills[marker][0].cost] == []
        assert len(exact) >= 10
        assert {pair for pair, marker in zip(pairs, markers, strict=True) if bills[marker]} == set(PAIRS)
        assert {status for status, _ in ends} <= {0, 200, 402, 429, 502}
        assert all({"message", "type", "code"} <= set(error) for _, error in ends if error)
        assert mock.overlaps == 0


@pytest.mark.timeout(240)
async def test_calls_in_all_dialects_that_fit_can_use_at_least_80_percent(tmp_path: Path) -> None:
    async with hall_in(tmp_path, budget__daily_usd="0.90") as hall:

        async def caller(first: int) -> None:
            for number in range(first, MIXED_CALLS, 30):
                pair = PAIRS[number % len(PAIRS)]
                status, _ = await make_mixed_call(hall, pair, f"m-{number:04d}", "stream")
                if status == 402:
                    return

        await asyncio.gather(*map(caller, range(30)))
        spend = await hall.app.spend()
        assert spend.lifetime == hall.app.mock.bill
        assert (spend.held, spend.overage) == (0, 0)
        assert Money(BUDGET * 80 // 100) <= hall.app.mock.bill <= BUDGET
