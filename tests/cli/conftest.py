"""What commands say of today holds for the whole test: no test begins at the end of a day."""

import time

import pytest

DAY_S = 86_400
NEAR_S = 60
"""Longer than a test takes."""


@pytest.fixture(autouse=True)
def one_day() -> None:
    """Wait for the next day, by UTC, where this one is nearly over."""
    left_s = DAY_S - time.time() % DAY_S
    if left_s < NEAR_S:
        time.sleep(left_s + 0.1)
