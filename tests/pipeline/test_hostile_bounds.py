"""Attacks on what a call may cost: batches, marks for the cache, names of aliases, callers who leave."""

import asyncio

import pytest

from seawall.core.errors import UnpricedField
from seawall.proving.mock_answers import Behaviour
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import Start, all_dialects, marked
from tests.fixtures.mock_calls import o200k, until
from tests.fixtures.raw_http import peer_of

WORDS = "The seven seas are calm today. " * 20


async def test_the_window_bounds_each_text_of_a_batch_and_not_all_of_them(start: Start) -> None:
    async with MockProvider(count=o200k()) as mock:
        settings = all_dialects(mock.base_url) | {"prices__fake-resp__context_tokens": 100}
        app = await start(mock=mock, **settings)
        body = {"model": "fake-resp", "input": [WORDS] * 50}
        headers = {"authorization": f"Bearer {app.key}"}
        answer = await app.http.post("/v1/embeddings", json=body, headers=headers)
        assert answer.status_code == 200
        row, seen = await app.row(), await app.seen()
        assert seen.input_tokens > 100
        assert (row.cost, row.overage) == (seen.cost, 0)


async def test_a_cache_write_kept_for_an_hour_is_refused_where_its_bill_cannot_be_read(start: Start) -> None:
    app = await start()
    for place in ("part", "tool", "body"):
        mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
        body = marked("one")
        if place == "part":
            body["messages"] = [{"role": "user", "content": [{"type": "text", "text": "Hello", **mark}]}]
        elif place == "tool":
            body["tools"] = [{"type": "function", "function": {"name": "look"}, **mark}]
        else:
            body |= mark
        answer = await app.chat(body)
        assert answer.status_code == 400, answer.text
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, UnpricedField.code)
    assert not app.mock.requests


@pytest.mark.parametrize("tool", [{"google_search": {}}, {"type": None}, "web_search", {}])
async def test_a_tool_that_is_no_function_is_refused_without_a_type_as_well(
    start: Start, tool: object
) -> None:
    app = await start()
    answer = await app.chat(marked("one", tools=[tool]))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, UnpricedField.code)
    assert not app.mock.requests


async def test_a_caller_who_leaves_between_two_attempts_gets_no_second_one(start: Start) -> None:
    """Draining reads what was sent to its end; it sends nothing anew."""
    busy = Behaviour(status=503, retry_after_s=60)
    app = await start(
        mock=MockProvider(count=o200k(), script=lambda seen: busy if seen.method == "POST" else None),
        retries__attempts=2,
        retries__wait_s_max=60,
        spending__on_disconnect="drain",
    )
    async with peer_of(app.port) as peer:
        peer.ask(marked("one"), app.key)
        await until(lambda: bool(app.mock.requests))
        while (await app.spend_now()).held:
            await asyncio.sleep(0)
    row = await app.row()
    assert row.outcome in ("left", "failed")
    assert len(app.mock.requests) == 1
