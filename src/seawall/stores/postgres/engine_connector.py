"""Procrastinate's own connector to Postgres, with our limits, and two statements that forgive more."""

import logging
from typing import Any

from procrastinate import PsycopgConnector, sql
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from seawall.stores.postgres.connection import SESSION, TIMEOUT_S, conninfo_of

CONNECTIONS_MAX = 4
RECONNECT_S = 2.0
"""How long a pool tries by itself, at longer and longer intervals; then the next question makes it try."""

_PLANS = b"""
SELECT set_config('enable_' || way, 'off', false)
FROM unnest(ARRAY['sort', 'bitmapscan', 'seqscan', 'hashjoin', 'mergejoin']) AS way"""
"""Of all carriers one is wanted, the first of an index. How many there are changes faster than statistics are
made: with those of an empty table Postgres sorted 20,000 for each fetch, which took 5 s instead of 1 ms."""

_NOT_WAITING = b"SELECT set_config('synchronous_commit', 'off', false)"
"""Where a job stands is in its own row: a carrier that a power cut brings back finds nothing to be done."""

_INSTEAD = {
    # What is gone already was taken over by another worker: nothing to be said.
    sql.queries["finish_job"]: "DELETE FROM procrastinate_jobs WHERE id = %(job_id)s",
    # One that the others took for dead is there again.
    sql.queries["update_heartbeat"]: (
        "INSERT INTO procrastinate_workers (id) OVERRIDING SYSTEM VALUE VALUES (%(worker_id)s)"
        " ON CONFLICT (id) DO UPDATE SET last_heartbeat = NOW()"
    ),
}


class PostgresEngineConnector(PsycopgConnector):
    """Answers the questions of a worker."""

    def __init__(self, url: str) -> None:
        super().__init__(
            conninfo=conninfo_of(url),
            min_size=1,
            max_size=CONNECTIONS_MAX,
            timeout=TIMEOUT_S,
            reconnect_timeout=RECONNECT_S,
            configure=_set_up,
        )
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # The engine says when it is away.

    async def open_async(self, pool: AsyncConnectionPool | None = None) -> None:
        """Make the pool; where no server answers there is none, and it can be made later."""
        try:
            await super().open_async(pool)
        except BaseException:
            await self.close_async()
            raise

    async def execute_query_async(self, query: str, **arguments: Any) -> None:
        """Ask something whose answer is not wanted."""
        await super().execute_query_async(_INSTEAD.get(query, query), **arguments)


async def _set_up(connection: AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)
    await connection.execute(SESSION)
    await connection.execute(_PLANS)
    await connection.execute(_NOT_WAITING)
