"""What the admin API says of the past: calls, sums, what is held now; one gateway for each."""

import asyncio

import pytest

from tests.fixtures.gateways import DAY_S, Start, marked
from tests.fixtures.mock_calls import until
from tests.pipeline.conftest import StartBehind, held


async def test_a_call_that_runs_is_shown_as_held(start_behind: StartBehind) -> None:
    app, line = await start_behind()
    line.fault = held(b"[one]")
    key_id, key = await app.new_key()
    call = asyncio.ensure_future(app.chat(marked("one", max_tokens=100), key=key))
    await until(lambda: bool(app.mock.requests))
    spend = (await app.admin("GET", f"/keys/{key_id}")).json()["spend"]
    assert spend["lifetime_usd"] == "0.00"
    assert spend["held_usd"] > "0.003"
    line.fault = None
    assert (await call).status_code == 200


async def test_calls_are_paged_the_newest_first(start: Start) -> None:
    app = await start()
    for number in range(7):
        await app.chat(marked(f"call-{number}", "s2"))
    pages, before = [], {}
    while page := (await app.admin("GET", "/calls", params={"limit": 3, **before})).json()["data"]:
        pages.append([call["end_user"] for call in page])
        before = {"before": page[-1]["id"]}
    assert pages == [["call-6", "call-5", "call-4"], ["call-3", "call-2", "call-1"], ["call-0"]]


async def test_usage_is_summed_by_key_model_and_day(start: Start) -> None:
    app = await start()
    key_id, key = await app.new_key()
    await app.chat(marked("one", "s5"), key=key)
    app.clock.turn(DAY_S)
    await app.chat(marked("two", "s10", model="fake-thinker"))
    await app.settled()
    first, second = app.mock.requests
    by = {name: (await app.admin("GET", f"/usage?by={name}")).json() for name in ("key", "model", "day")}
    assert [row["name"] for row in by["model"]["data"]] == ["fake-thinker", "fake-gpt"]
    assert [row["name"] for row in by["day"]["data"]] == ["2026-11-22", "2026-11-21"]
    [of_key] = [row for row in by["key"]["data"] if row["name"] == key_id]
    assert of_key == {
        "name": key_id, "calls": 1, "input_tokens": first.input_tokens, "output_tokens": 5, "cached_read_tokens": 0,
        "cached_write_tokens": 0, "reasoning_tokens": 0, "cost_usd": f"0.{first.cost:09d}".rstrip("0"),
        "overage_usd": "0.00",
    }  # fmt: skip
    today = (await app.admin("GET", "/usage?by=day&days=1")).json()["data"]
    assert {row["name"] for row in today} >= {"2026-11-22"}
    assert second.output_tokens == 10


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_moment_outside_of_the_calendar_is_refused(start: Start, moment: str) -> None:
    app = await start()
    made = await app.admin("POST", "/keys", {"name": "x", "expires_at": moment})
    listed = await app.admin("GET", "/keys")
    assert listed.status_code == 200
    assert (made.status_code, made.json()["error"]["param"]) == (400, "expires_at")
