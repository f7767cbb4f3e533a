"""The writer's connection to Postgres: one for a process, opened again whenever it breaks.

Invariants:
- The lock on this process's name belongs to this connection, and is taken before anything else is done on it.
- After a broken connection nobody knows whether the last batch was committed. Holds of this process that
  are in the database and that nobody here knows of were refused to their callers: they are removed before
  the next batch. Settlements are tried again, and do nothing where they had been committed.
- While the server is known to be gone every operation fails at once; a server that is silent is hung up on.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg

from seawall.stores.accounting import OpenHold, read_hold
from seawall.stores.postgres.batch import Connection, PostgresBatch
from seawall.stores.postgres.connection import SESSION, conninfo_of, reason_of
from seawall.stores.postgres.process import ProcessNames
from seawall.stores.postgres.silence import SilenceGuard
from seawall.stores.writer import Operation

SILENT_S = 5.0
"""A transaction that takes longer is given up, and the connection with it."""
AGAIN_S = 0.5
"""How long a server that could not be reached is left alone."""

_BY_INDEX = "SET enable_seqscan = off"
"""Everything that the writer asks has its index. A plan that was made while a table was small is kept, and
would read all of the table once it is large."""
_OWN_HOLDS = "SELECT id, process, amount, accounts, row, counts, tokens FROM holds WHERE process = %s"


class PostgresEngine:
    """See `stores.writer.Engine`; `open_holds` are this process's holds that are on disk."""

    def __init__(self, url: str, processes: ProcessNames, open_holds: dict[str, OpenHold]) -> None:
        self._conninfo = conninfo_of(url)
        self._processes, self._open_holds = processes, open_holds
        self._connection: Connection | None = None
        self._gone: psycopg.OperationalError | None = None
        self._gone_until = 0.0
        self._silence = SilenceGuard(SILENT_S)

    def transact(self, operations: Sequence[Operation]) -> list[Any]:
        """Run operations in one transaction."""
        connection = self._connected()
        with self._silence.limited(connection):
            return self._transact(connection, operations)

    def why_down(self, error: BaseException) -> str | None:
        """Return what is wrong with the database."""
        return reason_of(error) if isinstance(error, psycopg.Error) else None

    def is_trouble(self, error: BaseException) -> bool:
        """Say whether the database cannot be reached, or cannot write."""
        return isinstance(error, psycopg.OperationalError)

    def close(self) -> None:
        """Close the connection; the lock on this process's name goes with it."""
        self._silence.close()
        if self._connection is not None:
            self._connection.close()

    def _transact(self, connection: Connection, operations: Sequence[Operation]) -> list[Any]:
        batch = PostgresBatch(connection, self._processes.name, self._open_holds)
        try:
            batch.begin(operations)
            results = [operation(batch) for operation in operations]
            batch.commit()
        except BaseException:
            with suppress(psycopg.Error):
                connection.rollback()
            raise
        return results

    def _connected(self) -> Connection:
        """Return the connection, opened anew where it broke."""
        if self._connection is not None and not self._connection.closed:
            return self._connection
        if self._gone is not None and time.monotonic() < self._gone_until:
            raise self._gone
        try:
            connection = self._connection = psycopg.connect(self._conninfo, autocommit=True)
            with self._silence.limited(connection):
                connection.execute(SESSION)
                connection.execute(_BY_INDEX)
                self._processes.take(connection)
                self._drop_unknown(connection)
        except psycopg.OperationalError as error:
            self._gone, self._gone_until = error, time.monotonic() + AGAIN_S
            self._hang_up()
            raise
        self._gone = None
        return connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _drop_unknown(self, connection: Connection) -> None:
        """Remove the holds of a batch whose commit nobody heard of: their callers were refused."""
        rows = connection.execute(_OWN_HOLDS, (self._processes.name,)).fetchall()
        unknown = [row for row in rows if row[0] not in self._open_holds]
        if not unknown:
            return
        batch = PostgresBatch(connection, self._processes.name, self._open_holds)
        batch.begin()
        for row in unknown:
            batch.ledger.close_foreign(row[0], read_hold(row))
        batch.commit()
