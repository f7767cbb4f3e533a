"""The parts of messages and tool results in responses requests, read and written."""

import base64
import binascii
import re
from typing import Any

from seawall.core.errors import InvalidRequest
from seawall.wire.fields import Fields, unknown
from seawall.wire.prompt import AudioPart, CacheMark, FilePart, ImagePart, Part, Refusal, TextPart, cannot_say

TARGET = "OpenAI's responses"

ResultPart = TextPart | ImagePart | FilePart

_DATA_URL = re.compile(r"data:([\w.+/-]+);base64,", re.ASCII)
_PLAIN = "text/plain"
_TEXTS = ("input_text", "output_text", "text")


def read_content(content: Any, path: str) -> list[Part]:
    """Read the content of a message: a text, or a list of parts."""
    if isinstance(content, str):
        return [TextPart(content, path)]
    if not isinstance(content, list):
        raise InvalidRequest(f"{path} must be a text or a list of parts.", param=path)
    return [_read_part(Fields(part, f"{path}[{index}]")) for index, part in enumerate(content)]


def read_result(output: Any, path: str) -> list[ResultPart]:
    """Read the output of a tool; an empty text is no part at all."""
    if output == "":
        return []
    parts: list[ResultPart] = []
    for part in read_content(output, path):
        if not isinstance(part, TextPart | ImagePart | FilePart):
            raise unknown(part.path)
        parts.append(part)
    return parts


def _read_part(fields: Fields) -> Part:
    kind = fields.take("type")
    if kind in _TEXTS:
        fields.take("annotations")
        fields.take("logprobs")
        part: Part = TextPart(fields.needed_text("text"), fields.path, _cache(fields))
    elif kind == "refusal":
        part = Refusal(fields.needed_text("refusal"), fields.path)
    elif kind == "input_image":
        part = _read_image(fields)
    elif kind == "input_file":
        part = _read_file(fields)
    elif kind == "input_audio":
        audio = fields.inner("input_audio")
        part = AudioPart(audio.needed_text("data"), audio.needed_text("format"), fields.path)
        audio.end()
    else:
        raise unknown(fields.at("type"))
    fields.end()
    return part


def _cache(fields: Fields) -> CacheMark | None:
    """Read a cache mark: OpenAI's own one, or the one that gateways have in common."""
    mark = fields.cache()
    if fields.take("prompt_cache_breakpoint") is not None:
        return CacheMark()
    return mark


def _read_image(fields: Fields) -> ImagePart:
    cache = _cache(fields)
    url, detail = fields.needed_text("image_url"), fields.text("detail")
    detail = None if detail == "auto" else detail
    if not url.startswith("data:"):
        return ImagePart(url=url, detail=detail, path=fields.path, cache=cache)
    media_type, data = _split_data_url(url, fields.at("image_url"))
    return ImagePart(media_type=media_type, data=data, detail=detail, path=fields.path, cache=cache)


def _read_file(fields: Fields) -> FilePart:
    cache = _cache(fields)
    name, url, data = fields.text("filename"), fields.text("file_url"), fields.text("file_data")
    if fields.take("detail") not in (None, "auto"):
        raise unknown(fields.at("detail"))
    if url is not None:
        return FilePart(name=name, url=url, path=fields.path, cache=cache)
    if data is None:
        raise InvalidRequest(f"{fields.at('file_data')} is missing.", param=fields.at("file_data"))
    media_type = "application/pdf" if (name or "").lower().endswith(".pdf") else ""
    if data.startswith("data:"):
        media_type, data = _split_data_url(data, fields.at("file_data"))
    if media_type == _PLAIN:
        data = _decode_text(data, fields.at("file_data"))
    return FilePart(name=name, media_type=media_type, data=data, path=fields.path, cache=cache)


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


def say_parts(parts: tuple[Part, ...], notes: dict[str, str], *, is_answer: bool = False) -> Any:
    """Write the content of a message: one plain text as such, else a list of parts.

    `is_answer` is for messages of the assistant. Raises Untranslatable for what cannot stand there.
    """
    for part in parts:
        note_cache(part, notes)
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        return parts[0].text
    return [_say_answer(part) if is_answer else _say_part(part, notes) for part in parts]


def note_cache(part: Any, notes: dict[str, str]) -> None:
    """Note a cache mark: the provider needs none."""
    if getattr(part, "cache", None) is not None:
        notes["cache_control"] = "the provider caches by itself"


def _say_answer(part: Part) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "output_text", "text": part.text, "annotations": []}
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    raise cannot_say(part.path, TARGET, "an assistant's message holds texts only")


def _say_part(part: Part, notes: dict[str, str]) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "input_text", "text": part.text}
    if isinstance(part, ImagePart):
        url = part.url or f"data:{part.media_type};base64,{part.data}"
        return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}
    if isinstance(part, FilePart):
        return {"type": "input_file", **_say_file(part, notes)}
    raise cannot_say(part.path, TARGET)


def _say_file(part: FilePart, notes: dict[str, str]) -> dict[str, str]:
    """Write a file; OpenAI takes none without a name where its content is sent."""
    if part.url:
        return {"file_url": part.url} if part.name is None else {"filename": part.name, "file_url": part.url}
    data = base64.b64encode(part.data.encode()).decode() if part.media_type == _PLAIN else part.data
    whole = f"data:{part.media_type};base64,{data}" if part.media_type else data
    if part.name is None:
        notes["filename"] = "a file without a name is called document"
    return {"filename": part.name or "document", "file_data": whole}
