"""seawall.js in Node.js, before a server that says exactly what each test is about."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import seawall
from tests.fixtures.clients import PATIENCE_S
from tests.fixtures.node_clients import NODE, SCRIPTS
from tests.fixtures.scripted import DROPPED, UNTIL_GONE, Scripted, scripted, stream, whole

FILE = Path(seawall.__file__).parent / "server" / "static" / "seawall.js"
RESPOND_ASYNC = {"background": True}
ACCEPTED = whole({"id": "job_1", "object": "job", "status": "queued"}, 202)
USAGE = 'data: {"id":"chatcmpl-1","choices":[],"usage":{"total_tokens":7}}\n\n'
DONE = "event: seawall.done\ndata: {}\n\n"
THINKING = {"stage": "thinking", "label": "Thinking…"}


def said(text: str) -> str:
    chunk = {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"content": text}}]}
    return f"data: {json.dumps(chunk)}\n\n"


def progress(told: dict[str, Any]) -> str:
    return f"event: seawall.progress\ndata: {json.dumps(told)}\n\n"


def numbered(number: int, frame: str) -> str:
    return f"id: {number}\n{frame}"


def finished(result: Any = None) -> list[bytes]:
    return whole({"id": "job_1", "status": "completed", "result": result})


async def run(case: str, at: Scripted | None = None, frames: str = "", **told: Any) -> Any:
    """Use the script in a process of its own; returns what a page would have seen."""
    told = {"url": at.url if at else "", "question": "Why?", **told}
    process = await asyncio.create_subprocess_exec(
        NODE, SCRIPTS / "seawall.mjs", case, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"SEAWALL_JS": str(FILE), "TOLD": json.dumps(told), "FRAMES": json.dumps(frames)},
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


async def test_events_are_the_same_wherever_their_stream_is_split() -> None:
    frames = ": hello\r\n\r\nid: 7\r\nevent: told\r\ndata: one\r\ndata:two\r\n\r\nevent: empty\n\ndata\r\rdata:  é\n\n"
    seen = await run("split", frames=frames)
    assert seen["events"] == [
        {"name": "told", "data": "one\ntwo", "id": "7"},
        {"name": "message", "data": ""},
        {"name": "message", "data": " é"},
    ]
    assert (seen["differing"], seen["byLetter"]) == (0, seen["events"])


async def test_a_question_streams_its_answer_with_stages() -> None:
    frames = (progress(THINKING), ": keep-alive\n\n", said("Sal"), said("ty."), USAGE, "data: [DONE]\n\n")
    async with scripted(stream(*frames)) as server:
        seen = await run("ask", server)
    assert seen["texts"] == [["Sal", "Sal"], ["ty.", "Salty."]]
    assert seen["stages"] == [THINKING]
    assert seen["answer"] == {
        "text": "Salty.", "id": "chatcmpl-1", "usage": {"total_tokens": 7}, "headers": {},
    }  # fmt: skip
    [asked] = server.asked
    assert (asked.line, asked.body) == (
        "POST /v1/chat/completions",
        {
            "model": "demo",
            "messages": [{"role": "user", "content": "Why?"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        },
    )
    assert asked.headers["authorization"] == "Bearer token-1"
    assert asked.headers["seawall-user"] == "ada"
    assert asked.headers["seawall-progress"] == "true"
    assert asked.headers["idempotency-key"]


async def test_a_request_with_input_is_a_response() -> None:
    content = [{"type": "output_text", "text": "Salty."}]
    response = {
        "id": "resp_1",
        "usage": {"total_tokens": 7},
        "output": [{"type": "message", "content": content}],
    }
    frames: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"id": "resp_1", "output": []}},
        {"type": "response.output_text.delta", "delta": "Salty."},
        {"type": "response.completed", "response": response},
    ]
    written = [f"event: {frame['type']}\ndata: {json.dumps(frame)}\n\n" for frame in frames]
    async with scripted(stream(*written, "data: [DONE]\n\n")) as server:
        seen = await run("ask", server, question={"model": "other", "input": "Why?"})
    assert seen["answer"] == {
        "text": "Salty.", "id": "resp_1", "usage": {"total_tokens": 7}, "response": response, "headers": {},
    }  # fmt: skip
    assert server.lines == ["POST /v1/responses"]
    assert server.asked[0].body == {"model": "other", "input": "Why?", "stream": True}


async def test_what_passes_is_tried_again_as_the_same_call() -> None:
    busy = whole({"error": {"message": "Busy."}}, 429, retry_after="9", retry_after_ms="1")
    async with scripted(busy, DROPPED, whole({}, 503), stream(said("Salty."), "data: [DONE]\n\n")) as server:
        seen = await run("ask", server)
    assert seen["answer"]["text"] == "Salty."
    assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 1
    assert [asked.headers["authorization"] for asked in server.asked] == [
        f"Bearer token-{n}" for n in (1, 2, 3, 4)
    ]


async def test_after_three_more_tries_the_error_is_told() -> None:
    async with scripted(*[DROPPED] * 4) as server:
        seen = await run("ask", server)
    assert (seen["error"]["code"], len(server.asked)) == ("unreachable", 4)
    assert seen["error"]["say"] == "The gateway cannot be reached. Please try again."


async def test_a_refusal_is_told_at_once_with_what_people_may_read() -> None:
    say = "You have used up what is yours for now."
    told = {
        "message": "The quota is used up.",
        "code": "quota_exhausted",
        "call_id": "call_1",
        "details": {"say": say},
    }
    async with scripted(whole({"error": told}, 429, retry_after="3600", x_should_retry="false")) as server:
        seen = await run("ask", server)
    assert seen["error"] == {
        "name": "SeawallError", "message": "The quota is used up.", "status": 429, "code": "quota_exhausted",
        "say": say, "callId": "call_1", "retryAfter": 3600, "canRetry": False, "text": "",
    }  # fmt: skip


async def test_a_long_wait_is_for_the_person_to_decide() -> None:
    async with scripted(whole({"error": {"message": "Later."}}, 429, retry_after="31")) as server:
        seen = await run("ask", server)
    assert (seen["error"]["retryAfter"], seen["error"]["say"], len(server.asked)) == (31, "Later.", 1)


async def test_an_answer_that_breaks_off_is_kept_and_not_asked_for_again() -> None:
    async with scripted(stream(said("Sal"), is_cut=True)) as server:
        seen = await run("ask", server)
    assert (seen["error"]["code"], seen["error"]["text"], len(server.asked)) == ("connection_lost", "Sal", 1)


async def test_a_stream_without_its_end_is_no_answer() -> None:
    async with scripted(stream(said("Sal"))) as server:
        seen = await run("ask", server)
    assert (seen["error"]["code"], seen["error"]["text"]) == ("connection_lost", "Sal")


async def test_an_error_in_the_stream_holds_what_has_come() -> None:
    error = json.dumps(
        {"error": {"message": "The provider failed.", "code": "upstream_error", "call_id": "call_1"}}
    )
    async with scripted(stream(said("Sal"), f"data: {error}\n\n")) as server:
        seen = await run("ask", server)
    assert {name: seen["error"][name] for name in ("status", "code", "callId")} == {
        "status": 0, "code": "upstream_error", "callId": "call_1",
    }  # fmt: skip
    assert seen["error"]["text"] == "Sal"


async def test_a_signal_closes_the_connection() -> None:
    async with scripted([*stream(said("Sal"), is_cut=True), UNTIL_GONE]) as server:
        seen = await run("ask", server, stopAt=1)
        await asyncio.wait_for(server.left.wait(), PATIENCE_S)
    assert seen["error"]["name"] == "AbortError"


async def test_background_goes_on_after_the_last_event_it_has_seen() -> None:
    queued = {"stage": "queued", "label": "Queued…", "place": 2, "starts_in_s": 5}
    first = stream(progress(queued), progress(THINKING), numbered(1, said("Sal")), is_cut=True)
    second = stream(numbered(2, said("ty.")), numbered(3, USAGE), DONE)
    async with scripted(ACCEPTED, first, whole({}, 502), DROPPED, second, finished()) as server:
        seen = await run("ask", server, options=RESPOND_ASYNC)
    assert seen["texts"] == [["Sal", "Sal"], ["ty.", "Salty."]]
    assert seen["stages"] == [queued, THINKING]
    assert (seen["answer"]["text"], seen["answer"]["usage"]) == ("Salty.", {"total_tokens": 7})
    assert server.lines == [
        "POST /v1/chat/completions",
        *["GET /v1/jobs/job_1/events"] * 4,
        "GET /v1/jobs/job_1",
    ]
    assert server.asked[0].headers["prefer"] == "respond-async"
    assert [asked.headers.get("last-event-id") for asked in server.asked[1:5]] == [None, "1", "1", "1"]


async def test_background_is_remembered_until_it_is_taken() -> None:
    async with scripted(ACCEPTED, stream(said("Salty."), DONE), finished()) as server:
        seen = await run("ask", server, options=RESPOND_ASYNC, stored=["job_0"])
    assert (seen["waiting"], seen["left"]) == (["job_0", "job_1"], ["job_0"])


async def test_a_result_is_fetched_as_often_as_it_takes() -> None:
    async with scripted(
        ACCEPTED, stream(said("Salty."), DONE), DROPPED, whole({}, 500), finished()
    ) as server:
        seen = await run("ask", server, options=RESPOND_ASYNC)
    assert (seen["answer"]["text"], server.lines[2:]) == ("Salty.", ["GET /v1/jobs/job_1"] * 3)


async def test_a_second_run_begins_at_the_first_word() -> None:
    again = [progress({**THINKING, "run": 2}), said("Quite "), said("salty.")]
    async with scripted(
        ACCEPTED, stream(progress(THINKING), said("Sal"), *again, DONE), finished()
    ) as server:
        seen = await run("ask", server, options=RESPOND_ASYNC)
    assert seen["texts"] == [["Sal", "Sal"], ["", ""], ["Quite ", "Quite "], ["salty.", "Quite salty."]]
    assert seen["answer"]["text"] == "Quite salty."


async def test_what_the_job_says_at_its_end_counts() -> None:
    message = {"role": "assistant", "content": "Salty."}
    result = {"id": "chatcmpl-1", "choices": [{"message": message}], "usage": {"total_tokens": 7}}
    async with scripted(ACCEPTED, stream(DONE), finished(result)) as server:
        seen = await run("ask", server, options=RESPOND_ASYNC)
    assert seen["answer"] == {
        "text": "Salty.", "id": "chatcmpl-1", "usage": {"total_tokens": 7}, "response": result,
    }  # fmt: skip


async def test_a_job_that_fails_says_why() -> None:
    error = {
        "message": "No money is left.",
        "code": "budget_exhausted",
        "call_id": "call_1",
        "details": {"say": "Sorry."},
    }
    job = {"id": "job_1", "status": "failed", "status_code": 402, "error": None, "result": {"error": error}}
    async with scripted(ACCEPTED, stream(said("Sal"), DONE), whole(job)) as server:
        seen = await run("ask", server, options=RESPOND_ASYNC)
    assert {name: seen["error"][name] for name in ("status", "code", "say", "callId", "text")} == {
        "status": 402, "code": "budget_exhausted", "say": "Sorry.", "callId": "call_1", "text": "Sal",
    }  # fmt: skip
    assert seen["left"] == []


async def test_a_page_that_is_loaded_anew_goes_on_from_the_first_word() -> None:
    async with scripted(stream(numbered(0, said("Salty.")), DONE), finished()) as server:
        seen = await run("resume", server, stored=["job_1"])
    assert (seen["answer"]["text"], seen["texts"], seen["left"]) == ("Salty.", [["Salty.", "Salty."]], [])
    assert server.lines == ["GET /v1/jobs/job_1/events", "GET /v1/jobs/job_1"]
    assert "last-event-id" not in server.asked[0].headers


async def test_a_page_that_waits_for_nothing_resumes_nothing() -> None:
    assert (await run("resume"))["answer"] is None


async def test_a_job_that_is_gone_is_forgotten_and_one_that_wants_a_login_is_not() -> None:
    async with scripted(whole({}, 404), whole({}, 401)) as server:
        gone = await run("resume", server, stored=["job_1"])
        refused = await run("resume", server, stored=["job_1"])
    assert (gone["error"]["status"], gone["left"]) == (404, [])
    assert (refused["error"]["status"], refused["left"]) == (401, ["job_1"])


async def test_a_job_can_be_cancelled() -> None:
    cancelled = whole({"id": "job_1", "status": "cancelled", "result": None, "error": None})
    async with scripted(ACCEPTED, stream(said("Sal"), DONE), cancelled, cancelled) as server:
        seen = await run("ask", server, options=RESPOND_ASYNC, cancelAt=1)
    assert (seen["error"]["code"], seen["error"]["text"], seen["left"]) == ("cancelled", "Sal", [])
    assert "POST /v1/jobs/job_1/cancel" in server.lines


async def test_a_signal_cancels_the_job() -> None:
    following = [*stream(said("Sal"), is_cut=True), UNTIL_GONE]
    async with scripted(ACCEPTED, following, whole({})) as server:
        seen = await run("ask", server, options=RESPOND_ASYNC, stopAt=1)
        await asyncio.wait_for(server.left.wait(), PATIENCE_S)
    assert (seen["error"]["name"], seen["left"]) == ("AbortError", [])
    assert server.lines[2:] == ["POST /v1/jobs/job_1/cancel"]


@pytest.mark.parametrize(("key", "is_later"), [("swp-of-a-page", False), ("a.login.token", True)])
async def test_auto_takes_the_background_for_those_who_may_have_it(key: str, is_later: bool) -> None:
    async with scripted(stream(said("Salty."), "data: [DONE]\n\n")) as server:
        seen = await run("ask", server, key=key, options={"background": "auto"})
    assert seen["answer"]["text"] == "Salty."
    assert ("prefer" in server.asked[0].headers, len(server.asked)) == (is_later, 1)


async def test_a_person_who_looks_elsewhere_is_told() -> None:
    async with scripted(ACCEPTED, stream(DONE), finished()) as server:
        seen = await run("ask", server, options={**RESPOND_ASYNC, "notify": True}, hidden=True)
    assert seen["notices"] == [["Ask the sea", "Your answer is ready."]]


async def test_a_person_who_looks_on_is_not_told() -> None:
    async with scripted(ACCEPTED, stream(DONE), finished()) as server:
        seen = await run("ask", server, options={**RESPOND_ASYNC, "notify": True}, hidden=False)
    assert seen["notices"] == []
