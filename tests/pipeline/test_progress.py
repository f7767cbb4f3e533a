"""What a client that asked for progress is told between the frames of its answer, and that nobody else is told."""

import asyncio
import json
from typing import Any

import pytest

from seawall.proving.mock_provider import MockProvider
from tests.fixtures.fault_proxy import FaultProxy
from tests.fixtures.gateways import Start, all_dialects
from tests.fixtures.mock_calls import o200k, until
from tests.fixtures.raw_http import Peer, peer_of
from tests.pipeline.conftest import StartBehind, held

SAID = [{"role": "user", "content": "Which of the seven seas is calm?"}]
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"model": "fake-gpt", "max_tokens": 300, "messages": SAID}),
    "messages": ("/v1/messages", {"model": "fake-claude", "max_tokens": 300, "messages": SAID}),
    "responses": ("/v1/responses", {"model": "fake-resp", "max_output_tokens": 300, "input": SAID}),
    "translated": ("/v1/responses", {"model": "fake-claude", "max_output_tokens": 300, "input": SAID}),
}
CHAT = {"model": "fake-gpt", "max_tokens": 300, "messages": SAID, "stream": True}
STREAM_BYTES = 600
"""After so many bytes a stream of the mock is within its text."""
SHOW = {"seawall-progress": "true"}
SHOW_LINE = "seawall-progress: true\r\n"


def frames_of(body: bytes) -> list[str]:
    """Cut a stream into frames; each must be whole, or what follows it would stand inside of it."""
    assert body.endswith(b"\n\n")
    return body.decode().split("\n\n")[:-1]


def is_progress(frame: str) -> bool:
    return frame.startswith(("event: seawall.progress\n", ": keep-alive"))


def stages_of(body: bytes) -> list[str]:
    """Return the stages that were told, "-" for each comment and "+" for each run of other frames."""
    found: list[str] = []
    for frame in frames_of(body):
        if frame == ": keep-alive":
            found.append("-")
        elif is_progress(frame):
            found.append(json.loads(frame.partition("data: ")[2])["stage"])
        elif found[-1:] != ["+"]:
            found.append("+")
    return found


def alike(frames: list[str]) -> list[str]:
    """Return the frames of an answer that are the same in every answer of its kind."""
    return [frame for frame in frames if not any(each in frame for each in ("resp_", "chatcmpl-", "msg_"))]


@pytest.mark.parametrize("call", CALLS)
async def test_stages_stand_between_the_frames_and_without_the_header_nothing_does(
    start: Start, call: str
) -> None:
    path, fields = CALLS[call]
    async with MockProvider(count=o200k()) as mock:
        app = await start(mock=mock, **all_dialects(mock.base_url), progress__thinking="Analysing…")
        shown = {"authorization": f"Bearer {app.key}"}
        body = fields | {"stream": True}
        told = await app.http.post(path, json=body, headers=shown | SHOW)
        plain = await app.http.post(path, json=body, headers=shown)
        off = await app.http.post(path, json=body, headers=shown | {"seawall-progress": "no"})
    stages = stages_of(told.content)
    assert [stage for stage in stages if stage != "+"] == ["thinking", "writing", "done"]
    assert (stages[0], stages[-2:]) == ("thinking", ["done", "+"])
    first = frames_of(told.content)[0].partition("data: ")[2]
    assert json.loads(first).items() >= {"stage": "thinking", "label": "Analysing…"}.items()
    rest = [frame for frame in frames_of(told.content) if not is_progress(frame)]
    for other in (plain, off):
        assert alike(rest) == alike(frames_of(other.content))
        assert len(rest) == len(frames_of(other.content))
    assert (told.headers["content-type"], told.status_code) == (plain.headers["content-type"], 200)


async def test_the_stream_begins_and_is_kept_open_before_the_provider_answers(start: Start) -> None:
    app = await start(progress__heartbeat_s=0.02)
    async with peer_of(app.port) as peer:
        peer.ask(CHAT | {"x_mock": "hole"}, app.key, headers=SHOW_LINE)
        status, headers = await peer.head()
        assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert b'"stage":"thinking"' in await peer.until(b": keep-alive\n\n")
        await peer.until(b": keep-alive\n\n")
        assert app.mock.open_calls == 1


async def test_comments_stop_with_the_answer_and_stand_in_no_frame(start_behind: StartBehind) -> None:
    app, line = await start_behind(progress__heartbeat_s=0.005, jobs__concurrency=0)
    before = len(asyncio.all_tasks())  # A worker would have tasks of its own.
    async with peer_of(app.port) as peer:
        for _ in range(3):  # On one connection: a comment too late would stand before the next head.
            line.fault = held(b"calm", STREAM_BYTES)
            peer.ask(CHAT | {"x_mock": "s12-g20-w4"}, app.key, headers=SHOW_LINE)
            body = await heal_in_silence(peer, line)
            stages = stages_of(body)
            assert stages.count("-") > 3
            assert stages[-1] == "+"
            assert frames_of(body)[-1] == "data: [DONE]"
    await until(lambda: len(asyncio.all_tasks()) <= before)


