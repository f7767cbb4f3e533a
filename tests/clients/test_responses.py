"""Responses as programs with OpenAI's own client see them, from providers of each dialect."""

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI, pydantic_function_tool
from pydantic import BaseModel

from seawall.proving.mock_answers import LEAKS
from seawall.proving.mock_behaviour import REFUSAL, Behaviour, ToolCall
from tests.fixtures.clients import Key, RunningGateway, Vendor
from tests.fixtures.mock_calls import until

NATIVE, CHAT, ANTHROPIC = "fake-resp", "fake-gpt", "fake-claude"
EVERY_PROVIDER = pytest.mark.parametrize("model", [NATIVE, CHAT, ANTHROPIC])

ASK = "Which sea is calm?"
NINE = Behaviour(answer_tokens=9)
TEXT = "Which sea is calm? ship sand salt deep"
"""What the fake provider says with nine tokens."""

WORDS = ["Whi", "ch s", "ea ", "is c", "alm?", " ship", " sand", " salt", " deep"]
EVENTS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    *["response.output_text.delta"] * 9,
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]
PARAMETERS: Any = {
    "type": "object",
    "properties": {"port": {"type": "string"}},
    "required": ["port"],
    "additionalProperties": False,
}
TOOLS: Any = [
    {"type": "function", "name": "get_tide", "parameters": PARAMETERS, "strict": True},
    {"type": "function", "name": "get_moon", "parameters": PARAMETERS, "strict": True},
]


class Tide(BaseModel):
    """What is to be found out."""

    port: str
    height: float


@EVERY_PROVIDER
def test_whole_response(client: OpenAI, vendor: Vendor, model: str) -> None:
    vendor.answers_next(NINE)
    answer = client.responses.create(model=model, input=ASK, instructions="Be brief.")
    [message] = answer.output
    assert (answer.object, answer.status, answer.model) == ("response", "completed", model)
    assert (message.type, answer.output_text, answer.error) == ("message", TEXT, None)
    assert answer.instructions == "Be brief."
    assert answer.store is True
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (vendor.requests[0].input_tokens, 9)
    assert "Be brief." in vendor.requests[0].raw.decode()


async def test_whole_response_async(async_client: AsyncOpenAI, vendor: Vendor) -> None:
    vendor.answers_next(NINE)
    answer = await async_client.responses.create(model=NATIVE, input=ASK)
    assert answer.output_text == TEXT


@EVERY_PROVIDER
def test_stream_has_every_event_in_order_with_its_number(client: OpenAI, vendor: Vendor, model: str) -> None:
    vendor.answers_next(NINE)
    events: list[Any] = list(client.responses.create(model=model, input=ASK, stream=True))
    assert [event.type for event in events] == EVENTS
    assert [event.sequence_number for event in events] == list(range(len(EVENTS)))
    assert [event.delta for event in events if event.type == "response.output_text.delta"] == WORDS
    assert events[0].response.id == events[-1].response.id
    assert events[-1].response.output_text == TEXT
    assert events[-1].response.usage.output_tokens == 9


@EVERY_PROVIDER
def test_stream_helper_gathers_the_response(client: OpenAI, vendor: Vendor, model: str) -> None:
    vendor.answers_next(NINE)
    with client.responses.stream(model=model, input=ASK) as stream:
        snapshots = [event.snapshot for event in stream if event.type == "response.output_text.delta"]
        answer = stream.get_final_response()
    assert snapshots[-1] == answer.output_text == TEXT
    assert len(snapshots) == 9


@EVERY_PROVIDER
async def test_stream_helper_for_async_programs(
    async_client: AsyncOpenAI, vendor: Vendor, model: str
) -> None:
    vendor.answers_next(NINE)
    async with async_client.responses.stream(model=model, input=ASK) as stream:
        kinds = [event.type async for event in stream]
        answer = await stream.get_final_response()
    assert (kinds, answer.output_text) == (EVENTS, TEXT)


@EVERY_PROVIDER
def test_object_is_parsed(client: OpenAI, model: str) -> None:
    answer = client.responses.parse(model=model, input=ASK, text_format=Tide)
    assert answer.output_parsed == Tide(port=ASK, height=7.5)


@EVERY_PROVIDER
def test_streamed_object_is_parsed(client: OpenAI, model: str) -> None:
    with client.responses.stream(model=model, input=ASK, text_format=Tide) as stream:
        answer = stream.get_final_response()
    assert answer.output_parsed == Tide(port=ASK, height=7.5)


