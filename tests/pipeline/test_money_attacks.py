"""Requests that would cost more than they look like: hidden prompts, cache writes, thinking, tokens, growth.

Whatever a client sends in whichever dialect, what is held covers all that the vendor may bill for it.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from seawall.core.ledger import CallRow
from seawall.proving.mock_connection import Seen
from tests.fixtures.mock_calls import until
from tests.fixtures.pairs import CLIENTS, OUTPUT_RATE, PAIRS, Hall, body_of, hall_in
from tests.fixtures.raw_http import peer_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

Pair = tuple[str, str]
CAP = 50
HOUR = {"type": "ephemeral", "ttl": "1h"}
MINUTES = {"type": "ephemeral"}
COUNT_PATH = "/v1/messages/count_tokens"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    """Run one for all of these calls."""
    async with hall_in(tmp_path_factory.mktemp("attacks")) as made:
        yield made


def assert_was_held_for(row: CallRow, seen: Seen, input_rate: int = 10_000) -> None:
    """Check that the hold covers the input as billed and all the output that the vendor was told."""
    told = [seen.body.get(name) for name in ("max_tokens", "max_completion_tokens", "max_output_tokens")]
    cap = max(tokens for tokens in told if tokens is not None) * (seen.body.get("n") or 1)
    assert row.held >= seen.input_tokens * input_rate + cap * OUTPUT_RATE
    assert seen.cost <= row.cost <= row.held
    assert row.overage == 0


def tools_of(client: str, count: int, words: str = "") -> list[dict[str, Any]]:
    """Return definitions of tools in a client's dialect."""
    schema = {"type": "object", "properties": {"x": {"type": "string", "description": words}}}
    if client == "messages":
        return [
            {"name": f"tool_{each}", "description": words, "input_schema": schema} for each in range(count)
        ]
    described = [
        {"name": f"tool_{each}", "description": words, "parameters": schema} for each in range(count)
    ]
    if client == "chat":
        return [{"type": "function", "function": each} for each in described]
    return [{"type": "function", **each} for each in described]


@pytest.mark.parametrize("mocked", ["s5", "full", "reset0"])
@pytest.mark.parametrize(("count", "words"), [(1, ""), (20, "where it lies, "), (3, "深い海 " * 50)])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_tools_and_their_hidden_prompt_are_held_for(
    hall: Hall, marker: str, pair: Pair, count: int, words: str, mocked: str
) -> None:
    await hall.call(pair, f"m-{marker}", mocked, cap=CAP, tools=tools_of(pair[0], count, words))
    row, seen = await hall.row(f"m-{marker}"), await hall.seen(f"m-{marker}")
    if pair[1] == "fake-claude":
        assert seen.input_tokens > 346
    assert_was_held_for(row, seen)


def long_conversation(client: str, marker: str) -> list[dict[str, Any]]:
    """Return many messages of one letter, which grow most where each needs a frame of its own."""
    roles = ("user", "assistant")
    said = [{"role": roles[number % 2], "content": "a"} for number in range(300)]
    return [*said, {"role": "user", "content": f"[{marker}]"}]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_request_that_grows_in_translation_is_held_for_as_it_is_sent(
    hall: Hall, marker: str, pair: Pair, stream: bool
) -> None:
    said = long_conversation(pair[0], f"m-{marker}")
    fields = {"input" if pair[0] == "responses" else "messages": said, "stream": stream}
    await hall.call(pair, f"m-{marker}", "reset0", cap=CAP, **fields)
    row, seen = await hall.row(f"m-{marker}"), await hall.seen(f"m-{marker}")
    assert len(seen.raw) > 300 * 20
    assert row.usage is not None and row.usage.input >= seen.input_tokens
    assert_was_held_for(row, seen)


@pytest.mark.parametrize("said", ['\x00\x1f\\"/' * 200, "𓂀𓃠" * 100, "7" * 900, " " * 900, "=" * 900])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_texts_that_count_for_more_than_they_look_are_held_for(
    hall: Hall, marker: str, pair: Pair, said: str
) -> None:
    text = [{"role": "user", "content": f"[m-{marker}] {said}"}]
    fields = {"input" if pair[0] == "responses" else "messages": text}
    await hall.call(pair, f"m-{marker}", "reset0", cap=CAP, **fields)
    row, seen = await hall.row(f"m-{marker}"), await hall.seen(f"m-{marker}")
    assert row.usage is not None and row.usage.input >= seen.input_tokens
    assert_was_held_for(row, seen)


