"""What one transaction of the ledger does, whatever database it is for (money.md).

Accounts are read once, changed in memory and written back together: sixteen calls on the same accounts cost
one write of each account instead of sixteen. A home reads the accounts, runs operations on a `Changes`,
writes down what it has collected, and commits; nothing here touches a database.

Invariants:
- A hold is placed on all of its accounts or on none, and taken from exactly those.
- A hold is closed once, however often it is settled or voided.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from seawall.core.ledger import (
    Account,
    AccountKey,
    AccountKeys,
    Ask,
    CallRow,
    Held,
    HoldAnswer,
    Settlement,
    Standing,
    size_hold,
)
from seawall.core.money import Money, Usage

HOUR_MS = 3_600_000

CALL_COLUMNS = CallRow.__struct_fields__
"""The columns of a call are named as its fields are."""
HOLD_COLUMNS = ("id", "process", "amount", "accounts", "row", "counts", "tokens")
USAGE_COLUMNS = (
    "hour", "key_id", "end_user", "model", "calls", "input", "output", "cached_read", "cached_write",
    "reasoning", "cost", "overage",
)  # fmt: skip
USAGE_KEY = USAGE_COLUMNS[:4]

HoldRow = tuple[str, str, int, str, str, int, int]
"""A hold as it lies on disk, in the order of `HOLD_COLUMNS`."""

_encode = msgspec.json.Encoder().encode
_decode_accounts = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode
_decode_row = msgspec.json.Decoder(CallRow).decode


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

    def account_keys(self) -> tuple[AccountKey, ...]:
        """Return the accounts that it lies on."""
        return self.keys.usd + self.keys.tokens + self.keys.requests


class Changes:
    """Collects what the operations of one transaction change.

    `process` is whose holds these are, `open_holds` are those of it that are on disk, and `read` returns an
    account as it stands; the home then writes `account_rows`, `hold_rows`, `closed`, `call_rows` and
    `usage_rows`, and once they are committed calls `committed`.
    """

    __slots__ = (
        "_changed",
        "_open_holds",
        "_opened",
        "_process",
        "_read",
        "_usage",
        "call_rows",
        "closed",
        "hold_rows",
    )

    def __init__(
        self, process: str, open_holds: dict[str, OpenHold], read: Callable[[AccountKey], Cell]
    ) -> None:
        self._process, self._open_holds, self._read = process, open_holds, read
        self._changed: dict[AccountKey, Cell] = {}
        self._opened: dict[str, OpenHold] = {}
        self._usage: dict[tuple[int, str, str, str], list[int]] = {}
        self.closed: set[str] = set()
        self.hold_rows: list[HoldRow] = []
        self.call_rows: list[tuple[object, ...]] = []

    def cell(self, key: AccountKey) -> Cell:
        """Return an account as of this transaction, to be looked at."""
        return self._changed.get(key) or self._read(key)

    def change(self, key: AccountKey) -> Cell:
        """Return an account as of this transaction, to be changed."""
        cell = self._changed.get(key)
        if cell is None:
            cell = self._changed[key] = self._read(key)
        return cell

    def take_out(self, keys: Iterable[AccountKey]) -> list[tuple[str, str, int, int, int]]:
        """Return what was changed of these accounts, and leave it to the caller to write it."""
        return [
            (*key, cell.spent, cell.held, cell.overage)
            for key in keys
            if (cell := self._changed.pop(key, None)) is not None
        ]

    def open_hold(self, hold: OpenHold, ask: Ask) -> None:
        """Place the hold of an ask on all of its accounts."""
        self.lay(hold)
        self._opened[ask.hold_id] = hold
        self.hold_rows.append(hold_row(ask, hold, self._process))

    def adopt(self, hold_id: str, hold: OpenHold) -> None:
        """Take over a hold that lies on its accounts and on disk, as one of this process."""
        self._opened[hold_id] = hold

    def close_hold(self, hold_id: str) -> OpenHold | None:
        """Take a hold of this process away; `None` where that has been done before."""
        if hold_id in self.closed:
            return None
        hold = self._opened.get(hold_id) or self._open_holds.get(hold_id)
        if hold is None:
            return None
        self.close_foreign(hold_id, hold)
        return hold

    def close_foreign(self, hold_id: str, hold: OpenHold) -> None:
        """Take away a hold that is on disk and not among those of this process."""
        self.closed.add(hold_id)
        self.lift(hold)

    def lay(self, hold: OpenHold) -> None:
        """Count a hold on its accounts, whoever writes its row."""
        self._hold_on(hold, 1)

    def lift(self, hold: OpenHold) -> None:
        """Count a hold on its accounts no more."""
        self._hold_on(hold, -1)

    def book(self, hold: OpenHold, settlement: Settlement) -> None:
        """Add a cost to the accounts of its hold, and to the sums by hour."""
        row, usage = settlement.row, settlement.usage
        within = settlement.cost - settlement.overage
        for key in hold.keys.usd:
            cell = self.change(key)
            cell.spent += within
            cell.overage += settlement.overage
        for key in hold.keys.tokens:
            used = usage.input + usage.output if settlement.tokens is None else settlement.tokens
            cell = self.change(key)
            cell.spent += min(used, hold.tokens)
            cell.overage += max(0, used - hold.tokens)
        for key in hold.keys.requests:
            self.change(key).spent += hold.requests
        sums = self._usage.setdefault(
            (row.at_ms // HOUR_MS, row.key_id, row.end_user or "", row.model), [0] * 8
        )
        calls = int(settlement.counts)
        for position, amount in enumerate((calls, *_tokens(usage), settlement.cost, settlement.overage)):
            sums[position] += amount

    def add_call(self, row: CallRow) -> None:
        """Keep a call's row."""
        self.call_rows.append(columns_of(row))

    def account_rows(self) -> list[tuple[str, str, int, int, int]]:
        """Return every account that was changed: scope, period, spent, held, overage."""
        return [(*key, cell.spent, cell.held, cell.overage) for key, cell in self._changed.items()]

    def usage_rows(self) -> list[tuple[object, ...]]:
        """Return what is to be added to the sums by hour, in the order of `USAGE_COLUMNS`."""
        return [(*key, *sums) for key, sums in self._usage.items()]

    def committed(self) -> None:
        """Remember which holds of this process are open now."""
        self._open_holds.update(self._opened)
        for hold_id in self.closed:
            self._open_holds.pop(hold_id, None)

    def _hold_on(self, hold: OpenHold, sign: int) -> None:
        """Place a hold on its accounts, or take it away."""
        keys = hold.keys
        for key in keys.usd:
            self.change(key).held += sign * hold.amount
        for key in keys.tokens:
            self.change(key).held += sign * hold.tokens
        for key in keys.requests:
            self.change(key).held += sign * hold.requests


