"""The example that sends reports by mail: each arrives once, whatever breaks on the way."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.smtp import SMTP
from standardwebhooks.webhooks import Webhook as Standard

from seawall.core.jobs import Job
from tests.examples.test_apps import EXAMPLES, MODEL, running
from tests.fixtures.clients import PATIENCE_S
from tests.fixtures.gateways import WEBHOOK_SECRET, RunningApp, Start
from tests.fixtures.servers import free_port

ASKED = {"to": "ada@example.com", "question": "Which of the seven seas is the calmest?"}


class Mailbox:
    """An SMTP server that keeps what it takes; the first `refused` mails it does not take."""

    def __init__(self, refused: int = 0) -> None:
        self.mails: list[bytes] = []
        self.refused = refused
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail, or say that there is trouble."""
        if self.refused:
            self.refused -= 1
            return "451 busy"
        self.mails.append(envelope.content)
        return "250 kept"


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    """Return an SMTP server on this machine."""
    box = Mailbox()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, hostname="localhost"), "127.0.0.1", 0
    )
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box


@contextmanager
def app_of(gateway: RunningApp, box: Mailbox, folder: Path, port: int) -> Iterator[str]:
    """Run the example as its README says; yields its address."""
    uvicorn = ["-m", "uvicorn", "app:app", "--log-level", "warning", "--port", str(port)]
    environ = {
        "OPENAI_BASE_URL": f"http://127.0.0.1:{gateway.port}/v1",
        "OPENAI_API_KEY": gateway.key,
        "SEAWALL_TASK_REPORT_SECRET": WEBHOOK_SECRET,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(box.port),
        "MAIL_FROM": "reports@example.com",
        "DATABASE": str(folder / "reports.db"),
    }
    command = [sys.executable, *uvicorn, "--app-dir", str(EXAMPLES / "reports")]
    with running(command, folder, port, **environ) as url:
        yield url.removesuffix("/ask")


async def gateway_of(start: Start, port: int) -> RunningApp:
    """Start a gateway whose one target is the example; its clock shows the time, as the app's does."""
    gateway = await start(
        **{
            "providers.mock.models": [MODEL],
            f"prices.{MODEL}.input_usd_per_mtok": "0.40",
            f"prices.{MODEL}.output_usd_per_mtok": "1.60",
            "tasks.report.url": f"http://127.0.0.1:{port}/tasks/report",
            "tasks.report.allow_private": True,
        }
    )
    gateway.clock.turn(time.time() - gateway.clock())
    return gateway


async def jobs_of(gateway: RunningApp) -> list[Job]:
    """Return the jobs of the gateway, whatever became of them."""
    return await gateway.seawall.store.jobs.find()


async def until_all(gateway: RunningApp, claim: Callable[[Job], bool]) -> None:
    """Wait until the claim holds for every job."""
    async with asyncio.timeout(PATIENCE_S):
        while not all(map(claim, await jobs_of(gateway))):
            await asyncio.sleep(0.05)


async def test_a_report_that_is_asked_for_arrives_once_though_its_first_attempt_fails(
    start: Start, box: Mailbox, tmp_path: Path
) -> None:
    port, box.refused = free_port(), 1
    gateway = await gateway_of(start, port)
    with app_of(gateway, box, tmp_path, port) as url:
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
            asked = await client.post(f"{url}/reports", json=ASKED, headers={"x-user": "ada"})
        assert asked.status_code == 202, asked.text
        await until_all(gateway, lambda job: job.failures == 1)
        assert box.mails == []
        gateway.clock.turn(10)
        await until_all(gateway, lambda job: job.has_ended)
    [job], [mail] = await jobs_of(gateway), box.mails
    assert (job.id, job.state, job.run, job.owner.end_user) == (asked.json()["job"], "completed", 2, "ada")
    assert b"To: ada@example.com" in mail
    assert len(gateway.mock.requests) == 1
    assert (await gateway.row()).end_user == "ada"


async def test_a_report_that_is_delivered_twice_is_mailed_once_and_nobody_else_can_ask_for_one(
    start: Start, box: Mailbox, tmp_path: Path
) -> None:
    port = free_port()
    gateway = await gateway_of(start, port)
    body = json.dumps({**ASKED, "user": "ada"})
    now = datetime.now(UTC)
    signed = {
        "webhook-id": "job_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Standard(WEBHOOK_SECRET).sign("job_1", now, body),
    }
    with app_of(gateway, box, tmp_path, port) as url:
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
            statuses = [
                (await client.post(f"{url}/tasks/report", content=body, headers=headers)).status_code
                for headers in (signed, signed, {**signed, "webhook-id": "job_2"})
            ]
    assert statuses == [200, 200, 401]
    assert (len(box.mails), len(gateway.mock.requests)) == (1, 1)
