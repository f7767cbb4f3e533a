"""One transaction of the ledger: accounts read once, changed in memory, written back together.

Sixteen calls on the same accounts cost one write of each account instead of sixteen, and rows go in by
few statements of many: every statement hands the interpreter over to the event loop and has to win it back.

Invariants:
- Accounts are remembered from one transaction to the next only while `PRAGMA data_version`, read inside the
  transaction, says that no other connection has written.
- After a rollback nothing is remembered.
- A hold that another process has settled, taking this one for dead, is not settled again.
"""

import logging
from collections.abc import Sequence

import apsw
import msgspec

from seawall.core.errors import Conflict
from seawall.core.ledger import AccountKey, AccountKeys, Ask, CallRow, Settlement
from seawall.core.money import Money, Usage

log = logging.getLogger("seawall.store")

HOUR_MS = 3_600_000

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
_ADD_HOLDS = Insert("INSERT INTO holds (id, process, amount, accounts, row, counts, tokens) VALUES", 7)
_DROP_HOLDS = "DELETE FROM holds WHERE id IN (SELECT value FROM json_each(?)) RETURNING id"
_CALL_COLUMNS = CallRow.__struct_fields__  # Columns are named as the fields are.
_ADD_CALLS = Insert(f"INSERT OR REPLACE INTO calls ({', '.join(_CALL_COLUMNS)}) VALUES", len(_CALL_COLUMNS))
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


class Cell:
    """The three sums of one account inside a transaction."""

    __slots__ = ("held", "overage", "spent")

    def __init__(self, spent: int, held: int, overage: int) -> None:
        self.spent, self.held, self.overage = spent, held, overage


class OpenHold(msgspec.Struct, frozen=True):
    """A hold that is on disk: its money, tokens and calls (0 after a call's first), and where they lie."""

    amount: Money
    tokens: int
    requests: int
    keys: AccountKeys


class Memory:
    """What the writer thread remembers between transactions: this process's open holds, and accounts."""

    __slots__ = ("cells", "data_version", "open_holds")

    def __init__(self) -> None:
        self.open_holds: dict[str, OpenHold] = {}
        self.cells: dict[AccountKey, Cell] = {}
        self.data_version = -1


