"""The call log and its sums on SQLite."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import apsw

from seawall.core.call import first_id_at
from seawall.core.contracts import Spend
from seawall.core.ledger import CallRow
from seawall.core.money import Money
from seawall.core.periods import LIFETIME, day_of, month_of
from seawall.stores import calls
from seawall.stores.accounting import HOUR_MS
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.reader import Reader
from seawall.stores.writer import Writer

_GROUPS = {
    "key": "key_id",
    "model": "model",
    "user": "end_user",
    "day": "strftime('%Y-%m-%d', hour * 3600, 'unixepoch')",
}
T = TypeVar("T")


class SqliteCallLog:
    """Rows are written by the writer thread and read beside it; see `core.contracts.CallLog`."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def write(self, row: CallRow) -> None:
        """Take the row of a call that held no money."""
        self._writer.submit(partial(_write, row), rides=True).add_done_callback(_look_away)

    async def _ask(self, question: Callable[[apsw.Connection], T]) -> T:
        """Read, once everything that was handed over before is on disk: who asks sees their own calls."""
        await self._writer.submit(_nothing)
        return await self._reader.run(question)

    async def find(self, call_id: str) -> CallRow | None:
        """Return one call."""
        rows = await self._ask(lambda c: c.execute(calls.FIND, (call_id,)).fetchall())
        return calls.call_of(rows[0]) if rows else None

    async def newest(self, *, key_id: str | None, before: str | None, limit: int) -> list[CallRow]:
        """Return the newest calls first."""
        start = before or calls.AFTER_ALL_IDS

        def ask(connection: apsw.Connection) -> list[calls.Row]:
            if key_id is None:
                return connection.execute(calls.NEWEST, (start, limit)).fetchall()
            return connection.execute(calls.NEWEST_OF_KEY, (key_id, start, limit)).fetchall()

        return [calls.call_of(row) for row in await self._ask(ask)]

    async def usage(self, *, by: str, since_ms: int, until_ms: int) -> list[dict[str, Any]]:
        """Return sums by `key`, `model` or `day`, the dearest first."""
        statement = calls.SUMS.format(group=_GROUPS[by])
        hours = (since_ms // HOUR_MS, -(-until_ms // HOUR_MS))
        rows = await self._ask(lambda c: c.execute(statement, hours).fetchall())
        return calls.named(calls.SUM_NAMES, rows)

    async def spend(self, scope: str, at_s: float) -> Spend:
        """Return what a scope has spent in the periods that hold `at_s`."""
        day, month = day_of(at_s), month_of(at_s)
        keys = (scope, day, month, LIFETIME)
        rows: list[calls.Row] = await self._ask(lambda c: c.execute(calls.SPEND, keys).fetchall())
        return calls.spend_of(rows, day, month)

    async def saved(self, *, since_ms: int) -> tuple[int, Money]:
        """Return how many calls the cache answered since then, and what that saved."""
        first = first_id_at(since_ms)
        rows: list[calls.Row] = await self._ask(lambda c: c.execute(calls.SAVED, (first,)).fetchall())
        return int(rows[0][0]), Money(int(rows[0][1]))

    async def active_users(self, *, since_ms: int, after: str, limit: int) -> list[dict[str, Any]]:
        """Return end users that called since then, by id, with their sums."""
        bounds = (after, since_ms // HOUR_MS, limit)
        rows = await self._ask(lambda c: c.execute(calls.ACTIVE_USERS, bounds).fetchall())
        return calls.named(calls.ACTIVE_NAMES, rows)

    async def trim(self, before_ms: int, *, at_most: int) -> int:
        """Delete a batch of the oldest rows from before a moment; the sums stay. Returns how many went."""
        count: int = await self._writer.submit(partial(_trim, first_id_at(before_ms), at_most))
        return count


def _look_away(written: "asyncio.Future[None]") -> None:
    """Take notice of an error, for whom nobody waits: the writer has logged what is wrong with the file."""
    if not written.cancelled():
        written.exception()


def _nothing(batch: LedgerBatch) -> None:
    """Change nothing."""


def _write(row: CallRow, batch: LedgerBatch) -> None:
    batch.ledger.add_call(row)


def _trim(before_id: str, at_most: int, batch: LedgerBatch) -> int:
    batch.cursor.execute(calls.TRIM, (before_id, at_most))
    return batch.changes()
