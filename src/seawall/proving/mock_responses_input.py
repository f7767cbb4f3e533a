"""OpenAI's responses as the mock provider reads them, what it refuses and what it keeps; no I/O.

It is strict where OpenAI is and a gateway can go wrong: unknown parameters and items, content of the wrong
kind for its role, tools in chat's shape, calls and results that do not fit together, responses and reasoning
items that it does not know or was told not to keep, encrypted reasoning that is not base64 or, where the
mock made it by itself, was changed.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from seawall.proving.mock_answers import ECHO_CHARS, SEAL_PREFIX, Ask, Count, Terms, Tool, is_seal
from seawall.proving.mock_frames import Refused
from seawall.proving.mock_samples import ANY_OBJECT

Item = Mapping[str, Any]

ENCRYPTED: Final = "reasoning.encrypted_content"
_KEPT_MAX: Final = 10_000
_CAP_MIN: Final = 16
_FIELDS: Final = frozenset({
    "background", "context_management", "conversation", "include", "input", "instructions",
    "max_output_tokens", "max_tool_calls", "metadata", "model", "parallel_tool_calls", "previous_response_id",
    "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning",
    "safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature", "text",
    "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user", "x_mock",
})  # fmt: skip
_INCLUDES: Final = frozenset({
    "file_search_call.results", "web_search_call.results", "web_search_call.action.sources",
    "message.input_image.image_url", "computer_call_output.output.image_url", "code_interpreter_call.outputs",
    ENCRYPTED, "message.output_text.logprobs",
})  # fmt: skip
_INPUT_PARTS: Final = frozenset({"input_text", "input_image", "input_file", "input_audio"})
_OUTPUT_PARTS: Final = frozenset({"output_text", "refusal"})
_ITEMS: Final = frozenset({
    "message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output",
    "reasoning", "compaction",
})  # fmt: skip


class Shelf:
    """What the provider keeps: for each response the whole conversation up to it, and its items by id.

    At most `_KEPT_MAX` responses, the newest.
    """

    def __init__(self) -> None:
        self._talks: OrderedDict[str, tuple[Item, ...]] = OrderedDict()
        self._encrypted: OrderedDict[str, None] = OrderedDict()

    def keep(self, response_id: str, items: Sequence[Item]) -> None:
        """Keep a conversation, the response's own items the last."""
        self._talks[response_id] = tuple(items)
        if len(self._talks) > _KEPT_MAX:
            self._talks.popitem(last=False)

    def talk_of(self, response_id: str) -> tuple[Item, ...]:
        """Return the conversation up to a response; refuses one that is not kept."""
        talk = self._talks.get(response_id)
        if talk is None:
            raise Refused(
                f"Previous response with id '{response_id}' not found.",
                param="previous_response_id",
                code="previous_response_not_found",
            )
        return talk

    def item_of(self, item_id: str) -> Item:
        """Return a kept item; refuses one that is not kept."""
        for talk in reversed(self._talks.values()):
            for item in talk:
                if item.get("id") == item_id:
                    return item
        raise Refused(
            f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false.",
            status=404,
            param="input",
        )

    def seal(self, encrypted: str) -> None:
        """Remember encrypted reasoning as given out."""
        self._encrypted[encrypted] = None
        if len(self._encrypted) > _KEPT_MAX:
            self._encrypted.popitem(last=False)

    def check_seal(self, encrypted: str) -> None:
        """Refuse what is no seal, and a seal that the mock made but did not give out like this."""
        if not is_seal(encrypted) or (encrypted.startswith(SEAL_PREFIX) and encrypted not in self._encrypted):
            raise Refused(
                "The encrypted content could not be verified.",
                code="invalid_encrypted_content",
                param="input",
            )


