"""Scope, Limit, Quota, Budget, Policy, Principal and Decision: who may do what, and what was decided."""

from typing import Literal

from msgspec import Struct

from seawall.core.guarding import NO_GUARD, GuardPolicy
from seawall.core.money import Money

Unit = Literal["requests", "tokens", "at_once"]
"""What a limit counts: calls, tokens (input at admission, output at settling), or calls that run at once."""


class Budget(Struct, frozen=True):
    """Hard caps on what a scope may spend in a day, a month and altogether; `None` is no cap."""

    daily: Money | None = None
    monthly: Money | None = None
    lifetime: Money | None = None

    @property
    def is_open(self) -> bool:
        """Say whether there is no cap at all."""
        return self.daily is None and self.monthly is None and self.lifetime is None


class Quota(Struct, frozen=True):
    """How many tokens and requests a user may use in a day and in a month; `None` is no cap."""

    tokens_daily: int | None = None
    tokens_monthly: int | None = None
    requests_daily: int | None = None
    requests_monthly: int | None = None

    @property
    def is_open(self) -> bool:
        """Say whether there is no cap at all."""
        caps = (self.tokens_daily, self.tokens_monthly, self.requests_daily, self.requests_monthly)
        return all(cap is None for cap in caps)


class Scope(Struct, frozen=True):
    """Who is charged: kind is `global`, `key`, `user` or `ip`, id names which."""

    kind: str
    id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


class Limit(Struct, frozen=True):
    """Never more than `count` of a unit in any window of `period_s` seconds; of one model only where named.

    With `burst` the limit is a steady rate that lets so many through at once. `period_s` is 0 for calls that
    run at once. `name` is the setting by which the operator changes it or switches it off. What is counted is
    kept under `key`: it survives another `count`. No call may have two limits of one key.
    """

    name: str
    scope: Scope
    unit: Unit
    count: int
    period_s: int
    burst: int | None = None
    model: str = ""
    key: str = ""

    @classmethod
    def on(cls, scope: "Scope", stated: "StatedLimit", name: str, model: str = "") -> "Limit":
        """Put a stated limit on a scope."""
        key = f"{scope} {name} {model} {stated.unit} {stated.period_s} {stated.burst}"
        return cls(name, scope, stated.unit, stated.count, stated.period_s, stated.burst, model, key)


class StatedLimit(Struct, frozen=True):
    """One limit as it is stated, before it is known whose it is; see Limit."""

    unit: Unit
    count: int
    period_s: int
    burst: int | None = None


class ScopeBudget(Struct, frozen=True):
    """A scope together with its caps."""

    scope: Scope
    budget: Budget


class ScopeQuota(Struct, frozen=True):
    """A scope together with its quota."""

    scope: Scope
    quota: Quota


class OnBehalf(Struct, frozen=True):
    """For whom a worker makes a call that was accepted before; see Principal."""

    key_id: str
    end_user: str | None = None
    kind: Literal["key", "token"] = "key"
    tier: str | None = None
    address: str | None = None


class Credentials(Struct, frozen=True):
    """What a request shows of who makes it.

    `secret` is the key or token, `origin` the web page that calls (the Origin header), `address` the caller's
    own, as far as trusted proxies tell it, and `forwarded` the end user's address as the caller states it.
    `on_behalf` never comes from a request: it is what a worker shows in the place of all these.
    """

    secret: str | None = None
    origin: str | None = None
    address: str | None = None
    forwarded: str | None = None
    on_behalf: OnBehalf | None = None


class Principal(Struct, frozen=True):
    """Who is calling: the key or token that was shown, and the end user it speaks for.

    `kind` says what was shown. `key_id` names the virtual key, or the issuer of a token. `owner` is whose key
    it is ("" for the operator's own). `end_user` is fixed by a token or a publishable key; where a virtual
    key names one it is known after the body was read. `tier` is what a token claims, or what a key gives to
    its users. `address` is the end user's, IPv6 as its /64; `None` where it is not known.
    """

    key_id: str
    key_name: str
    end_user: str | None = None
    kind: Literal["key", "token", "publishable"] = "key"
    owner: str = ""
    tier: str | None = None
    address: str | None = None

    @property
    def is_browser(self) -> bool:
        """Say whether the caller is an end user's own device: it can name nobody else, and keeps no state."""
        return self.kind != "key"


class Policy(Struct, frozen=True, eq=False):
    """Everything that is decided per caller; resolved once, unchanged for the whole call.

    Two policies are never equal, so that what is derived from one can be remembered cheaply.

    `limits` are for all calls, `model_limits` for those of the model that each names.
    `models` are those of the key and `tier_models` those of the user's tier, each `None` where every model is
    allowed. `tier` is the end user's, `None` where there is no user or no tier. `trial` is the quota of a
    user without a tier. `is_blocked` says that the operator has shut this end user out, `misses_user` that
    limits on users do not reach the call, because it names none. `guard` is what becomes of what the guard
    sees, `key_guard` the profile that the key states.
    """

    budgets: tuple[ScopeBudget, ...]
    models: frozenset[str] | None = None
    limits: tuple[Limit, ...] = ()
    model_limits: tuple[Limit, ...] = ()
    quotas: tuple[ScopeQuota, ...] = ()
    tier: str | None = None
    tier_models: frozenset[str] | None = None
    trial: Quota | None = None
    is_blocked: bool = False
    misses_user: bool = False
    guard: GuardPolicy = NO_GUARD
    key_guard: str | None = None

    @property
    def allows_every_model(self) -> bool:
        """Say whether no list of models stands in the way."""
        return self.models is None and self.tier_models is None

    def allows(self, provider: str, model: str, asked: str = "") -> bool:
        """Say whether the caller may use a model: by its own name, with its provider's, or as asked for.

        What was asked for counts only as an alias: the operator who allows one allows what it stands for.
        """
        names = (model, f"{provider}/{model}", asked)
        return all(each is None or not each.isdisjoint(names) for each in (self.models, self.tier_models))


class Decision(Struct, frozen=True):
    """What one step decided about a call, why, and how long it took."""

    step: str
    verdict: str
    why: str
    took_ms: float = 0.0
