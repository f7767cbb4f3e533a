"""The form of a table of prices: how it is read, checked and put into the data folder.

Invariants:
- A table is taken whole or not at all: whatever is wrong with one row is an error that names its place.
- A model is free only where its row carries the mark for it; a zero without it is an error.

`scripts/build_prices.py` writes tables and explains their rows (docs/decisions/0003-prices-compiled.md).
"""

import os
import re
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from seawall.core.money import Kind, Price, Rate, Rates, Tier

FILE_NAME = "prices.json"
FILE_BYTES_MAX = 32 * 1024 * 1024
RATE_MAX = 10**15
"""A million dollars for a million tokens; nothing is believed to cost more."""

_SIGNS = "=^$*~"
_MARKS = "cefir"


class BadPriceTable(ValueError):
    """A table of prices that cannot be used; says what is wrong and where."""


class Row(Struct, array_like=True, frozen=True, gc=False):
    """One model; `rates` are in the order of the fields of Rates, empty where it is unpriced.

    `origin` points to the table's origins: one, or two where the limits are from another place.
    """

    id: str
    match: Any
    origin: int | tuple[int, int]
    rates: list[int | None] = []
    tiers: list[tuple[int, list[int | None]]] = []
    max_output_tokens: int | None = None
    context_tokens: int | None = None
    marks: str = ""
    later: list[tuple[str, list[int | None], list[tuple[int, list[int | None]]]]] = []

    @property
    def kind(self) -> Kind:
        """Return what the model makes."""
        return "embedding" if "e" in self.marks else "image" if "i" in self.marks else "chat"


class Vendor(Struct, frozen=True):
    """The models of one vendor, and the vendors whose models it offers at their prices."""

    fallback: list[str]
    rows: list[Row]


class Table(Struct, frozen=True):
    """The whole of a table. Each origin is a source and the date on which it was read."""

    as_of: str
    origins: list[tuple[str, str]]
    vendors: dict[str, Vendor]

    def match(self, vendor: Vendor, name: str) -> Row | None:
        """Return the first row that a name in lower case belongs to, the vendor's own before the others'."""
        for entry in (vendor, *(self.vendors[other] for other in vendor.fallback)):
            for row in entry.rows:
                if _matches(row.match, name):
                    return row
        return None

    def price(self, row: Row, today: date) -> Price | None:
        """Return a row's price on a day, with the changes that were announced for it."""
        first = row.origin if isinstance(row.origin, int) else row.origin[0]
        source, as_of = self.origins[first]
        rates, tiers = row.rates, row.tiers
        for start, later_rates, later_tiers in row.later:
            if start <= today.isoformat():
                rates, tiers, as_of = later_rates, later_tiers, start
        if not rates:
            return None
        return Price(
            rates=_rates(rates),
            tiers=tuple(Tier(above, _rates(each)) for above, each in tiers),
            max_output_tokens=row.max_output_tokens,
            context_tokens=row.context_tokens,
            reasons="r" in row.marks,
            source=source,
            as_of=as_of,
            kind=row.kind,
        )

    def limits_origin(self, row: Row) -> tuple[str, str] | None:
        """Return source and date of a row's limits, where they are not those of its rates."""
        return None if isinstance(row.origin, int) else self.origins[row.origin[1]]


def read_raw(path: Path) -> tuple[bytes, Table]:
    """Read and check a file; raises BadPriceTable, and OSError where there is no reading it."""
    with path.open("rb") as file:
        raw = file.read(FILE_BYTES_MAX + 1)
    if len(raw) > FILE_BYTES_MAX:
        raise BadPriceTable(f"it has more than {FILE_BYTES_MAX:,} bytes")
    return raw, check_table(raw)


def check_table(raw: bytes) -> Table:
    """Decode and check a table from outside; raises BadPriceTable."""
    try:
        table = decode_table(raw)
    except msgspec.ValidationError as error:
        raise BadPriceTable(f"not in the form of a price table: {error}") from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadPriceTable(f"not JSON: {error}") from error
    _check_date(table.as_of, "as_of")
    if not table.vendors:
        raise BadPriceTable("vendors: there is none")
    for index, (_, day) in enumerate(table.origins):
        _check_date(day, f"origins[{index}]")
    for name, vendor in table.vendors.items():
        for other in vendor.fallback:
            if other not in table.vendors:
                raise BadPriceTable(f"vendors.{name}.fallback: there is no vendor {other!r}")
        for index, row in enumerate(vendor.rows):
            _check_row(row, f"vendors.{name}.rows[{index}] ({row.id!r})", len(table.origins))
    return table


