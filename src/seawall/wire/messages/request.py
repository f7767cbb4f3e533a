"""Anthropic's Messages API: requests as clients write them, and as the vendor gets them.

Reference: Anthropic's API reference, "Messages", and the types of its Python library 2.13, read 2026-11.
"""

import re
from typing import Any

import msgspec

from seawall.core.call import Json, Origin, OutputCap, Request, Text
from seawall.core.errors import InvalidRequest, NotYetSupported, UnpricedField
from seawall.wire.messages.fields import CACHE_TTLS, check_fields, tool_tokens
from seawall.wire.names import NAME_CHARS_MAX, is_model, is_name

__all__ = ["DIALECT", "check_fields", "read_request", "write_request"]

DIALECT = "messages"
HEADERS_BYTES_MAX = 2_048
BUDGET_TOKENS_MIN = 1_024
"""The least that `thinking.budget_tokens` may be."""

TASK_BUDGET_TOKENS = 256
"""Allowance for what `output_config.task_budget` says to the model; its size is not published."""

_HEADERS = ("anthropic-version", "anthropic-beta")
# RFC 9110, section 5.6.2: what a token may hold; a list has commas and spaces between them.
_HEADER_VALUE = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]*", re.ASCII)

_ORIGINS: dict[str, Origin] = {"user": "user", "assistant": "assistant", "system": "system"}
_UNCOUNTED = frozenset({"type", "cache_control", "is_error", "transformations"})
"""Fields of a block that say nothing to the model."""

encode = msgspec.json.Encoder().encode


def read_request(
    body: Json,
    *,
    raw_bytes: int,
    messages_max: int,
    headers: tuple[tuple[str, str], ...] = (),
) -> Request:
    """Read a messages request; fields that are not named here travel on untouched.

    A missing `max_tokens` is left to the gateway. Raises InvalidRequest naming the first field that cannot
    be right, UnpricedField for one whose cost cannot be bounded.
    """
    model = body.get("model")
    if not is_model(model):
        raise InvalidRequest("Say which model to use: model must be a name.", param="model")
    parts = _Parts()
    _read_system(body.get("system"), parts)
    _read_messages(body.get("messages"), messages_max, parts)
    _read_tools(body.get("tools"), parts)
    _read_cache(body, "", parts)
    output = _object(body, "output_config")
    if output.get("task_budget") is not None:
        parts.tokens += TASK_BUDGET_TOKENS
    _object(body, "thinking")
    _object(body, "tool_choice")
    _check_stops(body.get("stop_sequences"))
    schemas = (body.get("tools"), output.get("format"), body.get("output_format"))
    return Request(
        dialect=DIALECT,
        body=body,
        # A number may be longer as we write it; and a bound from sizes alone has to see the allowances.
        raw_bytes=max(raw_bytes, len(encode(body))) + parts.tokens,
        model=model,
        stream=_boolean(body, "stream"),
        cap=_output_cap(body.get("max_tokens")),
        texts=tuple(parts.texts),
        schemas=tuple(schema for schema in schemas if schema is not None),
        images=parts.images,
        image_bytes=parts.image_bytes,
        files=parts.files,
        tokens=parts.tokens,
        has_long_cache=parts.has_long_cache,
        end_user=_end_user(body),
        headers=_headers(headers),
    )


def write_request(request: Request, *, model: str, output_cap: int) -> bytes:
    """Write the body for the vendor: as it came, but for the model, the output cap and a budget above it.

    `thinking.budget_tokens` must stay below `max_tokens`. It follows a cap that we lowered down to its own
    least of 1,024; below that, and where the client's own cap had been as low, the vendor refuses it.
    """
    body = dict(request.body)
    body["model"] = model
    body["max_tokens"] = output_cap
    thinking = body.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if isinstance(budget, int) and budget >= output_cap > BUDGET_TOKENS_MIN and _fitted(request, budget):
        body["thinking"] = {**thinking, "budget_tokens": output_cap - 1}  # type: ignore[dict-item] # an object, as checked above
    return encode(body)


def _fitted(request: Request, budget: int) -> bool:
    """Say whether the budget was below the cap before we set ours."""
    return request.cap.tokens is None or budget < request.cap.tokens


