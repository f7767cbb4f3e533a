"""The mock provider's answers that are not streams: whole, late, faulty or broken off."""

import asyncio
from typing import Final

from seawall.proving.mock_connection import RESET_AFTER_S, Connection, Seen
from seawall.proving.mock_frames import OPENAI_HEADERS, Writer, head_of

_SHORT_BY: Final = 100
_RETRY_AFTER_S: Final = 7
_CLOSE: Final = (("connection", "close"),)


def reply(
    connection: Connection,
    seen: Seen,
    status: int,
    body: bytes,
    *,
    headers: str = OPENAI_HEADERS,
    extra: tuple[tuple[str, str], ...] = (),
) -> None:
    """Write a complete answer."""
    seen.status, seen.is_complete = status, True
    connection.transport.write(head_of(status, len(body), headers, extra=extra) + body)
    connection.finish(seen, closes=seen.behaviour.closes)


class Whole:
    """One answer that is written at once, as its record's behaviour asks for."""

    def __init__(self, connection: Connection, seen: Seen, writer: Writer) -> None:
        self._connection, self._seen, self._writer = connection, seen, writer
        self._timer: asyncio.Handle | None = None

    def start(self) -> None:
        """Answer after the delay that the behaviour asks for, or never."""
        behaviour = self._seen.behaviour
        if behaviour.fault == "hole":
            self._connection.expect(lost=self._leave)
        elif behaviour.head_delay_ms:
            self._connection.expect(lost=self._leave)
            loop = self._connection.desk.loop
            self._timer = loop.call_later(behaviour.head_delay_ms / 1000, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        """Write the answer in the way that was asked for."""
        behaviour = self._seen.behaviour
        if behaviour.status >= 400:
            self._refuse()
        elif behaviour.fault:
            self._fault(self._writer.whole())
        elif behaviour.breaks in {"reset", "eof", "stall"}:
            self._break(self._writer.whole())
        else:
            self._reply(200, self._writer.whole(), ())

    def _refuse(self) -> None:
        """Write an error; 429 and 503 always say when to come back."""
        behaviour = self._seen.behaviour
        wait_s = behaviour.retry_after_s
        if wait_s is None and behaviour.status in {429, 503}:
            wait_s = _RETRY_AFTER_S
        extra = (("retry-after", str(wait_s)),) if wait_s is not None else ()
        self._reply(behaviour.status, self._writer.error(behaviour.status), extra)

    def _reply(self, status: int, body: bytes, extra: tuple[tuple[str, str], ...]) -> None:
        """Write a complete answer with the vendor's own headers."""
        extra += _CLOSE if self._seen.behaviour.closes else ()
        reply(self._connection, self._seen, status, body, headers=self._writer.headers, extra=extra)

    def _fault(self, body: bytes) -> None:
        """Write an answer that something is wrong with."""
        seen, write, headers = self._seen, self._connection.transport.write, self._writer.headers
        seen.status = 200
        match seen.behaviour.fault:
            case "badjson":
                write(head_of(200, len(body) // 2, headers) + body[: len(body) // 2])
            case "redirect":
                seen.status = 307
                write(head_of(307, 0, headers, extra=(("location", "/v1/elsewhere"),)))
            case "hugehead":
                huge = ("x-huge", "h" * seen.behaviour.huge_head_bytes)
                write(head_of(200, len(body), headers, extra=(huge,)) + body)
            case "short":
                write(head_of(200, len(body) + _SHORT_BY, headers) + body)
            case _:
                write(b"WHAT/7 is this\r\n\r\n")
        self._connection.finish(seen, closes=seen.behaviour.fault in {"short", "badhttp"})

    def _break(self, body: bytes) -> None:
        """Break off in the middle of the body, or before the first byte."""
        connection, seen = self._connection, self._seen
        if seen.behaviour.break_after:
            seen.status = 200
            connection.transport.write(head_of(200, len(body), self._writer.headers) + body[: len(body) // 2])
        if seen.behaviour.breaks == "eof":
            connection.finish(seen, closes=True)
            return
        connection.expect(lost=self._leave)
        if seen.behaviour.breaks == "reset":
            self._timer = connection.desk.loop.call_later(RESET_AFTER_S, self._reset)

    def _reset(self) -> None:
        """Break the connection under the client."""
        self._connection.reset()
        self._connection.finish(self._seen, closes=False)

    def _leave(self) -> None:
        """Stop: the client has gone."""
        if self._timer is not None:
            self._timer.cancel()
        self._connection.finish(self._seen, closes=False)
