"""Tasks from end to end: accepted by HTTP, kept by the store, delivered by the worker to a real receiver."""

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.json import encode
from standardwebhooks.webhooks import Webhook as Standard

from seawall.core.jobs import Job
from tests.fixtures.gateways import WEBHOOK_SECRET, RunningApp, Start, running
from tests.fixtures.mock_calls import LONGER, until
from tests.fixtures.receivers import Receiver, receiving

BODY = {"to": "ada@example.com", "text": "It is ready."}


def to(receiver: Receiver, **more: object) -> dict[str, object]:
    """Return the settings of a target `mail` at a receiver; `more` are further ones of it."""
    stated = {"url": receiver.url, "allow_private": True, **more}
    return {f"tasks.mail.{name}": value for name, value in stated.items()}


async def send(
    app: RunningApp, *, key: str | None = None, headers: Any = None, **fields: Any
) -> httpx.Response:
    """Ask for a task."""
    shown = {"authorization": f"Bearer {key or app.key}", **(headers or {})}
    return await app.http.post("/v1/tasks", json={"target": "mail", "body": BODY, **fields}, headers=shown)


async def job_of(app: RunningApp, answer: httpx.Response) -> dict[str, Any]:
    """Return the job of an answer as its owner sees it now."""
    shown = {"authorization": f"Bearer {app.key}"}
    found: dict[str, Any] = (await app.http.get(answer.headers["location"], headers=shown)).json()
    return found


async def until_job(app: RunningApp, answer: httpx.Response, **fields: Any) -> Job:
    """Wait until the job of an answer is as it should be."""
    job_id, found = answer.json()["id"], None
    async with asyncio.timeout(LONGER):
        while found is None or any(getattr(found, name) != value for name, value in fields.items()):
            found = await app.seawall.store.jobs.get(job_id)
            await asyncio.sleep(0.005)
    return found


async def test_a_task_is_accepted_and_its_target_can_verify_it(start: Start) -> None:
    async with receiving(200) as receiver:
        receiver.answer_body = b'{"mailed":true}'
        app = await start(**to(receiver))
        app.clock.turn(time.time() - app.clock())  # The library compares with the clock of the machine.
        answer = await send(app)
        await until_job(app, answer, state="completed")
        job = await job_of(app, answer)
    told = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (202, f"/v1/jobs/{told['id']}")
    assert (told["object"], told["status"], told["endpoint"]) == ("job", "queued", "mail")
    assert (job["status"], job["result"], job["status_code"], job["runs"]) == (
        "completed", {"mailed": True}, 200, 1,
    )  # fmt: skip
    [head], [body] = receiver.heads, receiver.bodies
    assert Standard(WEBHOOK_SECRET).verify(body, head) == BODY
    assert (head["webhook-id"], head["seawall-task"], head["seawall-attempt"]) == (told["id"], "mail", "1")
    assert await app.rows() == []


async def test_a_target_that_is_down_for_a_while_gets_the_same_task_later(start: Start) -> None:
    async with receiving(500, 503, 204) as receiver:
        app = await start(**to(receiver))
        answer = await send(app)
        for failures in (1, 2):
            await until_job(app, answer, state="waiting", failures=failures)
            app.clock.turn(30)
        await until_job(app, answer, state="completed")
    assert {head["webhook-id"] for head in receiver.heads} == {answer.json()["id"]}
    assert [head["seawall-attempt"] for head in receiver.heads] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("status", "attempts", "why"),
    [
        (410, 10, "status 410 after 1 attempt"),
        (404, 10, "status 404 after 1 attempt"),
        (302, 1, "status 302 (redirects are not followed) after 1 attempt"),
        (500, 2, "status 500 after 2 attempts"),
    ],
)
async def test_a_dead_letter_says_why_and_can_be_sent_again(
    start: Start, status: int, attempts: int, why: str
) -> None:
    async with receiving(status) as receiver:
        app = await start(**to(receiver, attempts=attempts))
        answer = await send(app)
        if attempts == 2:
            await until_job(app, answer, state="waiting", failures=1)
            app.clock.turn(30)
        await until_job(app, answer, state="failed")
        job, tried = await job_of(app, answer), len(receiver.bodies)
        receiver.statuses = [204]
        await app.seawall.store.jobs.retry(job["id"], app.clock(), app.seawall.gateway.job_rules)
        await until_job(app, answer, state="completed")
    assert job["error"] == {"code": "task_undelivered", "message": why}
    assert (tried, len(receiver.bodies)) == (attempts if status == 500 else 1, tried + 1)


