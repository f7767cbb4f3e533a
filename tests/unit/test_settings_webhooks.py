"""Settings of webhooks and of mail to users: what may be stated, and how what is wrong is said."""

import pytest
from tests.fixtures.settings import Place

from seawall.notifying import webhooks_of
from seawall.settings import SettingsError

URL = '[webhooks.my-app]\nurl = "https://app.example.com/hook"\n'
SECRET = "whsec_" + "a" * 32
MAIL = '[mail]\nhost = "smtp.example.com"\nsender = "app@example.com"\n'


def why(place: Place, text: str) -> str:
    place.write("seawall.toml", text)
    with pytest.raises(SettingsError) as caught:
        place.load()
    return caught.value.message


def test_a_secret_in_the_file_is_told_where_it_belongs(place: Place) -> None:
    said = why(place, f'{URL}secret = "{SECRET}"\n')
    assert said.startswith("seawall.toml line 3: webhooks.my-app.secret is a key or is named like one; ")
    assert "move it to the environment or to .env as SEAWALL_WEBHOOK_MY_APP_SECRET" in said
    assert SECRET not in said


def test_both_secrets_come_from_the_environment_and_are_never_shown(place: Place) -> None:
    place.write("seawall.toml", URL)
    older = "whsec_" + "b" * 32
    variable = "SEAWALL_WEBHOOK_MY_APP_SECRET"
    settings = place.load(environ={variable: SECRET, f"{variable}_PREVIOUS": older})
    webhook = webhooks_of(settings)["my-app"]
    assert webhook.previous not in (None, webhook.secret)
    assert settings.notes() == []
    shown = repr(settings.explain())
    assert variable in shown
    assert SECRET not in shown
    assert "app.example.com" not in shown


@pytest.mark.parametrize("name", ["SEAWALL_WEBHOOK_MY_APP_SECRET", "SEAWALL_WEBHOOK_MY_APP_SECRET_PREVIOUS"])
def test_a_secret_that_is_none_is_refused_by_its_name(place: Place, name: str) -> None:
    place.write("seawall.toml", URL)
    environ = {"SEAWALL_WEBHOOK_MY_APP_SECRET": SECRET, name: "letmein"}
    with pytest.raises(SettingsError, match=f"{name} holds no secret to sign with"):
        webhooks_of(place.load(environ=environ))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[webhooks.a]\nurl = "http://app.example.com"',
            "webhooks.a has a url without HTTPS; that takes allow_private = true.",
        ),
        (
            '[webhooks.a]\nurl = "https://a.example"\nevents = ["response.done"]',
            "webhooks.a names an event that there is not; there are response.completed, ",
        ),
        (
            f"{URL}[webhooks.MY_APP]\nurl = 'https://a.example'",
            "webhooks.my-app and webhooks.MY_APP would have their secrets in the same variable,"
            " SEAWALL_WEBHOOK_MY_APP_SECRET; give one of them another name.",
        ),
        (
            "[notify]\nmail = true",
            "line 2: notify.mail takes a mail server: state host and sender under [mail].",
        ),
        (MAIL, "line 2: mail.host has no effect without addresses: state mail.to for alerts, or notify.mail"),
        (
            f'{MAIL}[notify]\nmail = true\nlink = "https://app.example.com/jobs"',
            "notify.link must be an address with {id} in it, such as",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(place: Place, text: str, said: str) -> None:
    assert said in why(place, text)


def test_mail_to_users_takes_no_address_of_the_operator(place: Place) -> None:
    place.write("seawall.toml", f"{MAIL}[notify]\nmail = true\n")
    assert place.load().notify.mail
