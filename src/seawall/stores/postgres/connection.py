"""Reaches a Postgres database: brings its schema up to date, and keeps a few connections to it.

Invariants:
- No password is in an error or in a log line.
- Nothing is sent twice: a connection that is found dead before anything was sent is replaced, whatever else
  happens is for the caller to decide.
- Nobody waits for a server that is silent: it is hung up on, and the caller is told.
"""

import asyncio
import logging
import os
import select
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import resources
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from seawall.stores.down import StoreDown
from seawall.stores.postgres.carrier_schema import bring_carrier_up_to_date

log = logging.getLogger("seawall.store")

SERVER_VERSION_MIN = 130_000
"""Postgres 13 brings `gen_random_uuid` along; everything older has no support any more."""
TIMEOUT_S = 5.0
MIGRATION_WAIT_S = 60.0
"""How long a process waits while another one brings the schema up to date."""
REASON_CHARS_MAX = 300

SESSION = b"""
SELECT set_config('statement_timeout', '5s', false),
       set_config('idle_in_transaction_session_timeout', '15s', false),
       set_config('default_transaction_isolation', 'read committed', false),
       set_config('synchronous_commit', 'on', false)"""
"""Sets up a connection: a statement that hangs ends, and locks of a process that stands still are let go;
a commit that was answered survives a power cut, whatever the role's defaults are."""

_DEFAULTS = {
    "application_name": "seawall",
    "client_encoding": "utf8",
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
MIGRATION_LOCK = int.from_bytes(b"seawall")

MOVING, MOVED = "moving", "moved"
"""The marks of a database into which data is being moved, and of one from which it was moved away."""

Rows = tuple[Any, ...]
Line = AsyncConnection[Rows]
T = TypeVar("T")


def conninfo_of(url: str) -> str:
    """Return what libpq is told of an address, with defaults for what it leaves open.

    Raises OSError, which says nothing of the address: the reason would quote parts of a password that has
    characters in it that must be written as %40 and the like.
    """
    try:
        stated = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        stated = {"host": "@"}
    host, port = str(stated.get("host") or ""), str(stated.get("port") or "5432")
    if "@" in host or not port.replace(",", "").isdecimal():
        raise OSError("database_url is no address that Postgres understands")
    return make_conninfo(url, **{name: value for name, value in _DEFAULTS.items() if name not in stated})


def reason_of(error: psycopg.Error) -> str:
    """Return what an error says, on one line, without the details in which Postgres quotes rows."""
    said = error.diag.message_primary or str(error)
    return f"{type(error).__name__}: {' '.join(said.split())}"[:REASON_CHARS_MAX]


def migrate(url: str, *, heeds_marks: bool = True) -> None:
    """Run the numbered migrations that this database has not seen, each in a transaction of its own.

    One process at a time does so. Raises OSError where the server cannot be reached or refuses, where the
    database was made by a newer version of this program, and where its data is being moved, unless that
    does not matter.
    """
    conninfo = conninfo_of(url)
    try:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            _check_server(connection)
            connection.execute(f"SET lock_timeout = '{MIGRATION_WAIT_S:.0f}s'".encode())
            connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
            if heeds_marks:
                _check_marks(connection)
            _migrate(connection)  # The lock goes with the connection.
    except psycopg.Error as error:
        raise OSError(f"Postgres cannot be used: {reason_of(error)}") from error


def _check_server(connection: Connection[Rows]) -> None:
    """Raise OSError where the server or the database is none that this program can work with."""
    info = connection.info
    if info.server_version < SERVER_VERSION_MIN:
        raise OSError(f"Postgres must be version 13 or newer, and this is {info.server_version // 10_000}")
    if info.parameter_status("server_encoding") != "UTF8":
        raise OSError("the database must be made with ENCODING 'UTF8'")


def is_marked(connection: Connection[Rows], mark: str) -> bool:
    """Say whether a database has a mark of a move."""
    return connection.execute("SELECT to_regclass(%s)", (mark,)).fetchone() != (None,)


def moved_to(connection: Connection[Rows]) -> str | None:
    """Return where the data of a database was moved to, `None` where it was not."""
    if not is_marked(connection, MOVED):
        return None
    row = connection.execute("SELECT address FROM moved").fetchone()
    return None if row is None else str(row[0])


def _check_marks(connection: Connection[Rows]) -> None:
    """Raise OSError where a gateway must not use a database."""
    if is_marked(connection, MOVING):
        raise OSError("data is being moved into it: let `seawall migrate-store` come to its end")
    address = moved_to(connection)
    if address is not None:
        raise OSError(f"everything in it was moved to {address}")


def _migrate(connection: Connection[Rows]) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_version"
        " (number INTEGER PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now())"
    )
    row = connection.execute("SELECT coalesce(max(number), 0) FROM schema_version").fetchone()
    assert row is not None
    known = _migrations()
    if row[0] > known[-1][0]:
        raise OSError(
            f"the database is of a newer Seawall: its schema has the number {row[0]}, and this version knows"
            f" {known[-1][0]}"
        )
    if 0 < row[0] < known[-1][0]:
        log.warning(
            "the schema is brought up to date; the way back is a pg_dump from before",
            extra={"fields": {"schema": known[-1][0]}},
        )
    for number, text in known:
        if number > row[0]:
            with connection.transaction():
                connection.execute(text)
                connection.execute("INSERT INTO schema_version (number) VALUES (%s)", (number,))
    bring_carrier_up_to_date(connection)


