"""A table of prices from a file: taken whole or not at all, and never free by accident."""

import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from seawall.providers.price_table import FILE_NAME, BadPriceTable, check_table, install_table
from seawall.providers.prices import PriceBook


def table(**changes: Any) -> dict[str, Any]:
    rows = [
        ["one", "=one", 0, [5_000, 9_000], [[1_000, [6_000, 10_000]]], 100, 1_000, "c"],
        ["two", ["^two", ["&", "*2", "$x"]], [0, 1], [0, 0], [], None, None, "cf"],
        ["three", "~^three", 0],
        ["four", "=four", 0, [7, 0], [], None, None, "e"],
    ]
    plain = {
        "as_of": "2026-11-25",
        "origins": [["a source", "2026-11-24"], ["limits", "2026-11-23"]],
        "vendors": {"maker": {"fallback": [], "rows": rows}, "seller": {"fallback": ["maker"], "rows": []}},
    }
    return {**plain, **changes}


def write(path: Path, value: Any) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def test_a_table_in_the_data_folder_replaces_the_built_in_one(tmp_path: Path) -> None:
    book = PriceBook({}, path=write(tmp_path / FILE_NAME, table()), today=lambda: date(2026, 11, 25))
    price = book.find("seller", "one")
    assert price is not None
    assert (price.rates.input, price.source, price.as_of) == (5_000, "a source", "2026-11-24")
    assert book.find("openai", "gpt-4o") is None
    assert [(each.model, each.limits) for each in book.listed()] == [
        ("one", None), ("two", ("limits", "2026-11-23")), ("four", None),
    ]  # fmt: skip


def test_without_a_file_the_built_in_table_is_used(tmp_path: Path) -> None:
    assert PriceBook({}, path=tmp_path / FILE_NAME).find("openai", "gpt-4o") is not None


def test_a_changed_file_is_taken_on_reload(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    book = PriceBook({}, path=path)
    assert book.reload()
    assert not book.reload()
    assert book.find("maker", "one") is None
    write(path, table())
    assert book.find("maker", "one") is None
    before = book.version
    assert book.reload()
    assert book.version == before + 1
    assert book.find("maker", "one") is not None
    path.unlink()
    assert book.reload()
    assert book.find("openai", "gpt-4o") is not None


def test_a_damaged_file_is_an_error_at_the_start(tmp_path: Path) -> None:
    book = PriceBook({}, path=write(tmp_path / FILE_NAME, "{"))
    with pytest.raises(BadPriceTable, match=r"prices\.json is damaged: not JSON"):
        book.reload()
    with pytest.raises(BadPriceTable):
        book.find("openai", "gpt-4o")


def test_a_file_that_gets_damaged_leaves_the_table_in_force(tmp_path: Path) -> None:
    path = write(tmp_path / FILE_NAME, table())
    book = PriceBook({}, path=path)
    book.reload()
    write(path, "{}")
    with pytest.raises(BadPriceTable):
        book.reload()
    assert book.find("maker", "one") is not None


def test_installing_is_all_or_nothing(tmp_path: Path) -> None:
    raw = json.dumps(table()).encode()
    target = install_table(raw, tmp_path)
    assert target.read_bytes() == raw
    assert os.listdir(tmp_path) == [FILE_NAME]
    with pytest.raises(OSError, match="missing"):
        install_table(raw, tmp_path / "missing")


def row(index: int, place: int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(told: dict[str, Any]) -> None:
        told["vendors"]["maker"]["rows"][index][place] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (row(0, 3, [0, 0]), r"rows\[0\] \('one'\): a rate of zero, though the row is not marked as free"),
        (row(0, 3, [5, 0]), "a rate of zero, though"),
        (row(0, 3, [5]), "rates need those of input and output"),
        (row(0, 3, [5, None]), r"rows\[0\].*: rates need those"),
        (row(0, 3, [5, -1]), "a rate of -1"),
        (row(0, 3, [5, 10**16]), "a rate of 10000000000000000"),
        (row(0, 3, [5, 1.5]), r"Expected `int \| null`, got `float` - at `\$\.vendors"),
        (row(0, 3, [5] * 11), "at most the others known"),
        (row(0, 3, []), "tiers without rates"),
        (row(0, 4, [[9, [1, 1]], [9, [1, 1]]]), "tiers must rise"),
        (row(0, 4, [[9, [0, 1]]]), "zero, though the row"),
        (row(0, 5, 0), "a limit of 0 tokens"),
        (row(0, 7, "z"), "marks may be of"),
        (row(0, 2, 2), "there is no origin 2"),
        (row(0, 1, "one"), "'one' is not a rule for names"),
        (row(0, 1, ["&"]), "is not a rule for names"),
        (row(0, 1, "~("), "is not a regular expression"),
        (lambda told: told.update(as_of="soon"), "as_of: 'soon' is not a date"),
        (lambda told: told.update(vendors={}), "vendors: there is none"),
        (lambda told: told["vendors"]["seller"].update(fallback=["x"]), "there is no vendor 'x'"),
        (lambda told: told.pop("origins"), "missing required field `origins`"),
        (
            lambda told: told["vendors"]["maker"]["rows"][0].append([["2027-01-01", [0, 1], []]]),
            "from 2027-01-01: a rate of zero",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(change: Callable[[dict[str, Any]], None], says: str) -> None:
    told = table()
    change(told)
    with pytest.raises(BadPriceTable, match=says):
        check_table(json.dumps(told).encode())


def test_the_built_in_table_passes_its_own_checks() -> None:
    built_in = Path(__file__).parents[2] / "src" / "seawall" / "providers" / FILE_NAME
    told = check_table(built_in.read_bytes())
    vendors = (
        "openai", "anthropic", "google", "azure", "mistral", "groq", "deepseek", "x-ai", "openrouter",
        "together", "fireworks",
    )  # fmt: skip
    assert [name for name in vendors if not any(each.rates for each in told.vendors[name].rows)] == []
