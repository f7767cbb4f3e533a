"""Quotas of end users: never passed, whatever runs at once; locked out until the period ends or the tier changes."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from seawall.core.ledger import Account
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import DAY_S, NOON, RunningApp, Start, all_dialects, marked
from tests.fixtures.mock_calls import o200k, until
from tests.fixtures.pairs import CLIENTS

TIERS: dict[str, object] = {
    "time_zone": "Europe/Berlin",
    "default_tier": "free",
    "upgrade_url": "https://example.com/plans",
    "tiers__free__tokens_per_day": 1_000,
    "tiers__premium__tokens_per_day": 100_000,
    "tiers__few__requests_per_day": 3,
    "budget__daily_usd": "1000.00",
}
INPUT = 14
"""The tokens of the mock's usual question, as the mock bills them; what is asked differs by a marker."""


def asking(user: str, tokens: int, mocked: str = "full", **fields: Any) -> dict[str, Any]:
    return marked(user, mocked, max_tokens=tokens, **fields)


async def used(app: RunningApp, user: str, period: str) -> tuple[int, int]:
    """Return what is spent and held on a quota account."""
    await app.settled()
    [standing] = await app.seawall.gateway.ledger.standings([Account(f"user:{user}", period)])
    return standing.spent, standing.held


async def test_usage_is_read_from_the_provider_and_added_to_the_user(start: Start) -> None:
    app = await start(**TIERS)
    answer = (await app.chat(asking("ada", 100))).raise_for_status().json()
    usage = answer["usage"]
    assert await used(app, "ada", "tokens:2026-11-21") == (
        usage["prompt_tokens"] + usage["completion_tokens"],
        0,
    )
    assert await used(app, "bob", "tokens:2026-11-21") == (0, 0)


async def test_a_user_over_the_quota_is_locked_out_and_told_how_much_until_when_and_where_to_go(
    start: Start,
) -> None:
    app = await start(**TIERS)
    statuses = [(await app.chat(asking("ada", 400))).status_code for _ in range(4)]
    refused = await app.chat(asking("ada", 16))
    error = refused.json()["error"]
    spent, _ = await used(app, "ada", "tokens:2026-11-21")

    assert statuses[:2] == [200, 200]
    assert (refused.status_code, error["code"], error["type"]) == (429, "quota_exhausted", "quota_error")
    assert refused.headers["x-should-retry"] == "false"
    assert "retry-after" not in refused.headers
    details = error["details"]
    assert details.pop("explain") == f"seawall why {error['call_id']}"
    assert details == {
        "rule": "tiers.free.tokens_per_day",
        "scope": "user",
        "unit": "tokens",
        "used": spent,
        "held": 0,
        "allowed": 1_000,
        "resets_at": "2026-11-22T00:00:00+01:00",
        "upgrade_url": "https://example.com/plans",
        "say": "You have used up what is yours for now. Please come back after 2026-11-22 00:00 Europe/Berlin."
        " You can get more here: https://example.com/plans",
    }
    assert spent <= 1_000


async def test_others_go_on_and_the_user_itself_after_midnight_of_the_time_zone(start: Start) -> None:
    app = await start(**TIERS)
    while (await app.chat(asking("ada", 500))).status_code == 200:
        pass
    assert (await app.chat(asking("bob", 100))).status_code == 200
    until_midnight = datetime.fromisoformat("2026-11-22T00:00:00+01:00").timestamp() - app.clock()
    app.clock.turn(until_midnight - 60)
    assert (await app.chat(asking("ada", 100))).status_code == 429
    app.clock.turn(60)
    assert (await app.chat(asking("ada", 100))).status_code == 200
    assert app.clock() < NOON + DAY_S


@pytest.mark.parametrize(
    ("day", "ends"),
    [("2027-03-28", "2027-03-29T00:00:00+02:00"), ("2027-10-31", "2027-11-01T00:00:00+01:00")],
)
async def test_a_day_of_23_or_25_hours_ends_at_its_own_midnight(start: Start, day: str, ends: str) -> None:
    app = await start(**TIERS)
    turn_to(app, f"{day}T00:30:00{'+01:00' if day < '2027-06' else '+02:00'}")  # Before the clocks change.
    while (answer := await app.chat(asking("ada", 500))).status_code == 200:
        pass
    assert answer.json()["error"]["details"]["resets_at"] == ends
    turn_to(app, ends, seconds_before=60)
    assert (await app.chat(asking("ada", 100))).status_code == 429
    turn_to(app, ends)
    assert (await app.chat(asking("ada", 100))).status_code == 200


def turn_to(app: RunningApp, moment: str, seconds_before: int = 0) -> None:
    """Turn the clock on to a moment."""
    app.clock.turn(datetime.fromisoformat(moment).timestamp() - seconds_before - app.clock())


async def test_another_tier_opens_the_door_at_once(start: Start) -> None:
    app = await start(**TIERS)
    while (await app.chat(asking("ada", 500))).status_code == 200:
        pass
    changed = await app.admin("PATCH", "/users/ada", {"tier": "premium"})
    assert changed.status_code == 200
    assert (await app.chat(asking("ada", 500))).status_code == 200
    back = await app.admin("PATCH", "/users/ada", {"tier": "free"})
    assert (back.status_code, (await app.chat(asking("ada", 16))).status_code) == (200, 429)


