"""How the webhooks of apps do, on Postgres."""

from collections.abc import Sequence

from seawall.core.events import Channel, Event
from seawall.core.receivers import ReceiverFailure, ReceiverState
from seawall.stores import receivers
from seawall.stores.postgres import outbox
from seawall.stores.postgres.connection import Line, Pool
from seawall.stores.postgres.statements import rows_of, run


class PostgresReceivers:
    """See `core.receivers.Receivers`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def failed(self, failure: ReceiverFailure, event: Event, channels: Sequence[Channel]) -> bool:
        """Note a failure; says whether that disabled it, and then the event was announced with it."""

        async def work(connection: Line) -> bool:
            async with connection.transaction():
                await run(connection, receivers.FAIL, receivers.row_of(failure))
                if not await rows_of(connection, receivers.DISABLE, receivers.limits_of(failure)):
                    return False
                await run(connection, receivers.PARK, (failure.channel,))
                await outbox.put(connection, [event], channels)
                return True

        return await self._pool.run(work)

    async def failing(self) -> list[ReceiverState]:
        """Return those that fail or are disabled."""

        async def work(connection: Line) -> list[receivers.Row]:
            return await rows_of(connection, receivers.FAILING)

        return [receivers.state_of(row) for row in await self._pool.run(work)]

    async def enable(self, channel: Channel, now: float) -> bool:
        """Use one again: what waits for it is due now; false where it was not disabled."""

        async def work(connection: Line) -> bool:
            async with connection.transaction():
                if not await rows_of(connection, receivers.ENABLE, (channel,)):
                    return False
                await run(connection, receivers.DUE_NOW, (now, channel))
                return True

        return await self._pool.run(work)
