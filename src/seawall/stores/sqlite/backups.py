"""Backups of the database: what they are called, what is in them, and which are deleted.

Invariants:
- Only one process at a time copies the database of a data folder.
- Only files are deleted whose names say that the schedule made them: what was made by hand or before an
  upgrade stays until somebody deletes it.
"""

import fcntl
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from seawall import __version__
from seawall.stores.sqlite.copying import TEMPORARY, CopyFailed, Course, copy_database

LOCK_FILE = "backup.lock"
FOLDER = "backups"
NUMBERED_MAX = 1_000
STALE_S = 3_600.0
"""An unfinished copy that nobody has written to for so long was left by a process that died."""

SCHEDULED, BY_HAND = "scheduled", "seawall"

_NAME = re.compile(r"(scheduled|seawall|before-\d{4})-(\d{8}T\d{6}Z)(?:-\d{1,3})?\.db")


class Backup(Struct, frozen=True):
    """A backup in a folder; `at_s` is the moment that its name tells, in Unix seconds."""

    path: Path
    kind: str
    at_s: float
    bytes: int


class BackupRunning(Exception):
    """Another process is making a backup of the same database."""


def make_backup(
    database: Path, target: Path, files: Mapping[str, bytes], at_s: float, course: Course
) -> Backup:
    """Copy a database to a path where nothing is, inside of `only_one`; `files` of the folder go with it.

    Raises CopyFailed.
    """
    size = copy_database(database, target, contents_of(files, at_s), course)
    match = _NAME.fullmatch(target.name)
    return Backup(target, match[1] if match else BY_HAND, at_s, size)


def contents_of(files: Mapping[str, bytes], at_s: float) -> dict[str, bytes]:
    """Return what a backup has beside the tables: its moment, who made it, and files."""
    facts = {"made_at": repr(at_s).encode(), "made_by": f"seawall {__version__}".encode()}
    return facts | {f"file:{name}": data for name, data in files.items()}


@contextmanager
def only_one(folder: Path, *, waits: bool = False) -> Iterator[None]:
    """Keep others from copying the database of a data folder; raises BackupRunning where one does, unless
    this one waits."""
    file = os.open(folder / LOCK_FILE, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        yield
    except BlockingIOError:
        raise BackupRunning from None
    finally:
        os.close(file)


def place_for(folder: Path, kind: str, at_s: float) -> Path:
    """Return the path of a backup of this kind and moment; several of one second are numbered."""
    name = f"{kind}-{datetime.fromtimestamp(at_s, UTC):%Y%m%dT%H%M%SZ}"
    numbered = (folder / f"{name}-{number}.db" for number in range(2, NUMBERED_MAX))
    return next(
        (path for path in (folder / f"{name}.db", *numbered) if not path.exists()), folder / f"{name}.db"
    )


def make_folder(folder: Path) -> None:
    """Make the folder of the backups, its owner's alone; raises CopyFailed.

    Only its last part is made: where a disk is not mounted nothing is written under its name.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise CopyFailed(f"the folder {folder} cannot be made ({error.strerror})") from error


def list_backups(folder: Path) -> list[Backup]:
    """List the backups in a folder, oldest first; raises OSError."""
    if not folder.is_dir():
        return []
    found = []
    for path in folder.iterdir():
        match = _NAME.fullmatch(path.name)
        if match is not None and path.is_file() and not path.is_symlink():
            at_s = datetime.strptime(match[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
            found.append(Backup(path, match[1], at_s, path.stat().st_size))
    return sorted(found, key=lambda each: (each.at_s, each.path.name))


def rotate(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest scheduled backups, and what died while it was made; returns what is gone."""
    scheduled = [each.path for each in list_backups(folder) if each.kind == SCHEDULED]
    gone = scheduled[:-keep]
    for path in folder.glob(f".*{TEMPORARY}"):
        name = path.name[1:].partition(".db.")[0] + ".db"
        if _NAME.fullmatch(name) and time.time() - path.stat().st_mtime > STALE_S:
            gone.append(path)
    for path in gone:
        with suppress(FileNotFoundError):
            path.unlink()
    return gone
