"""What alerts look at: accounts of the present periods, spending by day, what became of the newest calls."""

from typing import Any

from seawall.core.call import first_id_at
from seawall.core.watching import Seen
from seawall.stores.sqlite.reader import Reader

CALLS_MAX = 5_000
_ACCOUNTS = "SELECT scope, spent + overage, held FROM accounts WHERE period = ? AND spent + overage > 0"
_DAYS = (
    "SELECT scope, period, spent + overage FROM accounts WHERE period >= ? AND period <= ?"
    " AND length(period) = 10 AND (scope = 'global' OR scope LIKE 'key:%')"
)
_CALLS = (
    "SELECT provider, outcome, code, took_ms, first_ms, overage, key_id, end_user FROM calls"
    " WHERE id >= ? ORDER BY id DESC LIMIT ?"
)
_SUMS = (
    "SELECT {name}, sum(calls), sum(input) + sum(output), sum(cost) FROM usage_hourly"
    " WHERE hour >= ? AND hour < ? GROUP BY 1 ORDER BY 4 DESC LIMIT 10"
)
_CODES = (
    "SELECT code, count(*) FROM calls WHERE id >= ? AND id < ? AND outcome = 'refused'"
    " GROUP BY 1 ORDER BY 2 DESC"
)
_SAVED = "SELECT total(saved) FROM calls WHERE id >= ? AND id < ?"
_NAMES = {"all": "''", "key": "key_id", "model": "model", "user": "end_user"}


class SqliteWatch:
    """See `core.contracts.Watch`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def _rows(self, statement: str, values: tuple[str | int, ...]) -> list[tuple[Any, ...]]:
        return await self._reader.run(lambda c: c.execute(statement, values).fetchall())

    async def used(self, period: str) -> list[tuple[str, int, int]]:
        """Return (scope, used, held) of every account of a period of which something is used."""
        return await self._rows(_ACCOUNTS, (period,))

    async def days(self, first: str, last: str) -> dict[str, dict[str, int]]:
        """Return what the gateway and each key spent on each day, by scope and day."""
        rows = await self._rows(_DAYS, (first, last))
        found: dict[str, dict[str, int]] = {}
        for scope, day, spent in rows:
            found.setdefault(scope, {})[day] = spent
        return found

    async def calls(self, since_ms: int) -> list[Seen]:
        """Return the newest calls since then, 5,000 at most."""
        first = first_id_at(since_ms)
        rows = await self._rows(_CALLS, (first, CALLS_MAX))
        return [Seen(*row) for row in rows]

    async def sums(self, by: str, first_hour: int, last_hour: int) -> list[tuple[str, int, int, int]]:
        """Return (name, calls, tokens, cost) by `key`, `model` or `user`, the dearest ten, or of `all`."""
        statement = _SUMS.format(name=_NAMES[by])
        rows = await self._rows(statement, (first_hour, last_hour))
        return [(str(name), int(calls), int(tokens), int(cost)) for name, calls, tokens, cost in rows]

    async def refused(self, since_ms: int, until_ms: int) -> list[tuple[str, int]]:
        """Return how many calls were refused, by code."""
        span = (first_id_at(since_ms), first_id_at(until_ms))
        rows = await self._rows(_CODES, span)
        return [(str(code), int(count)) for code, count in rows]

    async def saved(self, since_ms: int, until_ms: int) -> int:
        """Return what the cache saved."""
        span = (first_id_at(since_ms), first_id_at(until_ms))
        rows = await self._rows(_SAVED, span)
        return int(rows[0][0])
