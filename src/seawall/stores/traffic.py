"""What advice asks, in the same words for every database, and how its sums are written down.

Places of values are written `?`. Sums are cast, because Postgres makes decimal numbers of them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from seawall.core.call import first_id_at
from seawall.core.money import Money, Usage
from seawall.core.periods import DAY_S, day_of
from seawall.core.traffic import Asked, Hour, Shape, UserFigures, UserUse
from seawall.stores.calls import SELECT_CALLS

DEAREST_MAX = 10

ROWS = f"{SELECT_CALLS} WHERE id > ? AND id < ? ORDER BY id LIMIT ?"
ASKED = (
    "SELECT id, at_ms, key_id, end_user, model, stream, outcome, code, took_ms, first_ms, usage, cost,"
    " listed_cost, saved, CASE WHEN outcome = 'ok' AND decisions LIKE '%\"step\":\"recall\"%' THEN 1 ELSE 0"
    " END, shape FROM calls WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?"
)
FIRST_OPEN = """
SELECT min(id) FROM (
    SELECT min(id) AS id FROM holds
    UNION ALL SELECT min('call_' || substr(id, 5)) FROM jobs
        WHERE kind = 'call' AND state = 'waiting' AND is_timed = 0
    UNION ALL SELECT min('call_' || substr(id, 5)) FROM jobs WHERE kind = 'call' AND is_timed = 1
    UNION ALL SELECT min('call_' || substr(id, 5)) FROM jobs WHERE kind = 'call' AND carrier IS NOT NULL
) AS still_open"""
HOURS = "SELECT data FROM traffic_hourly WHERE hour >= ? AND hour < ? ORDER BY hour"
SUMMED = "SELECT until FROM traffic_summed"
NOTE_SUMMED = "UPDATE traffic_summed SET until = ? WHERE until < ?"
PUT = (
    "INSERT INTO traffic_hourly (hour, data) VALUES (?, ?)"
    " ON CONFLICT (hour) DO UPDATE SET data = excluded.data"
)
TRIM = (
    "DELETE FROM traffic_hourly WHERE hour IN"
    " (SELECT hour FROM traffic_hourly WHERE hour < ? ORDER BY hour LIMIT ?)"
)

# Calls and cost of each end user on each day, "" for calls that name nobody.
USERS = """
SELECT hour / 24, end_user, CAST(sum(calls) AS BIGINT), CAST(sum(cost) AS BIGINT)
FROM usage_hourly WHERE hour >= ? AND hour < ? GROUP BY 1, 2 ORDER BY 1"""
KEYS = "SELECT count(DISTINCT key_id) FROM usage_hourly WHERE hour >= ? AND hour < ?"
FIRST_HOUR = "SELECT min(hour) FROM usage_hourly"

Row = tuple[Any, ...]

_encode = msgspec.json.Encoder().encode
_decode_hour = msgspec.json.Decoder(Hour).decode
_decode_usage = msgspec.json.Decoder(Usage).decode
_decode_shape = msgspec.json.Decoder(Shape).decode


def ids_between(since_ms: int, until_ms: int) -> tuple[str, str]:
    """Return the bounds of the ids of a span of time, the first within and the last beyond."""
    return first_id_at(since_ms), first_id_at(until_ms)


def asked_of(rows: Iterable[Row]) -> list[Asked]:
    """Read what `ASKED` finds, and put the oldest first."""
    found = [_asked(*row) for row in rows]
    found.reverse()
    return found


def _asked(*row: Any) -> Asked:
    *before, stream, outcome, code, took_ms, first_ms, usage, cost, listed_cost, saved, is_hit, shape = row
    call_id, at_ms, key_id, end_user, model = before
    return Asked(
        id=call_id,
        at_ms=at_ms,
        key_id=key_id,
        end_user=end_user,
        model=model,
        stream=bool(stream),
        outcome=outcome,
        code=code,
        took_ms=took_ms,
        first_ms=first_ms,
        usage=None if usage is None else _decode_usage(usage),
        cost=cost,
        listed_cost=listed_cost,
        saved=saved,
        is_hit=bool(is_hit),
        shape=None if shape is None else _decode_shape(shape),
    )


def rows_of(hours: Sequence[Hour]) -> list[Row]:
    """Return the values of `PUT` for some hours."""
    return [(hour.hour, _encode(hour).decode()) for hour in hours]


def hours_of(rows: Iterable[Row]) -> list[Hour]:
    """Read sums back."""
    return [_decode_hour(data) for (data,) in rows]


class Used(Struct):
    """What one user used in a span, while it is added up."""

    calls: int = 0
    cost: int = 0
    days: int = 0


def figures_of(rows: Iterable[Row], keys: int, first_hour: int | None) -> UserFigures:
    """Return who called, from what `USERS`, `KEYS` and `FIRST_HOUR` find."""
    by_day: Counter[int] = Counter()
    by_user: dict[str, Used] = {}
    unnamed = 0
    for day, user, calls, cost in rows:
        by_day[day] += user != ""
        if not user:
            unnamed += calls
            continue
        used = by_user.get(user)
        if used is None:
            used = by_user[user] = Used()
        used.calls += calls
        used.cost += cost
        used.days += 1
    dearest = sorted(by_user.items(), key=lambda one: (-one[1].cost, one[0]))[:DEAREST_MAX]
    return UserFigures(
        users=len(by_user),
        returning=sum(used.days > 1 for used in by_user.values()),
        by_day=tuple((day_of(day * DAY_S), users) for day, users in by_day.items()),
        dearest=tuple(UserUse(user, used.calls, Money(used.cost), used.days) for user, used in dearest),
        unnamed=unnamed,
        keys=keys,
        first_hour=first_hour,
    )
