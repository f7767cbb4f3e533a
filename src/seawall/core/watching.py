"""What alerts go by: the rules that the operator states, and what they look at."""

from typing import Protocol

from msgspec import Struct

from seawall.core.money import NANO, Money


class AlertRules(Struct, frozen=True):
    """When something is worth an alert: percent of caps and of failed calls; `latency_s` is `None` for
    never.
    """

    thresholds: tuple[int, ...] = (50, 80, 100)
    unusual_floor: Money = Money(NANO)
    error_percent: int = 20
    latency_s: float | None = None


class Seen(Struct, frozen=True):
    """One call as alerts see it: no model, text or address."""

    provider: str
    outcome: str
    code: str | None
    took_ms: float
    first_ms: float | None
    overage: int
    key_id: str
    end_user: str | None


class Watch(Protocol):
    """What alerts look at. Everything raises Overloaded where the store is down."""

    async def used(self, period: str) -> list[tuple[str, int, int]]:
        """Return (scope, used, held) of every account of a period of which something is used."""

    async def days(self, first: str, last: str) -> dict[str, dict[str, int]]:
        """Return what the gateway and each key spent on each day, by scope and day."""

    async def calls(self, since_ms: int) -> list[Seen]:
        """Return the newest calls since then, 5,000 at most."""

    async def sums(self, by: str, first_hour: int, last_hour: int) -> list[tuple[str, int, int, int]]:
        """Return (name, calls, tokens, cost) by `key`, `model` or `user`, the dearest ten, or of `all`."""

    async def refused(self, since_ms: int, until_ms: int) -> list[tuple[str, int]]:
        """Return how many calls were refused, by code."""

    async def saved(self, since_ms: int, until_ms: int) -> int:
        """Return what the cache saved."""
