"""One transaction of the SQLite file: what the ledger changes is written in few statements of many rows.

Every statement hands the interpreter over to the event loop and has to win it back.

Invariants:
- Accounts are remembered from one transaction to the next only while `PRAGMA data_version`, read inside the
  transaction, says that no other connection has written.
- After a rollback nothing is remembered.
- A hold that another process has settled, taking this one for dead, is not settled again.
"""

import logging
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import apsw
import msgspec

from seawall.core.errors import Conflict
from seawall.core.ledger import AccountKey
from seawall.stores.accounting import CALL_COLUMNS, HOLD_COLUMNS, Cell, Changes, OpenHold
from seawall.stores.jobs import lanes
from seawall.stores.jobs.lanes import Lanes
from seawall.stores.sqlite.bell import Bell

log = logging.getLogger("seawall.store")

ACCOUNTS_MAX = 10_000

_DATA_VERSION = "PRAGMA data_version"
_PERIODS = "SELECT period FROM accounts WHERE scope = ?"
_READ_ACCOUNT = "SELECT spent, held, overage FROM accounts WHERE scope = ? AND period = ?"


ROWS_MAX = 64


class Insert(msgspec.Struct, frozen=True):
    """A statement that takes up to 64 rows at once: its head, how many columns a row has, and its tail."""

    head: str
    columns: int
    tail: str = ""

    def run(self, cursor: apsw.Cursor, rows: Sequence[Sequence[object]]) -> None:
        """Run it for all rows; a statement for each number of rows stays prepared."""
        for start in range(0, len(rows), ROWS_MAX):
            chunk = rows[start : start + ROWS_MAX]
            cursor.execute(self.text(len(chunk)), [value for row in chunk for value in row])

    def text(self, rows: int) -> str:
        """Return the statement for so many rows."""
        one = f"({', '.join('?' * self.columns)})"
        return f"{self.head} {', '.join([one] * rows)} {self.tail}"


_WRITE_ACCOUNTS = Insert(
    "INSERT INTO accounts (scope, period, spent, held, overage) VALUES",
    5,
    "ON CONFLICT (scope, period) DO UPDATE SET"
    " spent = excluded.spent, held = excluded.held, overage = excluded.overage",
)
_ADD_HOLDS = Insert(f"INSERT INTO holds ({', '.join(HOLD_COLUMNS)}) VALUES", len(HOLD_COLUMNS))
_DROP_HOLDS = "DELETE FROM holds WHERE id IN (SELECT value FROM json_each(?)) RETURNING id"
_ADD_CALLS = Insert(f"INSERT OR REPLACE INTO calls ({', '.join(CALL_COLUMNS)}) VALUES", len(CALL_COLUMNS))
_ADD_USAGE = Insert(
    "INSERT INTO usage_hourly VALUES",
    12,
    "ON CONFLICT (hour, key_id, end_user, model) DO UPDATE SET"
    " calls = calls + excluded.calls, input = input + excluded.input, output = output + excluded.output,"
    " cached_read = cached_read + excluded.cached_read, cached_write = cached_write + excluded.cached_write,"
    " reasoning = reasoning + excluded.reasoning, cost = cost + excluded.cost,"
    " overage = overage + excluded.overage",
)

encode = msgspec.json.Encoder().encode


class HoldsLost(Exception):
    """Holds that this process closes are on disk no more; its operations are run again without them."""


class Memory:
    """What the writer thread remembers between transactions: this process's open holds, and accounts.

    `bell` tells the workers of this process of new carriers.
    """

    __slots__ = ("bell", "cells", "data_version", "open_holds")

    def __init__(self) -> None:
        self.bell = Bell()
        self.open_holds: dict[str, OpenHold] = {}
        self.cells: dict[AccountKey, Cell] = {}
        self.data_version = -1