class _Parts:
    """What a request holds, gathered while it is read."""

    __slots__ = ("files", "has_long_cache", "image_bytes", "images", "texts", "tokens")

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self.images = self.image_bytes = self.files = self.tokens = 0
        self.has_long_cache = False


def _read_system(system: Any, parts: _Parts) -> None:
    if system is None:
        return
    if isinstance(system, str):
        parts.texts.append(Text("system", "system", system))
        return
    if not isinstance(system, list):
        raise InvalidRequest("system must be a text or a list of text blocks.", param="system")
    for index, block in enumerate(system):
        _read_block(block, f"system[{index}]", "system", parts, _SYSTEM)


def _read_messages(messages: Any, messages_max: int, parts: _Parts) -> None:
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("messages must be a list with at least one message.", param="messages")
    if len(messages) > messages_max:
        raise InvalidRequest(f"messages has more than {messages_max} entries.", param="messages")
    for index, message in enumerate(messages):
        path = f"messages[{index}]"
        if not isinstance(message, dict):
            raise InvalidRequest(f"{path} must be an object.", param=path)
        role = message.get("role")
        if not isinstance(role, str) or role not in _ORIGINS:
            raise InvalidRequest(f"{path}.role must be user, assistant or system.", param=f"{path}.role")
        origin = _ORIGINS[role]
        allowed = _SYSTEM if origin == "system" else _BLOCKS
        _read_content(message.get("content"), f"{path}.content", origin, parts, allowed)


def _read_content(content: Any, path: str, origin: Origin, parts: _Parts, allowed: frozenset[str]) -> None:
    if isinstance(content, str):
        parts.texts.append(Text(path, origin, content))
        return
    if not isinstance(content, list):
        raise InvalidRequest(f"{path} must be a text or a list of blocks.", param=path)
    for index, block in enumerate(content):
        _read_block(block, f"{path}[{index}]", origin, parts, allowed)


_SYSTEM = frozenset({"text"})
_RESULT = frozenset({"text", "image", "document", "search_result", "tool_reference"})
_BLOCKS = frozenset(
    {
        "text",
        "image",
        "document",
        "search_result",
        "tool_use",
        "tool_result",
        "thinking",
        "redacted_thinking",
    }
)


def _read_block(block: Any, path: str, origin: Origin, parts: _Parts, allowed: frozenset[str]) -> None:
    """Read one block; everything in it that may be said to the model counts."""
    if not isinstance(block, dict):
        raise InvalidRequest(f"{path} must be an object.", param=path)
    kind = block.get("type")
    if not isinstance(kind, str):
        raise InvalidRequest(f"{path}.type must be a text.", param=f"{path}.type")
    if kind not in allowed:
        raise UnpricedField(
            f"Blocks of this type add input that cannot be counted. Send {', '.join(sorted(allowed))}.",
            param=f"{path}.type",
        )
    _read_cache(block, f"{path}.", parts)
    for name in _REQUIRED.get(kind, ()):
        if not isinstance(block.get(name), str):
            raise InvalidRequest(f"{path}.{name} must be a text.", param=f"{path}.{name}")
    read = ""
    if kind == "tool_result":
        read = "content"
        if block.get("content") is not None:
            _read_content(block["content"], f"{path}.content", "tool", parts, _RESULT)
    elif kind == "search_result":
        read = "content"
        _read_content(block.get("content"), f"{path}.content", origin, parts, _SYSTEM)
    elif kind in ("image", "document"):
        read = "source"
        _read_source(block, path, origin, parts)
    elif kind == "tool_use" and not isinstance(block.get("input"), dict):
        raise InvalidRequest(f"{path}.input must be an object.", param=f"{path}.input")
    for name, value in block.items():
        if name != read and name not in _UNCOUNTED and value:
            text = value if isinstance(value, str) else encode(value).decode()
            parts.texts.append(Text(f"{path}.{name}", origin, text))
    if kind in ("document", "search_result") and _has_citations(block):
        # The vendor cuts such a text into numbered pieces and bills their marks: more than can be counted.
        parts.files += 1


_REQUIRED = {
    "text": ("text",),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name"),
    "tool_result": ("tool_use_id",),
    "tool_reference": ("tool_name",),
    "search_result": ("source", "title"),
}
"""The texts without which a block of a type means nothing."""


