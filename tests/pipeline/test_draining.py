"""What an operator can choose about clients that leave: read on for the exact bill, or trust the provider to stop."""

import asyncio

import pytest

from seawall.proving.mock_answers import Terms
from tests.fixtures.gateways import RunningApp, Start, marked
from tests.fixtures.mock_calls import until
from tests.fixtures.raw_http import peer_of


async def leave_in_mid_stream(app: RunningApp, mocked: str, *, events: int = 10, stream: bool = True) -> None:
    async with peer_of(app.port) as peer:
        peer.ask(marked("one", mocked, stream=stream, max_tokens=200), app.key)
        await until(lambda: bool(app.mock.requests))
        if stream:
            await until(lambda: app.mock.requests[0].events >= events)


@pytest.mark.parametrize(
    ("mocked", "stream"), [("s190-g1", True), ("s190-g1-n3", True), ("s60-d1000", False)]
)
async def test_draining_reads_to_the_end_for_the_exact_bill(start: Start, mocked: str, stream: bool) -> None:
    app = await start(spending__on_disconnect="drain")
    await leave_in_mid_stream(app, mocked, stream=stream)
    seen, row = await app.seen(), await app.row()
    assert seen.is_complete and seen.peer_left_at is None
    assert (row.outcome, row.status, row.cost, row.overage) == ("left", 499, seen.cost, 0)
    assert row.usage is not None and row.usage.exact


async def test_draining_ends_at_the_deadline_of_the_call(start: Start) -> None:
    app = await start(spending__on_disconnect="drain", timeouts__call_s=2)
    await leave_in_mid_stream(app, "stall10")
    row, seen = await app.row(), await app.seen()
    assert seen.peer_left_at is not None
    assert row.cost >= Terms().cost_of(seen.input_tokens, 200)
    assert (await app.spend()).held == 0


async def test_draining_ends_where_the_provider_ignores_its_cap(start: Start) -> None:
    app = await start(spending__on_disconnect="drain")
    await leave_in_mid_stream(app, "over-g1")
    row, seen = await app.row(), await app.seen()
    assert seen.peer_left_at is not None
    assert row.cost >= seen.cost


async def test_draining_a_stream_that_breaks_costs_the_hold(start: Start) -> None:
    app = await start(spending__on_disconnect="drain")
    await leave_in_mid_stream(app, "reset40-g1")
    row, seen = await app.row(), await app.seen()
    assert row.held >= row.cost >= Terms().cost_of(seen.input_tokens, 200)
    assert row.outcome in {"left", "failed"}


async def test_draining_does_not_send_what_has_not_been_sent(start: Start) -> None:
    """A client that leaves while it waits for money gets none."""
    app = await start(spending__on_disconnect="drain", budget__daily_usd="0.01", spending__hold_wait_s=60)
    async with peer_of(app.port) as first, peer_of(app.port) as second:
        first.ask(marked("first", "hole", max_tokens=250), app.key)
        await until(lambda: bool(app.mock.requests))
        second.ask(marked("second", max_tokens=250), app.key)
        await until(lambda: len(app.seawall.gateway.lines) == 1)
        second.leave()
        await until(lambda: len(app.seawall.asgi.calls.running) == 1)
    assert [seen.body["user"] for seen in app.mock.requests] == ["first"]


async def test_a_provider_that_stops_with_its_client_bills_what_was_generated(start: Start) -> None:
    app = await start(providers__mock__stops_on_disconnect=True)
    await leave_in_mid_stream(app, "full-g1", events=30)
    row, seen = await app.row(), await app.seen()
    assert seen.cost <= row.cost < row.held
    assert row.usage is not None and not row.usage.exact


async def test_such_a_provider_still_bills_a_whole_answer_in_full(start: Start) -> None:
    app = await start(providers__mock__stops_on_disconnect=True)
    await leave_in_mid_stream(app, "full-d60000", stream=False)
    row, seen = await app.row(), await app.seen()
    assert row.held >= row.cost >= seen.cost == Terms().cost_of(seen.input_tokens, 200)


async def test_leaving_while_waiting_for_money_holds_and_sends_nothing(start: Start) -> None:
    app = await start(budget__daily_usd="0.01", spending__hold_wait_s=60)
    async with peer_of(app.port) as first, peer_of(app.port) as second:
        first.ask(marked("first", "hole", max_tokens=250), app.key)
        await until(lambda: bool(app.mock.requests))
        held = (await app.spend_now()).held
        second.ask(marked("second", max_tokens=250), app.key)
        await until(lambda: len(app.seawall.gateway.lines) == 1)
        second.leave()
        await until(lambda: len(app.seawall.asgi.calls.running) == 1)
        assert (await app.spend_now()).held == held
    left = await app.row("second")
    assert (left.outcome, left.status, left.held, left.cost) == ("left", 499, 0, 0)
    assert [seen.body["user"] for seen in app.mock.requests] == ["first"]


async def test_a_call_has_a_deadline_of_its_own(start: Start) -> None:
    app = await start(timeouts__call_s=2)
    answers = await asyncio.gather(
        app.chat(marked("whole", "hole")), app.chat(marked("stream", "full-g2", stream=True, max_tokens=4000))
    )
    assert (answers[0].status_code, answers[0].json()["error"]["code"]) == (504, "upstream_timeout")
    assert answers[1].status_code == 200
    assert '"code":"upstream_timeout"' in answers[1].text.splitlines()[-2]
    assert "[DONE]" not in answers[1].text
    rows = await app.rows()
    await until(lambda: app.mock.open_calls == 0)
    assert sum(row.cost for row in rows) >= app.mock.bill
