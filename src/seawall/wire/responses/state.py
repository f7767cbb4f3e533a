"""The items of a conversation: what a request says of stored ones, and how they come back into it.

Invariants:
- Items are stored as they were sent or answered; an id that the sender left out is stored beside the item.
- Nothing of ours is known to a provider: what a request refers to stands in the body that is sent.
"""

import os
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from seawall.core.call import Json
from seawall.core.errors import StateNotFound
from seawall.core.state import StoredItem
from seawall.wire.responses.items import type_of

ID_CHARS_MAX = 64
"""The longest id of an item that OpenAI takes, as its error message says; read 2026-11."""

_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "reasoning": "rs",
}

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class ItemIds:
    """Makes ids for the items of one call: random bits, and a number."""

    __slots__ = ("_number", "_random")

    def __init__(self) -> None:
        self._random = os.urandom(16).hex()
        self._number = 0

    def __call__(self, kind: str) -> str:
        """Return an id for an item of this type."""
        self._number += 1
        return f"{_PREFIXES.get(kind, 'item')}_{self._random}{self._number:06x}"


def input_of(body: Json) -> list[Any]:
    """Return the input as a list of items; a text is the message of a user."""
    given = body.get("input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return given if isinstance(given, list) else []


def references_of(body: Json) -> tuple[str, ...]:
    """Return the ids of all stored items that the input names, each once.

    Reasoning of which only the id came back is one of them: OpenAI's own clients send it so where they
    believe that it is stored.
    """
    found = {item["id"]: None for item in input_of(body) if _is_reference(item) or _is_bare(item)}
    return tuple(found)


def own_items(body: Json, named: dict[str, StoredItem] | None = None) -> tuple[StoredItem, ...]:
    """Return the request's own items, each with its id or one that is made; those named are put in.

    A reference that is not among `named` is left out.
    """
    ids = ItemIds()
    items = []
    for item in input_of(body):
        found = _find(item, named or {})
        if found is not None:
            items.append(found)
        elif isinstance(item, dict) and not _is_reference(item):
            items.append(StoredItem(_id_of(item, ids), encode(item)))
    return tuple(items)


def expand(body: Json, before: Iterable[StoredItem], named: dict[str, StoredItem]) -> Json:
    """Return the body with the items before it and those named put into its input.

    Raises StateNotFound for a reference that is not among `named`.
    """
    whole = {name: value for name, value in body.items() if name != "previous_response_id"}
    whole["input"] = [*_history(before), *_resolved(body, named)]
    return whole


def _history(before: Iterable[StoredItem]) -> Iterator[Json]:
    for stored in before:
        item = _decode(stored.body)
        if item.get("type") == "reasoning":
            # A vendor that keeps nothing refuses reasoning that it cannot read from the item itself.
            if not item.get("encrypted_content") and not item.get("content"):
                continue
            item.pop("status", None)
        yield item


def _resolved(body: Json, named: dict[str, StoredItem]) -> Iterator[Any]:
    for index, item in enumerate(input_of(body)):
        found = _find(item, named)
        if found is not None:
            yield _decode(found.body)
        elif _is_reference(item):
            raise StateNotFound(
                f"There is no stored item {item['id'][:ID_CHARS_MAX]} for this key and end user. It may have "
                "expired or been deleted; send the item itself instead.",
                param=f"input[{index}].id",
            )
        else:
            yield item


def _find(item: Any, named: dict[str, StoredItem]) -> StoredItem | None:
    return named.get(item["id"]) if named and (_is_reference(item) or _is_bare(item)) else None


def _is_reference(item: Any) -> bool:
    return isinstance(item, dict) and type_of(item) == "item_reference" and isinstance(item.get("id"), str)


def _is_bare(item: Any) -> bool:
    """Say whether this is reasoning with its id and nothing that a vendor could read it from."""
    return (
        isinstance(item, dict)
        and item.get("type") == "reasoning"
        and isinstance(item.get("id"), str)
        and not item.get("encrypted_content")
        and not item.get("content")
    )


def _id_of(item: Json, ids: ItemIds) -> str:
    given = item.get("id")
    return given if isinstance(given, str) and 0 < len(given) <= ID_CHARS_MAX else ids(str(type_of(item)))
