"""Conversations with models that reason go on: a client sends back what it got, whoever answers next."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import httpx2
import pytest
import pytest_asyncio
from anthropic import Anthropic
from anthropic.types import Message
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response
from pydantic import BaseModel

from seawall.proving.mock_behaviour import Behaviour, ToolCall
from seawall.proving.mock_connection import Seen
from tests.fixtures.gateways import DIALECT_MODELS
from tests.fixtures.pairs import Hall, body_of, frames_of, hall_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

WAYS = ("chat", "messages", "responses", "by id")
"""How a client goes on; "by id" is by `previous_response_id`."""

THOUGHT = "First the harbour, then the tide."
SEAL = "c2VhbGVkK3RpZGUv+/=="
NOTE = "reasoning: earlier reasoning without a signature is left out"
ANSWERS = {
    "text": Behaviour(text="The Dead Sea.", reasoning=THOUGHT, signature=SEAL),
    "a tool call": Behaviour(
        text="", reasoning=THOUGHT, signature=SEAL, tools=(ToolCall("tide", '{"at":1}'),)
    ),
    "thoughts only": Behaviour(text="", reasoning=THOUGHT, signature=SEAL),
}
SCHEMA = {"type": "object", "properties": {"at": {"type": "integer"}}}
NAMED = {"name": "tide", "parameters": SCHEMA}
TOOLS: dict[str, dict[str, Any]] = {
    "chat": {"type": "function", "function": NAMED},
    "messages": {"name": "tide", "input_schema": SCHEMA},
    "responses": {"type": "function", **NAMED},
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    """Run one gateway for all of these conversations; of `fake-resp` it is known that it reasons."""
    folder = tmp_path_factory.mktemp("hall")
    async with hall_in(folder, **{"prices__fake-resp__reasoning": True}) as started:
        yield started


async def converse(
    hall: Hall, way: str, models: tuple[str, str], marker: str, *, says: str = "text", stream: bool = False
) -> httpx.Response:
    """Ask one model, and go on from its answer with the next one; returns the second answer."""
    client = "responses" if way == "by id" else way
    hall.behave(marker, ANSWERS[says])
    asked = body_of(client, models[0], marker, cap=500, tools=[TOOLS[client]])
    if stream:
        asked["stream"] = True
    first = await hall.post(client, asked, marker)
    assert first.status_code == 200, first.text
    answer = _put_together(client, first) if stream else _read(client, first.text)
    more = _go_on(way, asked, answer, f"[{marker}] And then?")
    return await hall.post(client, {**asked, "model": models[1], **more}, marker)


def _read(client: str, text: str) -> dict[str, Any]:
    """Return a whole answer as the dialect's library has it when it writes it down again."""
    kinds: dict[str, type[BaseModel]] = {"chat": ChatCompletion, "messages": Message, "responses": Response}
    return kinds[client].model_validate_json(text).model_dump(mode="json", exclude_unset=True)


def _put_together(client: str, answer: httpx.Response) -> dict[str, Any]:
    """Return what the dialect's library puts together from a stream."""
    if client == "responses":
        [whole] = [
            frame["response"] for name, frame in frames_of(answer.text) if name == "response.completed"
        ]
        return dict(whole)
    if client == "chat":
        state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
        for _, frame in frames_of(answer.text):
            if frame != "[DONE]":
                state.handle_chunk(ChatCompletionChunk.model_validate(frame))
        # Its helpers read texts and arguments for the app; they are no part of a message.
        parsed: Any = {
            "message": {"parsed": True, "tool_calls": {"__all__": {"function": {"parsed_arguments"}}}}
        }
        return state.get_final_completion().model_dump(
            mode="json", exclude_none=True, exclude={"choices": {"__all__": parsed}}
        )
    again = httpx2.MockTransport(
        lambda _: httpx2.Response(
            200, headers={"content-type": answer.headers["content-type"]}, content=answer.content
        )
    )
    library = Anthropic(api_key="sk-mock-x", http_client=httpx2.Client(transport=again, trust_env=False))
    asked: Any = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    with library.messages.stream(**asked) as said:
        return said.get_final_message().model_dump(mode="json", exclude_unset=True)


