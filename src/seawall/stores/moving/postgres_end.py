"""A Postgres database as one end of a move."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from seawall.stores.moving.tables import FORGET_CARRIERS, TABLES, End, Key, MoveRefused, Row, Table
from seawall.stores.postgres.connection import (
    MIGRATION_LOCK,
    MOVED,
    MOVING,
    conninfo_of,
    is_marked,
    migrate,
    moved_to,
    reason_of,
)

NAME = "seawall migrate-store"
LOOKS = 30

_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND application_name = %s"
)
_LOCK = "SELECT pg_advisory_lock(%s)"
_NOTE = "INSERT INTO moving VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET note = excluded.note"
_HIGHEST = "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence(%s, 'number')::regclass), 0)"
_RAISE = "SELECT setval(pg_get_serial_sequence(%s, 'number'), %s)"


@contextmanager
def postgres_end(url: str, address: str) -> Iterator[End]:
    """Open a database that no gateway uses, and keep others from starting; raises MoveRefused."""
    try:
        migrate(url, heeds_marks=False)
        conninfo = conninfo_of(url)
        used_by = conninfo_to_dict(conninfo)["application_name"]
        with psycopg.connect(make_conninfo(conninfo, application_name=NAME), autocommit=True) as connection:
            connection.execute(_LOCK, (MIGRATION_LOCK,))
            if not _is_alone(connection, str(used_by)):
                raise MoveRefused(f"a gateway uses {address}: stop it first")
            yield PostgresEnd(connection, address)
    except psycopg.Error as error:
        raise MoveRefused(f"{address} cannot be used ({reason_of(error)})") from error
    except OSError as error:
        raise MoveRefused(f"{address} cannot be used ({error})") from error


def _is_alone(connection: psycopg.Connection[Row], used_by: str) -> bool:
    """Say whether no gateway is connected; a connection that was closed just now is listed for a moment."""
    for _ in range(LOOKS):
        [(others,)] = connection.execute(_OTHERS, (used_by,)).fetchall()
        if not others:
            return True
        connection.execute("SELECT pg_sleep(0.1)")
    return False


class PostgresEnd:
    """See `tables.End`."""

    def __init__(self, connection: psycopg.Connection[Row], address: str) -> None:
        self.address = address
        self._connection = connection

    def rows(self, table: Table, after: Key | None, at_most: int) -> list[Row]:
        """Return rows in the order of their keys."""
        key = _names(table.key)
        where = SQL("")
        if after is not None:
            where = SQL("WHERE ({}) > ({})").format(key, SQL(", ").join(map(Literal, after)))  # type: ignore[assignment] # both are composed
        question = SQL("SELECT {} FROM {} {} ORDER BY {} LIMIT {}").format(
            _names(table.columns), Identifier(table.name), where, key, Literal(at_most)
        )
        return self._connection.execute(question).fetchall()

    def count(self, table: Table) -> int:
        """Return how many rows there are."""
        return int(self._one(SQL("SELECT count(*) FROM {}").format(Identifier(table.name))))

    def highest(self, table: Table) -> int:
        """Return the highest number ever given."""
        return int(self._one(SQL(_HIGHEST), (table.name,)))

    def fit(self, row: Row) -> Row:
        """Return the row without the character NUL, which Postgres has no place for in texts."""
        return tuple(
            value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
            for value in row
        )

    def moved_to(self) -> str | None:
        """Return where everything was moved to."""
        return moved_to(self._connection)

    def mark_moved(self, address: str) -> None:
        """Keep gateways from this database from now on."""
        with self._connection.transaction():
            self._connection.execute("CREATE TABLE IF NOT EXISTS moved (address TEXT NOT NULL)")
            self._connection.execute("DELETE FROM moved")
            self._connection.execute("INSERT INTO moved VALUES (%s)", (address,))

    def noted(self) -> dict[str, bytes] | None:
        """Return what is noted of an unfinished move."""
        if not is_marked(self._connection, MOVING):
            return None
        return dict(self._connection.execute("SELECT name, note FROM moving").fetchall())

    def begin(self, notes: dict[str, bytes]) -> None:
        """Empty the database and mark it."""
        with self._connection.transaction():
            for table in reversed(TABLES):
                self._connection.execute(SQL("DELETE FROM {}").format(Identifier(table.name)))
            for mark in (MOVING, MOVED):
                self._connection.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(mark)))
            self._connection.execute("CREATE TABLE moving (name TEXT PRIMARY KEY, note BYTEA NOT NULL)")
            self._connection.cursor().executemany(_NOTE, notes.items())

    def add(self, table: Table, rows: list[Row], note: bytes) -> None:
        """Add rows."""
        into = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table.name), _names(table.columns))
        with self._connection.transaction():
            with self._connection.cursor().copy(into) as copy:
                for row in rows:
                    copy.write_row(row)
            self._connection.execute(_NOTE, (table.name, note))

    def finish(self, highest: dict[str, int]) -> None:
        """Take the mark away; nobody holds the locks of the processes whose holds came along."""
        with self._connection.transaction():
            for name, number in highest.items():
                if number:
                    self._connection.execute(_RAISE, (name, number))
            self._connection.execute(FORGET_CARRIERS)
            self._connection.execute("DROP TABLE moving")
        self._connection.execute("ANALYZE")

    def _one(self, question: SQL | Composed, values: tuple[Any, ...] = ()) -> Any:
        [(value,)] = self._connection.execute(question, values).fetchall()
        return value


def _names(columns: tuple[str, ...]) -> Composable:
    return SQL(", ").join(map(Identifier, columns))
