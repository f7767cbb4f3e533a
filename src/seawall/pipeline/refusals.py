"""What a caller is told when an account stands against its call: whose, how much, until when, what to do.

Only the caller's own scopes show numbers: what the whole gateway spends is nobody's business.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from seawall.core.call import Call
from seawall.core.contracts import Gateway
from seawall.core.errors import BudgetBusy, BudgetExhausted, Facts, QuotaExhausted, Refusal
from seawall.core.ledger import Standing
from seawall.core.money import format_usd
from seawall.core.periods import LIFETIME, next_start

BUSY_RETRY_AFTER_S = 1.0
_OWNERS = {"global": "gateway", "key": "key", "user": "user"}


def exhausted(standing: Standing, call: Call, gateway: Gateway) -> Refusal:
    """Return the refusal of a call for which what is left does not pay, or of which its user has no more."""
    account, facts = standing.account, _facts(standing, call, gateway)
    assert account.cap is not None
    if standing.spent < account.cap:
        what = (
            f"What is left of {_whose(standing, call, start='t')}{_numbers(standing)} "
            f"{'does not pay' if account.counts == 'usd' else 'is not enough'} for this call. "
            "A smaller max_tokens or a shorter text may still fit"
        )
    else:
        what = f"{_whose(standing, call)} is used up{_numbers(standing)}"
    message = f"{what}. {_opens(standing, gateway)}"
    if account.counts != "usd":
        upgrade = f" Another tier has more: {gateway.house.upgrade_url}" if gateway.house.upgrade_url else ""
        return QuotaExhausted(message + upgrade, facts=facts)
    private = (
        f"{account.scope} {account.period}: ${format_usd(standing.spent)} is spent "
        f"and ${format_usd(standing.held)} held of ${format_usd(account.cap)}"
    )
    return BudgetExhausted(message, private=private, facts=facts)


def busy(standing: Standing, call: Call, gateway: Gateway) -> BudgetBusy:
    """Return the refusal of a call that would fit if nothing were held for others."""
    return BudgetBusy(
        f"The rest of {_whose(standing, call, start='t')}{_numbers(standing)} is held for calls that are "
        "still running. Try again in a moment.",
        retry_after_s=BUSY_RETRY_AFTER_S,
        facts=_facts(standing, call, gateway),
    )


def _whose(standing: Standing, call: Call, *, start: str = "T") -> str:
    account = standing.account
    kind, period = _OWNERS[account.scope.partition(":")[0]], _kind_of(account.period)
    if account.counts == "usd":
        return f"{start}he {period} budget of this {kind}"
    tier = call.policy.tier if call.policy is not None else None
    of_tier = f" of the tier {tier}" if tier else ""
    return f"{start}he {period} quota of {account.counts} of this {kind}{of_tier}"


def _kind_of(period: str) -> str:
    day = _day_of(period)
    if day == LIFETIME:
        return "lifetime"
    return "monthly" if len(day) == len("2026-11") else "daily"


def _day_of(period: str) -> str:
    """Return the calendar's part of a period."""
    return period.rpartition(":")[2]


def _numbers(standing: Standing) -> str:
    """Say the sums, but only of the caller's own scopes."""
    account = standing.account
    if account.scope == "global":
        return ""
    assert account.cap is not None
    if account.counts == "usd":
        held = f", ${format_usd(standing.held)} is held" if standing.held else ""
        return f" (${format_usd(standing.spent)} of ${format_usd(account.cap)} is spent{held})"
    held = f", {standing.held:,} are held" if standing.held else ""
    return f" ({standing.spent:,} of {account.cap:,} are used{held})"


def _opens(standing: Standing, gateway: Gateway) -> str:
    start = _resets(standing, gateway)
    if start is None:
        return "The operator of this gateway can raise it."
    return f"It opens again at {_moment(start)}, or when the operator of this gateway raises it."


def _resets(standing: Standing, gateway: Gateway) -> datetime | None:
    """Return when the period ends: money follows UTC, quotas the time zone of the gateway."""
    day = _day_of(standing.account.period)
    if standing.account.counts == "usd":
        return next_start(day)
    start = next_start(day, gateway.house.zone)
    return None if start is None else start.astimezone(gateway.house.zone)


def _moment(at: datetime) -> str:
    zone = at.tzinfo
    return f"{at:%Y-%m-%d %H:%M} {zone.key if isinstance(zone, ZoneInfo) else 'UTC'}"


def _facts(standing: Standing, call: Call, gateway: Gateway) -> Facts:
    account, resets = standing.account, _resets(standing, gateway)
    scope = _OWNERS[account.scope.partition(":")[0]]
    is_money = account.counts == "usd"
    is_own = account.scope != "global"
    used, held, allowed = (
        (format_usd(amount) if is_money else amount) if is_own and amount is not None else None
        for amount in (standing.spent, standing.held, account.cap)
    )
    return Facts(
        rule=_rule(standing, call),
        scope=scope,
        unit=account.counts,
        used=used,
        held=held,
        allowed=allowed,
        resets_at=None if resets is None else resets.isoformat(),
        upgrade_url=None if is_money else gateway.house.upgrade_url,
        say=_say(standing, resets, gateway),
    )


def _rule(standing: Standing, call: Call) -> str:
    """Name the setting that holds: `budget.daily_usd`, `tiers.free.tokens_per_day`."""
    account = standing.account
    kind = _kind_of(account.period)
    tier = call.policy.tier if call.policy is not None else None
    if account.counts != "usd":
        name = f"{account.counts}_per_{'day' if kind == 'daily' else 'month'}"
        return f"tiers.{tier}.{name}" if tier else f"quota.{name}"
    name = f"{kind}_usd"
    return f"tiers.{tier}.{name}" if tier and account.scope.startswith("user:") else f"budget.{name}"


def _say(standing: Standing, resets: datetime | None, gateway: Gateway) -> str:
    """Write a sentence for the person in front of the app."""
    when = "later" if resets is None else f"after {_moment(resets)}"
    if standing.account.scope.startswith("user:"):
        upgrade = f" You can get more here: {gateway.house.upgrade_url}" if gateway.house.upgrade_url else ""
        return f"You have used up what is yours for now. Please come back {when}.{upgrade}"
    return f"This app has used up what it may spend for now. Please come back {when}."
