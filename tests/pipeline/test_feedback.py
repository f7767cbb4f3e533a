"""What people say of their answers: only of their own calls, without secrets, and the newest word counts."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import httpx
import pytest
import pytest_asyncio

from seawall.core.feedback import COMMENT_CHARS_MAX
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import Places, RunningApp, all_dialects, marked, running
from tests.fixtures.issuers import Login, login_server
from tests.fixtures.mock_calls import o200k, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "https://app.example.com"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def login() -> AsyncIterator[Login]:
    """Return an issuer of login tokens."""
    async with login_server() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def app(
    tmp_path_factory: pytest.TempPathFactory, places: Places, login: Login
) -> AsyncIterator[RunningApp]:
    """Return a gateway with a cache, a worker, and an issuer of login tokens."""
    async with MockProvider(count=o200k()) as mock:
        folder = tmp_path_factory.mktemp("app")
        stated = {**all_dialects(mock.base_url), **places.of(folder), "cache.enabled": True}
        stated |= {**login.settings(origins=[PAGE]), "behind_proxy": ["127.0.0.1/32"]}
        async with running(folder, mock=mock, budget__daily_usd="100000.00", **stated) as started:
            yield started


async def say(
    app: RunningApp, call_id: str, body: Any, *, key: str | None = None, **headers: str
) -> httpx.Response:
    """Say something of a call."""
    shown = {"authorization": f"Bearer {key or app.key}"}
    shown |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await app.http.post(f"/v1/calls/{call_id}/feedback", json=body, headers=shown)


async def kept(app: RunningApp, call_id: str) -> list[dict[str, Any]]:
    """Return what is on record of a call."""
    listed = (await app.admin("GET", "/feedback?limit=1000")).raise_for_status().json()["data"]
    return [said for said in listed if said["call_id"] == call_id]


def error_of(answer: httpx.Response) -> tuple[int, str, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["param"]


async def test_the_newest_word_of_a_call_counts(app: RunningApp, marker: str) -> None:
    call_id = (await app.chat(marked(marker))).headers["x-request-id"]
    first = await say(app, call_id, {"rating": "down", "comment": "too long"}, seawall_user=marker)
    assert (first.status_code, first.json()) == (
        200,
        {"id": call_id, "object": "feedback", "rating": "down", "comment": "too long"},
    )
    await say(app, call_id, {"rating": "up", "user": marker})
    [said] = await kept(app, call_id)
    assert said.pop("at").startswith("2026-11-21T12:")
    row = await app.row_of(call_id)
    assert said == {
        "call_id": call_id,
        "key_id": row.key_id,
        "end_user": marker,
        "model": "fake-gpt",
        "rating": "up",
        "comment": None,
    }


async def test_a_call_of_somebody_else_is_not_there(app: RunningApp, marker: str, login: Login) -> None:
    call_id = (await app.chat(marked(marker))).headers["x-request-id"]
    _, other_key = await app.new_key()
    app.clock.turn(60)  # What has only just ended would be waited for.
    token = login.token(marker, until_s=app.clock() + 600)
    answers = [
        await say(app, call_id, {"rating": "up"}),
        await say(app, call_id, {"rating": "up"}, seawall_user="somebody"),
        await say(app, call_id, {"rating": "up"}, seawall_user=marker, key=other_key),
        await say(app, call_id, {"rating": "up"}, seawall_user=marker, key=token),
        await say(app, "call_000000000000", {"rating": "up"}, seawall_user=marker),
        await say(app, "no-such", {"rating": "up"}, seawall_user=marker),
    ]
    assert {error_of(answer) for answer in answers} == {(404, "not_found", None)}
    assert {answer.json()["error"]["message"] for answer in answers} == {
        "There is no such call of this key and end user. It may be running still, or older than the log."
    }
    assert await kept(app, call_id) == []


async def test_a_login_token_speaks_for_its_own_user(app: RunningApp, marker: str, login: Login) -> None:
    token = login.token(marker, until_s=app.clock() + 600)
    headers = {"origin": PAGE}
    call_id = (await app.chat(marked("x"), key=token, headers=headers)).headers["x-request-id"]
    other = login.token("somebody", until_s=app.clock() + 600)
    assert (await say(app, call_id, {"rating": "up", "user": marker}, key=other)).status_code == 404
    answer = await say(app, call_id, {"rating": "up"}, key=token, origin=PAGE)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    [said] = await kept(app, call_id)
    assert said["end_user"] == f"login/{marker}"


async def test_a_visitor_with_a_publishable_key_speaks_for_itself(app: RunningApp, marker: str) -> None:
    stated = {"origins": [PAGE], "models": ["fake-gpt"], "budget": {"daily_usd": "1.00"}}
    _, key = await app.new_key(kind="publishable", **stated)
    here = {"origin": PAGE, "x-forwarded-for": "203.0.113.7"}
    call_id = (await app.chat(marked(marker, max_tokens=16), key=key, headers=here)).headers["x-request-id"]
    elsewhere = {"origin": PAGE, "x-forwarded-for": "203.0.113.99"}
    assert (await say(app, call_id, {"rating": "down"}, key=key, **elsewhere)).status_code == 404
    assert (await say(app, call_id, {"rating": "down"}, key=key, **here)).status_code == 200
    [said] = await kept(app, call_id)
    assert said["end_user"].startswith("anon_")


async def test_an_answer_from_the_cache_can_be_rated(app: RunningApp, marker: str) -> None:
    first, hit = await app.chat(marked(marker)), await app.chat(marked(marker))
    assert hit.headers["seawall-cache"] == "hit"
    call_id = hit.headers["x-request-id"]
    assert call_id != first.headers["x-request-id"]
    assert (await say(app, call_id, {"rating": "up"}, seawall_user=marker)).status_code == 200


async def test_a_background_response_can_be_rated_once_it_is_there(app: RunningApp, marker: str) -> None:
    body = {"model": "fake-resp", "input": "Which sea is calm?", "background": True, "user": marker}
    shown = {"authorization": f"Bearer {app.key}"}
    made = await app.http.post("/v1/responses", json=body, headers=shown)
    call_id = made.headers["x-request-id"]
    await until(lambda: app.look(f"SELECT id FROM calls WHERE id = '{call_id}'") != [])
    assert (await say(app, call_id, {"rating": "up"}, seawall_user=marker)).status_code == 200


async def test_no_secret_and_no_control_character_of_a_comment_is_kept(app: RunningApp, marker: str) -> None:
    secret = "sk-proj-" + sha256(b"not live").hexdigest()
    call_id = (await app.chat(marked(marker))).headers["x-request-id"]
    comment = f" wrong\x1b[2J\x00:\nmy key is {secret}, it said\u202e "
    answer = await say(app, call_id, {"rating": "down", "comment": comment}, seawall_user=marker)
    assert answer.json()["comment"] == "wrong[2J:\nmy key is [openai key], it said"
    assert secret not in app.everything()


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "rating"),
        ({"rating": "good"}, "rating"),
        ({"rating": 1}, "rating"),
        ({"rating": ["up"]}, "rating"),
        ({"rating": "up", "comment": 1}, "comment"),
        ({"rating": "up", "comment": "x" * (COMMENT_CHARS_MAX + 1)}, "comment"),
        ({"rating": "up", "stars": 5}, "stars"),
        ({"rating": "up", "user": 7}, "user"),
        ({"rating": "up", "user": "x" * 257}, "user"),
        ({"rating": "up", "user": "somebody"}, "user"),
        ([], None),
    ],
)
async def test_what_is_no_feedback_is_named(
    app: RunningApp, marker: str, body: Any, param: str | None
) -> None:
    answer = await say(app, "call_1", body, seawall_user=marker)
    assert error_of(answer) == (400, "invalid_request", param)


async def test_the_longest_comment_fits_in_any_script(app: RunningApp, marker: str) -> None:
    call_id = (await app.chat(marked(marker))).headers["x-request-id"]
    said = {"rating": "up", "comment": "\N{SMILING FACE WITH OPEN MOUTH}" * COMMENT_CHARS_MAX}
    assert (await say(app, call_id, said, seawall_user=marker)).status_code == 200
    too_large = await say(app, call_id, {"rating": "up", "comment": "x" * 40_000}, seawall_user=marker)
    assert error_of(too_large)[:2] == (413, "request_too_large")


async def test_strangers_and_blocked_users_are_refused(app: RunningApp, marker: str) -> None:
    call_id = (await app.chat(marked(marker))).headers["x-request-id"]
    assert (await say(app, call_id, {"rating": "up"}, key="sw-none")).status_code == 401
    await app.admin("PATCH", f"/users/{marker}", {"blocked": True})
    refused = await say(app, call_id, {"rating": "up"}, seawall_user=marker)
    assert error_of(refused) == (403, "user_blocked", None)


async def test_each_user_has_a_limit_of_its_own(app: RunningApp, marker: str) -> None:
    answers = [await say(app, "no-such", {"rating": "up"}, seawall_user=marker) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [404] * 30 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert (await say(app, "no-such", {"rating": "up"}, seawall_user=f"{marker}2")).status_code == 404
    assert (await app.chat(marked(marker))).status_code == 200


async def test_the_operator_lists_chooses_and_sums_up(app: RunningApp, marker: str) -> None:
    ids = [(await app.chat(marked(marker, temperature=at))).headers["x-request-id"] for at in (0, 1, 2)]
    for call_id, rating in zip(ids, ("down", "up", "down"), strict=True):
        await say(app, call_id, {"rating": rating, "comment": marker}, seawall_user=marker)
    page = (await app.admin("GET", "/feedback?rating=down&limit=2")).json()
    assert [said["call_id"] for said in page["data"]] == [ids[2], ids[0]]
    rest = (await app.admin("GET", f"/feedback?rating=down&before={ids[2]}&limit=1")).json()
    assert [said["call_id"] for said in rest["data"]] == [ids[0]]
    [sums] = [each for each in page["ratings"] if each["model"] == "fake-gpt"]
    assert sums["up"] >= 1
    assert sums["down"] >= 2
    assert page["days"] == 30
    wrong = await app.admin("GET", "/feedback?rating=good")
    assert error_of(wrong) == (400, "invalid_request", "rating")
    assert (await app.http.get("/admin/v1/feedback")).status_code == 401


async def test_who_is_erased_has_said_nothing(app: RunningApp, marker: str) -> None:
    call_id = (await app.chat(marked(marker))).headers["x-request-id"]
    await say(app, call_id, {"rating": "up", "comment": "thanks"}, seawall_user=marker)
    (await app.admin("DELETE", f"/users/{marker}")).raise_for_status()
    assert await kept(app, call_id) == []
