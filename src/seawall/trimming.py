"""What a gateway deletes in its time: calls, answers, jobs, sums that are too fine, accounts that are over.

In small batches, each a transaction of its own, so that no call waits longer for its hold than for another
call's.
"""

from collections.abc import Callable

from msgspec import Struct

from seawall.core.periods import DAY_S, day_of
from seawall.homes import Store

CALLS_A_BATCH = 100
"""A batch of 500 kept holds waiting for 30 ms, one of 100 for 6 (benchmarks/retention.py)."""
SUMS_A_BATCH = 100
ANSWERS_A_BATCH = 50
ACCOUNTS_A_LOOK = 2_000
HOURS_KEPT_DAYS = 35
"""For so long sums are kept by hour: a month to look back, and a few days."""


class Keep(Struct, frozen=True):
    """For how many days calls are kept, and sums by user."""

    calls_days: int
    sums_days: int


class Trimming:
    """Takes one step after the other; `now` is in Unix seconds."""

    def __init__(self, store: Store, keep: Keep, now: Callable[[], float]) -> None:
        self._store, self._keep, self._now = store, keep, now

    async def step(self) -> bool:
        """Take one batch of each kind; says whether there is more. Raises Overloaded where it is down."""
        store, now = self._store, self._now()
        before_ms = int((now - self._keep.calls_days * DAY_S) * 1000)
        is_more = await store.call_log.trim(before_ms, at_most=CALLS_A_BATCH) == CALLS_A_BATCH
        is_more |= await store.conversations.trim(now, at_most=ANSWERS_A_BATCH) > 0
        is_more |= await store.jobs.trim(now) > 0
        is_more |= await store.idempotent.trim(now, at_most=ANSWERS_A_BATCH) > 0
        oldest = now - self._keep.sums_days * DAY_S
        hours_before, users_before = _hour_of(now, HOURS_KEPT_DAYS), _hour_of(now, self._keep.sums_days)
        is_more |= await store.retention.fold_hours(hours_before, at_most=SUMS_A_BATCH) > 0
        is_more |= await store.retention.fold_users(users_before, at_most=SUMS_A_BATCH) > 0
        is_more |= await store.traffic.trim(users_before, at_most=SUMS_A_BATCH) == SUMS_A_BATCH
        is_more |= await store.feedback.trim(oldest, at_most=SUMS_A_BATCH) == SUMS_A_BATCH
        oldest_day = day_of(oldest)
        await store.retention.trim_accounts(oldest_day, at_most=ACCOUNTS_A_LOOK)
        return is_more


def _hour_of(now: float, days: int) -> int:
    """Return the hour with which the UTC day so many days ago began, counted from 1970."""
    return (int(now) // DAY_S - days) * 24
