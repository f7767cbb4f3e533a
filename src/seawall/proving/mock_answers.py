"""What the mock provider answers: how many tokens, which text, and how it is written down; no I/O.

Invariants:
- The text of an answer never has more tokens than are billed for it.
- The usage that is reported is the usage that is billed.
- Every text begins with the request's own marker (`echo_of`), cut only where the cap is smaller;
  JSON holds it as the value of its strings.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from seawall.proving.mock_behaviour import Behaviour

Count = Callable[[str], int]

ECHO_CHARS: Final = 40
WORDS: Final = (
    " tide", " wave", " sea", " wall", " port", " ship", " sand", " salt",
    " deep", " moon", " blue", " wind", " rain", " boat", " shore", " sail",
)  # fmt: skip
"""Each is one token of o200k_base wherever it stands."""

LEAKS: Final = ("org-MockOrganisation0001", "sk-mock-****9f3c", "https://platform.mock.example/account")
"""What error bodies and headers of the mock hold and no client of a gateway may ever see."""

TOOL_CALL_TOKENS: Final = 8
"""Hidden tokens around one tool call, about what OpenAI's chat format takes."""


class Terms(Struct, frozen=True):
    """The vendor's price list, in nano-dollars per million tokens, and its limits in tokens.

    An undeclared or larger cap becomes `max_output_tokens`.
    """

    input_rate: int = 10 * 10**9
    output_rate: int = 30 * 10**9
    max_output_tokens: int = 4096
    image_tokens: int = 765

    def cost_of(self, input_tokens: int, output_tokens: int) -> int:
        """Return the bill of one call in nano-dollars, rounded up once."""
        return -(-(input_tokens * self.input_rate + output_tokens * self.output_rate) // 10**6)


class Plan(Struct, frozen=True):
    """One answer, worked out before its first byte: `choices` times the same text.

    `tokens` is for one choice and includes `thinking`. The text comes in `pieces` pieces: `head`
    in `head_pieces` of them, then words. `tool` is the tool that is called with the text as arguments.
    """

    id: str
    model: str
    created: int
    choices: int
    input_tokens: int
    tokens: int
    thinking: int
    head: str
    head_pieces: int
    pieces: int
    pieces_per_event: int
    finish: str
    tool: str = ""

    @property
    def events(self) -> int:
        """Return the number of events that carry content."""
        return -(-self.pieces // self.pieces_per_event)

    def tokens_after(self, events: int) -> int:
        """Return the tokens generated, over all choices, once this many events exist."""
        pieces = min(events * self.pieces_per_event, self.pieces)
        if pieces == self.pieces:
            return self.tokens * self.choices
        shown = self.tokens - self.thinking
        return (self.thinking - (-shown * pieces // self.pieces)) * self.choices

    def piece(self, number: int) -> str:
        """Return one piece of the text."""
        count = self.head_pieces
        if number >= count:
            return WORDS[number % 16]
        size = len(self.head)
        return self.head[size * number // count : size * (number + 1) // count]

    def text(self) -> str:
        """Return the whole text of one choice."""
        first, more = self.head_pieces % 16, self.pieces - self.head_pieces
        return self.head + "".join((WORDS * (more // 16 + 2))[first : first + more])

    def usage(self) -> dict[str, Any]:
        """Return the usage as it is reported: exactly what is billed for the complete answer."""
        output = self.tokens * self.choices
        return {
            "prompt_tokens": self.input_tokens,
            "completion_tokens": output,
            "total_tokens": self.input_tokens + output,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": self.thinking * self.choices,
                "audio_tokens": 0,
            },
        }


def plan_answer(
    number: int, body: Mapping[str, Any], behaviour: Behaviour, terms: Terms, count: Count
) -> Plan:
    """Decide what this request gets, within its cap unless the behaviour says otherwise."""
    limit, wanted = _lengths(body, behaviour, terms)
    thinking = min(behaviour.thinking_tokens, limit)
    echo = echo_of(body)
    tool, text = _json_answer(body, echo)
    extra = count(tool) + TOOL_CALL_TOKENS if tool else 0
    shown = min(count(text) + extra if text else max(wanted, 1), limit - thinking)
    head, head_pieces = fit(text or echo, shown - extra, count)
    is_cut = head != text if text else wanted > shown or behaviour.fills_cap
    if text:
        head_pieces = max(1, -(-len(head) // 4))
    choices = body.get("n")
    return Plan(
        id=f"chatcmpl-mock{number:016d}",
        model=str(body.get("model")),
        created=int(time.time()),
        choices=choices if isinstance(choices, int) and choices > 0 else 1,
        input_tokens=count_prompt(body, terms, count),
        tokens=thinking + shown,
        thinking=thinking,
        head=head,
        head_pieces=head_pieces,
        pieces=head_pieces if text else shown,
        pieces_per_event=max(behaviour.tokens_per_event, 1),
        finish="length" if is_cut else "tool_calls" if tool else "stop",
        tool=tool,
    )


def cap_of(body: Mapping[str, Any], terms: Terms) -> int:
    """Return the output cap of each choice: the least that was declared, at most the model's."""
    declared = (body.get("max_tokens"), body.get("max_completion_tokens"))
    return min([terms.max_output_tokens, *(cap for cap in declared if isinstance(cap, int) and cap > 0)])


def echo_of(body: Mapping[str, Any]) -> str:
    """Return the marker of a request: the first 40 characters of its last user message."""
    for message in reversed(body.get("messages") or []):
        if message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, list):
                content = next((part["text"] for part in content if part.get("type") == "text"), "")
            return str(content)[:ECHO_CHARS].strip()
    return ""


def count_prompt(body: Mapping[str, Any], terms: Terms, count: Count) -> int:
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


def fit(text: str, limit: int, count: Count) -> tuple[str, int]:
    """Return the longest beginning of a text that has at most this many tokens, and how many it has."""
    tokens = count(text)
    if tokens <= limit:
        return text, tokens
    if limit < 1:
        return "", 0
    low, high = 0, len(text)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(text[:middle]) <= limit else (low, middle)
    return text[:low], count(text[:low])


def load_counter(way: str) -> Count:
    """Return a token counter: "o200k" (exact for OpenAI's models) or "bytes" (a quarter of the bytes)."""
    if way == "bytes":
        return lambda text: -(-len(text.encode()) // 4)
    from splintr import Tokenizer  # noqa: PLC0415 - its vocabulary takes 30 MB and is not always wanted

    encode = Tokenizer.from_pretrained("o200k_base").encode_ordinary
    return lambda text: len(encode(text))


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


def _lengths(body: Mapping[str, Any], behaviour: Behaviour, terms: Terms) -> tuple[int, int]:
    """Return the tokens that one choice may have, and those that plain text would have."""
    cap = cap_of(body, terms)
    if not behaviour.over_tokens:
        return cap, cap if behaviour.fills_cap else behaviour.answer_tokens
    is_stream = body.get("stream") is True
    over = behaviour.over_tokens if is_stream else min(behaviour.over_tokens, 4 * cap)
    return over, over


def _json_answer(body: Mapping[str, Any], echo: str) -> tuple[str, str]:
    """Return the tool to call and its arguments, or no tool and JSON, or neither where words are wanted."""
    tool = _chosen_tool(body)
    if tool is not None:
        return tool["name"], _json_text(tool.get("parameters"), echo)
    schema = _wanted_schema(body)
    return "", "" if schema is None else _json_text(schema, echo)


def _chosen_tool(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the function to call: the one that is asked for, else the first; none after a tool's result."""
    functions: list[Mapping[str, Any]] = [
        tool["function"] for tool in body.get("tools") or [] if tool.get("type") == "function"
    ]
    choice = body.get("tool_choice")
    if not functions or choice == "none" or body["messages"][-1].get("role") == "tool":
        return None
    if isinstance(choice, dict):
        wanted = choice.get("function", {}).get("name")
        return next((function for function in functions if function["name"] == wanted), functions[0])
    return functions[0]


def _wanted_schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the JSON schema that the answer must follow, if JSON is asked for."""
    wanted = body.get("response_format")
    if not isinstance(wanted, dict) or wanted.get("type") not in {"json_schema", "json_object"}:
        return None
    if wanted["type"] == "json_object":
        return {"type": "object", "properties": {"echo": {"type": "string"}}}
    return wanted["json_schema"].get("schema") or {}


def _json_text(schema: Any, echo: str) -> str:
    """Return JSON that follows a schema; its strings are the marker."""
    root = schema if isinstance(schema, dict) else {}
    return msgspec.json.encode(_sample(root, root, echo, 0)).decode()


def _sample(schema: Mapping[str, Any], root: Mapping[str, Any], echo: str, depth: int) -> Any:
    """Return one value that follows a schema, at most 16 levels deep."""
    if depth > 16:
        return None
    if "$ref" in schema:
        target: Any = root
        for key in schema["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        return _sample(target, root, echo, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _sample(schema[several][0], root, echo, depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        fields = schema.get("properties", {})
        return {name: _sample(field, root, echo, depth + 1) for name, field in fields.items()}
    if kind == "array":
        return [_sample(schema.get("items", {}), root, echo, depth + 1)]
    plain: dict[str, Any] = {"integer": 7, "number": 7.5, "boolean": True, "null": None}
    return plain.get(kind, echo)
