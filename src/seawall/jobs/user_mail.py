"""Tells by e-mail whoever waits for a job that it is done: as plain text and as HTML.

Invariants:
- Nothing of a prompt is in a mail, and of an answer only what the operator wants to be there.
- A user who wants no mail gets none, whatever an app asks for: that is looked up when the mail is sent.
- The address stands in no log line and no reason; with the mail it is gone.
"""

from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from html import escape
from urllib.parse import quote

import msgspec
from msgspec import Struct

from seawall.core.contracts import Directory
from seawall.core.events import Delivery
from seawall.core.jobs import Ended
from seawall.jobs.mail import Mail

_SUBJECTS: dict[Ended, str] = {
    "completed": "Your answer is ready",
    "incomplete": "Your answer is ready, but was cut short",
    "failed": "Your request could not be completed",
    "cancelled": "Your request was cancelled",
}
_SENTENCES: dict[Ended, str] = {
    "completed": "What you asked for is done.",
    "incomplete": "What you asked for is done, but the answer had to end early.",
    "failed": "What you asked for could not be done. Please try again.",
    "cancelled": "What you asked for was cancelled.",
}


class UserNotice(Struct, frozen=True):
    """What a user hears of a job: its id as the app knows it, and how the answer begins, "" for nothing."""

    id: str
    to: str
    state: Ended
    end_user: str = ""
    text: str = ""


class _Payload(Struct):
    data: UserNotice


_decode = msgspec.json.Decoder(_Payload).decode


def payload_of(notice: UserNotice) -> str:
    """Write a notice down as it waits to be sent."""
    return msgspec.json.encode(_Payload(notice)).decode()


class UserMail(Struct, frozen=True):
    """Mails users. `link` is the address of a page about a job, with {id} in it; `None` for no link."""

    mail: Mail
    directory: Directory
    link: str | None = None

    async def send(self, delivery: Delivery, now: float) -> None:
        """Deliver, or leave a user alone who wants no mail; raises Undelivered."""
        notice = _decode(delivery.payload).data
        record = await self.directory.find_user(notice.end_user) if notice.end_user else None
        if record is not None and not record.may_mail:
            return
        await self.mail.post(self._message(notice, delivery.event_id, now))

    def _message(self, notice: UserNotice, event_id: str, now: float) -> EmailMessage:
        link = None if self.link is None else self.link.replace("{id}", quote(notice.id, safe=""))
        message = EmailMessage()
        message["From"], message["To"] = self.mail.sender, notice.to
        message["Subject"] = _SUBJECTS[notice.state]
        message["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
        message["Message-ID"] = make_msgid(event_id, "seawall.invalid")
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no machine answers.
        parts = [_SENTENCES[notice.state], notice.text, link or ""]
        message.set_content("\n\n".join(part for part in parts if part) + "\n")
        message.add_alternative(_html(notice, link), subtype="html")
        return message


def _html(notice: UserNotice, link: str | None) -> str:
    paragraphs = [escape(_SENTENCES[notice.state])]
    if notice.text:
        paragraphs.append(escape(notice.text).replace("\n", "<br>"))
    if link is not None:
        paragraphs.append(f'<a href="{escape(link)}">{escape(link)}</a>')
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return f'<!doctype html>\n<html lang="en">\n<body>\n{body}\n</body>\n</html>\n'
