"""What is announced to the operator: events, and the deliveries that carry them."""

from typing import Any, Literal

from msgspec import Struct

Channel = Literal["webhook", "mail"]
KINDS = (
    "budget.threshold", "quota.threshold", "user.quota_exhausted", "user.tier_changed", "spend.unusual",
    "provider.errors", "provider.slow", "provider.outage", "provider.recovered", "provider.key_failing",
    "call.overage", "loop.detected", "backup.failed", "digest.daily", "test",
)  # fmt: skip


class Event(Struct, frozen=True):
    """Something that the operator should hear of, once for each `subject`.

    `text` is a sentence for people, `data` the same for programs: no prompt, key or account in either. `at`
    in Unix seconds.
    """

    kind: str
    subject: str
    text: str
    data: dict[str, Any]
    at: float
    body: str = ""


class Delivery(Struct, frozen=True):
    """One event on its way to one channel; `payload` is the JSON that a webhook gets."""

    id: str
    event_id: str
    kind: str
    channel: Channel
    payload: bytes
    tries: int
    at: float
    state: str = "waiting"
    why: str | None = None
