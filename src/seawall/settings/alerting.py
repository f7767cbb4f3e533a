"""The sections that say what is told to the operator, by webhook and by mail."""

import re
from typing import Literal, Self

from pydantic import model_validator

from seawall.core.events import KINDS
from seawall.core.money import NANO, Money, Rate
from seawall.core.watching import AlertRules
from seawall.settings.sections import Section, setting
from seawall.settings.values import Clock, Names, Number, Percents, Price, Text, WebhookUrl, Whole

_ADDRESS = re.compile(r"[^\s@<>,\"']{1,64}@[A-Za-z0-9.-]{1,190}")


class AlertSettings(Section):
    """What is worth an alert, and where webhooks go: see [Alerts](alerts.md).

    A webhook is signed with the secret in the variable SEAWALL_WEBHOOK_SECRET; `seawall alerts secret` makes
    one.
    """

    webhook_url: WebhookUrl | None = setting("Where events are sent.", default=None)
    webhook_events: Names | None = setting("The kinds of events to send; not set means all.", default=None)
    allow_private: bool = setting(
        "Whether the webhook may be on a private network or this machine, and without HTTPS.", default=False
    )
    thresholds_percent: Percents = setting("At how much of a cap an alert goes out.", default=[50, 80, 100])
    unusual_usd: Price = setting("Spending a day below this is never unusual.", default=Rate(NANO))
    error_percent: Whole = setting(
        "How many of a provider's calls in a quarter of an hour may fail.", default=20, ge=1, le=100
    )
    latency_s: Number | None = setting(
        "How long one call in twenty may wait for its answer to begin; not set means no alert.",
        default=None,
        gt=0,
        le=3600,
    )
    digest_at: Clock = setting(
        'When the daily digest goes out, in the time zone of `time_zone`; "off" for none.', default=(8, 0)
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        unknown = [kind for kind in self.webhook_events or () if kind not in KINDS]
        if unknown:
            raise ValueError(f"names an event that there is not; there are {', '.join(KINDS)}")
        url = self.webhook_url
        if url is not None and not url.startswith("https://") and not self.allow_private:
            raise ValueError("has a webhook without HTTPS; that takes allow_private = true")
        return self

    def rules(self) -> AlertRules:
        """Return the rules in the words of the alerts."""
        return AlertRules(
            thresholds=tuple(sorted(set(self.thresholds_percent))),
            unusual_floor=Money(self.unusual_usd),
            error_percent=self.error_percent,
            latency_s=self.latency_s,
        )


class MailSettings(Section):
    """The mail server, for alerts, the digest, and users whose job is done.

    Its password is in the variable SEAWALL_MAIL_PASSWORD.
    """

    host: Text | None = setting("The server; not set means no mail.", default=None)
    port: Whole = setting("Its port.", default=587, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] = setting(
        "How the connection is kept private; none is for a server on this machine only.", default="starttls"
    )
    username: Text | None = setting("Who logs in; not set means nobody.", default=None)
    sender: Text | None = setting("The address that mail comes from.", default=None)
    to: Names | None = setting(
        "The addresses that alerts go to; not set means that only users are mailed.",
        default=None,
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.host is None:
            return self
        if self.sender is None:
            raise ValueError("needs sender beside host")
        if not all(_ADDRESS.fullmatch(address) for address in (self.sender, *(self.to or ()))):
            raise ValueError("has an address that is none; write it as in ops@example.com")
        if self.security == "none" and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError('may be without TLS (security = "none") on this machine only')
        return self
