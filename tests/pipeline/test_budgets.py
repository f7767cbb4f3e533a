"""Every budget is a hard cap: for the gateway and for a key, in a day, in a month and for good."""

import asyncio
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import pytest

from tests.fixtures.gateways import DAY_S, RunningApp, Start, marked
from tests.fixtures.mock_calls import until
from tests.fixtures.raw_http import peer_of
from tests.pipeline.conftest import StartBehind, held

CENT = 10_000_000
CALL = {"max_tokens": 300}
"""A call that fills its cap costs about a cent: 9.18 millicents of input and output."""


async def fill(app: RunningApp, key: str, marker: str = "fill") -> dict[str, Any]:
    """Make calls that fill their cap until one is refused; returns its error and status."""
    for number in range(40):
        answer = await app.chat(marked(f"{marker}-{number}", "full", **CALL), key=key)
        await app.settled()
        if answer.status_code != 200:
            assert answer.headers["content-type"] == "application/json"
            error: dict[str, Any] = answer.json()["error"]
            return error | {"status": answer.status_code, "headers": answer.headers}
    raise AssertionError("no budget stopped 40 calls")


@pytest.mark.parametrize(
    ("period", "again_after_days"),
    [("daily", 1), ("monthly", 10), ("lifetime", None)],
)
async def test_a_budget_of_the_gateway(start: Start, period: str, again_after_days: int | None) -> None:
    budgets = {"budget__daily_usd": "off", f"budget__{period}_usd": "0.05"}
    app = await start(**budgets)
    error = await fill(app, app.key)
    assert (error["status"], error["code"], error["type"]) == (402, "budget_exhausted", "budget_error")
    assert error["headers"]["x-should-retry"] == "false"
    assert f"the {period} budget of this gateway" in error["message"]
    assert "$" not in error["message"]
    assert 4 * CENT < (await app.spend()).lifetime == app.mock.bill <= 5 * CENT
    app.clock.turn((again_after_days or 400) * DAY_S)
    again = await app.chat(marked("again", "full", **CALL))
    assert again.status_code == (200 if again_after_days else 402)


@pytest.mark.parametrize(("period", "again_after_days"), [("daily", 1), ("monthly", 10), ("lifetime", None)])
async def test_a_budget_of_a_key(start: Start, period: str, again_after_days: int | None) -> None:
    app = await start()
    key_id, key = await app.new_key(budget={f"{period}_usd": "0.05"})
    error = await fill(app, key)
    spent = (await app.spend(f"key:{key_id}")).lifetime
    assert (error["status"], error["code"]) == (402, "budget_exhausted")
    assert f"the {period} budget of this key" in error["message"]
    assert f"${Decimal(spent) / 10**9:f} of $0.05" in error["message"]
    assert 4 * CENT < spent == app.mock.bill <= 5 * CENT
    assert (await app.chat(marked("other", "full", **CALL))).status_code == 200
    app.clock.turn((again_after_days or 400) * DAY_S)
    again = await app.chat(marked("again", "full", **CALL), key=key)
    assert again.status_code == (200 if again_after_days else 402)


async def test_the_refusal_says_when_the_budget_opens_again(start: Start) -> None:
    app = await start(budget__daily_usd="0.02", budget__monthly_usd="100")
    message = (await fill(app, app.key))["message"]
    assert message.endswith(
        "It opens again at 2026-11-22 00:00 UTC, or when the operator of this gateway raises it."
    )


async def test_a_call_belongs_to_the_day_on_which_it_came(start: Start) -> None:
    app = await start()
    app.clock.turn(DAY_S / 2 - 60)
    call = asyncio.ensure_future(app.chat(marked("late", "s50-d50")))
    await until(lambda: bool(app.mock.requests))
    app.clock.turn(120)
    assert (await call).status_code == 200
    spend = await app.spend()
    assert (spend.daily, spend.lifetime) == (0, app.mock.bill)


async def test_a_raised_budget_counts_at_once(start: Start) -> None:
    app = await start()
    key_id, key = await app.new_key(budget={"lifetime_usd": "0.02"})
    await fill(app, key)
    await app.admin("PATCH", f"/keys/{key_id}", {"budget": {"lifetime_usd": "0.04"}})
    assert (await app.chat(marked("again", "full", **CALL), key=key)).status_code == 200


async def test_a_lowered_budget_counts_at_once(start: Start) -> None:
    app = await start()
    key_id, key = await app.new_key(budget={"lifetime_usd": "1"})
    assert (await app.chat(marked("one", "full", **CALL), key=key)).status_code == 200
    await app.admin("PATCH", f"/keys/{key_id}", {"budget": {"lifetime_usd": "0.001"}})
    refused = await app.chat(marked("two", "full", **CALL), key=key)
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "budget_exhausted")


