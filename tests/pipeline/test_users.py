"""End users by the admin API: what is shown and changed, who is shut out, and how a person is forgotten."""

import asyncio
from typing import Any

import httpx
import pytest

from seawall.core.ledger import Account
from tests.docs.pages import blocks_of
from tests.fixtures.gateways import ADMIN_KEY, RunningApp, Start, marked
from tests.fixtures.mock_calls import until
from tests.fixtures.raw_http import peer_of
from tests.fixtures.receivers import receiving

TIERS: dict[str, object] = {
    "default_tier": "free",
    "tiers__free__tokens_per_day": 1_000,
    "tiers__free__requests_per_month": 50,
    "tiers__premium__tokens_per_day": 100_000,
    "tiers__premium__daily_usd": "2.00",
}


def assert_refused(answer: httpx.Response, param: str | None) -> None:
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_request", param)


async def user(app: RunningApp, name: str) -> dict[str, Any]:
    shown: dict[str, Any] = (await app.admin("GET", f"/users/{name}")).raise_for_status().json()
    return shown


async def test_a_user_is_shown_with_what_it_may_use_and_has_used(start: Start) -> None:
    app = await start(**TIERS)
    usage = (await app.chat(marked("ada", "full", max_tokens=100))).json()["usage"]
    await app.settled()
    tokens = usage["prompt_tokens"] + usage["completion_tokens"]
    shown = await user(app, "ada")
    assert shown.pop("spend")["daily_usd"] == "0.00"  # Nothing is capped in money, so nothing is kept apart.
    assert shown == {
        "id": "ada",
        "tier": None,
        "effective_tier": "free",
        "blocked_at": None,
        "note": None,
        "mail": True,
        "limits": None,
        "quota": None,
        "budget": None,
        "usage": [
            {
                "of": "tokens_per_day",
                "period": "2026-11-21",
                "used": tokens,
                "held": 0,
                "allowed": 1_000,
                "resets_at": "2026-11-22T00:00:00+00:00",
            },
            {
                "of": "requests_per_month",
                "period": "2026-11",
                "used": 1,
                "held": 0,
                "allowed": 50,
                "resets_at": "2026-12-01T00:00:00+00:00",
            },
        ],
    }


async def test_a_change_counts_at_once_and_null_takes_it_back(start: Start) -> None:
    app = await start(**TIERS)
    changes = {
        "tier": "premium",
        "note": "pays by invoice",
        "limits": ["100/minute", "20000 tokens/minute", "4 at once"],
        "quota": {"tokens_per_day": 5_000},
        "budget": {"daily_usd": "0.50"},
    }
    shown = (await app.admin("PATCH", "/users/ada", changes)).raise_for_status().json()
    assert {name: shown[name] for name in ("tier", "note", "limits", "budget")} == {
        "tier": "premium",
        "note": "pays by invoice",
        "limits": ["100/minute", "20000 tokens/minute", "4 at once"],
        "budget": {"daily_usd": "0.50", "monthly_usd": None},
    }
    assert [(each["of"], each["allowed"]) for each in shown["usage"]] == [("tokens_per_day", 5_000)]
    nothing = dict.fromkeys(changes)
    back = (await app.admin("PATCH", "/users/ada", nothing)).raise_for_status().json()
    assert (back["tier"], back["effective_tier"], back["limits"], back["quota"]) == (None, "free", None, None)


