"""Keys and end users on SQLite; other processes may change them at any time."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from seawall.core.contracts import KeyRecord, UserRecord
from seawall.core.events import Channel, Event
from seawall.stores import records
from seawall.stores.sqlite import users
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.reader import Reader
from seawall.stores.writer import Writer

_TOUCH = "UPDATE keys SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?"


class SqliteDirectory:
    """See `core.contracts.Directory`."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def find_by_hash(self, key_hash: bytes) -> KeyRecord | None:
        """Return the key with this SHA-256, the previous one of a rotation included."""
        rows = await self._reader.run(
            lambda c: c.execute(records.KEY_BY_HASH, (key_hash, key_hash)).fetchall()
        )
        return records.key_of(rows[0]) if rows else None

    async def get(self, key_id: str) -> KeyRecord | None:
        """Return one key."""
        rows = await self._reader.run(lambda c: c.execute(records.KEY_BY_ID, (key_id,)).fetchall())
        return records.key_of(rows[0]) if rows else None

    async def keys(self) -> list[KeyRecord]:
        """Return all keys, oldest first."""
        return [
            records.key_of(row)
            for row in await self._reader.run(lambda c: c.execute(records.ALL_KEYS).fetchall())
        ]

    async def put(self, record: KeyRecord) -> None:
        """Create a key."""
        await self._writer.submit(partial(_put, record))

    async def change(self, key_id: str, how: Callable[[KeyRecord], KeyRecord]) -> KeyRecord | None:
        """Replace a key by what `how` makes of it, in one transaction; what `how` raises changes nothing."""
        changed: KeyRecord | None = await self._writer.submit(partial(_change, key_id, how))
        return changed

    def touch(self, last_used: dict[str, float]) -> "asyncio.Future[None]":
        """Note when keys were last used."""
        return self._writer.submit(partial(_touch, last_used))

    async def find_user(self, user_id: str) -> UserRecord | None:
        """Return what is decided about a user; `None` where nothing is."""
        return await self._reader.run(partial(users.find, user_id))

    async def users(self) -> list[UserRecord]:
        """Return all users about whom anything is decided, by id."""
        return await self._reader.run(users.find_all)

    async def change_user(
        self,
        user_id: str,
        how: Callable[[UserRecord | None], UserRecord],
        event: Event | None = None,
        channels: Sequence[Channel] = (),
    ) -> UserRecord:
        """Replace a user by what `how` makes of it, and announce another tier, in one transaction."""
        changed: UserRecord = await self._writer.submit(partial(users.change, user_id, how, event, channels))
        return changed

    async def erase_user(self, user_id: str, alias: str) -> int:
        """Take a user's name and texts out of everything; the sums stay, under `alias`."""
        count: int = await self._writer.submit(partial(users.erase, user_id, alias))
        return count

    async def salt(self) -> bytes:
        """Return random bytes of this data folder."""
        return await self._reader.run(users.read_salt)

    async def version(self) -> int:
        """Return a number that changes with every decision, whoever makes it, and with nothing else."""
        number: int = await self._writer.submit(_version)
        return number


def _put(record: KeyRecord, batch: LedgerBatch) -> None:
    batch.cursor.execute(records.PUT_KEY, records.row_of_key(record))


def _change(key_id: str, how: Callable[[KeyRecord], KeyRecord], batch: LedgerBatch) -> KeyRecord | None:
    row = batch.cursor.execute(records.KEY_BY_ID, (key_id,)).fetchone()
    if row is None:
        return None
    record = how(records.key_of(row))
    _put(record, batch)
    return record


def _touch(last_used: dict[str, float], batch: LedgerBatch) -> None:
    batch.cursor.executemany(_TOUCH, [(at, key_id) for key_id, at in last_used.items()])


def _version(batch: LedgerBatch) -> int:
    [(number,)] = batch.cursor.execute("SELECT number FROM directory_version")
    assert isinstance(number, int)
    return number
