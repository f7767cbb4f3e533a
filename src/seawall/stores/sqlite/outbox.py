"""Events and their deliveries on SQLite: announced once, delivered by one process at a time."""

from collections.abc import Iterable, Sequence
from functools import partial

from seawall.core.events import Channel, Delivery, Event
from seawall.stores import deliveries
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.reader import Reader
from seawall.stores.writer import Writer

_ANNOUNCE = "INSERT INTO announced (subject, at) VALUES (?, ?) ON CONFLICT DO NOTHING"
_DUE = (
    "SELECT id, event_id, kind, channel, payload, tries, at FROM outbox WHERE done_at IS NULL"
    " AND given_up_at IS NULL AND next_at <= ? AND leased_until <= ? ORDER BY next_at LIMIT ?"
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

    async def take(self, now: float, at_most: int) -> list[Delivery]:
        """Take deliveries that are due; nobody else gets them for a minute."""
        taken: list[Delivery] = await self._writer.submit(partial(_take, now, at_most))
        return taken

    async def done(self, delivery_id: str, now: float) -> None:
        """Note that a delivery has arrived."""
        await self._writer.submit(partial(_run, deliveries.DONE, (now, delivery_id)))

    async def retry(self, delivery_id: str, next_at: float, why: str) -> None:
        """Note that a delivery failed and is tried again."""
        await self._writer.submit(partial(_run, deliveries.RETRY, (next_at, why, delivery_id)))

    async def give_up(self, delivery_id: str, now: float, why: str) -> None:
        """Note that a delivery is tried no more."""
        await self._writer.submit(partial(_run, deliveries.GIVE_UP, (now, why, delivery_id)))

    async def newest(self) -> list[Delivery]:
        """Return the newest deliveries first, whatever became of them."""
        rows: list[deliveries.Row] = await self._reader.run(
            lambda c: c.execute(deliveries.NEWEST, (deliveries.LISTED_MAX,)).fetchall()
        )
        return [deliveries.delivery_of(row) for row in rows]

    async def trim(self, now: float) -> None:
        """Forget what is older than a month."""
        await self._writer.submit(partial(_trim, now))


def _announce(events: Iterable[Event], channels: Sequence[Channel], batch: LedgerBatch) -> int:
    return sum(put(event, channels, batch) for event in events)


def put(event: Event, channels: Sequence[Channel], batch: LedgerBatch) -> bool:
    """Put an event on its way inside of a transaction; false where its subject was announced before."""
    batch.cursor.execute(_ANNOUNCE, (event.subject, event.at))
    if not batch.changes():
        return False
    batch.cursor.executemany(deliveries.PUT, deliveries.rows_of(event, channels))
    return True


def forget_user(user_id: str, batch: LedgerBatch) -> None:
    """Take what names a user out, inside of a transaction: what waits, and what was announced."""
    batch.cursor.execute(_FORGET, (user_id,))
    batch.cursor.execute(_FORGET_ANNOUNCED, (user_id,))


def _take(now: float, at_most: int, batch: LedgerBatch) -> list[Delivery]:
    rows: list[deliveries.Row] = batch.cursor.execute(_DUE, (now, now, at_most)).fetchall()
    batch.cursor.executemany(_LEASE, [(now + deliveries.LEASE_S, row[0]) for row in rows])
    return [deliveries.delivery_of(row) for row in rows]


def _run(statement: str, values: tuple[object, ...], batch: LedgerBatch) -> None:
    batch.cursor.execute(statement, values)


def _trim(now: float, batch: LedgerBatch) -> None:
    batch.cursor.execute(deliveries.TRIM, (now - deliveries.KEPT_S,))
    batch.cursor.execute(deliveries.TRIM_ANNOUNCED, (now - deliveries.ANNOUNCED_KEPT_S,))
