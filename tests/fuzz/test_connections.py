"""Clients that are slow, flood, hang up at any moment, or speak something else."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.fixtures.fuzzing import (
    LAST,
    PATIENT_S,
    Target,
    chunked,
    known_peer_of,
    read_answers,
    request,
    target_in,
)
from tests.fixtures.gateways import marked
from tests.fixtures.mock_calls import until
from tests.fixtures.raw_http import PATH, Peer, peer_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE = 200


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    """Run one for all tests of this module; it must be unharmed in the end."""
    async with target_in(tmp_path_factory.mktemp("connections"), PATIENT_S) as made:
        yield made
        await made.assert_unharmed()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hasty(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    """Run one that soon has waited long enough, for what has to end by a time-out."""
    async with target_in(tmp_path_factory.mktemp("hasty")) as made:
        yield made
        await made.assert_unharmed()


def call(target: Target, marker: str, mocked: str = "s5", **fields: Any) -> bytes:
    body = json.dumps(marked(marker, mocked, max_tokens=20, **fields)).encode()
    return request(body, key=target.key)


def drips(data: bytes, pause_s: float = 0.02) -> list[bytes | float]:
    """Send a byte at a time."""
    return [part for byte in data for part in (bytes([byte]), pause_s)]


@pytest.mark.parametrize("part", ["head", "body", "chunks", "chunk size", "trailers"])
async def test_a_byte_at_a_time_is_cut_off_in_time(hasty: Target, part: str) -> None:
    whole = call(hasty, "slow")
    start = f"POST {PATH} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {hasty.key}\r\n".encode()
    in_chunks = start + b"transfer-encoding: chunked\r\n\r\n"
    pieces = {
        "head": drips(whole),
        "body": [whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", *drips(whole.partition(b"\r\n\r\n")[2])],
        "chunks": [in_chunks, *drips(b"1\r\n{\r\n" * 100)],
        "chunk size": [in_chunks, *drips(b"0" * 600)],
        "trailers": [in_chunks + b"1\r\n{\r\n0\r\n", *drips(b"x: y\r\n" * 100)],
    }[part]
    heard = await hasty.throw(*pieces)
    assert (heard.statuses, heard.is_closed) == ([408], True)


async def test_two_hundred_slow_heads_at_once_keep_nobody_else_waiting(hasty: Target) -> None:
    slow = [hasty.throw(b"POST /v1/chat/completions HTTP/1.1\r\nx: ") for _ in range(AT_ONCE)]
    async with known_peer_of(hasty.port) as peer:
        throwing = asyncio.gather(*slow)
        peer.ask(marked("between", "s5", max_tokens=20), hasty.key)
        assert (await peer.answer()).status == 200
    assert {heard.statuses[0] for heard in await throwing} == {408}


async def test_a_client_that_never_reads_its_answer_costs_a_bounded_time(target: Target) -> None:
    """The stream is longer than every buffer on the way; the client hangs up in the end."""
    body = json.dumps(marked("deaf", "s4000", max_tokens=4_096, stream=True)).encode()
    async with peer_of(target.port) as peer:
        peer.writer.transport.pause_reading()
        peer.send(request(body, key=target.key))
        await until(lambda: any(seen.body.get("user") == "deaf" for seen in target.mock.requests))
    await until(lambda: target.mock.open_calls == 0)


FLOODS = {
    "of headers": b"".join(b"x%d: 1\r\n" % number for number in range(20_000)),
    "of the same header": b"cookie: a\r\n" * 20_000,
    "in one header": b"x: " + b"y" * 2_000_000 + b"\r\n",
    "in one name": b"x" * 2_000_000 + b": y\r\n",
    "of empty headers": b"x:\r\n" * 20_000,
    "of nothing": b"\r\n" * 500_000,
}


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_is_stopped(target: Target, hasty: Target, name: str) -> None:
    if name == "of nothing":
        heard = await hasty.throw(FLOODS[name])
        assert heard.is_closed
        return
    heard = await target.throw(b"GET /healthz HTTP/1.1\r\nhost: gateway\r\n" + FLOODS[name] + b"\r\n")
    assert (heard.statuses, heard.is_closed) == ([431], True)


async def test_a_hundred_calls_in_a_row_on_one_connection_are_answered_in_order(target: Target) -> None:
    markers = [target.marker() for _ in range(100)]
    async with peer_of(target.port) as peer:
        peer.send(
            b"".join(call(target, marker, stream=number % 3 == 0) for number, marker in enumerate(markers))
        )
        for marker in markers:
            answer = await peer.answer()
            assert answer.status == 200
            others = [other for other in markers if other != marker and other.encode() in answer.body]
            assert others == []


BEHIND = {
    "nonsense": b"\x00\x01\r\n\r\n",
    "a bad chunk": b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
}


@pytest.mark.parametrize("name", BEHIND)
@pytest.mark.parametrize("rests", [False, True])
async def test_what_is_refused_behind_a_call_leaves_its_answer_whole(
    target: Target, name: str, rests: bool
) -> None:
    """The refusal must not be written into the middle of the answer before it, nor cut that off."""
    marker = target.marker()
    first = call(target, marker, "s20-g40", stream=True)
    pieces = (first, 0.2, BEHIND[name]) if rests else (first + BEHIND[name],)
    heard = await target.throw(*pieces, own=marker)
    assert heard.is_closed
    assert heard.statuses[0] == 200
    assert heard.bodies[0].endswith(b"data: [DONE]\n\n")
    assert [seen.is_complete for seen in target.mock.requests if seen.body.get("user") == marker] == [True]


HALVES = {
    "a head": b"POST /v1/chat/completions HTTP/1.1\r\nx",
    "a large head": b"GET / HTTP/1.1\r\nx: " + b"y" * 10_000,
    "a body": b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{",
}


@pytest.mark.parametrize("name", HALVES)
@pytest.mark.parametrize("rests", [False, True])
async def test_half_a_request_behind_a_call_is_waited_for_in_vain_and_leaves_its_answer_whole(
    hasty: Target, name: str, rests: bool
) -> None:
    marker = hasty.marker()
    first = call(hasty, marker, "s20-g40", stream=True)
    async with known_peer_of(hasty.port) as peer:
        peer.send(first if rests else first + HALVES[name])
        if rests:
            await asyncio.sleep(0.2)
            peer.send(HALVES[name])
        heard = read_answers(await peer.rest())  # Until the gateway closes.
    assert heard.statuses[0] == 200
    assert heard.bodies[0].endswith(b"data: [DONE]\n\n")
    assert [seen.is_complete for seen in hasty.mock.requests if seen.body.get("user") == marker] == [True]


@pytest.mark.parametrize("path", [PATH, "/v1/nowhere", "/v1/models", "/admin/v1/keys", "/healthz"])
async def test_what_is_answered_after_a_refusal_goes_nowhere(target: Target, path: str) -> None:
    """The application may be about to answer when its request turns out to be broken."""
    start = f"POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {target.key}\r\n"
    heard = await target.throw(start.encode() + b"transfer-encoding: chunked\r\n\r\n5\r\n{    xyz\r\n")
    assert (heard.statuses, heard.is_closed) == ([400], True)
    await target.assert_unharmed()


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_may_hang_up_at_any_byte(hasty: Target, stream: bool) -> None:
    data = call(hasty, "gone", "s20-g1", stream=stream)

    async def leave_after(size: int, *, ends: bool) -> None:
        peer = await Peer.connect(hasty.port)
        peer.send(data[:size])
        if ends:
            peer.writer.write_eof()
            await peer.rest()
        peer.leave()

    sizes = range(0, len(data) + 1, 5)
    await asyncio.gather(*(leave_after(size, ends=size % 2 == 0) for size in sizes))
    await until(lambda: hasty.mock.open_calls == 0)


async def test_a_client_that_closes_its_half_leaves_no_call_behind(target: Target) -> None:
    async with peer_of(target.port) as peer:
        peer.send(call(target, "half", "hole"))
        await until(lambda: any(seen.body.get("user") == "half" for seen in target.mock.requests))
        peer.writer.write_eof()
        assert await peer.rest() == b""
    await until(lambda: target.mock.open_calls == 0)


OTHERS = {
    "a TLS hello": bytes.fromhex("16030100c5010000c10303") + bytes(range(190)),
    "a TLS alert": bytes.fromhex("15030100020228"),
    "an SSL 2 hello": bytes.fromhex("802e0100020015000000100100800200800300800400800500800600400700c0"),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80",
    "SSH": b"SSH-2.0-OpenSSH_9.9\r\n",
    "Redis": b"*1\r\n$4\r\nPING\r\n",
    "Postgres": bytes.fromhex("0000000804d2162f"),
    "PROXY": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
    "PROXY 2": b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12),
    "zeros": bytes(100_000),
    "high bytes": b"\xff" * 100_000,
}


@pytest.mark.parametrize("name", OTHERS)
async def test_another_protocol_is_refused_and_closed(hasty: Target, name: str) -> None:
    heard = await hasty.throw(OTHERS[name])
    assert heard.is_closed
    assert heard.statuses in ([400], [408])


@pytest.mark.parametrize("expected", ["100-continue", "100-Continue, 100-continue", "200-ok", ""])
async def test_what_a_client_expects_does_not_confuse_its_answers(target: Target, expected: str) -> None:
    marker = target.marker()
    body = json.dumps(marked(marker, "s5", max_tokens=20)).encode()
    data = request(body, f"expect: {expected}", key=target.key) + LAST
    heard = await target.throw(data, own=marker)
    assert [status for status in heard.statuses if status != 100] == [200, 200]


async def test_a_body_that_nobody_wants_is_not_gathered(target: Target) -> None:
    """Two hundred clients send far more than a body may have, to addresses that take none."""
    large = chunked(*[b"x" * 60_000] * 10)
    start = b"POST /nowhere HTTP/1.1\r\nhost: gateway\r\ntransfer-encoding: chunked\r\n\r\n"
    heard = await asyncio.gather(*(target.throw(start + large + LAST) for _ in range(AT_ONCE)))
    assert {each.statuses[0] for each in heard} == {404}
