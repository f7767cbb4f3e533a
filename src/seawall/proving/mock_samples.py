"""JSON that follows a schema, for the mock provider's structured answers and tool calls; no I/O."""

from collections.abc import Mapping
from typing import Any

import msgspec

ANY_OBJECT: Mapping[str, Any] = {"type": "object", "properties": {"echo": {"type": "string"}}}
"""The schema where an answer is to be JSON and nothing else is asked."""


def sample_json(schema: Any, echo: str) -> str:
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
