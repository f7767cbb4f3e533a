"""What a caller may do: the policy of a key, and with its end user that of a call.

Invariants:
- What the operator decides about a user goes before the tier, the tier before what holds for everybody. Of
  the guard, what the key states goes first.
- A scope is named by ids that nobody can choose for somebody else: a user of an owner's key carries the
  owner's name, one of a token its issuer's.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from seawall.core.contracts import KeyRecord, UserRecord
from seawall.core.guarding import NO_GUARD, GuardPolicy
from seawall.core.policy import (
    Limit,
    Policy,
    Principal,
    Quota,
    Scope,
    ScopeBudget,
    ScopeQuota,
    StatedLimit,
    Unit,
)
from seawall.core.terms import HouseTerms, TierTerms

GLOBAL_SCOPE = Scope("global")
_SETTING = {"requests": "limits", "tokens": "token_limits", "at_once": "at_once"}
_NO_TIER = TierTerms("")


class Policies:
    """Makes policies from what the operator states for everybody, for a key and for a user."""

    def __init__(self, house: HouseTerms) -> None:
        self.house = house
        self._global = ScopeBudget(GLOBAL_SCOPE, house.budget)
        self._global_limits = self._of_house("global", GLOBAL_SCOPE)
        self._limits_users = any(terms.kind == "user" for terms in house.limits) or bool(house.default_tier)

    def for_key(self, record: KeyRecord) -> Policy:
        """Return the policy of a key, as far as no end user has a part in it."""
        scope = Scope("key", record.id)
        own = _limits("key", scope, record.limits)
        limits = (*self._global_limits, *self._of_house("key", scope), *own)
        return Policy(
            budgets=(self._global, ScopeBudget(scope, record.budget)),
            models=None if record.models is None else frozenset(record.models),
            limits=_for_all(limits),
            model_limits=_for_models(limits),
            trial=record.trial,
            misses_user=self._limits_users and record.kind == "key",
            guard=self._guard(record.guard),
            key_guard=record.guard,
        )

    def for_issuer(self, key_id: str) -> Policy:
        """Return the policy of those who show a token of an issuer, as far as no user has a part in it."""
        scope = Scope("key", key_id)
        limits = (*self._global_limits, *self._of_house("key", scope))
        return Policy(
            budgets=(self._global,),
            limits=_for_all(limits),
            model_limits=_for_models(limits),
            guard=self._guard(),
        )

    def for_stranger(self, address: str) -> tuple[Limit, ...]:
        """Return the limits on failed attempts to log in from an address."""
        return _for_all(self._of_house("ip", Scope("ip", address)))

    def for_user(self, principal: Principal, base: Policy, record: UserRecord | None) -> Policy:
        """Return the policy of a call: `base` is that of its key, `record` what is decided about its user."""
        address = principal.address
        limits = (*base.limits, *base.model_limits)
        if address is not None:
            limits += self._of_house("ip", Scope("ip", address))
        if principal.end_user is None:
            return replace(base, limits=_for_all(limits), model_limits=_for_models(limits))
        scope = Scope("user", principal.end_user)
        tier = self._tier(principal, record)
        own = record or UserRecord(id=principal.end_user, created_at=0.0)
        quota = _stated(own.quota, tier.quota if tier.name or base.trial is None else base.trial)
        budget = own.budget if own.budget is not None else tier.budget
        limits = (*limits, *self._of_user(scope, tier, own))
        return replace(
            base,
            budgets=base.budgets if budget.is_open else (*base.budgets, ScopeBudget(scope, budget)),
            quotas=() if quota.is_open else (ScopeQuota(scope, quota),),
            limits=_for_all(limits),
            model_limits=_for_models(limits),
            tier_models=tier.models,
            tier=tier.name or None,
            is_blocked=own.blocked_at is not None,
            misses_user=False,
            guard=self._guard(base.key_guard, tier.guard),
        )

    def _guard(self, *names: str | None) -> GuardPolicy:
        """Return the first profile of the guard that is named and that there is, else that of everybody."""
        guards = self.house.guards
        found = next((guards[name] for name in names if name in guards), None)
        return found or guards.get("", NO_GUARD)

    def _tier(self, principal: Principal, record: UserRecord | None) -> TierTerms:
        """Return the user's tier: the operator's word first, then the token's or the key's, then the default.

        A tier that there is not is passed over: a claim can name anything.
        """
        stated = None if record is None else record.tier
        for name in (stated, principal.tier, self.house.default_tier):
            if name is not None and name in self.house.tiers:
                return self.house.tiers[name]
        return _NO_TIER

    def _of_user(self, scope: Scope, tier: TierTerms, own: UserRecord) -> Iterable[Limit]:
        """List the limits on a user: its own, else of its tier, else those of everybody, unit by unit."""
        if own.limits is not None:
            yield from _limits("user", scope, own.limits)
            yield from (limit for limit in self._of_house("user", scope) if limit.model)
            return
        by_unit: dict[Unit, tuple[StatedLimit, ...] | None] = {
            "requests": tier.requests,
            "tokens": tier.tokens,
            "at_once": tier.at_once,
        }
        for unit, stated in by_unit.items():
            if stated is not None:
                yield from _limits(f"tiers.{tier.name}.{_SETTING[unit]}", scope, stated)
        for limit in self._of_house("user", scope):
            if limit.model or by_unit[limit.unit] is None:
                yield limit

    def _of_house(self, kind: str, scope: Scope) -> tuple[Limit, ...]:
        """Put what is stated for every scope of a kind on one of them."""
        return tuple(
            limit
            for terms in self.house.limits
            if terms.kind == kind
            for limit in _limits(terms.name, scope, terms.limits, terms.model)
        )


def _limits(name: str, scope: Scope, stated: tuple[StatedLimit, ...], model: str = "") -> tuple[Limit, ...]:
    """Put stated limits on a scope; `name` says where they stand: a setting, or the key or user itself.

    Of two that differ only in how many they allow the lower one holds: both would count the same calls.
    """
    name = {"key": "key.limits", "user": "user.limits"}.get(name, name)
    by_key: dict[str, Limit] = {}
    for each in stated:
        limit = Limit.on(scope, each, name, model)
        known = by_key.get(limit.key)
        if known is None or limit.count < known.count:
            by_key[limit.key] = limit
    return tuple(by_key.values())


def _for_all(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    return tuple(limit for limit in limits if not limit.model)


def _for_models(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    return tuple(limit for limit in limits if limit.model)


def _stated(own: Quota | None, usual: Quota) -> Quota:
    """Return the quota of a user: each figure its own where it states one."""
    if own is None:
        return usual
    pairs = zip(own.__struct_fields__, _figures(own), _figures(usual), strict=True)
    return Quota(**{name: figure if figure is not None else other for name, figure, other in pairs})


def _figures(quota: Quota) -> tuple[int | None, ...]:
    return (quota.tokens_daily, quota.tokens_monthly, quota.requests_daily, quota.requests_monthly)
