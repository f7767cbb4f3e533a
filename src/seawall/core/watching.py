"""What alerts go by: the rules that the operator states, and a call as they see it."""

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
