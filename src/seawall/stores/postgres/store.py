"""Everything that the Postgres database keeps, opened and closed together."""

import time
from collections.abc import Callable

from seawall.stores.accounting import OpenHold
from seawall.stores.postgres.call_log import PostgresCallLog
from seawall.stores.postgres.connection import Pool, migrate
from seawall.stores.postgres.conversations import PostgresConversations
from seawall.stores.postgres.directory import PostgresDirectory
from seawall.stores.postgres.engine import PostgresEngine
from seawall.stores.postgres.ledger import PostgresLedger
from seawall.stores.postgres.outbox import PostgresOutbox
from seawall.stores.postgres.process import ProcessNames
from seawall.stores.postgres.retention import PostgresRetention
from seawall.stores.postgres.watch import PostgresWatch
from seawall.stores.writer import Writer


class PostgresStore:
    """The ledger, call log, directory and stored responses of one database, which several gateways may share.

    `clock` counts seconds. Raises OSError where the database cannot be reached or used.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        migrate(url)
        processes = ProcessNames(clock)
        self._holds: dict[str, OpenHold] = {}
        self._writer = Writer(PostgresEngine(url, processes, self._holds))
        self._pool = pool = Pool(url)
        self.ledger = PostgresLedger(self._writer, processes)
        self.call_log = PostgresCallLog(pool, self.ledger.write, self.ledger.catch_up)
        self.directory = PostgresDirectory(pool)
        self.conversations = PostgresConversations(pool)
        self.outbox = PostgresOutbox(pool)
        self.watch = PostgresWatch(pool)
        self.retention = PostgresRetention(pool)
        self.commits = self._writer.commits
        self._writer.start()

    def check_place(self) -> None:
        """Do nothing: a database does not move."""

    def open_holds(self) -> int:
        """Return how many holds of this process are in the database."""
        return len(self._holds)

    def close(self, *, timeout_s: float = 10.0) -> bool:
        """Write what waits and close all connections; false where something is still held or unwritten.

        What is still held then is settled in full by the next process that starts.
        """
        is_done = self._writer.stop(timeout_s) and not self._holds
        self._pool.close()
        return is_done
