"""uvicorn's HTTP protocol with limits on the head of a request, and on the time of head and body.

Invariants:
- A request ends where its length or its last chunk says, whatever else it asks for: nothing of a body is ever
  taken for a request, and what a proxy in front could understand differently is refused.
- What follows a body (trailers) is no header: a proxy checks and sets headers only.
- The head of an answer goes out with the first piece of its body, in one system call instead of two.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import httptools
import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

ON_DISCONNECT = "seawall.on_disconnect"
"""The ASGI extension with those who are told when the client leaves: cheaper than a task that watches."""


LINGER_S = 1.0
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class RequestLimits(msgspec.Struct, frozen=True):
    """How large the head of a request may be, and how long its head and its body may take."""

    head_bytes_max: int = 32 * 1024
    headers_max: int = 100
    head_timeout_s: float = 30.0
    body_timeout_s: float = 60.0


_REFUSALS = {
    400: (b"Bad Request", "invalid_request", "This is not a valid HTTP request."),
    408: (b"Request Timeout", "request_timeout", "The request took too long to arrive."),
    431: (b"Request Header Fields Too Large", "request_too_large", "The headers are too large."),
}


def make_protocol(limits: RequestLimits) -> type[HttpToolsProtocol]:
    """Return the protocol class with these limits, for uvicorn's `http` setting."""

    class GuardedProtocol(_GuardedProtocol):
        request_limits = limits

    return GuardedProtocol


def protocol_factory(
    config: Config, state: ServerState, shared: dict[str, Any]
) -> Callable[[], asyncio.Protocol]:
    """Return what makes the protocol of each new connection, as uvicorn does; `shared` is its lifespan's."""
    kind = cast(Callable[..., asyncio.Protocol], config.http_protocol_class)
    return partial(kind, config=config, server_state=state, app_state=shared)


class _GuardedProtocol(HttpToolsProtocol):
    """One clock runs from the first byte of a request to its last; a request in one piece never starts it."""

    request_limits = RequestLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._listeners: set[Callable[[], None]] = set()
        self._clock: asyncio.TimerHandle | None = None
        self._head_bytes = self._header_bytes = self._trailers = 0
        self._is_in_head = True
        self._is_in_body = self._has_host = False
        self._is_refused = False
        self._answering: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """Start the clock for the first request."""
        super().connection_made(transport)
        self._clock = self.loop.call_later(self.request_limits.head_timeout_s, self._refuse, 408)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock, and tell those who wait for it that the client has left."""
        self._stop_clock()
        super().connection_lost(exc)
        for left in list(self._listeners):
            left()

    def data_received(self, data: bytes) -> None:
        """Parse; refuse a head that goes on and on, and start the clock for what is not complete yet."""
        if self._is_refused:
            return
        if self._is_in_head:
            self._head_bytes += len(data)
        self._unset_keepalive_if_required()
        self._parse(data)
        if self._is_in_head and self._head_bytes > self.request_limits.head_bytes_max:
            self._refuse(431)
        elif self._clock is None and (self._is_in_head or self._is_in_body or self._is_idle()):
            limits = self.request_limits
            timeout_s = limits.head_timeout_s if self._is_in_head else limits.body_timeout_s
            self._clock = self.loop.call_later(timeout_s, self._refuse, 408)

    def _parse(self, data: bytes) -> None:
        """Parse, past every wish for another protocol: the parser would take the body for that protocol's."""
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                reader = _BodyReader(self)
                self.parser = httptools.HttpRequestParser(reader)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # As uvicorn does.
                data = reader.head() + data[upgrade.args[0] :]
            except httptools.HttpParserError:
                self._refuse(400)
                return
            else:
                return

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {ON_DISCONNECT: self._listeners}  # type: ignore[dict-item] # ours
        self._is_in_head, self._has_host = True, False
        self._head_bytes = self._header_bytes = self._trailers = 0

    def on_url(self, url: bytes) -> None:
        """Count the address with the headers."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header, and a trailer; refuse every way to transfer a body but the one that we know."""
        if self._is_in_head:
            super().on_header(name, value)
            known = self.headers[-1][0]
            if known == b"transfer-encoding" and value.strip().lower() != b"chunked":
                raise httptools.HttpParserError("another transfer coding")
            if known == b"host":
                if self._has_host:  # RFC 9112, 3.2: whoever stands before may have believed the other.
                    raise httptools.HttpParserError("two hosts")
                self._has_host = True
        else:
            self._trailers += 1
        self._count(len(name) + len(value))

    def _count(self, size: int) -> None:
        """End the connection where the head is too large in bytes or headers."""
        self._header_bytes += size
        limits = self.request_limits
        if (
            len(self.headers) + self._trailers > limits.headers_max
            or self._header_bytes > limits.head_bytes_max
        ):
            self._refuse(431)
            raise httptools.HttpParserError("the head is too large")

    def on_headers_complete(self) -> None:
        """Go on to the body, which has a time of its own; without a host (RFC 9112, 3.2) there is none."""
        if not self._has_host and self.parser.get_http_version() == "1.1":
            raise httptools.HttpParserError("no host")
        self._stop_clock()
        super().on_headers_complete()
        self._is_in_head, self._is_in_body = False, True

    def on_message_complete(self) -> None:
        """Stop the clock: the request is here."""
        if self.parser.should_upgrade():  # Its body is still to come.
            return
        self._is_in_body = False
        self._stop_clock()
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin to answer."""
        self._answering = cycle
        super()._start_asgi_task(cycle, partial(_answer, app, cycle))

    def _is_idle(self) -> bool:
        """Say whether something came between two requests that is none, and stopped uvicorn's own clock."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and cycle.response_complete and self.timeout_keep_alive_task is None

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _refuse(self, status: int) -> None:
        """Answer outside of the application, where no answer has begun, and close.

        An answer to an earlier request comes to its end first. After a refusal the connection stays for a
        moment and what still comes is dropped: closing a socket with unread bytes would take it back.
        """
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._stop_clock()
        answering = self._answering
        if answering is None or answering.response_complete:
            if self._is_in_body or (status == 408 and not self._is_in_head):
                self.transport.close()
            else:
                self._write_refusal(status)
        elif not self._is_in_body or answering is not self.cycle:
            self.pipeline.clear()
            answering.keep_alive = False
        elif answering.response_started:
            self.transport.close()
        else:
            answering.disconnected = True  # Whatever the application still answers goes nowhere.
            answering.message_event.set()
            self._write_refusal(status)

    def _write_refusal(self, status: int) -> None:
        reason, code, message = _REFUSALS[status]
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        body = msgspec.json.encode({"error": error})
        head = (
            b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n"
        )
        stated = b"".join(b"%b: %b\r\n" % header for header in self.config.encoded_headers)
        self.transport.write(head % (status, reason, len(body)) + stated + b"\r\n" + body)
        self._clock = self.loop.call_later(LINGER_S, self.transport.close)
        if self.transport.can_write_eof():
            self.transport.write_eof()


