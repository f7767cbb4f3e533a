"""The clock of the machine is set, forward by a day or back by an hour, while calls run.

What is counted by the calendar follows the clock, what is counted by the second does not; no cent is lost over it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures.books import assert_books_hold
from tests.fixtures.gateways import DAY_S, RunningApp, marked, running
from tests.fixtures.issuers import login_server
from tests.fixtures.mock_calls import until

JUMPS = [DAY_S, -3_600.0, 40 * DAY_S]
jumps = pytest.mark.parametrize("jump_s", JUMPS, ids=["a day forward", "an hour back", "forty days forward"])


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running(tmp_path, clock=time.monotonic) as started:
        yield started


@jumps
async def test_a_call_over_a_jump_is_settled_once_where_it_was_held(app: RunningApp, jump_s: float) -> None:
    call = asyncio.ensure_future(app.chat(marked("over", "s40-g10", stream=True)))
    await until(lambda: bool(app.mock.requests) and app.mock.requests[0].events > 5)
    app.clock.turn(jump_s)
    assert (await call).text.endswith("data: [DONE]\n\n")
    row = await app.row()
    assert row.cost == app.mock.bill
    await assert_books_hold(app, "5.00")
    app.clock.turn(-jump_s)
    assert (await app.spend()).held == 0
    await assert_books_hold(app, "5.00")


@jumps
async def test_the_time_that_a_call_took_does_not_jump(app: RunningApp, jump_s: float) -> None:
    call = asyncio.ensure_future(app.chat(marked("over", "s40-g10", stream=True)))
    await until(lambda: bool(app.mock.requests))
    app.clock.turn(jump_s)
    assert (await call).status_code == 200
    row = await app.row()
    assert row.first_ms is not None
    assert 0 <= row.first_ms <= row.took_ms < 60_000


async def test_a_day_that_comes_back_has_not_forgotten_what_was_spent(tmp_path: Path) -> None:
    async with running(tmp_path, clock=time.monotonic, budget__daily_usd="0.02") as app:
        spent = await spend_all(app, "today")
        app.clock.turn(DAY_S)
        assert await spend_all(app, "tomorrow") > 0
        app.clock.turn(-DAY_S)
        assert (await app.chat(marked("again", "full", max_tokens=100))).status_code == 402
        spend = await app.spend()
        assert (spend.daily, spend.held) == (spent, 0)
        assert spend.lifetime == app.mock.bill


async def spend_all(app: RunningApp, day: str) -> int:
    """Call until the day's budget refuses; returns what was spent in this day."""
    for number in range(100):
        answer = await app.chat(marked(f"{day}-{number}", "full", max_tokens=100))
        if answer.status_code == 402:
            return (await app.spend()).daily
        assert answer.status_code == 200
    raise AssertionError("the budget refused nothing")


@jumps
async def test_a_rate_neither_opens_nor_closes_for_a_jump(tmp_path: Path, jump_s: float) -> None:
    async with running(tmp_path, clock=time.monotonic, limits__per_key="2/minute") as app:
        for number in range(2):
            assert (await app.chat(marked(f"n{number}", "s5"))).status_code == 200
        app.clock.turn(jump_s)
        refused = await app.chat(marked("over", "s5"))
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 60


@pytest.mark.parametrize("jump_s", [8 * DAY_S, -3_600.0])
async def test_a_kept_answer_has_no_age_below_zero_and_is_not_kept_too_long(
    tmp_path: Path, jump_s: float
) -> None:
    async with running(tmp_path, clock=time.monotonic, cache__enabled=True) as app:
        assert (await app.chat(marked("kept", "s5"))).headers["seawall-cache"] == "miss"
        app.clock.turn(jump_s)
        answer = await app.chat(marked("kept", "s5"))
        assert answer.headers["seawall-cache"] == ("miss" if jump_s > 0 else "hit")
        assert int(answer.headers.get("age", "0")) >= 0
        await assert_books_hold(app, "5.00")


async def test_a_key_that_expires_is_judged_by_the_clock_as_it_is(app: RunningApp) -> None:
    key_id, key = await app.new_key()
    hour = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(app.clock() + 3_600))
    (await app.admin("PATCH", f"/keys/{key_id}", {"expires_at": hour})).raise_for_status()
    statuses = []
    for jump_s in (0.0, DAY_S, -DAY_S, -3_600.0):
        app.clock.turn(jump_s)
        statuses.append((await app.chat(marked(f"at{len(statuses)}", "s5"), key=key)).status_code)
    assert statuses == [200, 401, 200, 200]
    await assert_books_hold(app, "5.00")


async def test_a_login_token_is_judged_by_the_clock_as_it_is(tmp_path: Path) -> None:
    async with login_server() as login, running(tmp_path, clock=time.monotonic, **login.settings()) as app:
        now = app.clock()
        token = login.token("ada", until_s=now + 600, nbf=int(now) - 10)
        statuses = []
        for jump_s in (0.0, DAY_S, -DAY_S, -3_600.0, 3_600.0):
            app.clock.turn(jump_s)
            statuses.append((await app.chat(marked(f"at{len(statuses)}", "s5"), key=token)).status_code)
        assert statuses == [200, 401, 200, 401, 200]  # An hour back the token does not begin yet.
        await assert_books_hold(app, "5.00")