def _migrations() -> list[tuple[int, bytes]]:
    folder = resources.files("seawall.stores.postgres") / "schema"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(int(f.name.split("_")[0]), f.read_bytes()) for f in files]


class Pool:
    """A few connections, opened when they are needed and used again; every statement commits by itself.

    Ours, because psycopg's lets everybody wait for its time-out where a server refuses connections, and
    closes only from the loop in which it was opened.
    """

    def __init__(self, url: str, *, size: int = 4, timeout_s: float = TIMEOUT_S) -> None:
        self._conninfo = conninfo_of(url)
        self._timeout_s = timeout_s
        self._idle: list[Line] = []
        self._places = asyncio.Semaphore(size)
        self._is_closed = False

    async def run(self, work: Callable[[Line], Awaitable[T]], *, timeout_s: float | None = None) -> T:
        """Do work on a connection and return what it returns; nobody else uses that connection meanwhile.

        `timeout_s` is for the work as a whole; a single statement has five seconds. Raises StoreDown where
        the server cannot be reached, does not answer in time, or refuses a statement.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._places.acquire()
        except TimeoutError as error:
            raise StoreDown("every connection to Postgres is in use") from error
        try:
            connection = self._take() or await self._connect()
            try:
                return await self._watch(connection, work, timeout_s or self._timeout_s)
            finally:
                self._give_back(connection)
        finally:
            self._places.release()

    def close(self) -> None:
        """Close every connection; those in use once they are given back."""
        self._is_closed = True
        self._drop()

    def _take(self) -> Line | None:
        """Return a connection that was used before and still stands."""
        if self._is_closed:
            raise StoreDown("the connections to Postgres are closed")
        while self._idle:
            connection = self._idle.pop()
            if not _has_news(connection):
                return connection
            connection.pgconn.finish()
        return None

    async def _connect(self) -> Line:
        try:
            async with asyncio.timeout(self._timeout_s):
                connection = await AsyncConnection.connect(self._conninfo, autocommit=True)
        except TimeoutError as error:
            raise StoreDown("Postgres does not answer") from error
        except psycopg.Error as error:
            raise StoreDown(reason_of(error)) from error
        try:
            await self._watch(connection, _set_up, self._timeout_s)
        except BaseException:
            connection.pgconn.finish()
            raise
        return connection

    async def _watch(self, connection: Line, work: Callable[[Line], Awaitable[T]], timeout_s: float) -> T:
        """Do the work, and hang up where that takes too long: the driver then fails at once.

        Cancelling it instead would wait for the server once more, to cancel the statement.
        """
        timer = asyncio.get_running_loop().call_later(timeout_s, _hang_up, connection)
        try:
            return await work(connection)
        except psycopg.Error as error:
            raise StoreDown(reason_of(error)) from error
        finally:
            timer.cancel()

    def _give_back(self, connection: Line) -> None:
        status = connection.pgconn.transaction_status
        if status == TransactionStatus.IDLE and not self._is_closed:
            self._idle.append(connection)
            return
        connection.pgconn.finish()
        if status == TransactionStatus.UNKNOWN:
            self._drop()  # Whatever broke this one has broken the others too.

    def _drop(self) -> None:
        while self._idle:
            connection = self._idle.pop()  # One that is let go before it is finished warns of itself.
            connection.pgconn.finish()


async def _set_up(connection: Line) -> None:
    await connection.execute(SESSION)


def _has_news(connection: Line) -> bool:
    """Say whether an idle connection has anything to read: a server that hung up has said so."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _hang_up(connection: Line) -> None:
    if connection.closed:
        return
    with socket.socket(fileno=os.dup(connection.fileno())) as line, suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