def read_responses(number: int, body: Mapping[str, Any], shelf: Shelf, terms: Terms, count: Count) -> Ask:
    """Read what a call asks for; `number` makes its id. Raises `Refused`, or any lookup error."""
    _check_fields(body)
    items = conversation(body, shelf)
    _check_items(items[len(items) - len(input_items(body)) :], shelf)
    _check_calls(items)
    reasoning = body.get("reasoning") or {}
    reasons: Literal["", "shown", "hidden"] = ""
    if reasoning and reasoning.get("effort") != "none":
        reasons = "shown" if reasoning.get("summary") else "hidden"
    return Ask(
        id=f"resp_mock{number:016d}",
        model=str(body["model"]),
        echo=_echo_of(items),
        input_tokens=_count_prompt(body, items, terms, count),
        cap=min(terms.max_output_tokens, body.get("max_output_tokens") or terms.max_output_tokens),
        is_stream=body.get("stream") is True,
        tools=_tools_of(body, items),
        is_parallel=body.get("parallel_tool_calls") is not False,
        schema=_wanted_schema(body),
        reasons=reasons,
    )


def input_items(body: Mapping[str, Any]) -> list[Item]:
    """Return a request's own input as items."""
    given = body.get("input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return [item if "type" in item else {"type": "message", **item} for item in given or []]


def conversation(body: Mapping[str, Any], shelf: Shelf) -> list[Item]:
    """Return all items of a request, those of the previous response first, kept ones for their ids."""
    previous = body.get("previous_response_id")
    own = [
        shelf.item_of(item["id"]) if item["type"] == "item_reference" else item for item in input_items(body)
    ]
    return [*(shelf.talk_of(previous) if previous is not None else ()), *own]


def _check_fields(body: Mapping[str, Any]) -> None:
    """Refuse parameters that are missing, unknown or of a wrong value."""
    for field in body:
        if field not in _FIELDS:
            raise Refused(f"Unknown parameter: '{field}'.", param=field, code="unknown_parameter")
    if "model" not in body:
        raise Refused(
            "Missing required parameter: 'model'.", param="model", code="missing_required_parameter"
        )
    if not body.get("input") and body.get("previous_response_id") is None and not body.get("prompt"):
        raise Refused(
            "Missing required parameter: 'input'.", param="input", code="missing_required_parameter"
        )
    if body.get("max_output_tokens") is not None and body["max_output_tokens"] < _CAP_MIN:
        raise Refused(
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16.",
            param="max_output_tokens",
            code="integer_below_min_value",
        )
    for one in body.get("include") or []:
        if one not in _INCLUDES:
            raise Refused(f"Invalid value: '{one}'.", param="include", code="invalid_value")
    for place, tool in enumerate(body.get("tools") or []):
        if tool["type"] == "function" and "name" not in tool:
            param = f"tools[{place}].name"
            raise Refused(
                f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
            )


def _check_items(items: Sequence[Item], shelf: Shelf) -> None:
    """Refuse items that do not exist, content that their role cannot have, and what is not kept."""
    for place, item in enumerate(items):
        kind, where = item["type"], f"input[{place}]"
        if kind not in _ITEMS:
            raise Refused(f"Invalid value: '{kind}'.", param=where, code="invalid_value")
        if kind == "message" and not isinstance(item["content"], str):
            allowed = _OUTPUT_PARTS if item["role"] == "assistant" else _INPUT_PARTS
            for number, part in enumerate(item["content"]):
                if part["type"] not in allowed:
                    raise Refused(
                        f"Invalid value: '{part['type']}'. Supported values are: {sorted(allowed)}.",
                        param=f"{where}.content[{number}]",
                        code="invalid_value",
                    )
        elif kind == "function_call" and not isinstance(item["arguments"], str):
            raise Refused("Invalid type: expected a string.", param=f"{where}.arguments", code="invalid_type")
        elif kind == "reasoning":
            if not isinstance(item.get("summary"), list):
                raise Refused(
                    f"Missing required parameter: '{where}.summary'.",
                    param=f"{where}.summary",
                    code="missing_required_parameter",
                )
            if item.get("encrypted_content"):
                shelf.check_seal(item["encrypted_content"])
            else:
                shelf.item_of(item["id"])


def _check_calls(items: Sequence[Item]) -> None:
    """Refuse calls without their results, and results without their calls."""
    calls: dict[str, None] = {}
    for item in items:
        if item["type"] in {"function_call", "custom_tool_call"}:
            calls[item["call_id"]] = None
        elif item["type"] in {"function_call_output", "custom_tool_call_output"}:
            if item["call_id"] not in calls:
                raise Refused(
                    f"No tool call found for function call output with call_id {item['call_id']}.",
                    param="input",
                )
            del calls[item["call_id"]]
    if calls:
        raise Refused(f"No tool output found for function call {next(iter(calls))}.", param="input")


def _echo_of(items: Sequence[Item]) -> str:
    """Return the marker of a request: the first 40 characters of its last user message."""
    for item in reversed(items):
        if item["type"] == "message" and item["role"] == "user":
            for part in _parts(item["content"]):
                if part["type"] == "input_text":
                    return str(part["text"])[:ECHO_CHARS].strip()
    return ""


def _parts(content: Any) -> list[Mapping[str, Any]]:
    """Return content as parts."""
    return [{"type": "input_text", "text": content}] if isinstance(content, str) else list(content)


def _tools_of(body: Mapping[str, Any], items: Sequence[Item]) -> tuple[Tool, ...]:
    """Return the functions to call, the one that is asked for first; none after a tool's result."""
    tools = [tool for tool in body.get("tools") or [] if tool["type"] == "function"]
    choice = body.get("tool_choice")
    if not tools or choice == "none" or (items and items[-1]["type"] == "function_call_output"):
        return ()
    if isinstance(choice, dict) and choice.get("type") == "function":
        tools = [tool for tool in tools if tool["name"] == choice["name"]]
        if not tools:
            raise Refused(
                f"Tool choice '{choice['name']}' not found in 'tools' parameter.", param="tool_choice"
            )
    return tuple(Tool(tool["name"], tool.get("parameters")) for tool in tools)


def _wanted_schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the JSON schema that the answer must follow, if JSON is asked for."""
    wanted = (body.get("text") or {}).get("format") or {}
    if wanted.get("type") == "json_object":
        return ANY_OBJECT
    if wanted.get("type") != "json_schema":
        return None
    if "name" not in wanted:
        param = "text.format.name"
        raise Refused(
            f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
        )
    schema: Mapping[str, Any] = wanted["schema"]
    return schema


def _count_prompt(body: Mapping[str, Any], items: Sequence[Item], terms: Terms, count: Count) -> int:
    """Return the input tokens, those of the previous responses included, framed like chat's."""
    tokens = 3
    if isinstance(body.get("instructions"), str):
        tokens += 4 + count(body["instructions"])
    tokens += sum(_count_item(item, terms, count) for item in items)
    for value in (body.get("tools"), (body.get("text") or {}).get("format")):
        if value and value != {"type": "text"}:
            tokens += count(msgspec.json.encode(value).decode())
    return tokens


def _count_item(item: Item, terms: Terms, count: Count) -> int:
    """Count one item; reasoning counts as its summary."""
    match item["type"]:
        case "message":
            return 4 + sum(_count_part(part, terms, count) for part in _parts(item["content"]))
        case "reasoning":
            return sum(count(part["text"]) for part in item["summary"])
        case "function_call":
            return 4 + count(item["name"]) + count(item["arguments"])
        case "function_call_output":
            return 4 + sum(_count_part(part, terms, count) for part in _parts(item["output"]))
        case _:
            return count(msgspec.json.encode(item).decode())


def _count_part(part: Mapping[str, Any], terms: Terms, count: Count) -> int:
    """Count one part of a message."""
    if part["type"] == "input_image":
        return 85 if part.get("detail") == "low" else terms.image_tokens
    return count(str(part.get("text") or part.get("refusal") or part.get("file_data") or ""))
