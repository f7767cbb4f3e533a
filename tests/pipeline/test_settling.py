"""What a call costs is what the provider bills for it, and never less where the bill is not known."""

import json
from typing import Any

import pytest

from seawall.core.money import Usage
from seawall.proving.mock_answers import Terms
from tests.fixtures.gateways import PROVIDER_KEY, RunningApp, marked
from tests.fixtures.mock_calls import chunks_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

TERMS = Terms()


def frames_of(text: str) -> list[Any]:
    """Return what the data lines of a stream hold, in order."""
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


async def assert_settled_exactly(app: RunningApp, marker: str) -> None:
    row, seen = await app.row(marker), await app.seen(marker)
    thinking = seen.behaviour.thinking_tokens
    assert row.usage == Usage(input=seen.input_tokens, output=seen.output_tokens, reasoning=thinking)
    assert (row.cost, row.overage, row.outcome, row.status) == (seen.cost, 0, "ok", 200)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("mocked", "fields"),
    [
        ("s1", {}),
        ("s200", {"max_tokens": 50}),
        ("full", {"max_completion_tokens": 60, "n": 3}),
        ("think30-s40", {"max_tokens": 100}),
        ("full", {"max_tokens": 9, "max_completion_tokens": 7}),
        ("s5-close", {}),
    ],
)
async def test_an_answer_settles_by_its_usage(
    app: RunningApp, marker: str, stream: bool, mocked: str, fields: dict[str, Any]
) -> None:
    answer = await app.chat(marked(marker, mocked, stream=stream, **fields))
    assert answer.status_code == 200
    await assert_settled_exactly(app, marker)


@pytest.mark.parametrize("mocked", ["lateusage", "odd", "split", "odd-split", "w7"])
async def test_a_stream_of_any_shape_settles_by_its_usage(app: RunningApp, marker: str, mocked: str) -> None:
    answer = await app.chat(marked(marker, mocked, stream=True))
    assert answer.text.endswith("data: [DONE]\n\n")
    await assert_settled_exactly(app, marker)


async def test_usage_is_shown_only_to_who_asks(app: RunningApp, marker: str) -> None:
    quiet = await app.chat(marked(marker, stream=True))
    assert not any(chunk.get("usage") or not chunk["choices"] for chunk in chunks_of(quiet.text))
    asked = await app.chat(marked("asked", stream=True, stream_options={"include_usage": True}))
    assert chunks_of(asked.text)[-1]["usage"]["completion_tokens"] == 64
    seen = await app.seen(marker)
    assert seen.body["stream_options"] == {"include_usage": True}


async def test_the_cost_of_a_whole_answer_stands_in_its_header(app: RunningApp, marker: str) -> None:
    answer = await app.chat(marked(marker, "s5", max_tokens=20))
    row = await app.row(marker)
    assert answer.headers["seawall-cost-usd"] == f"0.{row.cost:09d}".rstrip("0")
    assert answer.headers["x-request-id"] == row.id


@pytest.mark.parametrize("fields", [{"max_tokens": 100}, {"max_tokens": 40, "n": 2}, {}])
@pytest.mark.parametrize("mocked", ["nousage-s70", "nousage-full", "nousage-s70-w5", "nousage-s5-odd"])
async def test_without_usage_the_meter_is_never_below_the_bill(
    app: RunningApp, marker: str, mocked: str, fields: dict[str, Any]
) -> None:
    answer = await app.chat(marked(marker, mocked, stream=True, **fields))
    assert answer.text.endswith("data: [DONE]\n\n")
    row, seen = await app.row(marker), await app.seen(marker)
    assert row.usage is not None and not row.usage.exact
    assert seen.cost <= row.cost


async def test_without_usage_a_call_within_its_cap_costs_no_more_than_its_hold(
    app: RunningApp, marker: str
) -> None:
    await app.chat(marked(marker, "nousage-full", stream=True, max_tokens=100))
    row = await app.row(marker)
    assert row.cost <= row.held
    assert row.overage == 0


async def test_without_usage_a_reasoning_model_costs_the_hold(app: RunningApp, marker: str) -> None:
    await app.chat(marked(marker, "nousage-think90-s5", model="fake-thinker", stream=True, max_tokens=100))
    row, seen = await app.row(marker), await app.seen(marker)
    assert seen.output_tokens == 95
    assert row.held >= row.cost >= TERMS.cost_of(seen.input_tokens, 100)


@pytest.mark.parametrize("mocked", ["over-g1", "over-g1-w4", "over-g1-nousage"])
async def test_a_stream_past_its_cap_is_cut(app: RunningApp, marker: str, mocked: str) -> None:
    answer = await app.chat(marked(marker, mocked, stream=True, max_tokens=20))
    assert answer.status_code == 200
    *_, finish, done = frames_of(answer.text)
    assert done == "[DONE]"
    assert finish["choices"] == [{"index": 0, "delta": {}, "finish_reason": "length"}]
    row, seen = await app.row(marker), await app.seen(marker)
    assert seen.peer_left_at is not None
    assert not seen.is_complete
    assert seen.output_tokens < 200
    assert row.outcome == "ok"
    assert row.cost >= seen.cost
    assert row.overage == row.cost - row.held > 0


async def test_every_choice_of_a_cut_stream_is_finished(app: RunningApp, marker: str) -> None:
    answer = await app.chat(marked(marker, "over-g1", stream=True, max_tokens=20, n=3))
    finished = [
        choice["index"]
        for chunk in chunks_of(answer.text)
        for choice in chunk["choices"]
        if choice["finish_reason"] == "length"
    ]
    assert sorted(finished) == [0, 1, 2]


async def test_a_whole_answer_past_its_cap_is_booked_as_overage(app: RunningApp, marker: str) -> None:
    await app.chat(marked(marker, "over", max_tokens=100))
    row, seen = await app.row(marker), await app.seen(marker)
    assert seen.output_tokens == 400
    assert (row.cost, row.overage) == (seen.cost, seen.cost - row.held)
    assert row.overage > 0


@pytest.mark.parametrize("stream", [False, True])
async def test_the_provider_hears_the_cap_that_was_held(app: RunningApp, marker: str, stream: bool) -> None:
    await app.chat(marked(marker, "s5", max_tokens=100, n=2, stream=stream))
    row, seen = await app.row(marker), await app.seen(marker)
    assert seen.body["max_tokens"] == 100
    assert row.held >= TERMS.cost_of(seen.input_tokens, 200)
    assert "enough is left for 100 output tokens" in row.decisions.decode()


async def test_nothing_else_of_the_request_is_changed(app: RunningApp, marker: str) -> None:
    body = marked(marker, "s5", max_tokens=10, temperature=0.5, x_unknown={"deep": [1, None, "ü"]})
    await app.chat(body)
    assert (await app.seen(marker)).body == body


async def test_the_callers_own_key_never_reaches_the_provider(app: RunningApp, marker: str) -> None:
    spy = {"x-spy": "1", "cookie": "a=b", "x-forwarded-for": "10.0.0.1", "openai-organization": "org-1"}
    await app.chat(marked(marker, "s5"), headers=spy)
    seen = await app.seen(marker)
    assert set(seen.headers) == {"host", "content-type", "accept-encoding", "authorization", "content-length"}
    assert seen.headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert app.key.encode() not in seen.raw
