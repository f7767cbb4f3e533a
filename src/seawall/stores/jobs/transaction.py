"""What a home has to be able to do for jobs: inside of a transaction, and beside one."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from seawall.core.ledger import AccountKey
from seawall.stores.accounting import Changes
from seawall.stores.carriers import ToCarry
from seawall.stores.jobs.lanes import Lanes, Row

JOBS = "jobs"
"""The name under which the money of jobs that wait is held: no process has it, so none can die with it."""


class Transaction(Protocol):
    """One transaction of the writer thread; transactions of all processes follow one another.

    `process` is the name of this process, which goes into every run that it begins.
    """

    @property
    def process(self) -> str:
        """Return the name of this process."""

    @property
    def ledger(self) -> Changes:
        """Return what the transaction changes of the ledger."""

    @property
    def lanes(self) -> Lanes:
        """Return how the lanes stand."""

    def ask(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Run a statement and return its rows; it sees everything that was written before."""

    def write(self, statement: str, values: Sequence[object] = ()) -> None:
        """Run a statement whose rows nobody needs, now or together with the next one that is asked."""

    def read(self, accounts: Iterable[AccountKey]) -> None:
        """Read accounts together that are about to be asked for."""

    def put_carriers(self, jobs: Sequence[ToCarry]) -> list[int]:
        """Hand jobs to the engine; returns the numbers under which they are there, in the same order."""

    def drop_carriers(self, carriers: Sequence[int]) -> None:
        """Take jobs back from the engine, where they are still there."""

    def dead(self, processes: Sequence[str]) -> set[str]:
        """Return which of these processes are certainly dead."""


class JobHome(Protocol):
    """Runs transitions of jobs one after the other, and answers questions beside them."""

    def submit(
        self, transition: Callable[[Transaction], Any], accounts: tuple[AccountKey, ...] = ()
    ) -> "asyncio.Future[Any]":
        """Hand a transition to the writer thread; `accounts` are those that it will certainly look at."""

    async def ask(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Ask the database something, beside the writer."""

    async def workers(self, stall_s: float) -> int:
        """Count the processes that do jobs and were heard of in that time."""
