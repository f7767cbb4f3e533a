"""A call that fails before its first byte is tried again or elsewhere; every attempt is held and settled."""

import asyncio
import json
from typing import Any

import pytest

from seawall.core.errors import BudgetExhausted
from seawall.core.money import parse_usd
from seawall.proving.mock_behaviour import Behaviour
from seawall.proving.mock_connection import Seen
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import PROVIDER_KEY, RunningApp, Start, price
from tests.fixtures.mock_calls import LONGER, o200k


def chain(*names: str, **more: object) -> dict[str, object]:
    """Return the settings of an alias "smart" for models of the mock, each with the usual price."""
    prices: dict[str, object] = {}
    for name in names:
        prices |= {key.replace(".", "__"): value for key, value in price(name).items()}
    return {
        "providers__mock__models": list(names),
        "models__smart__targets": [f"mock/{name}" for name in names],
        **prices,
        **more,
    }


def smart(**fields: Any) -> dict[str, Any]:
    return {"model": "smart", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 50, **fields}


def asked(app: RunningApp) -> list[str]:
    """Return the models that the mock was asked for, in order."""
    return [seen.body["model"] for seen in app.mock.requests]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "failing", ["e503", "e500", "e429", "e529", "e401", "e404", "reset0", "eof0", "badhttp"]
)
async def test_the_next_model_answers_where_the_first_cannot(
    start: Start, failing: str, stream: bool
) -> None:
    app = await start(**chain(f"fake-gpt-{failing}", "fake-gpt", retries__attempts=0))
    answer = await app.chat(smart(stream=stream))
    assert answer.status_code == 200
    row = await app.row()
    tries = json.loads(row.attempts)
    assert asked(app) == [f"fake-gpt-{failing}", "fake-gpt"]
    assert [each["model"] for each in tries] == asked(app)
    assert (row.outcome, row.status, row.code, row.model) == ("ok", 200, None, "fake-gpt")
    assert row.cost == sum(each["cost"] for each in tries) >= app.mock.total().bill
    assert row.held == sum(each["held"] for each in tries)
    spend = await app.spend()
    assert (spend.daily, spend.held) == (row.cost, 0)


async def test_an_attempt_that_may_have_been_billed_is_charged_beside_the_one_that_answers(
    start: Start,
) -> None:
    app = await start(**chain("fake-gpt-reset0", "fake-gpt", retries__attempts=0))
    await app.chat(smart())
    row = await app.row()
    first, second = json.loads(row.attempts)
    assert (first["ending"], second["ending"]) == ("unknown", "complete")
    assert 0 < second["cost"] < first["cost"] <= first["held"]


async def test_the_sums_by_hour_count_the_call_once_and_all_of_its_money(start: Start) -> None:
    app = await start(**chain("fake-gpt-reset0", "fake-gpt", retries__attempts=0))
    await app.chat(smart())
    row = await app.row()
    sums = (await app.admin("GET", "/usage", params={"by": "key"})).json()["data"]
    assert [(each["calls"], each["cost_usd"]) for each in sums] == [
        (1, f"{row.cost / 10**9:.9f}".rstrip("0"))
    ]


class Witness:
    """Looks at the holds in the gateway's database at the moment when each request arrives."""

    def __init__(self) -> None:
        self.app: RunningApp | None = None
        self.holds: list[list[str]] = []

    def __call__(self, seen: Seen) -> Behaviour | None:
        if seen.method == "POST" and self.app is not None:
            self.holds.append([hold_id for (hold_id,) in self.app.look("SELECT id FROM holds")])
        return None


async def test_every_attempt_has_a_hold_of_its_own_on_disk_when_it_is_sent(start: Start) -> None:
    witness = Witness()
    names = ("fake-gpt-e503", "fake-gpt-e500", "fake-gpt")
    app = witness.app = await start(
        mock=MockProvider(count=o200k(), script=witness), **chain(*names, retries__attempts=0)
    )
    await app.chat(smart())
    row = await app.row()
    assert witness.holds == [[row.id], [f"{row.id}.2"], [f"{row.id}.3"]]


@pytest.mark.parametrize("mocked", ["e503", "e529", "e500"])
async def test_the_same_model_is_tried_again_where_nothing_was_billed(start: Start, mocked: str) -> None:
    answers = iter([Behaviour(status=int(mocked[1:]), retry_after_s=0), Behaviour()])
    app = await start(
        mock=MockProvider(
            count=o200k(), script=lambda seen: next(answers) if seen.method == "POST" else None
        ),
        retries__attempts=1,
        retries__backoff_s=0.001,
    )
    answer = await app.chat(smart(model="fake-gpt"))
    assert answer.status_code == 200
    row = await app.row()
    assert [each["ending"] for each in json.loads(row.attempts)] == ["refused", "complete"]
    assert row.cost == app.mock.total().bill