class _BodyReader:
    """Listens to a new parser that goes on where another stopped after a head, and passes on what it says.

    The new one is told of that head again, as far as it says where the request and the connection end.
    """

    def __init__(self, protocol: _GuardedProtocol) -> None:
        self.on_body, self.on_message_complete = protocol.on_body, protocol.on_message_complete
        self._protocol = protocol
        self._is_past_head = False

    def head(self) -> bytes:
        """Return the head that the new parser is told first."""
        protocol = self._protocol
        lines = [b"%s: %s" % header for header in protocol.headers if header[0] in _FRAMING]
        if not protocol.cycle.keep_alive:
            lines.append(b"connection: close")
        return b"\r\n".join([b"POST / HTTP/1.1", *lines, b"", b""])

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self._is_past_head:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Read an address."""
        if self._is_past_head:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header or a trailer."""
        if self._is_past_head:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        """Come to the body."""
        if self._is_past_head:
            self._protocol.on_headers_complete()
        self._is_past_head = True


async def _answer(app: Any, cycle: RequestResponseCycle, scope: Any, receive: Any, send: Any) -> None:
    await app(scope, receive, _Sender(cycle, send))


class _Sender:
    """Sends an answer by way of uvicorn; its head waits for the first piece of the body.

    An answer whose body never begins has not begun: the client gets uvicorn's 500 and no head without a body.
    """

    __slots__ = ("_cycle", "_send", "_start")

    def __init__(self, cycle: RequestResponseCycle, send: Callable[[Any], Awaitable[None]]) -> None:
        self._cycle, self._send = cycle, send
        self._start: Any = None

    async def __call__(self, message: Any) -> None:
        """Take a message of the application."""
        if message["type"] == "http.response.start" and self._start is None:
            self._start = message
            return
        start, self._start = self._start, None
        if start is None:
            await self._send(message)
            return
        cycle = self._cycle
        transport, gathered = cycle.transport, _Gathered(cycle.transport)
        cycle.transport = cast(asyncio.Transport, gathered)
        try:
            await self._send(start)
            await self._send(message)
        finally:
            cycle.transport = transport
            gathered.flush()


class _Gathered:
    """Stands in for a transport, and keeps what is written until it is flushed or closed."""

    __slots__ = ("_pieces", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Keep a piece."""
        self._pieces.append(data)

    def flush(self) -> None:
        """Write what was kept."""
        if self._pieces:
            self._transport.write(b"".join(self._pieces))
            self._pieces.clear()

    def close(self) -> None:
        """Write what was kept, and close: whatever follows on this connection is not answered any more."""
        self.flush()
        self._transport.close()
