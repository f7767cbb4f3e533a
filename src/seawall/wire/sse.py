"""Server-sent events: cut a byte stream into frames, and read and write their data."""

import re

from seawall.core.errors import UpstreamUnavailable

FRAME_BYTES_MAX = 8 * 1024 * 1024
DONE = b"data: [DONE]\n\n"
SEAM_BYTES = 3
"""A blank line may stand across two chunks; its longest form has four bytes."""

_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


class FrameSplitter:
    """Turns chunks as they arrive into whole frames, each with its closing blank line, bytes unchanged.

    What is not complete is kept in pieces and looked at once: an endless frame costs no more than its bytes.
    """

    __slots__ = ("_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the frames that are complete now.

        Raises UpstreamUnavailable for a frame larger than 8 MB.
        """
        if not self._pieces and 0 < chunk.find(b"\n\n") == len(chunk) - 2 and b"\r" not in chunk:
            return [chunk]
        seam = b"".join(self._pieces[-SEAM_BYTES:])[-SEAM_BYTES:]
        self._pieces.append(chunk)
        self._size += len(chunk)
        if _END.search(seam + chunk) is None:
            if self._size > FRAME_BYTES_MAX:
                raise UpstreamUnavailable("The provider sent an event that is too large.")
            return []
        return self._cut(b"".join(self._pieces))

    def _cut(self, data: bytes) -> list[bytes]:
        frames, start = [], 0
        for end in _END.finditer(data):
            frames.append(data[start : end.end()])
            start = end.end()
        rest = data[start:]
        self._pieces, self._size = [rest] if rest else [], len(rest)
        return frames

    @property
    def rest(self) -> bytes:
        """Return what has arrived of a frame that is not complete."""
        return b"".join(self._pieces)


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