class _Accounts:
    """Reads accounts inside of one transaction, from memory where nobody else has written."""

    __slots__ = ("_cursor", "_is_checked", "_memory")

    def __init__(self, cursor: apsw.Cursor, memory: Memory) -> None:
        self._cursor, self._memory, self._is_checked = cursor, memory, False

    def __call__(self, key: AccountKey) -> Cell:
        memory = self._memory
        if not self._is_checked:
            self._check()
        cell = memory.cells.get(key)
        if cell is None:
            row = self._cursor.execute(_READ_ACCOUNT, key).fetchone()
            cell = memory.cells[key] = Cell(*(row or (0, 0, 0)))
        return cell

    def _check(self) -> None:
        memory, version = self._memory, data_version(self._cursor)
        if version != memory.data_version or len(memory.cells) > ACCOUNTS_MAX:
            memory.cells.clear()
            memory.data_version = version
        self._is_checked = True


class LedgerBatch:
    """What the operations of one transaction share: the file, and the changes of the ledger; see Writer.

    Nothing here refers back to it, so that its cursor is closed with it and no reading stays open. `rings` is
    set by what has something for a worker.
    """

    def __init__(self, connection: apsw.Connection, process: str, memory: Memory) -> None:
        self.cursor = connection.cursor()
        self.process = process
        self.rings = False
        self.ledger = Changes(process, memory.open_holds, _Accounts(self.cursor, memory))
        self.lanes = Lanes(partial(_ask, self.cursor))
        self._memory = memory
        self._lost: set[str] = set()

    def forget_accounts(self, keys: Iterable[AccountKey]) -> None:
        """Read accounts anew, after something else than the ledger has changed them on disk."""
        for key in keys:
            self._memory.cells.pop(key, None)

    def forget_scope(self, scope: str) -> None:
        """Forget the accounts of a scope, about to be renamed; raises Conflict while money is held on one."""
        keys = {key for key in self._memory.cells if key[0] == scope}
        keys |= {(scope, str(period)) for (period,) in self.cursor.execute(_PERIODS, (scope,))}
        if any(self.ledger.cell(key).held for key in keys):
            raise Conflict("A call of this user is running. Try again in a moment.")
        _WRITE_ACCOUNTS.run(self.cursor, self.ledger.take_out(keys))
        for key in keys:
            self._memory.cells.pop(key, None)

    def changes(self) -> int:
        """Return how many rows the last statement changed."""
        return self.cursor.connection.changes()

    def flush(self) -> None:
        """Write everything that was collected."""
        cursor, ledger = self.cursor, self.ledger
        if ledger.hold_rows:
            _ADD_HOLDS.run(cursor, ledger.hold_rows)
        if ledger.closed:
            self._drop_holds()
        _WRITE_ACCOUNTS.run(cursor, ledger.account_rows())
        _ADD_CALLS.run(cursor, ledger.call_rows)
        _ADD_USAGE.run(cursor, ledger.usage_rows())
        cursor.executemany(lanes.WRITE, self.lanes.rows())

    def _drop_holds(self) -> None:
        closed = self.ledger.closed
        dropped = self.cursor.execute(_DROP_HOLDS, (encode(list(closed)).decode(),)).fetchall()
        if len(dropped) < len(closed):
            self._lost = closed - {hold_id for (hold_id,) in dropped}
            log.error(
                "holds were settled in full by a process that took this one for dead",
                extra={"fields": {"holds": len(self._lost)}},
            )
            raise HoldsLost

    def committed(self) -> None:
        """Remember which holds of this process are open now, and wake its workers."""
        self.ledger.committed()
        if self.rings:
            self._memory.bell.ring()

    def failed(self) -> None:
        """Forget the accounts, which were changed in memory and not on disk, and holds that are lost."""
        self._memory.cells.clear()
        for hold_id in self._lost:
            self._memory.open_holds.pop(hold_id, None)


def _ask(cursor: apsw.Cursor, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
    return cursor.execute(statement, tuple(values)).fetchall()


def data_version(cursor: apsw.Cursor) -> int:
    """Return the number that changes when another connection has written."""
    row = cursor.execute(_DATA_VERSION).fetchone()
    assert row is not None
    return int(row[0])
