"""The call log and its sums on SQLite."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import apsw
import msgspec

from seawall.core.call import first_id_at
from seawall.core.contracts import Spend
from seawall.core.ledger import CallRow
from seawall.core.money import Money, Usage
from seawall.core.periods import LIFETIME, day_of, month_of
from seawall.stores.accounting import HOUR_MS
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.reader import Reader
from seawall.stores.writer import Writer

_CALLS = """
SELECT id, at_ms, endpoint, key_id, end_user, model, provider, stream, status, outcome, code, took_ms,
       first_ms, usage, held, cost, overage, listed_cost, decisions, attempts, saved
FROM calls"""
_FIND = f"{_CALLS} WHERE id = ?"
_NEWEST = f"{_CALLS} WHERE id < ? ORDER BY id DESC LIMIT ?"
_NEWEST_OF_KEY = f"{_CALLS} WHERE key_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
_SPEND = "SELECT period, spent + overage, held, overage FROM accounts WHERE scope = ? AND period IN (?, ?, ?)"
_TRIM = "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE id < ? ORDER BY id LIMIT ?)"

_GROUPS = {
    "key": "key_id",
    "model": "model",
    "user": "end_user",
    "day": "strftime('%Y-%m-%d', hour * 3600, 'unixepoch')",
}
_SUMS = """
SELECT {group} AS name, sum(calls), sum(input), sum(output), sum(cached_read), sum(cached_write),
       sum(reasoning), sum(cost), sum(overage)
FROM usage_hourly WHERE hour >= ? AND hour < ? GROUP BY name ORDER BY sum(cost) DESC, name"""
_SAVED = """
SELECT count(*), total(saved) FROM calls
WHERE id >= ? AND outcome = 'ok' AND decisions LIKE '[{"step":"recall"%'"""
_ACTIVE_USERS = """
SELECT end_user, sum(calls), sum(input) + sum(output), sum(cost), max(hour) * 3600
FROM usage_hourly WHERE end_user > ? AND hour >= ? GROUP BY end_user ORDER BY end_user LIMIT ?"""
_ACTIVE_NAMES = ("id", "calls", "tokens", "cost", "last_hour")
_SUM_NAMES = (
    "name", "calls", "input_tokens", "output_tokens", "cached_read_tokens", "cached_write_tokens",
    "reasoning_tokens", "cost", "overage",
)  # fmt: skip
T = TypeVar("T")

_AFTER_ALL_IDS = "call_~"

_decode_usage = msgspec.json.Decoder(Usage).decode


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
        rows = await self._ask(lambda c: c.execute(_FIND, (call_id,)).fetchall())
        return _row(rows[0]) if rows else None

    async def newest(self, *, key_id: str | None, before: str | None, limit: int) -> list[CallRow]:
        """Return the newest calls first."""
        start = before or _AFTER_ALL_IDS

        def ask(connection: apsw.Connection) -> list[tuple[Any, ...]]:
            if key_id is None:
                return connection.execute(_NEWEST, (start, limit)).fetchall()
            return connection.execute(_NEWEST_OF_KEY, (key_id, start, limit)).fetchall()

        return [_row(columns) for columns in await self._ask(ask)]

    async def usage(self, *, by: str, since_ms: int, until_ms: int) -> list[dict[str, Any]]:
        """Return sums by `key`, `model` or `day`, the dearest first."""
        statement = _SUMS.format(group=_GROUPS[by])
        hours = (since_ms // HOUR_MS, -(-until_ms // HOUR_MS))
        rows = await self._ask(lambda c: c.execute(statement, hours).fetchall())
        return [dict(zip(_SUM_NAMES, row, strict=True)) for row in rows]

    async def spend(self, scope: str, at_s: float) -> Spend:
        """Return what a scope has spent in the periods that hold `at_s`."""
        day, month = day_of(at_s), month_of(at_s)
        keys = (scope, day, month, LIFETIME)
        rows: list[tuple[Any, ...]] = await self._ask(lambda c: c.execute(_SPEND, keys).fetchall())
        sums = {period: rest for period, *rest in rows}
        lifetime = sums.get(LIFETIME, [0, 0, 0])
        return Spend(
            daily=Money(sums.get(day, [0])[0]),
            monthly=Money(sums.get(month, [0])[0]),
            lifetime=Money(lifetime[0]),
            held=Money(lifetime[1]),
            overage=Money(lifetime[2]),
        )

    async def saved(self, *, since_ms: int) -> tuple[int, Money]:
        """Return how many calls the cache answered since then, and what that saved."""
        first = first_id_at(since_ms)
        rows: list[tuple[Any, ...]] = await self._ask(lambda c: c.execute(_SAVED, (first,)).fetchall())
        return int(rows[0][0]), Money(int(rows[0][1]))

    async def active_users(self, *, since_ms: int, after: str, limit: int) -> list[dict[str, Any]]:
        """Return end users that called since then, by id, with their sums."""
        bounds = (after, since_ms // HOUR_MS, limit)
        rows = await self._ask(lambda c: c.execute(_ACTIVE_USERS, bounds).fetchall())
        return [dict(zip(_ACTIVE_NAMES, row, strict=True)) for row in rows]

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
    batch.cursor.execute(_TRIM, (before_id, at_most))
    return batch.changes()


def _row(columns: tuple[Any, ...]) -> CallRow:
    fields = dict(zip(CallRow.__struct_fields__, columns, strict=True))
    fields["stream"] = bool(fields["stream"])
    fields["usage"] = None if fields["usage"] is None else _decode_usage(fields["usage"])
    fields["decisions"] = fields["decisions"].encode()
    fields["attempts"] = fields["attempts"].encode()
    return CallRow(**fields)
