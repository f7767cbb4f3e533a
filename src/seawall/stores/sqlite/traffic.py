"""What advice reads, on SQLite."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import apsw

from seawall.core.ledger import CallRow
from seawall.core.traffic import Asked, Hour, UserFigures
from seawall.stores import traffic
from seawall.stores.calls import call_of
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.reader import Reader
from seawall.stores.writer import Writer

T = TypeVar("T")


class SqliteTraffic:
    """See `core.traffic.Traffic`. What was handed to the writer before is in every answer about calls."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer, self._reader = writer, reader

    async def rows(self, *, after: str, before: str, at_most: int) -> list[CallRow]:
        """Return calls with ids between two ids, the oldest first."""

        def ask(connection: apsw.Connection) -> list[CallRow]:
            return [call_of(row) for row in connection.execute(traffic.ROWS, (after, before, at_most))]

        return await self._ask(ask)

    async def asked(self, *, since_ms: int, until_ms: int, at_most: int) -> list[Asked]:
        """Return the newest calls of a span, the oldest of them first."""
        values = (*traffic.ids_between(since_ms, until_ms), at_most)
        return await self._ask(lambda c: traffic.asked_of(c.execute(traffic.ASKED, values)))

    async def first_open(self) -> str | None:
        """Return the least id of what is still to be settled."""
        return await self._ask(lambda c: _value(c, traffic.FIRST_OPEN))

    async def hours(self, first: int, last: int) -> list[Hour]:
        """Return the sums of some hours."""
        return await self._reader.run(lambda c: traffic.hours_of(c.execute(traffic.HOURS, (first, last))))

    async def summed_until(self) -> int:
        """Return the first hour that is not summed up yet."""
        return await self._reader.run(lambda c: _value(c, traffic.SUMMED) or 0)

    async def put(self, hours: Sequence[Hour], until: int) -> None:
        """Write sums, and up to where it is summed up."""
        await self._writer.submit(partial(_put, traffic.rows_of(hours), until))

    async def users(self, first: int, last: int) -> UserFigures:
        """Return who called in some hours."""

        def ask(connection: apsw.Connection) -> UserFigures:
            span = (first, last)
            keys = _value(connection, traffic.KEYS, span) or 0
            first_hour = _value(connection, traffic.FIRST_HOUR)
            return traffic.figures_of(connection.execute(traffic.USERS, span), keys, first_hour)

        return await self._ask(ask)

    async def trim(self, before_hour: int, *, at_most: int) -> int:
        """Forget the oldest sums."""
        count: int = await self._writer.submit(partial(_trim, before_hour, at_most))
        return count

    async def _ask(self, question: Callable[[apsw.Connection], T]) -> T:
        await self._writer.submit(_nothing)
        return await self._reader.run(question)


def _value(connection: apsw.Connection, question: str, values: Sequence[int] = ()) -> Any:
    row = connection.execute(question, values).fetchone()
    return None if row is None else row[0]


def _nothing(batch: LedgerBatch) -> None:
    """Change nothing."""


def _put(rows: list[traffic.Row], until: int, batch: LedgerBatch) -> None:
    batch.cursor.execute(traffic.NOTE_SUMMED, (until, until))
    batch.cursor.executemany(traffic.PUT, rows)


def _trim(before_hour: int, at_most: int, batch: LedgerBatch) -> int:
    batch.cursor.execute(traffic.TRIM, (before_hour, at_most))
    return batch.changes()
