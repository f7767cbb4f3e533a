"""`seawall prices`: what models cost and where that is from, and a newer table without a release."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seawall.cli.groups import ShowGroup
from seawall.cli.opening import (
    EXIT_NOT_FOUND,
    ConfigOption,
    DataOption,
    JsonOption,
    damaged_table,
    read_settings,
    reason_of,
    short,
    stop,
)

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from seawall.core.money import Rates
    from seawall.providers.prices import Listed, PriceBook

SHOWN_MAX = 40
"""Rows of the table for people; JSON has them all."""
SOON = "A running gateway takes it within ten seconds."


app = typer.Typer(
    cls=ShowGroup,
    help="Show what models cost and where that is from, or replace the table of prices.",
    rich_markup_mode=None,
)


@app.command("show")
def show(
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="A model, or a part of its name.", show_default="all"),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show what matches: price, tiers, limits, source and date.

    A name with a vendor, as in openai/gpt-4o, is found as a call would find it. Prices that the configuration
    states go before these; `seawall doctor` shows those in force.
    """
    settings = read_settings(config, data_dir=data)
    book = _book(settings.data_dir)
    found = list(_found(book, model))
    if not found:
        stop(f"no price is known that matches {model}.", code=EXIT_NOT_FOUND)
    if as_json:
        from seawall.cli.printing import print_json

        print_json({"as_of": book.table().as_of, "data": [_values(each) for each in found]})
        return
    from seawall.cli import printing

    console = printing.console()
    console.print(_table(found[:SHOWN_MAX]))
    if len(found) > SHOWN_MAX:
        print(f"and {len(found) - SHOWN_MAX} more: say a part of the name, or --json for them all")
    if len(found) == 1:
        console.print()
        console.print(printing.facts(_details(found[0])))
    notes = [f"Table of {book.table().as_of}", "dollars for a million tokens"]
    if any(each.price.tiers for each in found[:SHOWN_MAX]):
        notes.append("+ dearer for long inputs")
    print(f"\n{'; '.join(notes)}.")


