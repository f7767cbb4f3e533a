"""How sure numbers are: against values from the literature."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.advice.bounds import mean_bounds, share_bounds
from seawall.advice.figures import cost_a_month, percent, saving_a_month, share, usd
from tests.advice.apps import UNTIL, app, calls, spread
from tests.advice.apps import usd as money


def test_a_share_has_the_bounds_of_wilson() -> None:
    assert share_bounds(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert share_bounds(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert share_bounds(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe (1998), table I


def test_of_nothing_every_share_is_possible() -> None:
    assert share_bounds(0, 0) == (0.0, 1.0)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_share_lies_within_its_bounds(part: int, whole: int) -> None:
    low, high = share_bounds(min(part, whole), whole)
    assert 0 <= low <= (min(part, whole) / whole if whole else 0) <= high <= 1


def test_a_mean_has_the_bounds_of_student() -> None:
    assert mean_bounds([1, 2, 3, 4, 5]) == pytest.approx((1.037, 4.963), abs=1e-3)
    assert mean_bounds([0, 10]) == pytest.approx((0.0, 68.53), abs=1e-2)  # never less than nothing


def test_one_day_has_no_bounds() -> None:
    assert mean_bounds([4]) is None
    assert mean_bounds([]) is None


def test_the_cost_of_a_month_is_exact_after_a_month() -> None:
    figure = cost_a_month(app(spread(calls(10, cost=1))))
    assert (figure.text, figure.low) == ("$30.00 a month for the calls", None)


def test_the_cost_of_a_month_from_few_days_says_so() -> None:
    hours = [
        msgspec.structs.replace(calls(10, cost=cost), hour=UNTIL - 24 * (3 - day))
        for day, cost in enumerate((1, 2, 3))
    ]
    figure = cost_a_month(app(hours, days=3))
    assert figure.text == "$60.00 a month for the calls, extrapolated from 3 days ($0.00 to $134.53)"


def test_a_saving_from_few_calls_has_the_bounds_of_their_share() -> None:
    figure = saving_a_month(app(days=10), money(1), 5, 10, "query")
    assert figure.text == "$3.00 a month saved, extrapolated from 10 days ($1.42 to $4.58)"


def test_a_share_of_many_has_no_brackets() -> None:
    assert share(30, 1_000, "calls", "query").text == "3 % of 1,000 calls"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 %"), (0.01, "under 0.1 %"), (1.25, "1.2 %"), (31.4, "31 %"), (99.6, "99.6 %"), (100, "100 %")],
)
def test_a_share_is_written_as_people_read_it(value: float, text: str) -> None:
    assert percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "$0.00"), (0.004, "under $0.01"), (12.4, "$12.40"), (47_000, "$47,000")]
)
def test_dollars_are_written_as_people_read_them(value: float, text: str) -> None:
    assert usd(value) == text
