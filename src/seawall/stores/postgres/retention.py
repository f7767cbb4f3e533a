"""Keeps the database bounded; see `core.retention.Retention`.

Several gateways look after one database: whoever finds another at it leaves it to that one. Accounts that are
over are dropped without the ledger's lock: no gateway changes them any more, and what is held on one is asked
in the same statement.
"""

from seawall.stores.postgres.connection import Line, Pool
from seawall.stores.postgres.statements import rows_of, run_all
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

_TAKE_TURN = b"SELECT pg_try_advisory_xact_lock(%s)"
RETENTION_LOCK = 0x5EA_7E7A17
"""The advisory lock of whoever moves or deletes what is old."""


async def take_turn(connection: Line) -> bool:
    """Say whether nobody else is at it; until the transaction ends nobody else will be."""
    [(is_ours,)] = await (await connection.execute(_TAKE_TURN, (RETENTION_LOCK,))).fetchall()
    return bool(is_ours)


class PostgresRetention:
    """Changes what is old in small transactions, beside the ledger's own."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
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

        async def look(connection: Line) -> int | None:
            rows = await rows_of(connection, fold.first, (start, before_hour))
            return int(rows[0][0]) if rows else None

        async def work(connection: Line) -> int:
            async with connection.transaction():
                if not await take_turn(connection):
                    return 0
                taken = await rows_of(connection, fold.take, (*span, at_most))
                await run_all(connection, PUT_BACK, added_up(taken, fold))
            return len(taken)

        first = await self._pool.run(look)
        if first is None:
            return 0
        day = self._looked_from[fold.name] = first // HOURS_A_DAY * HOURS_A_DAY
        span = (day, min(day + HOURS_A_DAY, before_hour))
        return await self._pool.run(work)

    async def trim_accounts(self, before_day: str, *, at_most: int) -> int:
        """Look at the next accounts and drop those that are over; after the last one it begins anew."""
        start = (*self._account, at_most)

        async def look(connection: Line) -> list[tuple[str, str]]:
            return [(scope, period) for scope, period in await rows_of(connection, ACCOUNTS_AFTER, start)]

        async def work(connection: Line) -> None:
            await run_all(connection, DROP_ACCOUNT, old)

        seen = await self._pool.run(look)
        self._account = seen[-1] if len(seen) == at_most else ("", "")
        old = [key for key in seen if is_over(key[1], before_day)]
        if old:
            await self._pool.run(work)
        return len(old)
