"""Server-sent events: cut a byte stream into frames, and read and write their data."""

import re

from seawall.core.errors import UpstreamUnavailable

FRAME_BYTES_MAX = 8 * 1024 * 1024
DONE = b"data: [DONE]\n\n"

_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


class FrameSplitter:
    """Turns chunks as they arrive into whole frames, each with its closing blank line, bytes unchanged."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the frames that are complete now.

        Raises UpstreamUnavailable for a frame larger than 8 MB.
        """
        if (
            not self._rest
            and chunk.endswith(b"\n\n")
            and chunk.find(b"\n\n") == len(chunk) - 2
            and b"\r" not in chunk
        ):
            return [chunk]
        data = self._rest + chunk
        frames = []
        start = 0
        for end in _END.finditer(data):
            frames.append(data[start : end.end()])
            start = end.end()
        self._rest = data[start:]
        if len(self._rest) > FRAME_BYTES_MAX:
            raise UpstreamUnavailable("The provider sent an event that is too large.")
        return frames

    @property
    def rest(self) -> bytes:
        """Return what has arrived of a frame that is not complete."""
        return self._rest


def data_of(frame: bytes) -> bytes | None:
    """Return the data of a frame, its lines joined; `None` for a comment or a frame without data."""
    if frame.startswith(b"data: ") and frame.count(b"\n") == 2:
        return frame[6:-2].strip()
    lines = [line for line in re.split(rb"\r\n|\n|\r", frame) if line.startswith(b"data:")]
    if not lines:
        return None
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines).strip()


def frame_of(data: bytes) -> bytes:
    """Write one frame without a name."""
    return b"data: " + data + b"\n\n"
