"""The demo model answers as an OpenAI-compatible vendor would, and misbehaves only on request."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx2
import pytest
import splintr
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI, pydantic_function_tool
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel, Field, TypeAdapter

from seawall.core.money import Usage, cost_of
from seawall.providers import demo_answers as answers
from seawall.providers.demo import DEMO_PRICE, FACTS_HEADER, DemoTransport
from seawall.providers.exchange import Broken, Outgoing

FACTS = {
    "key_name": "first key",
    "output_cap": 512,
    "lowered_from": 100_000,
    "input_tokens_bound": 45,
    "would_hold_usd": "0.00031395",
    "daily_budget_usd": "1.00",
}


class Seen:
    """Everything that came back from one exchange."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        self.status = status
        self.headers = headers
        self.parts: list[bytes] = []
        self.is_broken = False
        self.slept_s: list[float] = []

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)

    def completion(self) -> ChatCompletion:
        return ChatCompletion.model_validate_json(self.body, strict=True)

    def chunks(self) -> list[ChatCompletionChunk]:
        frames = [part.removeprefix(b"data: ").removesuffix(b"\n\n") for part in self.parts]
        return [
            ChatCompletionChunk.model_validate_json(frame, strict=True)
            for frame in frames
            if frame[:1] == b"{"
        ]

    def text(self) -> str:
        return self.completion().choices[0].message.content or ""


async def ask(question: str = "Why is the sky blue?", /, **fields: Any) -> Seen:
    return await exchange({"model": "demo", "messages": [{"role": "user", "content": question}], **fields})


async def exchange(
    body: Any, *, facts: dict[str, Any] | None = None, path: str = "/chat/completions"
) -> Seen:
    slept_s: list[float] = []

    async def sleep(seconds: float) -> None:
        slept_s.append(seconds)

    headers = (("authorization", "Bearer x"), (FACTS_HEADER, json.dumps(facts or {})))
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    transport = DemoTransport(pace_s=0.5, sleep=sleep)
    async with transport.exchange(
        Outgoing(path=path, headers=headers, body=raw, on_sent=lambda: None)
    ) as answer:
        seen = Seen(answer.status, dict(answer.headers))
        try:
            async for part in answer.chunks():
                seen.parts.append(part)
        except Broken:
            seen.is_broken = True
    await transport.close()
    seen.slept_s = [seconds for seconds in slept_s if seconds]
    return seen


def tool(name: str, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "type": "function",
        "function": {"name": name, "description": f"To {name}.", "parameters": parameters},
    }


WEATHER = tool("get_weather", city={"type": "string"}, days={"type": "integer", "minimum": 3})
TIME = tool("get_time", zone={"enum": ["utc", "local"]})
TOOLS = [WEATHER, TIME]


def calls(seen: Seen) -> list[tuple[str, Any]]:
    called = seen.completion().choices[0].message.tool_calls or []
    return [
        (call.function.name, json.loads(call.function.arguments))
        for call in called
        if call.type == "function"
    ]


# Shape


async def test_a_whole_answer_is_a_chat_completion() -> None:
    seen = await ask()
    assert (seen.status, seen.headers) == (200, {"content-type": "application/json"})
    completion = seen.completion()
    assert (completion.model, completion.object) == ("demo", "chat.completion")
    assert [choice.finish_reason for choice in completion.choices] == ["stop"]


async def test_a_stream_has_role_words_finish_usage_and_done_in_this_order() -> None:
    seen = await ask(stream=True, stream_options={"include_usage": True})
    assert seen.headers == {"content-type": "text/event-stream; charset=utf-8"}
    assert all(part.startswith(b"data: ") and part.endswith(b"\n\n") for part in seen.parts)
    assert seen.parts[-1] == b"data: [DONE]\n\n"
    opening, *words, finish, usage = seen.chunks()
    assert (opening.choices[0].delta.role, opening.choices[0].delta.content) == ("assistant", "")
    assert all(len((word.choices[0].delta.content or "").split()) == 1 for word in words)
    assert (finish.choices[0].finish_reason, finish.choices[0].delta.content) == ("stop", None)
    assert usage.choices == []
    assert usage.usage is not None
    assert [chunk.usage for chunk in (opening, *words, finish)] == [None] * (len(words) + 2)


