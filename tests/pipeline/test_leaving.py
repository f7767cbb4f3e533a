"""A client that leaves pays for its call once, and the provider's call is closed at once."""

import asyncio

import pytest

from seawall.core.call import Ending
from seawall.core.ledger import CallRow
from seawall.proving.mock_answers import Terms
from seawall.proving.mock_connection import Seen
from tests.fixtures.gateways import RunningApp, marked
from tests.fixtures.mock_calls import until
from tests.fixtures.raw_http import peer_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAP = 3_000


async def leave_after(app: RunningApp, marker: str, mocked: str, events: int, *, stream: bool = True) -> None:
    """Make a call, and leave once the mock has generated so many events."""
    async with peer_of(app.port) as peer:
        peer.ask(marked(marker, mocked, stream=stream, max_tokens=CAP), app.key)
        await until(lambda: any(seen.body.get("user") == marker for seen in app.mock.requests))
        [seen] = [seen for seen in app.mock.requests if seen.body.get("user") == marker]
        if events:
            await peer.until(b'"content":"[')
        await until(lambda: seen.events >= events)


def assert_left(row: CallRow, seen: Seen) -> None:
    """Check that the provider's call was closed before its end, which none of the silent ones ever reaches."""
    assert (row.outcome, row.status, row.code) == ("left", 499, "client_gone")
    assert seen.peer_left_at is not None
    assert not seen.is_complete
    assert Ending.CLIENT_LEFT.value in row.decisions.decode()
    assert seen.cost <= row.cost <= row.held
    assert row.overage == 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("mocked", ["hole", "d60000", "stall0"])
async def test_leaving_before_the_first_byte_costs_the_hold(
    app: RunningApp, marker: str, mocked: str, stream: bool
) -> None:
    await leave_after(app, marker, mocked, 0, stream=stream)
    row, seen = await app.row(marker), await app.seen(marker)
    assert_left(row, seen)
    assert row.cost >= Terms().cost_of(seen.input_tokens, CAP)


@pytest.mark.parametrize("mocked", ["full-g1", "full-g1-notice100", "stall40", "full-g1-w4"])
async def test_leaving_in_mid_stream_costs_the_hold(app: RunningApp, marker: str, mocked: str) -> None:
    await leave_after(app, marker, mocked, 30)
    row, seen = await app.row(marker), await app.seen(marker)
    assert_left(row, seen)
    assert row.cost >= Terms().cost_of(seen.input_tokens, CAP)


async def test_leaving_after_the_end_is_no_leaving(app: RunningApp, marker: str) -> None:
    async with peer_of(app.port) as peer:
        peer.ask(marked(marker, "s20", stream=True), app.key)
        assert (await peer.answer()).body.endswith(b"data: [DONE]\n\n")
    row, seen = await app.row(marker), await app.seen(marker)
    assert (row.outcome, row.status, row.cost) == ("ok", 200, seen.cost)


async def test_leaving_after_the_last_event_costs_what_was_billed(app: RunningApp, marker: str) -> None:
    async with peer_of(app.port) as peer:
        peer.ask(marked(marker, "s20", stream=True), app.key)
        await peer.until(b"[DONE]")
    row, seen = await app.row(marker), await app.seen(marker)
    assert row.cost == seen.cost


async def test_leaving_in_the_middle_of_a_request_reaches_no_provider(app: RunningApp, marker: str) -> None:
    before = len(app.mock.requests)
    async with peer_of(app.port) as peer:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {app.key}\r\n"
        peer.send(f"{head}content-length: 100\r\n\r\n{{".encode())
        await until(lambda: bool(app.seawall.asgi.calls.running))
    await app.settled()
    assert len(app.mock.requests) == before
    newest = (await app.rows())[-1]
    assert (newest.outcome, newest.status, newest.cost, newest.model) == ("left", 499, 0, "")


async def test_a_client_that_stops_reading_and_leaves_closes_the_call(app: RunningApp, marker: str) -> None:
    async with peer_of(app.port) as peer:
        peer.ask(marked(marker, "full-w8", stream=True, n=128, max_tokens=4_096), app.key)
        await peer.until(b'"content":"[')
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined] # a transport that reads as well
        [seen] = [seen for seen in app.mock.requests if seen.body.get("user") == marker]
        await stands_still(seen)
        assert not seen.is_over
    row, seen = await app.row(marker), await app.seen(marker)
    assert_left(row, seen)


async def stands_still(seen: Seen) -> None:
    """Wait until the buffers on the way are full, so that the mock has to stop."""
    events = -1
    while seen.events > events and not seen.is_over:
        events = seen.events
        for _ in range(100):
            await asyncio.sleep(0.001)


async def test_many_who_leave_at_once_are_all_settled(app: RunningApp, marker: str) -> None:
    before = (await app.spend()).lifetime
    names = [f"{marker}-{number}" for number in range(40)]
    await asyncio.gather(*(leave_after(app, name, "full-g1", 2) for name in names))
    spend = await app.spend()
    rows = [row for row in await app.rows() if row.end_user in names]
    assert sorted(row.end_user or "" for row in rows) == sorted(names)
    assert {row.outcome for row in rows} == {"left"}
    assert spend.held == 0
    assert spend.lifetime == before + sum(row.cost for row in rows)
