"""Earlier reasoning without a seal, in requests that a vendor gets in its own dialect.

It stems from another vendor, or from an answer that was not to be kept. OpenAI and Anthropic refuse a whole
request for it: "Item with id ... not found", "Invalid `signature` in `thinking` block" (read 2026-11).
"""

from typing import Any

from msgspec.structs import replace

from seawall.core.call import Request
from seawall.wire.prompt import LEFT_OUT


def leave_out_bare(request: Request, seal_origin: str) -> tuple[Request, dict[str, str]]:
    """Return the request without it, and what was left out; the same request where there is none.

    `seal_origin` is whose seals the vendor reads: of OpenAI and Anthropic it is known that they refuse it.
    The sizes of the request stay as they were, which bounds it from above.
    """
    field, clean = _CLEAN.get((request.dialect, seal_origin), ("", _as_they_are))
    given = request.body.get(field)
    if not isinstance(given, list):
        return request, {}
    kept = clean(given)
    if kept is given:
        return request, {}
    return replace(request, body={**request.body, field: kept}), dict(LEFT_OUT)


def _as_they_are(given: list[Any]) -> list[Any]:
    return given


def _clean_items(items: list[Any]) -> list[Any]:
    """Return the items of responses that are not bare reasoning."""
    if not any(map(_is_bare_item, items)):
        return items
    return [item for item in items if not _is_bare_item(item)]


def _is_bare_item(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") == "reasoning" and not item.get("encrypted_content")


def _clean_messages(messages: list[Any]) -> list[Any]:
    """Return Anthropic's messages without bare blocks, and without those that say nothing else."""
    if not any(map(_has_bare_block, messages)):
        return messages
    kept = []
    for message in messages:
        if not _has_bare_block(message):
            kept.append(message)
            continue
        blocks = [block for block in message["content"] if not _is_bare_block(block)]
        if blocks:
            kept.append({**message, "content": blocks})
    return kept


def _has_bare_block(message: Any) -> bool:
    content = message.get("content") if isinstance(message, dict) else None
    return isinstance(content, list) and any(map(_is_bare_block, content))


def _is_bare_block(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "thinking" and not block.get("signature")


_CLEAN = {
    ("responses", "openai"): ("input", _clean_items),
    ("messages", "anthropic"): ("messages", _clean_messages),
    ("count_tokens", "anthropic"): ("messages", _clean_messages),
}
