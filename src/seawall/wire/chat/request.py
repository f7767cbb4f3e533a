"""OpenAI's chat completions: requests as clients write them, and as vendors get them.

Reference: the OpenAI API reference, "Chat Completions", read 2026-11.
"""

from typing import Any

import msgspec
from msgspec import Struct

from seawall.core.call import Json, Origin, OutputCap, Request, Text
from seawall.core.errors import InvalidRequest, UnpricedField
from seawall.wire.names import NAME_CHARS_MAX, is_model, is_name

DIALECT = "chat"
CHOICES_MAX = 128
TEXT_PARTS = ("text", "refusal", "thinking", "reasoning")
"""Parts whose tokens are those of their own words; everything in them is counted."""

_ORIGINS: dict[str, Origin] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}

encode = msgspec.json.Encoder().encode


def read_request(
    body: Json, *, raw_bytes: int, messages_max: int, headers: tuple[tuple[str, str], ...] = ()
) -> Request:
    """Read a chat completions request; fields that are not named here travel on untouched.

    Raises InvalidRequest naming the first field that cannot be right. Headers say nothing here.
    """
    model = read_model(body)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("messages must be a list with at least one message.", param="messages")
    if len(messages) > messages_max:
        raise InvalidRequest(f"messages has more than {messages_max} entries.", param="messages")
    parts = _Parts()
    for index, message in enumerate(messages):
        _read_message(message, f"messages[{index}]", parts)
    stream = _boolean(body, "stream")
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise InvalidRequest("stream_options must be an object.", param="stream_options")
    written = encode(body)
    return Request(
        dialect=DIALECT,
        body=body,
        raw_bytes=max(raw_bytes, len(written)),  # A number may be longer as we write it.
        model=model,
        stream=stream,
        cap=_output_cap(body),
        texts=tuple(parts.texts),
        schemas=tuple(
            body[name] for name in ("tools", "functions", "response_format") if body.get(name) is not None
        ),
        images=parts.images,
        image_bytes=parts.image_bytes,
        audio_bytes=parts.audio_bytes,
        files=parts.files,
        has_long_cache=b'"ttl"' in written and _has_long_cache(body),
        wants_audio=_wants_audio(body),
        wants_usage=bool(options and options.get("include_usage")),
        end_user=read_end_user(body),
    )


def read_model(body: Json) -> str:
    """Read the name of the model, which every dialect has under the same field."""
    model = body.get("model")
    if not is_model(model):
        raise InvalidRequest("Say which model to use: model must be a name.", param="model")
    return model


class _Parts:
    """What the messages of a request hold, gathered while they are read."""

    __slots__ = ("audio_bytes", "files", "image_bytes", "images", "texts")

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self.images = self.image_bytes = self.audio_bytes = self.files = 0


def _read_message(message: Any, path: str, parts: _Parts) -> None:
    if not isinstance(message, dict):
        raise InvalidRequest(f"{path} must be an object.", param=path)
    role = message.get("role")
    if not isinstance(role, str):
        raise InvalidRequest(f"{path}.role must be a text.", param=f"{path}.role")
    origin = _ORIGINS.get(role, "user")
    content = message.get("content")
    if isinstance(content, str):
        parts.texts.append(Text(f"{path}.content", origin, content))
    elif isinstance(content, list):
        for index, part in enumerate(content):
            _read_part(part, f"{path}.content[{index}]", origin, parts)
    elif content is not None:
        raise InvalidRequest(f"{path}.content must be a text or a list of parts.", param=f"{path}.content")
    if message.get("audio") is not None:
        raise UnpricedField("A spoken answer adds input that cannot be counted.", param=f"{path}.audio")
    for name, value in message.items():
        if name not in ("role", "content") and value:
            text = value if isinstance(value, str) else encode(value).decode()
            parts.texts.append(Text(f"{path}.{name}", origin, text))


