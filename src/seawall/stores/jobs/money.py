"""The money of a job that waits: nobody's hold, until the worker that starts the job takes it over.

Invariants:
- Accounts and the row of a hold change in one transaction, as for every hold (money.md).
- Rows under `JOBS` are written here and nowhere else; a process that dies cannot take them with it.
"""

from seawall.core.jobs import Job, JobAsk, JobHold
from seawall.core.ledger import Ask, Held, HoldAnswer
from seawall.stores import accounting
from seawall.stores.accounting import HoldRow
from seawall.stores.jobs.transaction import JOBS, Transaction

_ADD = "INSERT INTO holds (id, process, amount, accounts, row, counts, tokens) VALUES (?, ?, ?, ?, ?, ?, ?)"
_TAKE = (
    "DELETE FROM holds WHERE id = ? AND process = 'jobs'"
    " RETURNING id, process, amount, accounts, row, counts, tokens"
)
# The hold of a call, and those of its later attempts: "call_1", "call_1.2". "/" follows "." in the alphabet.
_OF_CALL = (
    "SELECT id, process, amount, accounts, row, counts, tokens FROM holds WHERE id = ? OR (id > ? AND id < ?)"
)


def lay(asked: JobAsk, ask: Ask, granted: Held, tx: Transaction) -> JobHold:
    """Hold for a job what was granted to it."""
    hold = accounting.hold_of(ask, granted)
    tx.ledger.lay(hold)
    tx.write(_ADD, accounting.hold_row(ask, hold, JOBS))
    return JobHold(
        id=ask.hold_id,
        amount=granted.amount,
        input_tokens=ask.input_tokens,
        output_tokens=granted.output_tokens,
        route=asked.route,
        day=asked.day,
    )


def size(ask: Ask, tx: Transaction) -> HoldAnswer:
    """Decide what a job gets, without holding it yet."""
    tx.read(ask.accounts.keys)
    return accounting.size(ask, tx.ledger)


def give_back(hold: JobHold, tx: Transaction) -> HoldRow | None:
    """Take the hold of a job that has not begun away; returns its row, `None` where it was gone."""
    row = _take(hold.id, tx)
    if row is not None:
        taken = accounting.read_hold(row)
        tx.read(taken.account_keys())
        tx.ledger.lift(taken)
    return row


def put_back(row: HoldRow, tx: Transaction) -> None:
    """Hold again what was given back."""
    tx.ledger.lay(accounting.read_hold(row))
    tx.write(_ADD, row)


def hand_over(job: Job, tx: Transaction) -> JobHold | None:
    """Make the hold of a job that begins one of this process; `None` where it has none any more."""
    if job.hold is None:
        return None
    row = _take(job.hold.id, tx)
    if row is None:
        return None
    tx.ledger.adopt(job.hold.id, accounting.read_hold(row))
    tx.write(_ADD, (row[0], tx.process, *row[2:]))
    return job.hold


def settle_lost(job: Job, tx: Transaction) -> None:
    """Settle in full what a lost run held: its call may have been billed. What was settled is gone."""
    call_id = job.call_id
    rows = tx.ask(_OF_CALL, (call_id, f"{call_id}.", f"{call_id}/"))
    open_rows = [row for row in rows if row[1] != JOBS and row[0] not in tx.ledger.closed]
    holds = [accounting.read_hold(row) for row in open_rows]
    tx.read(key for hold in holds for key in hold.account_keys())
    for row, hold in zip(open_rows, holds, strict=True):
        accounting.settle_in_full(row, hold, tx.ledger)


def _take(hold_id: str, tx: Transaction) -> HoldRow | None:
    rows: list[HoldRow] = tx.ask(_TAKE, (hold_id,))
    return rows[0] if rows else None
