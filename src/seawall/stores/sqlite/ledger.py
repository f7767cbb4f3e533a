"""The ledger on SQLite: holds, settlements and the recovery of what dead processes left (money.md)."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from seawall.core.ledger import Account, Ask, HoldAnswer, Settlement, Standing
from seawall.stores import accounting
from seawall.stores.sqlite import users
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.idempotency import free_dead
from seawall.stores.sqlite.process import ProcessLock
from seawall.stores.writer import Writer

_FOREIGN_HOLDS = (
    "SELECT id, process, amount, accounts, row, counts, tokens FROM holds"
    " WHERE process <> 'jobs' AND process <> ? ORDER BY length(id), id"
)


class SqliteLedger:
    """Holds and settles through the writer thread; see `core.contracts.Ledger`."""

    def __init__(self, writer: Writer, lock: ProcessLock) -> None:
        self._writer = writer
        self._lock = lock

    async def hold(self, ask: Ask) -> HoldAnswer:
        """Place a hold on all accounts or on none, durably.

        Where the caller is cancelled while it waits, the hold is removed again: nothing was sent.
        """
        try:
            answer: HoldAnswer = await self._writer.submit(partial(_hold, ask))
        except asyncio.CancelledError:
            self.void(ask.hold_id)
            raise
        return answer

    def settle(self, settlement: Settlement) -> "asyncio.Future[None]":
        """Replace a hold by its cost and write the call's row, once."""
        return self._writer.submit(partial(_settle, settlement), must=True)

    def void(self, hold_id: str) -> "asyncio.Future[None]":
        """Remove a hold of which nothing was sent."""
        return self._writer.submit(partial(_void, hold_id), must=True)

    async def standings(self, accounts: Sequence[Account]) -> list[Standing]:
        """Return how accounts stand, with everything that was handed over before."""
        found: list[Standing] = await self._writer.submit(partial(_standings, accounts))
        return found

    async def reset(self, accounts: Sequence[Account]) -> None:
        """Give back what was used of quotas; what is held stays."""
        await self._writer.submit(partial(_reset, accounts))

    async def check(self) -> None:
        """Write something, to know that it can be done."""
        await self._writer.submit(_check)

    async def reap(self) -> int:
        """Settle in full what dead processes held, whatever its age: it may have been billed.

        The idempotency keys of calls that they were making are free then.
        """
        count: int = await self._writer.submit(partial(_reap, self._lock))
        self._lock.forget_dead()
        return count


def _standings(accounts: Sequence[Account], batch: LedgerBatch) -> list[Standing]:
    return accounting.standings(accounts, batch.ledger)


def _hold(ask: Ask, batch: LedgerBatch) -> HoldAnswer:
    return accounting.place(ask, batch.ledger)


def _reset(accounts: Sequence[Account], batch: LedgerBatch) -> None:
    accounting.reset(accounts, batch.ledger)
    batch.cursor.execute(users.RAISE_VERSION)


def _settle(settlement: Settlement, batch: LedgerBatch) -> None:
    accounting.settle(settlement, batch.ledger)


def _void(hold_id: str, batch: LedgerBatch) -> None:
    batch.ledger.close_hold(hold_id)


def _check(batch: LedgerBatch) -> None:
    batch.cursor.execute("UPDATE checked SET times = times + 1")


def _reap(lock: ProcessLock, batch: LedgerBatch) -> int:
    dead: dict[str, bool] = {}
    count = 0
    found: list[Any] = batch.cursor.execute(_FOREIGN_HOLDS, (batch.process,)).fetchall()
    for row in found:
        process = row[1]
        if process not in dead:
            dead[process] = lock.is_dead(process)
        if dead[process]:
            accounting.settle_in_full(row, accounting.read_hold(row), batch.ledger)
            count += 1
    free_dead(lock, batch)
    return count