async def test_a_stream_says_the_same_as_the_whole_answer() -> None:
    streamed = await ask(stream=True)
    whole = await ask(stream=False)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in streamed.chunks())
    assert said == whole.text()


async def test_a_stream_without_include_usage_has_no_usage() -> None:
    assert b"usage" not in (await ask(stream=True)).body


async def test_the_same_request_gives_the_same_bytes() -> None:
    first, second, other = await ask(), await ask(), await ask("And at night?")
    assert first.body == second.body
    assert first.completion().id != other.completion().id
    assert first.completion().created != other.completion().created


async def test_each_choice_is_there_and_is_counted() -> None:
    one, three = await ask(), await ask(n=3)
    assert [choice.index for choice in three.completion().choices] == [0, 1, 2]
    assert one.completion().usage is not None
    assert three.completion().usage is not None
    assert three.completion().usage.completion_tokens == 3 * one.completion().usage.completion_tokens  # type: ignore[union-attr] # asserted above


async def test_each_choice_of_a_stream_finishes() -> None:
    seen = await ask(stream=True, n=2)
    finishes = [
        (c.index, c.finish_reason) for chunk in seen.chunks() for c in chunk.choices if c.finish_reason
    ]
    assert finishes == [(0, "stop"), (1, "stop")]


async def test_a_stream_keeps_its_pace_between_events() -> None:
    seen = await ask(stream=True)
    assert seen.slept_s == [0.5] * (len(seen.parts) - 1)


async def test_a_body_that_is_heavy_is_answered_too() -> None:
    seen = await ask("word " * 50_000)
    usage = seen.completion().usage
    assert usage is not None
    assert usage.prompt_tokens == 50_000


async def test_two_answers_at_once_do_not_mix() -> None:
    first, second = await asyncio.gather(ask("apples", stream=True), ask("pears", stream=True))
    assert (b"apples" in first.body, b"pears" in first.body) == (True, False)
    assert (b"apples" in second.body, b"pears" in second.body) == (False, True)


# What it says


async def test_the_answer_tells_what_the_gateway_did() -> None:
    body = {"model": "demo", "messages": [{"role": "user", "content": "Why is\nthe sky blue?"}]}
    assert (await exchange(body, facts=FACTS)).text() == (
        'You asked: "Why is the sky blue?" '
        "I am the demo model that comes with Seawall: no provider was called and nothing was spent. "
        'Your key "first key" was checked first. '
        "Then the budget: a real call would have had $0.00031395 of today's $1.00 set aside. "
        "That is enough for 45 tokens in and 512 out. "
        "You allowed 100000 output tokens; Seawall lowered that to 512. "
        "Next step: give Seawall, not your app, a provider's key (OPENAI_API_KEY in its .env file) "
        "and restart it."
    )


async def test_the_answer_is_whole_without_any_fact() -> None:
    assert (await ask()).text() == (
        'You asked: "Why is the sky blue?" '
        "I am the demo model that comes with Seawall: no provider was called and nothing was spent. "
        "Next step: give Seawall, not your app, a provider's key (OPENAI_API_KEY in its .env file) "
        "and restart it."
    )


async def test_the_answer_stays_short_for_a_long_question() -> None:
    body = {"model": "demo", "messages": [{"role": "user", "content": "why " * 5_000}]}
    assert len((await exchange(body, facts={**FACTS, "key_name": "k " * 99})).text().split()) < 120


