"""Who may call, with which key, which model and which fields; everybody else is refused before anything is sent."""

import asyncio
from typing import Any

import pytest

from seawall.core.errors import Unauthenticated
from seawall.identity.keys import NO_KEY, PROVIDERS_KEY
from tests.fixtures.gateways import ADMIN_KEY, NOON, RunningApp, Start, marked
from tests.fixtures.mock_calls import LONGER
from tests.fixtures.raw_http import peer_of


async def refusal(app: RunningApp, body: Any, **options: Any) -> tuple[int, str]:
    """Make a call that must be refused before it is sent; returns status and code."""
    before = len(app.mock.requests)
    answer = await app.chat(body, **options)
    assert len(app.mock.requests) == before
    assert answer.headers["content-type"] == "application/json"
    assert (await app.spend()).held == 0
    return answer.status_code, answer.json()["error"]["code"]


HINTS = {
    None: NO_KEY,
    "Bearer": NO_KEY,
    "Bearer ": NO_KEY,
    "Basic c3c6c3c=": NO_KEY,
    "sw-without-a-scheme": NO_KEY,
    "Bearer sk-other": PROVIDERS_KEY,
}
"""What can be told from the form alone; of keys that could exist nothing is."""


@pytest.mark.parametrize(
    "shown",
    [
        None,
        "Bearer",
        "Bearer ",
        "Bearer sw-",
        "Bearer sk-other",
        "Bearer sw-" + "x" * 43,
        "Bearer sw-" + "x" * 5_000,
        f"Bearer {ADMIN_KEY}",
        "Basic c3c6c3c=",
        "Bearer sw-\u00fc\u00fc",
        "sw-without-a-scheme",
    ],
)
async def test_without_a_valid_key_nothing_is_told(start: Start, shown: str | None) -> None:
    app = await start()
    line = "" if shown is None else f"authorization: {shown}\r\n"
    async with peer_of(app.port) as peer:
        for method, path in [("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("GET", "/v1/x"), ("GET", "/v1"),
                             ("DELETE", "/v1/models"), ("POST", "/v1/responses")]:  # fmt: skip
            peer.ask(None, None, method=method, path=path, headers=line + "content-length: 0\r\n")
            answer = await peer.answer()
            assert answer.status == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            error = answer.error
            assert (error.pop("call_id")[:5], error) == (
                "call_",
                {
                    "message": HINTS.get(shown, Unauthenticated().message),
                    "type": "authentication_error",
                    "param": None,
                    "code": "invalid_api_key",
                },
            )
    assert await app.rows() == []


async def test_two_different_keys_are_refused(start: Start) -> None:
    app = await start()
    _, other = await app.new_key()
    async with peer_of(app.port) as peer:
        peer.ask(marked("one"), app.key, headers=f"authorization: Bearer {other}\r\n")
        assert (await peer.answer()).status == 400


async def test_an_expired_key_is_refused(start: Start) -> None:
    app = await start()
    _, key = await app.new_key(expires_at="2026-11-21T13:00:00Z")
    assert (await app.chat(marked("before"), key=key)).status_code == 200
    app.clock.turn(NOON + 3600 - app.clock())
    assert await refusal(app, marked("after"), key=key) == (401, "invalid_api_key")


async def test_a_revoked_key_is_refused_at_once(start: Start) -> None:
    app = await start()
    key_id, key = await app.new_key()
    assert (await app.chat(marked("before"), key=key)).status_code == 200
    await app.admin("DELETE", f"/keys/{key_id}")
    assert await refusal(app, marked("after"), key=key) == (401, "invalid_api_key")


async def test_another_gateway_on_the_same_file_revokes_a_key(start: Start) -> None:
    app = await start()
    other = await start(mock=app.mock)
    key_id, key = await app.new_key()
    assert (await app.chat(marked("before"), key=key)).status_code == 200
    await other.admin("DELETE", f"/keys/{key_id}")
    async with asyncio.timeout(LONGER * 2):
        while (await app.chat(marked("after"), key=key)).status_code == 200:
            await asyncio.sleep(0.02)
    assert await refusal(app, marked("later"), key=key) == (401, "invalid_api_key")


async def test_a_rotated_key_works_beside_the_new_one_for_the_overlap(start: Start) -> None:
    app = await start()
    key_id, old = await app.new_key()
    new = (await app.admin("POST", f"/keys/{key_id}/rotate", {"overlap_s": 3600})).json()["key"]
    for key in (old, new):
        assert (await app.chat(marked("overlap"), key=key)).status_code == 200
    app.clock.turn(3601)
    assert await refusal(app, marked("after"), key=old) == (401, "invalid_api_key")
    assert (await app.chat(marked("new"), key=new)).status_code == 200
    assert {row.key_id for row in await app.rows()} == {key_id}


async def test_a_key_rotated_without_overlap_is_refused_at_once(start: Start) -> None:
    app = await start()
    key_id, old = await app.new_key()
    assert (await app.chat(marked("before"), key=old)).status_code == 200
    new = (await app.admin("POST", f"/keys/{key_id}/rotate")).json()["key"]
    assert await refusal(app, marked("after"), key=old) == (401, "invalid_api_key")
    assert (await app.chat(marked("new"), key=new)).status_code == 200


async def test_a_rotated_key_keeps_its_budget(start: Start) -> None:
    app = await start()
    key_id, old = await app.new_key(budget={"lifetime_usd": "0.01"})
    while (await app.chat(marked("before", "full", max_tokens=250), key=old)).status_code == 200:
        await app.settled()
    new = (await app.admin("POST", f"/keys/{key_id}/rotate")).json()["key"]
    assert await refusal(app, marked("after", "full", max_tokens=250), key=new) == (402, "budget_exhausted")


async def test_a_key_may_use_only_its_models(start: Start) -> None:
    app = await start()
    _, key = await app.new_key(models=["fake-gpt"])
    for model in ("fake-gpt", "mock/fake-gpt"):
        assert (await app.chat(marked("one", model=model), key=key)).status_code == 200
    for model in ("fake-thinker", "mock/fake-thinker", "demo"):
        assert await refusal(app, marked("no", model=model), key=key) == (403, "model_not_allowed")
    listed = await app.http.get("/v1/models", headers={"authorization": f"Bearer {key}"})
    assert [model["id"] for model in listed.json()["data"]] == ["fake-gpt"]
    one = await app.http.get("/v1/models/fake-thinker", headers={"authorization": f"Bearer {key}"})
    assert (one.status_code, one.json()["error"]["code"]) == (404, "model_not_found")


async def test_a_key_without_models_may_use_none(start: Start) -> None:
    app = await start()
    _, key = await app.new_key(models=[])
    assert await refusal(app, marked("one"), key=key) == (403, "model_not_allowed")


async def test_an_unknown_model_is_not_found(start: Start) -> None:
    app = await start()
    for model in ("no-such-model", "gpt-4o", "mock/nothing", "other/fake-gpt", "../fake-gpt", "fake-gpt "):
        assert await refusal(app, marked("one", model=model)) == (404, "model_not_found")


async def test_a_model_without_a_price_is_refused(start: Start) -> None:
    app = await start()
    answer = await app.chat(marked("one", model="fake-unpriced"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, "unpriced_model")
    assert answer.json()["error"]["param"] == "model"
    assert '[prices."fake-unpriced"]' in answer.json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert app.mock.requests == []


async def test_a_provider_that_is_declared_free_costs_nothing(start: Start) -> None:
    app = await start(providers__mock__free=True, budget__daily_usd="0.000001")
    assert (await app.chat(marked("one", model="fake-unpriced"))).status_code == 200
    row = await app.row()
    assert (row.cost, row.held, row.usage is not None) == (0, 0, True)


async def test_the_demo_model_books_nothing_and_tells_its_price(start: Start) -> None:
    app = await start(demo__pace_s=0)
    answer = await app.chat(marked("one", model="demo"))
    assert answer.status_code == 200
    row = await app.row()
    assert (row.cost, row.provider) == (0, "demo")
    assert row.listed_cost > 0


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"service_tier": "priority"}, "service_tier"),
        ({"service_tier": "anything"}, "service_tier"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"plugins": [{"id": "web"}]}, "plugins"),
        ({"models": ["fake-gpt", "dear-gpt"]}, "models"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        (
            {"tools": [{"type": "function", "function": {"name": "f"}}, {"type": "web_search"}]},
            "tools[1].type",
        ),
        ({"tools": [{"type": "code_interpreter"}]}, "tools[0].type"),
    ],
)
async def test_a_field_that_changes_the_price_is_refused(start: Start, fields: Any, param: str) -> None:
    app = await start()
    answer = await app.chat(marked("one", **fields))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unpriced_field")
    assert answer.json()["error"]["param"] == param
    assert app.mock.requests == []


