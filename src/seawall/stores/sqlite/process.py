"""Which processes are alive: each locks a file of its own until it dies; and which of them serves."""

import fcntl
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

SERVING_FILE = "serving.lock"
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
        self._forgotten: set[str] = set()
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
            since = self._missing_since.setdefault(name, self._clock())
            return name in self._forgotten or self._clock() - since >= MISSING_S
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
                self._forgotten.add(path.name)  # Jobs of theirs are looked for later.
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


class ServingLock:
    """Says that a gateway serves from a folder: one at a time, or each would count limits for itself.

    Commands need no lock. The system frees it when its holder dies, however it dies. Raises OSError where the
    folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / SERVING_FILE
        self._file: int | None = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)

    def take(self) -> bool:
        """Take the lock; False where another process has it."""
        assert self._file is not None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)
        return True

    def holder(self) -> str:
        """Return the process id of the gateway that has the lock; empty where it has written none yet."""
        return self._path.read_text(encoding="ascii")

    def leave(self) -> None:
        """Give the lock back, so that a successor may serve while this gateway finishes its last calls."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
