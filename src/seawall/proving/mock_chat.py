"""OpenAI's chat completions as the mock provider speaks them: requests read, answers written; no I/O."""

import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from seawall.proving.mock_answers import ECHO_CHARS, Ask, Count, Kind, Part, Plan, Terms, Tool
from seawall.proving.mock_behaviour import Behaviour
from seawall.proving.mock_frames import OPENAI_HEADERS, UNKNOWN, error_body, frame
from seawall.proving.mock_samples import ANY_OBJECT

DONE: Final = b"data: [DONE]\n\n"
_UNKNOWN_TAIL: Final = b',"x_vendor":{"kept":true}}\n\n'
_FIELDS: Final[Mapping[Kind, str]] = {
    "text": "content",
    "refusal": "refusal",
    "thinking": "reasoning_content",
}
_FINISH: Final[Mapping[str, str]] = {"stop_sequence": "stop", "refusal": "stop"}


def read_chat(number: int, body: Mapping[str, Any], terms: Terms, count: Count) -> Ask:
    """Read what a chat call asks for; `number` makes its id. Any lookup error means a bad request."""
    choices, stops = body.get("n"), body.get("stop")
    return Ask(
        id=f"chatcmpl-mock{number:016d}",
        model=str(body.get("model")),
        echo=echo_of(body),
        input_tokens=_count_prompt(body, terms, count),
        cap=_cap_of(body, terms),
        choices=choices if isinstance(choices, int) and choices > 0 else 1,
        is_stream=body.get("stream") is True,
        tools=_tools_of(body),
        is_parallel=body.get("parallel_tool_calls") is not False,
        schema=_wanted_schema(body),
        stops=(stops,) if isinstance(stops, str) else tuple(stops or ()),
    )


def echo_of(body: Mapping[str, Any]) -> str:
    """Return the marker of a request: the first 40 characters of its last user message."""
    for message in reversed(body.get("messages") or []):
        if message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, list):
                content = next((part["text"] for part in content if part.get("type") == "text"), "")
            return str(content)[:ECHO_CHARS].strip()
    return ""