@pytest.mark.parametrize("mocked", ["e400", "e413", "e422", "e408", "e504", "reset0"])
async def test_what_cannot_be_mended_or_may_be_billed_is_not_sent_twice(start: Start, mocked: str) -> None:
    app = await start(**chain(f"fake-gpt-{mocked}", retries__attempts=3, retries__backoff_s=0.001))
    answer = await app.chat(smart())
    assert answer.status_code >= 400
    assert len(asked(app)) == 1


async def test_nothing_is_tried_again_once_the_first_byte_has_left(start: Start) -> None:
    app = await start(**chain("fake-gpt-s20-reset3", "fake-gpt"))
    answer = await app.chat(smart(stream=True))
    assert answer.status_code == 200
    assert b'"error"' in answer.content
    assert asked(app) == ["fake-gpt-s20-reset3"]


async def test_a_second_attempt_that_the_budget_does_not_allow_is_refused_and_not_sent(start: Start) -> None:
    names = ("fake-gpt-reset0", "fake-gpt")
    app = await start(
        **chain(*names, retries__attempts=0, budget__daily_usd="0.0022", spending__hold_wait_s=0)
    )
    answer = await app.chat(smart())
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, BudgetExhausted.code)
    assert asked(app) == ["fake-gpt-reset0"]
    spend = await app.spend()
    assert 0 < spend.daily <= 2_200_000
    assert (await app.row()).cost == spend.daily


async def test_the_client_gets_the_last_error_where_nobody_answers(start: Start) -> None:
    app = await start(**chain("fake-gpt-e503", "fake-gpt-e429-ra7", retries__attempts=0))
    answer = await app.chat(smart())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    row = await app.row()
    assert [each["ending"] for each in json.loads(row.attempts)] == ["refused", "refused"]
    assert (row.cost, (await app.spend()).held) == (0, 0)


async def test_a_key_that_may_use_the_alias_may_use_what_it_stands_for(start: Start) -> None:
    app = await start(**chain("fake-gpt"))
    _, allowed = await app.new_key(name="one", models=["smart"])
    _, other = await app.new_key(name="two", models=["something-else"])
    assert (await app.chat(smart(), key=allowed)).status_code == 200
    assert (await app.chat(smart(), key=other)).status_code == 403
    listed = await app.http.get("/v1/models", headers={"authorization": f"Bearer {allowed}"})
    assert [(each["id"], each["stands_for"]) for each in listed.json()["data"]] == [("smart", "fake-gpt")]


async def test_a_breaker_leaves_an_account_alone_and_says_when_to_come_back(start: Start) -> None:
    app = await start(
        **chain("fake-gpt-e500", retries__attempts=0, breaker__failures=2, breaker__cooldown_s=60)
    )
    for _ in range(2):
        assert (await app.chat(smart())).status_code == 502
    answer = await app.chat(smart())
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unavailable")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert len(asked(app)) == 2


async def test_several_keys_of_one_provider_stand_in_for_each_other(start: Start) -> None:
    app = await start(
        providers__mock__api_key_env=["MOCK_API_KEY", "MOCK_API_KEY_2"],
        retries__attempts=0,
    )
    shown: set[str] = set()
    for _ in range(64):  # Which key is shown is drawn for each call.
        assert (await app.chat(smart(model="fake-gpt"))).status_code == 200
        shown.add(app.mock.requests[-1].headers["authorization"])
        if len(shown) == 2:
            break
    assert shown == {f"Bearer {PROVIDER_KEY}", f"Bearer {PROVIDER_KEY}-2"}


async def test_a_client_that_leaves_between_two_attempts_is_recorded_with_what_the_first_cost(
    start: Start,
) -> None:
    app = await start(**chain("fake-gpt-e503-ra60", retries__attempts=1, retries__wait_s_max=60))
    leaving = asyncio.create_task(app.chat(smart()))
    log = app.seawall.gateway.call_log
    async with asyncio.timeout(LONGER):
        while not await log.newest(key_id=None, before=None, limit=1):  # until the first attempt is settled
            await asyncio.sleep(0.001)
    await app.spend_now()  # Whoever waits for the settlement has heard of it before this.
    leaving.cancel()
    await asyncio.wait([leaving])
    row = await app.row()
    assert (row.outcome, row.status, row.cost) == ("left", 499, 0)
    assert [each["ending"] for each in json.loads(row.attempts)] == ["refused"]
    assert ((await app.spend()).held, len(asked(app))) == (0, 1)


async def test_the_cost_in_the_header_is_that_of_all_attempts(start: Start) -> None:
    app = await start(**chain("fake-gpt-reset0", "fake-gpt", retries__attempts=0))
    answer = await app.chat(smart())
    assert parse_usd(answer.headers["seawall-cost-usd"]) == (await app.row()).cost
