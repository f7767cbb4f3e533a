"""Prices that were written down as JSON: a whole table, or what `seawall prices --json` has printed."""

from datetime import date
from pathlib import Path

import msgspec
from msgspec import Struct

from seawall.core.money import Kind, Price, Rate, Rates, Tier, parse_usd
from seawall.providers.price_table import FILE_BYTES_MAX, BadPriceTable, check_table
from seawall.providers.prices import Listed

SEARCHES = "web_search_per_thousand"


class _PrintedTier(Struct, frozen=True):
    above_input_tokens: int
    usd_per_mtok: dict[str, str]


class _Printed(Struct, frozen=True):
    """One row as `seawall prices --json` prints it: dollars for a million tokens, as decimal strings."""

    vendor: str
    model: str
    usd_per_mtok: dict[str, str]
    tiers: list[_PrintedTier] = []
    kind: Kind = "chat"
    max_output_tokens: int | None = None
    context_tokens: int | None = None
    source: str = ""
    as_of: str = ""


class _File(Struct, frozen=True):
    as_of: str = ""
    data: list[_Printed] | None = None


def read_prices(path: Path) -> tuple[str, list[Listed]]:
    """Return the date of a file and its prices; raises BadPriceTable, and OSError where it cannot be read."""
    with path.open("rb") as file:
        raw = file.read(FILE_BYTES_MAX + 1)
    if len(raw) > FILE_BYTES_MAX:
        raise BadPriceTable(f"it has more than {FILE_BYTES_MAX:,} bytes")
    try:
        read = msgspec.json.decode(raw, type=_File)
    except msgspec.ValidationError as error:
        raise BadPriceTable(f"not in a form that `seawall prices --json` prints: {error}") from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadPriceTable(f"not JSON: {error}") from error
    if read.data is not None:
        return read.as_of, [Listed(row.vendor, row.model, _price(row), None) for row in read.data]
    table = check_table(raw)
    day = date.fromisoformat(table.as_of)
    return table.as_of, [
        Listed(name, row.id, price, None)
        for name, vendor in table.vendors.items()
        for row in vendor.rows
        if (price := table.price(row, day)) is not None
    ]


def _price(row: _Printed) -> Price:
    place = f"{row.vendor}/{row.model}"
    return Price(
        rates=_rates(row.usd_per_mtok, place),
        tiers=tuple(Tier(each.above_input_tokens, _rates(each.usd_per_mtok, place)) for each in row.tiers),
        max_output_tokens=row.max_output_tokens,
        context_tokens=row.context_tokens,
        source=row.source,
        as_of=row.as_of,
        kind=row.kind,
    )


def _rates(dollars: dict[str, str], place: str) -> Rates:
    """Read rates; raises BadPriceTable for a name that no rate has, and for what is no amount."""
    try:
        rates = {name: Rate(parse_usd(usd)) for name, usd in dollars.items() if name != SEARCHES}
        if SEARCHES in dollars:
            rates["web_search"] = Rate(parse_usd(dollars[SEARCHES]) * 1_000)
        return Rates(**rates)
    except (TypeError, ValueError) as error:
        raise BadPriceTable(f"{place}: {error}") from error
