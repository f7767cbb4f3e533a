"""The mock provider's side of one connection: requests come in, an answer goes out or breaks off.

Invariants:
- A stream's tokens are booked on its record before they are written, so a bill is never behind.
- A request that arrives while an answer is under way is an `overlap`: the caller mixes connections up.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

import httptools

from seawall.proving.mock_answers import Plan, Terms
from seawall.proving.mock_behaviour import Behaviour
from seawall.proving.mock_frames import LAST_CHUNK, STREAM_START, Writer, chunk

RESET_AFTER_S: Final = 0.005
"""A reset waits this long, so that what was written before it has left the machine."""


@dataclass(slots=True, eq=False)
class Seen:
    """One request as it came, and what became of it.

    Times are the event loop's monotonic seconds, `None` while it has not happened. `output_tokens`
    grows while a stream is generated; `is_over` says that the bill is final. `is_complete` says that
    the whole answer was written. `body` is empty where it was no JSON object. `input_tokens` is all
    input, with what was read from a cache or written to it; `thinking_tokens` is the part of the complete
    answer's output that is reasoning. `is_kept` says that the provider keeps the
    answer (OpenAI's `store`).
    """

    number: int
    method: str
    path: str
    headers: dict[str, str]
    raw: bytes
    body: dict[str, Any]
    received_at: float
    terms: Terms
    behaviour: Behaviour = field(default_factory=Behaviour)
    status: int | None = None
    input_tokens: int = 0
    cached_tokens: int = 0
    written_5m_tokens: int = 0
    written_1h_tokens: int = 0
    output_tokens: int = 0
    thinking_tokens: int = 0
    is_kept: bool = False
    events: int = 0
    is_complete: bool = False
    is_over: bool = False
    peer_left_at: float | None = None
    over_at: float | None = None

    @property
    def cost(self) -> int:
        """Return what is billed so far, in nano-dollars."""
        return self.terms.cost_of(
            self.input_tokens,
            self.output_tokens,
            cached=self.cached_tokens,
            written_5m=self.written_5m_tokens,
            written_1h=self.written_1h_tokens,
        )


@dataclass(slots=True, eq=False)
class Desk:
    """What connections share with their provider, and tell it."""

    loop: asyncio.AbstractEventLoop
    on_request: "Callable[[Connection, str, str, dict[str, str], bytes], None]"
    on_over: Callable[[Seen], None]
    connections: "set[Connection]" = field(default_factory=set)
    overlaps: int = 0


class Connection(asyncio.Protocol):
    """One client connection, kept alive between requests."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.transport: asyncio.Transport
        self.is_writable = True
        self.seen: Seen | None = None
        self._on_lost: Callable[[], None] | None = None
        self._on_writable: Callable[[], None] | None = None
        self._keeps_alive = True
        self._url = b""
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []
        self._parser = httptools.HttpRequestParser(self)

    def expect(self, *, lost: Callable[[], None], writable: Callable[[], None] | None = None) -> None:
        """Say what to call when the client leaves, and when it reads again, during the present answer."""
        self._on_lost, self._on_writable = lost, writable

    def finish(self, seen: Seen, *, closes: bool) -> None:
        """End the present answer; the connection is free for the next request, or closed."""
        self.seen = self._on_lost = self._on_writable = None
        seen.is_over, seen.over_at = True, self.desk.loop.time()
        self.desk.on_over(seen)
        if closes or not self._keeps_alive:
            self.transport.close()

    def reset(self) -> None:
        """Break the connection with a RST."""
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of the socket."""
        self.transport = cast(asyncio.Transport, transport)
        self.desk.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the answer under way that its client has gone."""
        del exc
        self.desk.connections.discard(self)
        if self.seen is not None:
            self.seen.peer_left_at = self.desk.loop.time()
            if self._on_lost is not None:
                self._on_lost()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; whatever is not HTTP ends the connection."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()

    def pause_writing(self) -> None:
        """Stop generating: the client does not read."""
        self.is_writable = False

    def resume_writing(self) -> None:
        """Go on generating."""
        self.is_writable = True
        if self._on_writable is not None:
            self._on_writable()

    def on_message_begin(self) -> None:
        """Start a request."""
        self._url, self._headers, self._parts = b"", {}, []

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._parts.append(body)

    def on_message_complete(self) -> None:
        """Hand the request over."""
        if self.seen is not None:
            self.desk.overlaps += 1
            self.transport.abort()
            return
        self._keeps_alive = self._parser.should_keep_alive()
        method = self._parser.get_method().decode("latin-1")
        self.desk.on_request(self, method, self._url.decode("latin-1"), self._headers, b"".join(self._parts))


class Stream:
    """One streamed answer, an event at a time."""

    def __init__(self, connection: Connection, seen: Seen, plan: Plan, writer: Writer) -> None:
        self._connection, self._seen, self._plan, self._writer = connection, seen, plan, writer
        self._behaviour = seen.behaviour
        self._break_at = self._behaviour.break_after if self._behaviour.breaks else -1
        self._loop = connection.desk.loop
        self._gap_s = self._behaviour.gap_ms / 1000
        self._due = 0.0
        self._stop_at: float | None = None
        self._is_waiting = False
        self._carry = b""
        self._timer: asyncio.Handle | None = None
        connection.expect(lost=self._lost, writable=self._writable)

    def start(self) -> None:
        """Begin, after the delay that the behaviour asks for."""
        if self._behaviour.head_delay_ms:
            self._timer = self._loop.call_later(self._behaviour.head_delay_ms / 1000, self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        """Write the head and the first events; the rest follows by timer."""
        self._due = self._loop.time()
        if self._stop_at is None:
            self._seen.status = 200
            closing = b"connection: close\r\n\r\n" if self._behaviour.closes else b"\r\n"
            self._connection.transport.write(STREAM_START + self._writer.headers.encode() + closing)
            if self._break_at != 0:
                self._write(self._writer.opening())
        self._step()

    def _step(self) -> None:
        """Generate one event, book it, write it where somebody still listens, and set the next timer."""
        seen, done = self._seen, self._seen.events
        if self._stop_at is not None:
            if self._loop.time() >= self._stop_at:
                self._over()
                return
        elif not self._connection.is_writable:
            self._is_waiting = True
            return
        if done == self._break_at:
            self._break()
            return
        if done == self._plan.events:
            self._end()
            return
        seen.events = done + 1
        seen.output_tokens = self._plan.tokens_after(done + 1)
        if self._stop_at is None:
            self._write(self._writer.content(done))
        if self._gap_s:
            self._due += self._gap_s
            self._timer = self._loop.call_at(self._due, self._step)
        else:
            self._timer = self._loop.call_soon(self._step)

    def _write(self, data: bytes) -> None:
        """Write frames as one chunk; where asked, so that no write ends where a frame ends."""
        if not data:
            return  # an empty chunk would end the body
        if self._behaviour.is_split:
            data, half = self._carry + data, len(data) // 2
            data, self._carry = data[:-half], data[-half:]
        self._connection.transport.write(chunk(data))

    def _end(self) -> None:
        """End the stream as it should end."""
        self._seen.output_tokens = self._plan.output_tokens
        if self._stop_at is None:
            self._connection.transport.write(chunk(self._carry + self._writer.closing()) + LAST_CHUNK)
            self._seen.is_complete = True
        self._over(closes=self._behaviour.closes)

    def _break(self) -> None:
        """End the stream as the behaviour asks for."""
        if self._behaviour.is_greedy:
            self._seen.output_tokens = self._plan.output_tokens
        if self._stop_at is not None:
            self._over()
            return
        transport, way = self._connection.transport, self._behaviour.breaks
        if way == "stall":
            self._break_at = -1
            self._connection.expect(lost=self._over)
        elif way == "reset":
            self._timer = self._loop.call_later(RESET_AFTER_S, self._reset)
        elif way == "eof":
            self._over(closes=True)
        else:
            rest = self._carry + (self._writer.failing(way) if way in {"error", "failed"} else b"")
            transport.write((chunk(rest) if rest else b"") + LAST_CHUNK)
            self._over()

    def _reset(self) -> None:
        """Break the connection under the client."""
        if self._stop_at is None:
            self._connection.reset()
        self._over()

    def _lost(self) -> None:
        """Go on for as long as the vendor takes to notice that nobody listens."""
        self._stop_at = self._loop.time() + self._behaviour.notice_ms / 1000
        if not self._behaviour.notice_ms:
            self._over()
        elif self._is_waiting:
            self._step()

    def _writable(self) -> None:
        """Go on after the client's buffers were full."""
        if self._is_waiting:
            self._is_waiting = False
            self._due = self._loop.time()
            self._step()

    def _over(self, *, closes: bool = False) -> None:
        """Stop generating: the bill is final."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._seen.is_over:
            self._connection.finish(self._seen, closes=closes)
