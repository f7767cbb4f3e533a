"""uvicorn's HTTP protocol with limits on the head of a request, and on the time of head and body.

The head of an answer goes out with the first piece of its body, in one system call instead of two.
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
        self._head_bytes = self._header_bytes = 0
        self._is_in_head = True
        self._is_in_body = False
        self._is_refused = False

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
        super().data_received(data)
        if self._is_in_head and self._head_bytes > self.request_limits.head_bytes_max:
            self._refuse(431)
        elif self._clock is None and (self._is_in_head or self._is_in_body or self._is_idle()):
            limits = self.request_limits
            timeout_s = limits.head_timeout_s if self._is_in_head else limits.body_timeout_s
            self._clock = self.loop.call_later(timeout_s, self._refuse, 408)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {ON_DISCONNECT: self._listeners}  # type: ignore[dict-item] # ours
        self._is_in_head, self._head_bytes, self._header_bytes = True, 0, 0

    def on_url(self, url: bytes) -> None:
        """Count the address with the headers."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header."""
        super().on_header(name, value)
        self._count(len(name) + len(value))

    def _count(self, size: int) -> None:
        """End the connection where the head is too large in bytes or headers."""
        self._header_bytes += size
        limits = self.request_limits
        if len(self.headers) > limits.headers_max or self._header_bytes > limits.head_bytes_max:
            self._refuse(431)
            raise httptools.HttpParserError("the head is too large")

    def on_headers_complete(self) -> None:
        """Go on to the body: it has a time of its own."""
        self._stop_clock()
        super().on_headers_complete()
        self._is_in_head, self._is_in_body = False, True

    def on_message_complete(self) -> None:
        """Stop the clock: the request is here."""
        self._is_in_body = False
        self._stop_clock()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP; nothing more where another refusal has been sent."""
        self._refuse(400)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin to answer."""
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

        After an answer the connection stays for a moment and what still comes is dropped: closing a socket
        with unread bytes would take the answer back.
        """
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._stop_clock()
        reason, code, message = _REFUSALS[status]
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        body = msgspec.json.encode({"error": error})
        cycle: RequestResponseCycle | None = self.cycle
        is_between = cycle is None or cycle.response_complete
        may_answer = is_between and not self._is_in_body and (self._is_in_head or status != 408)
        if may_answer or (self._is_in_body and cycle is not None and not cycle.response_started):
            head = (
                b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
                b"connection: close\r\n"
            )
            stated = b"".join(b"%b: %b\r\n" % header for header in self.config.encoded_headers)
            self.transport.write(head % (status, reason, len(body)) + stated + b"\r\n" + body)
            self._clock = self.loop.call_later(LINGER_S, self.transport.close)
            if self.transport.can_write_eof():
                self.transport.write_eof()
        else:
            self.transport.close()


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
