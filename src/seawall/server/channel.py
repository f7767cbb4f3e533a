"""A worker's line to its supervisor: it brings the order, takes the news, and ends when the supervisor dies.

Both directions carry messages of a length (four bytes, big-endian) and so many bytes.
"""

import asyncio
import socket
from collections.abc import Callable

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
_LENGTH_BYTES = 4


class Channel:
    """The worker's end; `descriptor` is inherited from the supervisor."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)

    def read_order(self) -> bytes:
        """Wait for what the supervisor wants; raises EOFError where it has died meanwhile."""
        return self._read(int.from_bytes(self._read(_LENGTH_BYTES), "big"))

    def tell_ready(self, greeting: str) -> None:
        """Say that this worker serves; a supervisor that has died is noticed by `watch`."""
        try:
            self._socket.sendall(packed(greeting.encode()))
        except OSError:
            return

    def watch(self, on_end: Callable[[], None]) -> None:
        """Call `on_end` once the supervisor has died, however it died; call this in the running loop."""
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.remove_reader(self._socket)
            on_end()

        loop.add_reader(self._socket, end)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self._socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data


def packed(message: bytes) -> bytes:
    """Return a message as it travels."""
    assert len(message) <= MESSAGE_BYTES_MAX
    return len(message).to_bytes(_LENGTH_BYTES, "big") + message


async def read_message(reader: asyncio.StreamReader) -> bytes | None:
    """Return the next message, `None` where the other end is closed."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
        return await reader.readexactly(length) if length <= MESSAGE_BYTES_MAX else None
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
