"""The calendar: days and months, named so that a period is part of an account's key.

Budgets follow UTC. Quotas follow the operator's time zone, in which a day may have 23 or 25 hours.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

LIFETIME = "life"
DAY_S = 86_400
QUARTER_S = 900
"""No time zone in use changes its offset anywhere but at a full quarter of an hour."""


def day_of(at_s: float) -> str:
    """Name the UTC day of a moment in Unix seconds, for example 2026-11-21."""
    return _names(int(at_s) // DAY_S)[0]


def month_of(at_s: float) -> str:
    """Name the UTC month of a moment in Unix seconds, for example 2026-11."""
    return _names(int(at_s) // DAY_S)[1]


def names_in(at_s: float, zone: tzinfo) -> tuple[str, str]:
    """Name the day and the month of a moment in Unix seconds, as the calendar of a time zone has it."""
    return _names_in(int(at_s) // QUARTER_S, zone)


def next_start(period: str, zone: tzinfo = UTC) -> datetime | None:
    """Return when the period after this one begins, in UTC; `None` for a lifetime.

    Where a clock change skips midnight, the day begins with the change.
    """
    if period == LIFETIME:
        return None
    if len(period) == len("2026-11"):
        year, month = (int(part) for part in period.split("-"))
        return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone).astimezone(UTC)
    day = datetime.fromisoformat(period) + timedelta(days=1)
    return day.replace(tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=8)
def _names(day_number: int) -> tuple[str, str]:
    day = datetime.fromtimestamp(day_number * DAY_S, UTC).date().isoformat()
    return day, day[:7]


@lru_cache(maxsize=32)
def _names_in(quarter: int, zone: tzinfo) -> tuple[str, str]:
    day = datetime.fromtimestamp(quarter * QUARTER_S, zone).date().isoformat()
    return day, day[:7]
