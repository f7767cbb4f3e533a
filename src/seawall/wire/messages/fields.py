"""The fields of a messages request that change price, model or hidden input: priced, or refused (money.md 5).

| Field | What becomes of it |
|---|---|
| `service_tier` | `auto` and `standard_only` pass: priority capacity is prepaid, never above the list |
| `speed` | `fast` is refused: it has prices of its own |
| `inference_geo` | all but `global` are refused: "us" costs 1.1 times as much |
| `container`, `mcp_servers`, `thread` | refused: what they hold is input that cannot be counted here |
| `fallbacks` | refused: another model may answer, at its own price |
| `compaction`, `context_management` | clearing passes; compaction is refused: billed apart |
| `billing_policy` | refused unless it is for ourselves |
| `tools` | the client's own, and Anthropic's of published size; others are refused |
| `source` of type `file` | refused: a stored file is input that cannot be counted here |
| `cache_control` | kept for five minutes or an hour; anything else is refused, for its price is not known |

Reference: Anthropic's API reference and pricing, and the types of its Python library 2.13, read 2026-11.
"""

from collections.abc import Iterator
from typing import Any

from seawall.core.call import Json
from seawall.core.errors import UnpricedField, Untranslatable
from seawall.wire.seals import read_seal

TOOL_TOKENS = {
    "bash": 512,
    "text_editor": 1_536,
    "computer": 2_560,
}
"""Allowances for tools that Anthropic defines and the client runs, by how their type begins.

Published are 245 for bash, 700 for the text editor, 735 for the computer and up to 499 for its prompt (tool
use, pricing, read 2026-11), for some models; newer ones count the same text as up to twice as many tokens.
"""

CACHE_TTLS = (None, "5m", "1h")

_ORDINARY_TIERS = (None, "auto", "standard_only")
_REFUSED = {
    "container": "what it holds is input that cannot be counted here",
    "mcp_servers": "their tools are input that cannot be counted here",
    "thread": "stored state adds input that cannot be counted here",
    "fallbacks": "they let the provider answer with another model, at another price",
    "compaction": "a compaction is billed apart from the answer",
}
_NESTED_SOURCES = ("image", "document")


def check_fields(body: Json, headers: tuple[tuple[str, str], ...] = ()) -> None:
    """Raise UnpricedField for the first field whose cost cannot be bounded; see the module's table.

    No beta that `headers` may ask for changes a price by itself in 2026-11.
    """
    for field, why in _REFUSED.items():
        if body.get(field):
            raise _refused(field, why)
    if body.get("service_tier") not in _ORDINARY_TIERS:
        raise _refused("service_tier", "its price is not known; auto and standard_only are")
    if body.get("speed") not in (None, "standard"):
        raise _refused("speed", "only the standard speed has the listed price")
    if body.get("inference_geo") not in (None, "global"):
        raise _refused("inference_geo", "only global has the listed price")
    policy = body.get("billing_policy")
    if policy is not None and not (isinstance(policy, dict) and policy.get("bill_to") in (None, "self")):
        raise _refused("billing_policy", "it bills somebody else")
    _check_edits(body.get("context_management"))
    for index, tool in enumerate(_list(body.get("tools"))):
        tool_tokens(tool, f"tools[{index}]")
    _check_seals(body)
    for source, path in _sources(body):
        if source.get("type") == "file":
            raise _refused(path, "a stored file is input that cannot be counted here; send its content")


def _check_seals(body: Json) -> None:
    """Refuse reasoning of other vendors, which Anthropic cannot read; it came from here, see `wire.seals`."""
    for index, message in enumerate(_list(body.get("messages"))):
        content = message.get("content") if isinstance(message, dict) else None
        for place, block in enumerate(_list(content)):
            if not isinstance(block, dict) or block.get("type") not in ("thinking", "redacted_thinking"):
                continue
            data = block.get("signature") or block.get("data")
            if isinstance(data, str) and read_seal(data, "anthropic").origin != "anthropic":
                path = f"messages[{index}].content[{place}]"
                raise Untranslatable(
                    f"{path} holds the reasoning of another vendor, which this model cannot read. Leave the "
                    "block out, or go on with a model of the same vendor.",
                    param=path,
                )


def tool_tokens(tool: Any, path: str) -> int:
    """Return the allowance for what Anthropic adds for a tool: 0 for the client's own.

    Raises UnpricedField for tools that the provider runs itself, and for those of unpublished size.
    """
    kind = tool.get("type") if isinstance(tool, dict) else None
    if kind in (None, "custom"):
        return 0
    if isinstance(kind, str) and "toolset" not in kind:
        for name, tokens in TOOL_TOKENS.items():
            if kind.startswith(f"{name}_2"):
                return tokens
    raise UnpricedField(
        f"{path}.type is refused because tools that the provider runs itself are billed by themselves, and "
        "others add input of unpublished size. Use tools with an input_schema of your own.",
        param=f"{path}.type",
    )


def _check_edits(management: Any) -> None:
    edits = management.get("edits") if isinstance(management, dict) else None
    for index, edit in enumerate(_list(edits)):
        kind = edit.get("type") if isinstance(edit, dict) else None
        if not (isinstance(kind, str) and kind.startswith("clear_")):
            raise _refused(
                f"context_management.edits[{index}].type", "only edits that clear something cost nothing"
            )


def _sources(body: Json) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the source of every image and document, wherever it stands."""
    for index, message in enumerate(_list(body.get("messages"))):
        if isinstance(message, dict):
            yield from _sources_in(message.get("content"), f"messages[{index}].content")


def _sources_in(blocks: Any, path: str) -> Iterator[tuple[dict[str, Any], str]]:
    for index, block in enumerate(_list(blocks)):
        if not isinstance(block, dict):
            continue
        here = f"{path}[{index}]"
        source = block.get("source")
        if block.get("type") in _NESTED_SOURCES and isinstance(source, dict):
            yield source, f"{here}.source"
            yield from _sources_in(source.get("content"), f"{here}.source.content")
        yield from _sources_in(block.get("content"), f"{here}.content")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _refused(field: str, why: str) -> UnpricedField:
    return UnpricedField(f"{field} is refused because {why}. Leave it out.", param=field)