def standings(accounts: Sequence[Account], changes: Changes) -> list[Standing]:
    """Return how accounts stand."""
    found = []
    for account in accounts:
        cell = changes.cell((account.scope, account.period))
        found.append(Standing(account, cell.spent + cell.overage, cell.held))
    return found


def place(ask: Ask, changes: Changes) -> HoldAnswer:
    """Decide what a call gets, and place the hold where it gets anything."""
    answer = size(ask, changes)
    if isinstance(answer, Held):
        changes.open_hold(hold_of(ask, answer), ask)
    return answer


def size(ask: Ask, changes: Changes) -> HoldAnswer:
    """Decide what a call gets, without placing the hold."""
    return size_hold(ask, standings(ask.accounts.capped, changes))


def hold_of(ask: Ask, granted: Held) -> OpenHold:
    """Return the hold of an ask that was granted."""
    tokens = ask.tokens_of(granted.output_tokens)
    return OpenHold(granted.amount, tokens, int(ask.counts), ask.accounts.by_unit)


def hold_row(ask: Ask, hold: OpenHold, process: str) -> HoldRow:
    """Write the hold of an ask down as one of a process."""
    row = _encode(ask.row).decode()
    return ask.hold_id, process, hold.amount, ask.accounts.text, row, int(ask.counts), hold.tokens


def settle(settlement: Settlement, changes: Changes) -> None:
    """Replace a hold of this process by its cost and keep the call's row; nothing where that was done."""
    hold = changes.close_hold(settlement.hold_id)
    if hold is None:
        return
    changes.book(hold, settlement)
    changes.add_call(settlement.row)


def reset(accounts: Sequence[Account], changes: Changes) -> None:
    """Begin accounts of quotas anew, but for what is held."""
    for account in accounts:
        assert account.counts != "usd"
        cell = changes.change((account.scope, account.period))
        cell.spent = cell.overage = 0


def read_hold(row: HoldRow) -> OpenHold:
    """Return a hold that lies on disk."""
    _, _, amount, accounts, _, counts, tokens = row
    return OpenHold(Money(amount), tokens, counts, AccountKeys.of(_decode_accounts(accounts)))


def settle_in_full(row: HoldRow, hold: OpenHold, changes: Changes) -> None:
    """Settle the hold of a dead process at its amount: the call may have been billed (money.md 14)."""
    hold_id, counts, tokens = row[0], row[5], row[6]
    call = _crashed(_decode_row(row[4]), hold.amount)
    changes.close_foreign(hold_id, hold)
    unknown = Usage(exact=False)
    settlement = Settlement(hold_id, hold.amount, Money(0), unknown, call, counts=bool(counts), tokens=tokens)
    changes.book(hold, settlement)
    changes.add_call(call)


def columns_of(row: CallRow) -> tuple[object, ...]:
    """Return a call as it is written, in the order of `CALL_COLUMNS`."""
    return (
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
        None if row.usage is None else _encode(row.usage).decode(),
        row.held,
        row.cost,
        row.overage,
        row.listed_cost,
        row.decisions.decode(),
        row.attempts.decode(),
        row.saved,
        row.shape,
    )


def _crashed(row: CallRow, held: Money) -> CallRow:
    """Return the row of a call that was cut off by a crash: what its earlier attempts cost, and this hold."""
    return msgspec.structs.replace(
        row,
        outcome="crashed",
        status=500,
        code="gateway_stopped",
        cost=Money(row.cost + held),
        held=Money(row.held + held),
    )


def _tokens(usage: Usage) -> tuple[int, int, int, int, int]:
    return usage.input, usage.output, usage.cached_read, usage.cached_write, usage.reasoning
