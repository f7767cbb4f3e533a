"""Keys and end users on Postgres, which every gateway and command may change at any time.

Invariants:
- Every change raises the number of `directory_version` before it looks at anything: changes of all processes
  follow one another, and all processes notice them.
- Whoever needs the lock of the ledger as well takes that one first, as the ledger does.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from seawall.core.contracts import KeyRecord, UserRecord
from seawall.core.events import Channel, Event
from seawall.stores import records
from seawall.stores.jobs import recovery
from seawall.stores.jobs.transaction import JobHome
from seawall.stores.postgres import users
from seawall.stores.postgres.connection import Line, Pool
from seawall.stores.postgres.conversations import PostgresConversations
from seawall.stores.postgres.idempotency import PostgresIdempotentAnswers
from seawall.stores.postgres.statements import Values, rows_of, run

_VERSION = "SELECT number FROM directory_version"
_RAISE_VERSION = "UPDATE directory_version SET number = number + 1"
# In the order of their ids, so that two gateways never wait for each other in a circle.
_TOUCH = b"""
WITH used AS (
    SELECT keys.id, new.at FROM keys JOIN unnest(%s::text[], %s::float8[]) AS new (id, at) ON new.id = keys.id
    ORDER BY keys.id FOR UPDATE OF keys
)
UPDATE keys SET last_used_at = greatest(last_used_at, used.at) FROM used WHERE keys.id = used.id"""

T = TypeVar("T")


class PostgresDirectory:
    """See `core.contracts.Directory`."""

    def __init__(self, pool: Pool, jobs: JobHome, idempotent: PostgresIdempotentAnswers) -> None:
        self._pool, self._jobs, self._idempotent = pool, jobs, idempotent
        self._conversations = PostgresConversations(pool)

    async def find_by_hash(self, key_hash: bytes) -> KeyRecord | None:
        """Return the key with this SHA-256, the previous one of a rotation included."""
        rows = await self._ask(records.KEY_BY_HASH, (key_hash, key_hash))
        return records.key_of(rows[0]) if rows else None

    async def get(self, key_id: str) -> KeyRecord | None:
        """Return one key."""
        rows = await self._ask(records.KEY_BY_ID, (key_id,))
        return records.key_of(rows[0]) if rows else None

    async def keys(self) -> list[KeyRecord]:
        """Return all keys, oldest first."""
        return [records.key_of(row) for row in await self._ask(records.ALL_KEYS)]

    async def put(self, record: KeyRecord) -> None:
        """Create a key."""

        async def work(connection: Line) -> None:
            await run(connection, records.PUT_KEY, records.row_of_key(record))

        await self._change(work)

    async def change(self, key_id: str, how: Callable[[KeyRecord], KeyRecord]) -> KeyRecord | None:
        """Replace a key by what `how` makes of it, in one transaction; what `how` raises changes nothing."""

        async def work(connection: Line) -> KeyRecord | None:
            rows = await rows_of(connection, records.KEY_BY_ID, (key_id,))
            if not rows:
                return None
            record = how(records.key_of(rows[0]))
            await run(connection, records.PUT_KEY, records.row_of_key(record))
            return record

        return await self._change(work)

    async def touch(self, last_used: dict[str, float]) -> None:
        """Note when keys were last used; that is no change that anybody has to notice."""

        async def work(connection: Line) -> None:
            await connection.execute(_TOUCH, (list(last_used), list(last_used.values())))

        await self._pool.run(work)

    async def find_user(self, user_id: str) -> UserRecord | None:
        """Return what is decided about a user; `None` where nothing is."""
        return await self._pool.run(lambda connection: users.find(connection, user_id))

    async def users(self) -> list[UserRecord]:
        """Return all users about whom anything is decided, by id."""
        return await self._pool.run(users.find_all)

    async def change_user(
        self,
        user_id: str,
        how: Callable[[UserRecord | None], UserRecord],
        event: Event | None = None,
        channels: Sequence[Channel] = (),
    ) -> UserRecord:
        """Replace a user by what `how` makes of it, and announce another tier, in one transaction."""
        return await self._change(lambda connection: users.change(connection, user_id, how, event, channels))

    async def erase_user(self, user_id: str, alias: str) -> int:
        """Take a user's name and texts out of everything; the sums stay, under `alias`.

        Jobs go first, by the writer thread, whose accounts their money lies on. Stored responses go last, in
        batches of their own: they may be large, and the ledger of every gateway waits for the rest. Raises
        Conflict while a call or a job of the user is running.
        """

        async def work(connection: Line) -> int:
            async with connection.transaction():
                await users.lock_ledger(connection, user_id)
                await run(connection, _RAISE_VERSION)
                return await users.erase(connection, user_id, alias)

        await self._jobs.submit(partial(recovery.erase, user_id))
        count = await self._pool.run(work, timeout_s=users.ERASE_S)
        await self._conversations.forget(None, user_id)
        await self._idempotent.forget(None, user_id)
        return count

    async def salt(self) -> bytes:
        """Return random bytes of this database."""
        [(value,)] = await self._ask(records.SALT)
        return bytes(value)

    async def version(self) -> int:
        """Return a number that changes when any process has changed a key, a user or a quota."""
        [(number,)] = await self._ask(_VERSION)
        return int(number)

    async def _ask(self, question: str, values: Values = ()) -> list[records.Row]:
        async def work(connection: Line) -> list[records.Row]:
            return await rows_of(connection, question, values)

        return await self._pool.run(work)

    async def _change(self, how: Callable[[Line], Awaitable[T]]) -> T:
        """Change something in a transaction of its own, after all changes by others and before the next."""

        async def work(connection: Line) -> T:
            async with connection.transaction():
                await run(connection, _RAISE_VERSION)
                return await how(connection)

        return await self._pool.run(work)