async def test_the_answer_echoes_the_text_parts_of_the_last_user_message() -> None:
    parts = [{"type": "image_url", "image_url": {"url": "data:,"}}, {"type": "text", "text": "What is this?"}]
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": "Let me see."},
    ]
    assert 'You asked: "What is this?"' in (await ask(messages=messages)).text()


async def test_nothing_asked_is_greeted() -> None:
    assert (await ask(messages=[{"role": "system", "content": "Be kind."}])).text().startswith("Hello! I am")


# Tokens and caps


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Hello, world!", ["Hello", ",", " world", "!"]),
        ("Don't pay 12345 USD.", ["Don't", " pay", " 123", "45", " USD", "."]),
        ('{"name":"Bob"}', ['{"', "name", '":"', "Bob", '"}']),
        ("snake_case  (x)", ["snake", "_case", "  (x", ")"]),
    ],
)
def test_tokens_are_words_digits_and_marks(text: str, pieces: list[str]) -> None:
    assert list(answers.pieces_of(text)) == pieces
    assert answers.count_tokens(text) == len(pieces)


@pytest.mark.parametrize(
    "text",
    [
        "I'll go, but you don't: it's 3.14159 or 1,000,000!",
        '{"a":[1,2,3],"name":"Bob","nested":{"x":null}}',
        "self.foo[0]['bar'] == call(x, y=snake_case)",
        "Wie geht's dir heute? L'eau d'été, Straßenbahn.",
        "你好世界。今天天气怎么样。 नमस्ते दुनिया",
        "😀😀😀 party",
        "-" * 500 + "x" * 500,
        answers.tell_at_length(),
    ],
)
def test_the_demo_model_counts_no_more_tokens_than_o200k(text: str) -> None:
    tokenizer = splintr.Tokenizer.from_pretrained("o200k_base")
    assert answers.count_tokens(text) <= len(tokenizer.encode_ordinary(text))


@given(st.text(max_size=200))
def test_pieces_join_to_the_text(text: str) -> None:
    pieces = list(answers.pieces_of(text))
    assert "".join(pieces) == text.rstrip()
    assert len(pieces) == answers.count_tokens(text)


async def test_usage_counts_messages_tools_and_format() -> None:
    body = await ask(
        "Hello, world!", messages=[{"role": "system", "content": "Be kind."}, {"role": "user", "content": ""}]
    )
    usage = body.completion().usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.total_tokens) == (3, 3 + usage.completion_tokens)
    with_tools = (await ask("", tools=TOOLS)).completion().usage
    assert with_tools is not None
    assert with_tools.prompt_tokens == answers.count_tokens(json.dumps(TOOLS, separators=(",", ":")))


@given(
    cap=st.integers(1, 5_000),
    choices=st.integers(1, 3),
    word=st.sampled_from(["", "demo:long", "demo:json", "demo:tool"]),
)
async def test_no_choice_is_longer_than_the_cap(cap: int, choices: int, word: str) -> None:
    fields = {"tools": TOOLS, "n": choices}
    full = (await ask(word, **fields)).completion()
    cut = (await ask(word, **fields, max_completion_tokens=cap)).completion()
    assert full.usage is not None
    assert cut.usage is not None
    assert cut.usage.completion_tokens == min(full.usage.completion_tokens, cap * choices)
    is_cut = full.usage.completion_tokens > cap * choices
    assert {choice.finish_reason for choice in cut.choices} == {
        "length" if is_cut else full.choices[0].finish_reason
    }


async def test_the_smaller_of_two_caps_counts() -> None:
    completion = (await ask(max_tokens=3, max_completion_tokens=9)).completion()
    assert completion.choices[0].message.content == "You asked:"
    assert completion.choices[0].finish_reason == "length"


async def test_a_cut_stream_of_tokens_says_length() -> None:
    *_, usage = (
        seen := await ask(stream=True, max_tokens=4, stream_options={"include_usage": True})
    ).chunks()
    assert usage.usage is not None
    assert usage.usage.completion_tokens == 4
    assert [c.choices[0].finish_reason for c in seen.chunks()[:-1]][-1] == "length"


