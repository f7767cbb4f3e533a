"""Keeps the SQLite file bounded; see `core.retention.Retention`."""

from functools import partial

import apsw

from seawall.stores.retention import (
    ACCOUNTS_AFTER,
    BY_DAY,
    DROP_ACCOUNT,
    HOURS_A_DAY,
    OF_ALL_USERS,
    PUT_BACK,
    Fold,
    added_up,
    is_over,
)
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.reader import Reader
from seawall.stores.writer import Writer


class SqliteRetention:
    """Looks for what is old beside the writer thread, and changes it there in small batches."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer, self._reader = writer, reader
        self._looked_from: dict[str, int] = {}
        self._account = ("", "")

    async def fold_hours(self, before_hour: int, *, at_most: int) -> int:
        """Add sums by hour up to their day."""
        return await self._fold(BY_DAY, before_hour, at_most)

    async def fold_users(self, before_hour: int, *, at_most: int) -> int:
        """Add the sums of users up to those of their key and model."""
        return await self._fold(OF_ALL_USERS, before_hour, at_most)

    async def _fold(self, fold: Fold, before_hour: int, at_most: int) -> int:
        start = self._looked_from.get(fold.name, 0)

        def look(connection: apsw.Connection) -> int | None:
            row = connection.execute(fold.first, (start, before_hour)).fetchone()
            return None if row is None else int(row[0])

        first = await self._reader.run(look)
        if first is None:
            return 0
        day = self._looked_from[fold.name] = first // HOURS_A_DAY * HOURS_A_DAY
        span = (day, min(day + HOURS_A_DAY, before_hour))
        count: int = await self._writer.submit(partial(_fold, fold, span, at_most))
        return count

    async def trim_accounts(self, before_day: str, *, at_most: int) -> int:
        """Look at the next accounts and drop those that are over; after the last one it begins anew."""
        start = (*self._account, at_most)

        def look(connection: apsw.Connection) -> list[tuple[str, str]]:
            found = connection.execute(ACCOUNTS_AFTER, start).fetchall()
            return [(str(scope), str(period)) for scope, period in found]

        seen = await self._reader.run(look)
        self._account = seen[-1] if len(seen) == at_most else ("", "")
        old = [key for key in seen if is_over(key[1], before_day)]
        if old:
            await self._writer.submit(partial(_drop, old))
        return len(old)


def _fold(fold: Fold, span: tuple[int, int], at_most: int, batch: LedgerBatch) -> int:
    taken = batch.cursor.execute(fold.take, (*span, at_most)).fetchall()
    batch.cursor.executemany(PUT_BACK, added_up(taken, fold))
    return len(taken)


def _drop(keys: list[tuple[str, str]], batch: LedgerBatch) -> None:
    batch.cursor.executemany(DROP_ACCOUNT, keys)
    batch.forget_accounts(keys)
