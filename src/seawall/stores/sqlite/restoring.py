"""Puts a backup in the place of the database of a data folder.

Invariants:
- Nothing is touched before the backup has been copied into the folder and found sound.
- There is a whole database in the folder at every moment: the one that was there gets a second name and
  stays, then the backup takes its place in one step.
- The log of writes of one database never lies beside another: SQLite would write it into that one.
- Nobody opens the folder meanwhile.
"""

import os
import re
from pathlib import Path

import apsw
from msgspec import Struct

from seawall.stores.sqlite.backups import place_for
from seawall.stores.sqlite.connection import newest_schema, open_file
from seawall.stores.sqlite.copying import CopyFailed, Course, copy_database, flush
from seawall.stores.sqlite.gate import closed
from seawall.stores.sqlite.inspection import DATABASE_FILE
from seawall.stores.sqlite.marks import MOVED, MOVING, is_marked
from seawall.stores.sqlite.summary import Summary, summarise

WAITING_FILE = ".restoring.db"
_PROCESS = re.compile(r"[0-9a-f]{16}")


class Waiting(Struct, frozen=True):
    """A backup that was copied into a data folder and found sound, on its way to its place."""

    path: Path
    summary: Summary

    def drop(self) -> None:
        """Delete the copy, where it has not taken its place."""
        self.path.unlink(missing_ok=True)


def bring_in(file: Path, folder: Path, course: Course) -> Waiting:
    """Copy a backup into a data folder and check it; raises CopyFailed, and then nothing has changed."""
    path = folder / WAITING_FILE
    try:
        path.unlink(missing_ok=True)
        summary = summarise(file)
    except OSError as error:
        raise CopyFailed(error.strerror or str(error)) from error
    if summary.schema > newest_schema():
        raise CopyFailed(
            f"it was written by a newer Seawall: its schema is {summary.schema}, and this one knows"
            f" {newest_schema()}"
        )
    copy_database(file, path, {}, course)
    _check_marks(path)
    return Waiting(path, summary)


def _check_marks(path: Path) -> None:
    """Refuse what was only half moved; what was moved away may come back this way."""
    connection = apsw.Connection(str(path))
    try:
        if is_marked(connection, MOVING):
            path.unlink()
            raise CopyFailed("data was being moved into it, and not all of it has arrived")
        connection.execute(f"DROP TABLE IF EXISTS {MOVED}")
    finally:
        connection.close()


def put_in_place(waiting: Waiting, folder: Path, at_s: float) -> Path | None:
    """Make a backup the database of a folder; returns where the one that was there is kept.

    Raises gate.InUse where a process has the folder open, and OSError.
    """
    database = folder / DATABASE_FILE
    with closed(folder):
        kept = _keep(database, place_for(folder, "replaced", at_s)) if database.exists() else None
        waiting.path.replace(database)
        note_holders(waiting.summary.holders, folder / "processes")
        flush(folder)
    return kept


def _keep(database: Path, name: Path) -> Path:
    """Give the database a second name, with everything in it that its log of writes has."""
    if _is_readable(database):  # Else it is kept as it lies: SQLite would tidy up what it cannot read.
        _write_log_back(database)
    for ending in ("-wal", "-shm"):
        beside = database.with_name(database.name + ending)
        if beside.exists():
            beside.rename(name.with_name(name.name + ending))
    try:
        os.link(database, name)
    except FileExistsError:
        raise
    except OSError:  # Not every file system knows second names.
        database.rename(name)
    return name


def _write_log_back(database: Path) -> None:
    try:
        connection = open_file(database)
        try:
            connection.pragma("wal_checkpoint(truncate)")
        finally:
            connection.close()
    except apsw.Error as error:
        raise OSError(str(error)) from error


def _is_readable(database: Path) -> bool:
    try:
        summarise(database)
    except OSError:
        return False
    return True


def note_holders(holders: tuple[str, ...], folder: Path) -> None:
    """Leave a lock that nobody holds for each process whose holds have come here from elsewhere.

    A process without any is taken for dead only after a while: its holds would not be settled at the start.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    for holder in holders:
        if _PROCESS.fullmatch(holder):
            (folder / holder).touch(mode=0o600)