def _read_source(block: Json, path: str, origin: Origin, parts: _Parts) -> None:
    source, path = block.get("source"), f"{path}.source"
    if not isinstance(source, dict):
        raise InvalidRequest(f"{path} must be an object.", param=path)
    kind = source.get("type")
    field = {"base64": "data", "url": "url", "text": "data", "file": "file_id"}.get(str(kind))
    if field is not None and not isinstance(source.get(field), str):
        raise InvalidRequest(f"{path}.{field} must be a text.", param=f"{path}.{field}")
    if kind == "file":
        parts.files += 1
    elif kind in ("base64", "url") and block["type"] == "image":
        parts.images += 1
        parts.image_bytes += len(source[field])
    elif kind in ("base64", "url"):
        parts.files += 1
    elif kind == "text" and block["type"] == "document":
        parts.texts.append(Text(f"{path}.data", origin, source["data"]))
    elif kind == "content" and block["type"] == "document":
        _read_content(source.get("content"), f"{path}.content", origin, parts, frozenset({"text", "image"}))
    else:
        raise UnpricedField(
            "Sources of this type add input that cannot be counted. Send base64, url or text.",
            param=f"{path}.type",
        )


def _has_citations(block: Json) -> bool:
    citations = block.get("citations")
    return isinstance(citations, dict) and bool(citations.get("enabled"))


def _read_tools(tools: Any, parts: _Parts) -> None:
    if tools is None:
        return
    if not isinstance(tools, list):
        raise InvalidRequest("tools must be a list.", param="tools")
    for index, tool in enumerate(tools):
        path = f"tools[{index}]"
        if not isinstance(tool, dict):
            raise InvalidRequest(f"{path} must be an object.", param=path)
        parts.tokens += tool_tokens(tool, path)
        _read_cache(tool, f"{path}.", parts)


def _read_cache(holder: Json, path: str, parts: _Parts) -> None:
    """Read the mark up to which the vendor should cache; how long it keeps it decides the price."""
    mark = holder.get("cache_control")
    if mark is None:
        return
    path = f"{path}cache_control"
    if not isinstance(mark, dict):
        raise InvalidRequest(f"{path} must be an object.", param=path)
    if mark.get("ttl") not in CACHE_TTLS:
        raise UnpricedField(f"{path}.ttl must be 5m or 1h: no other has a known price.", param=f"{path}.ttl")
    parts.has_long_cache = parts.has_long_cache or mark.get("ttl") == "1h"


def _output_cap(value: Any) -> OutputCap:
    if value is None:
        return OutputCap()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value == 0 and value is not False:
        raise NotYetSupported("Filling the cache without an answer is not supported yet.", param="max_tokens")
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidRequest("max_tokens must be a whole number of at least 1.", param="max_tokens")
    return OutputCap(field="max_tokens", tokens=value)


def _object(body: Json, name: str) -> Json:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest(f"{name} must be an object.", param=name)
    return value


def _boolean(body: Json, name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false.", param=name)
    return bool(value)


def _check_stops(stops: Any) -> None:
    if stops is not None and not (isinstance(stops, list) and all(isinstance(stop, str) for stop in stops)):
        raise InvalidRequest("stop_sequences must be a list of texts.", param="stop_sequences")


def _end_user(body: Json) -> str | None:
    user = _object(body, "metadata").get("user_id")
    if user is not None and not is_name(user):
        raise InvalidRequest(
            "metadata.user_id must be a text without the character NUL.", param="metadata.user_id"
        )
    return user[:NAME_CHARS_MAX] if user else None


def _headers(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Keep the headers that are part of the dialect, in the order they came."""
    kept = tuple((name.lower(), value) for name, value in headers if name.lower() in _HEADERS)
    for name, value in kept:
        if _HEADER_VALUE.fullmatch(value) is None:
            raise InvalidRequest(f"The header {name} must hold names, with commas between them.", param=name)
    if sum(len(value) for _, value in kept) > HEADERS_BYTES_MAX:
        raise InvalidRequest(
            f"The header anthropic-beta must not be longer than {HEADERS_BYTES_MAX} bytes.",
            param="anthropic-beta",
        )
    return kept