@EVERY_PROVIDER
def test_tools_go_on_from_the_stored_response(client: OpenAI, vendor: Vendor, model: str) -> None:
    both = (ToolCall("get_tide", '{"port":"Ostend"}'), ToolCall("get_moon", '{"port":"Dover"}'))
    vendor.answers_next(Behaviour(tools=both), NINE)
    first = client.responses.create(model=model, input=ASK, tools=TOOLS)
    calls = [item for item in first.output if item.type == "function_call"]
    results: Any = [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"2.5 m in {call.name}"}
        for call in calls
    ]
    second = client.responses.create(model=model, input=results, tools=TOOLS, previous_response_id=first.id)
    sent = vendor.requests[1].raw.decode()
    assert [(call.name, call.arguments) for call in calls] == [(one.name, one.arguments) for one in both]
    assert (second.output_text, second.previous_response_id) == (TEXT, first.id)
    assert [
        word for word in (ASK, "Ostend", "2.5 m in get_tide", "2.5 m in get_moon") if word not in sent
    ] == []
    assert "previous_response_id" not in sent


@EVERY_PROVIDER
def test_streamed_tool_call_is_gathered_from_its_pieces(client: OpenAI, model: str) -> None:
    tool = pydantic_function_tool(Tide, name="get_tide")
    with client.responses.stream(model=model, input=ASK, tools=[_flat(tool)]) as stream:
        pieces = [event.delta for event in stream if event.type == "response.function_call_arguments.delta"]
        answer = stream.get_final_response()
    [call] = [item for item in answer.output if item.type == "function_call"]
    assert "".join(pieces) == call.arguments == '{"port":"Which sea is calm?","height":7.5}'
    assert len(pieces) > 2


def _flat(tool: Any) -> Any:
    """Return a tool of chat completions as responses have it."""
    return {"type": "function", **tool["function"]}


@EVERY_PROVIDER
def test_conversation_goes_on_from_response_to_response(client: OpenAI, vendor: Vendor, model: str) -> None:
    vendor.answers_next(Behaviour(text="Fog."), Behaviour(text="Rain."), Behaviour(text="Sun."))
    first = client.responses.create(model=model, input=ASK)
    second = client.responses.create(model=model, input="And then?", previous_response_id=first.id)
    third = client.responses.create(model=model, input="At last?", previous_response_id=second.id)
    sent = vendor.requests[2].raw.decode()
    places = [sent.index(word) for word in (ASK, "Fog.", "And then?", "Rain.", "At last?")]
    assert places == sorted(places)
    assert third.output_text == "Sun."


def test_stored_response_can_be_retrieved_and_deleted(client: OpenAI, vendor: Vendor) -> None:
    vendor.answers_next(NINE)
    made = client.responses.create(model=NATIVE, input=ASK, metadata={"boat": "blue"})
    found = client.responses.retrieve(made.id)
    assert found.to_dict() == made.to_dict()
    assert found.metadata == {"boat": "blue"}
    client.responses.delete(made.id)
    for lost in (client.responses.retrieve, client.responses.delete, client.responses.input_items.list):
        with pytest.raises(openai.NotFoundError):
            lost(made.id)
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=NATIVE, input=ASK, previous_response_id=made.id)
    assert caught.value.param == "previous_response_id"
    assert len(vendor.requests) == 1


@EVERY_PROVIDER
def test_input_items_are_listed_the_newest_first(client: OpenAI, vendor: Vendor, model: str) -> None:
    vendor.answers_next(Behaviour(text="Fog."), Behaviour(text="Rain."))
    first = client.responses.create(model=model, input=ASK)
    second = client.responses.create(model=model, input="And then?", previous_response_id=first.id)
    items: list[Any] = list(client.responses.input_items.list(second.id, limit=2))
    texts = [item.content[0].text for item in items]
    assert texts == ["And then?", "Fog.", ASK]
    assert len({item.id for item in items}) == 3


def test_response_that_is_not_stored_cannot_be_found(client: OpenAI, vendor: Vendor) -> None:
    vendor.answers_next(NINE)
    made = client.responses.create(model=NATIVE, input=ASK, store=False)
    assert made.store is False
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_stored_response_is_private_to_its_key(client: OpenAI, gateway: RunningGateway) -> None:
    made = client.responses.create(model=NATIVE, input=ASK)
    other = client.with_options(api_key=gateway.make_key().secret)
    with pytest.raises(openai.NotFoundError):
        other.responses.retrieve(made.id)
    with pytest.raises(openai.NotFoundError):
        other.responses.delete(made.id)
    assert client.responses.retrieve(made.id).id == made.id


@EVERY_PROVIDER
def test_stream_can_be_read_again_from_any_event(client: OpenAI, vendor: Vendor, model: str) -> None:
    vendor.answers_next(NINE)
    events: list[Any] = list(client.responses.create(model=model, input=ASK, stream=True))
    made: str = events[0].response.id
    again: list[Any] = list(client.responses.retrieve(made, stream=True))
    rest: list[Any] = list(client.responses.retrieve(made, stream=True, starting_after=9))
    assert [event.to_dict() for event in again] == [event.to_dict() for event in events]
    assert [event.to_dict() for event in rest] == [event.to_dict() for event in events[10:]]
    assert len(vendor.requests) == 1


def test_stream_helper_goes_on_with_a_stored_response(client: OpenAI, vendor: Vendor) -> None:
    vendor.answers_next(NINE)
    events: list[Any] = list(client.responses.create(model=NATIVE, input=ASK, stream=True))
    with client.responses.stream(response_id=events[0].response.id, starting_after=3) as stream:
        answer = stream.get_final_response()
    assert answer.output_text == TEXT


