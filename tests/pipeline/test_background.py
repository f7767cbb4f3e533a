"""Calls that are done later: accepted with their money, made by the worker inside, fetched by their owner."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from seawall.core.contracts import Spend
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.fault_proxy import FaultProxy
from tests.fixtures.gateways import Places, RunningApp, Start, all_dialects, running
from tests.fixtures.mock_calls import LONGER, o200k, until
from tests.pipeline.conftest import held

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASYNC = {"prefer": "respond-async"}
SLOW = "s40"
"""An answer that comes once the line to the provider is open."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def mock() -> AsyncIterator[MockProvider]:
    """Return the provider of all tests."""
    async with MockProvider(count=o200k()) as started:
        yield started


@pytest.fixture(scope="module")
def line(mock: MockProvider) -> Iterator[FaultProxy]:
    """Return the line to the provider."""
    with FaultProxy(mock.port) as proxy:
        yield proxy


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def app(
    tmp_path_factory: pytest.TempPathFactory, places: Places, mock: MockProvider, line: FaultProxy
) -> AsyncIterator[RunningApp]:
    """Return a gateway that speaks to a mock in all dialects, with money enough."""
    stated = {**all_dialects(f"http://127.0.0.1:{line.port}/v1"), "jobs__per_user_at_once": 2}
    folder = tmp_path_factory.mktemp("app")
    stated |= places.of(folder)
    async with running(folder, mock=mock, budget__daily_usd="100000.00", **stated) as started:
        yield started


@pytest.fixture
def closed(line: FaultProxy) -> Iterator[FaultProxy]:
    """Return the line, on which no slow answer comes before a test opens it by taking its fault away."""
    line.fault = held(b'"s40"')
    yield line
    line.fault = None