@pytest.mark.parametrize("tier", [None, "auto", "default", "flex"])
async def test_a_tier_at_the_listed_price_passes(start: Start, tier: str | None) -> None:
    app = await start()
    assert (await app.chat(marked("one", service_tier=tier))).status_code == 200


async def test_refused_calls_are_in_the_log_and_strangers_are_not(start: Start) -> None:
    app = await start()
    _, poor = await app.new_key(budget={"daily_usd": "0"})
    await app.chat(marked("fine", "s5"))
    await app.chat(marked("stranger"), key="sw-" + "x" * 43)
    await app.chat(marked("unknown", model="no-such-model"))
    await app.chat(marked("poor"), key=poor)
    await app.chat({"model": "fake-gpt", "messages": "none"})
    await app.chat(marked("vendor", "e429"))
    await app.chat(marked("field", service_tier="priority"))
    shown = [(row.end_user, row.status, row.outcome, row.code) for row in await app.rows()]
    assert shown == [
        ("fine", 200, "ok", None),
        ("unknown", 404, "refused", "model_not_found"),
        ("poor", 402, "refused", "budget_exhausted"),
        (None, 400, "refused", "invalid_request"),
        ("vendor", 429, "failed", "rate_limit_exceeded"),
        ("field", 400, "refused", "unpriced_field"),
    ]
    assert sum(row.cost for row in await app.rows()) == app.mock.bill
