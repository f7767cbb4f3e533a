"""End users on SQLite: what is decided about them, and how a person is taken out of everything."""

from collections.abc import Callable, Sequence
from typing import Any

import apsw
import msgspec

from seawall.core.contracts import UserRecord
from seawall.core.events import Channel, Event
from seawall.core.policy import Budget, Quota, Scope, StatedLimit
from seawall.stores.sqlite import outbox
from seawall.stores.sqlite.batch import LedgerBatch

_FIND = "SELECT id, created_at, tier, blocked_at, note, limits, quota, budget FROM users WHERE id = ?"
_ALL = "SELECT id, created_at, tier, blocked_at, note, limits, quota, budget FROM users ORDER BY id"
_PUT = "INSERT OR REPLACE INTO users VALUES (?,?,?,?,?,?,?,?)"
_SALT = "SELECT value FROM salt"

_FORGET_USER = "DELETE FROM users WHERE id = ?"
_FORGET_CALLS = "UPDATE calls SET end_user = ? WHERE end_user = ?"
_FORGET_SUMS = (
    "INSERT INTO usage_hourly SELECT hour, key_id, ?, model, calls, input, output, cached_read, cached_write,"
    " reasoning, cost, overage FROM usage_hourly WHERE end_user = ?"
)
_DROP_SUMS = "DELETE FROM usage_hourly WHERE end_user = ?"
_MOVE_ACCOUNTS = "UPDATE accounts SET scope = ? WHERE scope = ?"
_FORGET_STATE = "DELETE FROM responses WHERE owner IN (SELECT number FROM owners WHERE end_user = ?)"
_FORGET_OWNER = "DELETE FROM owners WHERE end_user = ?"

_decode_limits = msgspec.json.Decoder(tuple[StatedLimit, ...]).decode
_decode_quota = msgspec.json.Decoder(Quota).decode
_decode_budget = msgspec.json.Decoder(Budget).decode


def find(user_id: str, connection: apsw.Connection) -> UserRecord | None:
    """Return one user."""
    row = connection.execute(_FIND, (user_id,)).fetchone()
    return None if row is None else _record(row)


def find_all(connection: apsw.Connection) -> list[UserRecord]:
    """Return all users, by id."""
    return [_record(row) for row in connection.execute(_ALL)]


def change(
    user_id: str,
    how: Callable[[UserRecord | None], UserRecord],
    event: Event | None,
    channels: Sequence[Channel],
    batch: LedgerBatch,
) -> UserRecord:
    """Replace one user, and announce the event where the tier has changed."""
    row = batch.cursor.execute(_FIND, (user_id,)).fetchone()
    before = None if row is None else _record(row)
    record = how(before)
    _put(record, batch)
    if event is not None and record.tier != (before.tier if before else None):
        outbox.put(event, channels, batch)
    return record


def read_salt(connection: apsw.Connection) -> bytes:
    """Return the random bytes of this data folder."""
    row = connection.execute(_SALT).fetchone()
    assert row is not None and isinstance(row[0], bytes)
    return row[0]


def _put(record: UserRecord, batch: LedgerBatch) -> None:
    parts = (record.limits, record.quota, record.budget)
    texts = (None if part is None else msgspec.json.encode(part).decode() for part in parts)
    batch.cursor.execute(
        _PUT, (record.id, record.created_at, record.tier, record.blocked_at, record.note, *texts)
    )


def erase(user_id: str, alias: str, batch: LedgerBatch) -> int:
    """Take a user out of everything that names it; sums and accounts go on under the alias.

    What is deleted is overwritten. Raises Conflict while a call of theirs is running: its money could not be
    settled any more.
    """
    execute = batch.cursor.execute
    batch.forget_scope(str(Scope("user", user_id)))
    outbox.forget_user(user_id, batch)
    execute("PRAGMA secure_delete = ON")
    execute(_FORGET_USER, (user_id,))
    execute(_FORGET_STATE, (user_id,))
    execute(_FORGET_OWNER, (user_id,))
    execute("PRAGMA secure_delete = OFF")
    execute(_FORGET_SUMS, (alias, user_id))
    execute(_DROP_SUMS, (user_id,))
    execute(_MOVE_ACCOUNTS, (str(Scope("user", alias)), str(Scope("user", user_id))))
    execute(_FORGET_CALLS, (alias, user_id))
    return batch.changes()


def _record(row: tuple[Any, ...]) -> UserRecord:
    user_id, created_at, tier, blocked_at, note, limits, quota, budget = row
    return UserRecord(
        id=user_id,
        created_at=created_at,
        tier=tier,
        blocked_at=blocked_at,
        note=note,
        limits=None if limits is None else _decode_limits(limits),
        quota=None if quota is None else _decode_quota(quota),
        budget=None if budget is None else _decode_budget(budget),
    )
