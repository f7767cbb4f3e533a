"""Anthropic's messages as the mock provider reads them, and what it refuses; no I/O.

It is strict where Anthropic is and a gateway can go wrong: unknown fields, the key and the version in their
headers, `max_tokens`, roles and kinds of content, tools' results that do not answer the calls right before,
reasoning whose signature is not base64 or, where the mock made it by itself, does not fit its text, reasoning
together with a tool that must be called.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from seawall.proving.mock_answers import ECHO_CHARS, SEAL_PREFIX, Ask, Count, Terms, Tool, is_seal, sign
from seawall.proving.mock_frames import Refused

_FIELDS: Final = frozenset({
    "betas", "cache_control", "compaction", "container", "context_management", "diagnostics", "fallbacks",
    "inference_geo", "max_tokens", "mcp_servers", "messages", "metadata", "model", "output_config",
    "output_format", "service_tier", "speed", "stop_sequences", "stream", "system", "temperature", "thinking",
    "tool_choice", "tools", "top_k", "top_p", "user_profile_id", "workspace_id", "x_mock",
})  # fmt: skip
_CONTENT: Final[Mapping[str, frozenset[str]]] = {
    "user": frozenset({
        "text", "image", "document", "search_result", "tool_result", "container_upload", "tool_reference",
    }),
    "assistant": frozenset({
        "text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "web_search_tool_result",
        "compaction",
    }),
}  # fmt: skip
_THINKING_MIN: Final = 1024


def check_headers(headers: Mapping[str, str]) -> None:
    """Refuse a request without a key or a version."""
    if not headers.get("x-api-key") and not headers.get("authorization", "").startswith("Bearer "):
        raise Refused("x-api-key header is required", status=401)
    if not headers.get("anthropic-version"):
        raise Refused("anthropic-version: header is required")


def read_messages(
    number: int, body: Mapping[str, Any], terms: Terms, count: Count, *, is_count: bool = False
) -> Ask:
    """Read what a call asks for; `number` makes its id. Raises `Refused`, or any lookup error.

    With `is_count` it is a call of count_tokens, which has no `max_tokens`.
    """
    _check_fields(body, is_count=is_count)
    _check_messages(body["messages"])
    schema = _wanted_schema(body)
    choice = body.get("tool_choice") or {}
    thinking = body.get("thinking") or {}
    reasons: Literal["", "shown", "hidden"] = ""
    if thinking.get("type") in {"enabled", "adaptive"}:
        reasons = "hidden" if thinking.get("display") == "omitted" else "shown"
        _check_thinking(body, thinking, choice)
    return Ask(
        id=f"msg_mock{number:016d}",
        model=str(body["model"]),
        echo=_echo_of(body["messages"]),
        input_tokens=_count_prompt(body, terms, count),
        cap=min(terms.max_output_tokens, body.get("max_tokens", 1)),
        is_stream=body.get("stream") is True,
        tools=_tools_of(body, choice),
        is_parallel=choice.get("disable_parallel_tool_use") is not True,
        schema=schema,
        stops=tuple(body.get("stop_sequences") or ()),
        reasons=reasons,
        call_prefix="toolu_",
    )


def _check_fields(body: Mapping[str, Any], *, is_count: bool) -> None:
    """Refuse fields that are missing, unknown or of a wrong type."""
    for field in body:
        if field not in _FIELDS:
            raise Refused(f"{field}: Extra inputs are not permitted")
    for field in ("model", "messages") if is_count else ("model", "messages", "max_tokens"):
        if field not in body:
            raise Refused(f"{field}: Field required")
    cap = body.get("max_tokens", 1)
    if not isinstance(cap, int) or isinstance(cap, bool) or cap < 1:
        raise Refused("max_tokens: Input should be greater than or equal to 1")
    if not isinstance(body["messages"], list) or not body["messages"]:
        raise Refused("messages: at least one message is required")
    temperature = body.get("temperature")
    if temperature is not None and not 0 <= temperature <= 1:
        raise Refused("temperature: range: 0..1")


def _check_messages(messages: Sequence[Mapping[str, Any]]) -> None:
    """Refuse roles and content that do not exist, and calls and results that do not fit together."""
    asked: set[str] = set()
    for place, message in enumerate(messages):
        role, where = message["role"], f"messages.{place}"
        if role not in _CONTENT:
            raise Refused(
                f'messages: Unexpected role "{role}". The Messages API accepts a top-level `system` '
                'parameter, not "system" as an input message role.'
            )
        blocks = _blocks(message["content"])
        if not blocks and place < len(messages) - 1:
            raise Refused(f"{where}: all messages must have non-empty content")
        answered: set[str] = set()
        calls: set[str] = set()
        for number, block in enumerate(blocks):
            _check_block(block, role, f"{where}.content.{number}")
            if block["type"] == "tool_result":
                answered.add(block["tool_use_id"])
            elif block["type"] == "tool_use":
                calls.add(block["id"])
        if answered - asked:
            raise Refused(
                f"{where}: unexpected `tool_use_id` found in `tool_result` blocks: {min(answered - asked)}. "
                "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        if asked - answered:
            raise Refused(
                f"{where}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{min(asked - answered)}."
            )
        asked = calls


def _check_block(block: Mapping[str, Any], role: str, where: str) -> None:
    """Refuse a block that its role cannot have, or that is not whole."""
    kind = block["type"]
    if kind not in _CONTENT[role]:
        raise Refused(
            f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags"
        )
    if kind == "text" and not block["text"]:
        raise Refused(f"{where}.text: text content blocks must be non-empty")
    if kind == "tool_use" and not isinstance(block["input"], dict):
        raise Refused(f"{where}.input: Input should be a valid dictionary")
    if kind == "thinking":
        signature = block.get("signature")
        if not signature:
            raise Refused(f"{where}.signature: Field required")
        is_own = signature.startswith(SEAL_PREFIX) and block["thinking"]
        if not is_seal(signature) or (is_own and signature != sign(block["thinking"])):
            raise Refused(f"{where}: Invalid `signature` in `thinking` block")
    if kind == "redacted_thinking" and not is_seal(block["data"]):
        raise Refused(f"{where}: Invalid `data` in `redacted_thinking` block")


def _check_thinking(body: Mapping[str, Any], thinking: Mapping[str, Any], choice: Mapping[str, Any]) -> None:
    """Refuse what cannot be together with reasoning."""
    if choice.get("type") in {"any", "tool"}:
        raise Refused("Thinking may not be enabled when tool_choice forces tool use.")
    if thinking["type"] != "enabled":
        return
    budget = thinking["budget_tokens"]
    if budget < _THINKING_MIN:
        raise Refused("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    if budget >= body.get("max_tokens", budget + 1):
        raise Refused("`max_tokens` must be greater than `thinking.budget_tokens`.")
    if body.get("temperature") not in {None, 1}:
        raise Refused("`temperature` may only be set to 1 when thinking is enabled.")


def _echo_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the marker of a request: the first 40 characters of the last text that a user wrote."""
    for message in reversed(messages):
        if message["role"] == "user":
            for block in _blocks(message["content"]):
                if block["type"] == "text":
                    return str(block["text"])[:ECHO_CHARS].strip()
    return ""