class ChatWriter:
    """One chat completion, streamed or whole.

    Reasoning is shown as DeepSeek and vLLM do, in `reasoning_content`; redacted reasoning is not shown.
    """

    headers = OPENAI_HEADERS

    def __init__(self, plan: Plan, behaviour: Behaviour, body: Mapping[str, Any]) -> None:
        self._plan, self._behaviour = plan, behaviour
        options = body.get("stream_options") or {}
        self._own_usage = options.get("include_usage") is True and behaviour.usage == "own"
        self._tail = (b',"usage":null' if self._own_usage else b"") + _UNKNOWN_TAIL
        self._start = self._after = b""
        self._before: list[bytes] = []
        self._coming = list(reversed(plan.parts))
        self._part: Part | None = None
        self._first = self._until = self._tools = 0

    def opening(self) -> bytes:
        """Return what comes before the first content: the role, and the name of the tool that is called."""
        self._start = b"data: " + msgspec.json.encode(self._envelope("chat.completion.chunk"))[:-1]
        delta: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}
        if self._coming and self._coming[-1].kind == "tool":
            delta = {
                "role": "assistant", "content": None, "tool_calls": [self._call(self._coming[-1])],
                "refusal": None,
            }  # fmt: skip
            self._enter()
        frames = self._each(delta)
        if self._behaviour.is_odd:
            return (
                b": a comment\n\nevent: ping\ndata: {}\n\n"
                + frames
                + self._start
                + b',"choices":[]'
                + self._tail
            )
        return frames

    def content(self, number: int) -> bytes:
        """Return the events that carry the pieces of one step, one for each choice."""
        plan = self._plan
        frames = b""
        if number >= self._until:
            frames = self._next()
        part = self._part
        assert part is not None
        if number == 1 and self._behaviour.fault == "badjson":
            return frames + b'data: {"id":"chatcmpl-\n\n'
        if not self._before:
            return frames
        number -= self._first
        text = part.piece(number) if plan.pieces_per_event == 1 else plan.span(part, number)
        tail = self._tail
        if self._behaviour.is_timed:
            tail = b',"x_at_us":%d' % (time.monotonic_ns() // 1000) + tail
        ending = msgspec.json.encode(text) + self._after + tail
        return frames + b"".join([before + ending for before in self._before])

    def closing(self) -> bytes:
        """Return the finish reasons, the usage where it was asked for, and [DONE]."""
        plan = self._plan
        late = chat_usage(plan) if self._behaviour.usage == "late" else None
        last, finish = plan.choices - 1, _FINISH.get(plan.finish, plan.finish)
        frames = [
            self._choice(index, {}, finish, usage=late if index == last else None)
            for index in range(plan.choices)
        ]
        if self._own_usage:
            usage = {"choices": [], "usage": chat_usage(plan)} | UNKNOWN
            frames.append(frame(self._envelope("chat.completion.chunk") | usage))
        return b"".join(frames) + DONE

    def failing(self, way: str) -> bytes:
        """Return an error where a chunk should be."""
        del way
        return b"data: " + error_body(500) + b"\n\n"

    def whole(self) -> bytes:
        """Return the whole answer."""
        plan = self._plan
        said: dict[Kind, str] = {}
        calls = []
        for part in plan.parts:
            text = part.text()
            if part.kind == "tool":
                calls.append(self._call(part, text))
            else:
                said[part.kind] = text
        refusal, reasoning = said.get("refusal"), said.get("thinking")
        content = said.get("text") or (None if calls or refusal else "")
        message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": refusal}
        if calls:
            message["tool_calls"] = [
                {name: value for name, value in one.items() if name != "index"} for one in calls
            ]
        if reasoning:
            message["reasoning_content"] = reasoning
        finish = _FINISH.get(plan.finish, plan.finish)
        choices = [
            {"index": index, "message": message, "logprobs": None, "finish_reason": finish}
            for index in range(plan.choices)
        ]
        body = self._envelope("chat.completion") | {"choices": choices, "usage": chat_usage(plan)} | UNKNOWN
        return msgspec.json.encode(body)

    def error(self, status: int) -> bytes:
        """Return the body of an error."""
        return error_body(status)

    def _next(self) -> bytes:
        """Go to the next part that has content; return what announces a tool call."""
        part = self._enter()
        while not part.pieces:
            part = self._enter()
        if part.kind != "tool":
            return b""
        return self._each({"tool_calls": [self._call(part, number=self._tools - 1)]})

    def _enter(self) -> Part:
        """Take the next part, and make ready what is around its pieces."""
        part = self._part = self._coming.pop()
        self._first, self._until = self._until, self._until + self._plan.events_of(part)
        before, self._after = b"", b'},"logprobs":null,"finish_reason":null}]'
        if part.kind == "tool":
            before = b'"tool_calls":[{"index":%d,"function":{"arguments":' % self._tools
            self._after = b"}}]" + self._after
            self._tools += 1
        elif part.kind in _FIELDS and (part.head or part.kind != "thinking"):
            before = b'"%b":' % _FIELDS[part.kind].encode()
        self._before = [
            self._start + b',"choices":[{"index":%d,"delta":{' % index + before
            for index in range(self._plan.choices if before else 0)
        ]
        return part

    def _call(self, part: Part, arguments: str = "", number: int = 0) -> dict[str, Any]:
        """Return one tool call."""
        function = {"name": part.name, "arguments": arguments}
        return {"index": number, "id": part.id, "type": "function", "function": function}

    def _each(self, delta: Mapping[str, Any]) -> bytes:
        """Write the same delta for each choice."""
        return b"".join(self._choice(index, delta, None) for index in range(self._plan.choices))

    def _choice(
        self,
        index: int,
        delta: Mapping[str, Any],
        finish: str | None,
        *,
        usage: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Write one chunk of one choice; like OpenAI, with a null usage where a usage chunk will follow."""
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk_body = self._envelope("chat.completion.chunk") | {"choices": [choice]}
        if usage is not None or self._own_usage:
            chunk_body["usage"] = usage
        return frame(chunk_body | UNKNOWN)

    def _envelope(self, kind: str) -> dict[str, Any]:
        """Return the fields that every body and chunk of one answer shares."""
        plan = self._plan
        return {
            "id": plan.id, "object": kind, "created": plan.created, "model": plan.model,
            "service_tier": "default", "system_fingerprint": "fp_mock",
        }  # fmt: skip


def chat_usage(plan: Plan) -> dict[str, Any]:
    """Return the usage as it is reported: exactly what is billed for the complete answer."""
    output = plan.output_tokens
    details = {"cached_tokens": plan.cached, "audio_tokens": 0}
    if plan.written_5m or plan.written_1h:
        details["cache_write_tokens"] = plan.written_5m + plan.written_1h
    return {
        "prompt_tokens": plan.input_tokens,
        "completion_tokens": output,
        "total_tokens": plan.input_tokens + output,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": plan.thinking * plan.choices, "audio_tokens": 0},
    }


def _cap_of(body: Mapping[str, Any], terms: Terms) -> int:
    """Return the output cap of each choice: the least that was declared, at most the model's."""
    declared = (body.get("max_tokens"), body.get("max_completion_tokens"))
    return min([terms.max_output_tokens, *(cap for cap in declared if isinstance(cap, int) and cap > 0)])


def _count_prompt(body: Mapping[str, Any], terms: Terms, count: Count) -> int:
    """Return the input tokens as a vendor bills them.

    Three tokens and the role for each message and three for the reply are OpenAI's framing (its
    cookbook, "How to count tokens", 2025); tools, schemas and tool calls count as compact JSON.
    """
    tokens = 3
    for message in body.get("messages") or []:
        tokens += 4 + _count_content(message.get("content"), terms, count)
        if "name" in message:
            tokens += 1 + count(str(message["name"]))
        if message.get("tool_calls"):
            tokens += count(msgspec.json.encode(message["tool_calls"]).decode())
    for field in ("tools", "functions", "response_format"):
        if body.get(field):
            tokens += count(msgspec.json.encode(body[field]).decode())
    return tokens


def _count_content(content: object, terms: Terms, count: Count) -> int:
    """Count one message's content: text, or a list of text and image parts."""
    if isinstance(content, str):
        return count(content)
    tokens = 0
    for part in content if isinstance(content, list) else []:
        if part.get("type") == "text":
            tokens += count(part["text"])
        elif part.get("type") == "image_url":
            low = isinstance(part["image_url"], dict) and part["image_url"].get("detail") == "low"
            tokens += 85 if low else terms.image_tokens
    return tokens


def _tools_of(body: Mapping[str, Any]) -> tuple[Tool, ...]:
    """Return the functions to call, the one that is asked for first; none after a tool's result."""
    functions: list[Mapping[str, Any]] = [
        tool["function"] for tool in body.get("tools") or [] if tool.get("type") == "function"
    ]
    choice = body.get("tool_choice")
    if not functions or choice == "none" or body["messages"][-1].get("role") == "tool":
        return ()
    if isinstance(choice, dict):
        wanted = choice.get("function", {}).get("name")
        functions = [next((one for one in functions if one["name"] == wanted), functions[0])]
    return tuple(Tool(function["name"], function.get("parameters")) for function in functions)


def _wanted_schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the JSON schema that the answer must follow, if JSON is asked for."""
    wanted = body.get("response_format")
    if not isinstance(wanted, dict) or wanted.get("type") not in {"json_schema", "json_object"}:
        return None
    if wanted["type"] == "json_object":
        return ANY_OBJECT
    return wanted["json_schema"].get("schema") or {}
