"""An app with slow work: a click asks for a report, a task has it written and sends it by mail.

    pip install fastapi uvicorn openai standardwebhooks
    uvicorn app:app

What it needs of the environment stands in the README beside it.
"""

import os
import smtplib
import sqlite3  # noqa: TID251 - for an app of one process any will do
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse
from openai import OpenAI
from pydantic import BaseModel
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

app = FastAPI()
client = OpenAI(max_retries=0)  # Seawall tries a task again, the mail and all
incoming = Webhook(os.environ["SEAWALL_TASK_REPORT_SECRET"])
MODEL = "gpt-5-mini"


class Report(BaseModel):
    to: str
    question: str
    user: str = ""


@app.post("/reports", status_code=202)
def ask_for_report(
    report: Report,
    user: Annotated[str, Header(alias="x-user")],  # in your app: who is logged in
) -> dict[str, str]:
    """Answer at once: the work is on disk, and goes on whatever becomes of this process."""
    task = {"target": "report", "body": {**report.model_dump(), "user": user}}
    job = client.post("/tasks", body=task, cast_to=object, options={"headers": {"seawall-user": user}})
    return {"job": job["id"]}


async def body_of(request: Request) -> bytes:
    """Return the body as it came: that is what is signed."""
    return await request.body()


@app.post("/tasks/report")
def make_report(request: Request, body: Annotated[bytes, Depends(body_of)]) -> JSONResponse:
    """Do a task of Seawall's: what was done for this id before is not done again."""
    try:
        incoming.verify(body, dict(request.headers))
    except WebhookVerificationError:
        return JSONResponse({"problem": "not from our Seawall"}, 401)
    task_id, report = request.headers["webhook-id"], Report.model_validate_json(body)
    text = stored_text(task_id) or store_text(task_id, write(report))
    try:
        mail_once(task_id, report.to, text)
    except smtplib.SMTPRecipientsRefused:
        return JSONResponse({"problem": "there is no such address"}, 422)  # for good
    except (smtplib.SMTPException, OSError):
        return JSONResponse({"problem": "the mail server does not take it"}, 503)  # comes again later
    return JSONResponse({"mailed": True})


def write(report: Report) -> str:
    """Have the model write it, on the budget and the limits of the person who asked."""
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": report.question}],
        extra_headers={"seawall-user": report.user},
        max_tokens=500,
    )
    return answer.choices[0].message.content or ""


def mail_once(task_id: str, to: str, text: str) -> None:
    """Send the mail and note it; a second delivery that overlaps waits here, and finds it sent."""
    with database() as db:
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT mailed FROM reports WHERE id = ?", (task_id,)).fetchone()[0]:
            return
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = os.environ["MAIL_FROM"], to, "Your report"
        mail.set_content(text)
        with smtplib.SMTP(
            os.environ["SMTP_HOST"], int(os.environ.get("SMTP_PORT", "25")), timeout=20
        ) as server:
            server.send_message(mail)
        db.execute("UPDATE reports SET mailed = 1 WHERE id = ?", (task_id,))


def stored_text(task_id: str) -> str | None:
    """Return the text where it was written before: what costs money is not done twice."""
    with database() as db:
        row = db.execute("SELECT text FROM reports WHERE id = ?", (task_id,)).fetchone()
    return None if row is None else str(row[0])


def store_text(task_id: str, text: str) -> str:
    """Keep the text under the id of the task."""
    with database() as db:
        db.execute("INSERT OR IGNORE INTO reports VALUES (?, ?, 0)", (task_id, text))
    return text


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """Open the database of the app for one transaction."""
    db = sqlite3.connect(os.environ.get("DATABASE", "reports.db"), timeout=30)
    try:
        with db:
            db.execute("CREATE TABLE IF NOT EXISTS reports (id TEXT PRIMARY KEY, text TEXT, mailed INTEGER)")
            yield db
    finally:
        db.close()
