"""Questions about calls and sums that every database answers in the same words, and how a call is read back.

Places of values are written `?`. Sums are cast, because Postgres makes decimal numbers of them.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from seawall.core.contracts import Spend
from seawall.core.ledger import CallRow
from seawall.core.money import Money, Usage
from seawall.core.periods import LIFETIME
from seawall.stores.accounting import CALL_COLUMNS

AFTER_ALL_IDS = "call_~"
CALLS_MAX = 5_000
"""Alerts look at no more calls than this."""

SELECT_CALLS = """
SELECT id, at_ms, endpoint, key_id, end_user, model, provider, stream, status, outcome, code, took_ms,
       first_ms, usage, held, cost, overage, listed_cost, decisions, attempts, saved, shape
FROM calls"""
FIND = f"{SELECT_CALLS} WHERE id = ?"
NEWEST = f"{SELECT_CALLS} WHERE id < ? ORDER BY id DESC LIMIT ?"
NEWEST_OF_KEY = f"{SELECT_CALLS} WHERE key_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
TRIM = "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE id < ? ORDER BY id LIMIT ?)"

# What a scope has spent in three periods.
SPEND = "SELECT period, spent + overage, held, overage FROM accounts WHERE scope = ? AND period IN (?, ?, ?)"
# Sums of the calls of some hours, by whatever stands in the place of {group}.
SUMS = """
SELECT {group} AS name, CAST(sum(calls) AS BIGINT), CAST(sum(input) AS BIGINT), CAST(sum(output) AS BIGINT),
       CAST(sum(cached_read) AS BIGINT), CAST(sum(cached_write) AS BIGINT),
       CAST(sum(reasoning) AS BIGINT), CAST(sum(cost) AS BIGINT), CAST(sum(overage) AS BIGINT)
FROM usage_hourly WHERE hour >= ? AND hour < ? GROUP BY name ORDER BY sum(cost) DESC, name"""
SUM_NAMES = (
    "name", "calls", "input_tokens", "output_tokens", "cached_read_tokens", "cached_write_tokens",
    "reasoning_tokens", "cost", "overage",
)  # fmt: skip
# How many calls the cache answered, and what that saved.
SAVED = """
SELECT count(*), CAST(coalesce(sum(saved), 0) AS BIGINT) FROM calls
WHERE id >= ? AND outcome = 'ok' AND decisions LIKE '[{"step":"recall"%'"""
ACTIVE_USERS = """
SELECT end_user, CAST(sum(calls) AS BIGINT), CAST(sum(input) + sum(output) AS BIGINT),
       CAST(sum(cost) AS BIGINT), max(hour) * 3600
FROM usage_hourly WHERE end_user > ? AND hour >= ? GROUP BY end_user ORDER BY end_user LIMIT ?"""
ACTIVE_NAMES = ("id", "calls", "tokens", "cost", "last_hour")

# What alerts look at: the accounts of a period, spending by day, the newest calls, sums, refusals, savings.
ACCOUNTS = (
    "SELECT scope, spent + overage, held FROM accounts WHERE period = ? AND spent + overage > 0"
    " ORDER BY scope"
)
DAYS = (
    "SELECT scope, period, spent + overage FROM accounts WHERE period >= ? AND period <= ?"
    " AND length(period) = 10 AND (scope = 'global' OR scope LIKE 'key:%')"
)
SEEN = (
    "SELECT provider, outcome, code, took_ms, first_ms, overage, key_id, end_user FROM calls"
    " WHERE id >= ? ORDER BY id DESC LIMIT ?"
)
DEAREST = """
SELECT {name} AS name, CAST(sum(calls) AS BIGINT), CAST(sum(input) + sum(output) AS BIGINT),
       CAST(sum(cost) AS BIGINT)
FROM usage_hourly WHERE hour >= ? AND hour < ? GROUP BY 1 ORDER BY sum(cost) DESC, name LIMIT 10"""
DEAREST_NAMES = {"all": "''", "key": "key_id", "model": "model", "user": "end_user"}
REFUSED = (
    "SELECT code, count(*) FROM calls WHERE id >= ? AND id < ? AND outcome = 'refused'"
    " GROUP BY code ORDER BY count(*) DESC, code"
)
SAVED_BETWEEN = "SELECT CAST(coalesce(sum(saved), 0) AS BIGINT) FROM calls WHERE id >= ? AND id < ?"

Row = tuple[Any, ...]

_decode_usage = msgspec.json.Decoder(Usage).decode


def call_of(row: Row) -> CallRow:
    """Read a call back; its columns are in the order of `CALL_COLUMNS`."""
    fields = dict(zip(CALL_COLUMNS, row, strict=True))
    fields["stream"] = bool(fields["stream"])
    fields["usage"] = None if fields["usage"] is None else _decode_usage(fields["usage"])
    fields["decisions"] = fields["decisions"].encode()
    fields["attempts"] = fields["attempts"].encode()
    return CallRow(**fields)


def spend_of(rows: Iterable[Row], day: str, month: str) -> Spend:
    """Read what a scope has spent, from what `SPEND` finds."""
    sums = {period: rest for period, *rest in rows}
    lifetime = sums.get(LIFETIME, [0, 0, 0])
    return Spend(
        daily=Money(sums.get(day, [0])[0]),
        monthly=Money(sums.get(month, [0])[0]),
        lifetime=Money(lifetime[0]),
        held=Money(lifetime[1]),
        overage=Money(lifetime[2]),
    )


def named(names: tuple[str, ...], rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Give the columns of each row their names."""
    return [dict(zip(names, row, strict=True)) for row in rows]


def days_of(rows: Iterable[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    """Sort what `DAYS` finds by scope and day."""
    found: dict[str, dict[str, int]] = {}
    for scope, day, spent in rows:
        found.setdefault(scope, {})[day] = spent
    return found
