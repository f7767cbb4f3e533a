"""How workers share one listening socket: who has the fewest connections takes the next.

Left to themselves they do not share: the first to wake takes all that wait, so that a client that opens its
connections at once has all of them at one worker, and keeps them there. A socket for each (SO_REUSEPORT)
leaves it to chance, and macOS gives everything to one.

Invariants:
- A worker writes only its own place in the shared memory; the supervisor clears that of one that has died.
- Waiting for somebody with fewer connections has an end: who is stuck keeps no client waiting.
"""

import asyncio
import logging
import mmap
import os
import socket
import tempfile
from collections.abc import Awaitable, Callable

log = logging.getLogger("seawall.server")

STAND_BACK_S = 0.005
FULL_S = 1.0
NOT_SERVING = 2**32 - 1
_PLACE_BYTES = 4


class Loads:
    """How many connections each worker has, in memory that all of them see."""

    def __init__(self, descriptor: int, count: int) -> None:
        self.descriptor, self.count = descriptor, count
        self._memory = memoryview(mmap.mmap(descriptor, count * _PLACE_BYTES)).cast("I")

    @classmethod
    def make(cls, count: int) -> "Loads":
        """Make the memory; nobody serves yet."""
        with tempfile.TemporaryFile() as file:
            file.write(b"\xff" * count * _PLACE_BYTES)
            file.flush()
            return cls(os.dup(file.fileno()), count)

    def note(self, number: int, connections: int) -> None:
        """Write down how many connections a worker has; workers are counted from 1."""
        self._memory[number - 1] = connections

    def leave(self, number: int) -> None:
        """Write down that a worker does not serve."""
        self._memory[number - 1] = NOT_SERVING

    def fewest(self, but: int) -> int:
        """Return the fewest connections that any of the others has."""
        return min((n for place, n in enumerate(self._memory, 1) if place != but), default=NOT_SERVING)


class Acceptor:
    """Takes connections of a shared socket, one at a time, for the worker `number`.

    `connections` counts those that are open, `connect` brings up a new one, and raises OSError if it cannot.
    """

    def __init__(
        self,
        listening: socket.socket,
        loads: Loads,
        number: int,
        *,
        connections: Callable[[], int],
        connect: Callable[[socket.socket], Awaitable[None]],
    ) -> None:
        self._listening, self._loads, self._number = listening, loads, number
        self._connections, self._connect = connections, connect
        self._opening: set[asyncio.Task[object]] = set()
        self._loop = asyncio.get_running_loop()
        self._standing_back: asyncio.TimerHandle | None = None
        self._listening.setblocking(False)
        self.note()
        self._loop.add_reader(self._listening, self._come)

    def note(self) -> int:
        """Tell the others how many connections there are; call it now and then, since they end unseen."""
        count = self._connections() + len(self._opening)
        self._loads.note(self._number, count)
        return count

    def close(self) -> None:
        """Take no more."""
        if self._standing_back is not None:
            self._standing_back.cancel()
        self._loop.remove_reader(self._listening)
        self._loads.leave(self._number)

    def _come(self) -> None:
        """Take what waits, or leave it for a moment to a worker that has fewer connections."""
        if self.note() <= self._loads.fewest(but=self._number):
            self._accept()
            return
        self._stand_back(STAND_BACK_S)

    def _stand_back(self, seconds: float) -> None:
        self._loop.remove_reader(self._listening)
        self._standing_back = self._loop.call_later(seconds, self._come_back)

    def _come_back(self) -> None:
        self._standing_back = None
        self._loop.add_reader(self._listening, self._come)
        self._accept()

    def _accept(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, ConnectionError):  # Another worker was quicker, or the client has gone.
            return
        except OSError as error:  # Too many open files: what waits would call again at once, and for nothing.
            log.error("no connection can be taken", extra={"fields": {"why": error.strerror}})
            self._stand_back(FULL_S)
            return
        connection.setblocking(False)
        opening = self._loop.create_task(self._open(connection))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket) -> None:
        try:
            await self._connect(connection)
        except OSError:  # The client has gone, or speaks no TLS.
            connection.close()