async def test_a_blocked_user_is_refused_before_anything_is_sent_until_it_is_let_in_again(
    start: Start,
) -> None:
    app = await start(**TIERS)
    await app.admin("PATCH", "/users/ada", {"blocked": True})
    refused = await app.chat(marked("ada"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "user_blocked")
    assert (await app.chat(marked("bob"))).status_code == 200
    await app.admin("PATCH", "/users/ada", {"blocked": False})
    assert (await app.chat(marked("ada"))).status_code == 200
    assert [seen.body["user"] for seen in app.mock.requests] == ["bob", "ada"]


async def test_a_reset_gives_back_what_was_used_of_a_quota_and_no_money(start: Start) -> None:
    app = await start(**TIERS)
    while (await app.chat(marked("ada", "full", max_tokens=500))).status_code == 200:
        pass
    spent = (await app.spend()).lifetime
    await app.admin("PATCH", "/users/ada", {"reset": True})
    assert (await app.chat(marked("ada", "full", max_tokens=100))).status_code == 200
    assert (await app.spend()).lifetime > spent > 0


async def test_the_recipe_for_payments_sets_the_tier_and_takes_it_back(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await start(**TIERS)
    monkeypatch.setenv("SEAWALL_URL", f"http://127.0.0.1:{app.port}")
    monkeypatch.setenv("SEAWALL_ADMIN_KEY", ADMIN_KEY)
    [block] = blocks_of("docs/recipes/upgrade-after-payment.md")
    recipe: dict[str, Any] = {}
    exec(block.text, recipe)

    async def pay(event: str, name: str) -> str:
        paid = {"type": event, "data": {"object": {"metadata": {"seawall_user": name}}}}
        await asyncio.to_thread(recipe["on_payment_event"], paid)
        return str((await user(app, name.replace("/", "%2F")))["effective_tier"])

    for name in ("ada", "clerk/user_2abc"):
        assert await pay("invoice.created", name) == "free"
        assert await pay("checkout.session.completed", name) == "premium"
        assert await pay("customer.subscription.deleted", name) == "free"


async def test_users_are_listed_by_id_in_pages(start: Start) -> None:
    app = await start(**TIERS)
    for name in ("cleo", "ada", "bob"):
        await app.chat(marked(name, max_tokens=20))
    await app.admin("PATCH", "/users/aaron", {"tier": "premium"})
    await app.settled()
    first = (await app.admin("GET", "/users?limit=2")).json()["data"]
    rest = (await app.admin("GET", f"/users?limit=10&after={first[-1]['id']}")).json()["data"]
    assert [(row["id"], row["tier"], row["calls"]) for row in [*first, *rest]] == [
        ("aaron", "premium", 0),
        ("ada", None, 1),
        ("bob", None, 1),
        ("cleo", None, 1),
    ]


async def test_a_person_is_forgotten_and_the_sums_stay(start: Start) -> None:
    app = await start(**TIERS)
    stored = {"model": "fake-gpt", "input": "My name is Ada.", "user": "lovelace", "max_output_tokens": 20}
    answer = await app.http.post("/v1/responses", json=stored, headers={"authorization": f"Bearer {app.key}"})
    assert answer.status_code == 200
    await app.admin("PATCH", "/users/lovelace", {"note": "likes the sea"})
    await app.settled()
    sums = (await app.admin("GET", "/usage?by=key")).json()["data"]
    erased = (await app.admin("DELETE", "/users/lovelace")).raise_for_status().json()

    assert erased["calls"] == 1
    assert (await app.admin("GET", "/usage?by=key")).json()["data"] == sums
    [row] = await app.rows()
    assert row.end_user == erased["kept_as"]
    assert "lovelace" not in app.everything().lower()
    assert (await app.admin("GET", "/users")).json()["data"][0]["id"] == erased["kept_as"]
    alias = Account(f"user:{erased['kept_as']}", "tokens:2026-11-21", None)
    [kept] = await app.seawall.gateway.ledger.standings([alias])
    assert kept.spent > 0


async def test_nothing_that_was_told_of_a_person_or_kept_for_it_lies_about_later(
    start: Start,
) -> None:
    async with receiving() as receiver:
        app = await start(
            **TIERS,
            alerts__webhook_url=receiver.url,
            alerts__allow_private=True,
            alerts__digest_at="off",
            cache__enabled=True,
        )
        alerting = app.seawall.alerting
        assert alerting is not None
        await alerting.stop()  # From here on by hand.
        await app.seawall.dispatcher.stop()
        for name in ("lovelace", "babbage"):
            await app.admin("PATCH", f"/users/{name}", {"tier": "premium"})
            await app.admin("PATCH", f"/users/{name}", {"quota": {"tokens_per_day": 500}})
        assert await app.seawall.dispatcher.deliver() == 2  # What was sent leaves a line behind.
        answer = await app.chat(marked("lovelace", "full", max_tokens=300))
        assert answer.status_code == 200, answer.text
        await app.settled()
        assert await alerting.look() == 1  # What waits names her as well.
        assert "lovelace" in app.everything()

        await app.admin("DELETE", "/users/lovelace")
        assert "lovelace" not in app.everything()
        assert "babbage" in app.everything()
        kept = [delivery.kind for delivery in await app.seawall.store.outbox.newest()]
        assert kept == ["user.tier_changed"] * 2


async def test_a_persons_kept_answers_are_overwritten(start: Start) -> None:
    app = await start(cache__enabled=True)
    answer = (await app.chat(marked("lovelace"))).json()["choices"][0]["message"]["content"]
    await app.settled()
    file, text = app.database.parent / "answers.db", answer.encode()

    def on_disk() -> bool:
        return any(text in each.read_bytes() for each in file.parent.glob("answers.db*"))

    await until(on_disk)
    await app.admin("DELETE", "/users/lovelace")
    assert not on_disk()


async def test_a_person_whose_call_is_running_is_forgotten_a_moment_later(start: Start) -> None:
    app = await start(**TIERS)
    async with peer_of(app.port) as peer:
        peer.ask(marked("ada", "stall3", max_tokens=20, stream=True), app.key)
        assert (await peer.head())[0] == 200
        refused = await app.admin("DELETE", "/users/ada")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
    await app.settled()
    assert (await app.admin("DELETE", "/users/ada")).status_code == 200
    assert (await app.spend()).held == 0


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, None),
        ({"tier": "gold"}, "tier"),
        ({"tier": 7}, "tier"),
        ({"blocked": "yes"}, "blocked"),
        ({"note": ""}, "note"),
        ({"note": "x" * 501}, "note"),
        ({"note": "a\nb"}, "note"),
        ({"limits": "100/minute"}, "limits"),
        ({"limits": ["often"]}, "limits[0]"),
        ({"limits": ["1/second", "0 at once"]}, "limits[1]"),
        ({"limits": ["1/second"] * 17}, "limits"),
        ({"quota": 5}, "quota"),
        ({"quota": {"tokens": 5}}, "quota.tokens"),
        ({"quota": {"tokens_per_day": 0}}, "quota.tokens_per_day"),
        ({"quota": {"tokens_per_day": True}}, "quota.tokens_per_day"),
        ({"quota": {"tokens_per_day": 1.5}}, "quota.tokens_per_day"),
        ({"budget": "5"}, "budget"),
        ({"budget": {"daily_usd": 1.5}}, "budget.daily_usd"),
        ({"budget": {"lifetime_usd": "1"}}, "budget.lifetime_usd"),
        ({"reset": 1}, "reset"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_bad_field_is_named_and_nothing_is_half_written(
    start: Start, fields: dict[str, Any], param: str | None
) -> None:
    app = await start(**TIERS)
    before = await user(app, "ada")
    assert_refused(
        await app.admin("PATCH", "/users/ada", {"tier": "premium", **fields} if fields else {}), param
    )
    assert await user(app, "ada") == before


async def test_ids_with_a_slash_are_ids_and_endless_ones_are_refused(start: Start) -> None:
    app = await start(**TIERS)
    changed = await app.admin("PATCH", "/users/supabase/1234", {"tier": "premium"})
    assert changed.json()["id"] == "supabase/1234"
    assert_refused(await app.admin("GET", f"/users/{'x' * 301}"), "id")


async def test_users_are_for_the_operator_alone(start: Start) -> None:
    app = await start(**TIERS)
    for method, path in (
        ("GET", "/users"),
        ("GET", "/users/ada"),
        ("PATCH", "/users/ada"),
        ("DELETE", "/users/ada"),
    ):
        answer = await app.http.request(
            method,
            f"/admin/v1{path}",
            headers={"authorization": f"Bearer {app.key}"},
            json={"tier": "premium"},
        )
        assert answer.status_code == 401
