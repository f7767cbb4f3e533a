"""Agents of Pydantic AI over each of the three text APIs, before providers of each dialect."""

from collections.abc import Callable

import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, ModelHTTPError, ModelRetry, NativeOutput, ToolOutput
from pydantic_ai.messages import ToolCallPart, ToolReturnPart
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel, AnthropicModelSettings
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from seawall.proving.mock_behaviour import Behaviour, ToolCall
from tests.fixtures.clients import Vendor

ASK = "Which sea is calm?"
NINE = Behaviour(answer_tokens=9)
TEXT = "Which sea is calm? ship sand salt deep"
"""What the fake provider says with nine tokens."""

MakeModel = Callable[[str, str], Model]


class Tide(BaseModel):
    """What the agents are to find out."""

    port: str
    height: float


@pytest.fixture
def make_model(async_client: AsyncOpenAI, async_claude: AsyncAnthropic) -> MakeModel:
    """Return what makes a model of one API's client."""

    def make(api: str, name: str) -> Model:
        if api == "messages":
            provider = AnthropicProvider(anthropic_client=async_claude)
            return AnthropicModel(name, provider=provider, profile={"supports_json_schema_output": True})
        kind = OpenAIChatModel if api == "chat" else OpenAIResponsesModel
        return kind(name, provider=OpenAIProvider(openai_client=async_client))

    return make


@pytest.fixture(
    params=[
        "chat fake-gpt",
        "chat fake-claude",
        "chat fake-resp",
        "responses fake-resp",
        "responses fake-gpt",
        "responses fake-claude",
        "messages fake-claude",
        "messages fake-gpt",
        "messages fake-resp",
    ]
)
def model(request: pytest.FixtureRequest, make_model: MakeModel) -> Model:
    """Return a model: the API that the client speaks, and a provider by the name of its model."""
    api, name = request.param.split()
    return make_model(api, name)


async def test_text_and_usage(model: Model, vendor: Vendor) -> None:
    vendor.answers_next(NINE)
    done = await Agent(model, instructions="Be brief.").run(ASK)
    assert done.output == TEXT
    assert done.usage.output_tokens == 9
    assert done.usage.input_tokens > 10


async def test_stream_of_text(model: Model, vendor: Vendor) -> None:
    vendor.answers_next(NINE)
    async with Agent(model).run_stream(ASK) as run:
        pieces = [piece async for piece in run.stream_text(delta=True, debounce_by=None)]
    assert "".join(pieces) == TEXT
    assert len(pieces) > 2
    assert run.usage.output_tokens == 9


async def test_tool_is_called_and_its_result_goes_back(model: Model, vendor: Vendor) -> None:
    agent = Agent(model)
    heard = []

    @agent.tool_plain
    def get_tide(port: str) -> str:
        """Say how high the tide is."""
        heard.append(port)
        return "2.5 m"

    vendor.answers_next(NINE, NINE)
    done = await agent.run(ASK)
    parts = [part for message in done.all_messages() for part in message.parts]
    [call] = [part for part in parts if isinstance(part, ToolCallPart)]
    [result] = [part for part in parts if isinstance(part, ToolReturnPart)]
    assert (heard, done.output) == ([ASK], TEXT)
    assert (call.tool_name, call.args_as_dict()) == ("get_tide", {"port": ASK})
    assert (result.tool_call_id, result.content) == (call.tool_call_id, "2.5 m")
    assert call.tool_call_id in vendor.requests[1].raw.decode()


async def test_parallel_tools_are_both_called(model: Model, vendor: Vendor) -> None:
    agent = Agent(model)
    heard = []

    @agent.tool_plain
    def get_tide(port: str) -> str:
        """Say how high the tide is."""
        heard.append(port)
        return "2.5 m"

    @agent.tool_plain
    def get_moon(day: int) -> str:
        """Say how full the moon is."""
        heard.append(str(day))
        return "half"

    both = (ToolCall("get_tide", '{"port":"Ostend"}'), ToolCall("get_moon", '{"day":3}'))
    vendor.answers_next(Behaviour(tools=both), NINE)
    done = await agent.run(ASK)
    assert (sorted(heard), done.output) == (["3", "Ostend"], TEXT)