CACHES: dict[str, dict[str, Any]] = {
    "the request": {"cache_control": HOUR},
    "the system prompt": {"system": [{"type": "text", "text": "Be brief.", "cache_control": HOUR}]},
    "a tool": {"tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": HOUR}]},
}


@pytest.mark.parametrize("mocked", ["hour100000-s5", "write100000-s5", "cache9-write5-hour100000-full"])
@pytest.mark.parametrize("where", [*CACHES, "a message", "a result"])
async def test_cache_writes_for_an_hour_are_held_for_and_billed(
    hall: Hall, marker: str, where: str, mocked: str
) -> None:
    fields = CACHES.get(where) or {"messages": _cached(where, f"m-{marker}")}
    await hall.call(("messages", "fake-claude"), f"m-{marker}", mocked, cap=CAP, **fields)
    row, seen = await hall.row(f"m-{marker}"), await hall.seen(f"m-{marker}")
    assert seen.written_1h_tokens + seen.written_5m_tokens > 10
    assert row.usage is not None
    assert (row.usage.cached_write, row.usage.cached_write_1h) == (
        seen.written_1h_tokens + seen.written_5m_tokens,
        seen.written_1h_tokens,
    )
    # A cached read has no price here, so that it costs what input does; the mock takes a tenth of that.
    assert row.cost == seen.cost + seen.cached_tokens * 9_000
    assert_was_held_for(row, seen, 20_000)


@pytest.mark.parametrize("mocked", ["hour100000-s5", "hour100000-reset3"])
async def test_a_cache_write_that_was_translated_is_held_for(hall: Hall, marker: str, mocked: str) -> None:
    text = {"type": "text", "text": f"[m-{marker}] Which of the seven seas is calm?", "cache_control": HOUR}
    said = [{"role": "user", "content": [text]}]
    await hall.call(("chat", "fake-claude"), f"m-{marker}", mocked, cap=CAP, messages=said, stream=True)
    row, seen = await hall.row(f"m-{marker}"), await hall.seen(f"m-{marker}")
    assert seen.written_1h_tokens > 10
    assert_was_held_for(row, seen, 20_000)


def _cached(where: str, marker: str) -> list[dict[str, Any]]:
    """Return messages of which one part asks for a cache write that is kept for an hour."""
    text = {"type": "text", "text": f"[{marker}] Which of the seven seas is calm?"}
    if where == "a message":
        return [{"role": "user", "content": [{**text, "cache_control": HOUR}]}]
    use = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    held = [{"type": "text", "text": "calm", "cache_control": HOUR}]
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": held}
    return [
        {"role": "user", "content": "Go."},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [result, text]},
    ]


@pytest.mark.parametrize(
    ("cache_control", "input_rate"), [(HOUR, 20_000), (MINUTES, 12_500), (None, 12_500)], ids=str
)
@pytest.mark.parametrize("mocked", ["reset0", "reset5", "nousage-empty"])
async def test_what_is_not_known_is_charged_at_the_rates_it_was_held_for(
    hall: Hall, marker: str, cache_control: Any, input_rate: int, mocked: str
) -> None:
    fields = {"cache_control": cache_control} if cache_control else {}
    await hall.call(("messages", "fake-claude"), f"m-{marker}", mocked, cap=CAP, stream=True, **fields)
    row = await hall.row(f"m-{marker}")
    assert row.usage is not None and not row.usage.exact
    assert row.cost == row.usage.input * input_rate + CAP * OUTPUT_RATE
    assert row.cost <= row.held


