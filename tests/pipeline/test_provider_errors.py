"""What a caller hears when a provider fails, what it costs, and what must never get out."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from seawall.proving.mock_answers import LEAKS, Terms
from tests.fixtures.gateways import PROVIDER_KEY, RunningApp, marked, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAP = 50
FREE, HELD = "free", "held"

REFUSALS = [
    ("e400", 400, "invalid_value", None, FREE),
    ("e401", 502, "provider_credentials", None, FREE),
    ("e402", 502, "provider_credentials", None, FREE),
    ("e403", 502, "provider_credentials", None, FREE),
    ("e404", 404, "model_not_found", None, FREE),
    ("e408", 504, "upstream_timeout", None, HELD),
    ("e409", 409, "server_error", None, FREE),
    ("e413", 413, "server_error", None, FREE),
    ("e422", 422, "server_error", None, FREE),
    ("e429", 429, "rate_limit_exceeded", "7", FREE),
    ("e429-ra31", 429, "rate_limit_exceeded", "31", FREE),
    ("e500", 502, "server_error", None, FREE),
    ("e502", 502, "server_error", None, HELD),
    ("e503", 502, "server_error", "7", FREE),
    ("e504", 504, "upstream_timeout", None, HELD),
    ("e520", 502, "server_error", None, HELD),
    ("e529", 529, "server_error", None, FREE),
    ("e429-close", 429, "rate_limit_exceeded", "7", FREE),
    ("redirect", 502, "upstream_unavailable", None, HELD),
    ("badhttp", 502, "upstream_unavailable", None, HELD),
    ("hugehead600000", 502, "upstream_unavailable", None, HELD),
]
BROKEN_ANSWERS = [
    ("badjson", 502, "upstream_unavailable"),
    ("short", 502, "upstream_unavailable"),
    ("reset", 502, "upstream_unavailable"),
    ("reset0", 502, "upstream_unavailable"),
    ("eof", 502, "upstream_unavailable"),
    ("eof0", 502, "upstream_unavailable"),
]
SILENCES = ["hole", "d60000", "stall0"]
BROKEN_STREAMS = ["reset5", "eof5", "end5", "error5", "badjson", "reset5-greedy", "end5-greedy", "eof5-split"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def impatient_app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningApp]:
    """Run one that waits a fifth of a second for a provider."""
    folder = tmp_path_factory.mktemp("impatient")
    async with running(folder, timeouts__first_byte_s=0.2, timeouts__between_events_s=0.2) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def app_with_patience_for_one_byte(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[RunningApp]:
    """Run one that waits long for an answer to begin, and a fifth of a second for it to go on."""
    async with running(tmp_path_factory.mktemp("patient"), timeouts__between_events_s=0.2) as started:
        yield started


async def assert_cost(app: RunningApp, marker: str, rule: str) -> None:
    seen, row = await app.seen(marker), await app.row(marker)
    assert row.overage == 0
    if rule == FREE:
        assert (row.cost, seen.cost) == (0, 0)
        return
    assert seen.cost <= row.cost
    assert Terms().cost_of(seen.input_tokens, CAP) <= row.cost <= row.held
    assert row.usage is not None
    assert not row.usage.exact


def assert_nothing_leaks(answer: httpx.Response, app: RunningApp) -> None:
    head = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
    said = head + answer.text
    port = str(app.mock.port)
    secrets = [*LEAKS, PROVIDER_KEY, PROVIDER_KEY[:12], "127.0.0.1", f":{port}", "req_mock", "/v1/elsewhere"]
    internals = ["Traceback", ".py", "seawall.db", str(Path.home()), "site-packages", "/tmp", "Error:"]
    assert [secret for secret in secrets + internals if secret in said] == []
    assert "location" not in answer.headers


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("mocked", "status", "code", "retry_after", "rule"), REFUSALS, ids=[r[0] for r in REFUSALS]
)
async def test_a_refusal_of_the_provider(
    app: RunningApp, stream: bool, mocked: str, status: int, code: str, retry_after: str | None, rule: str
) -> None:
    marker = f"{mocked}-{stream}"
    answer = await app.chat(marked(marker, mocked, stream=stream, max_tokens=CAP))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers.get("retry-after") == retry_after
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == answer.json()["error"]["call_id"]
    assert_nothing_leaks(answer, app)
    await assert_cost(app, marker, rule)


@pytest.mark.parametrize(("mocked", "status", "code"), BROKEN_ANSWERS, ids=[row[0] for row in BROKEN_ANSWERS])
async def test_a_whole_answer_that_breaks(app: RunningApp, mocked: str, status: int, code: str) -> None:
    answer = await app.chat(marked(mocked, mocked, max_tokens=CAP))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert_nothing_leaks(answer, app)
    await assert_cost(app, mocked, HELD)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("mocked", SILENCES)
async def test_a_provider_that_falls_silent(impatient_app: RunningApp, mocked: str, stream: bool) -> None:
    marker = f"{mocked}-{stream}"
    answer = await impatient_app.chat(marked(marker, mocked, stream=stream, max_tokens=CAP))
    assert_nothing_leaks(answer, impatient_app)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    await assert_cost(impatient_app, marker, HELD)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_that_falls_silent_in_its_answer(
    app_with_patience_for_one_byte: RunningApp, stream: bool
) -> None:
    app, marker = app_with_patience_for_one_byte, f"stall-{stream}"
    answer = await app.chat(marked(marker, "stall", stream=stream, max_tokens=CAP))
    assert_nothing_leaks(answer, app)
    if stream:
        assert answer.status_code == 200
        assert '"code":"upstream_timeout"' in answer.text.splitlines()[-2]
    else:
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    await assert_cost(app, marker, HELD)


@pytest.mark.parametrize("mocked", BROKEN_STREAMS)
async def test_a_broken_stream_never_looks_complete(app: RunningApp, mocked: str) -> None:
    answer = await app.chat(marked(f"{mocked}-cut", mocked, stream=True, max_tokens=CAP))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    last: Any = httpx.Response(200, text=answer.text.splitlines()[-2].removeprefix("data: ")).json()
    assert last["error"]["code"] in {"upstream_unavailable", "server_error"}
    assert "[DONE]" not in answer.text
    assert '"finish_reason":"' not in answer.text
    assert answer.text.count('"error"') == 1
    assert_nothing_leaks(answer, app)
    await assert_cost(app, f"{mocked}-cut", HELD)


async def test_a_stream_that_is_reset_before_its_first_event_is_a_status(app: RunningApp) -> None:
    answer = await app.chat(marked("early", "reset0", stream=True, max_tokens=CAP))
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unavailable")
    await assert_cost(app, "early", HELD)
