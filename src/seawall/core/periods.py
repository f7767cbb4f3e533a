"""The calendar of budgets: days and months in UTC, named so that a period is part of an account's key."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

LIFETIME = "life"
DAY_S = 86_400


def day_of(at_s: float) -> str:
    """Name the UTC day of a moment in Unix seconds, for example 2026-11-21."""
    return _names(int(at_s) // DAY_S)[0]


def month_of(at_s: float) -> str:
    """Name the UTC month of a moment in Unix seconds, for example 2026-11."""
    return _names(int(at_s) // DAY_S)[1]


def next_start(period: str) -> datetime | None:
    """Return when the period after this one begins; `None` for a lifetime."""
    if period == LIFETIME:
        return None
    if len(period) == len("2026-11"):
        year, month = (int(part) for part in period.split("-"))
        return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return datetime.fromisoformat(period).replace(tzinfo=UTC) + timedelta(days=1)


@lru_cache(maxsize=8)
def _names(day_number: int) -> tuple[str, str]:
    day = datetime.fromtimestamp(day_number * DAY_S, UTC).date().isoformat()
    return day, day[:7]
