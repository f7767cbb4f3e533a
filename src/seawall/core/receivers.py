"""How the webhooks of apps do: what keeps failing is disabled until the operator enables it again."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from seawall.core.events import Channel, Event

FAILURES_MAX = 20
FAILING_S = 5 * 3_600.0
"""An app's webhook is disabled after so many failures in a row, over at least so long."""


class ReceiverState(Struct, frozen=True):
    """A webhook whose last delivery failed. Moments in Unix seconds; `disabled_at` is `None` in use."""

    channel: Channel
    failures: int
    failing_since: float
    disabled_at: float | None
    why: str


class ReceiverFailure(Struct, frozen=True):
    """A delivery that failed; `is_gone` says that the receiver wants no more."""

    channel: Channel
    at: float
    why: str
    is_gone: bool = False


class Receivers(Protocol):
    """The webhooks of apps that fail. Everything raises Overloaded where the store is down.

    While one is disabled nothing is due for it: what waits is kept for a day after it was announced.
    """

    async def failed(self, failure: ReceiverFailure, event: Event, channels: Sequence[Channel]) -> bool:
        """Note a failure; says whether that disabled it, and then the event was announced with it."""

    async def failing(self) -> list[ReceiverState]:
        """Return those that fail or are disabled."""

    async def enable(self, channel: Channel, now: float) -> bool:
        """Use one again: what waits for it is due now; false where it was not disabled."""
