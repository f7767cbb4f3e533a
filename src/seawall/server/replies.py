"""The way back to the client in OpenAI's dialect: one reply for streams and for whole answers."""

import math
from collections.abc import Awaitable, Callable
from typing import Any

from seawall.core.call import Call, Event
from seawall.core.errors import ClientGone, SeawallError
from seawall.core.money import cost_of, format_usd
from seawall.wire import openai_chat, openai_errors, sse

Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_JSON = (b"content-type", b"application/json")
_STREAM = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


class ChatReply:
    """Writes the answer of one chat completion; see `core.contracts.Reply`.

    `is_deaf` says that nobody listens any more but the answer is still read to its end for its usage.
    """

    def __init__(self, call: Call, send: Send, support_contact: str | None) -> None:
        self._call = call
        self._send = send
        self._support_contact = support_contact
        self._whole = b""
        self._last_frame = b""
        self.has_begun = False
        self.is_done = False
        self.is_deaf = False

    async def send(self, event: Event) -> None:
        """Pass one event on: at once in a stream, at the end in a whole answer."""
        assert self._call.request is not None
        if not self._call.request.stream:
            self._whole = event.raw or self._whole
            return
        frame = event.raw or self._frame_of(event)
        if self.is_deaf or not frame:
            return
        self._last_frame = frame
        if not self.has_begun:
            await self._begin(200, [*_STREAM, *self._headers()])
        await self._send({"type": "http.response.body", "body": frame, "more_body": True})

    async def finish(self) -> None:
        """End the answer cleanly."""
        assert self._call.request is not None
        if self.is_deaf:
            raise ClientGone
        body = b""
        if not self._call.request.stream:
            body = self._whole
            await self._begin(200, [_JSON, _length(body), *self._headers(), *self._cost()])
        self.is_done = True
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def fail(self, error: SeawallError) -> None:
        """End with an error: a status before the first byte, an event and no `[DONE]` after it."""
        if self.is_done:
            return
        body = openai_errors.write_error(error, self._call.id, self._support_contact)
        if self.has_begun:
            body = sse.frame_of(body)
        else:
            await self._begin(error.wire_status, [_JSON, _length(body), *self._headers(), *advice(error)])
        self.is_done = True
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _begin(self, status: int, headers: Headers) -> None:
        self.has_begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    def _frame_of(self, event: Event) -> bytes:
        """Write an event that we made ourselves, because a stream was cut."""
        call = self._call
        if event.finish is not None and call.request is not None:
            last = sse.data_of(self._last_frame) or b""
            data = openai_chat.write_finish(last, event.finish, choices=call.request.cap.choices)
            return sse.frame_of(data)
        return sse.DONE if event.last else b""

    def _headers(self) -> Headers:
        """Return what is known before the answer: the call's id, and whether its output cap was lowered."""
        headers: Headers = [(b"x-request-id", self._call.id.encode())]
        attempt = self._call.attempt
        if attempt is not None and attempt.lowered_from is not None:
            headers.append(
                (b"seawall-output-cap", f"{attempt.output_cap}; asked={attempt.lowered_from}".encode())
            )
        return headers

    def _cost(self) -> Headers:
        """Return what a whole answer cost, where the provider said so."""
        attempt = self._call.attempt
        if attempt is None or attempt.usage is None:
            return []
        cost = format_usd(cost_of(attempt.route.price, attempt.usage))
        return [(b"seawall-cost-usd", cost.encode())]


def _length(body: bytes) -> tuple[bytes, bytes]:
    return (b"content-length", str(len(body)).encode())


def advice(error: SeawallError) -> Headers:
    """Return the headers that tell client libraries whether and when to try again."""
    headers: Headers = []
    if error.retry_after_s is not None:
        headers.append((b"retry-after", str(math.ceil(error.retry_after_s)).encode()))
    if error.should_retry is not None:
        headers.append((b"x-should-retry", b"true" if error.should_retry else b"false"))
    if error.wire_status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    return headers
