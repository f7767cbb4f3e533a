"""Virtual keys (`sw-`) and publishable ones (`swp-`): 256 random bits, of which only the SHA-256 is kept.

There is no pepper and no slow hash: 256 random bits cannot be guessed, and several gateways on one
database must accept each other's keys.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable

from msgspec import Struct

from seawall.core.contracts import Directory, KeyKind, KeyRecord
from seawall.core.errors import Unauthenticated
from seawall.core.policy import Policy, Principal
from seawall.identity.policies import Policies

PREFIX = "sw-"
PUBLISHABLE_PREFIX = "swp-"
VENDOR_KEY_PREFIX = "sk-"
NO_KEY = (
    "The request shows no key. Send a Seawall key (sw-...) as `Authorization: Bearer`, or in x-api-key; the "
    "operator of this gateway makes one with `seawall keys create`."
)
PROVIDERS_KEY = (
    "That is a provider's key. Send the Seawall key (sw-...) instead; the provider's stays with this gateway "
    "and should not be in your app."
)
KEY_GONE = "The key that this was accepted for has expired or was revoked meanwhile."
ID_BYTES = 6
SECRET_BYTES = 32
KEY_CHARS_MAX = 200
KNOWN_MAX = 10_000


def new_id() -> str:
    """Make the id of a key, which is no secret."""
    return f"key_{secrets.token_hex(ID_BYTES)}"


def new_secret(kind: KeyKind = "key") -> tuple[str, bytes]:
    """Make a key; returns it, to be shown once, and its hash."""
    prefix = PUBLISHABLE_PREFIX if kind == "publishable" else PREFIX
    key = f"{prefix}{secrets.token_urlsafe(SECRET_BYTES)}"
    return key, hash_of(key)


def hash_of(key: str) -> bytes:
    """Return the SHA-256 of a key."""
    return hashlib.sha256(key.encode()).digest()


class KnownKey(Struct, frozen=True):
    """A key that was read: whose it is and what it may do, without an end user.

    `origins` are the pages of a publishable one.
    """

    key_hash: bytes
    principal: Principal
    policy: Policy
    valid_until: float
    origins: frozenset[str] = frozenset()


class VirtualKeys:
    """Finds keys; what it has read it remembers until something changes.

    A key that is not known already is read from the directory; strangers' keys are never remembered.
    """

    def __init__(self, directory: Directory, policies: Policies, now: Callable[[], float]) -> None:
        self._directory = directory
        self._policies = policies
        self._now = now
        self._known: dict[bytes, KnownKey] = {}
        self._by_id: dict[str, KnownKey] = {}
        self._epoch = 0
        self.last_used: dict[str, float] = {}

    async def find(self, secret: str | None) -> KnownKey:
        """Return the key that was shown.

        Raises Unauthenticated without detail, and Overloaded where the directory is down.
        """
        if not secret or len(secret) > KEY_CHARS_MAX:
            raise Unauthenticated(hint(secret))
        now = self._now()
        key_hash = hash_of(secret)
        known = self._known.get(key_hash)
        if known is None:
            known = await self._read(key_hash, now)
        if not hmac.compare_digest(known.key_hash, key_hash) or now >= known.valid_until:
            raise Unauthenticated
        self.last_used[known.principal.key_id] = now
        return known

    async def find_by_id(self, key_id: str) -> KnownKey:
        """Return the key of a job that was accepted before; raises as `find` does."""
        known = self._by_id.get(key_id)
        if known is None:
            epoch = self._epoch
            record = await self._directory.get(key_id)
            if record is None or record.revoked_at is not None:
                raise Unauthenticated(KEY_GONE)
            known = self._known_key(record, record.hash)
            if epoch == self._epoch and len(self._by_id) < KNOWN_MAX:
                self._by_id[key_id] = known
        if self._now() >= known.valid_until:
            raise Unauthenticated(KEY_GONE)
        return known

    def forget(self) -> None:
        """Read every key again at its next use: something has changed."""
        self._known.clear()
        self._by_id.clear()
        self._epoch += 1

    def take_last_used(self) -> dict[str, float]:
        """Return when keys were used since the last time this was asked."""
        taken, self.last_used = self.last_used, {}
        return taken

    async def _read(self, key_hash: bytes, now: float) -> KnownKey:
        epoch = self._epoch
        record = await self._directory.find_by_hash(key_hash)
        if record is None or record.revoked_at is not None:
            raise Unauthenticated
        known = self._known_key(record, key_hash)
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        if now < known.valid_until and epoch == self._epoch:  # What changed meanwhile is read again.
            self._known[key_hash] = known
        return known

    def _known_key(self, record: KeyRecord, key_hash: bytes) -> KnownKey:
        return KnownKey(
            key_hash=record.hash
            if hmac.compare_digest(record.hash, key_hash)
            else record.previous_hash or b"",
            principal=Principal(
                key_id=record.id, key_name=record.name, kind=record.kind, owner=record.owner, tier=record.tier
            ),
            policy=self._policies.for_key(record),
            valid_until=_valid_until(record, key_hash),
            origins=frozenset(record.origins),
        )


def hint(shown: str | None) -> str | None:
    """Say what can be told from the form of what was shown; `None` leaves it to the usual words."""
    if not shown:
        return NO_KEY
    if shown.startswith(VENDOR_KEY_PREFIX):
        return PROVIDERS_KEY
    return None


def _valid_until(record: KeyRecord, key_hash: bytes) -> float:
    """Return when a key stops being valid: its expiry, and for a replaced one the end of the overlap."""
    until = float("inf") if record.expires_at is None else record.expires_at
    if not hmac.compare_digest(record.hash, key_hash):
        until = min(until, record.previous_until or 0.0)
    return until
