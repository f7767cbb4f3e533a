"""Calls that come again under an idempotency key: made once, answered alike, paid once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import RunningApp, Start, all_dialects
from tests.fixtures.mock_calls import o200k, until
from tests.fixtures.raw_http import peer_of
from tests.pipeline.conftest import StartBehind, held

SAID = [{"role": "user", "content": "Which of the seven seas is calm?"}]
CHAT: dict[str, Any] = {"model": "fake-gpt", "max_tokens": 300, "messages": SAID, "x_mock": "s12"}
DAY_S = 86_400.0
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", CHAT),
    "chat stream": ("/v1/chat/completions", CHAT | {"stream": True}),
    "messages": ("/v1/messages", {"model": "fake-claude", "max_tokens": 300, "messages": SAID}),
    "messages stream": (
        "/v1/messages", {"model": "fake-claude", "max_tokens": 300, "messages": SAID, "stream": True},
    ),
    "responses": ("/v1/responses", {"model": "fake-resp", "input": SAID}),
    "responses stream": ("/v1/responses", {"model": "fake-resp", "input": SAID, "stream": True}),
    "embeddings": ("/v1/embeddings", {"model": "fake-resp", "input": ["calm", "stormy"]}),
    "counting": ("/v1/messages/count_tokens", {"model": "fake-claude", "messages": SAID}),
}  # fmt: skip


async def ask(
    app: RunningApp, name: str = "k", *, key: str | None = None, user: str | None = None, **fields: Any
) -> httpx.Response:
    headers = {"idempotency-key": name} | ({} if user is None else {"seawall-user": user})
    return await app.chat(CHAT | fields, key=key, headers=headers)


def is_replay(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.headers.get("seawall-idempotent-replay") == "true"


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_the_same_call_gets_the_same_bytes_and_is_paid_once(start: Start) -> None:
    async with MockProvider(count=o200k()) as mock:
        app = await start(mock=mock, **all_dialects(mock.base_url))
        for number, (call, (path, body)) in enumerate(CALLS.items(), 1):
            shown = {"authorization": f"Bearer {app.key}", "idempotency-key": f"a key, for {call}"}
            first = await app.http.post(path, json=body, headers=shown)
            spent = (await app.spend()).lifetime
            second = await app.http.post(path, json=dict(reversed(body.items())), headers=shown)
            assert first.status_code == 200 and not is_replay(first)
            assert is_replay(second) and second.content == first.content
            assert second.headers["content-type"] == first.headers["content-type"]
            assert second.headers.get("seawall-cost-usd") == (None if "stream" in call else "0.00")
            assert (len(mock.requests), (await app.spend()).lifetime) == (number, spent)
        assert (await app.spend()).held == 0
    made, row = (await app.rows())[-2:]
    assert (row.outcome, row.status, row.cost, row.held, row.saved) == ("ok", 200, 0, 0, 0)
    [decision] = json.loads(row.decisions)
    assert decision["step"] == "make_once" and made.id in decision["why"]


async def test_another_body_or_endpoint_is_refused_for_good(start: Start) -> None:
    app = await start()
    await ask(app)
    refused = await ask(app, max_tokens=299)
    assert code_of(refused) == (409, "idempotency_key_reused")
    assert refused.headers["x-should-retry"] == "false"
    shown = {"authorization": f"Bearer {app.key}", "idempotency-key": "k"}
    elsewhere = await app.http.post("/v1/embeddings", json={"model": "fake-gpt", "input": "x"}, headers=shown)
    assert elsewhere.status_code in (400, 404, 409)
    assert len(app.mock.requests) == 1


async def test_another_key_of_the_caller_or_another_end_user_is_another_owner(start: Start) -> None:
    app = await start()
    _, other = await app.new_key()
    answers = [
        await ask(app),
        await ask(app, key=other),
        await ask(app, user="ada"),
        await ask(app, user="bob"),
    ]
    assert [is_replay(answer) for answer in answers] == [False] * 4
    assert is_replay(await ask(app, user="ada"))
    assert len(app.mock.requests) == 4


async def test_while_the_first_is_running_others_are_told_to_ask_again(start_behind: StartBehind) -> None:
    app, line = await start_behind()
    line.fault = held(b"calm")
    first = asyncio.create_task(ask(app))
    await until(lambda: len(app.mock.requests) == 1)
    second = await ask(app)
    line.heal()
    assert code_of(second) == (409, "conflict")
    assert second.headers["retry-after"] == "1"
    assert second.headers.get("x-should-retry") != "false"
    assert (await first).status_code == 200
    assert is_replay(await ask(app))
    assert len(app.mock.requests) == 1


async def test_of_many_at_two_gateways_one_is_made(
    start: Start, start_behind: StartBehind, tmp_path: Path
) -> None:
    app, line = await start_behind()
    url = app.seawall.settings.database_url
    apps = [app]
    if url is not None:
        base_url = f"http://127.0.0.1:{line.port}/v1"
        other: dict[str, object] = {"database_url": url, "providers__mock__base_url": base_url}
        apps.append(await start(mock=app.mock, folder=tmp_path / "other", **other))
    line.fault = held(b"calm")
    asked = [asyncio.create_task(ask(apps[number % len(apps)], key=app.key)) for number in range(20)]
    await until(lambda: sum(each.done() for each in asked) == 19)
    line.heal()
    codes = sorted(answer.status_code for answer in await asyncio.gather(*asked))
    assert codes == [200] + [409] * 19
    assert len(app.mock.requests) == 1


async def test_after_a_failure_the_key_is_free(start: Start) -> None:
    app = await start()
    failures = [
        ("e500", False),
        ("e400", True),
        ("s9-reset5", False),
        ("s9-reset5", True),
        ("s9-error5", True),
    ]
    for mocked, stream in failures:
        before = len(app.mock.requests)
        answers = [await ask(app, x_mock=mocked, stream=stream) for _ in range(2)]
        assert not any(is_replay(answer) or answer.status_code == 409 for answer in answers)
        assert len(app.mock.requests) == before + 2
    assert (await ask(app)).status_code == 200, "another request may have it as well"


async def test_what_is_refused_never_takes_the_key(start: Start) -> None:
    app = await start()
    assert code_of(await ask(app, model="unknown")) == (404, "model_not_found")
    assert (await ask(app)).status_code == 200


async def test_who_leaves_frees_the_key_and_a_retry_is_a_new_call(start: Start) -> None:
    app = await start()
    async with peer_of(app.port) as peer:
        peer.ask(CHAT | {"x_mock": "hole"}, app.key, headers="idempotency-key: k\r\n")
        await until(lambda: app.mock.open_calls == 1)
    await app.settled()
    assert not is_replay(await ask(app))
    assert len(app.mock.requests) == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_where_calls_are_read_to_their_end_who_left_gets_the_answer_later(
    start: Start, stream: bool
) -> None:
    app = await start(spending__on_disconnect="drain")
    body = CHAT | {"x_mock": "s12-d100", "stream": stream}
    async with peer_of(app.port) as peer:
        peer.ask(body, app.key, headers="idempotency-key: k\r\n")
        await until(lambda: len(app.mock.requests) == 1)
    await app.settled()
    again = await ask(app, **body)
    assert is_replay(again) and len(app.mock.requests) == 1
    assert "calm" in again.text or stream


async def test_it_is_kept_for_a_day_and_then_gone(start: Start) -> None:
    app = await start()
    await ask(app)
    app.clock.turn(DAY_S - 60)
    assert is_replay(await ask(app))
    app.clock.turn(120)
    assert not is_replay(await ask(app))
    app.clock.turn(DAY_S + 1)
    assert await app.seawall.store.idempotent.trim(app.clock(), at_most=50) == 1
    assert app.look("SELECT count(*) FROM idempotent_answers") == [(0,)]


async def test_a_key_that_cannot_be_one_is_refused_and_so_are_two(start: Start) -> None:
    app = await start()
    for names in ([""], ["x" * 256], ["schl\u00fcssel"], ["a\tb"], ["a", "b"]):
        keys = [("idempotency-key", name.encode("latin-1")) for name in names]
        headers: Any = [("authorization", f"Bearer {app.key}"), *keys]
        answer = await app.http.post("/v1/chat/completions", json=CHAT, headers=headers)
        assert code_of(answer) == (400, "invalid_request")
        assert answer.json()["error"]["param"] == "Idempotency-Key"
    assert app.mock.requests == []


async def test_a_replay_is_one_call_for_the_limits(start: Start) -> None:
    app = await start(limits__per_key="3/minute")
    answers = [await ask(app) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


async def test_an_answer_from_the_cache_is_kept_as_well(start: Start) -> None:
    app = await start(cache__enabled=True)
    for stream in (False, True):
        fields = {"stream": stream}
        await app.chat(CHAT | fields)
        first = await ask(app, f"k{stream}", **fields)
        assert (await app.admin("DELETE", "/cache")).status_code == 200
        again = await ask(app, f"k{stream}", **fields)
        assert first.headers["seawall-cache"] == "hit"
        assert is_replay(again) and again.content == first.content


async def test_an_erased_person_leaves_no_answers(start: Start) -> None:
    app = await start()
    await ask(app, user="ada")
    await app.settled()
    assert (await app.admin("DELETE", "/users/ada")).status_code == 200
    assert app.look("SELECT count(*) FROM idempotent_answers") == [(0,)]
    await ask(app, user="bob")
    await app.admin("DELETE", "/state", params={"end_user": "bob"})
    assert app.look("SELECT count(*) FROM idempotent_answers") == [(0,)]


async def test_progress_is_no_part_of_what_is_kept(start: Start) -> None:
    app = await start()
    shown = {"idempotency-key": "k", "seawall-progress": "true"}
    told = await app.chat(CHAT | {"stream": True}, headers=shown)
    plain = await app.chat(CHAT | {"stream": True}, headers={"idempotency-key": "k"})
    assert "seawall.progress" in told.text and "seawall.progress" not in plain.text
    again = await app.chat(CHAT | {"stream": True}, headers=shown)
    assert is_replay(again) and is_replay(plain)
    assert '"stage":"writing"' in again.text and "thinking" not in again.text
