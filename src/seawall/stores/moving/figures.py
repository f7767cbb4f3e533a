"""What both ends of a move must agree on: rows, sums of money, and a hash over everything."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from seawall.core.ledger import counts_of
from seawall.stores.moving.tables import TABLES, End, Row, Table

HASH_BYTES = 16
HOUR_S = 3_600

Tell = Callable[[str, int, int], None]
"""Is told what is being done, how many rows are done, and of how many."""

_encode = msgspec.msgpack.Encoder().encode


class Figures(Struct):
    """Rows and a hash of each table; sums of all accounts that count money; cost by month. In nano-dollars.

    The hash is the sum of those of the rows: it does not depend on how a database sorts.
    """

    rows: dict[str, int] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("spent", "held", "overage"), 0))
    cost_by_month: dict[str, int] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """Return one hash of all tables."""
        return hashlib.sha256(repr(sorted(self.hashes.items())).encode()).hexdigest()[:HASH_BYTES]


def read_figures(end: End, fit: Callable[[Row], Row], what: str, tell: Tell) -> Figures:
    """Read everything at one end, with every row as the other end can keep it."""
    figures = Figures()
    whole = sum(end.count(table) for table in TABLES)
    done = 0
    for table in TABLES:
        count = total = 0
        for rows in batches(end, table, None):
            for row in map(fit, rows):
                total += int.from_bytes(hashlib.sha256(_encode(row)).digest()[:HASH_BYTES])
                _add(figures, table, row)
            count += len(rows)
            done += len(rows)
            tell(what, done, whole)
        figures.rows[table.name] = count
        figures.hashes[table.name] = f"{total % 2 ** (8 * HASH_BYTES):0{2 * HASH_BYTES}x}"
    return figures


def batches(end: End, table: Table, after: tuple[Any, ...] | None) -> Iterator[list[Row]]:
    """Yield the rows of a table from the first after a key on, as many at once as go into a transaction."""
    while rows := end.rows(table, after, table.batch):
        yield rows
        after = table.key_of(rows[-1])


def _add(figures: Figures, table: Table, row: Row) -> None:
    """Add what a row says of money."""
    if table.name == "accounts":
        account = table.as_names(row)
        if counts_of(account["period"]) == "usd":
            for name in figures.sums:
                figures.sums[name] += account[name]
    elif table.name == "usage_hourly":
        hour = table.as_names(row)
        month = f"{datetime.fromtimestamp(hour['hour'] * HOUR_S, UTC):%Y-%m}"
        figures.cost_by_month[month] = figures.cost_by_month.get(month, 0) + hour["cost"]