@EVERY_PROVIDER
def test_response_that_reaches_its_cap_is_incomplete(client: OpenAI, model: str) -> None:
    answer = client.responses.create(model=model, input=ASK, max_output_tokens=20)
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert answer.usage is not None
    assert answer.usage.output_tokens == 20


@pytest.mark.parametrize("model", [NATIVE, CHAT])
def test_refusal_is_told_as_one(client: OpenAI, vendor: Vendor, model: str) -> None:
    vendor.answers_next(Behaviour(ends="refusal"))
    answer = client.responses.create(model=model, input=ASK)
    [message] = [item for item in answer.output if item.type == "message"]
    assert [part.to_dict() for part in message.content] == [{"type": "refusal", "refusal": REFUSAL}]


@pytest.mark.parametrize("model", [NATIVE, ANTHROPIC])
def test_encrypted_reasoning_goes_back_byte_for_byte(client: OpenAI, vendor: Vendor, model: str) -> None:
    seal = "EqQBCkgIYhABGAIiQL+9/Zmx0kDCTQUXPc3OErUBCkYICBgCIkDCTQUXPc3O"
    vendor.answers_next(Behaviour(reasoning="The harbour first.", signature=seal, text="Fog."), NINE)
    asked: dict[str, Any] = {
        "model": model,
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
    }
    first = client.responses.create(input=ASK, **asked)
    history: list[Any] = [
        {"role": "user", "content": ASK},
        *first.output,
        {"role": "user", "content": "And?"},
    ]
    second = client.responses.create(input=history, **asked)
    sent = vendor.requests[1].raw.decode()
    assert [item.type for item in first.output] == ["reasoning", "message"]
    assert seal in sent
    assert "The harbour first." in sent
    assert second.output_text


@pytest.mark.parametrize("model", [NATIVE, ANTHROPIC])
def test_reasoning_is_kept_with_the_stored_response(client: OpenAI, vendor: Vendor, model: str) -> None:
    seal = "EqQBCkgIYhABGAIiQL+9/Zmx0kDCTQUXPc3OErUBCkYICBgCIkDCTQUXPc3O"
    vendor.answers_next(Behaviour(reasoning="The harbour first.", signature=seal, text="Fog."), NINE)
    effort: Any = {"effort": "low"}
    first = client.responses.create(
        model=model, input=ASK, reasoning=effort, include=["reasoning.encrypted_content"]
    )
    client.responses.create(model=model, input="And?", reasoning=effort, previous_response_id=first.id)
    assert seal in vendor.requests[1].raw.decode()


def test_finished_response_cannot_be_cancelled(client: OpenAI) -> None:
    made = client.responses.create(model=NATIVE, input=ASK)
    with pytest.raises(openai.BadRequestError, match="Only background responses"):
        client.responses.cancel(made.id)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"conversation": "conv_1"}, "conversation"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_field_that_changes_price_or_hidden_input_is_a_bad_request_that_names_it(
    client: OpenAI, vendor: Vendor, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=NATIVE, input=ASK, extra_body=fields)
    assert caught.value.param == param
    assert vendor.requests == []


@EVERY_PROVIDER
@pytest.mark.parametrize("way", ["eof", "error", "failed"])
def test_stream_that_breaks_tells_what_has_come_and_fails(
    client: OpenAI, vendor: Vendor, model: str, way: Any
) -> None:
    vendor.answers_next(Behaviour(breaks=way, break_after=3))
    events: list[Any] = list(client.responses.create(model=model, input=ASK, stream=True))
    assert [event.type for event in events] == [*EVENTS[:7], "error", "response.failed"]
    failed = events[-1].response
    assert (failed.status, failed.id) == ("failed", events[0].response.id)
    assert failed.error.code
    assert [leak for leak in LEAKS if leak in failed.to_json()] == []


async def test_call_costs_what_its_usage_says(async_client: AsyncOpenAI, key: Key, vendor: Vendor) -> None:
    vendor.answers_next(NINE)
    raw = await async_client.responses.with_raw_response.create(model=NATIVE, input=ASK)
    await until(lambda: len(key.calls()) == 1)
    [call] = key.calls()
    assert (call["endpoint"], call["status"]) == ("/v1/responses", 200)
    assert raw.headers["seawall-cost-usd"] == call["cost_usd"]
    assert sum(seen.cost for seen in vendor.requests) == round(float(call["cost_usd"]) * 1e9)


def test_demo_model_answers(client: OpenAI, vendor: Vendor) -> None:
    first = client.responses.create(model="demo", input=ASK)
    second = client.responses.create(model="demo", input="And then?", previous_response_id=first.id)
    assert first.output_text.startswith('You asked: "Which sea is calm?" I am the demo model')
    assert second.output_text.startswith('You asked: "And then?" I am the demo model')
    assert vendor.requests == []
