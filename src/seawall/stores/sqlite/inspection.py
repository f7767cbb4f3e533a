"""Looks at a data folder without making, locking or changing anything that a gateway relies on."""

import fcntl
from pathlib import Path

import apsw
from msgspec import Struct

from seawall.stores.sqlite.connection import open_reader

DATABASE_FILE = "seawall.db"


class Inspection(Struct, frozen=True):
    """What there is in a data folder; `living` counts the processes that have it open."""

    database_bytes: int
    schema: int
    living: int


def inspect(folder: Path) -> Inspection:
    """Look at the database of a folder; raises OSError where it cannot be read."""
    path = folder / DATABASE_FILE
    size = sum(file.stat().st_size for file in folder.glob(f"{DATABASE_FILE}*"))
    try:
        connection = open_reader(path)
        try:
            schema = int(connection.pragma("user_version"))
        finally:
            connection.close()
    except apsw.Error as error:
        raise OSError(f"{path.name}: {error}") from error
    return Inspection(database_bytes=size, schema=schema, living=count_living(folder))


def sqlite_version() -> str:
    """Return the version of SQLite that the stores run on."""
    return apsw.sqlite_lib_version()


def count_living(folder: Path) -> int:
    """Count the processes that have a data folder open."""
    locks = folder / "processes"
    if not locks.is_dir():
        return 0
    return sum(_is_locked(path) for path in locks.iterdir() if not path.name.startswith("."))


def _is_locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
