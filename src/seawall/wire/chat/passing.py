"""Passes a chat completion on to a client of the same dialect, frame by frame."""

from seawall.core.call import Event
from seawall.wire import sse
from seawall.wire.chat.answer import write_finish
from seawall.wire.dialect import Answering


class Passing:
    """See `wire.dialect.AnswerWriter`."""

    __slots__ = ("_answering", "_last_frame")

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._last_frame = b""

    def write(self, event: Event) -> bytes:
        """Return the frame as it came; one that we made because the stream was cut is written here."""
        if event.raw:
            self._last_frame = event.raw
            return event.raw
        if event.finish is not None:
            last = sse.data_of(self._last_frame) or b""
            choices = self._answering.request.cap.choices
            return sse.frame_of(write_finish(last, event.finish, choices=choices))
        return sse.DONE if event.last else b""

    def end(self) -> bytes:
        """Return nothing more: `[DONE]` was an event."""
        return b""

    def whole(self) -> bytes:
        """Return the body as it came."""
        return self._last_frame
