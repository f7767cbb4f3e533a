"""uvicorn's HTTP protocol with limits on the head of a request: its size, its headers, its time."""

import asyncio
from typing import Any

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class HeadLimits(msgspec.Struct, frozen=True):
    """Limits on the head of a request, and how long it may take."""

    bytes_max: int = 32 * 1024
    headers_max: int = 100
    timeout_s: float = 30.0


_REFUSALS = {
    400: (b"Bad Request", "invalid_request", "This is not a valid HTTP request."),
    408: (b"Request Timeout", "request_timeout", "The request took too long to arrive."),
    431: (
        b"Request Header Fields Too Large",
        "request_too_large",
        "The headers of the request are too large.",
    ),
}


def make_protocol(limits: HeadLimits) -> type[HttpToolsProtocol]:
    """Return the protocol class with these limits, for uvicorn's `http` setting."""

    class GuardedProtocol(_GuardedProtocol):
        head_limits = limits

    return GuardedProtocol


class _GuardedProtocol(HttpToolsProtocol):
    head_limits = HeadLimits()
    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _head_count = 0
    _has_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """Start the clock for the first request."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(self.head_limits.timeout_s, self._refuse, 408)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse a head that goes on and on."""
        if not self._has_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if not self._has_head and self._head_bytes > self.head_limits.bytes_max:
            self._refuse(431)

    def on_message_begin(self) -> None:
        """Start the clock for the head of this request."""
        super().on_message_begin()
        self._has_head, self._head_bytes, self._head_count = False, 0, 0
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_limits.timeout_s, self._refuse, 408)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header; one too many ends the connection."""
        self._head_count += 1
        self._head_bytes += len(name) + len(value)
        if (
            self._head_count > self.head_limits.headers_max
            or self._head_bytes > self.head_limits.bytes_max * 2
        ):
            self._refuse(431)
            raise httptools.HttpParserError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop the clock: the head is here."""
        self._has_head = True
        self._stop_clock()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP; nothing more where another refusal has been sent."""
        self._refuse(400)

    def _stop_clock(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: int) -> None:
        """Answer outside of the application and close."""
        if self.transport.is_closing():
            return
        reason, code, message = _REFUSALS[status]
        error: dict[str, Any] = {
            "message": message,
            "type": "invalid_request_error",
            "param": None,
            "code": code,
        }
        body = msgspec.json.encode({"error": error})
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(
                b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
                % (status, reason, len(body), body)
            )
        self.transport.close()
