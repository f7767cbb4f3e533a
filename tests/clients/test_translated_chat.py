"""Chat completions from providers that speak Anthropic's messages or OpenAI's responses, with OpenAI's own client."""

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from seawall.proving.mock_answers import LEAKS
from seawall.proving.mock_behaviour import REDACTED, REFUSAL, Behaviour, ToolCall
from tests.fixtures.clients import Key, Vendor, said
from tests.fixtures.mock_calls import until

ANTHROPIC, RESPONSES = "fake-claude", "fake-resp"
BOTH_PROVIDERS = pytest.mark.parametrize("model", [ANTHROPIC, RESPONSES])

ASK = said("Which sea is calm?")
NINE = Behaviour(answer_tokens=9)
TEXT = "Which sea is calm? ship sand salt deep"
"""What the fake provider says with nine tokens."""

WORDS = ["Whi", "ch s", "ea ", "is c", "alm?", " ship", " sand", " salt", " deep"]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SEAL = "EqQBCkgIYhABGAIiQL+9/Zmx0kDCTQUXPc3OErUBCkYICBgCIkDCTQUXPc3O"
PARAMETERS = {"type": "object", "properties": {"port": {"type": "string"}}, "required": ["port"]}
TOOLS: Any = [
    {"type": "function", "function": {"name": name, "parameters": PARAMETERS}}
    for name in ("get_tide", "get_moon")
]
BOTH_TOOLS = (
    ToolCall("get_tide", '{"port":"Ostend"}', "call_1"),
    ToolCall("get_moon", '{"port":"Dover"}', "call_2"),
)


class Tide(BaseModel):
    """What is to be found out."""

    port: str
    height: float


def ask(client: OpenAI, model: str, **fields: Any) -> Any:
    """Ask, unless the fields say what."""
    return client.chat.completions.create(**{"model": model, "messages": ASK, **fields})


def called(answer: Any) -> list[tuple[str, str, str]]:
    """Return id, name and arguments of every function that an answer calls."""
    calls = answer.choices[0].message.tool_calls or []
    return [(call.id, call.function.name, call.function.arguments) for call in calls]


@BOTH_PROVIDERS
def test_whole_answer(client: OpenAI, vendor: Vendor, model: str) -> None:
    vendor.answers_next(NINE)
    answer = ask(client, model)
    [choice] = answer.choices
    assert (answer.object, answer.model, answer.id[:9]) == ("chat.completion", model, "chatcmpl-")
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", TEXT, "stop")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (
        vendor.requests[0].input_tokens,
        9,
    )
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 9


@BOTH_PROVIDERS
def test_stream(client: OpenAI, vendor: Vendor, model: str) -> None:
    vendor.answers_next(NINE)
    chunks = list(ask(client, model, stream=True, stream_options={"include_usage": True}))
    *others, last = chunks
    assert [chunk.choices[0].delta.content for chunk in others if chunk.choices[0].delta.content] == WORDS
    assert [chunk.choices[0].finish_reason for chunk in others if chunk.choices[0].finish_reason] == ["stop"]
    assert (last.choices, last.usage.completion_tokens) == ([], 9)
    assert len({chunk.id for chunk in chunks}) == 1


@BOTH_PROVIDERS
async def test_stream_helper_for_async_programs(
    async_client: AsyncOpenAI, vendor: Vendor, model: str
) -> None:
    vendor.answers_next(NINE)
    async with async_client.chat.completions.stream(model=model, messages=ASK) as stream:
        kinds = {event.type async for event in stream}
        answer = await stream.get_final_completion()
    assert kinds == {"chunk", "content.delta", "content.done"}
    assert answer.choices[0].message.content == TEXT


@BOTH_PROVIDERS
@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])
def test_parallel_tool_calls_and_their_results(
    client: OpenAI, vendor: Vendor, model: str, is_stream: bool
) -> None:
    vendor.answers_next(Behaviour(text="Let me look.", tools=BOTH_TOOLS), NINE)
    if is_stream:
        with client.chat.completions.stream(model=model, messages=ASK, tools=TOOLS) as stream:
            first: Any = stream.get_final_completion()
    else:
        first = ask(client, model, tools=TOOLS)
    results = [
        {"role": "tool", "tool_call_id": call_id, "content": f"2.5 m in {name}"}
        for call_id, name, _ in called(first)
    ]
    second = ask(client, model, tools=TOOLS, messages=[*ASK, first.choices[0].message, *results])
    sent = vendor.requests[1].raw.decode()
    assert called(first) == [(one.id, one.name, one.arguments) for one in BOTH_TOOLS]
    assert (first.choices[0].message.content, first.choices[0].finish_reason) == (
        "Let me look.",
        "tool_calls",
    )
    assert second.choices[0].message.content == TEXT
    assert [
        word for word in ("call_1", "call_2", "2.5 m in get_tide", "Let me look.") if word not in sent
    ] == []