def _read_part(part: Any, path: str, origin: Origin, parts: _Parts) -> None:
    if not isinstance(part, dict):
        raise InvalidRequest(f"{path} must be an object.", param=path)
    kind = part.get("type")
    if kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else image
        is_document = isinstance(url, str) and url[:5].lower() == "data:" and url[5:11].lower() != "image/"
        parts.files += (
            is_document  # Google takes documents and films here, which have no bound but the window.
        )
        parts.images += not is_document
        parts.image_bytes += len(url) if isinstance(url, str) else 0
    elif kind == "input_audio":
        audio = part.get("input_audio")
        data = audio.get("data") if isinstance(audio, dict) else None
        if not isinstance(data, str):
            raise InvalidRequest(f"{path}.input_audio.data must be a text.", param=f"{path}.input_audio.data")
        parts.audio_bytes += len(data)
    elif kind == "file":
        parts.files += 1
    elif kind in TEXT_PARTS:
        for name, value in part.items():
            if name != "type" and value:  # Mistral's thinking is a list of further parts.
                text = value if isinstance(value, str) else encode(value).decode()
                parts.texts.append(Text(f"{path}.{name}", origin, text))
    else:
        raise UnpricedField(
            "Parts of this type add input that cannot be counted. Send text, image_url, input_audio or file.",
            param=f"{path}.type",
        )


def _has_long_cache(body: Json) -> bool:
    """Say whether a mark for the cache asks for more than five minutes, wherever gateways take one."""
    holders = [body, *body["messages"]]
    for message in body["messages"]:
        content = message.get("content")
        holders += content if isinstance(content, list) else ()
    tools = body.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        holders += (tool, tool.get("function")) if isinstance(tool, dict) else ()
    marks = [each.get("cache_control") for each in holders if isinstance(each, dict)]
    return any(mark.get("ttl") not in (None, "5m") for mark in marks if isinstance(mark, dict))


def _output_cap(body: Json) -> OutputCap:
    """Read how many tokens and choices are asked for; of both spellings the smaller counts."""
    caps = [(_whole(body, name, 1, None), name) for name in ("max_completion_tokens", "max_tokens")]
    declared = [(tokens, name) for tokens, name in caps if tokens is not None]
    choices = _whole(body, "n", 1, CHOICES_MAX) or 1
    if not declared:
        return OutputCap(choices=choices)
    tokens, name = min(declared)
    return OutputCap(field=name, tokens=tokens, choices=choices)


def _whole(body: Json, name: str, least: int, most: int | None) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most and value > most):
        limits = f"from {least} to {most}" if most else f"of at least {least}"
        raise InvalidRequest(f"{name} must be a whole number {limits}.", param=name)
    return value


def _boolean(body: Json, name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false.", param=name)
    return bool(value)


def _wants_audio(body: Json) -> bool:
    modalities = body.get("modalities")
    if modalities is not None and not isinstance(modalities, list):
        raise InvalidRequest("modalities must be a list.", param="modalities")
    return "audio" in (modalities or ()) or body.get("audio") is not None


def read_end_user(body: Json) -> str | None:
    """Read whom the call is made for, in OpenAI's words."""
    for name in ("safety_identifier", "user"):
        value = body.get(name)
        if value is None:
            continue
        if not is_name(value):
            raise InvalidRequest(f"{name} must be a text without the character NUL.", param=name)
        if value:
            return value[:NAME_CHARS_MAX]
    return None


class CapField(Struct, frozen=True):
    """The field in which a vendor takes the output cap; `is_only_one` where it must not get the other too."""

    name: str = "max_tokens"
    is_only_one: bool = False


CAP_FIELDS = ("max_completion_tokens", "max_tokens")


def write_request(
    request: Request,
    *,
    model: str,
    output_cap: int,
    cap_field: CapField,
    pins: tuple[tuple[str, str], ...] = (),
) -> bytes:
    """Write the body for the vendor: as it came, but for the model, the output cap and our stream option.

    The cap always goes into the vendor's own field: some ignore the other one in silence. Where both may be
    sent it goes into the field that the client used as well. `pins` are set where the client left them open.
    """
    body = dict(request.body)
    body["model"] = model
    for name in CAP_FIELDS:
        if name == cap_field.name or (body.get(name) is not None and not cap_field.is_only_one):
            body[name] = output_cap
        else:
            body.pop(name, None)
    for name, value in pins:
        if body.get(name) in (None, "auto"):
            body[name] = value
    if request.stream:
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    return encode(body)
