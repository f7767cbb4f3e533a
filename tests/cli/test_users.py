"""`seawall users`: what it prints, what it changes, and what it refuses."""

from typing import Any

import pytest

from tests.fixtures.desk import Desk
from tests.fixtures.settings import Place

TIERS = """
default_tier = "free"
[tiers.free]
tokens_per_day = 2000
[tiers.premium]
requests_per_month = 500
daily_usd = "2.00"
"""


@pytest.fixture
def stated(place: Place, desk: Desk) -> Desk:
    """Return a desk with two tiers, and two users of whom one has called."""
    place.write("seawall.toml", TIERS)
    desk.add_call("call_1", end_user="ada", cost=30_000_000)
    return desk


def test_users_are_listed_with_what_they_used(stated: Desk) -> None:
    stated.run("users", "block", "bob")
    [ada, bob] = stated.values("users", "list")["data"]
    assert (ada["id"], ada["calls"], ada["tokens"], ada["cost_usd"]) == ("ada", 1, 1230, "0.03")
    assert (bob["id"], bob["calls"], bob["blocked_at"] is not None) == ("bob", 0, True)
    screen = stated.run("users", "list")
    assert max(map(len, screen.splitlines())) <= 80
    assert [line.split()[0] for line in screen.splitlines()[2:]] == ["ada", "bob"]


def test_a_user_is_shown_with_its_tier_and_quota(stated: Desk) -> None:
    screen = stated.run("users", "show", "ada")
    assert "free (the default)" in screen
    assert "tokens per day" in screen
    assert "0 of 2,000" in screen
    assert max(map(len, screen.splitlines())) <= 80


def test_a_tier_is_set_and_taken_back(stated: Desk) -> None:
    screen = stated.run("users", "set-tier", "ada", "premium")
    assert "premium (set by you)" in screen
    assert "0 of 500" in screen
    assert "$0.00 of $2.00" in screen
    assert stated.values("users", "set-tier", "ada", "default")["effective_tier"] == "free"


def test_a_user_is_shut_out_and_let_in(stated: Desk) -> None:
    assert "blocked since" in stated.run("users", "block", "ada")
    assert "let in" in stated.run("users", "block", "ada", "--off")


def test_a_person_is_forgotten_only_when_that_is_meant(stated: Desk) -> None:
    refused = stated.finish("users", "erase", "ada")
    assert (refused.exit_code, stated.values("users", "list")["data"][0]["id"]) == (1, "ada")
    erased: dict[str, Any] = stated.values("users", "erase", "ada", "--yes")
    assert erased["calls"] == 1
    [left] = stated.values("users", "list")["data"]
    assert left["id"] == erased["kept_as"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("set-tier", "ada", "gold"), "seawall: There is no such tier. Known tiers: free, premium.\n"),
        (("show", "x" * 301), "seawall: The id of a user has 1 to 300 characters.\n"),
        (("show", ""), "seawall: The id of a user has 1 to 300 characters.\n"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    stated: Desk, arguments: tuple[str, ...], sentence: str
) -> None:
    assert stated.run("users", *arguments, code=2) == sentence


def test_names_cannot_send_orders_to_the_terminal(stated: Desk) -> None:
    stated.add_call("call_2", end_user="eve\x1b[31m", cost=1)
    assert "\x1b" not in stated.run("users", "list")
