"""Jobs on SQLite: transitions in the writer thread, questions beside it."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from seawall.core.ledger import AccountKey
from seawall.stores.accounting import Changes
from seawall.stores.carriers import ToCarry
from seawall.stores.jobs.lanes import Lanes, Row
from seawall.stores.jobs.transaction import Transaction
from seawall.stores.sqlite import carrier
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.process import ProcessLock
from seawall.stores.sqlite.reader import Reader
from seawall.stores.writer import Writer

_WORKERS = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > ?"


class SqliteJobHome:
    """See `stores.jobs.transaction.JobHome`."""

    def __init__(self, writer: Writer, reader: Reader, lock: ProcessLock) -> None:
        self._writer, self._reader, self._lock = writer, reader, lock

    def submit(
        self, transition: Callable[[Transaction], Any], accounts: tuple[AccountKey, ...] = ()
    ) -> "asyncio.Future[Any]":
        """Hand a transition to the writer thread; accounts are remembered there."""
        return self._writer.submit(lambda batch: transition(SqliteTransaction(batch, self._lock)))

    async def ask(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Ask the file something, beside the writer."""
        return await self._reader.run(lambda c: c.execute(statement, tuple(values)).fetchall())

    async def workers(self, stall_s: float) -> int:
        """Count the processes that do jobs and were heard of in that time."""
        [(count,)] = await self.ask(_WORKERS, (time.time() - stall_s,))
        return int(count)


class SqliteTransaction:
    """See `stores.jobs.transaction.Transaction`; only with the lock it knows who is dead."""

    __slots__ = ("_batch", "_lock")

    def __init__(self, batch: LedgerBatch, lock: ProcessLock | None = None) -> None:
        self._batch, self._lock = batch, lock

    @property
    def process(self) -> str:
        """Return the name of this process."""
        return self._batch.process

    @property
    def ledger(self) -> Changes:
        """Return what the transaction changes of the ledger."""
        return self._batch.ledger

    @property
    def lanes(self) -> Lanes:
        """Return how the lanes stand."""
        return self._batch.lanes

    def ask(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Run a statement and return its rows."""
        return self._batch.cursor.execute(statement, tuple(values)).fetchall()

    def write(self, statement: str, values: Sequence[object] = ()) -> None:
        """Run a statement."""
        self._batch.cursor.execute(statement, tuple(values))

    def read(self, accounts: Iterable[AccountKey]) -> None:
        """Do nothing: each account is read where it is asked for, mostly from memory."""

    def put_carriers(self, jobs: Sequence[ToCarry]) -> list[int]:
        """Hand jobs to the engine."""
        return carrier.put(self._batch, jobs)

    def drop_carriers(self, carriers: Sequence[int]) -> None:
        """Take jobs back from the engine."""
        carrier.drop(self._batch, carriers)

    def dead(self, processes: Sequence[str]) -> set[str]:
        """Return which of these processes are certainly dead."""
        assert self._lock is not None
        return {name for name in processes if self._lock.is_dead(name)}
