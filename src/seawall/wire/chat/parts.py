"""The parts of a message in chat completions: text, pictures, files and sound, read and written."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from seawall.core.errors import InvalidRequest
from seawall.core.pieces import Seal
from seawall.wire.fields import Fields, unknown
from seawall.wire.prompt import (
    AudioPart,
    CacheMark,
    FilePart,
    ImagePart,
    Part,
    Reasoning,
    Refusal,
    Target,
    TextPart,
    cannot_say,
)

TARGET = "chat completions"

_DATA_URL = re.compile(r"data:([\w.+/-]+);base64,", re.ASCII)
_WEB_URL = ("http://", "https://")
_PLAIN = "text/plain"


def read_content(message: Fields) -> list[Part]:
    """Read a message's `content`: a text, or a list of parts; nothing where it is missing."""
    path = message.at("content")
    content = message.take("content")
    if content is None:
        return []
    if isinstance(content, str):
        return [TextPart(content, path)]
    if not isinstance(content, list):
        raise InvalidRequest(f"{path} must be a text or a list of parts.", param=path)
    return [_read_part(Fields(part, f"{path}[{index}]")) for index, part in enumerate(content)]


def _read_part(fields: Fields) -> Part:
    kind = fields.needed_text("type")
    reader = _READERS.get(kind)
    if reader is None:
        raise unknown(fields.at("type"))
    part = reader(fields)
    fields.end()
    return part


def _read_text(fields: Fields) -> TextPart:
    return TextPart(fields.needed_text("text"), fields.path, fields.cache())


def _read_refusal(fields: Fields) -> Refusal:
    return Refusal(fields.needed_text("refusal"), fields.path)


def _read_thinking(fields: Fields) -> Reasoning:
    """Read a part as Mistral writes it, a list of texts, or as Anthropic does, one text and a signature."""
    thought = fields.take("thinking")
    if isinstance(thought, list):
        pieces = [Fields(each, f"{fields.path}.thinking[{index}]") for index, each in enumerate(thought)]
        texts = [_read_part(piece) for piece in pieces]
        thought = "".join(text.text for text in texts if isinstance(text, TextPart))
    if not isinstance(thought, str):
        raise InvalidRequest(f"{fields.at('thinking')} must be a text.", param=fields.at("thinking"))
    fields.take("closed")
    signature = fields.text("signature")
    return Reasoning((thought,), seal=Seal("anthropic", signature) if signature else None, path=fields.path)


def _read_image(fields: Fields) -> ImagePart:
    cache = fields.cache()
    value = fields.take("image_url")
    if isinstance(value, str):  # Some vendors' examples leave out the object around the address.
        value = {"url": value}
    image = Fields(value, fields.at("image_url"))
    url = image.needed_text("url")
    detail = image.text("detail")
    image.end()
    detail = None if detail == "auto" else detail
    if not url.startswith("data:"):
        return ImagePart(url=url, detail=detail, path=fields.path, cache=cache)
    media_type, data = _split_data_url(url, image.at("url"))
    return ImagePart(media_type=media_type, data=data, detail=detail, path=fields.path, cache=cache)


def _read_file(fields: Fields) -> FilePart:
    cache = fields.cache()
    file = fields.inner("file")
    name = file.text("filename")
    data = file.text("file_data")
    file.end()  # A file_id is left: what it stands for is not ours to read.
    if data is None:
        raise InvalidRequest(f"{file.at('file_data')} is missing.", param=file.at("file_data"))
    if data.startswith(_WEB_URL):
        return FilePart(name=name, url=data, path=fields.path, cache=cache)
    media_type = "application/pdf" if (name or "").lower().endswith(".pdf") else ""
    if data.startswith("data:"):
        media_type, data = _split_data_url(data, file.at("file_data"))
    if media_type == _PLAIN:
        data = _decode_text(data, file.at("file_data"))
    return FilePart(name=name, media_type=media_type, data=data, path=fields.path, cache=cache)


def _read_audio(fields: Fields) -> AudioPart:
    audio = fields.inner("input_audio")
    part = AudioPart(audio.needed_text("data"), audio.needed_text("format"), fields.path)
    audio.end()
    return part


_READERS: dict[str, Callable[[Fields], Part]] = {
    "text": _read_text,
    "refusal": _read_refusal,
    "thinking": _read_thinking,
    "image_url": _read_image,
    "file": _read_file,
    "input_audio": _read_audio,
}


def _split_data_url(url: str, path: str) -> tuple[str, str]:
    """Return the media type and the base64 text of a data URL (RFC 2397)."""
    match = _DATA_URL.match(url)
    if match is None:
        raise InvalidRequest(
            f"{path} must begin like data:image/png;base64, or be a web address.", param=path
        )
    return match[1], url[match.end() :]


def _decode_text(data: str, path: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{path} must be text in UTF-8, as base64.", param=path) from error


def say_part(part: Part, target: Target, notes: dict[str, str]) -> dict[str, Any]:
    """Write one part of a message; raises Untranslatable for what cannot stand there."""
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text, **say_cache(part.cache, target, notes)}
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    if isinstance(part, ImagePart):
        image = {"url": part.url or f"data:{part.media_type};base64,{part.data}"}
        if part.detail is not None:
            image["detail"] = part.detail
        return {"type": "image_url", "image_url": image, **say_cache(part.cache, target, notes)}
    if isinstance(part, FilePart):
        return {
            "type": "file",
            "file": _say_file(part, target, notes),
            **say_cache(part.cache, target, notes),
        }
    if isinstance(part, AudioPart):
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
    raise cannot_say(part.path, TARGET)


def _say_file(part: FilePart, target: Target, notes: dict[str, str]) -> dict[str, Any]:
    """Write a file; OpenAI takes none without a name."""
    file = {"filename": part.name or "document"}
    if part.name is None:
        notes["filename"] = "a file without a name is called document"
    if part.url:
        if target.vendor != "openrouter":
            raise cannot_say(part.path, TARGET, "a file is sent there as its content, not as an address")
        return {**file, "file_data": part.url}
    data = base64.b64encode(part.data.encode()).decode() if part.media_type == _PLAIN else part.data
    return {**file, "file_data": f"data:{part.media_type};base64,{data}" if part.media_type else data}


def say_cache(mark: CacheMark | None, target: Target, notes: dict[str, str]) -> dict[str, Any]:
    """Write a cache mark where the vendor knows them; elsewhere it caches by itself, which is noted."""
    if mark is None:
        return {}
    if target.vendor != "openrouter":
        notes["cache_control"] = "the provider caches by itself"
        return {}
    if mark.ttl not in (None, "5m"):  # Its bill could not be read from a chat completion; see fields.py.
        notes["cache_control"] = "the provider keeps it for five minutes"
        return {"cache_control": {"type": "ephemeral"}}
    return {"cache_control": {"type": "ephemeral"} | ({} if mark.ttl is None else {"ttl": mark.ttl})}
