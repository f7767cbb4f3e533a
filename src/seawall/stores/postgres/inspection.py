"""Looks at a database without making, locking or changing anything that a gateway relies on."""

import time

import psycopg
from msgspec import Struct

from seawall.stores.postgres.connection import SESSION, Rows, conninfo_of, reason_of

PINGS = 5
_LOOK = b"""
SELECT pg_database_size(current_database()), current_setting('server_version'),
       CASE WHEN to_regclass('schema_version') IS NULL THEN 0 END,
       (SELECT count(DISTINCT pid) FROM pg_locks
        WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"""
_SCHEMA = b"SELECT coalesce(max(number), 0) FROM schema_version"


class Inspection(Struct, frozen=True):
    """What there is in a database; `living` counts the processes that hold a lock on their name.

    `round_trip_ms` is how long the quickest of a few questions took.
    """

    database_bytes: int
    schema: int
    living: int
    server_version: str
    round_trip_ms: float


def inspect(url: str) -> Inspection:
    """Look at a database; `schema` is 0 where no gateway has used it.

    Raises OSError where it cannot be reached.
    """
    try:
        with psycopg.connect(conninfo_of(url), autocommit=True) as connection:
            connection.execute(SESSION)
            [(size, version, schema, living)] = connection.execute(_LOOK).fetchall()
            if schema is None:
                [(schema,)] = connection.execute(_SCHEMA).fetchall()
            round_trip_s = min(_ping(connection) for _ in range(PINGS))
    except psycopg.Error as error:
        raise OSError(f"Postgres cannot be used: {reason_of(error)}") from error
    return Inspection(
        database_bytes=size,
        schema=schema,
        living=living,
        server_version=version,
        round_trip_ms=round(round_trip_s * 1000, 2),
    )


def _ping(connection: psycopg.Connection[Rows]) -> float:
    began = time.perf_counter()
    connection.execute("SELECT 1")
    return time.perf_counter() - began