@BOTH_PROVIDERS
@pytest.mark.parametrize(
    ("choice", "name"),
    [
        ("required", "get_tide"),
        ({"type": "function", "function": {"name": "get_moon"}}, "get_moon"),
        ("none", None),
    ],
    ids=["required", "named", "none"],
)
def test_choice_of_a_tool_arrives(
    client: OpenAI, vendor: Vendor, model: str, choice: Any, name: str | None
) -> None:
    answer = ask(client, model, tools=TOOLS, tool_choice=choice)
    assert [called_name for _, called_name, _ in called(answer)] == ([name] if name else [])


@BOTH_PROVIDERS
def test_object_is_parsed(client: OpenAI, model: str) -> None:
    answer = client.chat.completions.parse(model=model, messages=ASK, response_format=Tide)
    assert answer.choices[0].message.parsed == Tide(port="Which sea is calm?", height=7.5)


@BOTH_PROVIDERS
def test_image_and_system_prompt_arrive(client: OpenAI, vendor: Vendor, model: str) -> None:
    data_url = f"data:image/png;base64,{PIXEL}"
    content: Any = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": data_url}},
        {"type": "image_url", "image_url": {"url": "https://images.example/sea.png"}},
    ]
    vendor.answers_next(NINE)
    ask(
        client,
        model,
        messages=[{"role": "developer", "content": "Be brief."}, {"role": "user", "content": content}],
    )
    body = vendor.requests[0].body
    if model == ANTHROPIC:
        assert body["system"] == "Be brief."
        assert [block["source"] for block in body["messages"][0]["content"][1:]] == [
            {"type": "base64", "media_type": "image/png", "data": PIXEL},
            {"type": "url", "url": "https://images.example/sea.png"},
        ]
    else:
        assert "Be brief." in vendor.requests[0].raw.decode()
        assert [part["image_url"] for part in body["input"][-1]["content"][1:]] == [
            data_url,
            "https://images.example/sea.png",
        ]


@BOTH_PROVIDERS
def test_answer_that_reaches_its_cap_ends_with_length(client: OpenAI, model: str) -> None:
    answer = ask(client, model, max_completion_tokens=20)
    assert (answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("length", 20)


def test_stop_words_arrive_at_anthropic_and_cannot_be_said_in_responses(
    client: OpenAI, vendor: Vendor
) -> None:
    vendor.answers_next(Behaviour(text="One. Two. Three."))
    answer = ask(client, ANTHROPIC, stop=["Two"])
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("One. ", "stop")
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, RESPONSES, stop=["Two"])
    assert (caught.value.code, caught.value.param) == ("untranslatable", "stop")


def test_refusal_of_anthropics_model_is_a_content_filter(client: OpenAI, vendor: Vendor) -> None:
    vendor.answers_next(Behaviour(ends="refusal"))
    answer = ask(client, ANTHROPIC)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (REFUSAL, "content_filter")


def test_refusal_of_openais_model_is_told_as_one(client: OpenAI, vendor: Vendor) -> None:
    vendor.answers_next(Behaviour(ends="refusal"))
    answer = ask(client, RESPONSES)
    assert (answer.choices[0].message.refusal, answer.choices[0].message.content) == (REFUSAL, None)


@BOTH_PROVIDERS
def test_cached_tokens_are_part_of_the_prompt(client: OpenAI, vendor: Vendor, model: str) -> None:
    vendor.answers_next(Behaviour(answer_tokens=9, cached_tokens=60))
    answer = ask(client, model, messages=[{"role": "system", "content": "Be brief. " * 50}, *ASK])
    assert answer.usage.prompt_tokens == vendor.requests[0].input_tokens
    assert answer.usage.prompt_tokens_details.cached_tokens == 60


