"""What can have been spent in a time that no ledger knows follows from the budgets."""

from datetime import datetime

import pytest

from seawall.core.money import Money
from seawall.core.policy import Budget
from seawall.core.unseen import most_spent

KNOWN = {"2026-11-29": 30, "2026-11": 700, "life": 5_000}


def at(moment: str) -> float:
    """Return a moment in UTC as Unix seconds."""
    return datetime.fromisoformat(f"2026-{moment}+00:00").timestamp()


@pytest.mark.parametrize(
    ("budget", "since", "until", "most"),
    [
        (Budget(daily=Money(100)), "11-29T12:00", "11-29T13:00", 70),
        (Budget(daily=Money(100)), "11-29T12:00", "11-30T00:00", 170),
        (Budget(daily=Money(100)), "11-29T12:00", "12-01T01:00", 270),
        (Budget(daily=Money(20)), "11-29T12:00", "11-29T13:00", 0),
        (Budget(daily=Money(20)), "11-29T12:00", "11-30T13:00", 20),
        (Budget(monthly=Money(1_000)), "11-29T12:00", "11-30T23:00", 300),
        (Budget(monthly=Money(1_000)), "11-29T12:00", "12-01T01:00", 1_300),
        (Budget(lifetime=Money(5_050)), "11-29T12:00", "12-01T01:00", 50),
        (Budget(daily=Money(100), monthly=Money(1_000), lifetime=Money(9_000)), "11-29T12:00", "12-01T01:00", 270),
        (Budget(), "11-29T12:00", "11-29T13:00", None),
        (Budget(daily=Money(100)), "11-29T12:00", "11-29T12:00", 0),
        (Budget(), "11-29T12:00", "11-29T11:00", 0),
    ],
)  # fmt: skip
def test_every_cap_bounds_it_and_the_least_counts(
    budget: Budget, since: str, until: str, most: int | None
) -> None:
    assert most_spent(budget, KNOWN, at(since), at(until)) == most