@pytest.mark.parametrize("how", [ToolOutput, NativeOutput])
async def test_structured_output(model: Model, how: type) -> None:
    done = await Agent(model, output_type=how(Tide)).run(ASK)
    assert done.output == Tide(port=ASK, height=7.5)


@pytest.mark.parametrize("how", [ToolOutput, NativeOutput])
async def test_stream_of_structured_output(model: Model, how: type) -> None:
    async with Agent(model, output_type=how(Tide)).run_stream(ASK) as run:
        assert await run.get_output() == Tide(port=ASK, height=7.5)


async def test_tool_and_structured_output_in_one_run(model: Model, vendor: Vendor) -> None:
    agent = Agent(model, output_type=Tide)

    @agent.tool_plain
    def get_tide(port: str) -> str:
        """Say how high the tide is."""
        return "2.5 m"

    vendor.answers_next(
        Behaviour(tools=(ToolCall("get_tide", '{"port":"Ostend"}'),)),
        Behaviour(tools=(ToolCall("final_result", '{"port":"Ostend","height":2.5}'),)),
    )
    done = await agent.run(ASK)
    assert done.output == Tide(port="Ostend", height=2.5)


@pytest.mark.parametrize(
    ("api", "name"),
    [
        ("chat", "fake-gpt"),
        ("chat", "fake-resp"),
        ("responses", "fake-resp"),
        ("responses", "fake-gpt"),
        ("messages", "fake-claude"),
        ("messages", "fake-gpt"),
    ],
)
async def test_answer_that_is_not_accepted_is_asked_for_again(
    make_model: MakeModel, vendor: Vendor, api: str, name: str
) -> None:
    agent = Agent(make_model(api, name))
    heard = []

    @agent.output_validator
    def check(said: str) -> str:
        heard.append(said)
        if len(heard) == 1:
            raise ModelRetry("Say more.")
        return said

    vendor.answers_next(Behaviour(text="Fog."), Behaviour(text="Fog and rain."))
    done = await agent.run(ASK)
    assert (heard, done.output) == (["Fog.", "Fog and rain."], "Fog and rain.")
    assert "Say more." in vendor.requests[1].raw.decode()


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_system_prompt_amid_the_conversation_cannot_be_said_to_anthropic(
    make_model: MakeModel, vendor: Vendor, api: str
) -> None:
    agent = Agent(make_model(api, "fake-claude"))

    @agent.output_validator
    def check(said: str) -> str:
        raise ModelRetry("Say more.")  # which goes back as a system prompt over OpenAI's APIs

    with pytest.raises(ModelHTTPError, match="system prompts must come first") as caught:
        await agent.run(ASK)
    assert caught.value.status_code == 400
    assert len(vendor.requests) == 1


async def test_conversation_goes_on(model: Model, vendor: Vendor) -> None:
    agent = Agent(model, instructions="Be brief.")
    vendor.answers_next(Behaviour(text="Fog."), Behaviour(text="Rain."))
    first = await agent.run(ASK)
    second = await agent.run("And then?", message_history=first.all_messages())
    sent = vendor.requests[1].raw.decode()
    assert second.output == "Rain."
    assert [word for word in (ASK, "Fog.", "And then?", "Be brief.") if word not in sent] == []


@pytest.mark.parametrize("status", [400, 429])
async def test_error_of_the_provider_is_an_http_error(model: Model, vendor: Vendor, status: int) -> None:
    vendor.answers_next(Behaviour(status=status))
    with pytest.raises(ModelHTTPError) as caught:
        await Agent(model).run(ASK)
    assert caught.value.status_code == status


async def test_thinking_of_anthropic_goes_back_byte_for_byte(make_model: MakeModel, vendor: Vendor) -> None:
    agent = Agent(
        make_model("messages", "fake-claude"),
        model_settings=AnthropicModelSettings(
            anthropic_thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2048
        ),
    )
    signature = "ErUBCkYICBgCIkDCTQUXPc3O" * 4
    vendor.answers_next(Behaviour(reasoning="Fog is\n likely.", signature=signature, text="Fog."), NINE)
    first = await agent.run(ASK)
    await agent.run("And then?", message_history=first.all_messages())
    assert vendor.requests[1].body["messages"][1] == {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Fog is\n likely.", "signature": signature},
            {"type": "text", "text": "Fog."},
        ],
    }
