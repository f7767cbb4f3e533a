"""Puts the alerts together, from the settings: for the gateway, and for commands that try them."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from seawall.core.contracts import Directory, Gateway, UserRecord
from seawall.core.events import Channel
from seawall.core.periods import LIFETIME
from seawall.core.policy import Budget, Policy, Principal, Quota
from seawall.core.terms import HouseTerms
from seawall.homes import Store
from seawall.identity.policies import Policies
from seawall.jobs.alerting import Alerting, AlertSources, AlertTerms, Cap
from seawall.jobs.dispatching import Send
from seawall.jobs.webhook import Webhook, read_secret
from seawall.settings import Settings, SettingsError

if TYPE_CHECKING:
    from seawall.jobs.mail import Mail

WEBHOOK_SECRET = "SEAWALL_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
MAIL_PASSWORD = "SEAWALL_MAIL_PASSWORD"  # noqa: S105 - the name of a variable
MAILED = frozenset(
    {
        "budget.threshold", "spend.unusual", "provider.errors", "provider.slow", "provider.outage",
        "provider.recovered", "provider.key_failing", "call.overage", "loop.detected", "backup.failed",
        "jobs.failing", "webhook.disabled", "digest.daily", "test",
    }
)  # fmt: skip
"""What goes out by mail; what happens to single users goes to the webhook alone."""

_TOKEN_USER = re.compile(r"[A-Za-z0-9_-]+/.+")


def channels_of(settings: Settings, kind: str | None = None) -> tuple[Channel, ...]:
    """List the channels that are configured; for one kind of event, those that it goes to."""
    kinds = _kinds(settings)
    return tuple(channel for channel, told in kinds.items() if kind is None or told is None or kind in told)


def senders_of(settings: Settings) -> dict[Channel, Send]:
    """Return what delivers to the operator; raises SettingsError where a secret is missing."""
    senders: dict[Channel, Send] = {}
    alerts, mail = settings.alerts, mail_of(settings)
    if alerts.webhook_url is not None:
        try:
            secret = read_secret(settings.environment.get(WEBHOOK_SECRET) or "")
        except ValueError:
            raise SettingsError(
                f"alerts.webhook_url is set, but {WEBHOOK_SECRET} holds no secret to sign with: make one with"
                " `seawall alerts secret`, and give it to the receiver too."
            ) from None
        senders["webhook"] = Webhook(alerts.webhook_url, secret, alerts.allow_private).send
    if mail is not None and mail.to:
        senders["mail"] = mail.send
    return senders


def mail_of(settings: Settings) -> "Mail | None":
    """Return what sends mail, `None` where no server is stated."""
    mail = settings.mail
    if mail.host is None or mail.sender is None:
        return None
    from seawall.jobs.mail import Mail  # noqa: PLC0415 - the mail library is for those who have mail

    return Mail(
        host=mail.host,
        port=mail.port,
        sender=mail.sender,
        to=tuple(mail.to or ()),
        security=mail.security,
        username=mail.username,
        password=settings.environment.get(MAIL_PASSWORD),
    )


def alerting_of(
    settings: Settings, gateway: Gateway, store: Store, now: Callable[[], float]
) -> Alerting | None:
    """Return the scheduler of alerts, `None` where there is nobody to tell."""
    if not channels_of(settings):
        return None

    async def caps() -> Cap:
        return (await Caps.read(gateway.house, store.directory)).of

    async def key_names() -> dict[str, str]:
        return {record.id: record.name for record in await store.directory.keys()}

    return Alerting(
        AlertTerms(
            settings.alerts.rules(),
            _kinds(settings),
            settings.alerts.digest_at,
            settings.time_zone,
            digests_itself=settings.jobs.concurrency == 0,
        ),
        AlertSources(
            outbox=store.outbox,
            watch=store.watch,
            jobs=store.jobs,
            caps=caps,
            used_up=gateway.lockouts.used_up,
            key_names=key_names,
        ),
        now,
    )


class Caps(Struct, frozen=True):
    """The caps of the gateway, of every key and of every user, as they are at one moment.

    The tier of a login token is known while its user calls, not here: of such users only those count whose
    tier or quota the operator has set. `usual` is the policy of users about whom nothing is decided.
    """

    house: Budget
    keys: dict[str, Budget]
    users: dict[str, Policy]
    usual: Policy

    @classmethod
    async def read(cls, house: HouseTerms, directory: Directory) -> "Caps":
        """Read what is decided now."""
        policies = Policies(house)

        def policy_of(user: str, record: UserRecord | None) -> Policy:
            principal = Principal(key_id="", key_name="", end_user=user)
            return policies.for_user(principal, Policy(budgets=()), record)

        return cls(
            house.budget,
            {record.id: record.budget for record in await directory.keys()},
            {record.id: policy_of(record.id, record) for record in await directory.users()},
            policy_of("", None),
        )

    def of(self, scope: str, period: str) -> int | None:
        """Return the cap of an account, `None` where it has none or that is not known here."""
        kind, _, name = scope.partition(":")
        if kind == "global":
            return _of_budget(self.house, period)
        if kind == "key":
            budget = self.keys.get(name)
            return None if budget is None else _of_budget(budget, period)
        policy = self.users.get(name)
        if policy is None:
            if _TOKEN_USER.fullmatch(name):
                return None
            policy = self.usual
        if ":" in period:
            return next((_of_quota(each.quota, period) for each in policy.quotas), None)
        return next((_of_budget(each.budget, period) for each in policy.budgets), None)


def _of_budget(budget: Budget, period: str) -> int | None:
    if period == LIFETIME:
        return budget.lifetime
    return budget.monthly if len(period) == len("2026-11") else budget.daily


def _of_quota(quota: Quota, period: str) -> int | None:
    unit, _, day = period.partition(":")
    is_monthly = len(day) == len("2026-11")
    if unit == "tokens":
        return quota.tokens_monthly if is_monthly else quota.tokens_daily
    return quota.requests_monthly if is_monthly else quota.requests_daily


def _kinds(settings: Settings) -> dict[Channel, frozenset[str] | None]:
    kinds: dict[Channel, frozenset[str] | None] = {}
    if settings.alerts.webhook_url is not None:
        stated = settings.alerts.webhook_events
        kinds["webhook"] = None if stated is None else frozenset(stated)
    if settings.mail.host is not None and settings.mail.to:
        kinds["mail"] = MAILED
    return kinds