async def heal_in_silence(peer: Peer, line: FaultProxy) -> bytes:
    """Read an answer of which the rest is held back until four comments have broken the silence."""
    body = b""
    assert (await peer.head())[0] == 200
    async for chunk in peer.chunks():
        body += chunk
        if line.struck is not None and line.struck is line.fault:
            silent = body.rpartition(b'"content":"')[2]
            if silent.count(b": keep-alive\n\n") >= 4:
                line.heal()
    return body


async def test_a_client_that_leaves_in_silence_is_noticed_at_once(start: Start) -> None:
    app = await start(progress__heartbeat_s=0.005)
    async with peer_of(app.port) as peer:
        peer.ask(CHAT | {"x_mock": "s12-stall3"}, app.key, headers=SHOW_LINE)
        await peer.until(b": keep-alive\n\n")
    await until(lambda: app.mock.open_calls == 0)
    row = await app.row()
    assert (row.outcome, row.code) == ("left", "client_gone")


async def test_an_error_after_the_first_stage_is_an_event_and_before_it_a_status(start: Start) -> None:
    async with MockProvider(count=o200k()) as mock:
        app = await start(mock=mock, **all_dialects(mock.base_url))
        for path, fields in [CALLS[each] for each in ("chat", "messages", "responses")]:
            shown = {"authorization": f"Bearer {app.key}"} | SHOW
            broken = await app.http.post(
                path, json=fields | {"stream": True, "x_mock": "e500"}, headers=shown
            )
            assert broken.status_code == 200
            assert [stage for stage in stages_of(broken.content) if stage != "+"] == ["thinking"]
            assert "error" in frames_of(broken.content)[-1]
            unknown = await app.http.post(path, json=fields | {"stream": True, "model": "x"}, headers=shown)
            assert unknown.status_code == 404


async def test_another_provider_is_still_tried_after_the_first_stage(start: Start) -> None:
    async with MockProvider(count=o200k()) as mock:
        targets = ["mock/fake-gpt-e500", "mock/fake-thinker"]
        app = await start(
            mock=mock,
            **{"providers.mock.models": ["fake-gpt-e500", "fake-thinker"], "models.smart.targets": targets},
            **{
                f"prices.fake-gpt-e500.{name}": "1.00"
                for name in ("input_usd_per_mtok", "output_usd_per_mtok")
            },
        )
        answer = await app.chat(CHAT | {"model": "smart"}, headers=SHOW)
        assert stages_of(answer.content) == ["thinking", "+", "writing", "+", "done", "+"]
        assert len(mock.requests) == 2


async def test_a_whole_answer_has_no_progress(start: Start) -> None:
    app = await start()
    answer = await app.chat(CHAT | {"stream": False}, headers=SHOW)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["object"] == "chat.completion"


async def test_what_is_kept_is_written_at_once(start: Start) -> None:
    app = await start(cache__enabled=True)
    body = CHAT | {"x_mock": "s12"}
    first = await app.chat(body, headers=SHOW)
    again = await app.chat(body, headers=SHOW)
    plain = await app.chat(body)
    assert again.headers["seawall-cache"] == plain.headers["seawall-cache"] == "hit"
    assert stages_of(again.content) == ["writing", "+", "done", "+"]
    for told in (first, again):
        rest = [frame for frame in frames_of(told.content) if not is_progress(frame)]
        assert rest == frames_of(plain.content)


async def test_who_waits_for_the_same_call_in_flight_is_told_that_the_model_thinks(
    start_behind: StartBehind,
) -> None:
    app, line = await start_behind(cache__enabled=True, progress__heartbeat_s=0.02)
    line.fault = held(b"calm")
    first = asyncio.create_task(app.chat(CHAT))
    await until(lambda: len(app.mock.requests) == 1)
    async with peer_of(app.port) as peer:
        peer.ask(CHAT, app.key, headers=SHOW_LINE)
        _, headers = await peer.head()
        second = b""
        async for chunk in peer.chunks():
            second += chunk
            if b": keep-alive" in second:  # By then it waits for the first.
                line.heal()
    assert headers.get("seawall-cache") == "miss"  # As it stood when the stream began.
    told = [stage for stage in stages_of(second) if stage != "-"]
    assert told == ["thinking", "writing", "+", "done", "+"]
    assert (await first).status_code == 200
    assert len(app.mock.requests) == 1


async def test_an_answer_that_is_held_back_is_being_checked(start: Start) -> None:
    app = await start(guard__mode="block", guard__output="hold", guard__output_secrets="block")
    answer = await app.chat(CHAT | {"x_mock": "s12"}, headers=SHOW)
    assert [stage for stage in stages_of(answer.content) if stage != "+"] == [
        "thinking", "checking", "writing", "done",
    ]  # fmt: skip


async def test_the_end_that_the_guard_holds_is_being_checked(start: Start) -> None:
    app = await start(guard__mode="block", guard__output_secrets="redact")
    text = "It is a long way to go, and the word for it is sk-"
    answer = await app.chat(CHAT | {"x_mock": {"text": text}}, headers=SHOW)
    assert [stage for stage in stages_of(answer.content) if stage != "+"] == [
        "thinking", "writing", "checking", "done",
    ]  # fmt: skip