def test_the_price_is_that_of_a_small_model() -> None:
    assert cost_of(DEMO_PRICE, Usage(input=1_000_000, output=1_000_000)) == 750_000_000
    assert (DEMO_PRICE.max_output_tokens, DEMO_PRICE.context_tokens) == (4_096, 128_000)
    assert DEMO_PRICE.source == "what a small model costs"


# Tools


async def test_a_tool_named_in_the_question_is_called() -> None:
    seen = await ask("Please get weather for Oslo", tools=TOOLS)
    assert calls(seen) == [("get_weather", {"city": "demo city", "days": 3})]
    assert seen.completion().choices[0].finish_reason == "tool_calls"
    assert seen.completion().choices[0].message.content is None


@pytest.mark.parametrize(
    ("question", "fields", "names"),
    [
        ("Why is the sky blue?", {}, []),
        ("Use a tool, please", {}, ["get_weather"]),
        ("demo:tool", {}, ["get_weather"]),
        ("what does get_time say?", {}, ["get_time"]),
        ("Use both tools", {}, ["get_weather", "get_time"]),
        ("Call all tools", {}, ["get_weather", "get_time"]),
        ("Call all tools", {"parallel_tool_calls": False}, ["get_weather"]),
        ("Use a tool, please", {"tool_choice": "none"}, []),
        ("Why?", {"tool_choice": "auto"}, []),
        ("Why?", {"tool_choice": "required"}, ["get_weather"]),
        ("Why?", {"tool_choice": {"type": "function", "function": {"name": "get_time"}}}, ["get_time"]),
    ],
)
async def test_tools_are_called_when_asked_for(
    question: str, fields: dict[str, Any], names: list[str]
) -> None:
    seen = await ask(question, tools=TOOLS, **fields)
    assert [name for name, _ in calls(seen)] == names


async def test_parallel_calls_have_ids_of_their_own() -> None:
    message = (await ask("Use both tools", tools=TOOLS)).completion().choices[0].message
    assert len({call.id for call in message.tool_calls or []}) == 2


async def test_a_tool_without_parameters_gets_an_empty_object() -> None:
    assert calls(await ask("ping", tools=[{"type": "function", "function": {"name": "ping"}}])) == [
        ("ping", {})
    ]


async def test_a_streamed_tool_call_is_the_whole_one_in_pieces() -> None:
    whole = (await ask("Use both tools", tools=TOOLS)).completion().choices[0].message.tool_calls or []
    seen = await ask("Use both tools", tools=TOOLS, stream=True)
    arguments = ["", ""]
    names = []
    for chunk in seen.chunks():
        for part in chunk.choices[0].delta.tool_calls or []:
            assert part.function is not None
            arguments[part.index] += part.function.arguments or ""
            names += [part.function.name] if part.id else []
    assert names == ["get_weather", "get_time"]
    assert arguments == [call.function.arguments for call in whole if call.type == "function"]
    assert seen.chunks()[-1].choices[0].finish_reason == "tool_calls"


async def test_after_a_tool_result_it_quotes_the_result() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "get_weather, please"},
        {"role": "assistant", "tool_calls": [call, {**call, "id": "call_2"}]},
        {"role": "tool", "tool_call_id": "call_1", "content": '{"celsius": 21}'},
        {"role": "tool", "tool_call_id": "call_2", "content": "rain"},
    ]
    seen = await ask(messages=messages, tools=TOOLS, tool_choice="required")
    assert seen.text() == (
        'Your tools returned "{"celsius": 21}" and "rain". A real model would now turn that into an answer. '
        "I am the demo model: no provider was called and nothing was spent."
    )


# JSON for a schema


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: Annotated[int, Field(gt=6, lt=9)]


class Dog(BaseModel):
    kind: Literal["dog"]


