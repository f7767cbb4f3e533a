"""Which models a command compares, and what they cost: as a call here would, by the table, or by a file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from seawall.cli.opening import EXIT_NOT_FOUND, damaged_table, read_settings, reason_of, stop
from seawall.core.money import Price

if TYPE_CHECKING:
    from seawall.providers.prices import PriceBook
    from seawall.settings import Settings

WELL_KNOWN = (
    ("openai", "gpt-6.1-sol"),
    ("openai", "gpt-6-luna"),
    ("anthropic", "claude-sonnet-5-5"),
    ("anthropic", "claude-haiku-5-5"),
    ("google", "gemini-3.8-flash"),
    ("mistral", "mistral-medium-latest"),
)
"""Models that are shown where none is named: a large and a small one of the vendors most used, 2026-11."""
SHOWN_MAX = 8
"""How many models are shown where none is named."""


class Priced(Struct, frozen=True):
    """A model and its price; `as_of` is of which day that is, "" where the configuration states it."""

    vendor: str
    model: str
    price: Price
    as_of: str


def priced_models(settings: "Settings", wanted: Sequence[str], file: Path | None) -> list[Priced]:
    """Return what is asked for, or a handful; ends with a sentence where a price is not known."""
    from seawall.providers.price_table import BadPriceTable
    from seawall.settings import SettingsError

    try:
        if file is not None:
            return _chosen(_of_file(file), wanted, str(file))
        if wanted:
            return [_found_here(settings, name) for name in wanted]
        return _handful(settings)
    except SettingsError as error:
        stop(str(error))
    except BadPriceTable as error:
        stop(damaged_table(error))


def _of_file(file: Path) -> list[Priced]:
    """Read prices: `[prices]` of a configuration file, or JSON; ends with a sentence where there are none."""
    from seawall.providers.price_files import read_prices
    from seawall.providers.price_table import BadPriceTable

    try:
        changed = datetime.fromtimestamp(file.stat().st_mtime, UTC).date().isoformat()
        if file.suffix == ".toml":
            stated = read_settings(file).price_overrides()
            return [Priced("", name, price, changed) for name, price in stated.items()]
        as_of, listed = read_prices(file)
    except OSError as error:
        stop(f"{file} cannot be read ({reason_of(error)}).")
    except BadPriceTable as error:
        stop(f"{file} holds no prices: {error}.")
    return [Priced(row.vendor, row.model, row.price, as_of or changed) for row in listed]


def _chosen(known: list[Priced], wanted: Sequence[str], file: str) -> list[Priced]:
    """Return the models of a file that are asked for, by name or by vendor and name; else a handful."""
    if not known:
        stop(f"{file} holds no prices.")
    chosen = []
    for name in wanted:
        found = next((each for each in known if name in (each.model, f"{each.vendor}/{each.model}")), None)
        if found is None:
            stop(f"{file} has no price of {name}.", code=EXIT_NOT_FOUND)
        chosen.append(found)
    well_known = [each for each in known if (each.vendor, each.model) in WELL_KNOWN]
    return chosen or well_known or [each for each in known if each.price.kind == "chat"][:SHOWN_MAX]


def _found_here(settings: "Settings", name: str) -> Priced:
    """Return a model as a call here would find it, else as the price table has it."""
    from seawall.accounts import price_book
    from seawall.app import explain_route

    explained = explain_route(settings, name)
    for target in explained.targets:
        if not target.skipped and target.price is not None and target.price.source:
            model = name if explained.is_alias else target.model
            return Priced(target.provider, model, target.price, target.price.as_of)
    book = price_book(settings)
    found = _in_table(book, name)
    if found is None:
        stop(f"no price of {name} is known: `seawall prices` lists those that are.", code=EXIT_NOT_FOUND)
    return found


def _in_table(book: "PriceBook", name: str) -> Priced | None:
    from seawall.providers.prices import KINDS

    vendor, _, model = name.partition("/")
    for kind in KINDS:
        price = book.find(vendor, model, kind=kind) if model else book.find("", name, kind=kind)
        if price is not None:
            return Priced(vendor if model else "", model or name, price, price.as_of)
    row = next((row for row in book.listed() if row.model.lower() == name.lower()), None)
    return None if row is None else Priced(row.vendor, row.model, row.price, row.price.as_of)


def _handful(settings: "Settings") -> list[Priced]:
    """Return models that can be called here: those that a provider lists, else well-known ones."""
    from seawall.accounts import price_book
    from seawall.app import survey
    from seawall.providers.vendors import VENDORS

    vendors = {vendor.name: vendor.profile.vendor for vendor in VENDORS}
    listed = {name for name, stated in settings.providers.items() if stated.models is not None}
    callable_here = [
        Priced(each.name, model, price, price.as_of)
        for each in survey(settings)
        for model, price in each.models.items()
        if price is not None
        and price.kind == "chat"
        and not each.is_free
        and (each.name in listed or (vendors.get(each.name), model) in WELL_KNOWN)
    ]
    if callable_here:
        return callable_here[:SHOWN_MAX]
    book = price_book(settings)
    found = ((vendor, model, book.find(vendor, model)) for vendor, model in WELL_KNOWN)
    return [Priced(vendor, model, price, price.as_of) for vendor, model, price in found if price is not None]
