"""Calls from web pages: publishable keys and login tokens, their pages, their users, and nobody else's."""

from typing import Any

import httpx
import pytest

from tests.fixtures.gateways import RunningApp, Start, marked
from tests.fixtures.issuers import login_server

PAGE = "https://app.example.com"
OTHER = "https://evil.example"
HEADERS = {"origin": PAGE}


async def publishable(app: RunningApp, **fields: Any) -> str:
    stated = {"origins": [PAGE], "models": ["fake-gpt"], "budget": {"daily_usd": "1.00"}, **fields}
    _, key = await app.new_key(kind="publishable", **stated)
    assert key.startswith("swp-")
    return key


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_page_can_read_every_header_of_its_limits(start: Start) -> None:
    app = await start(limits__per_user="9/minute", limits__per_user_tokens="90000/minute")
    headers = HEADERS | {"x-api-key": (key := await publishable(app))}
    chat = await app.chat(marked("x", max_tokens=16), key=key, headers=HEADERS)
    body = {"model": "fake-gpt", "max_tokens": 16, "messages": [{"role": "user", "content": "Which sea?"}]}
    messages = await app.http.post("/v1/messages", json=body, headers=headers)
    for answer in (chat, messages):
        told = {name for name in answer.headers if "ratelimit" in name}
        assert len(told) == 8
        assert told <= set(answer.headers["access-control-expose-headers"].split(", "))


async def test_a_page_that_is_listed_may_call_and_read_the_answer(start: Start) -> None:
    app = await start()
    key = await publishable(app)
    answer = await app.chat(marked("x", max_tokens=16), key=key, headers=HEADERS)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "retry-after" in answer.headers["access-control-expose-headers"]
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("headers", [{}, {"origin": OTHER}, {"origin": "null"}, {"origin": f"{PAGE}/"}])
async def test_no_other_page_may_and_none_at_all_neither(start: Start, headers: dict[str, str]) -> None:
    app = await start()
    key = await publishable(app)
    answer = await app.chat(marked("x"), key=key, headers=headers)
    assert code(answer) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers
    assert app.mock.requests == []


async def test_a_preflight_is_answered_exactly(start: Start) -> None:
    app = await start()
    await publishable(app)
    asked = {
        "origin": PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, last-event-id, x-stainless-os, cookie",
    }
    answer = await app.http.options("/v1/chat/completions", headers=asked)
    assert answer.status_code == 204
    assert {name: value for name, value in answer.headers.items() if name.startswith("access-")} == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-methods": "GET, POST, DELETE",
        "access-control-allow-headers": "authorization, content-type, last-event-id, x-stainless-os",
        "access-control-max-age": "600",
    }
    refused = await app.http.options("/v1/chat/completions", headers=asked | {"origin": OTHER})
    assert (refused.status_code, [name for name in refused.headers if name.startswith("access-")]) == (
        403,
        [],
    )
    admin = await app.http.options("/admin/v1/keys", headers=asked)
    assert [name for name in admin.headers if name.startswith("access-")] == []


async def test_errors_can_be_read_by_the_page_too(start: Start) -> None:
    app = await start()
    key = await publishable(app, models=["fake-thinker"], limits=["1/minute"])
    wrong_key = await app.chat(marked("x"), key="swp-wrong", headers=HEADERS)
    wrong_model = await app.chat(marked("x"), key=key, headers=HEADERS)
    await app.chat(marked("x", model="fake-thinker"), key=key, headers=HEADERS)
    too_fast = await app.chat(marked("x", model="fake-thinker"), key=key, headers=HEADERS)
    models = await app.http.get("/v1/models", headers=HEADERS | {"authorization": f"Bearer {key}"})
    answers = [wrong_key, wrong_model, too_fast, models]
    assert [answer.status_code for answer in answers] == [401, 403, 429, 200]
    assert [answer.headers.get("access-control-allow-origin") for answer in answers] == [PAGE] * 4


async def test_a_secret_key_does_not_work_in_a_page_by_accident(start: Start) -> None:
    app = await start()
    await publishable(app)
    answer = await app.chat(marked("x"), headers=HEADERS)
    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (200, False)


async def test_visitors_are_told_apart_by_address_and_each_has_its_trial(start: Start) -> None:
    app = await start(behind_proxy=["127.0.0.1/32"])
    key = await publishable(app, trial={"requests_per_day": 2})
    statuses = []
    for address in ("203.0.113.7", "203.0.113.7", "203.0.113.7", "203.0.113.8", "2001:db8::1", "2001:db8::2"):
        headers = HEADERS | {
            "x-forwarded-for": address,
            "seawall-user": "admin",
            "seawall-client-ip": "9.9.9.9",
        }
        body = marked("somebody-else", max_tokens=16)
        statuses.append((await app.chat(body, key=key, headers=headers)).status_code)
    assert statuses == [200, 200, 429, 200, 200, 200]
    rows = await app.rows()
    names = [row.end_user for row in rows]
    assert len({*names}) == 3
    assert names[4] == names[5]  # The same /64.
    assert all(name is not None and name.startswith("anon_") for name in names)
    assert all("user" not in seen.body for seen in app.mock.requests)


async def test_the_daily_budget_of_a_publishable_key_holds_for_all_visitors_together(start: Start) -> None:
    app = await start(behind_proxy=["127.0.0.1/32"])
    key = await publishable(app, budget={"daily_usd": "0.01"}, trial={"requests_per_day": 100})
    statuses = set()
    for number in range(9):
        headers = HEADERS | {"x-forwarded-for": f"203.0.113.{number}"}
        statuses.add(
            (await app.chat(marked("x", "full", max_tokens=100), key=key, headers=headers)).status_code
        )
    assert statuses == {200, 402}
    assert app.mock.bill <= 10**7