@app.command("update")
def update(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A table that scripts/build_prices.py --out has written."),
    ] = None,
    built_in: Annotated[
        bool, typer.Option("--built-in", help="Go back to the table that came with this release.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Take a table that is older, too.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Replace the table of prices by a file, or by the one that came with this release.

    The file is checked whole and then copied into the data folder.
    """
    if (file is None) != built_in:
        stop("name the file to take, or say --built-in.")
    folder = read_settings(config, data_dir=data).data_dir
    from seawall.providers.price_table import FILE_NAME

    try:
        if file is None:
            (folder / FILE_NAME).unlink(missing_ok=True)
            print(f"The table of this release is in force again, of {_book(folder).table().as_of}. {SOON}")
            return
        _install(file, folder, force=force)
    except OSError as error:
        stop(f"the data folder {short(folder)} cannot be used ({reason_of(error)}).")


def _install(file: Path, folder: Path, *, force: bool) -> None:
    """Check a file and put it into the data folder, or end with what is wrong; raises OSError."""
    from seawall.providers.price_table import BadPriceTable, install_table, read_raw

    try:
        raw, table = read_raw(file)
    except OSError as error:
        stop(f"{file} cannot be read ({reason_of(error)}).")
    except BadPriceTable as error:
        stop(f"{file} is not taken: {error}.")
    before = None if force else _book(folder).table().as_of
    if before is not None and table.as_of < before:
        stop(f"{file} is of {table.as_of} and the table in force of {before}; say --force to go back.")
    from seawall.app import prepare_folder

    target = install_table(raw, prepare_folder(folder))
    rows = sum(1 for vendor in table.vendors.values() for row in vendor.rows if row.rates)
    print(f"{rows:,} prices of {table.as_of} are in {short(target)}. {SOON}")


def _book(folder: Path) -> "PriceBook":
    """Open the table in force, or end with what is wrong with it."""
    from seawall.providers.price_table import FILE_NAME, BadPriceTable
    from seawall.providers.prices import PriceBook

    book = PriceBook({}, path=folder / FILE_NAME)
    try:
        book.reload()
    except BadPriceTable as error:
        stop(damaged_table(error))
    return book


def _found(book: "PriceBook", model: str | None) -> "Iterable[Listed]":
    """Yield what a vendor and name find; else what is named so; else the rows whose name has it in it."""
    from seawall.providers.prices import KINDS, Listed

    rows = book.listed()
    if model is None:
        return rows
    vendor, _, name = model.partition("/")
    for kind in KINDS if name else ():
        price = book.find(vendor, name, kind=kind)
        if price is not None:
            return [Listed(vendor, name, price, None)]
    wanted = model.lower()
    return [row for row in rows if row.model.lower() == wanted] or [
        row for row in rows if wanted in row.model.lower() or wanted == row.vendor
    ]


def _values(found: "Listed") -> dict[str, Any]:
    """Return a row for programs: decimal strings of dollars for a million tokens, `null` for unknown."""
    price = found.price
    return {
        "vendor": found.vendor,
        "model": found.model,
        "kind": price.kind,
        "usd_per_mtok": _rates(price.rates),
        "tiers": [
            {"above_input_tokens": tier.above_input_tokens, "usd_per_mtok": _rates(tier.rates)}
            for tier in price.tiers
        ],
        "max_output_tokens": price.max_output_tokens,
        "context_tokens": price.context_tokens,
        "source": price.source,
        "as_of": price.as_of,
        "limits_source": found.limits[0] if found.limits else None,
        "limits_as_of": found.limits[1] if found.limits else None,
    }


def _rates(rates: "Rates") -> dict[str, str]:
    """Return the rates that are known, in dollars; that of searches is for a thousand of them."""
    from seawall.core.money import format_usd

    dollars = {
        name: format_usd(rate, places=0)
        for name in rates.__struct_fields__
        if name != "web_search" and (rate := getattr(rates, name)) is not None
    }
    if rates.web_search is not None:
        dollars["web_search_per_thousand"] = format_usd(rates.web_search // 1_000, places=0)
    return dollars


def _table(rows: "list[Listed]") -> "RichTable":
    from seawall.cli import printing
    from seawall.core.money import format_usd

    numbers = ("Input", "Output", "Cached", "Most out", "Context")
    table = printing.table("Vendor", "Model", *numbers, numbers=numbers)
    for row in rows:
        rates, price = row.price.rates, row.price
        more = "+" if price.tiers else ""
        table.add_row(
            row.vendor,
            printing.printable(row.model),
            format_usd(rates.input) + more,
            printing.NOTHING if price.kind == "embedding" else format_usd(rates.output) + more,
            printing.NOTHING if rates.cached_read is None else format_usd(rates.cached_read),
            printing.NOTHING if price.max_output_tokens is None else f"{price.max_output_tokens:,}",
            printing.NOTHING if price.context_tokens is None else f"{price.context_tokens:,}",
        )
    return table


def _details(found: "Listed") -> list[tuple[str, str]]:
    """List what the row of a table has no room for."""
    from seawall.cli.printing import printable

    price = found.price
    rows = [
        (name.replace("_", " "), dollars)
        for name, dollars in _rates(price.rates).items()
        if name not in ("input", "output", "cached_read")
    ]
    for tier in price.tiers:
        rates = ", ".join(f"{name.replace('_', ' ')} {usd}" for name, usd in _rates(tier.rates).items())
        rows.append((f"above {tier.above_input_tokens:,} input tokens", rates))
    rows += [("kind", price.kind), ("price", f"{price.source}, {price.as_of}")]
    if found.limits:
        rows.append(("limits", ", ".join(found.limits)))
    return [(label, printable(text)) for label, text in rows]
