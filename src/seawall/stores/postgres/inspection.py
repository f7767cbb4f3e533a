"""Looks at a Postgres database without making, locking or changing anything."""

import time

import psycopg
from msgspec import Struct

from seawall.stores.postgres.connection import Rows, conninfo_of, reason_of

PINGS = 5
_IS_MADE = "SELECT to_regclass('schema_version') IS NOT NULL"
_SCHEMA = "SELECT coalesce(max(number), 0) FROM schema_version"
_BYTES = "SELECT pg_database_size(current_database())"
_LIVING = (
    "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_database ON oid = database"
    " WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted AND datname = current_database()"
)
"""Each process holds a shared lock on its name."""


class Inspection(Struct, frozen=True):
    """What there is in a database; `schema` is 0 where nothing was made, `living` counts processes on it."""

    version: str
    round_trip_ms: float
    schema: int
    database_bytes: int
    living: int


def inspect(url: str) -> Inspection:
    """Look at a database; raises OSError where it cannot be reached or read."""
    conninfo = conninfo_of(url)
    try:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            version = connection.info.parameter_status("server_version") or ""
            return Inspection(
                version=version.split()[0],
                round_trip_ms=round(_round_trip_s(connection) * 1000, 2),
                schema=_number(connection, _SCHEMA) if _number(connection, _IS_MADE) else 0,
                database_bytes=_number(connection, _BYTES),
                living=_number(connection, _LIVING),
            )
    except psycopg.Error as error:
        raise OSError(f"Postgres cannot be used: {reason_of(error)}") from error


def _round_trip_s(connection: psycopg.Connection[Rows]) -> float:
    """Return how long the quickest of a few questions took."""
    took = []
    for _ in range(PINGS):
        began = time.perf_counter()
        connection.execute("SELECT 1")
        took.append(time.perf_counter() - began)
    return min(took)


def _number(connection: psycopg.Connection[Rows], statement: str) -> int:
    [(number,)] = connection.execute(statement.encode()).fetchall()
    return int(number)
