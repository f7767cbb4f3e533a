"""Claims and answers by idempotency key, as far as every database does the same; see `core.idempotency`.

Places of values are written `?`. No name of a person lies here: a key and its owner are known by their hash.
"""

import asyncio
import hashlib
from typing import Any

import msgspec

from seawall.core.idempotency import Answered, Claim, ClaimAnswer, Reused, Running
from seawall.stores.packing import PACK_FROM_BYTES, squeeze, unpack

BATCH = 50
"""So many answers are deleted in one transaction."""

# Take a key that is nobody's, or whose time is over.
CLAIM = """
INSERT INTO idempotent_answers (name, key_id, end_user, request, call_id, process, expires_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET key_id = excluded.key_id, end_user = excluded.end_user,
    request = excluded.request, call_id = excluded.call_id, process = excluded.process,
    expires_at = excluded.expires_at, answer = NULL
WHERE idempotent_answers.expires_at <= ? RETURNING call_id"""
# What stands under a key.
FIND = "SELECT request, call_id, answer FROM idempotent_answers WHERE name = ?"
# End a claim that still stands.
KEEP = (
    "UPDATE idempotent_answers SET answer = ?, expires_at = ?"
    " WHERE name = ? AND call_id = ? AND answer IS NULL"
)
RELEASE = "DELETE FROM idempotent_answers WHERE name = ? AND call_id = ? AND answer IS NULL"
# Forget a batch of what has expired, or of what is of a key, of an end user or of both.
_SOME = "DELETE FROM idempotent_answers WHERE name IN (SELECT name FROM idempotent_answers WHERE {} LIMIT ?)"
EXPIRED = _SOME.format("expires_at <= ? ORDER BY expires_at")
_OF_KEY = _SOME.format("key_id = ?")
_OF_END_USER = _SOME.format("end_user = ?")
_OF_BOTH = _SOME.format("key_id = ? AND end_user = ?")

Row = tuple[Any, ...]


def values_to_claim(claim: Claim, process: str) -> tuple[object, ...]:
    """Return what CLAIM is told."""
    owner = claim.owner
    return (
        name_of(claim), owner.key_id, hash_of_user(owner.end_user), claim.request, claim.call_id, process,
        claim.until, claim.at,
    )  # fmt: skip


def name_of(claim: Claim) -> bytes:
    """Return under what a key of an owner is known."""
    parts = [claim.owner.key_id, claim.owner.end_user, claim.key]
    return hashlib.sha256(msgspec.json.encode(parts)).digest()


def hash_of_user(end_user: str) -> bytes:
    """Return under what an end user is known, b"" for none."""
    return hashlib.sha256(end_user.encode()).digest() if end_user else b""


def what_belongs_to(key_id: str | None, end_user: str | None) -> tuple[str, tuple[object, ...]]:
    """Return the statement that forgets a batch of a key, of an end user or of both, and what it is told."""
    if end_user is None:
        assert key_id is not None
        return _OF_KEY, (key_id, BATCH)
    user = hash_of_user(end_user)
    return (_OF_END_USER, (user, BATCH)) if key_id is None else (_OF_BOTH, (key_id, user, BATCH))


async def pack(body: bytes) -> bytes:
    """Pack an answer, a long one beside the event loop."""
    return squeeze(body) if len(body) <= PACK_FROM_BYTES else await asyncio.to_thread(squeeze, body)


async def answer_from(row: Row, claim: Claim) -> ClaimAnswer:
    """Return what stands under a key that is somebody's."""
    request, call_id, packed = row
    if request != claim.request:
        return Reused()
    if packed is None:
        return Running()
    is_short = len(packed) <= PACK_FROM_BYTES
    body = unpack([packed]) if is_short else await asyncio.to_thread(unpack, [packed])
    return Answered(call_id, body)
