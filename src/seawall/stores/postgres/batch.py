"""One transaction of the ledger on Postgres: everything that it reads and writes goes in two round trips.

Invariants:
- Whoever changes accounts holds `LEDGER_LOCK` until its transaction ends, whichever gateway it is: batches of
  several gateways follow one another, as they do in the SQLite file. Nearly all calls of all gateways meet in
  the account of the global budget anyway; one lock for all cannot deadlock.
- Accounts are read after that lock is taken, by a statement of their own, and so as the last batch left them.
- A hold that another process has settled, taking this one for dead, is not settled again.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import psycopg

from seawall.core.ledger import AccountKey
from seawall.stores.accounting import (
    CALL_COLUMNS,
    HOLD_COLUMNS,
    USAGE_COLUMNS,
    Cell,
    Changes,
    OpenHold,
)
from seawall.stores.jobs import lanes
from seawall.stores.jobs.lanes import Lanes
from seawall.stores.postgres.statements import Statements

log = logging.getLogger("seawall.store")

LEDGER_LOCK = 0x5EA_1ED6E4
"""The advisory lock of everybody who changes accounts, holds or sums."""

Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]

_BEGIN = "BEGIN"
_LOCK = "SELECT pg_advisory_xact_lock(%s)"
_READ = """
SELECT scope, period, spent, held, overage FROM accounts
WHERE (scope, period) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
UNION ALL SELECT NULL, id, 0, 0, 0 FROM holds WHERE id = ANY(%s::text[])"""
_READ_ACCOUNT = "SELECT spent, held, overage FROM accounts WHERE scope = %s AND period = %s"

# Everything that a batch writes, in one statement: parts without rows cost nearly nothing, and each statement
# of its own would cost a twentieth of a millisecond on either side. The parts do not see one another.
_WRITE = """
WITH opened AS (
    INSERT INTO holds (id, process, amount, accounts, row, counts, tokens)
    SELECT id, process, amount, accounts, row, counts, tokens FROM json_populate_recordset(NULL::holds, %s)
), closed AS (
    DELETE FROM holds WHERE id = ANY(%s::text[])
), told AS (
    INSERT INTO calls (id, at_ms, endpoint, key_id, end_user, model, provider, stream, status, outcome, code,
        took_ms, first_ms, usage, held, cost, overage, listed_cost, decisions, attempts, saved, shape)
    SELECT id, at_ms, endpoint, key_id, end_user, model, provider, stream, status, outcome, code,
        took_ms, first_ms, usage, held, cost, overage, listed_cost, decisions, attempts, saved, shape
    FROM json_populate_recordset(NULL::calls, %s)
    ON CONFLICT (id) DO UPDATE SET end_user = excluded.end_user, model = excluded.model,
        provider = excluded.provider, status = excluded.status, outcome = excluded.outcome,
        code = excluded.code, took_ms = excluded.took_ms, first_ms = excluded.first_ms,
        usage = excluded.usage, held = excluded.held, cost = excluded.cost, overage = excluded.overage,
        listed_cost = excluded.listed_cost, decisions = excluded.decisions, attempts = excluded.attempts,
        saved = excluded.saved, shape = excluded.shape
), summed AS (
    INSERT INTO usage_hourly AS sums (hour, key_id, end_user, model, calls, input, output, cached_read,
        cached_write, reasoning, cost, overage)
    SELECT hour, key_id, end_user, model, calls, input, output, cached_read, cached_write, reasoning, cost,
        overage
    FROM json_populate_recordset(NULL::usage_hourly, %s)
    ON CONFLICT (hour, key_id, end_user, model) DO UPDATE SET calls = sums.calls + excluded.calls,
        input = sums.input + excluded.input, output = sums.output + excluded.output,
        cached_read = sums.cached_read + excluded.cached_read,
        cached_write = sums.cached_write + excluded.cached_write,
        reasoning = sums.reasoning + excluded.reasoning, cost = sums.cost + excluded.cost,
        overage = sums.overage + excluded.overage
)
INSERT INTO accounts (scope, period, spent, held, overage)
SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
ON CONFLICT (scope, period) DO UPDATE SET
    spent = excluded.spent, held = excluded.held, overage = excluded.overage"""

_encode = msgspec.json.Encoder().encode


class LedgerOperation(msgspec.Struct, frozen=True):
    """An operation that says beforehand what it will look at, so that all of it is read at once.

    `accounts` are the accounts that it asks for, `closes` the hold that it takes away.
    """

    run: Callable[[Changes], Any]
    accounts: tuple[AccountKey, ...] = ()
    closes: str | None = None

    def __call__(self, batch: "PostgresBatch") -> Any:
        return self.run(batch.ledger)


class BatchOperation(msgspec.Struct, frozen=True):
    """An operation that does more than change the ledger, and says beforehand which accounts it asks for."""

    run: "Callable[[PostgresBatch], Any]"
    accounts: tuple[AccountKey, ...] = ()

    def __call__(self, batch: "PostgresBatch") -> Any:
        return self.run(batch)


class PostgresBatch:
    """What the operations of one transaction share: the connection, and the changes of the ledger.

    `open_holds` are this process's holds that are on disk.
    """

    def __init__(self, connection: Connection, process: str, open_holds: dict[str, OpenHold]) -> None:
        self.connection = connection
        self.process = process
        self._open_holds = open_holds
        self._accounts = _Accounts(connection)
        self.ledger = Changes(process, open_holds, self._accounts)
        self.statements = Statements(connection)
        self.lanes = Lanes(self.statements.ask)

    def begin(self, operations: Iterable[object] = ()) -> None:
        """Take the lock, and read the accounts and holds that the operations will ask for."""
        keys, closing = self._wanted(operations)
        connection = self.connection
        with connection.pipeline():
            connection.execute(_BEGIN)
            connection.execute(_LOCK, (LEDGER_LOCK,))
            found = connection.execute(_READ, (*_columns(keys, 2), closing))
        rows = found.fetchall()
        self._accounts.take(keys, [row for row in rows if row[0] is not None])
        self._forget_lost(closing, {row[1] for row in rows if row[0] is None})

    def read(self, accounts: Iterable[AccountKey]) -> None:
        """Read accounts that an operation is about to ask for, but for those that were read already."""
        keys = sorted(set(accounts).difference(self._accounts.cells))
        if keys:
            self._accounts.take(keys, self.connection.execute(_READ, (*_columns(keys, 2), [])))

    def _wanted(self, operations: Iterable[object]) -> tuple[list[AccountKey], list[str]]:
        keys: set[AccountKey] = set()
        closing = []
        for operation in operations:
            if isinstance(operation, BatchOperation):
                keys.update(operation.accounts)
            if not isinstance(operation, LedgerOperation):
                continue
            keys.update(operation.accounts)
            hold = self._open_holds.get(operation.closes) if operation.closes else None
            if hold is not None and operation.closes is not None:
                closing.append(operation.closes)
                keys.update(hold.account_keys())
        return sorted(keys), closing

    def commit(self) -> None:
        """Write everything that was collected, and commit."""
        ledger, connection = self.ledger, self.connection
        accounts = ledger.account_rows()
        for row in self.lanes.rows():
            self.statements.write(lanes.WRITE, row)
        with connection.pipeline():
            self.statements.send()
            if accounts or ledger.hold_rows or ledger.closed or ledger.call_rows:
                opened = [row for row in ledger.hold_rows if row[0] not in ledger.closed]
                closed = ledger.closed.difference(row[0] for row in ledger.hold_rows)
                calls = {row[0]: row for row in ledger.call_rows}.values()  # Of two of a call the later one.
                values = (
                    _json(HOLD_COLUMNS, opened), list(closed), _json(CALL_COLUMNS, calls),
                    _json(USAGE_COLUMNS, ledger.usage_rows()), *_columns(accounts, 5),
                )  # fmt: skip
                connection.execute(_WRITE, values)
            connection.execute("COMMIT")
        ledger.committed()

    def _forget_lost(self, closing: Iterable[str], held: set[str]) -> None:
        lost = [hold_id for hold_id in closing if hold_id in self._open_holds and hold_id not in held]
        for hold_id in lost:
            del self._open_holds[hold_id]
        if lost:
            log.error(
                "holds were settled already, by a commit of which nothing was heard or by a process that took"
                " this one for dead",
                extra={"fields": {"holds": len(lost)}},
            )


class _Accounts:
    """Reads accounts inside of one transaction; `cells` are those read so far, `None` where there is none."""

    __slots__ = ("_connection", "cells")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.cells: dict[AccountKey, Cell | None] = {}

    def take(self, keys: Iterable[AccountKey], rows: Iterable[Row]) -> None:
        """Take over what was read of these accounts."""
        for key in keys:
            self.cells.setdefault(key, None)
        for scope, period, *sums in rows:
            if self.cells[scope, period] is None:
                self.cells[scope, period] = Cell(*sums)

    def __call__(self, key: AccountKey) -> Cell:
        if key not in self.cells:
            row = self._connection.execute(_READ_ACCOUNT, key).fetchone()
            self.cells[key] = Cell(*row) if row else None
        cell = self.cells[key]
        if cell is None:
            cell = self.cells[key] = Cell(0, 0, 0)
        return cell


def _columns(rows: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    """Turn rows into arrays, one for each column, as `unnest` takes them."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _json(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write rows as JSON, which takes a seventh of the time that arrays of so many columns take."""
    return _encode([dict(zip(columns, row, strict=True)) for row in rows]).decode()
