"""How events and their deliveries are written down, in the same words for every database.

Places of values are written `?`. What was sent stays for a month as a line without its text, so that nobody's
name lies about.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from seawall.core.events import Channel, Delivery, Event

LEASE_S = 60.0
"""A delivery whose process died is taken up by another after so long."""
KEPT_S = 30 * 86_400.0
ANNOUNCED_KEPT_S = 13 * KEPT_S
"""How long it is known what was announced: periods of a year there are none."""
LISTED_MAX = 200

PUT = "INSERT INTO outbox (id, event_id, at, kind, channel, payload, next_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
DONE = "UPDATE outbox SET done_at = ?, tries = tries + 1, payload = '' WHERE id = ?"
RETRY = "UPDATE outbox SET next_at = ?, tries = tries + 1, why = ?, leased_until = 0 WHERE id = ?"
GIVE_UP = "UPDATE outbox SET given_up_at = ?, tries = tries + 1, why = ?, payload = '' WHERE id = ?"
NEWEST = (
    "SELECT id, event_id, kind, channel, payload, tries, at,"
    " CASE WHEN done_at IS NOT NULL THEN 'sent' WHEN given_up_at IS NOT NULL THEN 'given up'"
    " ELSE 'waiting' END, why FROM outbox ORDER BY at DESC, id DESC LIMIT ?"
)
TRIM = "DELETE FROM outbox WHERE at < ?"
TRIM_ANNOUNCED = "DELETE FROM announced WHERE at < ?"

Row = tuple[Any, ...]


def payload_of(event: Event) -> bytes:
    """Write an event as a webhook gets it; `text` is what Slack shows."""
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return msgspec.json.encode({"type": event.kind, "timestamp": at, "text": event.text, "data": event.data})


def rows_of(event: Event, channels: Sequence[Channel]) -> list[Row]:
    """Write down the deliveries of an event, one for each channel."""
    event_id = f"evt_{secrets.token_hex(12)}"
    rows = []
    for channel in channels:
        payload = event.body if channel == "mail" and event.body else payload_of(event).decode()
        rows.append((f"{event_id}.{channel}", event_id, event.at, event.kind, channel, payload, event.at))
    return rows


def delivery_of(row: Row) -> Delivery:
    """Read a delivery back."""
    delivery_id, event_id, kind, channel, payload, tries, at, *rest = row
    return Delivery(delivery_id, event_id, kind, channel, payload.encode(), tries, at, *rest)
