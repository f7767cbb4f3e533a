"""Keys and end users on SQLite; other processes may change them at any time."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from seawall.core.contracts import KeyRecord, UserRecord
from seawall.core.events import Channel, Event
from seawall.core.money import Money
from seawall.core.policy import Budget, Quota, StatedLimit
from seawall.stores.sqlite import users
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.reader import Reader
from seawall.stores.writer import Writer

_BY_HASH = "SELECT * FROM keys WHERE hash = ? OR previous_hash = ?"
_BY_ID = "SELECT * FROM keys WHERE id = ?"
_ALL = "SELECT * FROM keys ORDER BY created_at, id"
_PUT = "INSERT OR REPLACE INTO keys VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_decode_limits = msgspec.json.Decoder(tuple[StatedLimit, ...]).decode
_decode_quota = msgspec.json.Decoder(Quota).decode
_decode_texts = msgspec.json.Decoder(tuple[str, ...]).decode
_TOUCH = "UPDATE keys SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?"


class SqliteDirectory:
    """See `core.contracts.Directory`."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def find_by_hash(self, key_hash: bytes) -> KeyRecord | None:
        """Return the key with this SHA-256, the previous one of a rotation included."""
        rows = await self._reader.run(lambda c: c.execute(_BY_HASH, (key_hash, key_hash)).fetchall())
        return _record(rows[0]) if rows else None

    async def get(self, key_id: str) -> KeyRecord | None:
        """Return one key."""
        rows = await self._reader.run(lambda c: c.execute(_BY_ID, (key_id,)).fetchall())
        return _record(rows[0]) if rows else None

    async def keys(self) -> list[KeyRecord]:
        """Return all keys, oldest first."""
        return [_record(row) for row in await self._reader.run(lambda c: c.execute(_ALL).fetchall())]

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
        """Return a number that changes when another process has changed the file."""
        number: int = await self._writer.submit(_version)
        return number


def _put(record: KeyRecord, batch: LedgerBatch) -> None:
    models = None if record.models is None else msgspec.json.encode(record.models).decode()
    budget = record.budget
    batch.cursor.execute(
        _PUT,
        (
            record.id,
            record.name,
            record.hash,
            record.created_at,
            models,
            budget.daily,
            budget.monthly,
            budget.lifetime,
            record.expires_at,
            record.revoked_at,
            record.last_used_at,
            record.previous_hash,
            record.previous_until,
            record.kind,
            record.owner,
            record.tier,
            msgspec.json.encode(record.limits).decode(),
            None if record.trial is None else msgspec.json.encode(record.trial).decode(),
            msgspec.json.encode(record.origins).decode(),
            record.guard,
        ),
    )


def _change(key_id: str, how: Callable[[KeyRecord], KeyRecord], batch: LedgerBatch) -> KeyRecord | None:
    row = batch.cursor.execute(_BY_ID, (key_id,)).fetchone()
    if row is None:
        return None
    record = how(_record(row))
    _put(record, batch)
    return record


def _touch(last_used: dict[str, float], batch: LedgerBatch) -> None:
    batch.cursor.executemany(_TOUCH, [(at, key_id) for key_id, at in last_used.items()])


def _version(batch: LedgerBatch) -> int:
    return batch.version()


def _record(row: tuple[Any, ...]) -> KeyRecord:
    key_id, name, key_hash, created_at, models, daily, monthly, lifetime, *rest = row
    expires_at, revoked_at, last_used_at, previous_hash, previous_until, *rest = rest
    kind, owner, tier, limits, trial, origins, guard = rest
    return KeyRecord(
        id=key_id,
        name=name,
        hash=key_hash,
        created_at=created_at,
        models=None if models is None else tuple(msgspec.json.decode(models, type=list[str])),
        budget=Budget(*(None if cap is None else Money(cap) for cap in (daily, monthly, lifetime))),
        expires_at=expires_at,
        revoked_at=revoked_at,
        last_used_at=last_used_at,
        previous_hash=previous_hash,
        previous_until=previous_until,
        kind=kind,
        owner=owner,
        tier=tier,
        limits=_decode_limits(limits),
        trial=None if trial is None else _decode_quota(trial),
        origins=_decode_texts(origins),
        guard=guard,
    )
