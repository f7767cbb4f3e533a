"""What advice reads, on Postgres."""

from collections.abc import Awaitable, Callable, Sequence

from seawall.core.ledger import CallRow
from seawall.core.traffic import Asked, Hour, UserFigures
from seawall.stores import traffic
from seawall.stores.calls import call_of
from seawall.stores.postgres.connection import Line, Pool
from seawall.stores.postgres.retention import take_turn
from seawall.stores.postgres.statements import Values, rows_of, run, run_all


class PostgresTraffic:
    """See `core.traffic.Traffic`. What was handed to the ledger before is in every answer about calls.

    Several gateways may write the same sums. `traffic_summed` has one row, which is changed first, so that
    they come one after the other.
    """

    def __init__(self, pool: Pool, catch_up: Callable[[], Awaitable[object]]) -> None:
        self._pool, self._catch_up = pool, catch_up

    async def rows(self, *, after: str, before: str, at_most: int) -> list[CallRow]:
        """Return calls with ids between two ids, the oldest first."""
        await self._catch_up()
        return [call_of(row) for row in await self._ask(traffic.ROWS, (after, before, at_most))]

    async def asked(self, *, since_ms: int, until_ms: int, at_most: int) -> list[Asked]:
        """Return the newest calls of a span, the oldest of them first."""
        await self._catch_up()
        values = (*traffic.ids_between(since_ms, until_ms), at_most)
        return traffic.asked_of(await self._ask(traffic.ASKED, values))

    async def first_open(self) -> str | None:
        """Return the least id of what is still to be settled."""
        await self._catch_up()
        [(first,)] = await self._ask(traffic.FIRST_OPEN)
        return None if first is None else str(first)

    async def hours(self, first: int, last: int) -> list[Hour]:
        """Return the sums of some hours."""
        return traffic.hours_of(await self._ask(traffic.HOURS, (first, last)))

    async def summed_until(self) -> int:
        """Return the first hour that is not summed up yet."""
        [(until,)] = await self._ask(traffic.SUMMED)
        return int(until)

    async def put(self, hours: Sequence[Hour], until: int) -> None:
        """Write sums, and up to where it is summed up."""
        rows = traffic.rows_of(hours)

        async def work(connection: Line) -> None:
            async with connection.transaction():
                await run(connection, traffic.NOTE_SUMMED, (until, until))
                await run_all(connection, traffic.PUT, rows)

        await self._pool.run(work)

    async def users(self, first: int, last: int) -> UserFigures:
        """Return who called in some hours."""
        await self._catch_up()
        span = (first, last)
        [(keys,)] = await self._ask(traffic.KEYS, span)
        [(first_hour,)] = await self._ask(traffic.FIRST_HOUR)
        return traffic.figures_of(await self._ask(traffic.USERS, span), keys, first_hour)

    async def trim(self, before_hour: int, *, at_most: int) -> int:
        """Forget the oldest sums; none where another gateway is at it."""

        async def work(connection: Line) -> int:
            async with connection.transaction():
                if not await take_turn(connection):
                    return 0
                return (await run(connection, traffic.TRIM, (before_hour, at_most))).rowcount

        return await self._pool.run(work)

    async def _ask(self, question: str, values: Values = ()) -> list[traffic.Row]:
        async def work(connection: Line) -> list[traffic.Row]:
            return await rows_of(connection, question, values)

        return await self._pool.run(work)
