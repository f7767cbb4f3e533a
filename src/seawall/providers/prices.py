"""What each model costs: the user's own prices first, then a table compiled from genai-prices.

Invariants:
- A model without a price is `None`, never free. The table has rates of zero only where its source says so.
- The first matching row of a vendor decides, as in genai-prices; where it has no rates, the model is
  unpriced, whatever later rows say.

`scripts/build_prices.py` writes the table and explains its form (docs/decisions/0003-prices-compiled.md).
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from importlib import resources
from typing import Any

import msgspec
from msgspec import Struct

from seawall.core.money import Price, Rate, Rates, Tier
from seawall.providers.tokens import image_tokens_max

_NAME_CHARS_MAX = 256
_REMEMBERED_MAX = 4_096

# Where nothing matches, genai-prices reads `gpt-5.2-20251211` as `gpt-5.2-2025-12-11`.
_COMPACT_DATE = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")


def today_utc() -> date:
    """Return the day on which announced prices are judged to have begun."""
    return datetime.now(UTC).date()


class PriceBook:
    """Finds prices. `configured` is keyed by "model" or "provider/model"; its entries are complete.

    The table is read on first need, in 6 ms, most of them for importlib.resources. Finds are remembered
    until the day changes.
    """

    def __init__(self, configured: Mapping[str, Price], *, today: Callable[[], date] = today_utc) -> None:
        self._configured = dict(configured)
        self._today = today
        self._table: _Table | None = None
        self._remembered: dict[tuple[str, str], Price | None] = {}
        self._remembered_on = date.min

    def find(self, vendor: str, model: str, *, provider: str = "") -> Price | None:
        """Return the price of a model, `None` where there is none.

        `vendor` is the id that genai-prices has for it, or empty: then only configured prices count.
        `provider` is the user's name for the account, if it differs.
        """
        for key in (f"{provider}/{model}", f"{vendor}/{model}", model):
            if key in self._configured:
                return _with_images(self._configured[key], model)
        today = self._today()
        if today != self._remembered_on or len(self._remembered) >= _REMEMBERED_MAX:
            self._remembered.clear()
            self._remembered_on = today
        if (vendor, model) not in self._remembered:
            self._remembered[vendor, model] = self._look_up(vendor, model, today)
        return self._remembered[vendor, model]

    def stated(self, provider: str) -> list[str]:
        """Return the names of models whose price is configured: for every provider, or for this one."""
        names = (key.removeprefix(f"{provider}/") for key in self._configured)
        return sorted(name for name in names if "/" not in name)

    def models(self, vendor: str) -> list[str]:
        """Return the names of a vendor's chat models that have a price, in alphabetical order."""
        entry = self._read_table().vendors.get(vendor)
        return sorted(row.id for row in entry.rows if "c" in row.marks) if entry else []

    def _look_up(self, vendor: str, model: str, today: date) -> Price | None:
        table = self._read_table()
        entry = table.vendors.get(vendor)
        if entry is None or not model or len(model) > _NAME_CHARS_MAX:
            return None
        name = model.lower()
        dashed = _COMPACT_DATE.sub(r"-\1-\2-\3", name)
        found = table.match(entry, name) or (table.match(entry, dashed) if dashed != name else None)
        price = table.price(*found, today) if found else None
        return _with_images(price, model) if price else None

    def _read_table(self) -> "_Table":
        if self._table is None:
            raw = resources.files(__package__).joinpath("prices.json").read_bytes()
            self._table = msgspec.json.decode(raw, type=_Table)
        return self._table


class _Row(Struct, array_like=True, frozen=True, gc=False):
    """One model; `rates` are in the order of the fields of Rates, empty where it is unpriced."""

    id: str
    match: Any
    rates: list[int | None] = []
    tiers: list[tuple[int, list[int | None]]] = []
    max_output_tokens: int | None = None
    context_tokens: int | None = None
    marks: str = ""
    later: list[tuple[str, list[int | None], list[tuple[int, list[int | None]]]]] = []


class _Vendor(Struct, frozen=True):
    """The models of one vendor, and the vendors whose models it offers at their prices."""

    fallback: list[str]
    rows: list[_Row]
    source: str


class _Table(Struct, frozen=True):
    """The whole of prices.json."""

    as_of: str
    source: str
    vendors: dict[str, _Vendor]

    def match(self, vendor: _Vendor, name: str) -> tuple[_Vendor, _Row] | None:
        """Return the first row that a name in lower case belongs to, the vendor's own before the others'."""
        for entry in (vendor, *(self.vendors[other] for other in vendor.fallback)):
            for row in entry.rows:
                if _matches(row.match, name):
                    return entry, row
        return None

    def price(self, vendor: _Vendor, row: _Row, today: date) -> Price | None:
        """Return a row's price on a day, with the changes that were announced for it."""
        rates, tiers, as_of = row.rates, row.tiers, self.as_of
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
            source=f"{self.source}: {vendor.source}",
            as_of=as_of,
        )


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


def _with_images(price: Price, model: str) -> Price:
    if price.image_tokens_max is not None:
        return price
    return msgspec.structs.replace(price, image_tokens_max=image_tokens_max(model))


def _rates(values: list[int | None]) -> Rates:
    plain_input, plain_output, *others = values
    assert plain_input is not None  # the script leaves a model without either rate unpriced
    assert plain_output is not None
    return Rates(
        Rate(plain_input), Rate(plain_output), *(None if each is None else Rate(each) for each in others)
    )
