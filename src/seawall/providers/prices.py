"""What each model costs: the user's own prices first, then a table compiled from genai-prices.

Invariants:
- A model without a price is `None`, never free. The table has rates of zero only where its source says so.
- The first matching row of a vendor decides, as in genai-prices; where it has no rates, the model is
  unpriced, whatever later rows say.
- A table in the data folder replaces the built-in one whole. One that is damaged is an error: prices are
  never taken from elsewhere in silence.

`seawall.providers.price_table` is the form of a table (docs/decisions/0003-prices-compiled.md).
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import get_args

import msgspec
from msgspec import Struct

from seawall.core.money import Kind, Price
from seawall.providers.price_table import BadPriceTable, Row, Table, decode_table, read_raw
from seawall.providers.tokens import image_tokens_max

KINDS: tuple[Kind, ...] = get_args(Kind)
_NAME_CHARS_MAX = 256
_REMEMBERED_MAX = 4_096

# Where nothing matches, genai-prices reads `gpt-5.2-20251211` as `gpt-5.2-2025-12-11`.
_COMPACT_DATE = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")


class Listed(Struct, frozen=True):
    """One row of the table as it holds on a day; `limits` says source and date of the limits, if told."""

    vendor: str
    model: str
    price: Price
    limits: tuple[str, str] | None


def today_utc() -> date:
    """Return the day on which announced prices are judged to have begun."""
    return datetime.now(UTC).date()


class PriceBook:
    """Finds prices. `configured` is keyed by "model" or "provider/model"; its entries are complete.

    `path` is a file that replaces the built-in table where it exists. The table is read on first need, the
    built-in one in 6 ms; `reload` reads it at once. Finds are remembered until the day or the table changes.
    """

    def __init__(
        self,
        configured: Mapping[str, Price],
        *,
        path: Path | None = None,
        today: Callable[[], date] = today_utc,
    ) -> None:
        self.version = 0
        self._configured = dict(configured)
        self._path = path
        self._today = today
        self._table: Table | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._remembered: dict[tuple[str, str], Price | None] = {}
        self._remembered_on = date.min

    def find(self, vendor: str, model: str, *, provider: str = "", kind: Kind = "chat") -> Price | None:
        """Return the price of a model, `None` where there is none, or where it makes another kind of thing.

        `vendor` is the id that genai-prices has for it, or empty: then only configured prices count.
        `provider` is the user's name for the account, if it differs. Raises BadPriceTable.
        """
        for key in (f"{provider}/{model}", f"{vendor}/{model}", model):
            if key in self._configured:
                return msgspec.structs.replace(_with_images(self._configured[key], model), kind=kind)
        today = self._today()
        if today != self._remembered_on or len(self._remembered) >= _REMEMBERED_MAX:
            self._remembered.clear()
            self._remembered_on = today
        if (vendor, model) not in self._remembered:
            self._remembered[vendor, model] = self._look_up(vendor, model, today)
        price = self._remembered[vendor, model]
        return price if price is not None and price.kind == kind else None

    def stated(self, provider: str) -> list[str]:
        """Return the names of models whose price is configured: for every provider, or for this one."""
        names = (key.removeprefix(f"{provider}/") for key in self._configured)
        return sorted(name for name in names if "/" not in name)

    def models(self, vendor: str, *, kind: Kind = "chat") -> list[str]:
        """Return the names of a vendor's models of a kind that have a price, in alphabetical order."""
        entry = self.table().vendors.get(vendor)
        return sorted(row.id for row in entry.rows if _lists(row, kind)) if entry else []

    def listed(self) -> list[Listed]:
        """Return every priced row of the table, in its order."""
        table, today = self.table(), self._today()
        return [
            Listed(name, row.id, _with_images(price, row.id), table.limits_origin(row))
            for name, vendor in table.vendors.items()
            for row in vendor.rows
            if (price := table.price(row, today)) is not None
        ]

    def reload(self) -> bool:
        """Read the table anew if its file has changed, and say whether it has.

        Costs one look at the file. Raises BadPriceTable where the new one is damaged; one that is in force
        already stays so. `version` rises with each change, for those who remember prices themselves.
        """
        stamp = self._look_at_file()
        if self._table is not None and stamp == self._stamp:
            return False
        self._table, self._stamp = self._read(stamp), stamp
        self._remembered.clear()
        self.version += 1
        return True

    def table(self) -> Table:
        """Return the table in force; raises BadPriceTable where it has to be read and cannot be."""
        if self._table is None:
            self.reload()
        assert self._table is not None
        return self._table

    def _look_at_file(self) -> tuple[int, int, int] | None:
        """Return what changes when the file does, `None` where there is none."""
        if self._path is None:
            return None
        try:
            status = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise BadPriceTable(f"{self._path} cannot be read: {error.strerror}") from error
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self, stamp: tuple[int, int, int] | None) -> Table:
        if self._path is None or stamp is None:
            return decode_table(resources.files(__package__).joinpath("prices.json").read_bytes())
        try:
            return read_raw(self._path)[1]
        except OSError as error:
            raise BadPriceTable(f"{self._path} cannot be read: {error.strerror}") from error
        except BadPriceTable as error:
            raise BadPriceTable(f"{self._path} is damaged: {error}") from error

    def _look_up(self, vendor: str, model: str, today: date) -> Price | None:
        table = self.table()
        entry = table.vendors.get(vendor)
        if entry is None or not model or len(model) > _NAME_CHARS_MAX:
            return None
        name = model.lower()
        dashed = _COMPACT_DATE.sub(r"-\1-\2-\3", name)
        row = table.match(entry, name) or (table.match(entry, dashed) if dashed != name else None)
        price = table.price(row, today) if row else None
        return _with_images(price, model) if price else None


def _lists(row: Row, kind: Kind) -> bool:
    """Say whether a row is a model of this kind; of those for chat, only what can be called by its name."""
    return row.kind == kind and bool(row.rates) and ("c" in row.marks or kind != "chat")


def _with_images(price: Price, model: str) -> Price:
    if price.image_tokens_max is not None or price.kind == "embedding":
        return price
    return msgspec.structs.replace(price, image_tokens_max=image_tokens_max(model))
