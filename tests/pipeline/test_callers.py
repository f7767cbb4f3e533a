"""Who calls, and for whom: the headers of each dialect's clients, and what of them a vendor gets to see."""

from typing import Any

import httpx
import pytest

from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import PROVIDER_KEY, RunningApp, Start, all_dialects
from tests.fixtures.mock_calls import o200k
from tests.fixtures.odd_vendor import OddVendor, whole

HELLO = [{"role": "user", "content": "Hello"}]


async def post(app: RunningApp, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await app.http.post(path, json=body, headers=named)


def message(**fields: Any) -> dict[str, Any]:
    return {"model": "fake-claude", "max_tokens": 20, "messages": HELLO, **fields}


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
async def test_a_key_may_come_as_bearer_token_or_in_x_api_key(start: Start, path: str) -> None:
    app = await start()
    body = message(model="fake-gpt")
    assert (await post(app, path, body, x_api_key=app.key)).status_code == 200
    assert (await post(app, path, body, authorization=f"Bearer {app.key}")).status_code == 200
    both = await post(app, path, body, authorization=f"Bearer {app.key}", x_api_key=app.key)
    assert both.status_code == 200


async def test_two_different_keys_are_refused_and_neither_is_used(start: Start) -> None:
    app = await start()
    _, other = await app.new_key()
    answer = await post(app, "/v1/messages", message(), authorization=f"Bearer {app.key}", x_api_key=other)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "x-api-key")
    assert await app.rows() == []


async def test_the_end_user_may_be_named_by_a_header(start: Start) -> None:
    app = await start()
    await post(
        app,
        "/v1/chat/completions",
        {"model": "fake-gpt", "messages": HELLO},
        x_api_key=app.key,
        seawall_user="ann",
    )
    assert (await app.row("ann")).end_user == "ann"
    assert "seawall-user" not in app.mock.requests[0].headers


async def test_a_header_and_a_body_that_name_two_end_users_are_refused(start: Start) -> None:
    app = await start()
    body = {"model": "fake-gpt", "messages": HELLO, "user": "bob"}
    answer = await post(app, "/v1/chat/completions", body, x_api_key=app.key, seawall_user="ann")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "seawall-user")
    assert app.mock.total().requests == 0


async def test_each_dialect_has_its_own_name_for_the_id_of_a_call(start: Start) -> None:
    app = await start()
    chat = await post(app, "/v1/chat/completions", message(model="fake-gpt"), x_api_key=app.key)
    messages = await post(app, "/v1/messages", message(model="fake-gpt"), x_api_key=app.key)
    refused = await post(app, "/v1/messages", {"model": "fake-gpt"}, x_api_key=app.key)
    rows = await app.rows()
    assert [chat.headers["x-request-id"], messages.headers["request-id"], refused.headers["request-id"]] == [
        row.id for row in rows
    ]
    assert refused.json()["request_id"] == rows[2].id
    assert refused.json()["type"] == "error"


async def test_headers_of_anthropic_reach_anthropic_and_nobody_else(start: Start) -> None:
    async with MockProvider(count=o200k()) as mock:
        app = await start(mock=mock, **all_dialects(mock.base_url))
        headers = {"anthropic_version": "2023-06-01", "anthropic_beta": "context-management-2025-06-27"}
        for model in ("fake-claude", "fake-gpt"):
            answer = await post(app, "/v1/messages", message(model=model), x_api_key=app.key, **headers)
            assert answer.status_code == 200
        direct, translated = mock.requests
    assert direct.headers["anthropic-beta"] == "context-management-2025-06-27"
    assert direct.headers["x-api-key"] == PROVIDER_KEY
    assert not [name for name in translated.headers if name.startswith("anthropic")]
    assert app.key.encode() not in direct.raw + translated.raw


async def test_what_was_said_in_another_way_stands_in_a_header(start: Start) -> None:
    app = await start()
    marked = [{"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}}]
    body = message(model="fake-gpt", messages=[{"role": "user", "content": marked}])
    answer = await post(app, "/v1/messages", body, x_api_key=app.key)
    assert answer.headers["seawall-translation"] == "cache_control: the provider caches by itself"


async def test_what_cannot_be_said_is_refused_by_its_name(start: Start) -> None:
    app = await start()
    answer = await post(app, "/v1/messages", message(model="fake-gpt", top_k=5), x_api_key=app.key)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "untranslatable", "top_k")
    assert app.mock.total().requests == 0
    row = await app.row()
    assert (row.outcome, row.code, row.cost) == ("refused", "untranslatable", 0)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v1/v1/messages", "/v1 twice"),
        ("/v1/files", "no such address below /v1"),
        ("/chat/completions", "Does your base URL end in /v1?"),
    ],
)
async def test_a_wrong_address_says_what_is_wrong_with_it(start: Start, path: str, said: str) -> None:
    app = await start()
    answer = await post(app, path, {}, x_api_key=app.key)
    assert answer.status_code == 404
    assert said in answer.json()["error"]["message"]
    assert ("request_id" in answer.json()) == path.endswith("messages")


async def test_a_provider_account_without_money_is_not_the_callers_fault(start: Start) -> None:
    said = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    async with OddVendor(whole(said, status="429 Too Many Requests")) as vendor:
        app = await start(providers__mock__base_url=vendor.base_url)
        answer = await post(app, "/v1/chat/completions", message(model="fake-gpt"), x_api_key=app.key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "provider_credentials")
    assert answer.headers["x-should-retry"] == "false"


async def test_a_model_of_another_kind_says_where_it_is_served(start: Start) -> None:
    stated = {
        "providers__openai__base_url": "https://api.openai.com/v1",
        "providers__mock__models": ["fake-gpt"],
    }
    app = await start(**stated)
    chat = await post(app, "/v1/chat/completions", message(model="text-embedding-3-small"), x_api_key=app.key)
    embedding = await post(app, "/v1/embeddings", {"model": "gpt-5", "input": "Hello"}, x_api_key=app.key)
    assert chat.json()["error"]["message"] == "text-embedding-3-small makes embeddings: POST /v1/embeddings."
    assert embedding.json()["error"]["message"] == "gpt-5 makes no embeddings."
    assert (chat.status_code, embedding.status_code) == (404, 404)