async def test_an_app_hears_of_a_dead_letter_by_its_webhook(start: Start) -> None:
    async with receiving(404) as receiver, receiving() as told:
        hook = {"webhooks.app.url": told.url, "webhooks.app.allow_private": True}
        app = await start(**to(receiver), **hook)
        answer = await send(app)
        await until(lambda: bool(told.bodies))
    event = json.loads(told.bodies[0])
    assert (event["type"], event["data"]["id"], event["data"]["endpoint"], event["data"]["code"]) == (
        "task.failed", answer.json()["id"], "mail", "task_undelivered",
    )  # fmt: skip


async def test_a_target_on_this_machine_is_not_called_unless_that_is_wanted(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver, url=receiver.url.replace("http:", "https:"), allow_private=False))
        job = await until_job(app, await send(app), state="failed")
    assert (job.why, receiver.writers) == (
        "the receiver is not on the public internet (tasks.mail.allow_private) after 1 attempt", [],
    )  # fmt: skip


async def test_a_target_that_does_not_answer_in_time_is_asked_again(start: Start) -> None:
    async with receiving(0) as receiver:
        app = await start(**to(receiver, timeout_s=0.1))
        asked_at = app.clock()
        job = await until_job(app, await send(app), state="waiting", failures=1)
    assert asked_at + 4.0 <= job.due_at <= app.clock() + 6.0


@pytest.mark.parametrize("how", ["delay_s", "run_at", "run_at in seconds"])
async def test_a_task_for_later_waits_for_its_time(start: Start, how: str) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver))
        at = app.clock() + 3_600
        asked: dict[str, dict[str, Any]] = {
            "delay_s": {"delay_s": 3_600},
            "run_at": {"run_at": datetime.fromtimestamp(at, UTC).isoformat()},
            "run_at in seconds": {"run_at": at},
        }
        answer, other = await send(app, **asked[how]), await send(app, body="now")
        await until_job(app, other, state="completed")
        assert receiver.bodies == [b'"now"']
        app.clock.turn(3_601)
        await until_job(app, answer, state="completed")
    assert len(receiver.bodies) == 2


async def test_a_task_that_waits_can_be_cancelled(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver))
        answer = await send(app, delay_s=3_600)
        shown = {"authorization": f"Bearer {app.key}"}
        await app.http.post(f"{answer.headers['location']}/cancel", headers=shown)
        assert (await job_of(app, answer))["status"] == "cancelled"
        app.clock.turn(3_601)
        await until_job(app, await send(app), state="completed")
    assert len(receiver.bodies) == 1


async def test_a_task_with_the_same_key_is_the_same_task(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver))
        first = await send(app, idempotency_key="report-7")
        again = await send(app, headers={"idempotency-key": "report-7"})
        other = await send(app, idempotency_key="report-7", body="something else")
        of_ada = await send(app, idempotency_key="report-7", headers={"seawall-user": "ada"})
        await until_job(app, of_ada, state="completed")
        await until_job(app, first, state="completed")
    assert (first.status_code, again.status_code, of_ada.status_code) == (202, 200, 202)
    assert (again.json()["id"], again.headers["seawall-idempotent-replay"]) == (first.json()["id"], "true")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_key_reused")
    assert len(receiver.bodies) == 2


