"""What no meter sees: hidden thinking that a client leaves behind, and rates that a request cannot reach."""

from pathlib import Path

import pytest

from tests.fixtures.gateways import Start, marked, price
from tests.fixtures.mock_calls import until
from tests.fixtures.odd_vendor import OddVendor, answer, whole
from tests.fixtures.pairs import CLIENTS, OUTPUT_RATE, PAIRS, body_of, hall_in
from tests.fixtures.raw_http import peer_of

CAP = 50


async def test_audio_makes_nothing_dearer_that_has_none(start: Start) -> None:
    stated = price("fake-gpt", audio_input_usd_per_mtok="100.00", audio_output_usd_per_mtok="200.00")
    settings = {name.replace(".", "__"): value for name, value in stated.items()}
    silent = {name: value for name, value in answer().items() if name != "usage"}
    async with OddVendor(whole(silent)) as vendor:
        app = await start(providers__mock__base_url=vendor.base_url, **settings)
        assert (await app.chat(marked("one", max_tokens=CAP))).status_code == 200
        row = await app.row()
    assert row.usage is not None
    assert row.cost == row.usage.input * 10_000 + row.usage.output * OUTPUT_RATE
    assert row.cost <= row.held


async def test_leaving_a_model_that_thinks_costs_the_hold_even_where_leaving_stops_it(start: Start) -> None:
    app = await start(providers__mock__stops_on_disconnect=True)
    body = marked("one", "think2000-full-g1", model="fake-thinker", stream=True, max_tokens=3_000)
    async with peer_of(app.port) as peer:
        peer.ask(body, app.key)
        await until(lambda: any(seen.events >= 5 for seen in app.mock.requests))
        await peer.until(b'"content":"[')
    row, seen = await app.row(), await app.seen()
    assert row.outcome == "left"
    assert seen.output_tokens > 2_000
    assert row.usage is not None and row.usage.output == 3_000
    assert seen.cost <= row.cost <= row.held


async def test_leaving_a_model_that_shows_all_costs_what_was_seen_where_leaving_stops_it(
    start: Start,
) -> None:
    app = await start(providers__mock__stops_on_disconnect=True)
    async with peer_of(app.port) as peer:
        peer.ask(marked("one", "full-g1", stream=True, max_tokens=3_000), app.key)
        await peer.until(b'"content":"[')
    row, seen = await app.row(), await app.seen()
    assert row.usage is not None and 64 < row.usage.output < 1_000
    assert seen.cost <= row.cost < row.held


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_draining_reads_to_the_end_for_the_exact_bill(tmp_path: Path, pair: tuple[str, str]) -> None:
    async with hall_in(tmp_path, spending__on_disconnect="drain") as hall:
        hall.behave("m-1", "s190-g1")
        async with peer_of(hall.app.port) as peer:
            body = body_of(*pair, "m-1", cap=200, stream=True)
            peer.ask(body, hall.app.key, path=CLIENTS[pair[0]], headers="seawall-user: m-1\r\n")
            await until(lambda: any(seen.events >= 10 for seen in hall.sent("m-1")))
        seen, row = await hall.seen("m-1"), await hall.row("m-1")
        assert seen.is_complete and seen.peer_left_at is None
        assert (row.outcome, row.status, row.cost, row.overage) == ("left", 499, seen.cost, 0)


THINKING = {"thinking": {"type": "enabled", "budget_tokens": 3_000}}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_lowered_cap_lowers_the_thinking_below_it(tmp_path: Path, stream: bool) -> None:
    async with hall_in(tmp_path, budget__daily_usd="0.08") as hall:
        fields = {"cap": 4_000, "stream": stream, **THINKING}
        answer = await hall.call(("messages", "fake-claude"), "m-1", "think3000-full", **fields)
        row, seen = await hall.row("m-1"), await hall.seen("m-1")
        cap = seen.body["max_tokens"]
        assert answer.status_code == 200
        assert answer.headers["seawall-output-cap"] == f"{cap}; asked=4000"
        assert 2_000 < cap < 3_000
        assert seen.body["thinking"] == {"type": "enabled", "budget_tokens": cap - 1}
        assert (seen.output_tokens, row.cost, row.overage) == (cap, seen.cost, 0)
        assert hall.app.mock.bill <= 80_000_000


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_cap_that_is_lowered_is_never_below_what_a_vendor_takes(tmp_path: Path, client: str) -> None:
    async with hall_in(tmp_path, budget__daily_usd="0.0025") as hall:
        answer = await hall.call((client, "fake-resp"), "m-1", "full", cap=4_000)
        row, seen = await hall.row("m-1"), await hall.seen("m-1")
        assert answer.status_code == 200
        assert 16 <= seen.body["max_output_tokens"] < 50
        assert row.cost == seen.cost <= row.held <= 2_500_000
