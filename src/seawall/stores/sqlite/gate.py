"""Keeps processes from opening a data folder while its database is being replaced or moved away.

Whoever opens the folder holds the gate shared until its process lock is taken; whoever replaces the database
holds it alone, and looks for living processes behind it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seawall.stores.sqlite.inspection import count_living

FILE = "gate.lock"


class InUse(Exception):
    """Processes have the data folder open; `living` counts them, 0 where one is just opening it."""

    def __init__(self, living: int) -> None:
        super().__init__(f"{living} processes have the data folder open")
        self.living = living


@contextmanager
def passing(folder: Path) -> Iterator[None]:
    """Open a data folder inside of this block; raises OSError while its database is being replaced."""
    with _locked(folder, fcntl.LOCK_SH) as is_open:
        if not is_open:
            raise OSError("its database is being restored or moved; wait until that is done")
        yield


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """Keep everybody out; raises InUse where somebody is in, and OSError."""
    with _locked(folder, fcntl.LOCK_EX) as is_ours:
        living = count_living(folder)
        if living or not is_ours:
            raise InUse(living)
        yield


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[bool]:
    file = os.open(folder / FILE, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(file)
