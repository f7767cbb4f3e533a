"""Answers, whole and streamed, as programs with Anthropic's own client see them, from providers of each dialect."""

from typing import Any

import pytest
from anthropic import Anthropic, AsyncAnthropic
from pydantic import BaseModel

from seawall.proving.mock_behaviour import REFUSAL, Behaviour
from tests.fixtures.clients import Key, RunningGateway, Vendor
from tests.fixtures.mock_calls import until

NATIVE, CHAT, RESPONSES = "fake-claude", "fake-gpt", "fake-resp"
EVERY_PROVIDER = pytest.mark.parametrize("model", [NATIVE, CHAT, RESPONSES])

ASK: Any = [{"role": "user", "content": "Which sea is calm?"}]
NINE = Behaviour(answer_tokens=9)
TEXT = "Which sea is calm? ship sand salt deep"
"""What the fake provider says with nine tokens."""

WORDS = ["Whi", "ch s", "ea ", "is c", "alm?", " ship", " sand", " salt", " deep"]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Tide(BaseModel):
    """What is to be found out."""

    port: str
    height: float


@EVERY_PROVIDER
def test_whole_answer(claude: Anthropic, vendor: Vendor, model: str) -> None:
    vendor.answers_next(NINE)
    answer = claude.messages.create(model=model, max_tokens=100, messages=ASK)
    assert (answer.type, answer.role, answer.model) == ("message", "assistant", model)
    assert [block.to_dict() for block in answer.content] == [{"type": "text", "text": TEXT}]
    assert (answer.stop_reason, answer.stop_sequence) == ("end_turn", None)
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (vendor.requests[0].input_tokens, 9)
    assert (answer.usage.cache_read_input_tokens, answer.usage.cache_creation_input_tokens) == (0, 0)


async def test_whole_answer_async(async_claude: AsyncAnthropic, vendor: Vendor) -> None:
    vendor.answers_next(NINE)
    answer = await async_claude.messages.create(model=NATIVE, max_tokens=100, messages=ASK)
    assert [block.to_dict() for block in answer.content] == [{"type": "text", "text": TEXT}]


def test_answer_of_the_same_dialect_comes_as_it_is(claude: Anthropic, vendor: Vendor) -> None:
    vendor.answers_next(NINE)
    answer = claude.messages.create(model=NATIVE, max_tokens=100, messages=ASK, extra_body={"top_k": 3})
    [seen] = vendor.requests
    assert answer.to_dict()["x_vendor"] == {"kept": True, "note": "No client library knows this field."}
    assert answer.id == f"msg_mock{seen.number:016d}"
    assert seen.body == {"model": NATIVE, "max_tokens": 100, "messages": ASK, "top_k": 3}
    assert seen.headers["anthropic-version"] == claude.default_headers["anthropic-version"]


@EVERY_PROVIDER
def test_raw_stream_has_every_event_in_order(claude: Anthropic, vendor: Vendor, model: str) -> None:
    vendor.answers_next(NINE)
    stream = claude.messages.create(model=model, max_tokens=100, messages=ASK, stream=True)
    events: list[Any] = list(stream)
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 9,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[0].message.model == model
    assert [event.delta.text for event in events[2:11]] == WORDS
    assert events[-2].delta.stop_reason == "end_turn"
    assert events[-2].usage.output_tokens == 9