class Desk:
    """Hands jobs in with one key and asks what became of them."""

    def __init__(self, app: RunningApp, key: str) -> None:
        self.app, self.key = app, key

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        shown = {
            "authorization": f"Bearer {self.key}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        return await self.app.http.post(f"/v1{path}", json=body, headers=shown)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        shown = {
            "authorization": f"Bearer {self.key}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        return await self.app.http.get(f"/v1{path}", headers=shown)

    async def respond(self, mocked: str = "", **fields: Any) -> dict[str, Any]:
        """Ask for a response in the background; returns it as it was accepted."""
        body = {"model": "fake-resp", "input": "Which sea is calm?", "background": True, "x_mock": mocked}
        answer = await self.post("/responses", body | fields)
        answer.raise_for_status()
        shown: dict[str, Any] = answer.json()
        return shown

    async def hand_in(self, mocked: str = "", **fields: Any) -> dict[str, Any]:
        """Ask for a chat completion later; returns the job as it was accepted."""
        messages = [{"role": "user", "content": "Which sea is calm?"}]
        body = {"model": "fake-gpt", "messages": messages, "x_mock": mocked, "max_tokens": 50}
        answer = await self.post("/chat/completions", body | fields, prefer="respond-async")
        assert answer.status_code == 202, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def ended(self, path: str) -> dict[str, Any]:
        """Return a job or response once it is at its end."""
        return await self.reached(path, "completed", "failed", "cancelled", "incomplete")

    async def reached(self, path: str, *states: str) -> dict[str, Any]:
        async with asyncio.timeout(LONGER * 4):
            while True:
                shown: dict[str, Any] = (await self.get(path)).raise_for_status().json()
                if shown["status"] in states:
                    return shown
                await asyncio.sleep(0.01)


async def spend_in_the_end(app: RunningApp) -> Spend:
    """Return what was spent once no job holds money any more: it has its answer before that is settled."""
    async with asyncio.timeout(LONGER * 2):
        while (spend := await app.spend()).held:
            await asyncio.sleep(0.01)
    return spend


@pytest_asyncio.fixture(loop_scope="module")
async def desk(app: RunningApp) -> Desk:
    return Desk(app, (await app.new_key())[1])


def numbers_of(stream: str) -> list[int]:
    """Return the sequence numbers of a stream of a response."""
    data = [line[6:] for line in stream.splitlines() if line.startswith("data: {")]
    return [json.loads(text)["sequence_number"] for text in data]


async def test_a_background_response_is_queued_and_then_complete(desk: Desk) -> None:
    accepted = await desk.respond()
    assert (accepted["status"], accepted["background"], accepted["output"]) == ("queued", True, [])
    done = await desk.ended(f"/responses/{accepted['id']}")
    assert (done["status"], done["background"], done["id"]) == ("completed", True, accepted["id"])
    assert done["output"][0]["content"][0]["text"]
    assert done["created_at"] == accepted["created_at"]


async def test_its_money_is_held_at_once_and_settled_at_its_true_cost(
    app: RunningApp, desk: Desk, closed: FaultProxy
) -> None:
    before = await spend_in_the_end(app)
    accepted = await desk.respond(SLOW, max_output_tokens=50)
    assert (await app.spend_now()).held > 0
    closed.fault = None
    await desk.ended(f"/responses/{accepted['id']}")
    after = await spend_in_the_end(app)
    seen = app.mock.requests[-1]
    row = await app.row_of(accepted["id"].replace("resp_", "call_"))
    assert after.held == 0
    assert after.lifetime - before.lifetime == row.cost == seen.cost
    assert row.outcome == "ok"


async def test_a_stream_in_the_background_goes_on_where_it_was_broken_off(
    app: RunningApp, desk: Desk
) -> None:
    body = {"model": "fake-resp", "input": "Hi", "background": True, "stream": True, "x_mock": "s30-g10"}
    headers = {"authorization": f"Bearer {desk.key}"}
    text = ""
    async with app.http.stream("POST", "/v1/responses", json=body, headers=headers) as answer:
        async for line in answer.aiter_lines():
            text += line + "\n"
            if "output_text.delta" in line and line.startswith("data"):
                break
    seen = numbers_of(text)
    response_id = json.loads(next(x for x in text.splitlines() if x.startswith("data: "))[6:])["response"][
        "id"
    ]
    rest = await desk.get(f"/responses/{response_id}?stream=true&starting_after={seen[-1]}")
    whole = await desk.get(f"/responses/{response_id}?stream=true")
    numbers = numbers_of(whole.text)
    assert seen + numbers_of(rest.text) == numbers == list(range(len(numbers)))
    kinds = [line[7:] for line in whole.text.splitlines() if line.startswith("event: ")]
    assert kinds[:3] == ["response.created", "response.queued", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert whole.text.endswith("data: [DONE]\n\n")
    assert app.mock.requests[-1].body["input"] == "Hi"


async def test_what_is_cancelled_while_it_runs_stops_at_the_provider(app: RunningApp, desk: Desk) -> None:
    job = await desk.hand_in("s400-g250", stream=True, max_tokens=500)
    path = f"/jobs/{job['id']}"
    await desk.reached(path, "in_progress")
    await desk.post(f"{path}/cancel", {})
    done = await desk.ended(path)
    assert done["status"] == "cancelled"
    assert (await desk.post(f"{path}/cancel", {})).json()["status"] == "cancelled"
    await until(lambda: app.mock.open_calls == 0)
    assert (await spend_in_the_end(app)).held == 0


async def test_what_is_cancelled_while_it_waits_costs_nothing(
    app: RunningApp, desk: Desk, closed: FaultProxy
) -> None:
    before, asked = await spend_in_the_end(app), len(app.mock.requests)
    running_now = [await desk.hand_in(SLOW, stream=True) for _ in range(2)]
    waiting = await desk.hand_in(SLOW)
    cancelled = await desk.post(f"/jobs/{waiting['id']}/cancel", {})
    assert (cancelled.json()["status"], cancelled.json()["runs"]) == ("cancelled", 0)
    closed.fault = None
    for job in running_now:
        await desk.ended(f"/jobs/{job['id']}")
    after = await spend_in_the_end(app)
    assert len(app.mock.requests) - asked == 2
    billed = sum(seen.cost for seen in app.mock.requests[asked:])
    assert (after.held, after.lifetime - before.lifetime) == (0, billed)


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        (
            "/chat/completions",
            {"model": "fake-gpt", "messages": [{"role": "user", "content": "Hi"}]},
            "object",
        ),
        (
            "/messages",
            {"model": "fake-claude", "max_tokens": 20, "messages": [{"role": "user", "content": "Hi"}]},
            "type",
        ),
        ("/embeddings", {"model": "fake-resp", "input": "Hi"}, "object"),
        ("/responses", {"model": "fake-resp", "input": "Hi"}, "object"),
    ],
)
async def test_any_call_can_ask_to_be_done_later(desk: Desk, path: str, body: Any, kind: str) -> None:
    answer = await desk.post(path, body, prefer="respond-async, wait=5")
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}" == job["url"]
    assert answer.headers["preference-applied"] == "respond-async"
    done = await desk.ended(f"/jobs/{job['id']}")
    direct = (await desk.post(path, body)).json()
    assert (done["status"], done["status_code"], done["error"]) == ("completed", 200, None)
    assert done["result"].keys() == direct.keys()
    assert done["result"][kind] == direct[kind]