async def test_a_page_keeps_no_state_and_runs_no_tools_of_the_provider(start: Start) -> None:
    app = await start()
    key = await publishable(app, models=["fake-gpt"])
    shown = HEADERS | {"authorization": f"Bearer {key}"}
    body = {"model": "fake-gpt", "input": "Hi", "max_output_tokens": 16, "store": True}
    made = await app.http.post("/v1/responses", json=body, headers=shown)
    assert made.status_code == 200
    found = await app.http.get(f"/v1/responses/{made.json()['id']}", headers=shown)
    on = await app.http.post(
        "/v1/responses", json=body | {"previous_response_id": made.json()["id"]}, headers=shown
    )
    tool = await app.http.post(
        "/v1/responses", json=body | {"tools": [{"type": "web_search"}]}, headers=shown
    )
    assert [code(answer) for answer in (found, on, tool)] == [(403, "not_allowed")] * 3


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"origins": []}, "origins"),
        ({"origins": ["*"]}, "origins[0]"),
        ({"origins": [PAGE, "http://a/b"]}, "origins[1]"),
        ({"origins": PAGE}, "origins"),
        ({"models": None}, "models"),
        ({"models": []}, "models"),
        ({"budget": None}, "budget.daily_usd"),
        ({"trial": {}}, "trial"),
        ({"kind": "public"}, "kind"),
    ],
)
async def test_a_publishable_key_has_what_makes_it_safe_or_is_not_made(
    start: Start, fields: dict[str, Any], param: str
) -> None:
    app = await start()
    stated = {
        "name": "page", "kind": "publishable", "origins": [PAGE], "models": ["m"], "budget": {"daily_usd": "1"},
    }  # fmt: skip
    before = (await app.admin("GET", "/keys")).json()
    answer = await app.admin("POST", "/keys", stated | fields)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_request", param)
    assert (await app.admin("GET", "/keys")).json() == before


async def test_what_makes_a_publishable_key_safe_cannot_be_taken_away_later(start: Start) -> None:
    app = await start()
    made, _ = await app.new_key(kind="publishable", origins=[PAGE], models=["m"], budget={"daily_usd": "1"})
    for change in ({"origins": None}, {"models": None}, {"budget": None}, {"trial": None}):
        assert (await app.admin("PATCH", f"/keys/{made}", change)).status_code == 400
    rotated = (await app.admin("POST", f"/keys/{made}/rotate", {"overlap_s": 60})).json()["key"]
    assert rotated.startswith("swp-")


async def test_a_login_token_speaks_for_its_user_alone(start: Start) -> None:
    async with login_server() as login:
        app = await start(
            **login.settings(tier_claim="tier", origins=[PAGE]),
            **{"tiers.gold.requests_per_day": 2, "tiers.free.requests_per_day": 1, "default_tier": "free"},
        )
        until = app.clock() + 600
        gold, plain = login.token("ada", until_s=until, tier="gold"), login.token("bob", until_s=until)
        body = marked("somebody-else", max_tokens=16)
        shown = HEADERS | {"seawall-user": "admin"}
        statuses = [(await app.chat(body, key=gold, headers=shown)).status_code for _ in range(3)]
        others = [(await app.chat(body, key=plain, headers=shown)).status_code for _ in range(2)]
        assert (statuses, others) == ([200, 200, 429], [200, 429])
        rows = await app.rows()
        assert {row.end_user for row in rows} == {"login/ada", "login/bob"}
        assert {row.key_id for row in rows} == {"issuer_login"}
        await app.admin("PATCH", "/users/login/bob", {"tier": "gold"})
        assert (await app.chat(body, key=plain, headers=shown)).status_code == 200
        assert code(await app.chat(body, key=plain, headers={"origin": OTHER})) == (403, "origin_not_allowed")
        forged = gold[:-6] + "AAAAAA"
        refused = await app.chat(body, key=forged, headers=HEADERS)
        assert code(refused) == (401, "invalid_api_key")
        assert refused.headers["access-control-allow-origin"] == PAGE


async def test_failed_attempts_from_one_address_are_slowed_down(start: Start) -> None:
    app = await start(limits__per_ip="3/minute")
    statuses = [(await app.chat(marked("x"), key="sw-wrong")).status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    assert (await app.chat(marked("x"))).status_code == 200


async def test_limits_by_address_count_the_end_users_and_never_the_apps(start: Start) -> None:
    app = await start(limits__per_ip="2/minute")
    unnamed = [(await app.chat(marked("x"))).status_code for _ in range(5)]
    told = [
        (await app.chat(marked("x"), headers={"seawall-client-ip": address})).status_code
        for address in ("203.0.113.7", "203.0.113.7", "::ffff:203.0.113.7", "203.0.113.8")
    ]
    wrong = await app.chat(marked("x"), headers={"seawall-client-ip": "the office"})
    assert (unnamed, told) == ([200] * 5, [200, 200, 429, 200])
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "seawall-client-ip")


async def test_users_of_one_owner_are_not_those_of_another(start: Start) -> None:
    app = await start(**{"tiers.free.requests_per_day": 1, "default_tier": "free"})
    _, acme = await app.new_key(owner="acme")
    _, acme_too = await app.new_key(owner="acme")
    _, umbrella = await app.new_key(owner="umbrella")
    keys = (acme, acme_too, umbrella, app.key)
    assert [(await app.chat(marked("ada"), key=key)).status_code for key in keys] == [200, 429, 200, 200]
    assert {row.end_user for row in await app.rows()} == {"acme:ada", "umbrella:ada", "ada"}