@EVERY_PROVIDER
def test_stream_helper_tells_every_event_and_gathers_the_message(
    claude: Anthropic, vendor: Vendor, model: str
) -> None:
    vendor.answers_next(NINE)
    with claude.messages.stream(model=model, max_tokens=100, messages=ASK) as stream:
        events: list[Any] = list(stream)
        answer = stream.get_final_message()
        text = stream.get_final_text()
    texts = [(event.text, event.snapshot) for event in events if event.type == "text"]
    assert [piece for piece, _ in texts] == WORDS
    assert texts[-1][1] == text == TEXT
    assert [event.type for event in events if event.type not in {"content_block_delta", "text"}] == [
        "message_start",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert (answer.stop_reason, answer.usage.output_tokens) == ("end_turn", 9)
    assert answer.usage.input_tokens == vendor.requests[0].input_tokens


@EVERY_PROVIDER
async def test_stream_helper_for_async_programs(
    async_claude: AsyncAnthropic, vendor: Vendor, model: str
) -> None:
    vendor.answers_next(NINE)
    async with async_claude.messages.stream(model=model, max_tokens=100, messages=ASK) as stream:
        pieces = [piece async for piece in stream.text_stream]
        answer = await stream.get_final_message()
    assert pieces == WORDS
    assert answer.content[0].to_dict() == {"type": "text", "text": TEXT}


@EVERY_PROVIDER
def test_system_prompt_and_turns_arrive(claude: Anthropic, vendor: Vendor, model: str) -> None:
    messages: Any = [
        *ASK,
        {"role": "assistant", "content": "The Baltic."},
        {"role": "user", "content": "And now?"},
    ]
    vendor.answers_next(NINE)
    claude.messages.create(model=model, max_tokens=100, system="Be brief.", messages=messages)
    [seen] = vendor.requests
    expected: dict[str, Any] = {
        NATIVE: {"system": "Be brief.", "messages": messages},
        CHAT: {"messages": [{"role": "system", "content": "Be brief."}, *messages]},
    }
    sent = expected.get(model, {"instructions": "Be brief."})
    assert {name: seen.body[name] for name in sent} == sent
    assert seen.input_tokens > 20


@pytest.mark.parametrize(
    ("model", "reason", "sequence"), [(NATIVE, "stop_sequence", "Two"), (CHAT, "end_turn", None)]
)
def test_stop_sequence(
    claude: Anthropic, vendor: Vendor, model: str, reason: str, sequence: str | None
) -> None:
    vendor.answers_next(Behaviour(text="One. Two. Three."))
    answer = claude.messages.create(model=model, max_tokens=100, messages=ASK, stop_sequences=["Two"])
    assert answer.content[0].to_dict() == {"type": "text", "text": "One. "}
    assert (answer.stop_reason, answer.stop_sequence) == (reason, sequence)


@EVERY_PROVIDER
def test_answer_that_reaches_its_cap(claude: Anthropic, vendor: Vendor, model: str) -> None:
    answer = claude.messages.create(model=model, max_tokens=20, messages=ASK)
    assert (answer.stop_reason, answer.usage.output_tokens) == ("max_tokens", 20)


@EVERY_PROVIDER
def test_refusal_is_told_as_one(claude: Anthropic, vendor: Vendor, model: str) -> None:
    vendor.answers_next(Behaviour(ends="refusal"))
    answer = claude.messages.create(model=model, max_tokens=100, messages=ASK)
    assert answer.content[0].to_dict() == {"type": "text", "text": REFUSAL}
    assert answer.stop_reason == "refusal"


@EVERY_PROVIDER
def test_image_arrives(claude: Anthropic, vendor: Vendor, model: str) -> None:
    image: Any = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    linked: Any = {"type": "image", "source": {"type": "url", "url": "https://images.example/sea.png"}}
    content: Any = [{"type": "text", "text": "What is this?"}, image, linked]
    vendor.answers_next(NINE)
    claude.messages.create(model=model, max_tokens=100, messages=[{"role": "user", "content": content}])
    [seen] = vendor.requests
    data_url = f"data:image/png;base64,{PIXEL}"
    if model == NATIVE:
        assert seen.body["messages"][0]["content"] == content
    elif model == CHAT:
        assert [part["image_url"]["url"] for part in seen.body["messages"][0]["content"][1:]] == [
            data_url,
            "https://images.example/sea.png",
        ]
    else:
        assert [part["image_url"] for part in seen.body["input"][0]["content"][1:]] == [
            data_url,
            "https://images.example/sea.png",
        ]


@EVERY_PROVIDER
def test_cached_tokens_are_reported_in_anthropics_disjoint_numbers(
    claude: Anthropic, vendor: Vendor, model: str
) -> None:
    system: Any = [{"type": "text", "text": "Be brief. " * 50, "cache_control": {"type": "ephemeral"}}]
    vendor.answers_next(Behaviour(answer_tokens=9, cached_tokens=60))
    answer = claude.messages.create(model=model, max_tokens=100, system=system, messages=ASK)
    [seen] = vendor.requests
    usage = answer.usage
    assert (usage.cache_read_input_tokens, usage.input_tokens) == (60, seen.input_tokens - 60)
    if model == NATIVE:
        assert seen.body["system"] == system


async def test_tokens_written_to_a_cache_are_reported_and_priced(
    async_claude: AsyncAnthropic, key: Key, vendor: Vendor
) -> None:
    system: Any = [
        {"type": "text", "text": "Be brief. " * 50, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    ]
    vendor.answers_next(Behaviour(answer_tokens=9, written_1h_tokens=60))
    answer = await async_claude.messages.create(model=NATIVE, max_tokens=100, system=system, messages=ASK)
    await until(lambda: len(key.calls()) == 1)
    assert answer.usage.cache_creation_input_tokens == 60
    assert answer.usage.cache_creation is not None
    assert answer.usage.cache_creation.ephemeral_1h_input_tokens == 60
    assert key.calls()[0]["status"] == 200


@EVERY_PROVIDER
def test_tokens_are_counted_without_a_call(claude: Anthropic, key: Key, model: str) -> None:
    few = claude.messages.count_tokens(model=model, messages=ASK)
    many = claude.messages.count_tokens(model=model, messages=ASK, system="Be brief. " * 100)
    assert 5 <= few.input_tokens <= 200  # an estimate may not be too low
    assert many.input_tokens > few.input_tokens + 100
    assert key.spend()["lifetime_usd"] == "0.00"


@EVERY_PROVIDER
def test_object_is_parsed(claude: Anthropic, model: str) -> None:
    answer = claude.messages.parse(model=model, max_tokens=100, messages=ASK, output_format=Tide)
    assert answer.parsed_output == Tide(port="Which sea is calm?", height=7.5)


async def test_answer_names_the_call_and_its_cost(
    async_claude: AsyncAnthropic, key: Key, vendor: Vendor
) -> None:
    vendor.answers_next(NINE)
    raw = await async_claude.messages.with_raw_response.create(model=NATIVE, max_tokens=100, messages=ASK)
    answer = await raw.parse()
    await until(lambda: len(key.calls()) == 1)
    [call] = key.calls()
    assert answer._request_id == raw.headers["request-id"] == call["id"]
    assert raw.headers["seawall-cost-usd"] == call["cost_usd"]
    assert (call["model"], call["status"], call["usage"]["output"]) == (NATIVE, 200, 9)


def test_key_may_come_as_a_bearer_token(claude: Anthropic, key: Key, vendor: Vendor) -> None:
    vendor.answers_next(NINE)
    bearer = claude.with_options(api_key=None, auth_token=key.secret)
    answer = bearer.messages.create(model=NATIVE, max_tokens=100, messages=ASK)
    assert answer.content[0].to_dict() == {"type": "text", "text": TEXT}


def test_beta_messages_take_the_same_way(claude: Anthropic, vendor: Vendor) -> None:
    vendor.answers_next(NINE)
    answer = claude.beta.messages.create(
        model=NATIVE, max_tokens=100, messages=ASK, betas=["token-efficient-tools-2025-02-19"]
    )
    assert answer.content[0].to_dict()["text"] == TEXT
    assert vendor.requests[0].headers["anthropic-beta"] == "token-efficient-tools-2025-02-19"


def test_models_are_listed(claude: Anthropic, gateway: RunningGateway) -> None:
    assert {"demo", NATIVE, CHAT} <= {model.id for model in claude.models.list()}
    assert claude.models.retrieve(NATIVE).id == NATIVE


def test_demo_model_answers(claude: Anthropic, vendor: Vendor) -> None:
    with claude.messages.stream(model="demo", max_tokens=5, messages=ASK) as stream:
        pieces = list(stream.text_stream)
        answer = stream.get_final_message()
    assert pieces == ["You", " asked", ":", ' "Which', " sea"]
    assert (answer.stop_reason, answer.usage.output_tokens) == ("max_tokens", 5)
    assert vendor.requests == []
