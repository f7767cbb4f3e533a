"""What the mock provider says besides money: errors, faults, tools, JSON, and how it is told what to do."""

import json
import signal
import subprocess
import sys
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.mock_calls import (
    ECHO,
    LONGER,
    ask,
    call,
    chunks_of,
    client_of,
    o200k,
    open_stream,
    provider,
    text_of,
    until,
)

from seawall.proving.mock_answers import ECHO_CHARS, LEAKS, Terms, plan_answer
from seawall.proving.mock_behaviour import REFUSAL, SUFFIXES, Behaviour, ToolCall, read_suffixes
from seawall.proving.mock_chat import read_chat
from seawall.proving.mock_connection import Seen
from seawall.proving.mock_provider import run_in_thread


@given(echo=st.text(max_size=60), cap=st.integers(1, 90), thinking=st.integers(0, 20), size=st.integers(1, 5))
def test_text_never_has_more_tokens_than_are_billed(echo: str, cap: int, thinking: int, size: int) -> None:
    body = {"messages": [{"role": "user", "content": echo}], "max_tokens": cap}
    ask = read_chat(1, body, Terms(), o200k())
    plan = plan_answer(ask, Behaviour(thinking_tokens=thinking, tokens_per_event=size), o200k())
    [part] = plan.parts
    assert o200k()(part.text()) <= plan.tokens - plan.thinking
    assert plan.tokens <= cap
    assert part.text() == "".join(map(part.piece, range(part.pieces)))
    assert part.text() == "".join(plan.span(part, event) for event in range(plan.events))
    billed = [plan.tokens_after(events) for events in range(1, plan.events + 1)]
    assert billed == sorted(billed)
    assert not billed or billed[-1] == plan.tokens
    marker = echo[:ECHO_CHARS].strip()
    assert part.text().startswith(marker) or o200k()(marker) > cap - thinking


@pytest.mark.parametrize(
    ("status", "output"),
    [(400, 0), (401, 0), (429, 0), (500, 0), (503, 0), (529, 0), (408, 64), (502, 64), (504, 64)],
)
async def test_error_holds_what_must_not_leak(status: int, output: int) -> None:
    async with provider() as mock:
        answer = await call(mock, ask(f"-e{status}"))
        assert answer.status_code == status
        assert all(leak in answer.json()["error"]["message"] for leak in LEAKS)
        assert answer.headers.get("retry-after") == ("7" if status in {429, 503} else None)
        assert mock.total().output_tokens == output
        assert (mock.bill > 0) == (output > 0)


async def test_faulty_answers() -> None:
    async with provider() as mock, client_of(mock) as client:
        bad = await client.post("/chat/completions", json=ask("-badjson"))
        with pytest.raises(json.JSONDecodeError):
            bad.json()
        away = await client.post("/chat/completions", json=ask("-redirect"))
        assert (away.status_code, away.headers["location"]) == (307, "/v1/elsewhere")
        huge = await client.post("/chat/completions", json=ask("-hugehead9000"))
        assert len(huge.headers["x-huge"]) == 9000
        late = await client.post("/chat/completions", json=ask("-e429-ra60"))
        assert late.headers["retry-after"] == "60"
        assert [seen.output_tokens for seen in mock.requests] == [64, 0, 64, 0]
        assert mock.open_connections == 1


async def test_odd_and_split_frames_say_the_same() -> None:
    async with provider() as mock:
        odd = (await call(mock, ask("-odd-split-w3-at", stream=True))).text
        plain = (await call(mock, ask(stream=True))).text
        assert odd.startswith(": a comment\n\nevent: ping\n")
        assert text_of(chunks_of(odd)) == text_of(chunks_of(plain))
        assert odd.count('"x_at_us":') == 22
        assert odd.endswith("data: [DONE]\n\n")


def weather() -> dict[str, Any]:
    city = {"type": "string", "description": "Where."}
    schema = {
        "type": "object",
        "properties": {"city": city, "days": {"type": "integer"}},
        "required": ["city"],
    }
    return {"type": "function", "function": {"name": "weather", "parameters": schema}}


