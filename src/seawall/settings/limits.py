"""The sections that say how often and how much: rate limits, and the tiers of end users."""

from typing import Any

from seawall.core.looping import LoopRules
from seawall.core.policy import Budget, Quota, StatedLimit
from seawall.core.rates import Rate
from seawall.core.terms import Terms, TierTerms
from seawall.settings.sections import Section, setting
from seawall.settings.values import AtOnce, Cap, Names, Rates, Seconds, Text, TokenRates, Tokens, Whole

SCOPES = {"global": "global", "key": "per_key", "user": "per_user", "ip": "per_ip"}
"""The kinds of scopes, and how the settings of each begin."""


def _rates(text: str) -> Any:
    return setting(text, default=None)


class LimitSettings(Section):
    """How often calls may come: one rate such as "100/minute", or a list of which all must admit a call.

    `5/10 seconds` means: never more than five in any ten seconds. `"off"` switches a limit off. Limits of an
    end user apply where one is named or logged in, those of an address where it is known to be an end user's.
    """

    per_user: Rates = _rates("The calls of one end user.")
    per_ip: Rates = _rates("The calls from one end user's address, and failed attempts to log in from any.")
    per_key: Rates = _rates("The calls of one virtual key.")
    global_: Rates = setting("The calls of everybody together.", default=None, alias="global")
    per_user_tokens: TokenRates = _rates("The tokens of one end user, input and output together.")
    per_ip_tokens: TokenRates = _rates("The tokens of one end user's address.")
    per_key_tokens: TokenRates = _rates("The tokens of one virtual key.")
    global_tokens: TokenRates = _rates("The tokens of everybody together.")
    per_user_at_once: AtOnce = setting("How many calls of one end user may run at once.", default=None)
    per_ip_at_once: AtOnce = setting("How many calls from one address may run at once.", default=None)
    per_key_at_once: AtOnce = setting("How many calls of one virtual key may run at once.", default=None)
    global_at_once: AtOnce = setting("How many calls may run at once.", default=None)

    def terms(self, section: str, model: str = "") -> tuple[Terms, ...]:
        """Return what is limited, in the words of the policy; `section` is where it stands in the file."""
        found = []
        for kind, name in SCOPES.items():
            requests = self.global_ if kind == "global" else getattr(self, name)
            stated = {
                name: stated_rates("requests", requests),
                f"{name}_tokens": stated_rates("tokens", getattr(self, f"{name}_tokens")),
                f"{name}_at_once": stated_at_once(getattr(self, f"{name}_at_once")),
            }
            found += [
                Terms(f"{section}.{setting_name}", kind, limits, model)
                for setting_name, limits in stated.items()
                if limits
            ]
        return tuple(found)


class ModelLimitSettings(LimitSettings):
    """The same for the calls of one model alone, on top of those for all. MODEL is what callers ask for."""


class TierSettings(Section):
    """What the end users of a tier may do. NAME is yours to choose: free, premium.

    Days and months are those of `time_zone`. What is not set is not limited by the tier.
    """

    limits: Rates = setting(
        "How often one user may call; in the place of `limits.per_user`, where it is set.", default=None
    )
    token_limits: TokenRates = setting(
        "How many tokens in how much time; in the place of `limits.per_user_tokens`, where it is set.",
        default=None,
    )
    at_once: AtOnce = setting(
        "How many calls at once; in the place of `limits.per_user_at_once`, where it is set.", default=None
    )
    tokens_per_day: Tokens | None = setting("The tokens of one user in a day, in and out.", default=None)
    tokens_per_month: Tokens | None = setting("The tokens of one user in a month.", default=None)
    requests_per_day: Whole | None = setting("The calls of one user in a day.", default=None, ge=1, le=10**9)
    requests_per_month: Whole | None = setting(
        "The calls of one user in a month.", default=None, ge=1, le=10**9
    )
    daily_usd: Cap = setting("The most that one user may spend in a day (UTC).", default=None)
    monthly_usd: Cap = setting("The most that one user may spend in a calendar month (UTC).", default=None)
    models: Names | None = setting("The models of this tier; not set means every model.", default=None)
    guard: Text | None = setting(
        "The profile of the guard for this tier: off, flag, block, or one of your own under `guards`.",
        default=None,
    )

    def terms(self, name: str) -> TierTerms:
        """Return the tier in the words of the policy."""
        return TierTerms(
            name=name,
            requests=None if self.limits is None else stated_rates("requests", self.limits),
            tokens=None if self.token_limits is None else stated_rates("tokens", self.token_limits),
            at_once=None if self.at_once is None else stated_at_once(self.at_once),
            quota=Quota(
                self.tokens_per_day, self.tokens_per_month, self.requests_per_day, self.requests_per_month
            ),
            budget=Budget(daily=self.daily_usd, monthly=self.monthly_usd),
            models=None if self.models is None else frozenset(self.models),
            guard=self.guard,
        )


class LoopSettings(Section):
    """When the same call again and again is taken for a loop, and stopped with 429 `loop_detected`.

    It is the same caller if it is the same end user or address, else the same key; the same call if its model
    and the end of its conversation are the same. Of a person, nearly the same counts too. Agents that make
    progress are no loop.
    """

    calls: Whole = setting(
        "How many of the same call by one person within the window; 0 switches it off.",
        default=20,
        ge=0,
        le=100_000,
    )
    calls_unnamed: Whole = setting(
        "The same for a virtual key that names no end user, behind which there may be many people.",
        default=100,
        ge=0,
        le=100_000,
    )
    window_s: Seconds = setting("The window.", default=60.0)

    def rules(self) -> LoopRules:
        """Return the rules in the words of the breaker."""
        return LoopRules(self.calls, self.calls_unnamed, self.window_s)


def stated_rates(unit: Any, rates: list[Rate] | None) -> tuple[StatedLimit, ...]:
    """Return rates as limits on a unit."""
    return tuple(StatedLimit(unit, rate.count, rate.period_s, rate.burst) for rate in rates or ())


def stated_at_once(count: int | None) -> tuple[StatedLimit, ...]:
    """Return a number of calls at once as a limit; 0 is off."""
    return (StatedLimit("at_once", count, 0),) if count else ()
