"""What alerts look at: accounts of the present periods, spending by day, what became of the newest calls."""

from typing import Any

from seawall.core.call import first_id_at
from seawall.core.watching import Seen
from seawall.stores import calls
from seawall.stores.sqlite.reader import Reader


class SqliteWatch:
    """See `core.watching.Watch`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def _rows(self, statement: str, values: tuple[str | int, ...]) -> list[tuple[Any, ...]]:
        return await self._reader.run(lambda c: c.execute(statement, values).fetchall())

    async def used(self, period: str) -> list[tuple[str, int, int]]:
        """Return (scope, used, held) of every account of a period of which something is used."""
        return await self._rows(calls.ACCOUNTS, (period,))

    async def days(self, first: str, last: str) -> dict[str, dict[str, int]]:
        """Return what the gateway and each key spent on each day, by scope and day."""
        return calls.days_of(await self._rows(calls.DAYS, (first, last)))

    async def calls(self, since_ms: int) -> list[Seen]:
        """Return the newest calls since then, 5,000 at most."""
        first = first_id_at(since_ms)
        rows = await self._rows(calls.SEEN, (first, calls.CALLS_MAX))
        return [Seen(*row) for row in rows]

    async def sums(self, by: str, first_hour: int, last_hour: int) -> list[tuple[str, int, int, int]]:
        """Return (name, calls, tokens, cost) by `key`, `model` or `user`, the dearest ten, or of `all`."""
        statement = calls.DEAREST.format(name=calls.DEAREST_NAMES[by])
        rows = await self._rows(statement, (first_hour, last_hour))
        return [(str(name), int(calls), int(tokens), int(cost)) for name, calls, tokens, cost in rows]

    async def refused(self, since_ms: int, until_ms: int) -> list[tuple[str, int]]:
        """Return how many calls were refused, by code."""
        span = (first_id_at(since_ms), first_id_at(until_ms))
        rows = await self._rows(calls.REFUSED, span)
        return [(str(code), int(count)) for code, count in rows]

    async def saved(self, since_ms: int, until_ms: int) -> int:
        """Return what the cache saved."""
        span = (first_id_at(since_ms), first_id_at(until_ms))
        rows = await self._rows(calls.SAVED_BETWEEN, span)
        return int(rows[0][0])