def _blocks(content: Any) -> list[Mapping[str, Any]]:
    """Return content as blocks."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _tools_of(body: Mapping[str, Any], choice: Mapping[str, Any]) -> tuple[Tool, ...]:
    """Return the tools to call, the one that is asked for first; none after a tool's result."""
    tools = [tool for tool in body.get("tools") or [] if tool.get("type") in {None, "custom"}]
    last = _blocks(body["messages"][-1]["content"])
    if not tools or choice.get("type") == "none" or any(block["type"] == "tool_result" for block in last):
        return ()
    if choice.get("type") == "tool":
        tools = [tool for tool in tools if tool["name"] == choice["name"]]
        if not tools:
            raise Refused(f"tool_choice.tool.name: Tool '{choice['name']}' not found in provided tools")
    return tuple(Tool(tool["name"], tool["input_schema"]) for tool in tools)


def _wanted_schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the JSON schema that the answer must follow, if there is one."""
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format")
    if wanted is None:
        return None
    if wanted["type"] != "json_schema":
        raise Refused("output_config.format.type: Input should be 'json_schema'")
    schema: Mapping[str, Any] = wanted["schema"]
    return schema


def _count_prompt(body: Mapping[str, Any], terms: Terms, count: Count) -> int:
    """Return the input tokens: text as it is, everything else as compact JSON, and hidden prompts.

    Reasoning of earlier turns counts as its text; the data of redacted reasoning is not counted.
    """
    tokens = 3
    for block in _blocks(body.get("system") or []):
        tokens += count(block["text"])
    for message in body["messages"]:
        tokens += 4 + sum(_count_block(block, terms, count) for block in _blocks(message["content"]))
    if body.get("tools"):
        tokens += terms.tools_tokens + count(_json(body["tools"]))
    for field in ("output_config", "output_format"):
        if body.get(field):
            tokens += count(_json(body[field]))
    return tokens


def _count_block(block: Mapping[str, Any], terms: Terms, count: Count) -> int:
    """Count one block of content."""
    match block["type"]:
        case "text":
            return count(block["text"])
        case "thinking":
            return count(block["thinking"])
        case "redacted_thinking":
            return 0
        case "image":
            return terms.image_tokens
        case "document":
            return count(str(block["source"].get("data", ""))) or terms.image_tokens
        case "tool_use":
            return count(block["name"]) + count(_json(block["input"]))
        case "tool_result":
            inner = _blocks(block.get("content") or [])
            return 4 + sum(_count_block(one, terms, count) for one in inner)
        case _:
            return count(_json(block))


def _json(value: Any) -> str:
    """Write a value as compact JSON."""
    return msgspec.json.encode(value).decode()