class Tree(BaseModel):
    name: str
    parent: "Tree | None"
    children: list["Tree"]


class Everything(BaseModel):
    text: Annotated[str, Field(min_length=20, max_length=30)]
    short: Annotated[str, Field(max_length=2)]
    colour: Colour
    pet: Cat | Dog
    tagged: Annotated[Cat | Dog, Field(discriminator="kind")]
    tree: Tree
    numbers: Annotated[list[float], Field(min_length=3, max_length=4)]
    unique: Annotated[set[int], Field(min_length=5)]
    pair: tuple[int, str]
    share: Annotated[float, Field(gt=0.25, lt=0.5)]
    below: Annotated[float, Field(lt=-3)]
    even: Annotated[int, Field(multiple_of=2, ge=-7, le=-5)]
    cents: Annotated[float, Field(multiple_of=0.01, ge=0.05, le=0.06)]
    ready: bool
    nothing: None
    price: Decimal
    day: date
    at: datetime
    id: UUID
    counts: Annotated[dict[str, int], Field(min_length=2)]
    anything: Any
    optional: int | None = None


@pytest.mark.parametrize(
    "shape", [Everything, Tree, Cat | Dog, list[Cat], Colour, dict[str, Tree], int, None]
)
def test_a_value_made_for_a_schema_is_valid(shape: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(shape)
    schema = adapter.json_schema()
    made = answers.instance_of(schema)
    adapter.validate_json(json.dumps(made), strict=True)
    assert made == answers.instance_of(schema)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (True, "demo"),
        ({"properties": {"first_name": {}}}, {"first_name": "demo first name"}),
        ({"properties": {"a": {"type": "integer"}, "b": True}, "required": ["a"]}, {"a": 1}),
        ({"required": ["x"], "additionalProperties": {"const": 7}}, {"x": 7}),
        ({"type": ["null", "integer"]}, 1),
        ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, True),
        ({"oneOf": [{"pattern": "x", "type": "string"}, {"type": "integer", "minimum": 5}]}, 5),
        (
            {"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]},
            {"a": 1, "b": 2},
        ),
        ({"items": {"enum": ["x", "y"]}, "minItems": 3}, ["x", "y", "x"]),
        ({"items": False}, []),
        ({"items": {"type": "integer"}, "maxItems": 0}, []),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"const": "found"}}}, "found"),
        ({"properties": {"self": {"$ref": "#"}, "n": {"type": "null"}}}, {"n": None}),
        ({"type": "number", "exclusiveMinimum": 1}, 2),
        ({"type": "integer", "multipleOf": 1.5}, 3),
    ],
)
def test_values_are_small_and_readable(schema: Any, value: Any) -> None:
    assert answers.instance_of(schema) == value


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (False, "allows nothing"),
        ([], "not a JSON schema"),
        ({"enum": []}, "not a JSON schema"),
        ({"type": "object", "required": 3}, "not a JSON schema"),
        ({"type": "number", "minimum": []}, "not a JSON schema"),
        ({"type": "number", "minimum": "1e999999999"}, "not a JSON schema"),
        ({"type": "date"}, "a type that JSON does not have"),
        ({"type": "string", "pattern": "^a+$"}, "pattern"),
        ({"type": "string", "minLength": 10**12}, "cannot be that long"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "fits no limits"),
        ({"$ref": "#/$defs/none"}, "leads nowhere"),
        ({"$ref": "https://example.com/schema"}, "leads nowhere"),
        ({"properties": {"next": {"$ref": "#"}}, "required": ["next"]}, "without an end"),
        ({"items": {}, "minItems": 10**12}, "too large"),
        ({"minProperties": 10**12, "type": "object"}, "too large"),
        ({"allOf": [{"$ref": "#"}, {"$ref": "#"}]}, "too large"),
        ({"description": "x" * 70_000}, "too large"),
    ],
)
def test_a_schema_that_cannot_be_met_says_why(schema: Any, why: str) -> None:
    with pytest.raises(answers.Impossible, match=why):
        answers.instance_of(schema)


