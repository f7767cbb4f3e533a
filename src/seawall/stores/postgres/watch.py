"""What alerts look at, on Postgres."""

from seawall.core.call import first_id_at
from seawall.core.watching import Seen
from seawall.stores import calls
from seawall.stores.calls import Row
from seawall.stores.postgres.connection import Line, Pool
from seawall.stores.postgres.statements import rows_of


class PostgresWatch:
    """See `core.watching.Watch`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def used(self, period: str) -> list[tuple[str, int, int]]:
        """Return (scope, used, held) of every account of a period of which something is used."""
        return await self._ask(calls.ACCOUNTS, (period,))

    async def days(self, first: str, last: str) -> dict[str, dict[str, int]]:
        """Return what the gateway and each key spent on each day, by scope and day."""
        return calls.days_of(await self._ask(calls.DAYS, (first, last)))

    async def calls(self, since_ms: int) -> list[Seen]:
        """Return the newest calls since then, 5,000 at most."""
        rows = await self._ask(calls.SEEN, (first_id_at(since_ms), calls.CALLS_MAX))
        return [Seen(*row) for row in rows]

    async def sums(self, by: str, first_hour: int, last_hour: int) -> list[tuple[str, int, int, int]]:
        """Return (name, calls, tokens, cost) by `key`, `model` or `user`, the dearest ten, or of `all`."""
        statement = calls.DEAREST.format(name=calls.DEAREST_NAMES[by])
        return await self._ask(statement, (first_hour, last_hour))

    async def refused(self, since_ms: int, until_ms: int) -> list[tuple[str, int]]:
        """Return how many calls were refused, by code."""
        rows = await self._ask(calls.REFUSED, (first_id_at(since_ms), first_id_at(until_ms)))
        return [(str(code), count) for code, count in rows]

    async def saved(self, since_ms: int, until_ms: int) -> int:
        """Return what the cache saved."""
        [(saved,)] = await self._ask(calls.SAVED_BETWEEN, (first_id_at(since_ms), first_id_at(until_ms)))
        return int(saved)

    async def _ask(self, question: str, values: tuple[str | int, ...]) -> list[Row]:
        async def work(connection: Line) -> list[Row]:
            return await rows_of(connection, question, values)

        return await self._pool.run(work)
