"""Where a request ends: what two readers could understand differently is refused, and nothing is smuggled.

More of what is no HTTP at all is in tests/pipeline/test_requests.py.
"""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.fixtures.fuzzing import LAST, PATIENT_S, Target, chunked, target_in
from tests.fixtures.gateways import marked
from tests.fixtures.raw_http import PATH

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    """Run one for all tests of this module; it must be unharmed in the end."""
    async with target_in(tmp_path_factory.mktemp("framing"), PATIENT_S) as made:
        yield made
        await made.assert_unharmed()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hasty(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    """Run one that waits for nothing."""
    async with target_in(tmp_path_factory.mktemp("hasty")) as made:
        yield made
        await made.assert_unharmed()


def call(marker: str) -> bytes:
    return json.dumps(marked(marker, "s5", max_tokens=9)).encode()


def head(
    target: Target, *lines: str, line_end: str = "\r\n", path: str = PATH, version: str = "HTTP/1.1"
) -> bytes:
    shown = [f"POST {path} {version}", "host: gateway", f"authorization: Bearer {target.key}", *lines]
    return (line_end.join(shown) + line_end * 2).encode("latin-1")


def smuggled(target: Target) -> bytes:
    body = call("smuggled")
    return head(target, f"content-length: {len(body)}") + body


async def assert_refused_and_closed(target: Target, data: bytes, status: int = 400) -> None:
    """Send bytes and a second call behind them: one refusal comes, and the provider hears nothing."""
    before = target.mock.total().requests
    heard = await target.throw(data + smuggled(target))
    assert (heard.statuses, heard.is_closed) == ([status], True)
    assert json.loads(heard.bodies[0])["error"]["code"] in ("invalid_request", "request_too_large")
    assert target.mock.total().requests == before


CODINGS = [
    "xchunked", "gzip, chunked", "chunked, gzip", "identity", "\x0bchunked", "chunked\x0b", "chunked\x00", '"chunked"',
    "chunked;q=0.5", ",chunked", "chunked,", "", "chunke", "ch\tunked", "\xa0chunked", "chunked\xa0", "identity, chunked",
]  # fmt: skip


@pytest.mark.parametrize("coding", CODINGS, ids=ascii)
async def test_every_transfer_coding_but_plain_chunked_is_refused(target: Target, coding: str) -> None:
    body = chunked(call("one"))
    await assert_refused_and_closed(target, head(target, f"transfer-encoding: {coding}") + body)


SECOND_CODINGS = [
    ("transfer-encoding: identity", "transfer-encoding: chunked"),
    ("transfer-encoding: chunked", "transfer-encoding: identity"),
    ("transfer-encoding: chunked", "transfer-encoding: chunked"),
    ("transfer-encoding: chunked", "x: y", "Transfer-Encoding: cow"),
    ("transfer-encoding : chunked",),
    ("transfer-encoding\t: chunked",),
    (" transfer-encoding: chunked",),
    ("x: y\r\n transfer-encoding: chunked",),
    ("transfer-encoding:\r\n chunked",),
    ("x: y\rtransfer-encoding: chunked",),
    ("x: y\ntransfer-encoding: chunked",),
    ("x: y\x00\r\ntransfer-encoding: chunked",),
    ("\x00transfer-encoding: chunked",),
    ("transfer-encoding: chunked", "content-length: 5"),
    ("content-length: 5", "Transfer-Encoding: chunked"),
]


@pytest.mark.parametrize("lines", SECOND_CODINGS, ids=ascii)
async def test_two_ways_to_read_a_coding_are_refused(target: Target, lines: tuple[str, ...]) -> None:
    await assert_refused_and_closed(target, head(target, *lines) + chunked(call("one")))


LENGTHS = ["0x5", "5_0", "5.0", "5,5", "5, 5", "-5", "+5", "", " ", "5\x00", "\xb2", "\r\n 5", "5\r\n 5", "1e1", "\u0665".encode().decode("latin-1"), "9" * 30]  # fmt: skip


@pytest.mark.parametrize("length", LENGTHS, ids=ascii)
async def test_a_length_that_is_no_number_is_refused(target: Target, length: str) -> None:
    await assert_refused_and_closed(target, head(target, f"content-length: {length}") + b"12345")


@pytest.mark.parametrize("lengths", [(5, 6), (5, 5), (0, 5)])
async def test_two_lengths_are_refused(target: Target, lengths: tuple[int, int]) -> None:
    lines = [f"content-length: {length}" for length in lengths]
    await assert_refused_and_closed(target, head(target, *lines) + b"12345")


@pytest.mark.parametrize("line", ["host: other.example", "Host: gateway", "HOST:"])
async def test_two_hosts_are_refused(target: Target, line: str) -> None:
    body = call("one")
    await assert_refused_and_closed(target, head(target, line, f"content-length: {len(body)}") + body)


@pytest.mark.parametrize(("version", "status"), [("HTTP/1.1", 400), ("HTTP/1.0", 200)])
async def test_no_host_is_refused_where_clients_have_to_send_one(
    target: Target, version: str, status: int
) -> None:
    body = call("one")
    sent = head(target, f"content-length: {len(body)}", version=version) + body
    heard = await target.throw(sent.replace(b"host: gateway\r\n", b""))
    assert (heard.statuses, heard.is_closed) == ([status], True)


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\r\n", "\n\r", "\r\n\x00"], ids=ascii)
async def test_lines_that_end_otherwise_are_refused(target: Target, line_end: str) -> None:
    body = call("one")
    await assert_refused_and_closed(
        target, head(target, f"content-length: {len(body)}", line_end=line_end) + body
    )


CHUNKS = [
    b"0x5\r\n{    \r\n0\r\n\r\n", b"+5\r\n{    \r\n0\r\n\r\n", b"-5\r\n{    \r\n0\r\n\r\n", b"-1\r\n", b"5 \r\n{    \r\n0\r\n\r\n",
    b" 5\r\n{    \r\n0\r\n\r\n", b"5\n{    \n0\n\n", b"5\r{    \r\n0\r\n\r\n", b"5\r\n{    0\r\n\r\n", b"5\r\n{     \r\n0\r\n\r\n",
    b"10000000000000005\r\n{    \r\n0\r\n\r\n", b"\r\n{    \r\n0\r\n\r\n", b"5;x=\n\r\n{    \r\n0\r\n\r\n", b"5;\x00\r\n{    \r\n0\r\n\r\n",
    b"G\r\n", b"5\r\n{    \r\n0\r\nno colon\r\n\r\n", b"5\r\n{    \r\n0\r\ncontent-length: 9\r\n\r\n",
    b"5\r\n{    \r\n0\r\ntransfer-encoding: chunked\r\n\r\n", b"5\r\n{    \r\n0\r\n folded\r\n\r\n",
]  # fmt: skip


@pytest.mark.parametrize("body", CHUNKS, ids=ascii)
async def test_chunks_that_are_none_are_refused(target: Target, body: bytes) -> None:
    before = target.mock.total().requests
    heard = await target.throw(head(target, "transfer-encoding: chunked") + body + smuggled(target))
    assert (heard.statuses, heard.is_closed) == ([400], True)
    assert target.mock.total().requests == before


@pytest.mark.parametrize("size", [b"ffffffffffffffff", b"7fffffffffffffff", b"fffffff", b"1000000"])
async def test_a_chunk_that_is_announced_as_huge_is_not_waited_for(hasty: Target, size: bytes) -> None:
    heard = await hasty.throw(head(hasty, "transfer-encoding: chunked") + size + b"\r\n{    ")
    assert (heard.statuses, heard.is_closed) == ([408], True)


@pytest.mark.parametrize(("trailers", "status"), [(b"x: 1\r\n" * 3_000, 431), (b"x: " + b"y" * 300_000 + b"\r\n", 431)], ids=["many", "large"])  # fmt: skip
async def test_a_flood_of_trailers_is_refused(target: Target, trailers: bytes, status: int) -> None:
    body = chunked(call("one"), end=b"0\r\n" + trailers + b"\r\n")
    heard = await target.throw(head(target, "transfer-encoding: chunked") + body)
    assert heard.statuses == [status]
    assert heard.is_closed


@pytest.mark.parametrize(
    "name", ["authorization", "seawall-user", "seawall-client-ip", "x-forwarded-for", "origin"]
)
async def test_a_trailer_is_no_header(target: Target, name: str) -> None:
    """A proxy in front checks and sets the headers; who could add some behind the body would pass it by."""
    value = f"Bearer {target.key}" if name == "authorization" else "no such thing"
    start = head(target, "transfer-encoding: chunked")
    if name == "authorization":
        start = b"POST %b HTTP/1.1\r\nhost: gateway\r\ntransfer-encoding: chunked\r\n\r\n" % PATH.encode()
    end = f"0\r\n{name}: {value}\r\n\r\n".encode()
    heard = await target.throw(start + chunked(call("one"), end=end) + LAST)
    assert heard.statuses[0] == (401 if name == "authorization" else 200), heard.raw


UPGRADES = {
    "h2c": ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__"),
    "websocket": ("connection: upgrade", "upgrade: websocket", "sec-websocket-key: dGhlIHNhbXBsZQ==", "sec-websocket-version: 13"),
    "unknown": ("connection: keep-alive, upgrade", "upgrade: carrier-pigeon/1"),
}  # fmt: skip


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("name", UPGRADES)
async def test_a_body_stays_a_body_where_another_protocol_is_wished_for(
    target: Target, name: str, is_chunked: bool
) -> None:
    """Java's client wishes for HTTP/2 with every request; its body must not be taken for the next request."""
    marker = target.marker()
    inner = smuggled(target)
    body = json.dumps(marked(marker, "s5", max_tokens=9, metadata={"inner": inner.decode()})).encode()
    how = "transfer-encoding: chunked" if is_chunked else f"content-length: {len(body)}"
    sent = chunked(body[:-len(inner)], body[-len(inner):]) if is_chunked else body  # fmt: skip
    start = head(target, *UPGRADES[name], how)
    before = target.mock.total().requests
    heard = await target.throw(start, 0.05, sent[:-300], 0.05, sent[-300:] + LAST, own=marker)
    assert heard.statuses == [200, 200], heard.raw
    row = await target.throw(start + sent + start + sent + LAST, own=marker)
    assert row.statuses == [200, 200, 200], row.raw
    assert target.mock.total().requests == before + 3


async def test_a_wish_for_another_protocol_keeps_the_end_of_the_connection(target: Target) -> None:
    body = call("one")
    start = head(target, "connection: close, upgrade", "upgrade: h2c", f"content-length: {len(body)}")
    heard = await target.throw(start + body + smuggled(target))
    assert (heard.statuses, heard.is_closed) == ([200], True)


ADDRESSES = [
    ("http://elsewhere.example/v1/chat/completions", 200), ("http://elsewhere.example/healthz", 405), ("//v1/chat/completions", 404),
    ("/v1/../v1/chat/completions", 404), ("/v1/./chat/completions", 404), ("/v1/chat/completions/", 404), ("/v1/chat/completions%00", 404),
    ("/v1/chat%2fcompletions", 200), ("/v1/chat/completions;x", 404), ("/V1/CHAT/COMPLETIONS", 404), ("/v1/chat/completions#x", 200),
    ("/v1/chat/completions?model=gpt", 200), ("*", 404), ("v1/chat/completions", 400), ("/v1/chat/comple\x00tions", 400), ("/\xff", 400),
    ("/v1/%ff%fe", 404), ("/v1/%zz", 404), ("/%", 404), ("/v1/models/" + "x" * 3_000, 405), ("/" + "x" * 5_000, 431), ("/" + "x" * 200_000, 431),
]  # fmt: skip


@pytest.mark.parametrize(("path", "status"), ADDRESSES, ids=range(len(ADDRESSES)))
async def test_an_address_is_taken_as_it_is_written(target: Target, path: str, status: int) -> None:
    body = call("one")
    heard = await target.throw(
        head(target, f"content-length: {len(body)}", "connection: close", path=path) + body
    )
    assert heard.statuses == [status], heard.raw
