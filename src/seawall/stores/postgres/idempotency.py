"""Claims and answers by idempotency key on Postgres; see `core.idempotency.IdempotentAnswers`.

They are made beside the ledger, whose lock they do not need. Only what must not be lost goes with its writer.
"""

import asyncio
from functools import partial

from seawall.core.idempotency import Claim, ClaimAnswer, Claimed
from seawall.stores import idempotency
from seawall.stores.idempotency import Row
from seawall.stores.postgres.batch import PostgresBatch
from seawall.stores.postgres.connection import Line, Pool
from seawall.stores.postgres.statements import form, rows_of, run
from seawall.stores.writer import Writer

KEEP_S = 30.0
"""How long it may take to write a long answer."""


class PostgresIdempotentAnswers:
    """Of several gateways one gets a key, by one statement. `process` is whose claims these are."""

    def __init__(self, pool: Pool, writer: Writer, process: str) -> None:
        self._pool, self._writer, self._process = pool, writer, process

    async def claim(self, claim: Claim) -> ClaimAnswer:
        """Claim a key, or say what stands under it."""
        values = idempotency.values_to_claim(claim, self._process)

        async def work(connection: Line) -> Row | None:
            while not await rows_of(connection, idempotency.CLAIM, values):
                found = await rows_of(connection, idempotency.FIND, values[:1])
                if found:  # Or it was freed between the two.
                    row: Row = found[0]
                    return row
            return None

        try:
            row = await self._pool.run(work)
        except asyncio.CancelledError:
            self.release(claim)
            raise
        return Claimed() if row is None else await idempotency.answer_from(row, claim)

    async def keep(self, claim: Claim, body: bytes, expires_at: float) -> None:
        """Keep the answer of a claim that still stands."""
        packed = await idempotency.pack(body)
        await self._run(
            idempotency.KEEP,
            (packed, expires_at, idempotency.name_of(claim), claim.call_id),
            timeout_s=KEEP_S,
        )

    def release(self, claim: Claim) -> "asyncio.Future[None]":
        """Free the key of a claim that has no answer."""
        values = (idempotency.name_of(claim), claim.call_id)
        return self._writer.submit(partial(_release, values), must=True)

    async def forget(self, key_id: str | None, end_user: str | None) -> int:
        """Forget everything of a key, of an end user, or of both together, in small batches."""
        statement, values = idempotency.what_belongs_to(key_id, end_user)
        total = 0
        while count := await self._run(statement, values):
            total += count
        return total

    async def trim(self, now: float, *, at_most: int) -> int:
        """Delete a batch of what has expired."""
        return await self._run(idempotency.EXPIRED, (now, at_most))

    async def _run(
        self, statement: str, values: tuple[object, ...], *, timeout_s: float | None = None
    ) -> int:
        async def work(connection: Line) -> int:
            return (await run(connection, statement, values)).rowcount

        return await self._pool.run(work, timeout_s=timeout_s)


def _release(values: tuple[object, ...], batch: PostgresBatch) -> None:
    batch.connection.execute(form(idempotency.RELEASE), values)