async def test_what_is_more_urgent_goes_first(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver), **{"jobs.concurrency": 1})
        later = {"delay_s": 60}
        answers = [await send(app, body=number, priority=number, **later) for number in (0, 9, 4)]
        app.clock.turn(61)
        for answer in answers:
            await until_job(app, answer, state="completed")
    assert receiver.bodies == [b"9", b"4", b"0"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"target": "post"}, "target"),
        ({"target": None}, "target"),
        ({"target": ["mail"]}, "target"),
        ({"url": "https://elsewhere.example.com"}, "url"),
        ({"delay_s": -1}, "delay_s"),
        ({"delay_s": True}, "delay_s"),
        ({"delay_s": "60"}, "delay_s"),
        ({"delay_s": 1e9}, "delay_s"),
        ({"delay_s": 1, "run_at": 1}, "run_at"),
        ({"run_at": "tomorrow"}, "run_at"),
        ({"run_at": "2026-11-27T07:30:00"}, "run_at"),
        ({"run_at": "9999-12-31T00:00:00Z"}, "run_at"),
        ({"run_at": 1e300}, "run_at"),
        ({"priority": 10}, "priority"),
        ({"priority": 1.0}, "priority"),
        ({"priority": False}, "priority"),
        ({"idempotency_key": 7}, "idempotency_key"),
        ({"idempotency_key": ""}, "Idempotency-Key"),
    ],
)
async def test_what_no_task_can_say_is_refused_by_name(
    refusing: RunningApp, fields: dict[str, Any], param: str
) -> None:
    answer = await send(refusing, **fields)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_request", param)


async def test_a_task_needs_a_body_and_one_key_alone(refusing: RunningApp) -> None:
    shown = {"authorization": f"Bearer {refusing.key}"}
    bare = await refusing.http.post("/v1/tasks", json={"target": "mail"}, headers=shown)
    two = await send(refusing, idempotency_key="a", headers={"idempotency-key": "b"})
    assert [answer.json()["error"]["param"] for answer in (bare, two)] == ["body", "idempotency_key"]


async def test_a_key_hears_of_its_own_targets_alone(start: Start) -> None:
    async with receiving() as receiver:
        own = {"tasks.post.url": receiver.url, "tasks.post.allow_private": True, "tasks.post.keys": ["test"]}
        app = await start(**to(receiver), **own)
        _, key = await app.new_key()
        refused = await send(app, target="post")
        allowed = await send(app, target="post", key=key)
        await until_job(app, allowed, state="completed")
    assert "There are mail. " in refused.json()["error"]["message"]
    assert (refused.status_code, allowed.status_code) == (400, 202)


async def test_a_page_sends_no_tasks(refusing: RunningApp) -> None:
    fields = {"kind": "publishable", "models": ["demo"], "origins": ["https://app.example.com"]}
    _, key = await refusing.new_key(**fields, budget={"daily_usd": "1.00"})
    answer = await send(refusing, key=key, headers={"origin": "https://app.example.com"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
    stranger = await send(refusing, key="sw-nobodys")
    assert stranger.status_code == 401


async def test_limits_on_calls_and_blocks_hold_for_tasks(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver), **{"limits.per_user": "2/minute"})
        ada, eve = {"seawall-user": "ada"}, {"seawall-user": "eve"}
        answers = [await send(app, headers=ada) for _ in range(3)]
        await app.admin("PATCH", "/users/eve", {"blocked": True})
        blocked = await send(app, headers=eve)
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert int(answers[2].headers["retry-after"]) >= 1
    assert (blocked.status_code, blocked.json()["error"]["code"]) == (403, "user_blocked")


async def test_no_more_tasks_wait_than_may(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver), **{"jobs.waiting_max_per_user": 2})
        answers = [await send(app, delay_s=60) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert (answers[2].json()["error"]["code"], int(answers[2].headers["retry-after"]) >= 1) == (
        "too_many_jobs", True,
    )  # fmt: skip


async def test_two_gateways_make_the_task_of_a_schedule_once(tmp_path: Path) -> None:
    async with receiving() as receiver:
        settings = to(receiver, every="1h", body={"kind": "hourly"})
        async with running(tmp_path, **settings) as first:
            await until(lambda: len(receiver.bodies) == 1)  # The one of noon, at which the clock begins.
            async with running(tmp_path, mock=first.mock, **settings) as second:
                for app in (first, second):
                    app.clock.turn(2 * 3_600 + 60)
                await until(lambda: len(receiver.bodies) == 2)
                jobs = await first.seawall.store.jobs.find()
    assert receiver.bodies == [encode({"kind": "hourly"})] * 2
    assert [job.owner.key_id for job in jobs] == ["", ""]


@pytest.fixture
async def refusing(start: Start) -> RunningApp:
    """Return a gateway with a target that is never called."""
    return await start(**{"tasks.mail.url": "https://app.example.com/mail"})
