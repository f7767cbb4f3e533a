"""Moves everything from one end to the other, in steps that a crash cannot break.

Invariants:
- While a move into a home has not come to its end no gateway opens that home, and once everything has
  arrived none opens the one that it came from: there are never two ledgers for one budget.
- How far a table has come is noted in the transaction that adds its rows: after a crash the same command goes
  on where it was. Where the source has changed meanwhile it begins anew.
- A move ends only where both ends agree in every row.
"""

import msgspec
from msgspec import Struct

from seawall.stores.moving.figures import Figures, Tell, batches, read_figures
from seawall.stores.moving.tables import TABLES, End, Key, MoveRefused, Table

SOURCE = "source"
_TAKEN = ("keys", "users", "accounts", "calls", "responses")
"""Whatever is in one of these is data of somebody's own."""

_encode = msgspec.msgpack.Encoder().encode
_decode_key = msgspec.msgpack.Decoder().decode  # Texts, numbers and bytes: as they were.


class Source(Struct, frozen=True):
    """Where a move comes from, and what was there when it began."""

    address: str
    figures: Figures


class Outcome(Struct, frozen=True):
    """What both ends hold after a move, and how many rows had been moved by an earlier try."""

    before: Figures
    after: Figures
    resumed_rows: int

    @property
    def agrees(self) -> bool:
        """Say whether everything has arrived as it was."""
        return self.before == self.after


_decode_source = msgspec.msgpack.Decoder(Source).decode


def move(source: End, target: End, tell: Tell) -> Outcome:
    """Move everything; raises MoveRefused where the target has other data, or the source is moved already.

    Where the outcome does not agree the target stays closed to gateways, and the source open.
    """
    noted = target.noted()
    if noted is None:
        _check_unmoved(source)
        _check_empty(target)
    before = read_figures(source, target.fit, "reading", tell)
    noted = _begin(target, noted, Source(source.address, before))
    resumed = sum(target.count(table) for table in TABLES if table.name in noted)
    _copy(source, target, noted, (resumed, sum(before.rows.values())), tell)
    after = read_figures(target, target.fit, "comparing", tell)
    outcome = Outcome(before, after, resumed)
    if outcome.agrees:
        source.mark_moved(target.address)
        target.finish({table.name: source.highest(table) for table in TABLES if table.is_numbered})
    return outcome


def _check_unmoved(source: End) -> None:
    elsewhere = source.moved_to()
    if elsewhere is not None:
        raise MoveRefused(f"everything in {source.address} was moved to {elsewhere} already")


def _check_empty(target: End) -> None:
    found = {table.name: target.count(table) for table in TABLES if table.name in _TAKEN}
    if any(found.values()):
        what = ", ".join(f"{count:,} {name}" for name, count in found.items() if count)
        raise MoveRefused(
            f"{target.address} has data of its own ({what}): name one that is empty, where no gateway was"
            " started"
        )


def _begin(target: End, noted: dict[str, bytes] | None, source: Source) -> dict[str, bytes]:
    """Begin a move, or go on with one; returns how far each table has come."""
    if noted is not None:
        earlier = _decode_source(noted[SOURCE])
        if earlier.address != source.address:
            raise MoveRefused(
                f"a move from {earlier.address} to {target.address} has not come to its end: end that first"
            )
        if earlier == source:
            return {name: note for name, note in noted.items() if name != SOURCE}
    target.begin({SOURCE: _encode(source)})
    return {}


def _copy(source: End, target: End, noted: dict[str, bytes], progress: tuple[int, int], tell: Tell) -> None:
    done, whole = progress
    for table in TABLES:
        for rows in batches(source, table, _key_in(noted, table)):
            target.add(table, [target.fit(row) for row in rows], _encode(table.key_of(rows[-1])))
            done += len(rows)
            tell(f"moving {table.name}", done, whole)


def _key_in(noted: dict[str, bytes], table: Table) -> Key | None:
    note = noted.get(table.name)
    return None if note is None else tuple(_decode_key(note))
