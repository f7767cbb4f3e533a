"""Puts together who hears of jobs, and what delivers it, from the settings."""

from collections.abc import Callable

from seawall.alerts import channels_of, mail_of, senders_of
from seawall.core.contracts import Directory
from seawall.core.events import APP, USER_MAIL, Channel
from seawall.homes import Store
from seawall.jobs.dispatching import Dispatcher, Send, Way, app_way
from seawall.jobs.notices import Hook, Notices
from seawall.jobs.webhook import Webhook, read_secret
from seawall.settings import Settings, SettingsError
from seawall.settings.credentials import PREVIOUS, secret_variable


def webhooks_of(settings: Settings) -> dict[str, Webhook]:
    """Return the webhooks of apps by their names; raises SettingsError where a secret is missing."""
    return {
        name: Webhook(
            stated.url,
            _secret_of(name, settings),
            stated.allow_private,
            setting=f"webhooks.{name}.allow_private",
            previous=_previous_of(name, settings),
        )
        for name, stated in settings.webhooks.items()
    }


def notices_of(settings: Settings, now: Callable[[], float]) -> Notices:
    """Return what says who hears of the end of a job."""
    hooks = [
        Hook(
            f"{APP}{name}",
            None if stated.events is None else frozenset(stated.events),
            None if stated.keys is None else frozenset(stated.keys),
        )
        for name, stated in settings.webhooks.items()
    ]
    return Notices(hooks, now, is_mailing=settings.notify.mail, has_text=settings.notify.mail_text)


def dispatcher_of(settings: Settings, store: Store, now: Callable[[], float]) -> Dispatcher:
    """Return what delivers by every way that is stated; raises SettingsError where a secret is missing."""
    ways: dict[Channel, Way] = {channel: Way(send) for channel, send in senders_of(settings).items()}
    for name, webhook in webhooks_of(settings).items():
        ways[f"{APP}{name}"] = app_way(webhook.send, is_watched=True)
    if settings.notify.mail:
        ways[USER_MAIL] = app_way(_user_mail(settings, store.directory), is_watched=False)
    alerts = channels_of(settings, "webhook.disabled")
    return Dispatcher(ways, store.outbox, store.receivers, alerts, now)


def _user_mail(settings: Settings, directory: Directory) -> Send:
    from seawall.jobs.user_mail import UserMail  # noqa: PLC0415 - the mail library is for those who have mail

    mail = mail_of(settings)
    assert mail is not None, "checked where settings are loaded"
    return UserMail(mail, directory, settings.notify.link).send


def _secret_of(name: str, settings: Settings) -> bytes:
    variable = secret_variable("webhooks", name)
    try:
        return read_secret(settings.environment.get(variable) or "")
    except ValueError:
        raise SettingsError(
            f"webhooks.{name} is set, but {variable} holds no secret to sign with: make one with"
            f" `seawall webhooks secret {name}`, and give it to the receiver too."
        ) from None


def _previous_of(name: str, settings: Settings) -> bytes | None:
    variable = secret_variable("webhooks", name) + PREVIOUS
    stated = settings.environment.get(variable)
    try:
        return None if stated is None else read_secret(stated)
    except ValueError:
        raise SettingsError(
            f"{variable} holds no secret to sign with: leave it out where none is being replaced."
        ) from None
