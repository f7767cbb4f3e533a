"""seawall tokens: counts of texts, exact for one vendor's vocabulary and bounds for the others'."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from seawall.cli.main import app
from tests.fixtures.desk import Desk

PROSE = "The gateway holds money before a call goes out, and settles it afterwards. " * 200


def test_a_count_is_exact_for_openai_and_a_bound_for_others(desk: Desk) -> None:
    values = desk.values(
        "tokens", "--text", "Hello, world", "--model", "gpt-4o", "--model", "claude-opus-4-5"
    )
    assert (values["words"], values["characters"], values["bytes"]) == (2, 12, 12)
    exact, bound = values["data"]
    assert (exact["tokens"], exact["exact"], exact["input_cost_usd"]) == (3, True, "0.0000075")
    assert (bound["exact"], bound["tokens"]) == (False, 4)


def test_a_file_costs_as_input_and_the_budget_says_how_often(desk: Desk) -> None:
    Path("text.txt").write_text(PROSE, encoding="utf-8")
    [row] = desk.values("tokens", "text.txt", "--model", "openai/gpt-4o", SEAWALL_BUDGET_DAILY_USD="0.08")[
        "data"
    ]
    assert row["tokens"] == 200 * 15 + 1
    assert row["exact"]
    assert row["input_cost_usd"] == "0.0075025"
    assert row["times_a_day"] == 10
    output = desk.run("tokens", "text.txt", "--model", "gpt-4o", "--model", "gemini-2.5-pro")
    assert ["gpt-4o", "exactly", "3,001", "$0.0075", "133"] in [line.split() for line in output.splitlines()]
    assert "at most: the vendor does not publish its vocabulary" in output
    assert max(map(len, output.splitlines())) <= 80


def test_a_monthly_budget_counts_by_the_day(desk: Desk) -> None:
    caps = {
        "SEAWALL_STAGE": "production",
        "SEAWALL_LIMITS_PER_USER": "off",
        "SEAWALL_BUDGET_MONTHLY_USD": "0.30",
    }
    [row] = desk.values("tokens", "--text", PROSE, "--model", "gpt-4o", **caps)["data"]
    assert row["times_a_day"] == 1


def test_standard_input_is_counted_and_bytes_that_are_no_text_are_not(desk: Desk) -> None:
    done = CliRunner().invoke(app, ["tokens", "-", "--model", "gpt-4o", "--json"], input="Größe".encode())
    assert '"characters": 5,\n  "bytes": 7' in done.stdout
    done = CliRunner().invoke(app, ["tokens", "-"], input=b"\xff\xfe")
    assert (done.exit_code, "no text in UTF-8" in done.stderr) == (2, True)


def test_a_text_that_is_too_long_for_a_model_is_marked(desk: Desk) -> None:
    Path("long.txt").write_text("word " * 20_000, encoding="utf-8")
    assert "gpt-4 *" in desk.run("tokens", "long.txt", "--model", "openai/gpt-4")


def test_one_long_word_is_a_bound(desk: Desk) -> None:
    Path("long.txt").write_text("x1" * 5_000, encoding="utf-8")
    assert not desk.values("tokens", "long.txt", "--model", "gpt-4o")["data"][0]["exact"]


@pytest.mark.parametrize("words", [(), ("a.txt", "--text", "b"), ("none.txt",), (".",)])
def test_it_says_what_it_needs(desk: Desk, words: tuple[str, ...]) -> None:
    assert desk.run("tokens", *words, code=2).startswith("seawall: ")
