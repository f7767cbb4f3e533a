"""Who calls: a virtual key, a publishable key or a login token, told apart by its form.

Invariants:
- A secret that is shown is valid or the call is refused; a bad one is never passed over.
- A publishable key works from its own pages alone. Its visitors are told apart by their address, as a name
  from which nobody can find the address.
- Tokens and publishable keys speak for their own user: whom else a request names does not count.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from seawall.core.addresses import normalised
from seawall.core.contracts import Directory
from seawall.core.errors import InvalidRequest, OriginNotAllowed, Unauthenticated
from seawall.core.policy import Credentials, Limit, OnBehalf, Policy, Principal
from seawall.core.terms import IssuerTerms
from seawall.identity.keys import PREFIX, PUBLISHABLE_PREFIX, KnownKey, VirtualKeys, hint
from seawall.identity.policies import Policies
from seawall.identity.users import Users

if TYPE_CHECKING:
    from seawall.identity.tokens import Tokens

NAME_CHARS = 16
VISITORS_MAX = 10_000
NO_ADDRESS = "unknown"
FORWARDED = "seawall-client-ip"
ISSUER_GONE = "Login tokens of this issuer are not accepted any more."


class Callers:
    """See `core.contracts.Identity`; `tokens` is `None` where no issuer is configured."""

    def __init__(
        self,
        keys: VirtualKeys,
        directory: Directory,
        policies: Policies,
        tokens: "Tokens | None" = None,
        issuers: Mapping[str, IssuerTerms] | None = None,
    ) -> None:
        self.keys = keys
        self._directory = directory
        self._policies = policies
        self._tokens = tokens
        self._users = Users(directory, policies)
        self._issuer_policies = {name: policies.for_issuer(_issuer_id(name)) for name in issuers or {}}
        self._issuer_origins = frozenset(
            origin for issuer in (issuers or {}).values() for origin in issuer.origins
        )
        self._visitors: dict[tuple[str, str], str] = {}
        self._origins: frozenset[str] | None = None

    async def identify(self, shown: Credentials) -> tuple[Principal, Policy]:
        """Return the caller and its policy; raises Unauthenticated, OriginNotAllowed or Overloaded."""
        if shown.on_behalf is not None:
            return await self._absent(shown.on_behalf)
        secret = shown.secret
        if secret is None or secret.startswith(PREFIX):
            known = await self.keys.find(secret)
            if shown.forwarded is None:
                return known.principal, known.policy
            return replace(known.principal, address=_forwarded(shown.forwarded)), known.policy
        if secret.startswith(PUBLISHABLE_PREFIX):
            return await self._visitor(await self.keys.find(secret), shown)
        if self._tokens is not None and secret.count(".") == 2:
            return await self._user(self._tokens, secret, shown)
        raise Unauthenticated(hint(secret))

    async def know_user(
        self, principal: Principal, policy: Policy, named: str | None
    ) -> tuple[Principal, Policy]:
        """Add the end user of a call, and what that user may do."""
        return await self._users.know(principal, policy, named)

    def limits_of_stranger(self, address: str) -> tuple[Limit, ...]:
        """Return the limits on failed attempts to log in from an address."""
        return self._policies.for_stranger(address)

    async def knows_origin(self, origin: str) -> bool:
        """Say whether some key or issuer lists a web page; raises Overloaded where that cannot be read."""
        if origin in self._issuer_origins:
            return True
        origins = self._origins
        if origins is None:
            records = await self._directory.keys()
            listed = (record.origins for record in records if record.revoked_at is None)
            origins = self._origins = frozenset(each for many in listed for each in many)
        return origin in origins

    def forget(self) -> None:
        """Look everything up again: something has changed."""
        self.keys.forget()
        self._users.forget()
        self._origins = None

    async def _absent(self, caller: OnBehalf) -> tuple[Principal, Policy]:
        """Return a caller whose job is done now: what its key may do today counts, not what it could then."""
        if caller.kind == "key":
            known = await self.keys.find_by_id(caller.key_id)
            return replace(known.principal, address=caller.address), known.policy
        name = caller.key_id.removeprefix(_issuer_id(""))
        policy = self._issuer_policies.get(name)
        if policy is None:
            raise Unauthenticated(ISSUER_GONE)
        principal = Principal(
            key_id=caller.key_id,
            key_name=name,
            end_user=caller.end_user,
            kind="token",
            tier=caller.tier,
            address=caller.address,
        )
        return principal, policy

    async def _visitor(self, known: KnownKey, shown: Credentials) -> tuple[Principal, Policy]:
        if shown.origin not in known.origins:
            raise OriginNotAllowed
        address = shown.address or NO_ADDRESS
        key = (known.principal.key_id, address)
        name = self._visitors.get(key)
        if name is None:
            salt = await self._directory.salt()
            digest = hmac.new(salt, " ".join(key).encode(), hashlib.sha256).hexdigest()
            if len(self._visitors) >= VISITORS_MAX:
                self._visitors.clear()
            name = self._visitors[key] = f"anon_{digest[:NAME_CHARS]}"
        return replace(known.principal, end_user=name, address=shown.address), known.policy

    async def _user(self, tokens: "Tokens", secret: str, shown: Credentials) -> tuple[Principal, Policy]:
        claims = await tokens.verify(secret)
        issuer = claims.issuer
        if shown.origin is not None and issuer.origins and shown.origin not in issuer.origins:
            raise OriginNotAllowed
        principal = Principal(
            key_id=_issuer_id(issuer.name),
            key_name=issuer.name,
            end_user=f"{issuer.name}/{claims.user}",
            kind="token",
            tier=claims.tier,
            address=shown.address,
        )
        return principal, self._issuer_policies[issuer.name]


def _issuer_id(name: str) -> str:
    return f"issuer_{name}"


def _forwarded(text: str) -> str:
    address = normalised(text)
    if address is None:
        raise InvalidRequest(f"{FORWARDED} must be an address such as 203.0.113.7.", param=FORWARDED)
    return address
