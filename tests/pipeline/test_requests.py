"""HTTP that is slow, odd or forged gets a clean answer, and never another caller's."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.fixtures.gateways import ADMIN_KEY, RunningApp, marked, running
from tests.fixtures.mock_calls import until
from tests.fixtures.raw_http import PATH, Peer, peer_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = json.dumps(marked("raw", "s5", max_tokens=20))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hasty_app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningApp]:
    """Run a gateway that waits a fifth of a second for heads and bodies."""
    folder = tmp_path_factory.mktemp("hasty")
    async with running(folder, server__header_timeout_s=0.2, server__body_timeout_s=0.2) as app:
        yield app


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def narrow_app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningApp]:
    """Run a gateway that allows 4 KB and 20 headers, and has as much time as usual."""
    folder = tmp_path_factory.mktemp("narrow")
    async with running(folder, server__header_kb_max=4, server__headers_max=20) as app:
        yield app


def head(app: RunningApp, *lines: str, method: str = "POST", path: str = PATH) -> bytes:
    shown = [f"{method} {path} HTTP/1.1", "host: gateway", f"authorization: Bearer {app.key}", *lines]
    return ("\r\n".join(shown) + "\r\n\r\n").encode("latin-1")


async def assert_ends_with(peer: Peer, status: int, code: str) -> None:
    """Read the answer, and then the end of the connection."""
    answer = await peer.answer()
    assert (answer.status, answer.error["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["connection"] == "close"
    assert await peer.rest() == b""


SLOW_HEADS = [b"", b"P", b"POST /v1/chat/completions HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nx: "]


@pytest.mark.parametrize("start", SLOW_HEADS)
async def test_a_slow_head_is_refused(hasty_app: RunningApp, start: bytes) -> None:
    async with peer_of(hasty_app.port) as peer:
        peer.send(start)
        await assert_ends_with(peer, 408, "request_timeout")


@pytest.mark.parametrize("length", ["content-length: 100", "transfer-encoding: chunked"])
@pytest.mark.parametrize("path", [PATH, "/admin/v1/keys"])
async def test_a_slow_body_is_refused(hasty_app: RunningApp, length: str, path: str) -> None:
    async with peer_of(hasty_app.port) as peer:
        key = hasty_app.key if path == PATH else ADMIN_KEY
        peer.send(
            f"POST {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\n{length}\r\n\r\n".encode()
        )
        peer.send(b"5\r\n{" if "chunked" in length else b"{")
        await assert_ends_with(peer, 408, "request_timeout")


async def test_a_body_that_trickles_has_no_more_time(hasty_app: RunningApp) -> None:
    async with peer_of(hasty_app.port) as peer:
        peer.send(head(hasty_app, "content-length: 10000"))
        answer = asyncio.ensure_future(peer.answer())
        while not answer.done():
            peer.send(b" ")
            await asyncio.sleep(0.01)
        assert (await answer).status == 408


async def test_a_stranger_cannot_keep_a_connection_with_an_endless_body(hasty_app: RunningApp) -> None:
    async with peer_of(hasty_app.port) as peer:
        peer.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\ncontent-length: 10000\r\n\r\n{")
        assert (await peer.answer()).status == 401
        assert await peer.rest() == b""


async def test_empty_lines_do_not_keep_a_connection(hasty_app: RunningApp) -> None:
    async with peer_of(hasty_app.port) as peer:
        peer.ask(None, None, method="GET", path="/healthz")
        assert (await peer.answer()).status == 200
        peer.send(b"\r\n")
        assert await peer.rest() == b""


async def test_a_slow_second_request_on_a_connection_is_refused(hasty_app: RunningApp) -> None:
    async with peer_of(hasty_app.port) as peer:
        peer.ask(None, None, method="GET", path="/healthz")
        assert (await peer.answer()).status == 200
        peer.send(b"GET /he")
        await assert_ends_with(peer, 408, "request_timeout")


async def test_a_slow_answer_is_no_slow_request(hasty_app: RunningApp) -> None:
    async with peer_of(hasty_app.port) as peer:
        peer.ask(marked("slow", "s40-g10-d400", stream=True), hasty_app.key)
        assert (await peer.answer()).body.endswith(b"data: [DONE]\n\n")


LARGE_HEADS = [
    ("headers", "".join(f"x-{number}: 1\r\n" for number in range(30))),
    ("size", f"x-large: {'x' * 20_000}\r\n"),
    ("sum", "".join(f"x-{number}: {'x' * 1_000}\r\n" for number in range(10))),
]


@pytest.mark.parametrize("lines", [lines for _, lines in LARGE_HEADS], ids=[name for name, _ in LARGE_HEADS])
async def test_a_large_head_is_refused(narrow_app: RunningApp, lines: str) -> None:
    async with peer_of(narrow_app.port) as peer:
        peer.send(f"GET /healthz HTTP/1.1\r\nhost: gateway\r\n{lines}\r\n".encode())
        await assert_ends_with(peer, 431, "request_too_large")


async def test_a_head_that_goes_on_and_on_is_refused(narrow_app: RunningApp) -> None:
    async with peer_of(narrow_app.port) as peer:
        peer.send(b"GET /healthz HTTP/1.1\r\nhost: gateway\r\nx-large: ")
        answer = asyncio.ensure_future(peer.answer())
        while not answer.done() and not peer.writer.is_closing():
            peer.send(b"x" * 100)
            await asyncio.sleep(0)
        assert ((await answer).status, (await answer).error["code"]) == (431, "request_too_large")


async def test_a_head_just_above_the_limit_is_refused(narrow_app: RunningApp) -> None:
    async with peer_of(narrow_app.port) as peer:
        peer.send(f"GET /healthz HTTP/1.1\r\nhost: gateway\r\nx-large: {'x' * 5_000}\r\n\r\n".encode())
        await assert_ends_with(peer, 431, "request_too_large")


@pytest.mark.parametrize("size", [5_000, 100_000])
async def test_a_long_address_is_refused(narrow_app: RunningApp, size: int) -> None:
    async with peer_of(narrow_app.port) as peer:
        peer.send(f"GET /{'x' * size} HTTP/1.1\r\nhost: gateway\r\n\r\n".encode())
        answer = await peer.answer()
        assert answer.status in {400, 404, 414, 431}
        assert answer.headers["content-type"] == "application/json"


NOT_HTTP = {
    "two-lengths": "POST {path} HTTP/1.1\r\nhost: gateway\r\n{key}content-length: 5\r\ncontent-length: 6\r\n\r\n{{}}",
    "length-and-chunked": "POST {path} HTTP/1.1\r\nhost: gateway\r\n{key}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked-and-length": "POST {path} HTTP/1.1\r\nhost: gateway\r\n{key}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
    "chunked-twice": "POST {path} HTTP/1.1\r\nhost: gateway\r\n{key}transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked-not-last": "POST {path} HTTP/1.1\r\nhost: gateway\r\n{key}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "negative-length": "POST {path} HTTP/1.1\r\nhost: gateway\r\n{key}content-length: -5\r\n\r\n",
    "plus-length": "POST {path} HTTP/1.1\r\nhost: gateway\r\n{key}content-length: +5\r\n\r\n12345",
    "list-of-lengths": "POST {path} HTTP/1.1\r\nhost: gateway\r\n{key}content-length: 5, 5\r\n\r\n12345",
    "huge-length": "POST {path} HTTP/1.1\r\nhost: gateway\r\n{key}content-length: 99999999999999999999999\r\n\r\n",
    "space-before-colon": "POST {path} HTTP/1.1\r\nhost: gateway\r\n{key}content-length : 5\r\n\r\n12345",
    "bad-chunk-size": "POST {path} HTTP/1.1\r\nhost: gateway\r\n{key}transfer-encoding: chunked\r\n\r\nxyz\r\n",
    "chunk-too-long": "POST {path} HTTP/1.1\r\nhost: gateway\r\n{key}transfer-encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n",
    "huge-chunk": "POST {path} HTTP/1.1\r\nhost: gateway\r\n{key}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    "null-in-header": "GET /healthz HTTP/1.1\r\nhost: gateway\r\nx: a\x00b\r\n\r\n",
    "no-colon": "GET /healthz HTTP/1.1\r\nhost: gateway\r\nnonsense\r\n\r\n",
    "bad-method": "GET\x01 /healthz HTTP/1.1\r\nhost: gateway\r\n\r\n",
    "unknown-method": "BREW /healthz HTTP/1.1\r\nhost: gateway\r\n\r\n",
    "http-2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "http-3": "GET /healthz HTTP/3.0\r\n\r\n",
    "tls": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "garbage": "\x00\x01\x02\x03\r\n\r\n",
    "bare-lf-smuggled": "GET /healthz HTTP/1.1\r\nhost: gateway\r\nx: a\r\n transfer-encoding: chunked\r\n\r\n",
}
SMUGGLED = "POST /v1/chat/completions HTTP/1.1\r\nhost: smuggled\r\n\r\n"


@pytest.mark.parametrize("name", NOT_HTTP)
async def test_what_is_no_proper_http_is_refused_and_closed(narrow_app: RunningApp, name: str) -> None:
    """Nothing that follows on the connection may be taken for a request of its own."""
    before = len(narrow_app.mock.requests)
    async with peer_of(narrow_app.port) as peer:
        key = f"authorization: Bearer {narrow_app.key}\r\n"
        peer.send((NOT_HTTP[name].format(path=PATH, key=key) + SMUGGLED).encode("latin-1"))
        data = await peer.rest()
    assert data.count(b"HTTP/1.1 ") == 1
    first, _, rest = data.partition(b"\r\n")
    assert 400 <= int(first.split()[1]) < 500
    assert json.loads(rest.partition(b"\r\n\r\n")[2])["error"]["code"] in {
        "invalid_request",
        "request_too_large",
    }
    assert b"Traceback" not in data
    assert len(narrow_app.mock.requests) == before


async def test_requests_in_a_row_are_answered_in_order(app: RunningApp) -> None:
    async with peer_of(app.port) as peer:
        for number in range(5):
            peer.ask(marked(f"row{number}", "s8", stream=number % 2 == 0), app.key)
        peer.ask(None, None, method="GET", path="/healthz")
        answers = [await peer.answer() for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 6
    for number, answer in enumerate(answers[:5]):
        assert (
            f"row{number}" in answer.body.decode().replace('"}', "").replace('"content":"', "")
            or number % 2 == 0
        )
    assert answers[5].body == b'{"status":"ok"}'
    await app.settled()
    assert [seen.body["user"] for seen in app.mock.requests][-5:] == [f"row{number}" for number in range(5)]


async def test_a_client_that_leaves_with_requests_in_a_row_ends_the_first(app: RunningApp) -> None:
    async with peer_of(app.port) as peer:
        peer.ask(marked("first-in-row", "hole"), app.key)
        peer.ask(marked("second-in-row", "hole"), app.key)
        await until(lambda: any(seen.body.get("user") == "first-in-row" for seen in app.mock.requests))
    row = await app.row("first-in-row")
    assert (row.outcome, row.status) == ("left", 499)
    assert "second-in-row" not in [seen.body.get("user") for seen in app.mock.requests]


async def test_an_expected_continue_is_given(app: RunningApp) -> None:
    async with peer_of(app.port) as peer:
        peer.send(head(app, f"content-length: {len(BODY)}", "expect: 100-continue"))
        assert (await peer.head())[0] == 100
        peer.send(BODY.encode())
        assert (await peer.answer()).status == 200


async def test_a_stranger_is_not_asked_to_go_on(app: RunningApp) -> None:
    async with peer_of(app.port) as peer:
        peer.send(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n"
        )
        assert (await peer.answer()).status == 401


async def test_a_body_in_many_pieces_is_one_body(app: RunningApp) -> None:
    async with peer_of(app.port) as peer:
        peer.send(head(app, "transfer-encoding: chunked"))
        for character in BODY:
            peer.send(f"1\r\n{character}\r\n".encode())
            await asyncio.sleep(0)
        peer.send(b"0\r\nx-trailer: 1\r\n\r\n")
        assert (await peer.answer()).status == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (PATH, marked("nul\0")),
        (PATH, marked("model") | {"model": "fake\0gpt"}),
        ("/v1/responses", {"model": "fake-gpt", "input": "x", "safety_identifier": "ada\0"}),
        ("/v1/messages", {"model": "fake-gpt", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}],
                          "metadata": {"user_id": "\0"}}),
        ("/v1/embeddings", {"model": "fake-gpt", "input": "x", "user": "\0"}),
    ],
)  # fmt: skip
async def test_a_name_that_no_database_can_keep_is_refused(
    app: RunningApp, path: str, body: dict[str, object]
) -> None:
    answer = await app.http.post(path, json=body, headers={"authorization": f"Bearer {app.key}"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
