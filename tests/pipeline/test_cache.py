"""The exact cache from the outside: what is answered twice for the price of one, for whom, and what never is."""

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import httpx
import pytest

from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import RunningApp, Start, all_dialects, running
from tests.fixtures.issuers import login_server
from tests.fixtures.mock_calls import o200k, until
from tests.fixtures.raw_http import peer_of
from tests.pipeline.conftest import StartBehind, held

ON: dict[str, object] = {"cache__enabled": True}
SAID = [{"role": "user", "content": "Which of the seven seas is calm?"}]
CHAT: dict[str, Any] = {"model": "fake-gpt", "max_tokens": 300, "messages": SAID, "x_mock": "s12"}


async def ask(
    app: RunningApp, key: str | None = None, user: str | None = None, **fields: Any
) -> httpx.Response:
    headers = {} if user is None else {"seawall-user": user}
    return await app.chat(CHAT | fields, key=key, headers=headers)


async def test_the_second_of_two_equal_calls_is_answered_without_the_provider_and_costs_nothing(
    start: Start,
) -> None:
    app = await start(**ON)
    began = app.clock()
    first = await ask(app)
    spent = (await app.spend()).lifetime
    app.clock.turn(30)
    second = await ask(app)
    most_s = app.clock() - began
    assert first.headers["seawall-cache"] == "miss"
    assert (second.content, second.status_code) == (first.content, 200)
    told = {name: second.headers[name] for name in ("seawall-cache", "seawall-cost-usd", "seawall-saved-usd")}
    assert told == {
        "seawall-cache": "hit",
        "seawall-cost-usd": "0.00",
        "seawall-saved-usd": first.headers["seawall-cost-usd"],
    }
    assert 30 <= int(second.headers["age"]) <= math.ceil(most_s)
    assert (len(app.mock.requests), (await app.spend()).lifetime) == (1, spent)
    row = (await app.rows())[-1]
    assert (row.outcome, row.cost, row.held, row.saved, row.model) == ("ok", 0, 0, spent, "fake-gpt")
    decisions = [(each["step"], each["verdict"]) for each in json.loads(row.decisions)]
    assert decisions == [("recall", "hit")]


async def use_up(app: RunningApp, user: str | None = None) -> None:
    """Ask for other things until that is refused."""
    for number in range(200):
        said = [{"role": "user", "content": f"Other {number}"}]
        if (await ask(app, user=user, max_tokens=299, messages=said, x_mock="full")).status_code != 200:
            return
    raise AssertionError("nothing was used up")


async def test_an_exhausted_budget_still_serves_what_is_kept(start: Start) -> None:
    app = await start(**ON | {"budget__daily_usd": "0.05"})
    kept = await ask(app)
    await use_up(app)
    assert (await ask(app)).content == kept.content


async def test_a_user_over_a_quota_gets_no_hits(start: Start) -> None:
    app = await start(**ON, **{"tiers.free.tokens_per_day": 2_000, "default_tier": "free"})
    assert (await ask(app, user="ada")).status_code == 200
    await app.admin("PATCH", "/users/ada", {"quota": {"tokens_per_day": 20}})
    refused, served = await ask(app, user="ada"), await ask(app, user="bob")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "quota_exhausted")
    assert served.headers["seawall-cache"] == "hit"


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": 299},
        {"temperature": 0.5},
        {"model": "fake-thinker"},
        {"messages": [*SAID, {"role": "assistant", "content": "The calm one."}, *SAID]},
        {"messages": [{"role": "system", "content": "Be brief."}, *SAID]},
        {"stop": ["."]},
        {"seed": 7},
        {"an_unknown_field": 1},
        {"response_format": {"type": "json_object"}},
    ],
)
async def test_whatever_changes_the_answer_makes_another_question(
    start: Start, fields: dict[str, Any]
) -> None:
    app = await start(**ON)
    await ask(app)
    other = await ask(app, **fields)
    assert (other.headers["seawall-cache"], len(app.mock.requests)) == ("miss", 2)


@pytest.mark.parametrize(
    "fields", [{"user": "ada"}, {"metadata": {"trace": "1"}}, {"safety_identifier": "bob"}]
)
async def test_what_does_not_change_the_answer_is_the_same_question(
    start: Start, fields: dict[str, Any]
) -> None:
    app = await start(**ON)
    await ask(app)
    assert (await ask(app, **fields)).headers["seawall-cache"] == "hit"


