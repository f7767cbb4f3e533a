"""How keys and users are written down as rows, in the same words for every database.

Places of values are written `?`. Columns of JSON are text, so that one database can take over what another
holds.
"""

from typing import Any

import msgspec

from seawall.core.contracts import KeyRecord, UserRecord
from seawall.core.money import Money
from seawall.core.policy import Budget, Quota, StatedLimit

_KEYS = """
SELECT id, name, hash, created_at, models, daily, monthly, lifetime, expires_at, revoked_at, last_used_at,
       previous_hash, previous_until, kind, owner, tier, limits, trial, origins, guard
FROM keys"""
KEY_BY_HASH = f"{_KEYS} WHERE hash = ? OR previous_hash = ?"
KEY_BY_ID = f"{_KEYS} WHERE id = ?"
ALL_KEYS = f"{_KEYS} ORDER BY created_at, id"
PUT_KEY = """
INSERT INTO keys (id, name, hash, created_at, models, daily, monthly, lifetime, expires_at, revoked_at,
                  last_used_at, previous_hash, previous_until, kind, owner, tier, limits, trial, origins,
                  guard)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, hash = excluded.hash, created_at = excluded.created_at, models = excluded.models,
    daily = excluded.daily, monthly = excluded.monthly, lifetime = excluded.lifetime,
    expires_at = excluded.expires_at, revoked_at = excluded.revoked_at, last_used_at = excluded.last_used_at,
    previous_hash = excluded.previous_hash, previous_until = excluded.previous_until, kind = excluded.kind,
    owner = excluded.owner, tier = excluded.tier, limits = excluded.limits, trial = excluded.trial,
    origins = excluded.origins, guard = excluded.guard"""

_USERS = "SELECT id, created_at, tier, blocked_at, note, limits, quota, budget, may_mail FROM users"
USER_BY_ID = f"{_USERS} WHERE id = ?"
ALL_USERS = f"{_USERS} ORDER BY id"
PUT_USER = """
INSERT INTO users (id, created_at, tier, blocked_at, note, limits, quota, budget, may_mail)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    created_at = excluded.created_at, tier = excluded.tier, blocked_at = excluded.blocked_at,
    note = excluded.note, limits = excluded.limits, quota = excluded.quota, budget = excluded.budget,
    may_mail = excluded.may_mail"""
FORGET_USER = "DELETE FROM users WHERE id = ?"

SALT = "SELECT value FROM salt"

# A user whose name is taken away: calls and sums go on under an alias, and so do accounts.
RENAME_CALLS = "UPDATE calls SET end_user = ?, shape = NULL WHERE end_user = ?"
COPY_SUMS = (
    "INSERT INTO usage_hourly SELECT hour, key_id, ?, model, calls, input, output, cached_read, cached_write,"
    " reasoning, cost, overage FROM usage_hourly WHERE end_user = ?"
)
DROP_SUMS = "DELETE FROM usage_hourly WHERE end_user = ?"
RENAME_ACCOUNTS = "UPDATE accounts SET scope = ? WHERE scope = ?"

Row = tuple[Any, ...]

_decode_limits = msgspec.json.Decoder(tuple[StatedLimit, ...]).decode
_decode_quota = msgspec.json.Decoder(Quota).decode
_decode_budget = msgspec.json.Decoder(Budget).decode
_decode_texts = msgspec.json.Decoder(tuple[str, ...]).decode


def row_of_key(record: KeyRecord) -> Row:
    """Write a key down."""
    budget = record.budget
    return (
        record.id,
        record.name,
        record.hash,
        record.created_at,
        None if record.models is None else _encode(record.models),
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
        _encode(record.limits),
        None if record.trial is None else _encode(record.trial),
        _encode(record.origins),
        record.guard,
    )


def key_of(row: Row) -> KeyRecord:
    """Read a key back."""
    key_id, name, key_hash, created_at, models, daily, monthly, lifetime, *rest = row
    expires_at, revoked_at, last_used_at, previous_hash, previous_until, *rest = rest
    kind, owner, tier, limits, trial, origins, guard = rest
    return KeyRecord(
        id=key_id,
        name=name,
        hash=key_hash,
        created_at=created_at,
        models=None if models is None else _decode_texts(models),
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


def row_of_user(record: UserRecord) -> Row:
    """Write a user down."""
    parts = (record.limits, record.quota, record.budget)
    texts = (None if part is None else _encode(part) for part in parts)
    about = (record.id, record.created_at, record.tier, record.blocked_at, record.note)
    return (*about, *texts, int(record.may_mail))


def user_of(row: Row) -> UserRecord:
    """Read a user back."""
    user_id, created_at, tier, blocked_at, note, limits, quota, budget, may_mail = row
    return UserRecord(
        id=user_id,
        created_at=created_at,
        tier=tier,
        blocked_at=blocked_at,
        note=note,
        limits=None if limits is None else _decode_limits(limits),
        quota=None if quota is None else _decode_quota(quota),
        budget=None if budget is None else _decode_budget(budget),
        may_mail=bool(may_mail),
    )


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()
