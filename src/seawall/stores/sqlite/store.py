"""Everything that the SQLite file keeps, opened and closed together."""

from pathlib import Path
from typing import TYPE_CHECKING

from seawall.stores.jobs.jobs import StoredJobs
from seawall.stores.sqlite.batch import Memory
from seawall.stores.sqlite.call_log import SqliteCallLog
from seawall.stores.sqlite.conversations import SqliteConversations
from seawall.stores.sqlite.directory import SqliteDirectory
from seawall.stores.sqlite.engine import SqliteEngine
from seawall.stores.sqlite.feedback import SqliteFeedback
from seawall.stores.sqlite.gate import passing
from seawall.stores.sqlite.idempotency import SqliteIdempotentAnswers
from seawall.stores.sqlite.jobs import SqliteJobHome
from seawall.stores.sqlite.ledger import SqliteLedger
from seawall.stores.sqlite.outbox import SqliteOutbox
from seawall.stores.sqlite.process import ProcessLock
from seawall.stores.sqlite.reader import Reader
from seawall.stores.sqlite.receivers import SqliteReceivers
from seawall.stores.sqlite.retention import SqliteRetention
from seawall.stores.sqlite.traffic import SqliteTraffic
from seawall.stores.sqlite.upgrading import bring_up_to_date
from seawall.stores.sqlite.watch import SqliteWatch
from seawall.stores.writer import Writer

if TYPE_CHECKING:
    from seawall.stores.sqlite.engine_connector import SqliteEngineConnector

GATHER_S = 0.002


class SqliteStore:
    """The ledger, call log, directory, stored responses and jobs of one data folder.

    Raises OSError where the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "seawall.db"
        with passing(folder):
            bring_up_to_date(path)
            self._lock = ProcessLock(folder / "processes")
        self._memory = memory = Memory()
        self._path = path
        self._place = (path.stat().st_dev, path.stat().st_ino)
        self._writer = Writer(SqliteEngine(path, self._lock.name, memory), gather_s=GATHER_S)
        self._reader = Reader(path)
        self._state_reader = Reader(path)  # A long history does not keep keys from being looked up.
        self._long_reader = Reader(path)  # Nor does a question about a month.
        self.ledger = SqliteLedger(self._writer, self._lock)
        self.call_log = SqliteCallLog(self._writer, self._reader)
        self.directory = SqliteDirectory(self._writer, self._reader)
        self.conversations = SqliteConversations(self._writer, self._state_reader)
        self.jobs = StoredJobs(SqliteJobHome(self._writer, self._reader, self._lock))
        self.idempotent = SqliteIdempotentAnswers(self._writer)
        self.outbox = SqliteOutbox(self._writer, self._reader)
        self.receivers = SqliteReceivers(self._writer, self._reader)
        self.watch = SqliteWatch(self._reader)
        self.traffic = SqliteTraffic(self._writer, self._long_reader)
        self.feedback = SqliteFeedback(self._writer, self._reader)
        self.retention = SqliteRetention(self._writer, self._state_reader)
        self.commits = self._writer.commits
        self._writer.start()

    def check_place(self) -> None:
        """Take nothing more where the file was removed or replaced: a new one would have spent nothing.

        Where only this process's lock was removed it is put back. Raises StoreDown, and OSError where that
        fails.
        """
        try:
            place = self._path.stat()
        except FileNotFoundError:
            place = None
        if place is None or (place.st_dev, place.st_ino) != self._place:
            self._writer.close_door("the data folder was removed or replaced while the gateway ran")
        self._lock.keep()

    def engine_connector(self) -> "SqliteEngineConnector":
        """Return what the engine reaches this file by."""
        from seawall.stores.sqlite.engine_connector import SqliteEngineConnector  # noqa: PLC0415 - for workers

        return SqliteEngineConnector(self._writer, self._state_reader, self._memory.bell)

    def open_holds(self) -> int:
        """Return how many holds of this process are on disk."""
        return len(self._memory.open_holds)

    def close(self, *, timeout_s: float = 10.0) -> bool:
        """Write what waits and close the file; false where something is still held or unwritten.

        What is still held then is settled in full by the next process that starts.
        """
        is_done = self._writer.stop(timeout_s) and not self._memory.open_holds
        self._reader.close()
        self._state_reader.close()
        self._long_reader.close()
        if is_done:
            self._lock.release()
        return is_done