CALL = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": 5, "x_mock": "s9"},  # Ends at its cap.
        {"x_mock": "e500"},
        {"x_mock": "s9-nousage", "stream": True},
        {"x_mock": "s9-reset5", "stream": True},
        {"tools": CALL},
        {"n": 2},
        {"max_tokens": 4_000, "x_mock": "full"},
    ],
)
async def test_what_is_cut_broken_or_not_the_models_own_words_is_not_kept(
    start: Start, fields: dict[str, Any]
) -> None:
    app = await start(**ON)
    await ask(app, **fields)
    again = await ask(app, **fields)
    assert again.headers.get("seawall-cache") in ("miss", "bypass")
    assert len(app.mock.requests) == 2


async def test_refusals_of_ours_are_not_kept(start: Start) -> None:
    app = await start(**ON, limits__per_key="1/minute")
    await ask(app, max_tokens=16)
    assert (await ask(app)).status_code == 429
    app.clock.turn(61)
    assert (await ask(app)).headers["seawall-cache"] == "miss"


@pytest.mark.parametrize(
    ("control", "states", "asked"),
    [
        ("no-store", ["bypass", "bypass", "miss"], 3),
        ("no-cache", ["miss", "miss", "hit"], 2),
        ("max-age=10", ["miss", "miss", "hit"], 2),
        ("max-age=60", ["miss", "hit", "hit"], 1),
        ("max-age=0", ["miss", "miss", "hit"], 2),
        ("private, max-age=junk", ["miss", "hit", "hit"], 1),
    ],
)
async def test_cache_control_is_heard(start: Start, control: str, states: list[str], asked: int) -> None:
    app = await start(**ON)
    found = []
    for headers in ({"cache-control": control}, {"cache-control": control}, {}):
        found.append((await app.chat(CHAT, headers=headers)).headers["seawall-cache"])
        app.clock.turn(20)
    assert (found, len(app.mock.requests)) == (states, asked)


async def test_who_wants_only_what_is_kept_is_never_billed(start: Start) -> None:
    app = await start(**ON)
    only = {"cache-control": "only-if-cached"}
    refused = await app.chat(CHAT, headers=only)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "cache-control")
    await ask(app)
    assert (await app.chat(CHAT, headers=only)).headers["seawall-cache"] == "hit"
    assert len(app.mock.requests) == 1


async def test_of_a_hundred_equal_calls_at_once_one_is_made(start: Start) -> None:
    app = await start(**ON)
    answers = await asyncio.gather(*(ask(app, x_mock="s12-d100") for _ in range(100)))
    assert {answer.content for answer in answers} == {answers[0].content}
    states = [answer.headers["seawall-cache"] for answer in answers]
    assert states.count("miss") == 1
    assert {*states} <= {"miss", "follow", "hit"}  # Some may come when the first is done.
    assert len(app.mock.requests) == 1


def waiting(app: RunningApp) -> int:
    """Return how many calls wait for one in flight that is the same."""
    return sum(len(flight.done._waiters) for flight in app.seawall.gateway.flights.values())


async def test_where_the_first_of_equal_calls_fails_one_of_the_others_takes_its_place(
    start_behind: StartBehind,
) -> None:
    app, line = await start_behind(**ON)
    line.fault = held(b"seven seas")
    async with peer_of(app.port) as peer:  # The first hangs up while the others wait.
        peer.ask(CHAT, app.key)
        await until(lambda: len(app.mock.requests) == 1)
        others = [asyncio.create_task(ask(app)) for _ in range(20)]
        await until(lambda: waiting(app) == 20)
    await until(lambda: len(app.mock.requests) == 2)
    line.fault = None
    answers = await asyncio.gather(*others)
    assert [answer.status_code for answer in answers] == [200] * 20
    assert len(app.mock.requests) == 2


async def test_where_answers_are_not_kept_equal_calls_do_not_wait_in_a_row(start_behind: StartBehind) -> None:
    app, line = await start_behind(**ON)
    line.fault = held(b"seven seas")
    calls = [asyncio.create_task(ask(app, max_tokens=16, x_mock="full")) for _ in range(10)]
    await until(lambda: (len(app.mock.requests), waiting(app)) == (1, 9))
    line.fault = held(b"seven seas")  # The first is answered; nobody else is.
    await until(lambda: len(app.mock.requests) == 10)
    line.fault = None
    answers = await asyncio.gather(*calls)
    assert [answer.status_code for answer in answers] == [200] * 10
    assert len(app.mock.requests) == 10


CLIENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"max_tokens": 300, "messages": SAID}),
    "messages": ("/v1/messages", {"max_tokens": 300, "messages": SAID}),
    "responses": ("/v1/responses", {"max_output_tokens": 300, "input": SAID, "store": False}),
}


def text_of(client: str, answer: httpx.Response, *, stream: bool) -> str:
    """Return what the model said, and check that the answer is whole."""
    if not stream:
        body = answer.json()
        if client == "chat":
            assert body["choices"][0]["finish_reason"] == "stop"
            assert body["usage"]["completion_tokens"] > 0
            return str(body["choices"][0]["message"]["content"])
        if client == "messages":
            assert (body["stop_reason"], body["usage"]["output_tokens"] > 0) == ("end_turn", True)
            return "".join(part["text"] for part in body["content"])
        assert (body["status"], body["usage"]["output_tokens"] > 0) == ("completed", True)
        return "".join(part["text"] for item in body["output"] for part in item.get("content", ()))
    data = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    if client != "messages":
        assert data[-1] == "[DONE]"
    events = [json.loads(each) for each in data if each != "[DONE]"]
    if client == "chat":
        return "".join(c["delta"].get("content") or "" for event in events for c in event["choices"])
    if client == "messages":
        assert events[-1]["type"] == "message_stop"
        return "".join(e["delta"].get("text", "") for e in events if e["type"] == "content_block_delta")
    assert events[-1]["type"] == "response.completed"
    return "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")


@pytest.mark.parametrize("vendor", ["fake-gpt", "fake-claude", "fake-resp"])
async def test_an_answer_is_replayed_in_every_dialect_and_form(start: Start, vendor: str) -> None:
    """Three clients, whole and streamed, after any of the others: all get the same words, and one is billed."""
    async with MockProvider(count=o200k()) as mock:
        app = await start(mock=mock, **ON, **all_dialects(mock.base_url))
        shown = {"authorization": f"Bearer {app.key}"}
        said: dict[tuple[str, bool], str] = {}
        for client, (path, fields) in CLIENTS.items():
            for stream in (False, True, False):
                body = {"model": vendor, **fields, **({"stream": True} if stream else {})}
                answer = await app.http.post(path, json=body, headers=shown)
                assert answer.status_code == 200, answer.text
                said[client, stream] = text_of(client, answer, stream=stream)
        assert len(set(said.values())) == 1
        assert len(mock.requests) <= 3  # Dialects that are translated alike share; forms always do.


async def test_usage_is_in_a_stream_exactly_where_the_client_asked_for_it(start: Start) -> None:
    app = await start(**ON)
    plain = await ask(app, stream=True)
    with_usage = await ask(app, stream=True, stream_options={"include_usage": True})
    again = await ask(app, stream=True)
    assert '"usage":{' not in plain.text.replace(" ", "")
    assert '"usage":{' in with_usage.text.replace(" ", "")
    assert again.content == plain.content
    assert len(app.mock.requests) == 1


async def test_embeddings_are_kept(start: Start) -> None:
    async with MockProvider(count=o200k()) as mock:
        app = await start(mock=mock, **ON, **all_dialects(mock.base_url))
        body = {"model": "fake-resp", "input": ["calm", "stormy"]}
        answers = [
            await app.http.post("/v1/embeddings", json=body, headers={"authorization": f"Bearer {app.key}"})
            for _ in range(2)
        ]
        assert [answer.headers["seawall-cache"] for answer in answers] == ["miss", "hit"]
        assert answers[0].content == answers[1].content


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    async with MockProvider(count=o200k()) as mock:
        async with running(tmp_path, mock=mock, **ON) as app:
            answer, key = await ask(app), app.key
        assert oct((tmp_path / ".seawall" / "answers.db").stat().st_mode)[-3:] == "600"
        async with running(tmp_path, mock=mock, **ON) as app:
            await until(
                lambda: (
                    app.seawall.gateway.answers is not None
                    and app.seawall.gateway.answers.stats().entries == 1
                )
            )
            again = await ask(app, key)
        assert (again.headers["seawall-cache"], again.content) == ("hit", answer.content)
        async with running(tmp_path, mock=mock, **ON, cache__persist=False) as app:
            assert (await ask(app, key)).headers["seawall-cache"] == "miss"


