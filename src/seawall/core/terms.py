"""What the operator states for everybody: limits by scope, and tiers. Policies are made from it."""

from datetime import UTC, tzinfo

from msgspec import Struct

from seawall.core.guarding import GuardPolicy
from seawall.core.policy import Budget, Quota, StatedLimit


class Terms(Struct, frozen=True):
    """The limits that one setting states for every scope of a kind; of one model only where named.

    `name` is the setting, such as `limits.per_user`; `kind` is that of `core.policy.Scope`.
    """

    name: str
    kind: str
    limits: tuple[StatedLimit, ...]
    model: str = ""


class TierTerms(Struct, frozen=True):
    """What the users of a tier may do; limits that are `None` leave those for all users in force.

    `guard` names the profile of the guard.
    """

    name: str
    requests: tuple[StatedLimit, ...] | None = None
    tokens: tuple[StatedLimit, ...] | None = None
    at_once: tuple[StatedLimit, ...] | None = None
    quota: Quota = Quota()
    budget: Budget = Budget()
    models: frozenset[str] | None = None
    guard: str | None = None


class IssuerTerms(Struct, frozen=True):
    """Whose login tokens are accepted, and how they are read; `secret` or `jwks_url`, never both.

    `audience` and `parties` are what `aud` and `azp` must name, where they are stated. Claims are paths with
    dots. `origins` are the web pages that may call with such a token.
    """

    name: str
    issuer: str
    algorithms: tuple[str, ...]
    jwks_url: str | None = None
    secret: str | None = None
    audience: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()
    user_claim: str = "sub"
    tier_claim: str | None = None
    origins: tuple[str, ...] = ()
    leeway_s: float = 30.0


class HouseTerms(Struct, frozen=True):
    """Everything that is stated for all callers. Days and months of quotas are those of `zone`.

    `upgrade_url` is where a user gets a higher tier. `guards` are the profiles of the guard by name, that of
    everybody under "".
    """

    budget: Budget
    limits: tuple[Terms, ...] = ()
    tiers: dict[str, TierTerms] = {}
    default_tier: str | None = None
    zone: tzinfo = UTC
    upgrade_url: str | None = None
    guards: dict[str, GuardPolicy] = {}
