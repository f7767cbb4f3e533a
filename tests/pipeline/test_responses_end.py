"""A stream of the Responses API ends with `[DONE]`, as Open Responses asks, where it ended cleanly."""

import pytest

from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import DIALECT_MODELS, Start, all_dialects, price
from tests.fixtures.mock_calls import o200k

DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize("model", DIALECT_MODELS)
async def test_a_stream_ends_with_done_and_is_replayed_as_it_was_sent(start: Start, model: str) -> None:
    async with MockProvider(count=o200k()) as mock:
        app = await start(mock=mock, **all_dialects(mock.base_url))
        key = {"authorization": f"Bearer {app.key}"}
        body = {"model": model, "input": "Hello", "stream": True}
        sent = await app.http.post("/v1/responses", json=body, headers=key)
        row = await app.row()
        path = f"/v1/responses/resp_{row.id.removeprefix('call_')}"
        again = await app.http.get(path, params={"stream": "true"}, headers=key)
    assert sent.content.count(DONE) == 1
    assert sent.content.endswith(DONE)
    assert again.content == sent.content


async def test_a_broken_stream_does_not_end_with_done(start: Start) -> None:
    name = "fake-gpt-reset5"
    stated = {key.replace(".", "__"): value for key, value in price(name).items()}
    app = await start(providers__mock__models=[name], **stated)
    body = {"model": name, "input": "Hello", "stream": True}
    sent = await app.http.post("/v1/responses", json=body, headers={"authorization": f"Bearer {app.key}"})
    assert sent.status_code == 200
    assert b"response.failed" in sent.content
    assert DONE not in sent.content