def test_a_schema_with_many_ways_to_fail_ends() -> None:
    schema: dict[str, Any] = {"type": "string", "pattern": "x"}
    for _ in range(12):
        schema = {"anyOf": [schema, schema, schema]}
    with pytest.raises(answers.Impossible):
        answers.instance_of(schema)


async def test_an_impossible_schema_is_a_400_that_says_why() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"pattern": "x"}}}
    seen = await ask(response_format=schema)
    assert seen.status == 400
    error = json.loads(seen.body)["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "unsupported_schema")
    assert error["message"].endswith("it has a pattern, which only a real model can follow.")


# The words


@pytest.mark.parametrize(
    ("word", "status", "kind", "code"),
    [
        ("demo:429", 429, "rate_limit_error", "rate_limit_exceeded"),
        ("demo:500", 500, "server_error", "server_error"),
        ("demo:503", 503, "server_error", "overloaded"),
        ("demo:503 and demo:429", 429, "rate_limit_error", "rate_limit_exceeded"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_status_word_fails_as_a_vendor_fails(
    word: str, status: int, kind: str, code: str, stream: bool
) -> None:
    seen = await ask(f"Try {word}.", stream=stream)
    error = json.loads(seen.body)["error"]
    assert (seen.status, error["type"], error["code"]) == (status, kind, code)
    assert seen.headers == {"content-type": "application/json"} | (
        {"retry-after": "1"} if status == 429 else {}
    )


@pytest.mark.parametrize(
    ("word", "seconds"), [("demo:slow", 5.0), ("demo:slow=2", 2.0), ("demo:slow=0.5.", 0.5)]
)
async def test_demo_slow_waits_once_before_the_answer(word: str, seconds: float) -> None:
    assert (await ask(word)).slept_s == [seconds]
    assert (await ask(word, stream=True)).slept_s[:2] == [seconds, 0.5]


async def test_demo_pace_sets_the_pace() -> None:
    seen = await ask("demo:pace=0.1", stream=True)
    assert seen.slept_s == [0.1] * (len(seen.parts) - 1)


@pytest.mark.parametrize(
    "fields", [{}, {"n": 3}, {"max_tokens": 1}, {"tools": TOOLS, "tool_choice": "required"}]
)
async def test_demo_cut_breaks_a_stream_before_any_finish(fields: dict[str, Any]) -> None:
    seen = await ask("demo:cut", stream=True, stream_options={"include_usage": True}, **fields)
    assert (seen.status, seen.is_broken) == (200, True)
    assert seen.chunks()
    assert {choice.finish_reason for chunk in seen.chunks() for choice in chunk.choices} == {None}
    assert b"[DONE]" not in seen.body


async def test_demo_cut_breaks_a_whole_answer() -> None:
    seen = await ask("demo:cut")
    assert seen.is_broken
    with pytest.raises(json.JSONDecodeError):
        json.loads(seen.body)


async def test_demo_no_usage_reports_none() -> None:
    seen = await ask("demo:no-usage", stream=True, stream_options={"include_usage": True})
    assert {chunk.usage for chunk in seen.chunks()} == {None}
    assert all(chunk.choices for chunk in seen.chunks())
    assert seen.parts[-1] == b"data: [DONE]\n\n"
    assert (await ask("demo:no-usage")).completion().usage is None


async def test_demo_long_is_about_2000_tokens() -> None:
    usage = (await ask("demo:long")).completion().usage
    assert usage is not None
    assert 1_900 < usage.completion_tokens < 2_100


async def test_demo_tool_without_tools_says_so() -> None:
    assert "Your call brought no tool that I may use." in (await ask("demo:tool")).text()


async def test_demo_json_answers_with_an_object() -> None:
    wanted = {"model": "demo", "question": "Hi demo:json", "spent_usd": "0.00"}
    assert json.loads((await ask("Hi demo:json")).text()) == wanted
    assert json.loads((await ask("Hi demo:json", response_format={"type": "json_object"})).text()) == wanted


async def test_demo_refuse_ends_with_content_filter() -> None:
    seen = await ask("demo:refuse", tools=TOOLS, tool_choice="required")
    assert seen.completion().choices[0].finish_reason == "content_filter"


async def test_only_the_last_user_message_is_searched_for_words() -> None:
    messages = [
        {"role": "system", "content": "demo:500"},
        {"role": "user", "content": "demo:429"},
        {"role": "user", "content": "demo:nonsense demo:5000 notdemo:503"},
    ]
    assert (await ask(messages=messages)).status == 200


# What it refuses


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "Input data was truncated"),
        (b'{"model": "\xff"}', "utf-8"),
        ([], "Expected `object`"),
        ({"model": "demo"}, "missing required field `messages`"),
        ({"model": "demo", "messages": []}, "`$.messages`"),
        ({"messages": [{"role": "user"}]}, "missing required field `model`"),
        ({"model": "demo", "messages": [{"role": "user"}], "n": 129}, "`$.n`"),
        ({"model": "demo", "messages": [{"role": "user"}], "max_tokens": 0}, "`$.max_tokens`"),
        ({"model": "demo", "messages": [{"role": "user"}], "tools": [{"function": {}}]}, "field `name`"),
        ({"model": "demo", "messages": [{"role": "user"}], "tool_choice": "required"}, "'tool_choice'"),
        (
            {"model": "demo", "messages": [{"role": "user"}], "tool_choice": {"function": {"name": "x"}}},
            "'tool_choice'",
        ),
    ],
)
async def test_a_malformed_request_is_a_400_that_names_the_field(body: Any, message: str) -> None:
    seen = await exchange(body)
    assert seen.status == 400
    assert message in json.loads(seen.body)["error"]["message"]


async def test_other_paths_are_not_found() -> None:
    assert (await exchange({}, path="/embeddings")).status == 404


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "function", "name", "parameters", "json_schema", "schema", "text", "items", "$ref"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    field=st.sampled_from(
        ["messages", "tools", "tool_choice", "response_format", "stream", "stream_options", "n"]
    ),
    value=JSON,
)
async def test_whatever_a_field_holds_the_answer_is_200_or_400(field: str, value: Any) -> None:
    seen = await ask("use a tool", **{field: value})
    assert seen.status in {200, 400}


