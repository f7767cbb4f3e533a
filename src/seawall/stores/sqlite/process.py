"""Which processes are alive: each holds a lock on a file of its own until it dies, however it dies."""

import fcntl
import os
import secrets
from pathlib import Path


class ProcessLock:
    """The lock of this process; its name goes into every hold that it makes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.name = secrets.token_hex(8)
        self._folder = folder
        self._path = folder / self.name
        unlocked = folder / f".{self.name}"  # Under its real name the file is never seen without its lock.
        self._file = os.open(unlocked, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(self._path)

    def release(self) -> None:
        """Give the lock back; only once nothing is held any more."""
        self._path.unlink(missing_ok=True)
        os.close(self._file)

    def is_dead(self, name: str) -> bool:
        """Say whether another process is certainly dead: its file is gone, or nobody holds the lock."""
        if name == self.name:
            return False
        try:
            file = os.open(self._folder / name, os.O_RDWR)
        except FileNotFoundError:
            return True
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
