"""Login tokens (JSON Web Tokens, RFC 7519) of configured issuers, verified here; nobody is asked per call.

Invariants:
- The issuer is chosen by the token's `iss`, and then everything else is the issuer's: address of the keys,
  algorithms, audience. An algorithm of the token counts only if it is one of them.
- An issuer has either public keys or a secret, never both: a public key cannot pass for a secret.
- A verified token is remembered by its full SHA-256, until it expires and for a minute at most.
- Whatever is wrong with a token, the caller learns only that it is not valid.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import jwt
from msgspec import Struct

from seawall.core.errors import Unauthenticated
from seawall.core.terms import IssuerTerms
from seawall.identity.jwks import Fetch, KeySet

TOKEN_CHARS_MAX = 8_192
BELIEVED_S = 60.0
KNOWN_MAX = 10_000
ID_CHARS_MAX = 256
_REFUSED_ROLES = frozenset({"service_role", "anon"})
"""Supabase's roles that are no user: the first may do everything, the second is everybody."""


class Claims(Struct, frozen=True):
    """What a valid token says: whose it is, and the tier that it claims."""

    issuer: IssuerTerms
    user: str
    tier: str | None
    until: float


class Tokens:
    """Verifies tokens. `now` is in Unix seconds, `clock` counts seconds."""

    def __init__(
        self,
        issuers: Iterable[IssuerTerms],
        fetch: Fetch,
        *,
        now: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self._now = now
        self._issuers = {issuer.issuer: issuer for issuer in issuers}
        self._keys = {
            issuer.issuer: KeySet(issuer.jwks_url, fetch, clock)
            for issuer in self._issuers.values()
            if issuer.jwks_url is not None
        }
        self._known: dict[bytes, Claims] = {}

    async def verify(self, token: str) -> Claims:
        """Return what a token says; raises Unauthenticated."""
        if len(token) > TOKEN_CHARS_MAX or not token.isascii():
            raise Unauthenticated
        digest, now = hashlib.sha256(token.encode()).digest(), self._now()
        known = self._known.get(digest)
        if known is not None and now < known.until <= now + BELIEVED_S:  # Else the clock was set back.
            return known
        claims = await self._read(token, now)
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[digest] = claims
        return claims

    async def close(self) -> None:
        """End what is still being fetched."""
        for keys in self._keys.values():
            await keys.close()

    async def _read(self, token: str, now: float) -> Claims:
        try:
            header = jwt.get_unverified_header(token)
            # seawall: ignore[unverified-token] only the issuer is taken from it; _checked verifies the rest
            said = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise Unauthenticated from error
        issuer = self._issuers.get(said["iss"]) if isinstance(said.get("iss"), str) else None
        algorithm = header.get("alg")
        if issuer is None or algorithm not in issuer.algorithms or "crit" in header:
            raise Unauthenticated
        key = issuer.secret
        if key is None:
            key_id = header.get("kid")
            if key_id is not None and (not isinstance(key_id, str) or len(key_id) > ID_CHARS_MAX):
                raise Unauthenticated
            key = await self._keys[issuer.issuer].find(key_id, algorithm)
        if key is None:
            raise Unauthenticated
        return _checked(token, key, algorithm, issuer, now)


def _checked(token: str, key: Any, algorithm: str, issuer: IssuerTerms, now: float) -> Claims:
    """Verify the signature and every claim; time is ours, so pyjwt does not look at it."""
    options: Any = {
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
        "verify_aud": bool(issuer.audience),
        "require": ["exp", "iss"],
    }
    try:
        said = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=list(issuer.audience) or None,
            issuer=issuer.issuer,
            options=options,
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise Unauthenticated from error
    expires, begins = _moment(said.get("exp")), said.get("nbf")
    if expires is None or now >= expires + issuer.leeway_s:
        raise Unauthenticated
    if begins is not None and ((start := _moment(begins)) is None or now < start - issuer.leeway_s):
        raise Unauthenticated
    if issuer.parties and said.get("azp") not in issuer.parties:
        raise Unauthenticated
    user = _claim(said, issuer.user_claim)
    is_name = isinstance(user, str) and 0 < len(user) <= ID_CHARS_MAX and user.isprintable()
    if not is_name or said.get("role") in _REFUSED_ROLES:
        raise Unauthenticated
    tier = _claim(said, issuer.tier_claim) if issuer.tier_claim else None
    until = min(expires + issuer.leeway_s, now + BELIEVED_S)
    return Claims(issuer, user, tier if isinstance(tier, str) else None, until)


def _claim(said: dict[str, Any], path: str) -> Any:
    """Return a claim; dots lead into objects. A claim with dots in its own name goes first."""
    if path in said:
        return said[path]
    value: Any = said
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _moment(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value < 10**12 else None
