"""How answers leave: the head with the body, and nothing after an answer that closes the connection."""

import asyncio
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from seawall.server.protocol import RequestLimits, make_protocol
from tests.fixtures.gateways import RunningApp, marked
from tests.fixtures.raw_http import peer_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Wire(asyncio.Transport):
    """Keeps what is written to it, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_shut = False

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.is_shut

    def close(self) -> None:
        self.is_shut = True


async def serve_once(app: Any, *, headers: str = "") -> tuple[list[bytes], bool]:
    """Give one request to an application by way of the protocol; return what was written, and whether it closed."""
    config, state = Config(app, log_config=None, server_header=False, date_header=False), ServerState()
    config.load()
    protocol = make_protocol(RequestLimits())(config=config, server_state=state, app_state={})
    wire = Wire()
    protocol.connection_made(wire)
    protocol.data_received(f"GET / HTTP/1.1\r\nhost: gateway\r\n{headers}\r\n".encode())
    await asyncio.gather(*state.tasks)
    is_shut = wire.is_shut
    protocol.connection_lost(None)
    return wire.writes, is_shut


def answering(*bodies: bytes) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
        for body in bodies:
            await send({"type": "http.response.body", "body": body, "more_body": body != bodies[-1]})

    return app


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n"


async def test_the_head_of_an_answer_leaves_together_with_its_body() -> None:
    assert await serve_once(answering(b"abcdef")) == ([HEAD + b"\r\nabcdef"], False)


async def test_the_head_of_a_stream_leaves_together_with_its_first_event() -> None:
    assert await serve_once(answering(b"abc", b"def")) == ([HEAD + b"\r\nabc", b"def"], False)


async def test_an_answer_that_closes_the_connection_is_written_first() -> None:
    sent = await serve_once(answering(b"abcdef"), headers="connection: close\r\n")
    assert sent == ([HEAD + b"connection: close\r\n\r\nabcdef"], True)


async def test_an_answer_whose_body_never_begins_is_an_error_and_not_half_an_answer() -> None:
    writes, _ = await serve_once(answering())
    assert writes[0].startswith(b"HTTP/1.1 500 ")
    assert writes[1:] == [b"Internal Server Error"]


async def test_what_follows_a_request_that_closes_the_connection_is_never_called(
    app: RunningApp, marker: str
) -> None:
    async with peer_of(app.port) as peer:
        peer.ask(marked(f"{marker}-first", "s3"), app.key, headers="connection: close\r\n")
        peer.ask(marked(f"{marker}-second", "s3"), app.key)
        answers = await peer.rest()
    await app.settled()
    assert answers.count(b"HTTP/1.1 ") == answers.count(b"HTTP/1.1 200 OK") == 1
    called = {seen.body.get("user") for seen in app.mock.requests}
    assert (f"{marker}-first" in called, f"{marker}-second" in called) == (True, False)
