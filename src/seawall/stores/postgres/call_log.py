"""The call log and its sums on Postgres."""

from collections.abc import Awaitable, Callable
from typing import Any

from seawall.core.call import first_id_at
from seawall.core.contracts import Spend
from seawall.core.ledger import CallRow
from seawall.core.money import Money
from seawall.core.periods import LIFETIME, day_of, month_of
from seawall.stores import calls
from seawall.stores.accounting import HOUR_MS
from seawall.stores.postgres.connection import Line, Pool
from seawall.stores.postgres.retention import take_turn
from seawall.stores.postgres.statements import Values, rows_of, run

_GROUPS = {
    "key": "key_id",
    "model": "model",
    "user": "end_user",
    "day": "to_char(to_timestamp(hour * 3600) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}


class PostgresCallLog:
    """See `core.contracts.CallLog`.

    Rows are handed to `write_row`; `catch_up` returns once they are there, for who asks sees their own calls.
    """

    def __init__(
        self, pool: Pool, write_row: Callable[[CallRow], None], catch_up: Callable[[], Awaitable[object]]
    ) -> None:
        self._pool, self._write_row, self._catch_up = pool, write_row, catch_up

    def write(self, row: CallRow) -> None:
        """Take the row of a call that held no money."""
        self._write_row(row)

    async def find(self, call_id: str) -> CallRow | None:
        """Return one call."""
        rows = await self._ask(calls.FIND, (call_id,))
        return calls.call_of(rows[0]) if rows else None

    async def newest(self, *, key_id: str | None, before: str | None, limit: int) -> list[CallRow]:
        """Return the newest calls first."""
        start = before or calls.AFTER_ALL_IDS
        if key_id is None:
            rows = await self._ask(calls.NEWEST, (start, limit))
        else:
            rows = await self._ask(calls.NEWEST_OF_KEY, (key_id, start, limit))
        return [calls.call_of(row) for row in rows]

    async def usage(self, *, by: str, since_ms: int, until_ms: int) -> list[dict[str, Any]]:
        """Return sums by `key`, `model`, `user` or `day`, the dearest first."""
        hours = (since_ms // HOUR_MS, -(-until_ms // HOUR_MS))
        rows = await self._ask(calls.SUMS.replace("{group}", _GROUPS[by]), hours)
        return calls.named(calls.SUM_NAMES, rows)

    async def spend(self, scope: str, at_s: float) -> Spend:
        """Return what a scope has spent in the periods that hold `at_s`."""
        day, month = day_of(at_s), month_of(at_s)
        return calls.spend_of(await self._ask(calls.SPEND, (scope, day, month, LIFETIME)), day, month)

    async def saved(self, *, since_ms: int) -> tuple[int, Money]:
        """Return how many calls the cache answered since then, and what that saved."""
        [(count, saved)] = await self._ask(calls.SAVED, (first_id_at(since_ms),))
        return int(count), Money(saved)

    async def active_users(self, *, since_ms: int, after: str, limit: int) -> list[dict[str, Any]]:
        """Return end users that called since then, by id, with their sums."""
        rows = await self._ask(calls.ACTIVE_USERS, (after, since_ms // HOUR_MS, limit))
        return calls.named(calls.ACTIVE_NAMES, rows)

    async def trim(self, before_ms: int, *, at_most: int) -> int:
        """Delete a batch of the oldest rows from before a moment; the sums stay.

        Returns how many went, none where another gateway is at it.
        """

        async def work(connection: Line) -> int:
            async with connection.transaction():
                if not await take_turn(connection):
                    return 0
                return (await run(connection, calls.TRIM, (first_id_at(before_ms), at_most))).rowcount

        return await self._pool.run(work)

    async def _ask(self, question: str, values: Values) -> list[calls.Row]:
        await self._catch_up()

        async def work(connection: Line) -> list[calls.Row]:
            return await rows_of(connection, question, values)

        return await self._pool.run(work)
