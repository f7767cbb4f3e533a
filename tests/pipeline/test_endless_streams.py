"""Streams without an end, without a word, without a bill and without a listener, for each pair of dialects.

A stream that runs past its cap is cut, with the ending that its client's dialect has for a length that was
reached; whatever a vendor leaves out of its bill is booked so that the ledger is never below it.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.fixtures.mock_calls import until
from tests.fixtures.pairs import (
    CLIENTS,
    DEAREST_INPUT,
    OUTPUT_RATE,
    PAIRS,
    Hall,
    body_of,
    frames_of,
    hall_in,
    is_an_end,
    what_the_sdk_does,
)
from tests.fixtures.raw_http import peer_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAP = 20
CUT_AT = 89  # 1.25 x 20 + 64
ON_THE_WAY = 60
"""Tokens that a vendor may generate between the cut and the moment at which it sees it."""

Pair = tuple[str, str]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    """Run one for all pairs."""
    async with hall_in(tmp_path_factory.mktemp("endless")) as made:
        yield made


def endings_of(client: str, text: str) -> list[Any]:
    """Return what a stream says about its end, without what is different in each."""
    ends = [frame for _, frame in frames_of(text) if is_an_end(client, frame)]
    if client == "chat":
        return [each if each == "[DONE]" else each["choices"] for each in ends]
    if client == "messages":
        return [each.get("delta", each["type"]) for each in ends]
    return [each if each == "[DONE]" else _end_of(each["response"]) for each in ends]


def _end_of(response: Any) -> tuple[str, Any]:
    return response["status"], response["incomplete_details"]


CUT_ENDINGS: dict[str, list[Any]] = {
    "chat": [[{"index": 0, "delta": {}, "finish_reason": "length"}], "[DONE]"],
    "messages": [{"stop_reason": "max_tokens", "stop_sequence": None}, "message_stop"],
    "responses": [("incomplete", {"reason": "max_output_tokens"}), "[DONE]"],
}


@pytest.mark.parametrize("mocked", ["over-g3", "over-g9-w4", "over-g3-nousage", "over-g3-reason"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_an_endless_stream_is_cut_with_the_ending_of_its_dialect(
    hall: Hall, marker: str, pair: Pair, mocked: str
) -> None:
    answer = await hall.call(pair, f"m-{marker}", mocked, cap=CAP, stream=True)
    assert answer.status_code == 200
    ends = endings_of(pair[0], answer.text)
    assert [_without_nulls(end) for end in ends] == [_without_nulls(end) for end in CUT_ENDINGS[pair[0]]]
    if mocked != "over-g3-nousage":  # Anthropic's library cannot read a message without usage.
        assert what_the_sdk_does(pair[0], answer, stream=True) in ("", NO_COMPLETION)
    row, seen = await hall.row(f"m-{marker}"), await hall.seen(f"m-{marker}")
    assert seen.peer_left_at is not None and not seen.is_complete
    assert CUT_AT - 4 <= seen.output_tokens <= CUT_AT + ON_THE_WAY
    assert (row.outcome, row.status, row.code) == ("ok", 200, None)
    assert row.usage is not None and not row.usage.exact
    assert row.cost >= seen.cost
    assert row.overage == max(0, row.cost - row.held)


NO_COMPLETION = "Didn't receive a `response.completed` event."
"""The helper of OpenAI's library asks for this event, whatever vendor sends `response.incomplete`."""


def _without_nulls(end: Any) -> Any:
    """Leave out what a writer may say or leave out."""
    if isinstance(end, list):
        return [{name: value for name, value in each.items() if value is not None} for each in end]
    return end


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_whole_answer_past_its_cap_is_paid_as_billed(hall: Hall, marker: str, pair: Pair) -> None:
    answer = await hall.call(pair, f"m-{marker}", "over", cap=100)
    assert answer.status_code == 200
    row, seen = await hall.row(f"m-{marker}"), await hall.seen(f"m-{marker}")
    assert seen.output_tokens == 400
    assert (row.cost, row.overage) == (seen.cost, seen.cost - row.held)
    assert row.overage > 0


