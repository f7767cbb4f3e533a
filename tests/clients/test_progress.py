"""What client libraries make of the events of progress, in streams that asked for them."""

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from seawall.proving.mock_provider import MockProvider
from tests.fixtures.clients import said
from tests.fixtures.gateways import RunningApp, Start, all_dialects
from tests.fixtures.mock_calls import o200k

ASK = said("Which sea is calm?")
SHOW = {"seawall-progress": "true"}
STAGES = ["thinking", "writing", "done"]


@pytest.fixture
async def app(start: Start) -> AsyncIterator[RunningApp]:
    """Return a gateway that sends comments as well, between nearly all events."""
    async with MockProvider(count=o200k()) as mock:
        yield await start(mock=mock, progress__heartbeat_s=0.005, **all_dialects(mock.base_url))


@pytest.fixture
async def gpt(app: RunningApp) -> AsyncIterator[AsyncOpenAI]:
    http = openai.DefaultAsyncHttpxClient(trust_env=False)
    base_url = f"http://127.0.0.1:{app.port}/v1"
    async with AsyncOpenAI(base_url=base_url, api_key=app.key, max_retries=0, http_client=http) as client:
        yield client


@pytest.fixture
async def claude(app: RunningApp) -> AsyncIterator[AsyncAnthropic]:
    http = anthropic.DefaultAsyncHttpxClient(trust_env=False)
    base_url = f"http://127.0.0.1:{app.port}"
    async with AsyncAnthropic(base_url=base_url, api_key=app.key, max_retries=0, http_client=http) as client:
        yield client


def stages_in(events: list[Any]) -> list[str]:
    return [event.stage for event in events if hasattr(event, "stage")]


async def test_chat_completions_come_as_chunks_without_choices(gpt: AsyncOpenAI) -> None:
    stream = await gpt.chat.completions.create(
        model="fake-gpt", messages=ASK, stream=True, extra_headers=SHOW, extra_body={"x_mock": "s7-g10"}
    )
    chunks = [chunk async for chunk in stream]
    assert stages_in(chunks) == STAGES
    assert all(chunk.choices == [] for chunk in chunks if hasattr(chunk, "stage"))
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == "Which sea is calm? ship sand"


async def test_chat_helper_passes_over_them(gpt: AsyncOpenAI) -> None:
    async with gpt.chat.completions.stream(
        model="fake-gpt", messages=ASK, extra_headers=SHOW, extra_body={"x_mock": "s7"}
    ) as stream:
        kinds = {event.type async for event in stream}
        answer = await stream.get_final_completion()
    assert kinds == {"chunk", "content.delta", "content.done"}
    assert answer.choices[0].message.content == "Which sea is calm? ship sand"


async def test_responses_come_as_events_of_a_type_of_their_own(gpt: AsyncOpenAI) -> None:
    stream = await gpt.responses.create(
        model="fake-resp", input="Hi", stream=True, extra_headers=SHOW, extra_body={"x_mock": "s7"}
    )
    events = [event async for event in stream]
    assert stages_in(events) == STAGES
    assert {event.type for event in events if hasattr(event, "stage")} == {"seawall.progress"}
    assert events[-1].type == "response.completed"


async def test_responses_helper_wants_its_own_first_event_before_any_other(gpt: AsyncOpenAI) -> None:
    async with gpt.responses.stream(model="fake-resp", input="Hi", extra_headers=SHOW) as stream:
        with pytest.raises(RuntimeError, match="Expected to have received"):
            [event async for event in stream]


async def test_messages_come_as_events_of_a_type_of_their_own(claude: AsyncAnthropic) -> None:
    stream = await claude.messages.create(
        model="fake-claude", max_tokens=100, messages=[{"role": "user", "content": "Hi"}], stream=True,
        extra_headers=SHOW, extra_body={"x_mock": "s7"},
    )  # fmt: skip
    events = [event async for event in stream]
    assert stages_in(events) == STAGES
    assert {event.type for event in events if hasattr(event, "stage")} == {"seawall.progress"}
    assert events[-1].type == "message_stop"


async def test_messages_helper_passes_over_them(claude: AsyncAnthropic) -> None:
    async with claude.messages.stream(
        model="fake-claude", max_tokens=100, messages=[{"role": "user", "content": "Hi"}], extra_headers=SHOW
    ) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        answer = await stream.get_final_message()
    assert answer.content[0].type == "text"
    assert (answer.content[0].text, answer.stop_reason) == (text, "end_turn")


async def test_an_error_after_the_stream_has_begun_is_seen_by_all(
    gpt: AsyncOpenAI, claude: AsyncAnthropic
) -> None:
    failing: Any = {"stream": True, "extra_headers": SHOW, "extra_body": {"x_mock": "e500"}}
    chat = await gpt.chat.completions.create(model="fake-gpt", messages=ASK, **failing)
    with pytest.raises(openai.APIError, match="The provider is not answering properly"):
        [chunk async for chunk in chat]
    responses = await gpt.responses.create(model="fake-resp", input="Hi", **failing)
    assert [event.type async for event in responses] == ["seawall.progress", "error"]
    hello: Any = [{"role": "user", "content": "Hi"}]
    messages = await claude.messages.create(model="fake-claude", max_tokens=100, messages=hello, **failing)
    with pytest.raises(anthropic.APIStatusError):
        [event async for event in messages]
