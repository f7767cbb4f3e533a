"""The sections that say who hears that a job is done: the webhooks of apps, and users by mail."""

from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from seawall.core.events import APP_KINDS
from seawall.settings.sections import Section, setting
from seawall.settings.values import Kind, Names, Text, WebhookUrl

LINK_ID = "{id}"


def _read_link(value: str) -> str:
    if not value.startswith(("https://", "http://")) or LINK_ID not in value or " " in value:
        raise ValueError('must be an address with {id} in it, such as "https://app.example.com/jobs/{id}"')
    return value


Link = Annotated[Text, AfterValidator(_read_link), Kind("address with {id} in it")]


class WebhookSettings(Section):
    """An app's webhook, which hears of its jobs, by its name: see [Webhooks](webhooks.md).

    What is sent is signed with the secret in the variable SEAWALL_WEBHOOK_NAME_SECRET, the name in capitals
    and with `_` for every dash; `seawall webhooks secret` makes one. While one is being replaced the one
    before stands in SEAWALL_WEBHOOK_NAME_SECRET_PREVIOUS.
    """

    url: WebhookUrl = setting("Where events are sent.")
    events: Names | None = setting("The events to send; not set means all.", default=None)
    keys: Names | None = setting(
        "The virtual keys, by name or id, of whose jobs it hears; not set means all.", default=None
    )
    allow_private: bool = setting(
        "Whether the receiver may be on a private network or this machine, and without HTTPS.", default=False
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        unknown = [kind for kind in self.events or () if kind not in APP_KINDS]
        if unknown:
            raise ValueError(f"names an event that there is not; there are {', '.join(APP_KINDS)}")
        if not self.url.startswith("https://") and not self.allow_private:
            raise ValueError("has a url without HTTPS; that takes allow_private = true")
        return self


class NotifySettings(Section):
    """Mail to users when their job is done, where the app asks: see [Being told](jobs.md#being-told)."""

    mail: bool = setting("Whether users may be mailed; that takes `mail.host`.", default=False)
    mail_text: bool = setting(
        "Whether such a mail holds the first 500 characters of the answer.", default=False
    )
    link: Link | None = setting(
        "The page of your app about a job; {id} is replaced by its id. Not set means no link.", default=None
    )
