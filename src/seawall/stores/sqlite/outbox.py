"""Events and their deliveries on SQLite: announced once, delivered by one process at a time."""

from collections.abc import Iterable, Sequence
from functools import partial

from seawall.core.events import APP_KEPT_S, OPERATORS, Channel, Delivery, Event
from seawall.stores import deliveries, receivers
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.reader import Reader
from seawall.stores.writer import Writer

_DUE = (
    "SELECT id, event_id, kind, channel, payload, tries, at FROM outbox WHERE done_at IS NULL"
    " AND given_up_at IS NULL AND channel = ?1 AND next_at <= ?2 AND leased_until <= ?2"
    " AND (at <= ?3 OR NOT EXISTS (SELECT 1 FROM receivers WHERE channel = ?1 AND disabled_at IS NOT NULL))"
    " ORDER BY next_at LIMIT ?4"
)
_LEASE = "UPDATE outbox SET leased_until = ? WHERE id = ?"
_FORGET = (
    "DELETE FROM outbox WHERE payload <> '' AND CASE WHEN kind = 'digest.daily' THEN instr(payload, ?1)"
    " ELSE ?1 IN (json_extract(payload, '$.data.user'), json_extract(payload, '$.data.end_user'))"
    " OR json_extract(payload, '$.data.scope') = 'user:' || ?1 END"
)
_FORGET_ANNOUNCED = "DELETE FROM announced WHERE instr(subject, ' user:' || ? || ' ')"


class SqliteOutbox:
    """See `core.contracts.Outbox`."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer, self._reader = writer, reader

    async def announce(self, events: Sequence[Event], channels: Sequence[Channel]) -> int:
        """Put events on their way whose subjects were never announced; returns how many."""
        count: int = await self._writer.submit(partial(_announce, events, channels))
        return count

    async def take(self, now: float, at_most: int, channels: Sequence[Channel] = OPERATORS) -> list[Delivery]:
        """Take so many deliveries of each channel that are due; nobody else gets them for a minute."""
        taken: list[Delivery] = await self._writer.submit(partial(_take, now, at_most, channels))
        return taken

    async def done(self, delivery_id: str, now: float) -> None:
        """Note that a delivery has arrived."""
        await self._writer.submit(partial(_done, delivery_id, now))

    async def retry(self, delivery_id: str, next_at: float, why: str) -> None:
        """Note that a delivery failed and is tried again."""
        await self._writer.submit(partial(_run, deliveries.RETRY, (why, next_at, delivery_id)))

    async def give_up(self, delivery_id: str, now: float, why: str) -> None:
        """Note that a delivery is tried no more."""
        await self._writer.submit(partial(_run, deliveries.GIVE_UP, (now, why, delivery_id)))

    async def note(self, delivery: Delivery, now: float, why: str | None = None) -> None:
        """Write down a delivery that was made by hand; with a `why` it failed, and is tried no more."""
        await self._writer.submit(partial(_run, deliveries.NOTE, deliveries.note_of(delivery, now, why)))

    async def newest(self, channels: Sequence[Channel] = OPERATORS) -> list[Delivery]:
        """Return the newest deliveries of some channels first, whatever became of them."""
        rows: list[deliveries.Row] = await self._reader.run(
            lambda c: c.execute(*deliveries.newest_of(channels)).fetchall()
        )
        return [deliveries.delivery_of(row) for row in rows]

    async def trim(self, now: float) -> bool:
        """Forget a batch of what is old; says whether there may be more."""
        is_more: bool = await self._writer.submit(partial(_trim, now))
        return is_more


def _announce(events: Iterable[Event], channels: Sequence[Channel], batch: LedgerBatch) -> int:
    return sum(put(event, channels, batch) for event in events)


def put(event: Event, channels: Sequence[Channel], batch: LedgerBatch) -> bool:
    """Put an event on its way inside of a transaction; false where its subject was announced before."""
    if not batch.cursor.execute(deliveries.ANNOUNCE, (event.subject, event.at)).fetchall():
        return False
    batch.cursor.executemany(deliveries.PUT, deliveries.rows_of(event, channels))
    return True


def forget_user(user_id: str, batch: LedgerBatch) -> None:
    """Take what names a user out, inside of a transaction: what waits, and what was announced."""
    batch.cursor.execute(_FORGET, (user_id,))
    batch.cursor.execute(_FORGET_ANNOUNCED, (user_id,))


def _take(now: float, at_most: int, channels: Sequence[Channel], batch: LedgerBatch) -> list[Delivery]:
    rows: list[deliveries.Row] = []
    for channel in channels:
        rows += batch.cursor.execute(_DUE, (channel, now, now - APP_KEPT_S, at_most)).fetchall()
    batch.cursor.executemany(_LEASE, [(now + deliveries.LEASE_S, row[0]) for row in rows])
    return [deliveries.delivery_of(row) for row in rows]


def _run(statement: str, values: tuple[object, ...], batch: LedgerBatch) -> None:
    batch.cursor.execute(statement, values)


def _done(delivery_id: str, now: float, batch: LedgerBatch) -> None:
    batch.cursor.execute(deliveries.DONE, (now, delivery_id))
    batch.cursor.execute(receivers.WORKED, (delivery_id,))


def _trim(now: float, batch: LedgerBatch) -> bool:
    counts = []
    for statement, values in deliveries.trimming(now):
        batch.cursor.execute(statement, values)
        counts.append(batch.changes())
    return max(counts) == deliveries.TRIM_MAX
