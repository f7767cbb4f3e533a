"""The cache of answers in memory: the ones used last, within a bound of bytes, before a file that keeps more.

Invariants:
- A miss costs no look at the file: which keys it holds is known in memory.
- Nobody waits for the file to be written. Trouble with it ends the file, never a call.
- What is cleared is gone for every question that comes later, on its way to the file too.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from seawall.core.answers import CacheStats, KeptAnswer

ENTRY_BYTES = 500
"""What an entry takes besides its body."""


class AnswerFile(Protocol):
    """Where answers are kept over a restart; nothing here raises."""

    def holds(self, key: bytes) -> bool:
        """Say whether a key is in the file."""

    async def read(self, key: bytes) -> KeptAnswer | None:
        """Return what is kept under a key."""

    def write(self, key: bytes, answer: KeptAnswer) -> None:
        """Take an answer, to be written soon."""

    async def clear(self) -> int:
        """Forget everything; returns how many answers."""

    async def forget_user(self, user: bytes) -> int:
        """Forget what was made for an end user; returns how many answers."""

    def measure(self) -> tuple[int, int]:
        """Return how many answers it holds, and in how many bytes."""


class MemoryAnswers:
    """See `core.contracts.AnswerCache`. `now` is in Unix seconds."""

    def __init__(
        self,
        *,
        bytes_max: int,
        keep_s: float,
        file: AnswerFile | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._bytes_max, self._keep_s = bytes_max, keep_s
        self._file, self._now = file, now
        self._entries: OrderedDict[bytes, KeptAnswer] = OrderedDict()
        self._bytes = 0
        self._hits = self._misses = 0
        self._generation = 0

    async def get(self, key: bytes) -> KeptAnswer | None:
        """Return a kept answer that is not too old."""
        found = self._entries.get(key)
        if found is None and self._file is not None and self._file.holds(key):
            generation = self._generation
            found = await self._file.read(key)
            if found is not None and generation == self._generation:
                self._put(key, found)
        if found is None or self._now() >= found.made_at + self._keep_s:
            self._misses += 1
            return None
        if key in self._entries:
            self._entries.move_to_end(key)
        self._hits += 1
        return found

    def put(self, key: bytes, answer: KeptAnswer) -> None:
        """Keep an answer, in the place of an older one."""
        self._put(key, answer)
        if self._file is not None:
            self._file.write(key, answer)

    async def clear(self) -> int:
        """Forget everything; returns how many answers."""
        count = len(self._entries)
        self.drop()
        return max(count, 0 if self._file is None else await self._file.clear())

    async def forget_user(self, user: bytes) -> int:
        """Forget what was made for an end user, by the SHA-256 of its id; returns how many answers."""
        count = self.drop_user(user)
        return max(count, 0 if self._file is None else await self._file.forget_user(user))

    def drop(self) -> None:
        """Forget what is in memory: another process has cleared the file."""
        self._generation += 1
        self._entries.clear()
        self._bytes = 0

    def drop_user(self, user: bytes) -> int:
        """Forget what is in memory of an end user; returns how many answers."""
        mine = [key for key, answer in self._entries.items() if answer.user == user]
        self._generation += 1
        for key in mine:
            self._drop(key)
        return len(mine)

    def stats(self) -> CacheStats:
        """Return what is in the cache."""
        entries, disk = (0, 0) if self._file is None else self._file.measure()
        return CacheStats(
            entries=max(entries, len(self._entries)),
            memory_bytes=self._bytes,
            disk_bytes=disk,
            hits=self._hits,
            misses=self._misses,
        )

    def _put(self, key: bytes, answer: KeptAnswer) -> None:
        self._drop(key)
        self._entries[key] = answer
        self._bytes += len(answer.body) + ENTRY_BYTES
        while self._bytes > self._bytes_max and self._entries:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> None:
        gone = self._entries.pop(key, None)
        if gone is not None:
            self._bytes -= len(gone.body) + ENTRY_BYTES
