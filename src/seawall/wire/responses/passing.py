"""Passes a response on to a client of the same dialect, frame by frame.

Frames go through byte-identical, but for those that hold the response object: the client's own fields stand
in it. The frame that ends the stream comes from `end`, so that the response can be stored before the client
hears that it is complete.
"""

from typing import Any

import msgspec

from seawall.core.call import Event
from seawall.core.errors import SeawallError
from seawall.core.state import StoredItem
from seawall.wire.dialect import Answering
from seawall.wire.responses.answer import ADDED, DONE, ENDS, WITH_RESPONSE
from seawall.wire.responses.cut import close_items, next_sequence, read_frames
from seawall.wire.responses.events import Frames
from seawall.wire.responses.objects import Patch, ended, items_of, write_failure

CUT_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Passing:
    """See `wire.dialect.AnswerWriter`; `response` and `output_items` are for the store."""

    __slots__ = ("_done", "_end", "_is_stream", "_last", "_open", "_opened", "_patch", "_response")

    def __init__(self, answering: Answering) -> None:
        self._patch = Patch(answering)
        self._is_stream = answering.request.stream
        self._response = b""
        self._end = b""
        self._last = b""
        self._done: list[bytes] = []
        self._open: list[bytes] = []
        self._opened = 0

    def write(self, event: Event) -> bytes:
        """Return the frame as it came, patched where it holds the response; the last one is kept for `end`.

        Where the stream was cut the frames that end the open items are returned.
        """
        if event.raw:
            return self._pass(event)
        if event.finish is not None and not self._end:
            return self._cut(event.finish)
        return b""

    def end(self) -> bytes:
        """Return the frame with which the stream ends."""
        return self._end

    def whole(self) -> bytes:
        """Return the body as it came, but for the client's own fields."""
        return self._response

    def fail(self, error: SeawallError) -> bytes:
        """Return the frames of an error in the middle of the stream."""
        return write_failure(error, Frames(self._sequence()), self._response)

    def response(self) -> bytes:
        """Return the response object as the client gets it; valid after the last event."""
        return self._response

    def output_items(self) -> tuple[StoredItem, ...]:
        """Return what the model answered; valid after the last event."""
        return items_of(self._response)

    def _sequence(self) -> int:
        """Return the number of the next event."""
        return next_sequence(read_frames([self._last]))

    def _pass(self, event: Event) -> bytes:
        raw, kind = event.raw, event.kind
        if not self._is_stream:
            self._response = self._patch.response(raw)
            return b""
        if kind:
            self._last = raw
        if kind in WITH_RESPONSE:
            frame, self._response = self._patch.frame(raw)
            if kind in ENDS:
                self._end = frame
                return b""
            return frame
        self._note(raw, kind)
        return raw

    def _note(self, raw: bytes, kind: str) -> None:
        """Remember what a cut would have to close: finished items, and all frames of those that are not."""
        if kind == ADDED:
            self._opened += 1
        if kind == DONE:
            self._opened -= 1
            self._done.append(raw)
            if self._opened <= 0:
                self._opened = 0
                self._open.clear()
        elif self._opened:
            self._open.append(raw)

    def _cut(self, finish: str) -> bytes:
        frames = Frames(self._sequence())
        items, closing = close_items(read_frames([*self._open, *self._done]), frames)
        begun: dict[str, Any] = _decode(self._response or b"{}")
        reason = CUT_REASONS.get(finish, "max_output_tokens")
        response = {**ended(begun, reason), "output": list(items.values())}
        self._response = _encode(response)
        self._end = frames.write("response.incomplete", {"response": msgspec.Raw(self._response)})
        return closing