async def test_tool_is_called_with_arguments_that_fit_its_schema() -> None:
    async with provider() as mock:
        whole = (await call(mock, ask(tools=[weather()]))).json()
        [tool_call] = whole["choices"][0]["message"]["tool_calls"]
        assert whole["choices"][0]["finish_reason"] == "tool_calls"
        assert json.loads(tool_call["function"]["arguments"]) == {"city": ECHO, "days": 7}
        chunks = chunks_of((await call(mock, ask(tools=[weather()], stream=True))).text)
        deltas = [chunk["choices"][0]["delta"].get("tool_calls", [{}])[0] for chunk in chunks]
        assert deltas[0]["function"] == {"name": "weather", "arguments": ""}
        arguments = "".join(delta.get("function", {}).get("arguments", "") for delta in deltas)
        assert arguments == tool_call["function"]["arguments"]
        after = ask(tools=[weather()])
        after["messages"] += [{"role": "tool", "tool_call_id": tool_call["id"], "content": "fog"}]
        assert (await call(mock, after)).json()["choices"][0]["message"]["content"].startswith(ECHO)
        first, second, _ = mock.requests
        assert first.cost == second.cost


async def test_json_is_answered_by_schema_and_cut_at_the_cap() -> None:
    schema = {
        "type": "object",
        "properties": {
            "steps": {"type": "array", "items": {"$ref": "#/$defs/Step"}},
            "sure": {"type": "boolean"},
        },
        "$defs": {"Step": {"type": "object", "properties": {"text": {"type": "string"}}}},
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "plan", "strict": True, "schema": schema}}
    async with provider() as mock:
        answer = (await call(mock, ask(response_format=wanted))).json()
        assert json.loads(answer["choices"][0]["message"]["content"]) == {
            "steps": [{"text": ECHO}],
            "sure": True,
        }
        assert answer["choices"][0]["finish_reason"] == "stop"
        cut = (await call(mock, ask(response_format=wanted, max_tokens=5))).json()
        assert cut["usage"]["completion_tokens"] == 5
        assert cut["choices"][0]["finish_reason"] == "length"
        loose = (await call(mock, ask(response_format={"type": "json_object"}))).json()
        assert json.loads(loose["choices"][0]["message"]["content"]) == {"echo": ECHO}


async def test_script_comes_before_the_body_and_the_body_before_the_model() -> None:
    def script(seen: Seen) -> Behaviour | None:
        return Behaviour(status=418) if seen.number == 1 else None

    async with provider(script=script) as mock:
        statuses = [(await call(mock, ask("-e500", x_mock="e503"))).status_code for _ in range(2)]
        statuses.append((await call(mock, ask("-e500"))).status_code)
        assert statuses == [418, 503, 500]
        assert mock.requests[1].body["x_mock"] == "e503"
        assert json.loads(mock.requests[1].raw) == mock.requests[1].body


async def test_request_on_a_busy_connection_is_an_overlap() -> None:
    async with provider() as mock:
        reader, writer = await open_stream(mock, ask("-g60000"))
        await reader.readuntil(b"content")
        writer.write(b"GET /v1/models HTTP/1.1\r\n\r\n")
        await until(lambda: mock.overlaps == 1)
        writer.transport.abort()


async def test_models_bill_and_unknown_paths() -> None:
    async with provider(models=("a", "b"), kept_max=1) as mock, client_of(mock) as client:
        listed = (await client.get("/models")).json()
        assert [model["id"] for model in listed["data"]] == ["a", "b"]
        assert (await client.post("/elsewhere", json={})).status_code == 404
        assert (await client.post("/chat/completions", content=b"[1]")).status_code == 200
        assert (await client.post("/chat/completions", json={"messages": [7]})).status_code == 400
        root = f"http://127.0.0.1:{mock.port}"
        assert (await client.get(f"{root}/bill")).json()["bill"] == mock.bill
        assert len(mock.requests) == 1


