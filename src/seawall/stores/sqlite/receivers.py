"""How the webhooks of apps do, on SQLite."""

from collections.abc import Sequence
from functools import partial

from seawall.core.events import Channel, Event
from seawall.core.receivers import ReceiverFailure, ReceiverState
from seawall.stores import receivers
from seawall.stores.sqlite import outbox
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.reader import Reader
from seawall.stores.writer import Writer


class SqliteReceivers:
    """See `core.receivers.Receivers`."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer, self._reader = writer, reader

    async def failed(self, failure: ReceiverFailure, event: Event, channels: Sequence[Channel]) -> bool:
        """Note a failure; says whether that disabled it, and then the event was announced with it."""
        is_disabled: bool = await self._writer.submit(partial(_failed, failure, event, channels))
        return is_disabled

    async def failing(self) -> list[ReceiverState]:
        """Return those that fail or are disabled."""
        rows: list[receivers.Row] = await self._reader.run(
            lambda connection: connection.execute(receivers.FAILING).fetchall()
        )
        return [receivers.state_of(row) for row in rows]

    async def enable(self, channel: Channel, now: float) -> bool:
        """Use one again: what waits for it is due now; false where it was not disabled."""
        was_disabled: bool = await self._writer.submit(partial(_enable, channel, now))
        return was_disabled


def _failed(failure: ReceiverFailure, event: Event, channels: Sequence[Channel], batch: LedgerBatch) -> bool:
    execute = batch.cursor.execute
    execute(receivers.FAIL, receivers.row_of(failure))
    if not execute(receivers.DISABLE, receivers.limits_of(failure)).fetchall():
        return False
    execute(receivers.PARK, (failure.channel,))
    outbox.put(event, channels, batch)
    return True


def _enable(channel: Channel, now: float, batch: LedgerBatch) -> bool:
    if not batch.cursor.execute(receivers.ENABLE, (channel,)).fetchall():
        return False
    batch.cursor.execute(receivers.DUE_NOW, (now, channel))
    return True
