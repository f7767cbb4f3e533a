"""The daily digest: what yesterday cost, who spent it, what the cache saved, who was refused."""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from seawall.core.events import Event
from seawall.core.money import NANO, format_usd
from seawall.core.watching import Watch

HOUR_S = 3_600


async def digest(watch: Watch, key_names: dict[str, str], now: float, zone: tzinfo) -> Event:
    """Sum yesterday up, as the time zone has it; hours are whole, as the sums are kept."""
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    first = (today - timedelta(days=1)).replace(tzinfo=zone)
    start, end = int(first.timestamp()), int(today.timestamp())
    hours = (start // HOUR_S, end // HOUR_S)
    models = await watch.sums("model", *hours)
    keys = [(key_names.get(name, name), *rest) for name, *rest in await watch.sums("key", *hours)]
    users = [row for row in await watch.sums("user", *hours) if row[0]]
    refused = await watch.refused(start * 1000, end * 1000)
    saved = await watch.saved(start * 1000, end * 1000)
    calls, spent = next(((row[1], row[3]) for row in await watch.sums("all", *hours)), (0, 0))
    day = f"{first:%Y-%m-%d}"
    text = f"{day}: ${spent / NANO:.2f} for {calls:,} calls."
    data: dict[str, Any] = {
        "day": day, "spent_usd": format_usd(spent), "calls": calls, "saved_usd": format_usd(saved),
        "models": _rows(models), "keys": _rows(keys), "users": _rows(users), "refused": dict(refused),
    }  # fmt: skip
    return Event("digest.daily", f"digest.daily {day}", text, data, now, body=_written(text, data))


def _rows(rows: list[Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "calls": calls, "tokens": tokens, "cost_usd": format_usd(cost)}
        for name, calls, tokens, cost in rows
    ]


def _written(text: str, data: dict[str, Any]) -> str:
    """Write the digest for people."""
    lines = [f"Digest of {text}"]
    if data["saved_usd"] != "0.00":
        lines.append(f"The cache saved ${data['saved_usd']}.")
    for title in ("models", "keys", "users"):
        if data[title]:
            lines += ["", f"{title.capitalize()}, the dearest first:"]
            lines += [
                f"  ${row['cost_usd']:>12}  {row['calls']:>7} calls  {row['name']}" for row in data[title]
            ]
    if data["refused"]:
        lines += ["", "Refused:"]
        lines += [f"  {count:>7}  {code}" for code, count in data["refused"].items()]
    if not data["calls"]:
        lines += ["", "Nobody called. That is fine, if nobody should have."]
    return "\n".join([*lines, "", "More: seawall usage --days 2", ""])