@BOTH_PROVIDERS
@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])
def test_sealed_reasoning_goes_back_byte_for_byte(
    client: OpenAI, vendor: Vendor, model: str, is_stream: bool
) -> None:
    vendor.answers_next(
        Behaviour(reasoning="The harbour first.", signature=SEAL, redacted=REDACTED, text="Fog."), NINE
    )
    if is_stream:
        with client.chat.completions.stream(
            model=model, messages=ASK, reasoning_effort="low", max_tokens=2048
        ) as stream:
            message: Any = stream.get_final_completion().choices[0].message
    else:
        message = ask(client, model, reasoning_effort="low", max_tokens=2048).choices[0].message
    ask(
        client,
        model,
        reasoning_effort="low",
        max_tokens=2048,
        messages=[*ASK, message.to_dict(), *said("And?")],
    )
    sent = vendor.requests[1].raw.decode()
    assert message.content == "Fog."
    assert (SEAL in sent, REDACTED in sent) == (True, True)


def test_effort_arrives_at_anthropic(client: OpenAI, vendor: Vendor) -> None:
    vendor.answers_next(NINE)
    ask(client, ANTHROPIC, reasoning_effort="low", max_tokens=2048)
    body = vendor.requests[0].body
    assert (body["thinking"], body["output_config"]) == ({"type": "adaptive"}, {"effort": "low"})


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"seed": 7}, "seed"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"logit_bias": {"1": 5}}, "logit_bias"),
        ({"temperature": 1.5}, "temperature"),
        ({"messages": [*ASK, {"role": "system", "content": "Stop."}]}, "messages[1]"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_field_that_anthropic_has_no_words_for_is_a_bad_request_that_names_it(
    client: OpenAI, vendor: Vendor, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, ANTHROPIC, **fields)
    assert (caught.value.code, caught.value.param) == ("untranslatable", param)
    assert vendor.requests == []


@BOTH_PROVIDERS
@pytest.mark.parametrize(
    ("vendor_status", "kind", "status"),
    [
        (400, openai.BadRequestError, 400),
        (401, openai.InternalServerError, 502),
        (404, openai.NotFoundError, 404),
        (429, openai.RateLimitError, 429),
        (500, openai.InternalServerError, 502),
    ],
)
def test_error_of_the_vendor_is_the_usual_exception_and_leaks_nothing(
    client: OpenAI,
    vendor: Vendor,
    model: str,
    vendor_status: int,
    kind: type[openai.APIStatusError],
    status: int,
) -> None:
    vendor.answers_next(Behaviour(status=vendor_status))
    with pytest.raises(openai.APIStatusError) as caught:
        ask(client, model)
    error = caught.value
    everything = f"{error} {error.body} {error.response.headers.multi_items()}"
    assert (type(error), error.status_code) == (kind, status)
    assert [leak for leak in (*LEAKS, "req_mock") if leak in everything] == []


@BOTH_PROVIDERS
@pytest.mark.parametrize("way", ["eof", "end", "error"])
def test_stream_that_breaks_raises_after_what_has_come(
    client: OpenAI, vendor: Vendor, model: str, way: Any
) -> None:
    vendor.answers_next(Behaviour(breaks=way, break_after=3))
    pieces: list[str] = []
    with pytest.raises(openai.APIError) as caught:
        pieces.extend(chunk.choices[0].delta.content or "" for chunk in ask(client, model, stream=True))
    assert [piece for piece in pieces if piece] == WORDS[:3]
    assert [leak for leak in LEAKS if leak in f"{caught.value} {caught.value.body}"] == []


async def test_call_costs_what_its_usage_says(async_client: AsyncOpenAI, key: Key, vendor: Vendor) -> None:
    vendor.answers_next(Behaviour(answer_tokens=9, cached_tokens=20))
    raw = await async_client.chat.completions.with_raw_response.create(
        model=ANTHROPIC, messages=[{"role": "system", "content": "Be brief. " * 20}, *ASK]
    )
    await until(lambda: len(key.calls()) == 1)
    [call] = key.calls()
    assert (call["model"], call["provider"], call["status"]) == (ANTHROPIC, "mock_claude", 200)
    assert raw.headers["seawall-cost-usd"] == call["cost_usd"]
    assert sum(seen.cost for seen in vendor.requests) == round(float(call["cost_usd"]) * 1e9)
