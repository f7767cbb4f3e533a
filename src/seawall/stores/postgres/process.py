"""Which gateways are alive: each holds an advisory lock on its name for as long as its session lasts.

The lock is a shared one, so that a process whose connection broke can take it anew while the server has not
yet noticed the end of the old session. Whoever gets it exclusively knows that nobody holds it.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any

import psycopg

MISSING_S = 5.0
"""A process whose lock is free has this long to take it again, as after a broken connection."""
SERVER_UP_S = 15.0
"""After a start of the server itself every process has this long to come back."""

_TAKE = "SELECT pg_advisory_lock_shared(%s)"
_IS_FREE = "SELECT pg_try_advisory_xact_lock(%s)"
# Whoever has left a hold, but those of jobs that wait: they are nobody's. Whoever is at a job, and whoever
# makes a call under an idempotency key.
_OTHERS = (
    "SELECT process, max(placed_at) > pg_postmaster_start_time() FROM holds"
    " WHERE process <> 'jobs' AND process <> %s GROUP BY process"
    " UNION ALL SELECT DISTINCT worker, false FROM jobs WHERE state = 'running' AND worker <> %s"
    " UNION ALL SELECT DISTINCT process, false FROM idempotent_answers WHERE answer IS NULL AND process <> %s"
)
_UP_S = "SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8"

Connection = psycopg.Connection[tuple[Any, ...]]


class ProcessNames:
    """The name of this process, which goes into every hold that it makes, and what it knows of the others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = secrets.token_hex(8)
        self._clock = clock
        self._free_since: dict[str, float] = {}
        self._dead: set[str] = set()
        self._has_looked = False

    def take(self, connection: Connection) -> None:
        """Take the lock on this process's name, for as long as the connection lasts."""
        connection.execute(_TAKE, (_key_of(self.name),))

    def dead(self, connection: Connection) -> list[str]:
        """Return the other processes that are certainly dead and have left anything; in a transaction.

        The first look of a process believes what it sees: its predecessor's holds are settled before anybody
        can call. Later ones wait for `MISSING_S`. Where the server itself was started after the last hold of
        a process, all have lost their locks.
        """
        others: dict[str, bool] = dict(sorted(connection.execute(_OTHERS, (self.name,) * 3).fetchall()))
        now, is_first, free = self._clock(), not self._has_looked, {}
        self._has_looked = True
        for name, is_since_start in others.items():
            is_known = is_since_start or name in self._dead  # Its jobs may be looked for after its holds.
            if (is_known or self._is_settled(connection)) and self._is_free(name, connection):
                free[name] = self._free_since.get(name, now)
        self._free_since = free
        self._dead = {name for name, since in free.items() if is_first or now - since >= MISSING_S}
        return list(self._dead)

    def _is_settled(self, connection: Connection) -> bool:
        """Say whether the server has been up for long enough for everybody to have come back."""
        [(up_s,)] = connection.execute(_UP_S).fetchall()
        return bool(up_s >= SERVER_UP_S)

    def _is_free(self, name: str, connection: Connection) -> bool:
        [(is_free,)] = connection.execute(_IS_FREE, (_key_of(name),)).fetchall()
        return bool(is_free)


def _key_of(name: str) -> int:
    """Return the number of a name's lock."""
    return int.from_bytes(bytes.fromhex(name), signed=True)
