"""The ledger on SQLite: holds, settlements and the recovery of what dead processes left (money.md)."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from seawall.core.ledger import (
    Account,
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
from seawall.stores.sqlite.batch import LedgerBatch, OpenHold
from seawall.stores.sqlite.process import ProcessLock
from seawall.stores.sqlite.writer import Writer

_FOREIGN_HOLDS = (
    "SELECT id, process, amount, accounts, row, counts, tokens FROM holds WHERE process <> ?"
    " ORDER BY length(id), id"
)

_decode_accounts = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode
_decode_row = msgspec.json.Decoder(CallRow).decode


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
        """Settle in full what dead processes held, whatever its age: it may have been billed."""
        count: int = await self._writer.submit(partial(_reap, self._lock))
        self._lock.forget_dead()
        return count


def _standings(accounts: Sequence[Account], batch: LedgerBatch) -> list[Standing]:
    standings = []
    for account in accounts:
        cell = batch.cell((account.scope, account.period))
        standings.append(Standing(account, cell.spent + cell.overage, cell.held))
    return standings


def _hold(ask: Ask, batch: LedgerBatch) -> HoldAnswer:
    answer = size_hold(ask, _standings(ask.accounts.capped, batch))
    if isinstance(answer, Held):
        batch.open_hold(
            OpenHold(
                answer.amount, ask.tokens_of(answer.output_tokens), int(ask.counts), ask.accounts.by_unit
            ),
            ask,
        )
    return answer


def _reset(accounts: Sequence[Account], batch: LedgerBatch) -> None:
    for account in accounts:
        assert account.counts != "usd"
        batch.reset((account.scope, account.period))


def _settle(settlement: Settlement, batch: LedgerBatch) -> None:
    hold = batch.close_hold(settlement.hold_id)
    if hold is None:
        return
    batch.book(hold, settlement)
    batch.add_call(settlement.row)


def _void(hold_id: str, batch: LedgerBatch) -> None:
    batch.close_hold(hold_id)


def _check(batch: LedgerBatch) -> None:
    batch.cursor.execute("UPDATE checked SET times = times + 1")


def _reap(lock: ProcessLock, batch: LedgerBatch) -> int:
    dead: dict[str, bool] = {}
    count = 0
    found: list[tuple[Any, ...]] = batch.cursor.execute(_FOREIGN_HOLDS, (batch.process,)).fetchall()
    for hold_id, process, amount, accounts, row_text, counts, tokens in found:
        if process not in dead:
            dead[process] = lock.is_dead(process)
        if not dead[process]:
            continue
        hold = OpenHold(Money(amount), tokens, counts, AccountKeys.of(_decode_accounts(accounts)))
        row = _crashed(_decode_row(row_text), hold.amount)
        batch.adopt_hold(hold_id, hold)
        unknown = Usage(exact=False)
        batch.book(
            hold,
            Settlement(hold_id, hold.amount, Money(0), unknown, row, counts=bool(counts), tokens=tokens),
        )
        batch.add_call(row)
        count += 1
    return count


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
