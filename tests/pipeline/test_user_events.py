"""GET /v1/events: whoever has the app open hears of its own jobs, once, and goes on after any break."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from seawall.core.jobs import Ended
from seawall.core.state import Owner
from seawall.server.user_events import STREAMS_MAX
from tests.fixtures.gateways import RunningApp, Start
from tests.fixtures.made_jobs import end_job, put_job

PAGE = "https://app.example.com"


@asynccontextmanager
async def following(
    app: RunningApp, user: str = "ada", after: str = "", **params: str
) -> AsyncIterator[AsyncIterator[str]]:
    """Follow a user's events line by line."""
    headers = {"authorization": f"Bearer {app.key}", "seawall-user": user}
    if after:
        headers["last-event-id"] = after
    async with app.http.stream("GET", "/v1/events", headers=headers, params=params) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 1000"
        yield lines


async def next_event(lines: AsyncIterator[str]) -> tuple[str, str, dict[str, Any]]:
    """Return the next event: its id, its name and its data."""
    found: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        found[name] = value
        if name == "data":
            return found["id"], found["event"], json.loads(value)
    raise AssertionError("the stream ended")


async def finish(app: RunningApp, name: str, state: Ended = "completed", user: str = "ada") -> None:
    """Let a job come to its end, as a worker does."""
    jobs, now = app.seawall.store.jobs, app.clock()
    [key] = await app.seawall.store.directory.keys()
    await put_job(jobs, f"job_{name}", owner=Owner(key.id, user), accepted_at=now, due_at=now)
    await end_job(jobs, f"job_{name}", app.carrier_of, state, now=app.clock())


async def test_the_end_of_a_job_is_told_with_its_object_and_without_its_result(start: Start) -> None:
    app = await start(jobs__concurrency=0)
    async with following(app) as lines:
        await finish(app, "1")
        _, name, data = await next_event(lines)
        await finish(app, "2", "failed")
        _, second, failed = await next_event(lines)
    assert (name, data["id"], data["object"], data["status"]) == (
        "job.completed",
        "job_1",
        "job",
        "completed",
    )
    assert (data["stage"], data["result"], data["url"]) == ("done", None, "/v1/jobs/job_1")
    assert (second, failed["error"]["code"]) == ("job.failed", "upstream_unavailable")


async def test_a_stream_is_taken_up_where_it_broke_by_any_gateway(start: Start) -> None:
    app = await start(jobs__concurrency=0)
    async with following(app) as lines:
        await finish(app, "1")
        place, _, _ = await next_event(lines)
    await finish(app, "2")
    await finish(app, "3", "cancelled")
    app.clock.turn(3_600)
    async with following(app, after=place) as lines:
        told = [(await next_event(lines))[1:] for _ in range(2)]
    assert [(name, data["id"]) for name, data in told] == [
        ("job.completed", "job_2"),
        ("job.cancelled", "job_3"),
    ]
    async with following(app, after=place) as lines:
        assert (await next_event(lines))[2]["id"] == "job_2"


async def test_nobody_hears_of_the_jobs_of_others(start: Start) -> None:
    app = await start(jobs__concurrency=0)
    async with following(app, "bob") as lines:
        await finish(app, "1")
        await finish(app, "2", user="bob")
        assert (await next_event(lines))[2]["id"] == "job_2"


async def test_a_silence_is_broken_by_a_comment(start: Start) -> None:
    app = await start(jobs__concurrency=0, progress__heartbeat_s=0.01)
    async with following(app) as lines:
        assert ": keep-alive" in [await anext(lines) for _ in range(4)]


@pytest.mark.parametrize("after", ["x", "nan-job_1", "-1-job_1", "1e999-job_1"])
async def test_what_is_no_place_is_refused(start: Start, after: str) -> None:
    app = await start(jobs__concurrency=0)
    answer = await get(app, app.key, after)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "Last-Event-ID")


async def test_a_publishable_key_is_refused_and_so_is_a_stranger(start: Start) -> None:
    app = await start(jobs__concurrency=0)
    _, key = await app.new_key(kind="publishable", origins=[PAGE], models=["m"], budget={"daily_usd": "1"})
    page = await get(app, key, origin=PAGE)
    assert (page.status_code, page.json()["error"]["code"]) == (403, "not_allowed")
    assert (await get(app, "sw-nobody")).status_code == 401


async def test_the_streams_of_one_user_are_bounded_and_given_back(start: Start) -> None:
    app = await start(jobs__concurrency=0)

    async def fill(left: int) -> None:
        if not left:
            refused = await get(app, app.key, **{"seawall-user": "ada"})
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
            return
        async with following(app):
            await fill(left - 1)

    await fill(STREAMS_MAX)
    async with following(app, "bob"):
        pass
    while (await status_of(app)) == 429:
        pass


async def status_of(app: RunningApp) -> int:
    """Return how a further stream of ada is answered."""
    headers = {"authorization": f"Bearer {app.key}", "seawall-user": "ada"}
    async with app.http.stream("GET", "/v1/events", headers=headers) as answer:
        return answer.status_code


async def get(app: RunningApp, key: str, after: str = "", **headers: str) -> httpx.Response:
    """Ask for events where the answer is a refusal."""
    shown = {"authorization": f"Bearer {key}", **headers}
    return await app.http.get("/v1/events", headers=shown, params={"after": after} if after else {})
