"""seawall prices: what models cost, where that is from, and a newer table."""

import json
from pathlib import Path

import pytest

from seawall.providers import prices
from tests.fixtures.desk import Desk

BUILT_IN = Path(prices.__file__).with_name("prices.json")


def other_table(folder: Path, as_of: str) -> Path:
    """Write the built-in table as if it were of another day, with one vendor only."""
    table = json.loads(BUILT_IN.read_bytes())
    path = folder / "other.json"
    kept = {"mistral": table["vendors"]["mistral"]}
    path.write_text(json.dumps({**table, "as_of": as_of, "vendors": kept}), encoding="utf-8")
    return path


def test_a_model_is_shown_with_price_limits_source_and_date(desk: Desk) -> None:
    output = desk.run("prices", "openai/gpt-4o")
    assert ["openai", "gpt-4o", "2.50", "10.00", "1.25", "16,384", "128,000"] in [
        line.split() for line in output.splitlines()
    ]
    assert "genai-prices" in output
    assert desk.run("prices", "show", "openai/gpt-4o") == output


def test_programs_get_exact_prices_and_their_origin(desk: Desk) -> None:
    [found] = desk.values("prices", "anthropic/claude-sonnet-4-5")["data"]
    assert found["usd_per_mtok"]["cached_write_1h"] == "6"
    assert found["tiers"][0]["above_input_tokens"] == 200_000
    assert found["source"].startswith("genai-prices")


def test_every_row_has_its_source_and_date(desk: Desk) -> None:
    rows = desk.values("prices")["data"]
    assert len(rows) > 1_000
    assert [row for row in rows if not row["source"] or not row["as_of"]] == []


def test_what_is_not_known_says_so(desk: Desk) -> None:
    assert "no price is known that matches no-such" in desk.run("prices", "no-such", code=1)


def test_update_replaces_the_table_and_built_in_goes_back(desk: Desk, tmp_path: Path) -> None:
    newer = other_table(tmp_path, "2999-01-01")
    soon = "A running gateway takes it within ten seconds.\n"
    said = desk.run("prices", "update", str(newer))
    assert "2999-01-01" in said
    assert said.endswith(soon)
    assert (desk.data / "prices.json").read_bytes() == newer.read_bytes()
    assert {row["vendor"] for row in desk.values("prices")["data"]} == {"mistral"}
    assert desk.run("prices", "update", "--built-in").endswith(soon)
    assert not (desk.data / "prices.json").exists()
    assert len({row["vendor"] for row in desk.values("prices")["data"]}) > 10


def test_an_older_table_needs_force(desk: Desk, tmp_path: Path) -> None:
    older = str(other_table(tmp_path, "2020-01-01"))
    assert "say --force" in desk.run("prices", "update", older, code=2)
    desk.run("prices", "update", older, "--force")
    assert desk.values("prices")["as_of"] == "2020-01-01"


@pytest.mark.parametrize("text", ["{", "{}", "[]"])
def test_a_damaged_table_is_not_taken(desk: Desk, tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    assert "is not taken" in desk.run("prices", "update", str(path), code=2)
    assert not (desk.data / "prices.json").exists()


READERS = [("prices", "gpt-4o"), ("route", "demo"), ("doctor",), ("serve", "--port", "0")]


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_damaged_table_in_the_data_folder_is_not_passed_over(desk: Desk, words: tuple[str, ...]) -> None:
    desk.data.mkdir(mode=0o700)
    (desk.data / "prices.json").write_text("{", encoding="utf-8")
    assert desk.run(*words, code=2) == (
        "seawall: The price table in the data folder is damaged (not JSON: Input data was truncated). For the"
        " built-in one: seawall prices update --built-in; for another: seawall prices update --force FILE.\n"
    )


def test_a_table_that_cannot_be_read_is_not_passed_over(desk: Desk) -> None:
    (desk.data / "prices.json").mkdir(parents=True)
    assert "is damaged (it cannot be read: Is a directory)." in desk.run("prices", "gpt-4o", code=2)


@pytest.mark.parametrize("how", ["--built-in", "--force"])
def test_what_the_sentence_says_mends_a_damaged_table(desk: Desk, tmp_path: Path, how: str) -> None:
    newer = str(other_table(tmp_path, "2999-01-01"))
    desk.data.mkdir(mode=0o700)
    (desk.data / "prices.json").write_text("{", encoding="utf-8")
    assert "is damaged" in desk.run("prices", "update", newer, code=2)
    desk.run("prices", "update", how, *([newer] if how == "--force" else []))
    desk.run("prices", "mistral")


def test_lines_fit_a_terminal_and_the_plus_is_explained(desk: Desk) -> None:
    for words in (["anthropic/claude-sonnet-4-5"], ["gemini-2.5-pro"], []):
        output = desk.run("prices", "show", *words)
        assert max(map(len, output.splitlines())) <= 80
        assert output.endswith("; dollars for a million tokens; + dearer for long inputs.\n")
    assert desk.run("prices", "show", "openai/gpt-4o").endswith("; dollars for a million tokens.\n")


@pytest.mark.parametrize("arguments", [(), ("no-such-file.json",), ("x.json", "--built-in")])
def test_update_says_what_it_needs(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk.run("prices", "update", *arguments, code=2).startswith("seawall: ")