async def test_nobody_else_can_tell_that_there_is_a_job(app: RunningApp, desk: Desk) -> None:
    job = await desk.hand_in()
    other = Desk(app, (await app.new_key())[1])
    for asked in (
        await other.get(f"/jobs/{job['id']}"),
        await desk.get(f"/jobs/{job['id']}", seawall_user="ada"),
        await other.post(f"/jobs/{job['id']}/cancel", {}),
        await other.get(f"/jobs/{job['id']}/events"),
        await other.get(f"/jobs/job_{'0' * 34}"),
    ):
        assert (asked.status_code, asked.json()["error"]["code"]) == (404, "job_not_found")
    assert (await other.get("/jobs")).json()["data"] == []
    assert [each["id"] for each in (await desk.get("/jobs")).json()["data"]] == [job["id"]]
    await desk.ended(f"/jobs/{job['id']}")


async def test_the_same_key_and_body_give_the_same_job_and_another_body_is_refused(
    app: RunningApp, desk: Desk
) -> None:
    asked = len(app.mock.requests)
    body = {"model": "fake-resp", "input": "Once", "background": True}
    first, second = [await desk.post("/responses", body, idempotency_key="one") for _ in range(2)]
    other = await desk.post("/responses", body | {"input": "Twice"}, idempotency_key="one")
    await desk.ended(f"/responses/{first.json()['id']}")
    third = await desk.post("/responses", body, idempotency_key="one")
    assert first.status_code == second.status_code == 200, second.text
    assert first.json()["id"] == second.json()["id"] == third.json()["id"]
    assert "seawall-idempotent-replay" not in first.headers
    assert second.headers["seawall-idempotent-replay"] == third.headers["seawall-idempotent-replay"] == "true"
    assert (third.json()["status"], third.json()["output"] != []) == ("completed", True)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_key_reused")
    assert len(app.mock.requests) - asked == 1


@pytest.mark.asyncio(loop_scope="function")
async def test_a_job_that_cannot_be_paid_is_refused_when_it_is_handed_in(start: Start) -> None:
    app = await start(budget__daily_usd="0.01", spending__hold_wait_s=0, jobs__concurrency=0)
    desk = Desk(app, app.key)
    fits = await desk.hand_in(max_tokens=325)
    body = {"model": "fake-gpt", "max_tokens": 200, "messages": [{"role": "user", "content": "Hi"}]}
    refused = await desk.post("/chat/completions", body, prefer="respond-async")
    direct = await app.chat(body)
    assert fits["status"] == "queued"
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "budget_busy")
    assert direct.status_code == 429
    await desk.post(f"/jobs/{fits['id']}/cancel", {})
    assert (await app.chat(body)).status_code == 200


async def test_a_key_that_was_revoked_meanwhile_ends_its_jobs_unbilled(
    app: RunningApp, closed: FaultProxy
) -> None:
    key_id, key = await app.new_key()
    desk, before = Desk(app, key), await spend_in_the_end(app)
    busy = [await desk.hand_in(SLOW, stream=True) for _ in range(2)]
    waiting = await desk.hand_in()
    await app.admin("DELETE", f"/keys/{key_id}")
    closed.fault = None
    asked = len(app.mock.requests)
    for job in [*busy, waiting]:
        async with asyncio.timeout(LONGER * 4):
            while not (await app.seawall.gateway.jobs.get(job["id"])).has_ended:  # type: ignore[union-attr] # it is there
                await asyncio.sleep(0.01)
    ended = await app.seawall.gateway.jobs.get(waiting["id"])
    assert ended is not None
    assert (ended.state, ended.code) == ("failed", "invalid_api_key")
    assert (await spend_in_the_end(app)).held == before.held == 0
    assert all("x_mock" in seen.body for seen in app.mock.requests[asked:])


async def test_trouble_that_passes_is_tried_again_and_a_refusal_is_not(app: RunningApp, desk: Desk) -> None:
    refused = await desk.hand_in("e400")
    asked = len(app.mock.requests)
    failed = await desk.ended(f"/jobs/{refused['id']}")
    assert (failed["status"], failed["runs"], failed["status_code"]) == ("failed", 1, 400)
    assert failed["error"]["message"]
    assert len(app.mock.requests) - asked <= 1
    later = await desk.hand_in("e503")
    waiting = await desk.reached(f"/jobs/{later['id']}", "queued")
    assert waiting["runs"] <= 1
    await desk.post(f"/jobs/{later['id']}/cancel", {})
    await desk.ended(f"/jobs/{later['id']}")


