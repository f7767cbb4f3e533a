"""Claims and answers by idempotency key on SQLite; see `core.idempotency.IdempotentAnswers`."""

import asyncio
from functools import partial

from seawall.core.idempotency import Claim, ClaimAnswer, Claimed
from seawall.stores import idempotency
from seawall.stores.idempotency import Row
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.process import ProcessLock
from seawall.stores.writer import Writer

# The other processes that are making a call, and the keys of one of them.
_CLAIMANTS = "SELECT DISTINCT process FROM idempotent_answers WHERE answer IS NULL AND process <> ?"
_FREE = "DELETE FROM idempotent_answers WHERE answer IS NULL AND process = ?"
_FORGET_USER = "DELETE FROM idempotent_answers WHERE end_user = ?"


class SqliteIdempotentAnswers:
    """Everything goes through the writer thread: a claim is on disk before its call is made."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def claim(self, claim: Claim) -> ClaimAnswer:
        """Claim a key, or say what stands under it."""
        try:
            row: Row | None = await self._writer.submit(partial(_claim, claim))
        except asyncio.CancelledError:
            self.release(claim)
            raise
        return Claimed() if row is None else await idempotency.answer_from(row, claim)

    async def keep(self, claim: Claim, body: bytes, expires_at: float) -> None:
        """Keep the answer of a claim that still stands."""
        packed = await idempotency.pack(body)
        values = (packed, expires_at, idempotency.name_of(claim), claim.call_id)
        await self._writer.submit(partial(_run, idempotency.KEEP, values))

    def release(self, claim: Claim) -> "asyncio.Future[None]":
        """Free the key of a claim that has no answer."""
        values = (idempotency.name_of(claim), claim.call_id)
        return self._writer.submit(partial(_run, idempotency.RELEASE, values), must=True)

    async def forget(self, key_id: str | None, end_user: str | None) -> int:
        """Forget everything of a key, of an end user, or of both together, in small batches."""
        statement, values = idempotency.what_belongs_to(key_id, end_user)
        total = 0
        while count := await self._writer.submit(partial(_run, statement, values)):
            total += count
        return total

    async def trim(self, now: float, *, at_most: int) -> int:
        """Delete a batch of what has expired."""
        count: int = await self._writer.submit(partial(_run, idempotency.EXPIRED, (now, at_most)))
        return count


def free_dead(lock: ProcessLock, batch: LedgerBatch) -> None:
    """Free the keys of processes that are dead."""
    for (process,) in batch.cursor.execute(_CLAIMANTS, (batch.process,)).fetchall():
        if lock.is_dead(str(process)):
            batch.cursor.execute(_FREE, (process,))


def forget_user(user_id: str, batch: LedgerBatch) -> None:
    """Forget an end user."""
    batch.cursor.execute(_FORGET_USER, (idempotency.hash_of_user(user_id),))


def _claim(claim: Claim, batch: LedgerBatch) -> Row | None:
    """Claim a key; returns what stands under it where it is somebody's."""
    values = idempotency.values_to_claim(claim, batch.process)
    if batch.cursor.execute(idempotency.CLAIM, values).fetchall():
        return None
    rows: list[Row] = batch.cursor.execute(idempotency.FIND, values[:1]).fetchall()
    return rows[0]


def _run(statement: str, values: tuple[object, ...], batch: LedgerBatch) -> int:
    batch.cursor.execute(statement, values)
    return batch.changes()
