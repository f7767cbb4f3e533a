"""Users are mailed when their job is done: if the app asks, once, without a prompt, never against their will."""

import json
from email.message import EmailMessage

import pytest

from seawall.core.jobs import JobCaller, JobEnding
from tests.fixtures.gateways import RunningApp, Start
from tests.fixtures.mailboxes import Mailbox, receiving_mail
from tests.fixtures.notices import FAILED, end, job

ADA = "ada@example.com"
ANSWER = json.dumps(
    {"choices": [{"message": {"content": "<b>Rain</b> falls.\n" + "drop " * 200}}], "model": "fake-gpt"}
).encode()
DONE = JobEnding(state="completed", status=200, answer=ANSWER)
ASKED = JobCaller(key_name="default", mail_to=ADA)


def by(box: Mailbox, **settings: object) -> dict[str, object]:
    return {
        "mail__host": "localhost",
        "mail__port": box.port,
        "mail__security": "none",
        "mail__sender": "app@example.com",
        "notify__mail": True,
        **settings,
    }


async def tell(app: RunningApp, ending: JobEnding = DONE, caller: JobCaller = ASKED) -> int:
    await app.seawall.dispatcher.stop()
    await end(app, job(1, "/v1/chat/completions", caller=caller, request=b"a secret prompt"), ending)
    return await app.seawall.dispatcher.deliver()


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Return what a mail says as plain text and as HTML."""
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = mail.iter_parts()
    assert isinstance(plain, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    return plain.get_content().replace("\r\n", "\n"), html.get_content()


async def test_a_user_gets_both_parts_with_a_link_and_without_any_text(start: Start) -> None:
    async with receiving_mail() as box:
        app = await start(**by(box, notify__link="https://app.example.com/jobs/{id}?a=1&b=2"))
        assert await tell(app) == 1
    assert box.receivers == [[ADA]]
    mail = box.read()
    assert (mail["To"], mail["From"]) == (ADA, "app@example.com")
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("Your answer is ready", "auto-generated")
    plain, html = parts(mail)
    assert plain == "What you asked for is done.\n\nhttps://app.example.com/jobs/job_1?a=1&b=2\n"
    assert 'href="https://app.example.com/jobs/job_1?a=1&amp;b=2"' in html
    assert b"Rain" not in box.mails[0]
    assert b"secret" not in box.mails[0]


async def test_the_beginning_of_the_answer_is_told_where_the_operator_wants_that(start: Start) -> None:
    async with receiving_mail() as box:
        app = await start(**by(box, notify__mail_text=True))
        await tell(app)
    plain, html = parts(box.read())
    told = plain.removeprefix("What you asked for is done.\n\n").rstrip("\n")
    assert told == ("<b>Rain</b> falls.\n" + "drop " * 200)[:500] + "…"
    assert "&lt;b&gt;Rain&lt;/b&gt; falls.<br>drop" in html


async def test_a_failure_is_told_without_its_reason(start: Start) -> None:
    async with receiving_mail() as box:
        app = await start(**by(box, notify__mail_text=True))
        await tell(app, FAILED)
    assert box.read()["Subject"] == "Your request could not be completed"
    assert parts(box.read())[0] == "What you asked for could not be done. Please try again.\n"


@pytest.mark.parametrize(
    ("caller", "ending"),
    [
        (JobCaller(key_name="default"), DONE),
        (ASKED, JobEnding(state="cancelled", status=0)),
    ],
    ids=["nobody asked for it", "cancelled"],
)
async def test_nobody_is_mailed_without_need(start: Start, caller: JobCaller, ending: JobEnding) -> None:
    async with receiving_mail() as box:
        app = await start(**by(box))
        await tell(app, ending, caller)
    assert box.mails == []


async def test_nobody_is_mailed_where_the_operator_has_not_allowed_it(start: Start) -> None:
    async with receiving_mail() as box:
        app = await start(
            **by(box, notify__mail=False, mail__to=["ops@example.com"], alerts__digest_at="off")
        )
        await tell(app)
    assert box.mails == []


async def test_a_user_who_wants_no_mail_gets_none_even_where_it_is_on_its_way(start: Start) -> None:
    async with receiving_mail() as box:
        app = await start(**by(box))
        await app.seawall.dispatcher.stop()
        await end(app, job(1, caller=ASKED), DONE)
        assert (await app.admin("PATCH", "/users/ada", {"mail": False})).json()["mail"] is False
        await app.seawall.dispatcher.deliver()
        assert box.mails == []
        assert (await app.admin("PATCH", "/users/ada", {"mail": True})).json()["mail"] is True
        await end(app, job(2, caller=ASKED), DONE)
        assert await app.seawall.dispatcher.deliver() == 1
    assert box.receivers == [[ADA]]


async def test_the_address_is_nowhere_once_the_mail_is_sent_or_its_user_forgotten(start: Start) -> None:
    async with receiving_mail() as box:
        app = await start(**by(box))
        await tell(app)
        assert ADA not in app.everything()
        await end(app, job(2, caller=ASKED), DONE)
        assert ADA in app.everything()
        await app.admin("DELETE", "/users/ada")
        assert ADA not in app.everything()
        assert await app.seawall.dispatcher.deliver() == 0
