"""Opens the SQLite file the one safe way, and brings its schema up to date."""

import os
from importlib import resources
from pathlib import Path

import apsw

BUSY_TIMEOUT_MS = 5_000

_SETTINGS = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: a commit that was answered survives a power cut.
    "foreign_keys": 1,
    "busy_timeout": BUSY_TIMEOUT_MS,
}


def open_file(path: Path) -> apsw.Connection:
    """Open (and create, readable by its owner only) the file with durable commits.

    Every setting is made by a call of its own and read back, because several in one string run lazily.
    Raises apsw.Error where the file cannot be opened.
    """
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = apsw.Connection(str(path), statementcachesize=512)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    for name, value in _SETTINGS.items():
        connection.pragma(name, value)
        assert connection.pragma(name) == value, f"SQLite did not accept {name}"
    return connection


def open_reader(path: Path) -> apsw.Connection:
    """Open the file for reading only."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    return connection


def migrate(connection: apsw.Connection) -> None:
    """Run the numbered migrations that this file has not seen, each in a transaction of its own."""
    for number, text in _migrations():
        connection.execute("BEGIN IMMEDIATE")
        try:
            if connection.pragma("user_version") < number:
                connection.execute(text)
                connection.pragma("user_version", number)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def newest_schema() -> int:
    """Return the number of the last migration."""
    return _migrations()[-1][0]


def _migrations() -> list[tuple[int, str]]:
    folder = resources.files("seawall.stores.sqlite") / "schema"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(int(f.name.split("_")[0]), f.read_text(encoding="utf-8")) for f in files]