async def test_a_budget_of_nothing_admits_nothing(start: Start) -> None:
    app = await start()
    _, key = await app.new_key(budget={"daily_usd": "0"})
    refused = await app.chat(marked("one", max_tokens=1), key=key)
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "budget_exhausted")
    assert app.mock.requests == []


async def test_calls_wait_in_order_for_money_that_is_only_held(start_behind: StartBehind) -> None:
    """One call fits at a time; the others get their turn in the order in which they came."""
    app, line = await start_behind(budget__daily_usd="0.20", spending__hold_wait_s=60)
    line.fault = held(b'"call-0"')
    big = {"max_tokens": 4_096, "messages": [{"role": "user", "content": "x"}]}
    async with AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(peer_of(app.port)) for _ in range(6)]
        for number, peer in enumerate(peers):
            peer.ask(marked(f"call-{number}", "s2", **big), app.key)
            if number == 0:
                await until(lambda: bool(app.mock.requests))
            await until(lambda: len(app.seawall.gateway.lines) == number)  # noqa: B023 - awaited here
        line.fault = None
        assert [(await peer.answer()).status for peer in peers] == [200] * 6
    assert [seen.body["user"] for seen in app.mock.requests] == [f"call-{number}" for number in range(6)]
    assert {seen.body["max_tokens"] for seen in app.mock.requests} == {4_096}


async def test_money_that_stays_held_ends_in_budget_busy(start: Start) -> None:
    app = await start(budget__daily_usd="0.02", spending__hold_wait_s=0.2)
    async with peer_of(app.port) as running:
        running.ask(marked("first", "hole", max_tokens=560), app.key)
        await until(lambda: bool(app.mock.requests))
        busy = await app.chat(marked("second", max_tokens=400))
    error = busy.json()["error"]
    assert (busy.status_code, error["code"], error["type"]) == (429, "budget_busy", "rate_limit_error")
    assert busy.headers["retry-after"] == "1"
    assert "x-should-retry" not in busy.headers
    assert "$" not in error["message"]
    assert [seen.body["user"] for seen in app.mock.requests] == ["first"]


async def test_a_busy_budget_of_a_key_shows_its_sums(start: Start) -> None:
    app = await start(spending__hold_wait_s=0)
    _, key = await app.new_key(budget={"daily_usd": "0.02"})
    async with peer_of(app.port) as running:
        running.ask(marked("first", "hole", max_tokens=560), key)
        await until(lambda: bool(app.mock.requests))
        held = (await app.spend_now("global")).held
        busy = await app.chat(marked("second", max_tokens=400), key=key)
    assert busy.status_code == 429
    message = busy.json()["error"]["message"]
    assert "the daily budget of this key" in message
    assert "$0.00 of $0.02" in message
    assert f"${Decimal(held) / 10**9:f}" in message


async def test_a_waiting_call_takes_what_is_there_when_its_patience_ends(start: Start) -> None:
    app = await start(budget__daily_usd="0.03", spending__hold_wait_s=0.2)
    async with peer_of(app.port) as running:
        running.ask(marked("first", "hole", max_tokens=500), app.key)
        await until(lambda: bool(app.mock.requests))
        lowered = await app.chat(marked("second", "s5", max_tokens=900))
    assert lowered.status_code == 200
    [seen] = [seen for seen in app.mock.requests if seen.body["user"] == "second"]
    assert 16 <= seen.body["max_tokens"] < 900
    assert lowered.headers["seawall-output-cap"] == f"{seen.body['max_tokens']}; asked=900"


async def test_one_careless_call_does_not_lock_the_others_out(start: Start) -> None:
    app = await start(budget__daily_usd="0.40", spending__hold_wait_s=0)
    async with peer_of(app.port) as careless:
        careless.ask(marked("careless", "hole"), app.key)
        await until(lambda: bool(app.mock.requests))
        answers = [await app.chat(marked(f"call-{number}", "s5", max_tokens=900)) for number in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3


async def test_two_gateways_on_one_file_share_a_budget(start: Start) -> None:
    first = await start(budget__daily_usd="0.10")
    second = await start(budget__daily_usd="0.10", mock=first.mock)
    apps = (first, second)
    answers = await asyncio.gather(
        *(apps[number % 2].chat(marked(f"c{number}", "full", **CALL), key=first.key) for number in range(40))
    )
    assert {answer.status_code for answer in answers} <= {200, 402, 429}
    await second.settled()
    assert 7 * CENT < (await first.spend()).lifetime == first.mock.bill <= 10 * CENT
