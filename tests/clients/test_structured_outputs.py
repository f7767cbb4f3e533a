"""Structured outputs: `.parse` and `.stream` with pydantic models, against the mock and the demo model."""

from enum import StrEnum

import pytest
from openai import (
    AsyncOpenAI,
    ContentFilterFinishReasonError,
    LengthFinishReasonError,
    OpenAI,
    pydantic_function_tool,
)
from pydantic import BaseModel

from tests.fixtures.clients import Vendor, said


class Kind(StrEnum):
    SPRING = "spring"
    NEAP = "neap"


class Water(BaseModel):
    hour: int
    height_m: float


class Tide(BaseModel):
    port: str
    kind: Kind
    is_rising: bool
    waters: list[Water]
    warning: str | None


ASK = said("When is high tide?")
FROM_MOCK = Tide(
    port="When is high tide?",
    kind=Kind.SPRING,
    is_rising=True,
    waters=[Water(hour=7, height_m=7.5)],
    warning="When is high tide?",
)
FROM_DEMO = Tide(
    port="demo port",
    kind=Kind.SPRING,
    is_rising=True,
    waters=[Water(hour=1, height_m=1.0)],
    warning="demo warning",
)

each_model = pytest.mark.parametrize(("model", "tide"), [("fake-gpt", FROM_MOCK), ("demo", FROM_DEMO)])


@each_model
def test_answer_is_parsed_into_a_pydantic_model(client: OpenAI, model: str, tide: Tide) -> None:
    answer = client.chat.completions.parse(model=model, messages=ASK, response_format=Tide)
    assert answer.choices[0].message.parsed == tide
    assert answer.choices[0].finish_reason == "stop"


@each_model
async def test_answer_is_parsed_for_async_programs(async_client: AsyncOpenAI, model: str, tide: Tide) -> None:
    answer = await async_client.chat.completions.parse(model=model, messages=ASK, response_format=Tide)
    assert answer.choices[0].message.parsed == tide


@each_model
def test_stream_is_parsed_when_it_is_complete(client: OpenAI, model: str, tide: Tide) -> None:
    with client.chat.completions.stream(model=model, messages=ASK, response_format=Tide) as stream:
        [done] = [event for event in stream if event.type == "content.done"]
        answer = stream.get_final_completion()
    assert done.parsed == answer.choices[0].message.parsed == tide


@each_model
async def test_stream_is_parsed_for_async_programs(async_client: AsyncOpenAI, model: str, tide: Tide) -> None:
    async with async_client.chat.completions.stream(
        model=model, messages=ASK, response_format=Tide
    ) as stream:
        answer = await stream.get_final_completion()
    assert answer.choices[0].message.parsed == tide


@each_model
def test_arguments_of_a_tool_are_parsed(client: OpenAI, model: str, tide: Tide) -> None:
    answer = client.chat.completions.parse(
        model=model, messages=ASK, tools=[pydantic_function_tool(Tide)], tool_choice="required"
    )
    [call] = answer.choices[0].message.tool_calls or []
    assert call.function.name == "Tide"
    assert call.function.parsed_arguments == tide


@each_model
def test_arguments_of_a_streamed_tool_are_parsed(client: OpenAI, model: str, tide: Tide) -> None:
    with client.chat.completions.stream(
        model=model, messages=ASK, tools=[pydantic_function_tool(Tide)], tool_choice="required"
    ) as stream:
        answer = stream.get_final_completion()
    [call] = answer.choices[0].message.tool_calls or []
    assert call.function.parsed_arguments == tide


def test_schema_arrives_at_the_vendor_as_the_client_wrote_it(client: OpenAI, vendor: Vendor) -> None:
    client.chat.completions.parse(model="fake-gpt", messages=ASK, response_format=Water)
    assert vendor.requests[0].body["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "Water",
            "strict": True,
            "schema": {
                "title": "Water",
                "type": "object",
                "properties": {
                    "hour": {"title": "Hour", "type": "integer"},
                    "height_m": {"title": "Height M", "type": "number"},
                },
                "required": ["hour", "height_m"],
                "additionalProperties": False,
            },
        },
    }


@pytest.mark.parametrize("model", ["fake-gpt", "demo"])
def test_answer_cut_at_its_cap_is_not_parsed(client: OpenAI, model: str) -> None:
    with pytest.raises(LengthFinishReasonError) as cut:
        client.chat.completions.parse(model=model, messages=ASK, response_format=Tide, max_tokens=3)
    assert cut.value.completion.usage is not None
    assert cut.value.completion.usage.completion_tokens == 3


def test_refused_answer_is_not_parsed(client: OpenAI) -> None:
    with pytest.raises(ContentFilterFinishReasonError):
        client.chat.completions.parse(model="demo", messages=said("demo:refuse"), response_format=Tide)


def test_json_object_can_be_asked_for_without_a_schema(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="fake-gpt", messages=ASK, response_format={"type": "json_object"}
    )
    assert answer.choices[0].message.content == '{"echo":"When is high tide?"}'
