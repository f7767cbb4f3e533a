"""What grows for ever if nobody makes it smaller: sums by hour, and accounts of periods that are long over.

Old sums by hour are added up to one row a day, at midnight's hour; much older ones to one row for all users
of a key and model. Nothing is lost of any total. Statements are for every database.

Invariants:
- A batch is taken out and put back in one transaction: a total is never seen without it or with it twice.
- An account is dropped only where nothing is held on it. Lifetime accounts stay.
"""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from seawall.stores.accounting import USAGE_COLUMNS, USAGE_KEY

HOURS_A_DAY = 24

Row = tuple[Any, ...]
Key = tuple[Any, ...]

_FIRST = "SELECT hour FROM usage_hourly WHERE hour >= ? AND hour < ? AND {fine} ORDER BY hour LIMIT 1"
_TAKE = (
    "DELETE FROM usage_hourly WHERE (hour, key_id, end_user, model) IN ("
    "SELECT hour, key_id, end_user, model FROM usage_hourly"
    " WHERE hour >= ? AND hour < ? AND {fine} ORDER BY hour LIMIT ?)"
    " RETURNING hour, key_id, end_user, model, calls, input, output, cached_read, cached_write, reasoning,"
    " cost, overage"
)
PUT_BACK = (
    "INSERT INTO usage_hourly (hour, key_id, end_user, model, calls, input, output, cached_read,"
    " cached_write, reasoning, cost, overage) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (hour, key_id, end_user, model) DO UPDATE SET"
    " calls = usage_hourly.calls + excluded.calls, input = usage_hourly.input + excluded.input,"
    " output = usage_hourly.output + excluded.output,"
    " cached_read = usage_hourly.cached_read + excluded.cached_read,"
    " cached_write = usage_hourly.cached_write + excluded.cached_write,"
    " reasoning = usage_hourly.reasoning + excluded.reasoning,"
    " cost = usage_hourly.cost + excluded.cost, overage = usage_hourly.overage + excluded.overage"
)
ACCOUNTS_AFTER = (
    "SELECT scope, period FROM accounts WHERE (scope, period) > (?, ?) ORDER BY scope, period LIMIT ?"
)
DROP_ACCOUNT = "DELETE FROM accounts WHERE scope = ? AND period = ? AND held = 0"


class Fold(Struct, frozen=True):
    """One way to make sums fewer.

    `first` finds the first hour in a span with sums that are still too fine; `take` takes some of a span out
    and returns them; `key` says under which they are put back.
    """

    name: str
    first: str
    take: str
    key: Callable[[Row], Key]


def _of_its_day(row: Row) -> Key:
    return row[0] // HOURS_A_DAY * HOURS_A_DAY, *row[1 : len(USAGE_KEY)]


def _of_all_users(row: Row) -> Key:
    hour, key_id, _, model = row[: len(USAGE_KEY)]
    return hour, key_id, "", model


# "> ''" and not "<> ''": SQLite would take the index by user, which is in another order.
_FINE = {"day": "hour % 24 <> 0", "users": "end_user > ''"}

BY_DAY = Fold("day", _FIRST.format(fine=_FINE["day"]), _TAKE.format(fine=_FINE["day"]), _of_its_day)
OF_ALL_USERS = Fold(
    "users", _FIRST.format(fine=_FINE["users"]), _TAKE.format(fine=_FINE["users"]), _of_all_users
)


def added_up(rows: Iterable[Row], fold: Fold) -> list[Row]:
    """Return the rows to put back in the place of those that were taken out."""
    sums: dict[Key, list[int]] = {}
    for row in rows:
        into = sums.setdefault(fold.key(row), [0] * (len(USAGE_COLUMNS) - len(USAGE_KEY)))
        for position, amount in enumerate(row[len(USAGE_KEY) :]):
            into[position] += int(amount)
    return [(*key, *amounts) for key, amounts in sums.items()]


def is_over(period: str, day: str) -> bool:
    """Say whether a period ended before a day; a lifetime never does."""
    name = period.rpartition(":")[2]
    return name[:4].isdigit() and name < day[: len(name)]
