"""Events and their deliveries on Postgres: announced once, delivered by one process at a time."""

from collections.abc import Sequence
from typing import Any

from seawall.core.events import Channel, Delivery, Event
from seawall.stores import deliveries
from seawall.stores.postgres.connection import Line, Pool
from seawall.stores.postgres.statements import rows_of, run, run_all

# In the order of their subjects, so that two gateways never wait for each other in a circle.
_ANNOUNCE = b"""
INSERT INTO announced (subject, at)
SELECT * FROM unnest(%s::text[], %s::float8[]) AS new (subject, at) ORDER BY subject
ON CONFLICT DO NOTHING RETURNING subject"""
_TAKE = b"""
UPDATE outbox SET leased_until = %(until)s
WHERE id IN (
    SELECT id FROM outbox
    WHERE done_at IS NULL AND given_up_at IS NULL AND next_at <= %(now)s AND leased_until <= %(now)s
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

    async def take(self, now: float, at_most: int) -> list[Delivery]:
        """Take deliveries that are due; nobody else gets them for a minute."""
        values = {"now": now, "until": now + deliveries.LEASE_S, "at_most": at_most}

        async def work(connection: Line) -> list[deliveries.Row]:
            return await (await connection.execute(_TAKE, values)).fetchall()

        return [deliveries.delivery_of(row[1:]) for row in sorted(await self._pool.run(work))]

    async def done(self, delivery_id: str, now: float) -> None:
        """Note that a delivery has arrived."""
        await self._run(deliveries.DONE, (now, delivery_id))

    async def retry(self, delivery_id: str, next_at: float, why: str) -> None:
        """Note that a delivery failed and is tried again."""
        await self._run(deliveries.RETRY, (next_at, why, delivery_id))

    async def give_up(self, delivery_id: str, now: float, why: str) -> None:
        """Note that a delivery is tried no more."""
        await self._run(deliveries.GIVE_UP, (now, why, delivery_id))

    async def newest(self) -> list[Delivery]:
        """Return the newest deliveries first, whatever became of them."""

        async def work(connection: Line) -> list[deliveries.Row]:
            return await rows_of(connection, deliveries.NEWEST, (deliveries.LISTED_MAX,))

        return [deliveries.delivery_of(row) for row in await self._pool.run(work)]

    async def trim(self, now: float) -> None:
        """Forget what is older than a month."""
        await self._run(deliveries.TRIM, (now - deliveries.KEPT_S,))
        await self._run(deliveries.TRIM_ANNOUNCED, (now - deliveries.ANNOUNCED_KEPT_S,))

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