@pytest.mark.asyncio(loop_scope="function")
async def test_a_job_that_was_refused_says_what_can_be_shown_to_a_person(start: Start) -> None:
    app = await start(guard__mode="block", guard__output="hold", guard__block_phrases=["purple whale"])
    desk = Desk(app, app.key)
    job = await desk.hand_in(x_mock={"text": "There is a purple whale."})
    error = (await desk.ended(f"/jobs/{job['id']}"))["error"]
    assert (error["code"], error["details"]["rule"]) == ("blocked_by_guard", "guard.block_phrases")
    assert error["details"]["say"] == "There is no answer to this."
    events = await desk.get(f"/jobs/{job['id']}/events")
    [done] = [line for line in events.text.splitlines() if '"status":"failed"' in line]
    assert json.loads(done.removeprefix("data: "))["error"] == error


@pytest.mark.asyncio(loop_scope="function")
async def test_too_many_waiting_jobs_are_refused_with_a_time(start: Start) -> None:
    app = await start(jobs__waiting_max_per_user=2, jobs__concurrency=0)
    desk = Desk(app, app.key)
    for _ in range(2):
        await desk.hand_in()
    body = {"model": "fake-gpt", "messages": [{"role": "user", "content": "Hi"}]}
    refused = await desk.post("/chat/completions", body, prefer="respond-async")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_jobs")
    assert int(refused.headers["retry-after"]) >= 1
    assert (
        await desk.post("/chat/completions", body, prefer="respond-async", seawall_user="ada")
    ).status_code == 202


async def test_the_events_of_a_job_tell_its_stages_and_go_on_from_a_number(
    desk: Desk, closed: FaultProxy
) -> None:
    closed.fault = held(b'"s20"', after_bytes=2_000)
    job = await desk.hand_in("s20", stream=True)
    lines, stages = [], []
    shown = {"authorization": f"Bearer {desk.key}"}
    async with desk.app.http.stream("GET", f"/v1/jobs/{job['id']}/events", headers=shown) as whole:
        async for line in whole.aiter_lines():
            if lines and lines[-1] == "event: seawall.progress":
                stages.append(json.loads(line.removeprefix("data: "))["stage"])
                if stages[-1] == "writing":
                    closed.fault = None
            lines.append(line)
    ids = [int(line[4:]) for line in lines if line.startswith("id: ")]
    assert stages[-1] == "done"
    assert "writing" in stages
    assert ids == list(range(len(ids)))
    rest = await desk.get(f"/jobs/{job['id']}/events", last_event_id=str(ids[4]))
    assert [int(line[4:]) for line in rest.text.splitlines() if line.startswith("id: ")] == ids[5:]
    assert "event: seawall.done\n" in rest.text


async def test_what_is_not_to_be_stored_cannot_be_done_later(desk: Desk) -> None:
    body = {"model": "fake-resp", "input": "Hi", "background": True, "store": False}
    refused = await desk.post("/responses", body)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "store")


async def test_a_job_at_its_end_can_be_deleted_and_no_other(desk: Desk, closed: FaultProxy) -> None:
    job = await desk.hand_in(SLOW, stream=True)
    shown = {"authorization": f"Bearer {desk.key}"}
    early = await desk.app.http.delete(f"/v1/jobs/{job['id']}", headers=shown)
    closed.fault = None
    await desk.ended(f"/jobs/{job['id']}")
    late = await desk.app.http.delete(f"/v1/jobs/{job['id']}", headers=shown)
    assert (early.status_code, early.json()["error"]["code"]) == (409, "conflict")
    assert late.json() == {"id": job["id"], "object": "job", "deleted": True}
    assert (await desk.get(f"/jobs/{job['id']}")).status_code == 404


async def test_a_conversation_goes_on_from_a_background_response(app: RunningApp, desk: Desk) -> None:
    first = await desk.respond(input="One sea?")
    await desk.ended(f"/responses/{first['id']}")
    body = {"model": "fake-resp", "input": "Another?", "previous_response_id": first["id"]}
    second = await desk.post("/responses", body)
    assert second.status_code == 200
    assert [item.get("content") for item in app.mock.requests[-1].body["input"]][::2] == [
        "One sea?",
        "Another?",
    ]
