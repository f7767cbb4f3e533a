"""The ledger on Postgres: holds, settlements and the recovery of what dead processes left (money.md)."""

import asyncio
from collections.abc import Sequence
from functools import partial

from seawall.core.ledger import Account, Ask, CallRow, HoldAnswer, Settlement, Standing
from seawall.stores import accounting
from seawall.stores.accounting import Changes
from seawall.stores.postgres.batch import LedgerOperation, PostgresBatch
from seawall.stores.postgres.process import ProcessNames
from seawall.stores.writer import Writer

_HOLDS_OF = (
    "SELECT id, process, amount, accounts, row, counts, tokens FROM holds WHERE process = ANY(%s)"
    " ORDER BY length(id), id"
)
_FREE_KEYS = "DELETE FROM idempotent_answers WHERE answer IS NULL AND process = ANY(%s)"
_RAISE_VERSION = "UPDATE directory_version SET number = number + 1"
_CHECK = "UPDATE checked SET times = times + 1"


class PostgresLedger:
    """Holds and settles through the writer thread; see `core.contracts.Ledger`."""

    def __init__(self, writer: Writer, processes: ProcessNames) -> None:
        self._writer, self._processes = writer, processes

    async def hold(self, ask: Ask) -> HoldAnswer:
        """Place a hold on all accounts or on none, durably.

        Where the caller is cancelled while it waits, the hold is removed again: nothing was sent.
        """
        operation = LedgerOperation(partial(accounting.place, ask), ask.accounts.keys)
        try:
            answer: HoldAnswer = await self._writer.submit(operation)
        except asyncio.CancelledError:
            self.void(ask.hold_id)
            raise
        return answer

    def settle(self, settlement: Settlement) -> "asyncio.Future[None]":
        """Replace a hold by its cost and write the call's row, once."""
        operation = LedgerOperation(partial(accounting.settle, settlement), closes=settlement.hold_id)
        return self._writer.submit(operation, must=True)

    def void(self, hold_id: str) -> "asyncio.Future[None]":
        """Remove a hold of which nothing was sent."""
        return self._writer.submit(LedgerOperation(partial(_void, hold_id), closes=hold_id), must=True)

    async def standings(self, accounts: Sequence[Account]) -> list[Standing]:
        """Return how accounts stand, with everything that was handed over before."""
        operation = LedgerOperation(partial(accounting.standings, accounts), _keys(accounts))
        found: list[Standing] = await self._writer.submit(operation)
        return found

    async def reset(self, accounts: Sequence[Account]) -> None:
        """Give back what was used of quotas; what is held stays. All gateways learn of it."""
        await self._writer.submit(partial(_reset, accounts))

    async def check(self) -> None:
        """Write something, to know that it can be done."""
        await self._writer.submit(_check)

    async def reap(self) -> int:
        """Settle in full what dead processes held, whatever its age: it may have been billed.

        The idempotency keys of calls that they were making are free then.
        """
        count: int = await self._writer.submit(partial(_reap, self._processes))
        return count

    async def catch_up(self) -> None:
        """Return once everything that was handed over before is committed."""
        await self._writer.submit(_nothing)

    def write(self, row: CallRow) -> None:
        """Take the row of a call that held no money, to be written with the next commit."""
        operation = LedgerOperation(partial(_add_call, row))
        self._writer.submit(operation, rides=True).add_done_callback(_look_away)


def _keys(accounts: Sequence[Account]) -> tuple[tuple[str, str], ...]:
    return tuple((account.scope, account.period) for account in accounts)


def _void(hold_id: str, changes: Changes) -> None:
    changes.close_hold(hold_id)


def _add_call(row: CallRow, changes: Changes) -> None:
    changes.add_call(row)


def _reset(accounts: Sequence[Account], batch: PostgresBatch) -> None:
    batch.read(_keys(accounts))
    accounting.reset(accounts, batch.ledger)
    batch.connection.execute(_RAISE_VERSION)


def _nothing(batch: PostgresBatch) -> None:
    """Change nothing."""


def _check(batch: PostgresBatch) -> None:
    batch.connection.execute(_CHECK)


def _reap(processes: ProcessNames, batch: PostgresBatch) -> int:
    dead = processes.dead(batch.connection)
    if not dead:
        return 0
    rows = batch.connection.execute(_HOLDS_OF, (dead,)).fetchall()
    holds = [accounting.read_hold(row) for row in rows]
    batch.read(key for hold in holds for key in hold.account_keys())
    for row, hold in zip(rows, holds, strict=True):
        accounting.settle_in_full(row, hold, batch.ledger)
    batch.connection.execute(_FREE_KEYS, (dead,))
    return len(rows)


def _look_away(written: "asyncio.Future[None]") -> None:
    """Take notice of an error, for whom nobody waits: the writer has logged what is wrong."""
    if not written.cancelled():
        written.exception()