def decode_table(raw: bytes) -> Table:
    """Decode a table that was checked when it was made; raises msgspec.DecodeError."""
    return msgspec.json.decode(raw, type=Table)


def install_table(raw: bytes, folder: Path) -> Path:
    """Put a table into the data folder so that a reader sees the old one or the new one; raises OSError."""
    target = folder / FILE_NAME
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".prices-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return target


def _check_row(row: Row, place: str, origins: int) -> None:
    for origin in (row.origin,) if isinstance(row.origin, int) else row.origin:
        if not 0 <= origin < origins:
            raise BadPriceTable(f"{place}: there is no origin {origin}")
    _check_rule(row.match, place)
    if set(row.marks) - set(_MARKS):
        raise BadPriceTable(f"{place}: marks may be of {_MARKS}, not {row.marks!r}")
    for limit in (row.max_output_tokens, row.context_tokens):
        if limit is not None and limit <= 0:
            raise BadPriceTable(f"{place}: a limit of {limit} tokens")
    _check_prices(row, row.rates, row.tiers, place)
    for start, rates, tiers in row.later:
        _check_date(start, place)
        _check_prices(row, rates, tiers, f"{place} from {start}")
    if [start for start, _, _ in row.later] != sorted(start for start, _, _ in row.later):
        raise BadPriceTable(f"{place}: later prices must stand in order of their dates")


def _check_prices(
    row: Row, rates: list[int | None], tiers: list[tuple[int, list[int | None]]], place: str
) -> None:
    if not rates:
        if tiers:
            raise BadPriceTable(f"{place}: tiers without rates")
        return
    above = [each for each, _ in tiers]
    if above != sorted(set(above)) or any(each < 0 for each in above):
        raise BadPriceTable(f"{place}: tiers must rise")
    for each in (rates, *(tier_rates for _, tier_rates in tiers)):
        _check_rates(row, each, place)


def _check_rates(row: Row, rates: list[int | None], place: str) -> None:
    if len(rates) > len(Rates.__struct_fields__) or len(rates) < 2 or rates[0] is None or rates[1] is None:
        raise BadPriceTable(f"{place}: rates need those of input and output, and at most the others known")
    for rate in rates:
        if rate is not None and not 0 <= rate <= RATE_MAX:
            raise BadPriceTable(f"{place}: a rate of {rate}")
    if "f" in row.marks:
        return
    if rates[0] == 0 or (rates[1] == 0 and row.kind != "embedding"):
        raise BadPriceTable(f"{place}: a rate of zero, though the row is not marked as free")


def _check_rule(rule: Any, place: str) -> None:
    if isinstance(rule, list) and rule and rule != ["&"]:
        for each in rule[rule[0] == "&" :]:
            _check_rule(each, place)
        return
    if not isinstance(rule, str) or rule[:1] not in tuple(_SIGNS) or len(rule) < 2:
        raise BadPriceTable(f"{place}: {rule!r} is not a rule for names")
    if rule[0] == "~":
        try:
            re.compile(rule[1:])
        except re.error as error:
            raise BadPriceTable(f"{place}: {rule!r} is not a regular expression ({error})") from error


def _check_date(text: str, place: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise BadPriceTable(f"{place}: {text!r} is not a date") from error


def _matches(rule: str | list[Any], name: str) -> bool:
    """Judge a rule; see compile_match in scripts/build_prices.py for its form."""
    if isinstance(rule, list):
        if rule[:1] == ["&"]:
            return all(_matches(each, name) for each in rule[1:])
        return any(_matches(each, name) for each in rule)
    sign, text = rule[0], rule[1:]
    if sign == "=":
        return name == text
    if sign == "^":
        return name.startswith(text)
    if sign == "$":
        return name.endswith(text)
    if sign == "*":
        return text in name
    return re.search(text, name) is not None


def _rates(values: list[int | None]) -> Rates:
    plain_input, plain_output, *others = values
    assert plain_input is not None  # a checked table has both
    assert plain_output is not None
    return Rates(
        Rate(plain_input), Rate(plain_output), *(None if each is None else Rate(each) for each in others)
    )