async def test_a_damaged_file_is_set_aside_and_calls_go_on(tmp_path: Path) -> None:
    folder = tmp_path / ".seawall"
    folder.mkdir()
    (folder / "answers.db").write_bytes(b"this is no database, however long one looks at it" * 100)
    async with running(tmp_path, **ON) as app:
        states = [(await ask(app)).headers["seawall-cache"] for _ in range(2)]
    assert states == ["miss", "hit"]
    assert (folder / "answers.damaged").exists()


async def test_a_file_that_is_deleted_while_the_gateway_runs_fails_no_call(tmp_path: Path) -> None:
    async with running(tmp_path, **ON) as app:
        await ask(app)
        for path in (tmp_path / ".seawall").glob("answers.db*"):
            path.unlink()
        states = [(await ask(app, max_tokens=number)).status_code for number in range(290, 295)]
    assert states == [200] * 5


async def test_what_is_cleared_is_gone(start: Start) -> None:
    app = await start(**ON)
    await ask(app)
    shown = (await app.admin("GET", "/cache")).json()
    assert (shown["enabled"], shown["entries"]) == (True, 1)
    assert (await app.admin("DELETE", "/cache")).json() == {"deleted": 1}
    assert (await ask(app)).headers["seawall-cache"] == "miss"


async def test_an_erased_person_leaves_no_answers(start: Start) -> None:
    app = await start(**ON)
    await ask(app, user="ada")
    await ask(app, user="bob", max_tokens=299)
    await app.settled()
    await app.admin("DELETE", "/users/ada")
    assert (await ask(app)).headers["seawall-cache"] == "miss"
    assert (await ask(app, max_tokens=299)).headers["seawall-cache"] == "hit"


PAGE = "https://app.example.com"


@pytest.mark.parametrize("scope", ["auto", "owner", "key", "end_user"])
async def test_answers_are_shared_with_nobody_but_those_of_the_scope(start: Start, scope: str) -> None:
    """Every caller asks the same; who is answered by whose answer is told by the body, which names its maker."""
    app = await start(**ON, cache__scope=scope)
    keys = {"first": app.key, "lone": (await app.new_key())[1]}
    for name, owner in (("acme1", "acme"), ("acme2", "acme"), ("umbrella", "umbrella")):
        keys[name] = (await app.new_key(owner=owner))[1]
    callers = [(name, user) for name in keys for user in ("ada", "bob", None)]
    made: dict[tuple[str, str | None], bytes] = {}
    for name, user in callers:
        made[name, user] = (await ask(app, keys[name], user)).content
    owners = {"acme1": "acme", "acme2": "acme", "umbrella": "umbrella", "first": "first", "lone": "lone"}
    for one in callers:
        for other in callers:
            same = {
                "auto": owners[one[0]] == owners[other[0]],
                "owner": owners[one[0]] == owners[other[0]],
                "key": one[0] == other[0],
                "end_user": one == other,
            }[scope]
            assert (made[one] == made[other]) is same, (one, other)


@pytest.mark.parametrize("scope", ["auto", "end_user", "owner", "key"])
async def test_users_of_browsers_share_only_where_the_operator_says_so(start: Start, scope: str) -> None:
    async with login_server() as login:
        app = await start(
            **ON, cache__scope=scope, behind_proxy=["127.0.0.1/32"], **login.settings(origins=[PAGE])
        )
        until_s = app.clock() + 600
        _, page = await app.new_key(
            kind="publishable", origins=[PAGE], models=["fake-gpt"], budget={"daily_usd": "1.00"}
        )
        shown = [(login.token(user, until_s=until_s), "203.0.113.1") for user in ("ada", "bob")]
        shown += [(page, "203.0.113.7"), (page, "203.0.113.8"), (app.key, "203.0.113.9")]
        answers = [
            (await app.chat(CHAT, key=key, headers={"origin": PAGE, "x-forwarded-for": address})).content
            for key, address in shown
        ]
    shared = scope in ("owner", "key")
    assert (answers[0] == answers[1], answers[2] == answers[3]) == (shared, shared)
    assert len({answers[0], answers[2], answers[4]}) == 3


async def test_a_model_that_a_caller_may_not_use_is_not_answered_from_the_cache(start: Start) -> None:
    app = await start(**ON)
    _, rich = await app.new_key(owner="acme")
    _, poor = await app.new_key(owner="acme", models=["fake-thinker"])
    assert (await ask(app, rich)).status_code == 200
    assert (await ask(app, poor)).status_code == 403
