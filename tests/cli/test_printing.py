"""How money, moments and shares read."""

import pytest

from seawall.cli.printing import ago, bar, dollars, duration, percent

NANO = 10**9


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (0, "$0.00"),
        (1, "$0.000000001"),
        (12_345, "$0.000012"),
        (9_999_999, "$0.01"),
        (10_000_000, "$0.01"),
        (12_345_678, "$0.0123"),
        (500_000_000, "$0.50"),
        (NANO - 1, "$1.00"),
        (47_000 * NANO, "$47,000.00"),
        (-NANO, "-$1.00"),
    ],
)
def test_money_has_sensible_places(money: int, text: str) -> None:
    assert dollars(money) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 0, "-"), (0, 9, "0 %"), (1, 1000, "< 1 %"), (1, 3, "33 %"), (999, 1000, "99 %"), (3, 3, "100 %")],
)
def test_a_share_is_rounded_down(part: int, whole: int, text: str) -> None:
    assert percent(part, whole) == text


@pytest.mark.parametrize(
    ("part", "whole", "drawn"),
    [
        (0, 100, "." * 20),
        (1, 100, "#" + "." * 19),
        (99, 100, "#" * 19 + "."),
        (0, 0, "#" * 20),
        (7, 5, "#" * 20),
    ],
)
def test_only_a_spent_budget_fills_its_bar(part: int, whole: int, drawn: str) -> None:
    assert bar(part, whole, is_ascii=True).plain == drawn


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (7200, "2 h ago"),
        (86_400, "1 day ago"),
        (1e6, "11 days ago"),
    ],
)
def test_ago_is_short(seconds: float, text: str) -> None:
    assert ago(seconds) == text


@pytest.mark.parametrize(("ms", "text"), [(0.26, "0.3 ms"), (12.4, "12 ms"), (1500, "1.5 s")])
def test_durations_are_short(ms: float, text: str) -> None:
    assert duration(ms) == text
