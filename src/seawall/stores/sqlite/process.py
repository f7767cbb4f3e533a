"""Which processes are alive: each holds a lock on a file of its own until it dies, however it dies."""

import fcntl
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

MISSING_S = 5.0
"""A process whose file is missing has this long to put it back before it is taken for dead."""


class ProcessLock:
    """The lock of this process; its name goes into every hold that it makes.

    `clock` counts seconds. Raises OSError where the folder cannot be used.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = secrets.token_hex(8)
        self._folder = folder
        self._path = folder / self.name
        self._clock = clock
        self._missing_since: dict[str, float] = {}
        self._file: int | None = None
        self._take()

    def keep(self) -> None:
        """Put the lock back where somebody took its file away: others would take this process for dead."""
        if self._file is None:
            return
        try:
            place = self._path.stat()
        except FileNotFoundError:
            place = None
        if place is None or not os.path.samestat(place, os.fstat(self._file)):
            self._take()

    def release(self) -> None:
        """Give the lock back; only once nothing is held any more."""
        if self._file is None:
            return
        self._path.unlink(missing_ok=True)
        os.close(self._file)
        self._file = None

    def is_dead(self, name: str) -> bool:
        """Say whether another process is certainly dead: nobody holds its lock, or its file stays away."""
        if name == self.name:
            return False
        try:
            file = os.open(self._folder / name, os.O_RDWR)
        except FileNotFoundError:
            return self._clock() - self._missing_since.setdefault(name, self._clock()) >= MISSING_S
        self._missing_since.pop(name, None)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(file)
        return True

    def forget_dead(self) -> None:
        """Delete the files of dead processes; call it once their holds are settled."""
        for path in self._folder.iterdir():
            if not path.name.startswith(".") and self.is_dead(path.name):
                path.unlink(missing_ok=True)

    def _take(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        # Under its real name the file is never seen without its lock.
        unlocked = self._folder / f".{self.name}"
        file = os.open(unlocked, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(self._path)
        if self._file is not None:
            os.close(self._file)
        self._file = file
