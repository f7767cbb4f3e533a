"""The public keys of an issuer of tokens (RFC 7517): fetched when they are needed, kept, and fetched again.

Invariants:
- Only the address of the settings is ever asked; nothing in a token can name another one.
- An unknown key id leads to one fetch at most in `COOLDOWN_S`, whatever comes; so does a failed fetch.
- Where the issuer cannot be reached, known keys go on working and unknown ones are refused.
- Keys for encryption, symmetric keys and weak ones are passed over.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import msgspec

from seawall.core.ending import end

log = logging.getLogger("seawall.identity")

Fetch = Callable[[str], Awaitable[bytes]]
"""Gets what lies at an address; raises OSError where that cannot be had, in time and in size."""

FRESH_S = 600.0
COOLDOWN_S = 30.0
KEYS_MAX = 64
RSA_BITS_MIN = 2_048
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


class KeySet:
    """The keys of one issuer, by their ids. `clock` counts seconds."""

    def __init__(self, url: str, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._url, self._fetch, self._clock = url, fetch, clock
        self._keys: dict[str, tuple[str, Any]] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str | None, algorithm: str) -> Any | None:
        """Return the key of a token, `None` where there is none; fetches at most once for all who wait."""
        found = self._known(key_id, algorithm)
        now = self._clock()
        is_fresh = now - self._fetched_at < FRESH_S
        if (found is not None and is_fresh) or now - self._tried_at < COOLDOWN_S:
            if found is None and self._fetching is not None:
                await asyncio.shield(self._fetching)
                return self._known(key_id, algorithm)
            return found
        self._tried_at = now
        self._fetching = asyncio.create_task(self._refresh())
        if found is None:
            await asyncio.shield(self._fetching)
        return self._known(key_id, algorithm)

    async def close(self) -> None:
        """Wait for a fetch that is still running."""
        await end(self._fetching)

    def _known(self, key_id: str | None, algorithm: str) -> Any | None:
        kind = _KINDS[algorithm[:2]]
        if key_id is None:
            fitting = [key for of_kind, key in self._keys.values() if of_kind == kind]
            return fitting[0] if len(fitting) == 1 else None
        of_kind, key = self._keys.get(key_id, ("", None))
        return key if of_kind == kind else None

    async def _refresh(self) -> None:
        try:
            self._keys = read_keys(await self._fetch(self._url))
            self._fetched_at = self._clock()
        except (OSError, ValueError) as error:
            log.warning(
                "the keys of an issuer cannot be fetched; known ones go on working",
                extra={"fields": {"why": type(error).__name__}},
            )
        finally:
            self._fetching = None


def read_keys(body: bytes) -> dict[str, tuple[str, Any]]:
    """Read a JWK set: the kind and key of each id; raises ValueError where it is none."""
    try:
        entries = msgspec.json.decode(body)["keys"]
        assert isinstance(entries, list)
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError, AssertionError) as error:
        raise ValueError("not a set of keys") from error
    found = {}
    for position, entry in enumerate(entries[:KEYS_MAX]):
        if not isinstance(entry, dict) or entry.get("use") == "enc":
            continue
        if entry.get("kty") not in _KINDS.values():
            continue
        try:
            key = jwt.PyJWK(entry).key
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue
        if entry["kty"] == "RSA" and getattr(key, "key_size", 0) < RSA_BITS_MIN:
            continue
        key_id = entry.get("kid")
        found[key_id if isinstance(key_id, str) else f"#{position}"] = (entry["kty"], key)
    return found
