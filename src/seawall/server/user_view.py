"""What is known of an end user: what was decided, what it may do now, and what it has used of that."""

from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from msgspec import Struct

from seawall.core.contracts import CallLog, Directory, Ledger, Spend, UserRecord
from seawall.core.events import Channel
from seawall.core.ledger import Account, Standing
from seawall.core.money import format_usd
from seawall.core.periods import names_in, next_start
from seawall.core.policy import Policy, Principal, Quota, Scope
from seawall.core.terms import HouseTerms
from seawall.identity.policies import Policies
from seawall.identity.stated import show_limits, show_quota
from seawall.server.showing import iso_of, show_spend


class Books(Struct, frozen=True):
    """Where users are looked up: the same stores for a gateway and for a command beside it.

    `channels` are those that hear of another tier.
    """

    directory: Directory
    ledger: Ledger
    call_log: CallLog
    house: HouseTerms
    now: Callable[[], float]
    channels: tuple[Channel, ...] = ()


class UserView(Struct, frozen=True):
    """One end user as it stands: `policy` is what holds where its token or key claims no tier."""

    id: str
    record: UserRecord | None
    policy: Policy
    quotas: tuple[Standing, ...]
    spend: Spend


async def look_at(user_id: str, books: Books) -> UserView:
    """Look a user up; one of whom nothing is known has what everybody has."""
    record = await books.directory.find_user(user_id)
    principal = Principal(key_id="", key_name="", end_user=user_id)
    policy = Policies(books.house).for_user(principal, Policy(budgets=()), record)
    standings = await books.ledger.standings(quota_accounts(user_id, policy, books.now(), books.house.zone))
    spend = await books.call_log.spend(str(Scope("user", user_id)), books.now())
    return UserView(user_id, record, policy, tuple(standings), spend)


def quota_accounts(user_id: str, policy: Policy, at_s: float, zone: tzinfo) -> list[Account]:
    """List all quota accounts of a user in its present periods; those without a cap as well."""
    quota = next((each.quota for each in policy.quotas), Quota())
    day, month = names_in(at_s, zone)
    caps = {
        f"tokens:{day}": quota.tokens_daily,
        f"tokens:{month}": quota.tokens_monthly,
        f"requests:{day}": quota.requests_daily,
        f"requests:{month}": quota.requests_monthly,
    }
    return [Account(str(Scope("user", user_id)), period, cap) for period, cap in caps.items()]


def show_user(view: UserView, zone: tzinfo) -> dict[str, Any]:
    """Show a user: what was decided about it, and what it may still use."""
    record, policy = view.record, view.policy
    budget = next((each.budget for each in policy.budgets), None)
    return {
        "id": view.id,
        "tier": None if record is None else record.tier,
        "effective_tier": policy.tier,
        "blocked_at": iso_of(None if record is None else record.blocked_at),
        "note": None if record is None else record.note,
        "mail": record is None or record.may_mail,
        "limits": None if record is None or record.limits is None else show_limits(record.limits),
        "quota": None if record is None or record.quota is None else show_quota(record.quota),
        "budget": None
        if budget is None
        else {
            name: None if cap is None else format_usd(cap)
            for name, cap in (("daily_usd", budget.daily), ("monthly_usd", budget.monthly))
        },
        "usage": [
            show_standing(standing, zone) for standing in view.quotas if standing.account.cap is not None
        ],
        "spend": show_spend(view.spend),
    }


def show_standing(standing: Standing, zone: tzinfo) -> dict[str, Any]:
    """Show how much of one quota is used."""
    account = standing.account
    day = account.period.rpartition(":")[2]
    resets = next_start(day, zone)
    return {
        "of": f"{account.counts}_per_{'month' if len(day) == len('2026-11') else 'day'}",
        "period": day,
        "used": standing.spent,
        "held": standing.held,
        "allowed": account.cap,
        "resets_at": None if resets is None else resets.astimezone(zone).isoformat(),
    }
