"""Writes keys, calls and sums as the admin API and the CLI show them: money as decimal strings in dollars."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from seawall.core.call import Try
from seawall.core.contracts import KeyRecord, Spend
from seawall.core.ledger import CallRow
from seawall.core.money import format_usd
from seawall.identity.stated import show_limits, show_quota

_decode_tries = msgspec.json.Decoder(list[Try]).decode


def iso_of(at_s: float | None) -> str | None:
    """Write a moment in Unix seconds as ISO 8601 in UTC."""
    if at_s is None:
        return None
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def show_key(record: KeyRecord, spend: Spend) -> dict[str, Any]:
    """Show a key: what it may do and what it has spent, never its secret or hash."""
    budget = record.budget
    caps = {"daily_usd": budget.daily, "monthly_usd": budget.monthly, "lifetime_usd": budget.lifetime}
    return {
        "id": record.id,
        "name": record.name,
        "kind": record.kind,
        "owner": record.owner or None,
        "tier": record.tier,
        "models": record.models,
        "budget": {name: None if cap is None else format_usd(cap) for name, cap in caps.items()},
        "limits": show_limits(record.limits),
        "trial": None if record.trial is None else show_quota(record.trial),
        "origins": record.origins,
        "guard": record.guard,
        "created_at": iso_of(record.created_at),
        "expires_at": iso_of(record.expires_at),
        "revoked_at": iso_of(record.revoked_at),
        "last_used_at": iso_of(record.last_used_at),
        "spend": show_spend(spend),
    }


def show_spend(spend: Spend) -> dict[str, str]:
    """Show what a scope has spent in its present periods."""
    return {
        "daily_usd": format_usd(spend.daily),
        "monthly_usd": format_usd(spend.monthly),
        "lifetime_usd": format_usd(spend.lifetime),
        "held_usd": format_usd(spend.held),
        "overage_usd": format_usd(spend.overage),
    }


def show_call(row: CallRow) -> dict[str, Any]:
    """Show one call with every decision."""
    usage = row.usage
    return {
        "id": row.id,
        "at": iso_of(row.at_ms / 1000),
        "endpoint": row.endpoint,
        "key_id": row.key_id,
        "end_user": row.end_user,
        "model": row.model,
        "provider": row.provider,
        "stream": row.stream,
        "status": row.status,
        "outcome": row.outcome,
        "code": row.code,
        "took_ms": row.took_ms,
        "first_ms": row.first_ms,
        "usage": None if usage is None else msgspec.structs.asdict(usage),
        "held_usd": format_usd(row.held),
        "cost_usd": format_usd(row.cost),
        "overage_usd": format_usd(row.overage),
        "listed_cost_usd": format_usd(row.listed_cost),
        "saved_usd": format_usd(row.saved),
        "decisions": msgspec.json.decode(row.decisions),
        "attempts": [show_try(each) for each in _decode_tries(row.attempts)],
    }


def show_try(each: Try) -> dict[str, Any]:
    """Show one attempt at a provider, with its share of the money."""
    shown = msgspec.structs.asdict(each)
    shown["held_usd"] = format_usd(shown.pop("held"))
    shown["cost_usd"] = format_usd(shown.pop("cost"))
    return shown


def show_sums(sums: dict[str, Any]) -> dict[str, Any]:
    """Show one row of the usage sums."""
    shown = dict(sums)
    shown["cost_usd"] = format_usd(shown.pop("cost"))
    shown["overage_usd"] = format_usd(shown.pop("overage"))
    return shown
