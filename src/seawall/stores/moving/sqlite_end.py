"""The SQLite file of a data folder as one end of a move."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from seawall.stores.moving.tables import FORGET_CARRIERS, TABLES, End, Key, MoveRefused, Row, Table
from seawall.stores.sqlite.connection import open_file
from seawall.stores.sqlite.gate import InUse, closed
from seawall.stores.sqlite.inspection import DATABASE_FILE
from seawall.stores.sqlite.marks import MOVED, MOVING, is_marked, moved_to
from seawall.stores.sqlite.restoring import note_holders
from seawall.stores.sqlite.upgrading import bring_up_to_date

_HOLDERS = "SELECT DISTINCT process FROM holds"
_MAKE_MOVING = (
    "CREATE TABLE moving (name TEXT NOT NULL PRIMARY KEY, note BLOB NOT NULL) STRICT, WITHOUT ROWID"
)
_NOTE = "INSERT OR REPLACE INTO moving VALUES (?, ?)"
_MAKE_MOVED = "CREATE TABLE IF NOT EXISTS moved (address TEXT NOT NULL) STRICT"
_HIGHEST = "SELECT seq FROM sqlite_sequence WHERE name = ?"


@contextmanager
def sqlite_end(folder: Path, address: str) -> Iterator[End]:
    """Open the database of a data folder, which nobody opens meanwhile; raises MoveRefused."""
    path = folder / DATABASE_FILE
    try:
        with closed(folder):
            bring_up_to_date(path, heeds_marks=False)
            connection = open_file(path)
            try:
                yield SqliteEnd(connection, folder, address)
            finally:
                connection.close(True)
    except InUse:
        raise MoveRefused(f"a process has {address} open: stop the gateway first") from None
    except apsw.Error as error:
        raise MoveRefused(f"{address} cannot be used ({error})") from error
    except OSError as error:
        raise MoveRefused(f"{address} cannot be used ({error.strerror or error})") from error


class SqliteEnd:
    """See `tables.End`."""

    def __init__(self, connection: apsw.Connection, folder: Path, address: str) -> None:
        self.address = address
        self._connection, self._folder = connection, folder

    def rows(self, table: Table, after: Key | None, at_most: int) -> list[Row]:
        """Return rows in the order of their keys."""
        columns, key = ", ".join(table.columns), ", ".join(table.key)
        where = f"WHERE ({key}) > ({_places(table.key)})" if after is not None else ""
        question = f"SELECT {columns} FROM {table.name} {where} ORDER BY {key} LIMIT {at_most}"  # noqa: S608 - names of our own
        return self._connection.execute(question, after or ()).fetchall()

    def count(self, table: Table) -> int:
        """Return how many rows there are."""
        [(count,)] = self._connection.execute(f"SELECT count(*) FROM {table.name}").fetchall()  # noqa: S608 - as above
        assert isinstance(count, int)
        return count

    def highest(self, table: Table) -> int:
        """Return the highest number ever given."""
        row = self._connection.execute(_HIGHEST, (table.name,)).fetchone()
        return 0 if row is None else int(row[0] or 0)

    def fit(self, row: Row) -> Row:
        """Return the row: everything fits."""
        return row

    def moved_to(self) -> str | None:
        """Return where everything was moved to."""
        return moved_to(self._connection)

    def mark_moved(self, address: str) -> None:
        """Keep gateways from this file from now on."""
        with self._connection:
            self._connection.execute(_MAKE_MOVED)
            self._connection.execute("DELETE FROM moved")
            self._connection.execute("INSERT INTO moved VALUES (?)", (address,))

    def noted(self) -> dict[str, bytes] | None:
        """Return what is noted of an unfinished move."""
        if not is_marked(self._connection, MOVING):
            return None
        return dict(self._connection.execute("SELECT name, note FROM moving").fetchall())  # type: ignore[arg-type] # the columns say so

    def begin(self, notes: dict[str, bytes]) -> None:
        """Empty the file and mark it."""
        with self._connection:
            for table in reversed(TABLES):
                self._connection.execute(f"DELETE FROM {table.name}")  # noqa: S608 - as above
            for mark in (MOVING, MOVED):
                self._connection.execute(f"DROP TABLE IF EXISTS {mark}")
            self._connection.execute(_MAKE_MOVING)
            self._connection.executemany(_NOTE, notes.items())

    def add(self, table: Table, rows: list[Row], note: bytes) -> None:
        """Add rows."""
        columns = ", ".join(table.columns)
        statement = f"INSERT INTO {table.name} ({columns}) VALUES ({_places(table.columns)})"  # noqa: S608 - as above
        with self._connection:
            self._connection.executemany(statement, rows)
            self._connection.execute(_NOTE, (table.name, note))

    def finish(self, highest: dict[str, int]) -> None:
        """Take the mark away; a process that is gone left its holds, and the next start settles them."""
        holders = tuple(str(process) for (process,) in self._connection.execute(_HOLDERS))
        note_holders(holders, self._folder / "processes")
        with self._connection:
            for name, number in highest.items():
                self._connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
                self._connection.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (name, number))
            self._connection.execute(FORGET_CARRIERS)
            self._connection.execute("DROP TABLE moving")


def _places(columns: tuple[str, ...]) -> str:
    return ", ".join("?" * len(columns))
