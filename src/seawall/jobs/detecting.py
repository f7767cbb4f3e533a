"""What is worth an alert: pure functions from what the database shows to events.

Invariants:
- An event's subject names what it is about and the period, so that it is announced once; a user stands in it
  as ` user:ID `, by which it is found when a person is erased.
- Where several thresholds were passed at once only the highest is told.
- No prompt, key or provider account stands in an event; ids of keys and users do, for the operator alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from seawall.core.events import Event
from seawall.core.jobs import JobFailures
from seawall.core.ledger import Standing
from seawall.core.money import NANO, format_usd
from seawall.core.watching import AlertRules, Seen

HISTORY_DAYS_MIN = 3
ERROR_CALLS_MIN = 20
OUTAGE_CALLS_MIN = 5
SLOW_CALLS_MIN = 20
JOBS_FAILED_MIN = 10
HOUR_S = 3_600
_FAILED = frozenset({"failed"})


def thresholds(standings: Iterable[Standing], rules: AlertRules, now: float) -> Iterator[Event]:
    """Yield an event for each account that has passed a threshold of its cap."""
    for standing in standings:
        account = standing.account
        if not account.cap:
            continue
        percent = standing.spent * 100 // account.cap
        passed = max((each for each in rules.thresholds if percent >= each), default=None)
        if passed is None:
            continue
        is_money = account.counts == "usd"
        kind = "budget.threshold" if is_money else "quota.threshold"
        used, allowed = (
            format_usd(amount) if is_money else str(amount) for amount in (standing.spent, account.cap)
        )
        sign, unit = ("$", "") if is_money else ("", f" {account.counts}")
        text = (
            f"{percent} % of the {_period(account.period)} {'budget' if is_money else 'quota'} of"
            f" {_whose(account.scope)} is used: {sign}{used} of {sign}{allowed}{unit}."
        )
        data = {
            "scope": account.scope, "period": account.period, "threshold": passed, "percent": percent,
            "unit": account.counts, "used": used if is_money else standing.spent,
            "allowed": allowed if is_money else account.cap,
        }  # fmt: skip
        yield Event(kind, f"{kind} {account.scope} {account.period} {passed} {account.cap}", text, data, now)


def exhausted_quotas(standings: Iterable[Standing], now: float) -> Iterator[Event]:
    """Yield an event for each user's quota that is used up."""
    for standing in standings:
        account = standing.account
        if account.cap is None or standing.spent < account.cap:
            continue
        user = account.scope.partition(":")[2]
        text = f"The user {user} has used up the {_period(account.period)} quota of {account.counts}."
        data = {
            "user": user, "unit": account.counts, "period": account.period.partition(":")[2],
            "used": standing.spent, "allowed": account.cap,
        }  # fmt: skip
        kind = "user.quota_exhausted"
        yield Event(kind, f"{kind} {account.scope} {account.period} {account.cap}", text, data, now)


def unusual(days: dict[str, dict[str, int]], today: str, rules: AlertRules, now: float) -> Iterator[Event]:
    """Yield an event for each scope that spends today as never in the days before.

    Unusual is more than the median of the last 14 days and five times their median absolute deviation
    (Hampel's rule, with its usual factor of 1.4826), more than twice the median, and more than the floor.
    """
    for scope, by_day in days.items():
        before = [spent for day, spent in by_day.items() if day < today]
        spent = by_day.get(today, 0)
        if len(before) < HISTORY_DAYS_MIN:
            continue
        middle = median(before)
        spread = 1.4826 * median(abs(each - middle) for each in before)
        usual = max(middle + 5 * spread, 2 * middle, float(rules.unusual_floor))
        if spent <= usual:
            continue
        text = (
            f"Unusual spending by {_whose(scope)}: ${spent / NANO:.2f} so far today; the median of the last"
            f" {len(before)} days is ${middle / NANO:.2f}."
        )
        data = {
            "scope": scope, "day": today, "days": len(before),
            "spent_usd": format_usd(spent), "median_usd": format_usd(int(middle)),
        }  # fmt: skip
        yield Event("spend.unusual", f"spend.unusual {scope} {today}", text, data, now)


