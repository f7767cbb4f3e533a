"""Jobs on Postgres: transitions in the writer thread, questions beside it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from seawall.core.ledger import AccountKey
from seawall.stores.accounting import Changes
from seawall.stores.carriers import ToCarry
from seawall.stores.jobs.lanes import Lanes, Row
from seawall.stores.jobs.transaction import Transaction
from seawall.stores.postgres import carrier
from seawall.stores.postgres.batch import BatchOperation, PostgresBatch
from seawall.stores.postgres.connection import Line, Pool
from seawall.stores.postgres.process import ProcessNames
from seawall.stores.postgres.statements import rows_of
from seawall.stores.writer import Writer

_WORKERS = (
    "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => ?)"
)


class PostgresJobHome:
    """See `stores.jobs.transaction.JobHome`."""

    def __init__(self, writer: Writer, pool: Pool, processes: ProcessNames) -> None:
        self._writer, self._pool, self._processes = writer, pool, processes

    def submit(
        self, transition: Callable[[Transaction], Any], accounts: tuple[AccountKey, ...] = ()
    ) -> "asyncio.Future[Any]":
        """Hand a transition to the writer thread."""
        return self._writer.submit(
            BatchOperation(lambda batch: transition(PostgresTransaction(batch, self._processes)), accounts)
        )

    async def ask(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Ask the database something, beside the writer."""

        async def work(connection: Line) -> list[Row]:
            return await rows_of(connection, statement, values)

        return await self._pool.run(work)

    async def workers(self, stall_s: float) -> int:
        """Count the processes that do jobs and were heard of in that time."""
        [(count,)] = await self.ask(_WORKERS, (stall_s,))
        return int(count)


class PostgresTransaction:
    """See `stores.jobs.transaction.Transaction`."""

    __slots__ = ("_batch", "_processes")

    def __init__(self, batch: PostgresBatch, processes: ProcessNames) -> None:
        self._batch, self._processes = batch, processes

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
        """Run a statement, after those that wait, in one round trip."""
        return self._batch.statements.ask(statement, values)

    def write(self, statement: str, values: Sequence[object] = ()) -> None:
        """Let a statement wait for the next round trip."""
        self._batch.statements.write(statement, values)

    def read(self, accounts: Iterable[AccountKey]) -> None:
        """Read accounts in one round trip, but for those that were read already."""
        self._batch.read(accounts)

    def put_carriers(self, jobs: Sequence[ToCarry]) -> list[int]:
        """Hand jobs to the engine."""
        return carrier.put(self._batch, jobs)

    def drop_carriers(self, carriers: Sequence[int]) -> None:
        """Take jobs back from the engine."""
        if carriers:
            carrier.drop(self._batch, carriers)

    def dead(self, processes: Sequence[str]) -> set[str]:
        """Return which of these processes are certainly dead."""
        return set(self._processes.dead(self._batch.connection)).intersection(processes)