def _go_on(way: str, asked: dict[str, Any], answer: dict[str, Any], question: str) -> dict[str, Any]:
    """Return the fields with which a client goes on: what its tools found, and the next question."""
    user = {"role": "user", "content": question}
    results: list[dict[str, Any]]
    if way == "chat":
        message = answer["choices"][0]["message"]
        calls = message.get("tool_calls") or ()
        results = [{"role": "tool", "tool_call_id": call["id"], "content": "7 m"} for call in calls]
        return {"messages": [*asked["messages"], message, *results, user]}
    if way == "messages":
        content = answer["content"]
        used = [block["id"] for block in content if block["type"] == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": each, "content": "7 m"} for each in used]
        user["content"] = [*results, {"type": "text", "text": question}]  # type: ignore[assignment] # or a text
        return {"messages": [*asked["messages"], {"role": "assistant", "content": content}, user]}
    called = [item["call_id"] for item in answer["output"] if item["type"] == "function_call"]
    results = [{"type": "function_call_output", "call_id": each, "output": "7 m"} for each in called]
    if way == "by id":
        return {"previous_response_id": answer["id"], "input": [*results, user]}
    return {"input": [*asked["input"], *answer["output"], *results, user]}


def thoughts_in(seen: Seen) -> list[dict[str, Any]]:
    """Return the earlier reasoning that a vendor of messages or responses got."""
    if "input" in seen.body:
        return [item for item in seen.body["input"] if item.get("type") == "reasoning"]
    blocks = [block for message in seen.body["messages"] for block in message["content"]]
    return [block for block in blocks if isinstance(block, dict) and block["type"] == "thinking"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("says", ANSWERS)
@pytest.mark.parametrize("model", DIALECT_MODELS)
@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_that_is_sent_back_goes_on_with_its_vendor(
    hall: Hall, marker: str, way: str, model: str, says: str, stream: bool
) -> None:
    marker = f"m-{marker}"
    second = await converse(hall, way, (model, model), marker, says=says, stream=stream)
    assert second.status_code == 200, second.text
    _, seen = hall.sent(marker)
    is_left_out = model == "fake-gpt" and way != "chat"
    assert (NOTE in second.headers.get("seawall-translation", "")) == is_left_out
    if model == "fake-gpt":
        said = [message.get("reasoning_content") for message in seen.body["messages"]]
        assert [each for each in said if each] == ([] if is_left_out else [THOUGHT])
        return
    [thought] = thoughts_in(seen)
    if model == "fake-claude":
        assert thought == {"type": "thinking", "thinking": THOUGHT, "signature": SEAL}
        return
    assert thought["encrypted_content"] == SEAL
    assert thought["id"].startswith("rs_mock")


@pytest.mark.parametrize(
    ("way", "model"),
    [(way, model) for way in WAYS for model in ("fake-claude", "fake-resp") if (way, model) not in (
        ("responses", "fake-resp"), ("by id", "fake-resp"),
    )],
)  # fmt: skip
async def test_reasoning_without_a_seal_does_not_keep_another_vendor_from_going_on(
    hall: Hall, marker: str, way: str, model: str
) -> None:
    marker = f"m-{marker}"
    second = await converse(hall, way, ("fake-gpt", model), marker)
    assert second.status_code == 200, second.text
    assert NOTE in second.headers["seawall-translation"]
    assert THOUGHT.encode() not in hall.sent(marker)[1].raw


@pytest.mark.parametrize("models", [("fake-claude", "fake-resp"), ("fake-resp", "fake-claude")])
@pytest.mark.parametrize("way", WAYS)
async def test_sealed_reasoning_goes_to_no_other_vendor(
    hall: Hall, marker: str, way: str, models: tuple[str, str]
) -> None:
    marker = f"m-{marker}"
    second = await converse(hall, way, models, marker)
    error = second.json()["error"]
    assert (second.status_code, error["code"]) == (400, "untranslatable")
    assert error["param"].startswith(("messages[1]", "input[1]"))
    assert len(hall.sent(marker)) == 1
