"""Events and their deliveries on Postgres: announced once, delivered by one process at a time."""

from collections.abc import Sequence
from typing import Any

from seawall.core.events import APP_KEPT_S, OPERATORS, Channel, Delivery, Event
from seawall.stores import deliveries, receivers
from seawall.stores.postgres.connection import Line, Pool
from seawall.stores.postgres.statements import rows_of, run, run_all

# In the order of their subjects, so that two gateways never wait for each other in a circle.
_ANNOUNCE = b"""
INSERT INTO announced (subject, at)
SELECT * FROM unnest(%s::text[], %s::float8[]) AS new (subject, at) ORDER BY subject
ON CONFLICT DO NOTHING RETURNING subject"""
# Something may have been put on its way while another gateway disabled the webhook: that is not due.
_TAKE = b"""
UPDATE outbox SET leased_until = %(until)s
WHERE id IN (
    SELECT id FROM outbox
    WHERE done_at IS NULL AND given_up_at IS NULL AND channel = %(channel)s AND next_at <= %(now)s
        AND leased_until <= %(now)s AND (at <= %(old)s OR NOT EXISTS (
            SELECT 1 FROM receivers WHERE channel = %(channel)s AND disabled_at IS NOT NULL))
    ORDER BY next_at LIMIT %(at_most)s FOR UPDATE SKIP LOCKED
)
RETURNING next_at, id, event_id, kind, channel, payload, tries, at"""
# What waits and names a user. The payload of a digest is a text.
_FORGET = b"""
DELETE FROM outbox WHERE payload <> '' AND CASE
    WHEN kind = 'digest.daily' THEN strpos(payload, %(user)s) > 0
    ELSE %(user)s IN (payload::json #>> '{data,user}', payload::json #>> '{data,end_user}')
         OR payload::json #>> '{data,scope}' = 'user:' || %(user)s
END"""
_FORGET_ANNOUNCED = b"DELETE FROM announced WHERE strpos(subject, ' user:' || %s || ' ') > 0"


class PostgresOutbox:
    """See `core.contracts.Outbox`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def announce(self, events: Sequence[Event], channels: Sequence[Channel]) -> int:
        """Put events on their way whose subjects were never announced; returns how many."""

        async def work(connection: Line) -> int:
            async with connection.transaction():
                return await put(connection, events, channels)

        return await self._pool.run(work)

    async def take(self, now: float, at_most: int, channels: Sequence[Channel] = OPERATORS) -> list[Delivery]:
        """Take so many deliveries of each channel that are due; nobody else gets them for a minute."""
        until = now + deliveries.LEASE_S
        values = {"now": now, "until": until, "old": now - APP_KEPT_S, "at_most": at_most}

        async def work(connection: Line) -> list[deliveries.Row]:
            rows: list[deliveries.Row] = []
            for channel in channels:
                taken = await connection.execute(_TAKE, values | {"channel": channel})
                rows += sorted(await taken.fetchall())
            return rows

        return [deliveries.delivery_of(row[1:]) for row in await self._pool.run(work)]

    async def done(self, delivery_id: str, now: float) -> None:
        """Note that a delivery has arrived."""

        async def work(connection: Line) -> None:
            async with connection.transaction():
                await run(connection, deliveries.DONE, (now, delivery_id))
                await run(connection, receivers.WORKED, (delivery_id,))

        await self._pool.run(work)

    async def retry(self, delivery_id: str, next_at: float, why: str) -> None:
        """Note that a delivery failed and is tried again."""
        await self._run(deliveries.RETRY, (why, next_at, delivery_id))

    async def give_up(self, delivery_id: str, now: float, why: str) -> None:
        """Note that a delivery is tried no more."""
        await self._run(deliveries.GIVE_UP, (now, why, delivery_id))

    async def note(self, delivery: Delivery, now: float, why: str | None = None) -> None:
        """Write down a delivery that was made by hand; with a `why` it failed, and is tried no more."""
        await self._run(deliveries.NOTE, deliveries.note_of(delivery, now, why))

    async def newest(self, channels: Sequence[Channel] = OPERATORS) -> list[Delivery]:
        """Return the newest deliveries of some channels first, whatever became of them."""

        async def work(connection: Line) -> list[deliveries.Row]:
            return await rows_of(connection, *deliveries.newest_of(channels))

        return [deliveries.delivery_of(row) for row in await self._pool.run(work)]

    async def trim(self, now: float) -> bool:
        """Forget a batch of what is old; says whether there may be more."""

        async def work(connection: Line) -> int:
            return max([(await run(connection, *each)).rowcount for each in deliveries.trimming(now)])

        return await self._pool.run(work) == deliveries.TRIM_MAX

    async def _run(self, statement: str, values: tuple[Any, ...]) -> None:
        async def work(connection: Line) -> None:
            await run(connection, statement, values)

        await self._pool.run(work)


async def put(connection: Line, events: Sequence[Event], channels: Sequence[Channel]) -> int:
    """Put events on their way inside of a transaction; returns how many were not announced before."""
    by_subject = {event.subject: event for event in reversed(events)}  # The first of several counts.
    moments = [event.at for event in by_subject.values()]
    found = await connection.execute(_ANNOUNCE, (list(by_subject), moments))
    new = [by_subject[subject] for (subject,) in await found.fetchall()]
    rows = [row for event in new for row in deliveries.rows_of(event, channels)]
    if rows:
        await run_all(connection, deliveries.PUT, rows)
    return len(new)


async def forget_user(connection: Line, user_id: str) -> None:
    """Take what names a user out, inside of a transaction: what waits, and what was announced."""
    await connection.execute(_FORGET, {"user": user_id})
    await connection.execute(_FORGET_ANNOUNCED, (user_id,))
