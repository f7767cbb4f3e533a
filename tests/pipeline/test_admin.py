"""The admin API: every route, every field, and nothing half-written."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.fixtures.gateways import RunningApp, marked, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_SPEND = {
    "daily_usd": "0.00", "monthly_usd": "0.00", "lifetime_usd": "0.00", "held_usd": "0.00", "overage_usd": "0.00",
}  # fmt: skip
MONEY = re.compile(r"\d+\.\d{2,9}")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def admin_app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningApp]:
    """Run one gateway whose keys only these tests make."""
    async with running(tmp_path_factory.mktemp("admin"), budget__daily_usd="1000") as app:
        yield app


def assert_refused(answer: httpx.Response, param: str | None, code: str = "invalid_request") -> None:
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)
    assert answer.headers["content-type"] == "application/json"


async def shown(app: RunningApp, key_id: str) -> dict[str, Any]:
    answer = await app.admin("GET", f"/keys/{key_id}")
    assert answer.status_code == 200
    key: dict[str, Any] = answer.json()
    return key


async def test_a_key_is_made_shown_once_and_listed(admin_app: RunningApp) -> None:
    budget = {"daily_usd": "1.50", "monthly_usd": "20", "lifetime_usd": "0.000000001"}
    fields = {
        "name": "my app",
        "models": ["fake-gpt"],
        "budget": budget,
        "expires_at": "2027-01-31T12:00:00Z",
    }
    made = await admin_app.admin("POST", "/keys", fields)
    assert made.status_code == 201
    assert set(made.json()) == {"id", "key"}
    assert re.fullmatch(r"sw-[\w-]{43}", made.json()["key"])
    key = await shown(admin_app, made.json()["id"])
    created_at = key.pop("created_at")
    assert created_at.startswith("2026-11-21T12:")
    assert key == {
        "id": made.json()["id"],
        "name": "my app",
        "kind": "key",
        "owner": None,
        "tier": None,
        "models": ["fake-gpt"],
        "budget": {"daily_usd": "1.50", "monthly_usd": "20.00", "lifetime_usd": "0.000000001"},
        "limits": [],
        "trial": None,
        "origins": [],
        "guard": None,
        "expires_at": "2027-01-31T12:00:00.000Z",
        "revoked_at": None,
        "last_used_at": None,
        "spend": NO_SPEND,
    }
    listed = (await admin_app.admin("GET", "/keys")).json()["data"]
    assert [one for one in listed if one["id"] == key["id"]] == [key | {"created_at": created_at}]


async def test_the_least_a_key_needs_is_a_name(admin_app: RunningApp) -> None:
    key_id, _ = await admin_app.new_key(name="bare")
    key = await shown(admin_app, key_id)
    assert (key["models"], key["expires_at"]) == (None, None)
    assert key["budget"] == {"daily_usd": None, "monthly_usd": None, "lifetime_usd": None}


MONEYS = [5.0, 0.1, True, -1, "-1", "", "five", "1,50", "$5", "NaN", "Infinity", "1e400", "0.0000000001", "1" * 30, [], {},
          10**10]  # fmt: skip
BAD_FIELDS: list[tuple[str, list[Any]]] = [
    ("name", [None, "", "  ", 5, True, [], {}, "x" * 101, "a\nb", "a\x00b", "\u202e"]),
    ("models", [5, "fake-gpt", {}, [5], [None], [""], [["a"]], ["x"] * 1_001]),
    ("budget", [5, "5", [], True]),
    ("expires_at", [5, "", "soon", True, [], {}, "2026-13-01", "2026-11-21T25:00:00Z", "x" * 5_000]),
    *((f"budget.{period}_usd", MONEYS) for period in ("daily", "monthly", "lifetime")),
]
CASES = [(field, value) for field, values in BAD_FIELDS for value in values]


def fields_with(field: str, value: Any) -> dict[str, Any]:
    group, _, name = field.partition(".")
    return {"name": "changed", group: {name: value, "monthly_usd": "7"} | {name: value} if name else value}


@pytest.mark.parametrize(("field", "value"), CASES, ids=[f"{field}={value!r:.24}" for field, value in CASES])
async def test_a_bad_field_is_named_and_nothing_is_written(
    admin_app: RunningApp, field: str, value: Any
) -> None:
    key_id, _ = await admin_app.new_key(name="before", budget={"daily_usd": "1"})
    before = await shown(admin_app, key_id)
    keys = len((await admin_app.admin("GET", "/keys")).json()["data"])
    assert_refused(await admin_app.admin("POST", "/keys", fields_with(field, value)), field)
    assert_refused(await admin_app.admin("PATCH", f"/keys/{key_id}", fields_with(field, value)), field)
    assert await shown(admin_app, key_id) == before
    assert len((await admin_app.admin("GET", "/keys")).json()["data"]) == keys


@pytest.mark.parametrize("amount", ["1e3", "1_000", " 5 ", "\u0665", "+5", ".5"])
async def test_an_amount_is_a_plain_decimal(admin_app: RunningApp, amount: str) -> None:
    assert_refused(
        await admin_app.admin("POST", "/keys", {"name": "x", "budget": {"daily_usd": amount}}),
        "budget.daily_usd",
    )


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "name"),
        ({"models": []}, "name"),
        ({"name": "x", "unknown": 1}, "unknown"),
        ({"name": "x", "budget": {"weekly_usd": "1"}}, "budget.weekly_usd"),
        ({"name": "x", "id": "key_1"}, "id"),
        ({"name": "x", "revoked_at": None}, "revoked_at"),
    ],
)
async def test_an_unknown_or_missing_field_is_named(
    admin_app: RunningApp, fields: dict[str, Any], param: str
) -> None:
    assert_refused(await admin_app.admin("POST", "/keys", fields), param)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"limits": {"requests": ["5/minute"]}}, "limits"),
        ({"limits": 5}, "limits"),
        ({"limits": "5/minute"}, "limits"),
        ({"limits": [1]}, "limits[0]"),
        ({"limits": ["5/minute", "4 at  once"]}, "limits[1]"),
        ({"limits": ["many tokens/minute"]}, "limits[0]"),
        ({"owner": "a:b"}, "owner"),
        ({"owner": "a/b"}, "owner"),
        ({"owner": 5}, "owner"),
        ({"tier": ""}, "tier"),
        ({"trial": {"tokens": 5}}, "trial.tokens"),
        ({"trial": {"tokens_per_day": -1}}, "trial.tokens_per_day"),
    ],
)
async def test_what_a_key_says_of_its_users_is_checked(
    admin_app: RunningApp, fields: dict[str, Any], param: str
) -> None:
    assert_refused(await admin_app.admin("POST", "/keys", {"name": "x", **fields}), param)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"name":"a","name":"b"}', b'{"name":"\xff"}', b"5"]
)
@pytest.mark.parametrize("path", ["/keys", "/keys/{id}"])
async def test_a_body_that_is_no_object_is_refused(admin_app: RunningApp, path: str, body: bytes) -> None:
    key_id, _ = await admin_app.new_key()
    method = "POST" if path == "/keys" else "PATCH"
    answer = await admin_app.admin(method, path.format(id=key_id), content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_request"


async def test_a_key_is_changed_field_by_field(admin_app: RunningApp) -> None:
    key_id, _ = await admin_app.new_key(budget={"daily_usd": "1", "monthly_usd": "2"}, models=["fake-gpt"])
    await admin_app.admin("PATCH", f"/keys/{key_id}", {"budget": {"daily_usd": "3"}})
    await admin_app.admin("PATCH", f"/keys/{key_id}", {"name": "renamed", "models": None})
    changed = await admin_app.admin("PATCH", f"/keys/{key_id}", {"expires_at": "2027-01-01"})
    key = await shown(admin_app, key_id)
    assert changed.json() == key
    assert (key["name"], key["models"], key["expires_at"]) == ("renamed", None, "2027-01-01T00:00:00.000Z")
    assert key["budget"] == {"daily_usd": "3.00", "monthly_usd": "2.00", "lifetime_usd": None}
    taken = await admin_app.admin("PATCH", f"/keys/{key_id}", {"budget": {"monthly_usd": None}})
    assert taken.json()["budget"] == {"daily_usd": "3.00", "monthly_usd": None, "lifetime_usd": None}
    emptied = await admin_app.admin("PATCH", f"/keys/{key_id}", {"budget": None, "expires_at": None})
    assert emptied.json()["budget"] == {"daily_usd": None, "monthly_usd": None, "lifetime_usd": None}
    assert emptied.json()["expires_at"] is None


async def test_a_revoked_key_stays_on_record(admin_app: RunningApp) -> None:
    key_id, key = await admin_app.new_key()
    assert (await admin_app.chat(marked("one", "s5"), key=key)).status_code == 200
    revoked = await admin_app.admin("DELETE", f"/keys/{key_id}")
    assert (revoked.status_code, revoked.json()) == (200, {"id": key_id, "revoked": True})
    record = await shown(admin_app, key_id)
    assert record["revoked_at"].startswith("2026-11-21T")
    assert record["spend"]["lifetime_usd"] != "0.00"
    again = await admin_app.admin("DELETE", f"/keys/{key_id}")
    assert again.status_code == 200
    assert (await shown(admin_app, key_id))["revoked_at"] == record["revoked_at"]
    assert_refused(await admin_app.admin("POST", f"/keys/{key_id}/rotate"), None)
    assert (await admin_app.chat(marked("two"), key=key)).status_code == 401


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"overlap_s": -1}, "overlap_s"),
        ({"overlap_s": 1.5}, "overlap_s"),
        ({"overlap_s": "60"}, "overlap_s"),
        ({"overlap_s": True}, "overlap_s"),
        ({"overlap_s": None}, "overlap_s"),
        ({"overlap_s": 10**9}, "overlap_s"),
        ({"name": "x"}, "name"),
    ],
)
async def test_a_bad_rotation_changes_nothing(admin_app: RunningApp, fields: Any, param: str) -> None:
    key_id, key = await admin_app.new_key()
    assert_refused(await admin_app.admin("POST", f"/keys/{key_id}/rotate", fields), param)
    assert (await admin_app.chat(marked("one", "s5"), key=key)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/keys/key_0"), ("PATCH", "/keys/key_0"), ("DELETE", "/keys/key_0"), ("POST", "/keys/key_0/rotate"),
     ("GET", "/calls/call_0")],
)  # fmt: skip
async def test_what_is_not_there_is_not_found(admin_app: RunningApp, method: str, path: str) -> None:
    answer = await admin_app.admin(method, path, {} if method in {"PATCH", "POST"} else None)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_the_figures_are_right_as_soon_as_the_answer_is_complete(admin_app: RunningApp) -> None:
    """No waiting for anything: the next request after an answer sees its cost."""
    key_id, key = await admin_app.new_key()
    cost = 0
    for number in range(10):
        stream = number % 2 == 0
        answer = await admin_app.chat(marked(f"figures-{number}", "s5", stream=stream, max_tokens=9), key=key)
        assert answer.status_code == 200
        spend = (await shown(admin_app, key_id))["spend"]
        cost += (await admin_app.seen(f"figures-{number}")).cost
        figure = f"{cost // 10**9}.{cost % 10**9:09d}".rstrip("0")
        assert spend == NO_SPEND | dict.fromkeys(("daily_usd", "monthly_usd", "lifetime_usd"), figure)
        listed = (await admin_app.admin("GET", "/calls", params={"key": key_id})).json()["data"]
        assert len(listed) == number + 1
        assert listed[0]["id"] == answer.headers["x-request-id"]
        assert (await admin_app.admin("GET", f"/calls/{listed[0]['id']}")).json() == listed[0]
        [sums] = [
            row
            for row in (await admin_app.admin("GET", "/usage?by=key")).json()["data"]
            if row["name"] == key_id
        ]
        assert (sums["calls"], sums["cost_usd"]) == (number + 1, figure)


async def test_money_is_always_a_decimal_string(admin_app: RunningApp) -> None:
    _, key = await admin_app.new_key(budget={"daily_usd": 3})
    await admin_app.chat(marked("one", "s5"), key=key)
    for path in ("/keys", "/calls", "/usage?by=key", "/usage?by=model", "/usage?by=day", "/usage"):
        answer = (await admin_app.admin("GET", path)).json()
        amounts = [value for name, value in flat(answer) if name.endswith("_usd")]
        assert amounts
        assert [amount for amount in amounts if amount is not None and not MONEY.fullmatch(amount)] == []


def flat(node: Any) -> list[tuple[str, Any]]:
    """List every named value in a tree."""
    if isinstance(node, list):
        return [pair for item in node for pair in flat(item)]
    if not isinstance(node, dict):
        return []
    return [
        pair
        for name, value in node.items()
        for pair in ([(name, value)] if not isinstance(value, dict | list) else flat(value))
    ]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("/calls?limit=0", "limit"),
        ("/calls?limit=1001", "limit"),
        ("/calls?limit=-1", "limit"),
        ("/calls?limit=ten", "limit"),
        ("/calls?limit=", "limit"),
        ("/calls?limit=1.5", "limit"),
        ("/calls?limit=%C2%B2", "limit"),
        ("/usage?by=users", "by"),
        ("/usage?by=", "by"),
        ("/usage?by=key;drop", "by"),
        ("/usage?days=0", "days"),
        ("/usage?days=99999", "days"),
        ("/calls?limit=000000001" + "9" * 30, "limit"),
        ("/usage?days=000000001" + "9" * 5_000, "days"),
    ],
)  # fmt: skip
async def test_a_bad_query_is_named(admin_app: RunningApp, query: str, param: str) -> None:
    assert_refused(await admin_app.admin("GET", query), param)


@pytest.mark.parametrize(
    "query", ["key=", "key=key_0", "before=", "before=x", "before=%00", "key='--", "unknown=1"]
)
async def test_an_odd_query_is_no_error(admin_app: RunningApp, query: str) -> None:
    answer = await admin_app.admin("GET", f"/calls?{query}")
    assert answer.status_code == 200
    assert isinstance(answer.json()["data"], list)


@pytest.mark.parametrize("key_id", ["%00", "..", "'--", "x" * 5_000, "%F0%9F%8C%8A", "%ff"])
async def test_an_odd_id_is_not_found(admin_app: RunningApp, key_id: str) -> None:
    for path in (f"/keys/{key_id}", f"/calls/{key_id}"):
        assert (await admin_app.admin("GET", path)).status_code == 404


async def test_a_rotation_reads_a_body_of_any_length(admin_app: RunningApp) -> None:
    key_id, key = await admin_app.new_key()

    async def body() -> AsyncIterator[bytes]:
        yield b'{"overlap_s":'
        yield b"-1}"

    assert_refused(await admin_app.admin("POST", f"/keys/{key_id}/rotate", content=body()), "overlap_s")
    assert (await admin_app.chat(marked("one", "s5"), key=key)).status_code == 200
