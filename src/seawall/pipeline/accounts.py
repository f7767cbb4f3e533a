"""On which accounts of the ledger a call is held."""

from datetime import tzinfo
from functools import lru_cache

from seawall.core.call import Call
from seawall.core.contracts import Gateway
from seawall.core.ledger import Account, AccountSet
from seawall.core.periods import LIFETIME, QUARTER_S, day_of, month_of, names_in
from seawall.core.policy import Policy

POLICIES_REMEMBERED = 10_000


def accounts_of(call: Call, gateway: Gateway) -> AccountSet:
    """Return the accounts of a call as its policy is now."""
    assert call.policy is not None
    return _accounts(call.policy, int(call.received_at) // QUARTER_S, gateway.house.zone)


@lru_cache(maxsize=POLICIES_REMEMBERED)
def _accounts(policy: Policy, quarter: int, zone: tzinfo) -> AccountSet:
    """List the accounts of a call: each scope in its day, its month and altogether, and its user's quotas.

    No period begins within a quarter of an hour.
    """
    at_s = quarter * QUARTER_S
    day, month = day_of(at_s), month_of(at_s)
    quota_day, quota_month = names_in(at_s, zone)
    money = [
        Account(str(item.scope), period, cap)
        for item in policy.budgets
        for period, cap in (
            (day, item.budget.daily),
            (month, item.budget.monthly),
            (LIFETIME, item.budget.lifetime),
        )
    ]
    quotas = [
        Account(str(item.scope), period, cap)
        for item in policy.quotas
        for period, cap in (
            (f"tokens:{quota_day}", item.quota.tokens_daily),
            (f"tokens:{quota_month}", item.quota.tokens_monthly),
            (f"requests:{quota_day}", item.quota.requests_daily),
            (f"requests:{quota_month}", item.quota.requests_monthly),
        )
        if cap is not None
    ]
    return AccountSet.of((*money, *quotas))