@pytest.mark.parametrize(
    "mocked",
    ["s1", "s9", "full", "lateusage", "odd", "split", "w7", "empty", "think9-s20", "reason", "cache9-s5"],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_complete_answer_costs_exactly_what_is_billed(
    hall: Hall, marker: str, pair: Pair, stream: bool, mocked: str
) -> None:
    fields = {"stream": True} if stream else {}
    answer = await hall.call(pair, f"m-{marker}", mocked, cap=100, **fields)
    assert answer.status_code == 200
    assert what_the_sdk_does(pair[0], answer, stream=stream) in ("", NO_COMPLETION)
    row, seen = await hall.row(f"m-{marker}"), await hall.seen(f"m-{marker}")
    assert row.usage is not None and row.usage.exact
    assert (row.usage.input, row.usage.output) == (seen.input_tokens, seen.output_tokens)
    assert (row.usage.cached_read, row.usage.reasoning) == (seen.cached_tokens, seen.thinking_tokens)
    at_plain_price = seen.input_tokens * 10_000 + seen.output_tokens * OUTPUT_RATE
    assert (row.cost, row.overage, row.outcome) == (at_plain_price, 0, "ok")


@pytest.mark.parametrize("mocked", ["nousage-s1", "nousage-s30", "nousage-full", "nousage-full-w5"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_without_usage_the_cost_is_between_the_bill_and_the_hold(
    hall: Hall, marker: str, pair: Pair, mocked: str
) -> None:
    answer = await hall.call(pair, f"m-{marker}", mocked, cap=100, stream=True)
    assert answer.status_code == 200
    assert endings_of(pair[0], answer.text)
    row, seen = await hall.row(f"m-{marker}"), await hall.seen(f"m-{marker}")
    assert row.usage is not None and not row.usage.exact
    assert seen.cost <= row.cost <= row.held
    assert (row.outcome, row.overage) == ("ok", 0)


@pytest.mark.parametrize("mocked", ["nousage-empty", "nousage-empty-think90"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_an_empty_answer_without_usage_costs_the_hold(
    hall: Hall, marker: str, pair: Pair, mocked: str
) -> None:
    await hall.call(pair, f"m-{marker}", mocked, cap=100, stream=True)
    row, seen = await hall.row(f"m-{marker}"), await hall.seen(f"m-{marker}")
    assert row.usage is not None and not row.usage.exact
    assert row.cost == row.usage.input * DEAREST_INPUT[pair[1]] + 100 * OUTPUT_RATE
    assert seen.cost <= row.cost <= row.held


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_client_that_leaves_before_the_first_event_pays_the_hold(
    hall: Hall, marker: str, pair: Pair, stream: bool
) -> None:
    await leave_after(hall, pair, f"m-{marker}", "hole", events=0, stream=stream)
    await assert_left(hall, pair, f"m-{marker}")


@pytest.mark.parametrize("mocked", ["full-g1", "full-g1-notice50", "stall30", "full-g1-w4", "full-g1-reason"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_client_that_leaves_in_the_middle_closes_the_vendors_connection(
    hall: Hall, marker: str, pair: Pair, mocked: str
) -> None:
    await leave_after(hall, pair, f"m-{marker}", mocked, events=20, stream=True)
    await assert_left(hall, pair, f"m-{marker}")


async def leave_after(hall: Hall, pair: Pair, marker: str, mocked: str, *, events: int, stream: bool) -> None:
    """Make a call, and leave once the vendor has generated so many events."""
    hall.behave(marker, mocked)
    body = body_of(*pair, marker, cap=3_000, stream=stream)
    async with peer_of(hall.app.port) as peer:
        peer.ask(body, hall.app.key, path=CLIENTS[pair[0]], headers=f"seawall-user: {marker}\r\n")
        await until(lambda: bool(hall.sent(marker)))
        [seen] = hall.sent(marker)
        await until(lambda: seen.events >= events)


async def assert_left(hall: Hall, pair: Pair, marker: str) -> None:
    row, seen = await hall.row(marker), await hall.seen(marker)
    assert (row.outcome, row.status, row.code) == ("left", 499, "client_gone")
    assert seen.peer_left_at is not None and not seen.is_complete
    assert row.usage is not None and not row.usage.exact
    assert row.cost == row.usage.input * DEAREST_INPUT[pair[1]] + 3_000 * OUTPUT_RATE
    assert seen.cost <= row.cost <= row.held
    assert row.overage == 0
    assert hall.app.mock.overlaps == 0
