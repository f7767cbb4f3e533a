"""Targets of tasks: what is stated of them, and what is said of nonsense."""

import pytest
from tests.fixtures.settings import Place

TARGET = '[tasks.mail]\nurl = "https://app.example.com/mail"\n'

ERRORS = [
    ("[tasks.mail]", "seawall.toml line 1: tasks.mail.url is missing and must be stated."),
    (
        '[tasks.mail]\nurl = "http://app.example.com/mail"',
        "seawall.toml line 1: tasks.mail has a url without HTTPS; that takes allow_private = true.",
    ),
    (
        '[tasks.mail]\nurl = "ftp://app.example.com"',
        'seawall.toml line 2: tasks.mail.url must be an address such as "https://api.example.com/v1".',
    ),
    (
        '[tasks."a b"]\nurl = "https://app.example.com"',
        'seawall.toml line 1: tasks."a b" must be a short name of letters, digits, - and _.',
    ),
    (TARGET + "timeout_s = 0", "seawall.toml line 3: tasks.mail.timeout_s must be more than 0."),
    (TARGET + "timeout_s = 3601", "seawall.toml line 3: tasks.mail.timeout_s must be at most 3600."),
    (TARGET + "attempts = 0", "seawall.toml line 3: tasks.mail.attempts must be at least 1."),
    (
        TARGET + 'every = "soon"',
        'seawall.toml line 3: tasks.mail.every must be a duration such as "1d", "6h" or "30m".',
    ),
    (TARGET + 'every = "5s"', "seawall.toml line 3: tasks.mail.every must be at least 60."),
    (
        TARGET + 'at = "25:00"',
        'seawall.toml line 3: tasks.mail.at must be a time of day such as "08:00", or "off".',
    ),
    (
        TARGET + 'every = "1h"\nat = "08:00"',
        "seawall.toml line 1: tasks.mail must state either every or at, not both.",
    ),
    (
        TARGET + "body = { a = 1 }",
        "seawall.toml line 1: tasks.mail has a body for tasks that are made by themselves, but neither every"
        " nor at.",
    ),
    (
        TARGET + "at = '08:00'\nbody = '{broken'",
        'seawall.toml line 4: tasks.mail.body must be a table such as { kind = "weekly" }, or JSON.',
    ),
    (
        '[tasks.send-mail]\nsecret = "whsec_AAAA"',
        "seawall.toml line 2: tasks.send-mail.secret is a key or is named like one; it does not belong in this"
        " file: move it to the environment or to .env as SEAWALL_TASK_SEND_MAIL_SECRET, and make another one if"
        " the file was ever committed.",
    ),
]


@pytest.mark.parametrize(("toml", "expected"), ERRORS, ids=[toml.split("\n")[-1] for toml, _ in ERRORS])
def test_a_mistake_in_a_target_is_named_with_its_line(place: Place, toml: str, expected: str) -> None:
    assert place.refuses(toml) == expected


def test_a_target_is_what_is_stated(place: Place) -> None:
    settings = place.load(
        TARGET + 'keys = ["app", "key_1"]\nat = "07:30"\n'
        'body = { kind = "weekly", limit = 1.50, since = 2026-11-27T00:00:00Z }'
    )
    target = settings.tasks["mail"].target("mail", settings.time_zone)
    assert (target.name, target.attempts, target.give_up_s, target.at_once) == ("mail", 10, 86_400.0, 10)
    assert target.keys == frozenset({"app", "key_1"})
    assert target.schedule is not None
    assert target.schedule.at == (7, 30)
    assert target.schedule.body == b'{"kind":"weekly","limit":1.50,"since":"2026-11-27T00:00:00Z"}'


@pytest.mark.parametrize(
    ("stated", "body"),
    [('"hello"', b'"hello"'), ("'{\"a\": 1}'", b'{"a":1}'), ("[1, 2]", b"[1,2]"), ("{}", b"{}")],
)
def test_a_body_is_a_table_a_text_or_json(place: Place, stated: str, body: bytes) -> None:
    settings = place.load(TARGET + f"every = '1h'\nbody = {stated}")
    schedule = settings.tasks["mail"].target("mail", settings.time_zone).schedule
    assert schedule is not None
    assert schedule.body == body


def test_a_target_can_be_stated_by_variables_and_its_secret_is_no_unknown_one(place: Place) -> None:
    variables = {"SEAWALL_TASKS__MAIL__ATTEMPTS": "3", "SEAWALL_TASK_MAIL_SECRET": "whsec_x"}
    settings = place.load(TARGET, variables)
    assert (settings.tasks["mail"].attempts, settings.notes()) == (3, [])
    assert settings.sources["SEAWALL_TASK_MAIL_SECRET"] == "environment SEAWALL_TASK_MAIL_SECRET"
    assert "whsec_x" not in repr(settings.explain())
