"""The money is held on disk before the provider hears of a call, and with it goes the cap that was held."""

import asyncio
import json
from typing import Any

import pytest

from seawall.proving.mock_behaviour import Behaviour
from seawall.proving.mock_connection import Seen
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import RunningApp, Start, marked
from tests.fixtures.mock_calls import o200k

LONG_TEXT = [{"role": "user", "content": "Which of the seven seas is the calmest? " * 400}]

HOLDS = "SELECT row, amount FROM holds"


class Witness:
    """Looks into the gateway's database, from a connection of its own, at the moment when a request arrives."""

    def __init__(self) -> None:
        self.app: RunningApp | None = None
        self.accounts: list[dict[str, int]] = []
        self.holds: list[dict[str, int]] = []

    def __call__(self, seen: Seen) -> Behaviour | None:
        if seen.method == "POST" and self.app is not None:
            held = [(json.loads(row)["end_user"], amount) for row, amount in self.app.look(HOLDS)]
            self.holds.append({user: amount for user, amount in held if user == seen.body["user"]})
            sums = self.app.look("SELECT scope, period, held FROM accounts")
            self.accounts.append({f"{scope} {period}": held for scope, period, held in sums})
        return None


@pytest.mark.parametrize("stream", [False, True])
async def test_the_hold_is_on_disk_before_the_provider_hears(start: Start, stream: bool) -> None:
    witness = Witness()
    app = witness.app = await start(mock=MockProvider(count=o200k(), script=witness))
    await app.chat(marked("one", max_tokens=500, stream=stream))
    row = await app.row()
    scopes, periods = ("global", f"key:{row.key_id}"), ("2026-11-21", "2026-11", "life")
    assert witness.holds == [{"one": row.held}]
    assert witness.accounts == [{f"{scope} {period}": row.held for scope in scopes for period in periods}]
    assert row.held > 500 * 30_000
    assert (await app.spend()).held == 0


async def test_every_one_of_many_holds_is_on_disk_before_its_request(start: Start) -> None:
    witness = Witness()
    app = witness.app = await start(mock=MockProvider(count=o200k(), script=witness))
    await asyncio.gather(*(app.chat(marked(f"call-{number}", "d20")) for number in range(50)))
    rows = await app.rows()
    assert sorted(list(hold.items()) for hold in witness.holds) == sorted(
        [(row.end_user, row.held)] for row in rows
    )


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"max_tokens": 100}, {"max_tokens": 100}),
        ({"max_completion_tokens": 100}, {"max_completion_tokens": 100, "max_tokens": 100}),
        ({"max_tokens": 100, "max_completion_tokens": 70}, {"max_tokens": 70, "max_completion_tokens": 70}),
        ({"max_tokens": 9_000}, {"max_tokens": 4_096}),
        ({"max_tokens": None}, {"max_tokens": 4_096}),
        ({}, {"max_tokens": 4_096}),
    ],
)
async def test_the_cap_that_is_sent(start: Start, fields: dict[str, Any], sent: dict[str, int]) -> None:
    app = await start()
    await app.chat(marked("one", "s5", **fields))
    body = (await app.seen()).body
    assert {name: body[name] for name in ("max_tokens", "max_completion_tokens") if name in body} == sent


async def test_the_operator_chooses_the_field_of_the_cap(start: Start) -> None:
    app = await start(providers__mock__max_tokens_field="max_completion_tokens")
    await app.chat(marked("one", "s5"))
    body = (await app.seen()).body
    assert body["max_completion_tokens"] == 4_096
    assert "max_tokens" not in body


@pytest.mark.parametrize("stream", [False, True])
async def test_a_lowered_cap_is_told_by_a_header(start: Start, stream: bool) -> None:
    app = await start(budget__daily_usd="0.05")
    answer = await app.chat(marked("one", "full", max_tokens=4_000, stream=stream))
    seen = await app.seen()
    cap = seen.body["max_tokens"]
    assert 1_000 < cap < 50_000_000 // 30_000
    assert answer.headers["seawall-output-cap"] == f"{cap}; asked=4000"
    assert (await app.spend()).lifetime == seen.cost <= 50_000_000


async def test_a_cap_that_is_not_lowered_is_not_told(start: Start) -> None:
    app = await start()
    answer = await app.chat(marked("one", "s5", max_tokens=4_000))
    assert "seawall-output-cap" not in answer.headers


@pytest.mark.parametrize(
    ("budget", "choices", "cap"),
    [("2.40", 1, 4_096), ("0.72", 1, 3_000), ("0.72", 4, 750), ("0.10", 1, 512)],
)
async def test_an_undeclared_cap_takes_an_eighth_of_what_is_left(
    start: Start, budget: str, choices: int, cap: int
) -> None:
    app = await start(budget__daily_usd=budget)
    answer = await app.chat(marked("one", "s5", n=choices))
    assert (await app.seen()).body["max_tokens"] == cap
    assert "seawall-output-cap" not in answer.headers


async def test_an_undeclared_cap_has_a_ceiling_of_its_own(start: Start) -> None:
    app = await start(spending__undeclared_output_tokens=700)
    await app.chat(marked("one", "s5"))
    assert (await app.seen()).body["max_tokens"] == 700


async def test_a_long_text_is_counted_where_its_bytes_are_too_dear(start: Start) -> None:
    """16,000 bytes hold at most 40 cents; in tokens it is a fourth of that, and doubled for a stranger's model."""
    app = await start(budget__daily_usd="0.12")
    answer = await app.chat(marked("one", "s5", max_tokens=20, messages=LONG_TEXT))
    assert answer.status_code == 200
    row, seen = await app.row(), await app.seen()
    assert seen.cost <= row.held <= 120_000_000 < len(json.dumps(LONG_TEXT)) * 10_000


async def test_a_call_that_cannot_be_sent_holds_nothing(start: Start, closed_port: int) -> None:
    app = await start(providers__mock__base_url=f"http://127.0.0.1:{closed_port}/v1")
    answer = await app.chat(marked("one"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unavailable")
    assert (await app.row()).cost == 0
    spend = await app.spend()
    assert (spend.lifetime, spend.held) == (0, 0)
