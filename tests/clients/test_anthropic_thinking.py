"""Thinking as programs with Anthropic's own client see it and send it back: seals stay byte for byte the same."""

from typing import Any

import pytest
from anthropic import Anthropic, BadRequestError

from seawall.proving.mock_behaviour import REDACTED, Behaviour, ToolCall
from tests.fixtures.clients import Vendor

NATIVE, RESPONSES = "fake-claude", "fake-resp"
SEALING = pytest.mark.parametrize("model", [NATIVE, RESPONSES])
"""Providers whose reasoning is sealed; chat completions know no seal."""

THINKING: Any = {"type": "enabled", "budget_tokens": 1024, "display": "summarized"}
QUESTION: Any = {"role": "user", "content": "Which sea is calm?"}
THOUGHT = "The harbour first,\n then «the tide»."
SEAL = "EqQBCkgIYhABGAIiQL+9/Zmx0kDCTQUXPc3OErUBCkYICBgCIkDCTQUXPc3O7nHXd302Zercaz8WrrpddpOqHITxBih5"
THOUGHTFUL = Behaviour(reasoning=THOUGHT, signature=SEAL, text="The Baltic.")
TOOLS: Any = [
    {"name": "get_tide", "input_schema": {"type": "object", "properties": {"port": {"type": "string"}}}}
]


def ask(client: Anthropic, model: str, **fields: Any) -> Any:
    """Ask for an answer that was thought about."""
    return client.messages.create(
        **{"model": model, "max_tokens": 2048, "messages": [QUESTION], "thinking": THINKING, **fields}
    )


def go_on(client: Anthropic, model: str, content: Any) -> Any:
    """Ask again, with the answer sent back as it came."""
    return ask(
        client,
        model,
        messages=[
            QUESTION,
            {"role": "assistant", "content": content},
            {"role": "user", "content": "And in winter?"},
        ],
    )


def sealed(vendor: Vendor, model: str) -> list[str]:
    """Return the seals that the second request shows to the provider, in order."""
    body = vendor.requests[1].body
    if model == NATIVE:
        blocks = [
            block for message in body["messages"] for block in message["content"] if message["role"] != "user"
        ]
        return [block.get("signature") or block["data"] for block in blocks if "thinking" in block["type"]]
    return [item["encrypted_content"] for item in body["input"] if item.get("type") == "reasoning"]


@SEALING
def test_thinking_comes_with_its_signature(claude: Anthropic, vendor: Vendor, model: str) -> None:
    vendor.answers_next(THOUGHTFUL)
    answer = ask(claude, model)
    assert [block.type for block in answer.content] == ["thinking", "text"]
    assert answer.content[0].thinking == THOUGHT
    assert answer.content[0].signature
    assert (answer.content[0].signature == SEAL) is (model == NATIVE)


def test_streamed_thinking_is_gathered_with_its_signature(claude: Anthropic, vendor: Vendor) -> None:
    vendor.answers_next(THOUGHTFUL)
    with claude.messages.stream(
        model=NATIVE, max_tokens=2048, messages=[QUESTION], thinking=THINKING
    ) as stream:
        events: list[Any] = list(stream)
        answer: Any = stream.get_final_message()
    assert "".join(event.thinking for event in events if event.type == "thinking") == THOUGHT
    assert [event.signature for event in events if event.type == "signature"] == [SEAL]
    assert (answer.content[0].thinking, answer.content[0].signature) == (THOUGHT, SEAL)
    assert answer.content[1].text == "The Baltic."


@SEALING
@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])
def test_thinking_goes_back_byte_for_byte(
    claude: Anthropic, vendor: Vendor, model: str, is_stream: bool
) -> None:
    vendor.answers_next(THOUGHTFUL, Behaviour(text="The Baltic too."))
    if is_stream:
        with claude.messages.stream(
            model=model, max_tokens=2048, messages=[QUESTION], thinking=THINKING
        ) as stream:
            first: Any = stream.get_final_message()
    else:
        first = ask(claude, model)
    second = go_on(claude, model, first.content)
    assert sealed(vendor, model) == [SEAL]
    assert second.content[-1].text == "The Baltic too."
    if model == NATIVE:
        assert vendor.requests[1].body["messages"][1]["content"][0]["thinking"] == THOUGHT


@SEALING
def test_redacted_thinking_goes_back_byte_for_byte(claude: Anthropic, vendor: Vendor, model: str) -> None:
    vendor.answers_next(
        Behaviour(reasoning=THOUGHT, signature=SEAL, redacted=REDACTED, text="The Baltic."),
        Behaviour(text="The Baltic too."),
    )
    first = ask(claude, model)
    go_on(claude, model, first.content)
    kinds = [block.type for block in first.content]
    assert kinds == ["thinking", "redacted_thinking" if model == NATIVE else "thinking", "text"]
    assert sealed(vendor, model) == [SEAL, REDACTED]


@SEALING
def test_thinking_before_a_tool_call_goes_back_with_the_result(
    claude: Anthropic, vendor: Vendor, model: str
) -> None:
    call = ToolCall("get_tide", '{"port":"Ostend"}', "call_1")
    vendor.answers_next(
        Behaviour(reasoning=THOUGHT, signature=SEAL, text="", tools=(call,)), Behaviour(text="2.5 m.")
    )
    first = ask(claude, model, tools=TOOLS)
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": "2.5 m"}
    messages = [
        QUESTION,
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    second = ask(claude, model, tools=TOOLS, messages=messages)
    assert [block.type for block in first.content] == ["thinking", "tool_use"]
    assert sealed(vendor, model) == [SEAL]
    assert second.content[-1].text == "2.5 m."


@pytest.mark.parametrize("model", ["fake-gpt", "fake-resp"])
def test_thinking_that_anthropic_signed_cannot_be_said_to_another_vendor(
    claude: Anthropic, vendor: Vendor, model: str
) -> None:
    vendor.answers_next(THOUGHTFUL)
    first = ask(claude, NATIVE)
    with pytest.raises(BadRequestError, match="messages\\[1\\]") as caught:
        go_on(claude, model, first.content)
    assert caught.value.status_code == 400
    assert len(vendor.requests) == 1


def test_budget_for_thinking_becomes_an_effort(claude: Anthropic, vendor: Vendor) -> None:
    vendor.answers_next(Behaviour(answer_tokens=9))
    ask(claude, RESPONSES)
    assert vendor.requests[0].body["reasoning"]["effort"] == "low"


def test_adaptive_thinking_and_effort_travel_on(claude: Anthropic, vendor: Vendor) -> None:
    vendor.answers_next(Behaviour(answer_tokens=9))
    ask(claude, NATIVE, thinking={"type": "adaptive"}, output_config={"effort": "medium"})
    [seen] = vendor.requests
    assert (seen.body["thinking"], seen.body["output_config"]) == ({"type": "adaptive"}, {"effort": "medium"})
