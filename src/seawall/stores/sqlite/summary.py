"""Says in a few figures what a file of the ledger holds, whatever Seawall wrote it."""

from pathlib import Path
from typing import Any

import apsw
from msgspec import Struct, field

from seawall.core.money import Money
from seawall.core.periods import LIFETIME
from seawall.stores.sqlite.connection import open_reader

_PERIODS = "SELECT period, spent + overage, held FROM accounts WHERE scope = 'global'"
_COUNTS = "SELECT count(*), max(at_ms) FROM calls UNION ALL SELECT count(*), 0 FROM holds"
_HOLDERS = "SELECT DISTINCT process FROM holds"
_KEYS = "SELECT id, name FROM keys WHERE revoked_at IS NULL"
_HAS_CONTENTS = "SELECT 1 FROM sqlite_schema WHERE name = 'backup_contents'"
_CONTENTS = "SELECT name, data FROM backup_contents"
FILE = "file:"


class Summary(Struct, frozen=True):
    """What a file of the ledger holds. `spent` is by period, of the gateway, with the overage; `keys` are
    those that are not revoked, by id, with their names.

    `made_at` and `files` are what a backup has beside the tables: its moment in Unix seconds, and files of
    the data folder.
    """

    schema: int
    calls: int
    last_call_at_ms: int | None
    holds: int
    holders: tuple[str, ...]
    held: Money
    spent: dict[str, int]
    keys: dict[str, str]
    made_at: float | None = None
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def committed(self) -> Money:
        """Return what the gateway has spent in all, what is held included."""
        return Money(self.spent.get(LIFETIME, 0) + self.held)


def summarise(path: Path) -> Summary:
    """Read a file; raises OSError where it cannot be read, or is none of Seawall."""
    try:
        connection = open_reader(path)
        try:
            return _read(connection)
        finally:
            connection.close()
    except apsw.Error as error:
        raise OSError(str(error)) from error


def _read(connection: apsw.Connection) -> Summary:
    schema = int(connection.pragma("user_version"))
    if not schema:
        raise OSError("it is no database of Seawall")
    periods = {str(period): (spent, held) for period, spent, held in _rows(connection, _PERIODS)}
    (calls, last), (holds, _) = _rows(connection, _COUNTS)
    contents = dict(_rows(connection, _CONTENTS)) if _rows(connection, _HAS_CONTENTS) else {}
    made_at = contents.get("made_at")
    return Summary(
        schema=schema,
        calls=calls,
        last_call_at_ms=last,
        holds=holds,
        holders=tuple(process for (process,) in _rows(connection, _HOLDERS)),
        held=Money(periods.get(LIFETIME, (0, 0))[1]),
        spent={period: spent for period, (spent, _) in periods.items()},
        keys=dict(_rows(connection, _KEYS)),
        made_at=None if made_at is None else float(made_at),
        files={name.removeprefix(FILE): data for name, data in contents.items() if name.startswith(FILE)},
    )


def _rows(connection: apsw.Connection, question: str) -> list[tuple[Any, ...]]:
    return connection.execute(question).fetchall()