def test_thread_with_a_loop_of_its_own() -> None:
    with run_in_thread(provider(terms=Terms(input_rate=0, output_rate=10**6))) as mock:
        answer = httpx.post(
            f"{mock.base_url}/chat/completions", json=ask("-close"), trust_env=False, timeout=LONGER
        )
        assert answer.headers["connection"] == "close"
        assert mock.bill == 64
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{mock.base_url}/models", trust_env=False)


def test_process_serves_until_it_is_told_to_stop() -> None:
    command = [sys.executable, "-m", "seawall.proving.mock_provider", "--counter", "bytes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        answer = httpx.post(f"{base_url}/chat/completions", json=ask(), trust_env=False, timeout=LONGER)
        assert answer.json()["usage"]["completion_tokens"] == 64
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONGER) == 0


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_suffix_changes_something(suffix: str) -> None:
    short, long = suffix.partition("[")[0], suffix.replace("[N]", "N").replace("N", "404")
    if "[N]" in suffix:
        assert read_suffixes(f"fake-gpt-{short}", Behaviour()) != Behaviour()
    assert read_suffixes(f"fake-gpt-{long}", Behaviour()) != Behaviour()
    assert read_suffixes("fake-gpt-4o-mini-2024-07-18", Behaviour()) == Behaviour()


async def test_scripted_parts_are_said_in_chat_whole_and_streamed() -> None:
    tools = (ToolCall("get_tide", '{"port":"Hull"}'), ToolCall("get_moon", '{"day":1}'))
    said = Behaviour(
        reasoning="Hm, fog.", redacted="b3BhcXVl", text="Let me see.", tools=tools, cached_tokens=9
    )
    async with provider(behaviour=said) as mock:
        whole = (await call(mock, ask())).json()
        [choice] = whole["choices"]
        chunks = chunks_of((await call(mock, ask(stream=True, stream_options={"include_usage": True}))).text)
        assert chunks[-1]["usage"] == whole["usage"]
        assert whole["usage"]["prompt_tokens_details"]["cached_tokens"] == 9
        first, second = mock.requests
        assert first.cost == second.cost == Terms().cost_of(first.input_tokens, first.output_tokens, cached=9)
    message = choice["message"]
    assert (choice["finish_reason"], message["content"]) == ("tool_calls", "Let me see.")
    assert message["reasoning_content"] == "Hm, fog."
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    for field in ("content", "reasoning_content"):
        assert "".join(delta.get(field) or "" for delta in deltas) == message[field]
    pieces = [piece for delta in deltas for piece in delta.get("tool_calls", [])]
    for index, tool in enumerate(tools):
        mine = [piece for piece in pieces if piece["index"] == index]
        assert mine[0]["function"]["name"] == tool.name == message["tool_calls"][index]["function"]["name"]
        assert "".join(piece["function"]["arguments"] for piece in mine) == tool.arguments
        assert [piece["id"] for piece in mine if "id" in piece] == [
            f"call_chatcmpl-mock0000000000000002{'_1' * index}"
        ]


@pytest.mark.parametrize(
    ("mocked", "fields", "finish", "field", "text"),
    [
        ("-refuse", {}, "stop", "refusal", REFUSAL),
        ("-filter-s3", {}, "content_filter", "content", "Which of the"),
        ("-empty", {}, "stop", "content", ""),
        ("", {"x_mock": {"text": "One STOP two"}, "stop": "STOP"}, "stop", "content", "One "),
        ("", {"x_mock": {"text": "One two three"}, "max_tokens": 2}, "length", "content", "One two"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_endings_are_said_in_chat(
    mocked: str, fields: dict[str, Any], finish: str, field: str, text: str, stream: bool
) -> None:
    async with provider() as mock:
        answer = await call(mock, ask(mocked, stream=stream, **fields))
        choices = (
            [chunk["choices"][0] for chunk in chunks_of(answer.text)] if stream else answer.json()["choices"]
        )
        said = "".join(
            (choice.get("delta") or choice.get("message") or {}).get(field) or "" for choice in choices
        )
        assert (choices[-1]["finish_reason"], said) == (finish, text)
        assert o200k()(text) <= mock.total().output_tokens