# The official client


class Bridge(httpx2.AsyncBaseTransport):
    """Hands the requests of the official client to the demo model."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        outgoing = Outgoing(request.url.path.removeprefix("/v1"), (), await request.aread(), lambda: None)
        async with DemoTransport(pace_s=0).exchange(outgoing) as answer:
            parts = [part async for part in answer.chunks()]
            return httpx2.Response(answer.status, headers=dict(answer.headers), content=b"".join(parts))


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    http = httpx2.AsyncClient(transport=Bridge())
    async with AsyncOpenAI(base_url="http://demo/v1", api_key="sw-x", http_client=http) as client:
        yield client


async def test_the_official_client_parses_structured_output(client: AsyncOpenAI) -> None:
    completion = await client.chat.completions.parse(
        model="demo", messages=[{"role": "user", "content": "A cat, please"}], response_format=Cat
    )
    assert completion.choices[0].message.parsed == Cat(kind="cat", lives=7)


async def test_the_official_client_streams_tool_calls(client: AsyncOpenAI) -> None:
    manager = client.chat.completions.stream(
        model="demo",
        messages=[{"role": "user", "content": "Use a tool"}],
        tools=[pydantic_function_tool(Cat)],
    )
    async with manager as stream:
        completion = await stream.get_final_completion()
    [call] = completion.choices[0].message.tool_calls or []
    assert call.function.parsed_arguments == Cat(kind="cat", lives=7)
