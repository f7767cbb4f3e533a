"""The items of a responses request: read strictly, and counted.

Reference: the OpenAI API reference, "Responses", and the Open Responses specification, read 2026-11.
"""

from typing import Any

import msgspec

from seawall.core.call import Json, Origin, Text
from seawall.core.errors import InvalidRequest, UnpricedField
from seawall.core.pieces import Seal, SealOrigin
from seawall.wire.seals import read_seal

TEXT_PARTS = ("input_text", "output_text", "text", "refusal", "summary_text", "reasoning_text")
"""Parts whose tokens are those of their own words; everything in them is counted."""

ORIGINS: dict[str, Origin] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
ITEM_ORIGINS: dict[str, Origin] = {
    "function_call": "assistant",
    "custom_tool_call": "assistant",
    "reasoning": "assistant",
    "function_call_output": "tool",
    "custom_tool_call_output": "tool",
}
_REQUIRED = {
    "function_call": ("call_id", "name", "arguments"),
    "custom_tool_call": ("call_id", "name", "input"),
    "function_call_output": ("call_id",),
    "custom_tool_call_output": ("call_id",),
    "item_reference": ("id",),
}
_PARTED = {
    "message": "content",
    "function_call_output": "output",
    "custom_tool_call_output": "output",
}
"""Item types with a text or a list of parts, and the field that holds it."""

OWN: SealOrigin = "openai"
"""Whose seals stand bare in `encrypted_content`."""

WRAPPED = "seawall."

_SILENT = ("type", "role", "id", "status")

encode = msgspec.json.Encoder().encode


class Parts:
    """What the items of a request hold, gathered while they are read."""

    __slots__ = ("audio_bytes", "files", "image_bytes", "images", "texts")

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self.images = self.image_bytes = self.audio_bytes = self.files = 0


def type_of(item: Json) -> Any:
    """Return the type of an item; messages and references may leave it out."""
    kind = item.get("type")
    if kind is None:
        return "message" if "role" in item else "item_reference"
    return kind


def unsealed(item: Any) -> Seal | None:
    """Return the seal of a reasoning item that we wrapped; `None` for everything else."""
    sealed = item.get("encrypted_content") if isinstance(item, dict) else None
    if not isinstance(sealed, str) or not sealed.startswith(WRAPPED):
        return None
    seal = read_seal(sealed, OWN)
    return None if seal.data == sealed else seal


def read_item(item: Any, path: str, parts: Parts) -> None:
    """Read one input item into `parts`; each holds at least one text, so that its framing is counted.

    Raises InvalidRequest naming the field, UnpricedField for an item or part that cannot be counted.
    """
    if not isinstance(item, dict):
        raise InvalidRequest(f"{path} must be an object.", param=path)
    kind = type_of(item)
    for name in _REQUIRED.get(kind, ()) if isinstance(kind, str) else ():
        if not isinstance(item.get(name), str):
            raise InvalidRequest(f"{path}.{name} must be a text.", param=f"{path}.{name}")
    if kind == "item_reference":
        return
    origin = _origin(item, kind, path)
    parted = _PARTED.get(kind)
    if parted is not None:
        _read_parts(item.get(parted), f"{path}.{parted}", origin, parts)
    elif kind == "reasoning":
        for name in ("summary", "content"):
            _read_paragraphs(item.get(name), f"{path}.{name}", parts)
    for name, value in item.items():
        if name in _SILENT or name == parted or not value:
            continue
        if kind == "reasoning" and name in ("summary", "content"):
            continue
        text = value if isinstance(value, str) else encode(value).decode()
        parts.texts.append(Text(f"{path}.{name}", origin, text))


def _origin(item: Json, kind: Any, path: str) -> Origin:
    if kind == "message":
        role = item.get("role")
        if not isinstance(role, str) or role not in ORIGINS:
            raise InvalidRequest(
                f"{path}.role must be user, assistant, system or developer.", param=f"{path}.role"
            )
        return ORIGINS[role]
    if not isinstance(kind, str) or kind not in ITEM_ORIGINS:
        raise UnpricedField(
            "Items of this type add input that cannot be counted. Send message, function_call, "
            "function_call_output, custom_tool_call, custom_tool_call_output, reasoning or item_reference.",
            param=f"{path}.type",
        )
    return ITEM_ORIGINS[kind]


def _read_parts(content: Any, path: str, origin: Origin, parts: Parts) -> None:
    """Read a text or a list of parts."""
    if isinstance(content, str):
        parts.texts.append(Text(path, origin, content))
        return
    if not isinstance(content, list):
        raise InvalidRequest(f"{path} must be a text or a list of parts.", param=path)
    count = len(parts.texts)
    for index, part in enumerate(content):
        _read_part(part, f"{path}[{index}]", origin, parts)
    if len(parts.texts) == count:
        parts.texts.append(Text(path, origin, ""))


def _read_paragraphs(content: Any, path: str, parts: Parts) -> None:
    """Read the summary or the text of an earlier reasoning."""
    if content is None:
        return
    if not isinstance(content, list):
        raise InvalidRequest(f"{path} must be a list of parts.", param=path)
    for index, part in enumerate(content):
        if not isinstance(part, dict) or not isinstance(part.get("text"), str):
            raise InvalidRequest(f"{path}[{index}].text must be a text.", param=f"{path}[{index}].text")
        parts.texts.append(Text(f"{path}[{index}].text", "assistant", part["text"]))


def _read_part(part: Any, path: str, origin: Origin, parts: Parts) -> None:
    if not isinstance(part, dict):
        raise InvalidRequest(f"{path} must be an object.", param=path)
    kind = part.get("type")
    if kind == "input_image":
        _read_image(part, path, parts)
    elif kind == "input_file":
        parts.files += 1
    elif kind == "input_audio":
        audio = part.get("input_audio")
        data = audio.get("data") if isinstance(audio, dict) else None
        if not isinstance(data, str):
            raise InvalidRequest(f"{path}.input_audio.data must be a text.", param=f"{path}.input_audio.data")
        parts.audio_bytes += len(data)
    elif isinstance(kind, str) and kind in TEXT_PARTS:
        field = "refusal" if kind == "refusal" else "text"
        if not isinstance(part.get(field), str):
            raise InvalidRequest(f"{path}.{field} must be a text.", param=f"{path}.{field}")
        strings = {name: value for name, value in part.items() if name != "type" and isinstance(value, str)}
        parts.texts += [Text(f"{path}.{name}", origin, value) for name, value in strings.items()]
    else:
        raise UnpricedField(
            "Parts of this type add input that cannot be counted. Send input_text, input_image, input_file "
            "or output_text.",
            param=f"{path}.type",
        )


def _read_image(part: Json, path: str, parts: Parts) -> None:
    url = part.get("image_url")
    if url is None and part.get("file_id") is not None:
        parts.files += 1  # `check_fields` refuses it, where it is sent on at all.
        return
    if not isinstance(url, str):
        raise InvalidRequest(f"{path}.image_url must be a text.", param=f"{path}.image_url")
    parts.images += 1
    parts.image_bytes += len(url)
