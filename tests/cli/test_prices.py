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
    assert "2999-01-01" in desk.run("prices", "update", str(newer))
    assert (desk.data / "prices.json").read_bytes() == newer.read_bytes()
    assert {row["vendor"] for row in desk.values("prices")["data"]} == {"mistral"}
    desk.run("prices", "update", "--built-in")
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


def test_a_damaged_table_in_the_data_folder_is_not_passed_over(desk: Desk) -> None:
    desk.data.mkdir()
    (desk.data / "prices.json").write_text("{", encoding="utf-8")
    assert "is damaged" in desk.run("prices", "gpt-4o", code=2)
    desk.run("prices", "update", "--built-in")
    desk.run("prices", "gpt-4o")


@pytest.mark.parametrize("arguments", [(), ("no-such-file.json",), ("x.json", "--built-in")])
def test_update_says_what_it_needs(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk.run("prices", "update", *arguments, code=2).startswith("seawall: ")
