"""The marks that keep a gateway from a database whose data is being moved in, or was moved away."""

import apsw

MOVING, MOVED = "moving", "moved"

_IS_THERE = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"
_MOVED_TO = "SELECT address FROM moved"


def is_marked(connection: apsw.Connection, mark: str) -> bool:
    """Say whether a database has a mark."""
    return connection.execute(_IS_THERE, (mark,)).fetchone() is not None


def moved_to(connection: apsw.Connection) -> str | None:
    """Return where the data of a database was moved to, `None` where it was not."""
    if not is_marked(connection, MOVED):
        return None
    row = connection.execute(_MOVED_TO).fetchone()
    return None if row is None else str(row[0])


def check_marks(connection: apsw.Connection) -> None:
    """Raise OSError where a gateway must not use a database."""
    if is_marked(connection, MOVING):
        raise OSError("data is being moved into it: let `seawall migrate-store` come to its end")
    address = moved_to(connection)
    if address is not None:
        raise OSError(f"everything in it was moved to {address}: state that as database_url")