async def test_requests_are_counted_where_the_tier_counts_them(start: Start) -> None:
    app = await start(**TIERS | {"default_tier": "few"})
    answers = await asyncio.gather(*(app.chat(asking("ada", 20)) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 9
    assert await used(app, "ada", "requests:2026-11-21") == (3, 0)
    assert len(app.mock.requests) == 3


@pytest.mark.timeout(480)
async def test_500_calls_at_once_over_all_endpoints_never_pass_a_quota(start: Start) -> None:
    """Every endpoint, whole and streamed, whole answers and broken ones; five users with 2,000 tokens each."""
    async with MockProvider(count=o200k()) as mock:
        stated = all_dialects(mock.base_url) | {"tiers__free__tokens_per_day": 2_000, "server__grace_s": 5}
        app = await start(mock=mock, **TIERS | stated)
        await _fire_500(app)


async def _fire_500(app: RunningApp) -> None:
    calls = [_call(app, number) for number in range(500)]
    statuses = await asyncio.gather(*calls)
    await until(lambda: app.mock.open_calls == 0)
    await app.settled()

    assert statuses.count(200) >= 20
    assert set(statuses) <= {200, 429, 502}
    assert {seen.path for seen in app.mock.requests} == set(CLIENTS.values())
    billed: dict[str, int] = {}
    for seen in app.mock.requests:
        user = str(seen.body.get("user") or seen.body["metadata"]["user_id"])
        billed[user] = billed.get(user, 0) + seen.input_tokens + seen.output_tokens
    assert set(billed) == {f"user{number}" for number in range(5)}
    for user, tokens in billed.items():
        spent, held = await used(app, user, "tokens:2026-11-21")
        assert tokens <= 2_000
        assert tokens <= spent <= 2_000
        assert held == 0


async def _call(app: RunningApp, number: int) -> int:
    user = f"user{number % 5}"
    kind = ("full", "full-reset9", "full-nousage", "e500", "full-eof20", "full")[number % 6]
    is_stream = number % 2 == 0 or "-" in kind
    client = ("chat", "messages", "responses")[number % 3]
    body = asking(user, 120, kind, stream=is_stream)
    if client == "messages":
        body |= {"model": "fake-claude", "metadata": {"user_id": body.pop("user")}}
    if client == "responses":
        body |= {
            "model": "fake-resp",
            "input": body.pop("messages"),
            "max_output_tokens": body.pop("max_tokens"),
        }
    shown = {"x-api-key": app.key}
    answer = await app.http.post(CLIENTS[client], json=body, headers=shown, timeout=None)
    return answer.status_code


async def test_a_broken_stream_counts_what_it_may_have_used(start: Start) -> None:
    app = await start(**TIERS)
    await app.chat(asking("ada", 300, "full-reset9", stream=True))
    seen = await app.seen("ada")
    spent, held = await used(app, "ada", "tokens:2026-11-21")
    assert seen.output_tokens <= spent
    assert spent > 300
    assert held == 0


async def test_a_declared_cap_is_lowered_to_what_the_quota_leaves(start: Start) -> None:
    app = await start(**TIERS)
    answer = await app.chat(asking("ada", 4_000))
    usage = answer.json()["usage"]
    assert answer.status_code == 200
    assert usage["prompt_tokens"] + usage["completion_tokens"] <= 1_000
    assert answer.headers["seawall-output-cap"].endswith("; asked=4000")


async def test_free_providers_have_quotas_as_well(start: Start) -> None:
    app = await start(**TIERS | {"tiers__free__tokens_per_day": 200})
    body = {"model": "demo", "user": "ada", "messages": [{"role": "user", "content": "Why is the sky blue?"}]}
    statuses = [(await app.chat(body | {"max_tokens": 100})).status_code for _ in range(6)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    spent, _ = await used(app, "ada", "tokens:2026-11-21")
    assert 0 < spent <= 200
    assert (await app.spend()).lifetime == 0


async def test_budgets_of_a_tier_hold_for_each_user_alone(start: Start) -> None:
    app = await start(**TIERS | {"tiers__free__tokens_per_day": 10**6, "tiers__free__daily_usd": "0.01"})
    while (answer := await app.chat(asking("ada", 100))).status_code == 200:
        pass
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (402, "budget_exhausted")
    assert error["message"].startswith("What is left of the daily budget of this user ($0.0")
    assert error["details"]["rule"] == "tiers.free.daily_usd"
    assert (await app.spend("user:ada")).daily <= 10**7
    assert (await app.chat(asking("bob", 100))).status_code == 200


async def test_models_of_a_tier_and_of_a_key_must_both_allow(start: Start) -> None:
    app = await start(**TIERS | {"tiers__free__models": ["demo", "mock/fake-gpt"]})
    _, key = await app.new_key(models=["fake-gpt", "fake-thinker"])
    allowed = await app.chat(asking("ada", 20), key=key)
    by_key_only = await app.chat(asking("ada", 20, model="fake-thinker"), key=key)
    by_tier_only = await app.chat(asking("ada", 20, model="demo"), key=key)
    assert [allowed.status_code, by_key_only.status_code, by_tier_only.status_code] == [200, 403, 403]
