"""What is announced, to the operator and to apps: events, and the deliveries that carry them."""

from typing import Any

from msgspec import Struct

Channel = str
"""By which way an event goes out: `webhook` and `mail` are the operator's; `webhook:NAME` is the one of an
app, `mail:user` the mailbox of whoever waits for a job.
"""
OPERATORS: tuple[Channel, ...] = ("webhook", "mail")
APP = "webhook:"
USER_MAIL = "mail:user"
APP_KEPT_S = 86_400.0
"""For so long an event is kept for an app that does not take it."""
KINDS = (
    "budget.threshold", "quota.threshold", "user.quota_exhausted", "user.tier_changed", "spend.unusual",
    "provider.errors", "provider.slow", "provider.outage", "provider.recovered", "provider.key_failing",
    "call.overage", "loop.detected", "backup.failed", "jobs.failing", "webhook.disabled",
    "digest.daily", "test",
)  # fmt: skip
APP_KINDS = (
    "response.completed", "response.incomplete", "response.failed", "response.cancelled", "job.completed",
    "job.incomplete", "job.failed", "job.cancelled", "task.failed",
)  # fmt: skip
"""What an app can be told, by OpenAI's names where it has one (read 2026-11)."""


class Event(Struct, frozen=True):
    """Something that somebody should hear of, once for each `subject`.

    `text` is a sentence for people, `data` the same for programs: no prompt, key or account in either. `at`
    in Unix seconds. `body` is what a mail says where that is written out already.
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