class LedgerBatch:
    """Collects what the operations of one transaction change; see Writer."""

    def __init__(self, connection: apsw.Connection, process: str, memory: Memory) -> None:
        self.cursor = connection.cursor()
        self.process = process
        self._memory = memory
        self._has_cells = False
        self._changed: dict[AccountKey, Cell] = {}
        self._opened: dict[str, OpenHold] = {}
        self._closed: set[str] = set()
        self._lost: set[str] = set()
        self._hold_rows: list[tuple[str, str, int, str, str, int, int]] = []
        self._call_rows: list[tuple[object, ...]] = []
        self._usage_rows: dict[tuple[int, str, str, str], list[int]] = {}

    def cell(self, key: AccountKey) -> Cell:
        """Return an account's sums as of this transaction."""
        if not self._has_cells:
            self._check_memory()
        cell = self._memory.cells.get(key)
        if cell is None:
            row = self.cursor.execute(_READ_ACCOUNT, key).fetchone()
            cell = self._memory.cells[key] = Cell(*(row or (0, 0, 0)))
        return cell

    def forget_scope(self, scope: str) -> None:
        """Forget the accounts of a scope, about to be renamed; raises Conflict while money is held on one."""
        keys = {key for key in (*self._memory.cells, *self._changed) if key[0] == scope}
        keys |= {(scope, str(period)) for (period,) in self.cursor.execute(_PERIODS, (scope,))}
        if any(self.cell(key).held for key in keys):
            raise Conflict("A call of this user is running. Try again in a moment.")
        rows = [
            (*key, cell.spent, cell.held, cell.overage) for key in keys if (cell := self._changed.get(key))
        ]
        _WRITE_ACCOUNTS.run(self.cursor, rows)
        for key in keys:
            self._changed.pop(key, None)
            self._memory.cells.pop(key, None)

    def version(self) -> int:
        """Return the number that changes when another connection has written."""
        row = self.cursor.execute(_DATA_VERSION).fetchone()
        assert row is not None
        return int(row[0])

    def changes(self) -> int:
        """Return how many rows the last statement changed."""
        return self.cursor.connection.changes()

    def _check_memory(self) -> None:
        version = self.version()
        if version != self._memory.data_version or len(self._memory.cells) > ACCOUNTS_MAX:
            self._memory.cells.clear()
            self._memory.data_version = version
        self._has_cells = True

    def _change(self, key: AccountKey) -> Cell:
        cell = self._changed.get(key)
        if cell is None:
            cell = self._changed[key] = self.cell(key)
        return cell

    def open_hold(self, hold: OpenHold, ask: Ask) -> None:
        """Place the hold of an ask on all of its accounts."""
        self._hold_on(hold, 1)
        self._opened[ask.hold_id] = hold
        row = encode(ask.row).decode()
        self._hold_rows.append(
            (ask.hold_id, self.process, hold.amount, ask.accounts.text, row, int(ask.counts), hold.tokens)
        )

    def close_hold(self, hold_id: str) -> OpenHold | None:
        """Take a hold of this process away; `None` where that has been done before."""
        if hold_id in self._closed:
            return None
        hold = self._opened.get(hold_id) or self._memory.open_holds.get(hold_id)
        if hold is None:
            return None
        self._closed.add(hold_id)
        self._release(hold)
        return hold

    def adopt_hold(self, hold_id: str, hold: OpenHold) -> None:
        """Take away the hold of a dead process."""
        self._closed.add(hold_id)
        self._release(hold)

    def _release(self, hold: OpenHold) -> None:
        self._hold_on(hold, -1)

    def _hold_on(self, hold: OpenHold, sign: int) -> None:
        """Place a hold on its accounts, or take it away."""
        keys = hold.keys
        for key in keys.usd:
            self._change(key).held += sign * hold.amount
        for key in keys.tokens:
            self._change(key).held += sign * hold.tokens
        for key in keys.requests:
            self._change(key).held += sign * hold.requests

    def book(self, hold: OpenHold, settlement: Settlement) -> None:
        """Add a cost to the accounts of its hold, and to the sums by hour."""
        row, usage = settlement.row, settlement.usage
        within = settlement.cost - settlement.overage
        for key in hold.keys.usd:
            cell = self._change(key)
            cell.spent += within
            cell.overage += settlement.overage
        for key in hold.keys.tokens:
            used = usage.input + usage.output if settlement.tokens is None else settlement.tokens
            cell = self._change(key)
            cell.spent += min(used, hold.tokens)
            cell.overage += max(0, used - hold.tokens)
        for key in hold.keys.requests:
            self._change(key).spent += hold.requests
        sums = self._usage_rows.setdefault(
            (row.at_ms // HOUR_MS, row.key_id, row.end_user or "", row.model), [0] * 8
        )
        calls = int(settlement.counts)
        for position, amount in enumerate((calls, *_tokens(usage), settlement.cost, settlement.overage)):
            sums[position] += amount

    def reset(self, key: AccountKey) -> None:
        """Begin an account anew, but for what is held."""
        cell = self._change(key)
        cell.spent = cell.overage = 0

    def add_call(self, row: CallRow) -> None:
        """Keep a call's row."""
        self._call_rows.append(
            (
                row.id,
                row.at_ms,
                row.endpoint,
                row.key_id,
                row.end_user,
                row.model,
                row.provider,
                int(row.stream),
                row.status,
                row.outcome,
                row.code,
                row.took_ms,
                row.first_ms,
                None if row.usage is None else encode(row.usage).decode(),
                row.held,
                row.cost,
                row.overage,
                row.listed_cost,
                row.decisions.decode(),
                row.attempts.decode(),
                row.saved,
            )
        )

    def flush(self) -> None:
        """Write everything that was collected."""
        cursor = self.cursor
        if self._hold_rows:
            _ADD_HOLDS.run(cursor, self._hold_rows)
        if self._closed:
            self._drop_holds()
        if self._changed:
            rows = [(*key, cell.spent, cell.held, cell.overage) for key, cell in self._changed.items()]
            _WRITE_ACCOUNTS.run(cursor, rows)
        if self._call_rows:
            _ADD_CALLS.run(cursor, self._call_rows)
        if self._usage_rows:
            _ADD_USAGE.run(cursor, [(*key, *sums) for key, sums in self._usage_rows.items()])

    def _drop_holds(self) -> None:
        dropped = self.cursor.execute(_DROP_HOLDS, (encode(list(self._closed)).decode(),)).fetchall()
        if len(dropped) < len(self._closed):
            self._lost = self._closed - {hold_id for (hold_id,) in dropped}
            log.error(
                "holds were settled in full by a process that took this one for dead",
                extra={"fields": {"holds": len(self._lost)}},
            )
            raise HoldsLost

    def committed(self) -> None:
        """Remember which holds of this process are open now."""
        self._memory.open_holds.update(self._opened)
        for hold_id in self._closed:
            self._memory.open_holds.pop(hold_id, None)

    def failed(self) -> None:
        """Forget the accounts, which were changed in memory and not on disk, and holds that are lost."""
        self._memory.cells.clear()
        for hold_id in self._lost:
            self._memory.open_holds.pop(hold_id, None)


def _tokens(usage: Usage) -> tuple[int, int, int, int, int]:
    return usage.input, usage.output, usage.cached_read, usage.cached_write, usage.reasoning
