"""How much can have been spent in a time that no ledger knows: what follows from the budgets alone."""

from collections.abc import Iterator, Mapping

from seawall.core.money import Money
from seawall.core.periods import DAY_S, LIFETIME, day_of, month_of
from seawall.core.policy import Budget


def most_spent(budget: Budget, known: Mapping[str, int], since_s: float, until_s: float) -> Money | None:
    """Bound what the gateway can have spent from one moment to another; `None` where no cap bounds it.

    `known` is what is spent by period, as of `since_s`. A day or month that the time reaches into counts in
    full, but for what was spent of the first one.
    """
    if until_s <= since_s:
        return Money(0)
    bounds = []
    if budget.daily is not None:
        bounds.append(sum(max(0, budget.daily - known.get(day, 0)) for day in _days(since_s, until_s)))
    if budget.monthly is not None:
        months = {month_of(at_s) for at_s in _midnights(since_s, until_s)}
        bounds.append(sum(max(0, budget.monthly - known.get(month, 0)) for month in months))
    if budget.lifetime is not None:
        bounds.append(budget.lifetime - known.get(LIFETIME, 0))
    return Money(max(0, min(bounds))) if bounds else None


def _days(since_s: float, until_s: float) -> Iterator[str]:
    return (day_of(at_s) for at_s in _midnights(since_s, until_s))


def _midnights(since_s: float, until_s: float) -> Iterator[float]:
    """Yield a moment of every UTC day that the time reaches into."""
    first, last = int(since_s) // DAY_S, int(until_s) // DAY_S
    return (float(day * DAY_S) for day in range(first, last + 1))