@pytest.mark.parametrize("mocked", ["think30-full", "think900-s9", "think40-s9-nousage", "think40-reset3"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_hidden_thinking_is_within_the_cap_that_is_held(
    hall: Hall, marker: str, pair: Pair, stream: bool, mocked: str
) -> None:
    await hall.call(pair, f"m-{marker}", mocked, cap=CAP, stream=stream)
    row, seen = await hall.row(f"m-{marker}"), await hall.seen(f"m-{marker}")
    if mocked != "think40-s9-nousage" or not stream:
        assert seen.cost <= row.cost
    assert row.cost <= row.held and row.overage == 0


@pytest.mark.parametrize("client", CLIENTS)
async def test_fewer_tokens_than_a_vendor_takes_are_refused_by_name(
    hall: Hall, marker: str, client: str
) -> None:
    said = await hall.call((client, "fake-resp"), f"m-{marker}", "s40", cap=15)
    error = said.json()["error"]
    row = await hall.row(f"m-{marker}")
    assert (said.status_code, row.cost, row.overage) == (400, 0, 0)
    if client == "responses":
        assert error["code"] == "integer_below_min_value"
        return
    assert (error["code"], error["param"], row.held) == ("untranslatable", "max_tokens", 0)
    assert hall.sent(f"m-{marker}") == []
    assert (await hall.call((client, "fake-resp"), f"m-{marker}0", "full", cap=16)).status_code == 200


@pytest.mark.parametrize("mocked", ["s1", "reset0", "eof", "badjson", "e500", "e520", "hugehead600000"])
@pytest.mark.parametrize("model", ["fake-gpt", "fake-claude", "fake-resp"])
async def test_counting_tokens_costs_nothing_whatever_happens(
    hall: Hall, marker: str, model: str, mocked: str
) -> None:
    hall.behave(f"m-{marker}", mocked)
    body = body_of("messages", model, f"m-{marker}", cap=None)
    shown = {"authorization": f"Bearer {hall.app.key}", "seawall-user": f"m-{marker}"}
    said = await hall.app.http.post(COUNT_PATH, json=body, headers=shown)
    is_asked = model == "fake-claude"
    assert said.status_code == (200 if mocked == "s1" or not is_asked else 502)
    row = await hall.row(f"m-{marker}")
    assert (row.cost, row.held, row.overage) == (0, 0, 0)
    assert row.usage is None or row.usage.output == 0


async def test_leaving_while_tokens_are_counted_costs_nothing(hall: Hall, marker: str) -> None:
    hall.behave(f"m-{marker}", "hole")
    body = body_of("messages", "fake-claude", f"m-{marker}", cap=None)
    async with peer_of(hall.app.port) as peer:
        peer.ask(body, hall.app.key, path=COUNT_PATH, headers=f"seawall-user: m-{marker}\r\n")
        await until(lambda: bool(hall.sent(f"m-{marker}")))
    row = await hall.row(f"m-{marker}")
    assert (row.outcome, row.cost, row.held) == ("left", 0, 0)


@pytest.mark.parametrize("mocked", ["s1", "reset0", "eof", "badjson", "short", "e502"])
@pytest.mark.parametrize(
    "given",
    ["Which sea?", ["one", "two"], [1, 2, 3] * 300, [[7] * 500, [8]], "深" * 500],
    ids=["text", "texts", "tokens", "lists of tokens", "Han"],
)
async def test_embeddings_of_texts_and_tokens_are_held_for(
    hall: Hall, marker: str, given: Any, mocked: str
) -> None:
    body = {"model": "fake-resp", "input": given, "user": f"m-{marker}", "x_mock": mocked}
    shown = {"authorization": f"Bearer {hall.app.key}"}
    await hall.app.http.post("/v1/embeddings", json=body, headers=shown)
    row = await hall.row(f"m-{marker}")
    [seen] = [one for one in hall.app.mock.requests if one.body.get("user") == f"m-{marker}"]
    assert seen.input_tokens > 0
    assert seen.cost <= row.cost <= row.held
    assert row.overage == 0
    if mocked == "s1":
        assert row.cost == seen.cost


@pytest.mark.parametrize("mocked", ["s5", "reset0"])
@pytest.mark.parametrize("model", ["fake-gpt", "fake-claude", "fake-resp"])
async def test_what_was_said_before_is_held_for_again(
    hall: Hall, marker: str, model: str, mocked: str
) -> None:
    pair, name = ("responses", model), f"m-{marker}"
    said = f"[{name}] " + "The sea is calm. " * 40
    first = await hall.call(pair, name, "full", cap=200, input=said)
    await hall.call(pair, name, mocked, cap=CAP, input="On?", previous_response_id=first.json()["id"])
    row = [row for row in await hall.app.rows() if row.end_user == name][-1]
    await until(lambda: hall.app.mock.open_calls == 0)
    seen = hall.sent(name)[-1]
    assert len(hall.sent(name)) == 2
    assert seen.input_tokens > 200 + 160
    assert_was_held_for(row, seen)
