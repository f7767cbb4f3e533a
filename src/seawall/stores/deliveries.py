"""How events and their deliveries are written down, in the same words for every database.

Places of values are written `?`. What was sent to the operator stays for a month as a line without its text,
so that nobody's name lies about; what was sent to apps, of which there may be very much, for three days.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from seawall.core.events import APP, APP_KEPT_S, USER_MAIL, Channel, Delivery, Event

LEASE_S = 60.0
"""A delivery whose process died is taken up by another after so long."""
KEPT_S = 30 * 86_400.0
ANNOUNCED_KEPT_S = 13 * KEPT_S
"""How long it is known what was announced: periods of a year there are none."""
APP_LISTED_S = 3 * 86_400.0
"""How long it is known what was sent to apps and users, and that it was announced."""
LISTED_MAX = 200
TRIM_MAX = 1_000

_IS_DISABLED = "EXISTS (SELECT 1 FROM receivers WHERE channel = ? AND disabled_at IS NOT NULL)"
PUT = (
    "INSERT INTO outbox (id, event_id, at, kind, channel, payload, next_at)"  # noqa: S608 - words of our own
    f" VALUES (?, ?, ?, ?, ?, ?, CASE WHEN {_IS_DISABLED} THEN ? ELSE ? END)"
)
ANNOUNCE = "INSERT INTO announced (subject, at) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING subject"
DONE = "UPDATE outbox SET done_at = ?, tries = tries + 1, payload = '' WHERE id = ?"
RETRY = (
    "UPDATE outbox SET tries = tries + 1, why = ?, leased_until = 0, next_at = CASE WHEN EXISTS"  # noqa: S608 - a number of ours
    " (SELECT 1 FROM receivers WHERE channel = outbox.channel AND disabled_at IS NOT NULL)"
    f" THEN at + {APP_KEPT_S} ELSE ? END WHERE id = ?"
)
GIVE_UP = "UPDATE outbox SET given_up_at = ?, tries = tries + 1, why = ?, payload = '' WHERE id = ?"
NOTE = (
    "INSERT INTO outbox (id, event_id, at, kind, channel, payload, tries, next_at, why, done_at, given_up_at)"
    " VALUES (?, ?, ?, ?, ?, '', 1, ?, ?, ?, ?)"
)
_NEWEST = (
    "SELECT id, event_id, kind, channel, payload, tries, at,"
    " CASE WHEN done_at IS NOT NULL THEN 'sent' WHEN given_up_at IS NOT NULL THEN 'given up'"
    " ELSE 'waiting' END, why FROM outbox WHERE channel IN ({}) ORDER BY at DESC, id DESC LIMIT ?"
)
# What is of the operator stays longer than what is of apps, of which there is more.
_TRIM = (
    "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE at < ?"
    " AND (channel NOT IN ('webhook', 'mail') OR at < ?) ORDER BY at LIMIT ?)"
)
_TRIM_ANNOUNCED = (
    "DELETE FROM announced WHERE subject IN (SELECT subject FROM announced WHERE at < ?"
    " AND (subject >= 'job ' AND subject < 'job!' OR at < ?) ORDER BY at LIMIT ?)"
)

Row = tuple[Any, ...]


def payload_of(event: Event) -> bytes:
    """Write an event as a webhook gets it; `text` is what Slack shows."""
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return msgspec.json.encode({"type": event.kind, "timestamp": at, "text": event.text, "data": event.data})


def app_payload_of(event: Event, event_id: str) -> bytes:
    """Write an event as the webhook of an app gets it: in the shape of OpenAI's (read 2026-11)."""
    return msgspec.json.encode(
        {
            "id": event_id,
            "object": "event",
            "type": event.kind,
            "created_at": int(event.at),
            "data": event.data,
        }
    )


def rows_of(event: Event, channels: Sequence[Channel]) -> list[Row]:
    """Write down the deliveries of an event, one for each channel: the values of `PUT`."""
    event_id = f"evt_{secrets.token_hex(12)}"
    at = event.at
    return [
        (
            f"{event_id}.{channel}",
            event_id,
            at,
            event.kind,
            channel,
            _payload(event, event_id, channel),
            channel,
            at + APP_KEPT_S,
            at,
        )
        for channel in channels
    ]


def note_of(delivery: Delivery, now: float, why: str | None) -> Row:
    """Write down a delivery that is at its end: the values of `NOTE`."""
    names = (delivery.id, delivery.event_id, delivery.at, delivery.kind, delivery.channel)
    return (*names, delivery.at, why, now if why is None else None, None if why is None else now)


def newest_of(channels: Sequence[Channel]) -> tuple[str, Row]:
    """Return the question for the newest deliveries of some channels."""
    return _NEWEST.format(", ".join("?" * len(channels))), (*channels, LISTED_MAX)


def trimming(now: float) -> list[tuple[str, Row]]:
    """Return the statements that forget a batch of what is old, each with its values."""
    return [
        (_TRIM, (now - APP_LISTED_S, now - KEPT_S, TRIM_MAX)),
        (_TRIM_ANNOUNCED, (now - APP_LISTED_S, now - ANNOUNCED_KEPT_S, TRIM_MAX)),
    ]


def delivery_of(row: Row) -> Delivery:
    """Read a delivery back."""
    delivery_id, event_id, kind, channel, payload, tries, at, *rest = row
    return Delivery(delivery_id, event_id, kind, channel, payload.encode(), tries, at, *rest)


def _payload(event: Event, event_id: str, channel: Channel) -> str:
    if channel.startswith(APP):
        return app_payload_of(event, event_id).decode()
    if channel in ("mail", USER_MAIL) and event.body:
        return event.body
    return payload_of(event).decode()
