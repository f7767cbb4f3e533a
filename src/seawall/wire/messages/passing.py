"""Passes a message on to a client of the same dialect, frame by frame."""

from typing import Any

import msgspec

from seawall.core.call import Event
from seawall.wire import sse
from seawall.wire.dialect import Answering
from seawall.wire.messages.frames import MESSAGE_STOP, frame_of


class Passing:
    """See `wire.dialect.AnswerWriter`."""

    __slots__ = ("_answering", "_is_ended", "_last_frame", "_open", "_start")

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._start = self._open = self._last_frame = b""
        self._is_ended = False

    def write(self, event: Event) -> bytes:
        """Return the frame as it came; what is missing because the stream was cut is written here."""
        if event.raw:
            self._note(event)
            return event.raw
        if event.finish is not None:
            return self._cut()
        if event.last and not self._is_ended:
            self._is_ended = True
            return MESSAGE_STOP
        return b""

    def end(self) -> bytes:
        """Return nothing more: `message_stop` was an event."""
        return b""

    def whole(self) -> bytes:
        """Return the body as it came."""
        return self._last_frame

    def _note(self, event: Event) -> None:
        kind = event.kind
        if kind == "content_block_delta":
            return
        self._last_frame = event.raw
        if kind == "content_block_start":
            self._open = event.raw
        elif kind == "content_block_stop":
            self._open = b""
        elif kind == "message_start":
            self._start = event.raw
        elif kind == "message_stop":
            self._is_ended = True

    def _cut(self) -> bytes:
        """Close the block that is open, and say that the output cap was reached.

        What was generated is not known to the token; the cap is the least that it can be.
        """
        frames = b""
        index = _object(self._open).get("index")
        if isinstance(index, int):
            frames = frame_of("content_block_stop", {"type": "content_block_stop", "index": index})
        self._open = b""
        message = _object(self._start).get("message")
        usage = message.get("usage") if isinstance(message, dict) else None
        known = usage if isinstance(usage, dict) else {}
        figures = {name: value for name, value in known.items() if name in _INPUT_FIGURES}
        delta = {
            "type": "message_delta",
            "delta": {"stop_reason": "max_tokens", "stop_sequence": None},
            "usage": {**figures, "output_tokens": self._answering.output_cap},
        }
        return frames + frame_of("message_delta", delta)


_INPUT_FIGURES = frozenset({"input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"})


def _object(frame: bytes) -> dict[str, Any]:
    """Return the object that a frame carries, an empty one where it carries none."""
    try:
        value = msgspec.json.decode(sse.data_of(frame) or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