def health(calls: Sequence[Seen], rules: AlertRules, now: float) -> Iterator[Event]:
    """Yield events about each provider, once an hour at most: outage, errors, slowness, a key that fails."""
    hour = int(now) // HOUR_S
    by_provider: dict[str, list[Seen]] = {}
    for call in calls:
        if call.provider and call.outcome in ("ok", "failed"):
            by_provider.setdefault(call.provider, []).append(call)
    for provider, seen in by_provider.items():
        failed = [call for call in seen if call.outcome in _FAILED]
        percent = len(failed) * 100 // len(seen)
        figures = {"provider": provider, "calls": len(seen), "failed": len(failed), "percent": percent}
        if any(call.code == "provider_credentials" for call in failed):
            text = f"{provider} does not accept its key, or the account there cannot pay."
            yield Event("provider.key_failing", f"provider.key_failing {provider} {hour}", text, figures, now)
        elif len(seen) >= OUTAGE_CALLS_MIN and len(failed) == len(seen):
            text = f"{provider} is not answering: all of the last {len(seen)} calls failed."
            yield Event("provider.outage", f"provider.outage {provider} {hour}", text, figures, now)
        elif len(seen) >= ERROR_CALLS_MIN and percent >= rules.error_percent:
            text = f"{percent} % of the last {len(seen)} calls to {provider} failed."
            yield Event("provider.errors", f"provider.errors {provider} {hour}", text, figures, now)
        yield from _slow(provider, seen, rules, now)


def recovered(calls: Sequence[Seen], down: set[str], now: float) -> Iterator[Event]:
    """Yield an event for each provider that was down and whose newest calls succeed."""
    for provider in sorted(down):
        newest = [call for call in calls if call.provider == provider and call.outcome in ("ok", "failed")][
            :3
        ]
        if len(newest) == 3 and all(call.outcome == "ok" for call in newest):
            subject = f"provider.recovered {provider} {int(now) // HOUR_S}"
            yield Event(
                "provider.recovered", subject, f"{provider} answers again.", {"provider": provider}, now
            )


def surprises(calls: Sequence[Seen], now: float) -> Iterator[Event]:
    """Yield events about money beyond a hold and about loops, once an hour for each key."""
    hour = int(now) // HOUR_S
    overage = sum(call.overage for call in calls)
    if overage:
        text = f"Providers billed ${format_usd(overage)} more than was held in the last 15 minutes."
        yield Event("call.overage", f"call.overage {hour}", text, {"overage_usd": format_usd(overage)}, now)
    loops = {(call.key_id, call.end_user) for call in calls if call.code == "loop_detected"}
    for key_id, user in sorted(loops, key=str):
        whom = f"the user {user}" if user else f"the key {key_id}"
        data = {"key_id": key_id, "end_user": user}
        subject = f"loop.detected {key_id} user:{user or ''} {hour}"
        yield Event(
            "loop.detected", subject, f"A loop was stopped: {whom} sent one call again and again.", data, now
        )


def failing_jobs(failed: Sequence[JobFailures], now: float) -> Iterator[Event]:
    """Yield an event, once an hour, where many jobs failed and not because they were refused."""
    troubles = [each for each in failed if not each.is_refusal]
    jobs = sum(each.jobs for each in troubles)
    if jobs < JOBS_FAILED_MIN:
        return
    text = f"{jobs} jobs failed in the last 15 minutes, most of them with {troubles[0].code}."
    data = {"failed": jobs, "codes": {each.code: each.jobs for each in troubles}}
    yield Event("jobs.failing", f"jobs.failing {int(now) // HOUR_S}", text, data, now)


def _slow(provider: str, seen: list[Seen], rules: AlertRules, now: float) -> Iterator[Event]:
    waits = sorted((call.first_ms or call.took_ms) / 1000 for call in seen if call.outcome == "ok")
    if rules.latency_s is None or len(waits) < SLOW_CALLS_MIN:
        return
    p95 = waits[len(waits) * 95 // 100]
    if p95 > rules.latency_s:
        text = (
            f"{provider} is slow: one call in twenty waits longer than {p95:.1f} s for its answer to begin."
        )
        data = {"provider": provider, "p95_s": round(p95, 3), "calls": len(waits)}
        yield Event("provider.slow", f"provider.slow {provider} {int(now) // HOUR_S}", text, data, now)


def _period(period: str) -> str:
    day = period.rpartition(":")[2]
    return {10: "daily", 7: "monthly"}.get(len(day), "lifetime")


def _whose(scope: str) -> str:
    kind, _, name = scope.partition(":")
    return "the gateway" if kind == "global" else f"the {kind} {name}"
