"""Everything that the Postgres database keeps, opened and closed together."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from seawall.stores.accounting import OpenHold
from seawall.stores.jobs.jobs import StoredJobs
from seawall.stores.postgres.call_log import PostgresCallLog
from seawall.stores.postgres.connection import Pool, migrate
from seawall.stores.postgres.conversations import PostgresConversations
from seawall.stores.postgres.directory import PostgresDirectory
from seawall.stores.postgres.engine import PostgresEngine
from seawall.stores.postgres.feedback import PostgresFeedback
from seawall.stores.postgres.idempotency import PostgresIdempotentAnswers
from seawall.stores.postgres.jobs import PostgresJobHome
from seawall.stores.postgres.ledger import PostgresLedger
from seawall.stores.postgres.outbox import PostgresOutbox
from seawall.stores.postgres.process import ProcessNames
from seawall.stores.postgres.receivers import PostgresReceivers
from seawall.stores.postgres.retention import PostgresRetention
from seawall.stores.postgres.traffic import PostgresTraffic
from seawall.stores.postgres.watch import PostgresWatch
from seawall.stores.writer import Writer

if TYPE_CHECKING:
    from seawall.stores.postgres.engine_connector import PostgresEngineConnector


class PostgresStore:
    """The ledger, call log, directory, stored responses and jobs of one database, for several gateways.

    `clock` counts seconds. Raises OSError where the database cannot be reached or used.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        migrate(url)
        self._url = url
        processes = ProcessNames(clock)
        self._holds: dict[str, OpenHold] = {}
        self._writer = Writer(PostgresEngine(url, processes, self._holds))
        self._pool = pool = Pool(url)
        self.ledger = PostgresLedger(self._writer, processes)
        self.call_log = PostgresCallLog(pool, self.ledger.write, self.ledger.catch_up)
        jobs = PostgresJobHome(self._writer, pool, processes)
        self.jobs = StoredJobs(jobs)
        self.idempotent = PostgresIdempotentAnswers(pool, self._writer, processes.name)
        self.directory = PostgresDirectory(pool, jobs, self.idempotent)
        self.conversations = PostgresConversations(pool)
        self.outbox = PostgresOutbox(pool)
        self.receivers = PostgresReceivers(pool)
        self.watch = PostgresWatch(pool)
        self.traffic = PostgresTraffic(pool, self.ledger.catch_up)
        self.feedback = PostgresFeedback(pool)
        self.retention = PostgresRetention(pool)
        self.commits = self._writer.commits
        self._writer.start()

    def check_place(self) -> None:
        """Do nothing: a database does not move."""

    def engine_connector(self) -> "PostgresEngineConnector":
        """Return what the engine reaches this database by."""
        from seawall.stores.postgres.engine_connector import (  # noqa: PLC0415 - for workers
            PostgresEngineConnector,
        )

        return PostgresEngineConnector(self._url)

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
