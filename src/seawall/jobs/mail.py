"""Sends e-mail, over TLS unless the server is on this machine; alerts are plain text."""

import json
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Literal

import aiosmtplib
from msgspec import Struct

from seawall.core.events import Delivery
from seawall.jobs.webhook import Undelivered

SEND_S = 20.0
SUBJECT_CHARS_MAX = 120


class Mail(Struct, frozen=True):
    """Where mail goes, and by which server; `security` says how the connection is kept private."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None

    async def send(self, delivery: Delivery, now: float) -> None:
        """Deliver to the operator; raises Undelivered as `post` does."""
        await self.post(message_of(delivery, self, now))

    async def post(self, message: EmailMessage) -> None:
        """Hand a message over; raises Undelivered with a reason that holds neither address nor password."""
        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=self.username,
                password=self.password,
                use_tls=self.security == "tls",
                start_tls=self.security == "starttls",
                tls_context=self.tls,
                timeout=SEND_S,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise Undelivered(f"the mail server did not take it ({type(error).__name__})") from None


def message_of(delivery: Delivery, mail: Mail, now: float) -> EmailMessage:
    """Write an event as a mail: the sentence as its subject, and what belongs to it."""
    text, body = read_payload(delivery.payload)
    message = EmailMessage()
    message["From"], message["To"] = mail.sender, ", ".join(mail.to)
    message["Subject"] = f"Seawall: {_one_line(text)}"
    message["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    message["Message-ID"] = make_msgid(delivery.event_id, "seawall.invalid")
    message.set_content(body)
    return message


def read_payload(payload: bytes) -> tuple[str, str]:
    """Return the subject and the text of a delivery: that of a digest is written out already."""
    try:
        event = json.loads(payload)
    except ValueError:
        body = payload.decode()
        return body.partition("\n")[0], body
    facts = "\n".join(f"  {name}: {value}" for name, value in event["data"].items())
    return event["text"], f"{event['text']}\n\n{facts}\n\n{event['type']}, {event['timestamp']}\n"


def _one_line(text: str) -> str:
    """Return a text that cannot add a header."""
    return "".join(char if char.isprintable() else " " for char in text)[:SUBJECT_CHARS_MAX]
