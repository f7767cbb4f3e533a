"""Brings procrastinate's tables and functions up to date, from the files that its package brings along."""

import importlib.util
from pathlib import Path
from typing import Any

from psycopg import Connection

_NOTED = "SELECT migration FROM carrier_schema"
_FORGET = "DELETE FROM carrier_schema"
_NOTE = "INSERT INTO carrier_schema VALUES (%s)"
_BY_LOCK = (
    "CREATE INDEX IF NOT EXISTS seawall_carriers_by_lock ON procrastinate_jobs (lock)"
    " WHERE status IN ('todo', 'doing')"
)
"""Ours: whoever fetches asks for other rows of the same lock, and has to read all without it."""


def bring_carrier_up_to_date(connection: Connection[tuple[Any, ...]]) -> None:
    """Make what procrastinate needs, or run those of its migrations that this database has not seen.

    The package is not imported: many a gateway runs no worker.
    """
    folder = _folder()
    migrations = sorted(path.name for path in (folder / "migrations").glob("*.sql"))
    noted = connection.execute(_NOTED).fetchone()
    if noted is None:
        todo = [folder / "schema.sql"]
    else:
        todo = [folder / "migrations" / name for name in migrations if name > noted[0]]
    if not todo:
        return
    with connection.transaction():
        for path in todo:
            connection.execute(path.read_bytes())
        connection.execute(_BY_LOCK)
        connection.execute(_FORGET)
        connection.execute(_NOTE, (migrations[-1],))


def _folder() -> Path:
    spec = importlib.util.find_spec("procrastinate")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "sql"
