"""seawall usage: the sums of the ledger, as a table and as JSON."""

import time

import pytest

from seawall.core.money import Money
from seawall.core.periods import day_of
from tests.fixtures.desk import Desk


@pytest.fixture
def spent(desk: Desk) -> Desk:
    """Return a desk with two calls by a key named app, and one by a key that is not there any more."""
    record, _ = desk.add_key("app")
    desk.add_call("call_1", key_id=record.id, model="dear", cost=Money(750_000_000))
    desk.add_call("call_2", key_id=record.id, model="cheap", cost=Money(150_000_000))
    desk.add_call("call_3", model="cheap", cost=Money(100_000_000))
    return desk


def rows_of(output: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines()]


def test_by_model_is_a_table_with_shares_and_a_total(spent: Desk) -> None:
    output = spent.run("usage", "--by", "model")
    rows = rows_of(output)
    assert ["Model", "Calls", "Input", "Output", "Cost", "Share"] in rows
    assert ["dear", "1", "1,200", "30", "$0.75", "75", "%"] in rows
    assert ["cheap", "2", "2,400", "60", "$0.25", "25", "%"] in rows
    assert ["Total", "3", "3,600", "90", "$1.00", "100", "%"] in rows
    assert max(map(len, output.splitlines())) <= 80


def test_by_key_names_the_keys_beside_their_ids(spent: Desk) -> None:
    rows = rows_of(spent.run("usage", "--by", "key"))
    assert [row[1:] for row in rows if row[1:2] == ["app"]] == [
        ["app", "2", "2,400", "60", "$0.90", "90", "%"]
    ]
    assert ["key_1", "-", "1", "1,200", "30", "$0.10", "10", "%"] in rows


def test_the_budget_in_force_stands_below(spent: Desk) -> None:
    output = spent.run("usage", SEAWALL_BUDGET_DAILY_USD="4", SEAWALL_BUDGET_MONTHLY_USD="10")
    rows = rows_of(output)
    assert "Budget of the gateway (stage poc)" in output
    assert ["today", "█████░░░░░░░░░░░░░░░", "$1.00", "of", "$4.00", "$3.00", "left"] in rows
    assert ["this", "month", "██░░░░░░░░░░░░░░░░░░", "$1.00", "of", "$10.00", "$9.00", "left"] in rows
    assert ["in", "all", "$1.00", "spent,", "no", "cap"] in rows


def test_json_has_exact_sums(spent: Desk) -> None:
    values = spent.values("usage", "--by", "day", "--days", "2")
    [row] = values.pop("data")
    sums = {
        "calls": 3,
        "input_tokens": 3600,
        "output_tokens": 90,
        "cached_read_tokens": 0,
        "cached_write_tokens": 0,
        "reasoning_tokens": 0,
        "cost_usd": "1.00",
        "overage_usd": "0.00",
    }
    assert row == {"name": row["name"], **sums}
    assert row["name"] in {day_of(time.time()), day_of(time.time() - 60)}
    period = {"spent_usd": "1.00", "cap_usd": None, "left_usd": None}
    assert values == {
        "by": "day",
        "days": 2,
        "total": sums,
        "budget": {
            "daily": {"spent_usd": "1.00", "cap_usd": "1.00", "left_usd": "0.00"},
            "monthly": period,
            "lifetime": period,
            "held_usd": "0.00",
            "overage_usd": "0.00",
        },
    }


def test_json_by_key_has_their_names(spent: Desk) -> None:
    rows = spent.values("usage", "--by", "key")["data"]
    assert [row["key_name"] for row in rows] == ["app", None]


def test_no_calls_says_what_to_do(desk: Desk) -> None:
    desk.add_key("app")
    output = desk.run("usage")
    assert output.startswith("No calls in the last 31 days. Point your app at the gateway with a key from\n")
    assert desk.values("usage")["data"] == []


def test_calls_of_which_none_reached_a_provider_are_not_taken_for_none(desk: Desk) -> None:
    desk.add_refused("call_1", at_ms=int(time.time() - 2 * 86_400) * 1000)
    said = "No call has reached a provider in the last 31 days; see seawall why last.\n"
    assert desk.run("usage").startswith(said)
    assert desk.run("usage", "--days", "1").startswith("No calls in the last day. Point your app")


def test_free_calls_have_no_share(desk: Desk) -> None:
    desk.add_call("call_1", model="demo")
    assert ["demo", "1", "1,200", "30", "$0.00", "-"] in rows_of(desk.run("usage", "--by", "model"))


def test_old_calls_are_left_out(desk: Desk) -> None:
    desk.add_call("call_1", at_ms=int(time.time() - 3 * 86_400) * 1000)
    assert len(desk.values("usage", "--days", "4")["data"]) == 1
    assert desk.values("usage", "--days", "1")["data"] == []


def test_a_model_name_cannot_steer_the_terminal(desk: Desk) -> None:
    desk.add_call("call_1", model="gpt\x1b[2J\n")
    assert "gpt\ufffd[2J\ufffd" in desk.run("usage", "--by", "model")


def test_a_colour_free_terminal_gets_plain_text(spent: Desk) -> None:
    assert "\x1b" in spent.run("usage", FORCE_COLOR="1")
    assert "\x1b" not in spent.run("usage", FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b" not in spent.run("usage")


@pytest.mark.parametrize("arguments", [("--by", "users"), ("--days", "0"), ("--days", "many")])
def test_a_wrong_option_is_named(spent: Desk, arguments: tuple[str, ...]) -> None:
    assert arguments[0] in spent.run("usage", *arguments, code=2)
