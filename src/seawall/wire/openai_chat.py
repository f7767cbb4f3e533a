"""OpenAI's chat completions: requests and answers as clients and vendors write them.

Reference: the OpenAI API reference, "Chat Completions", read 2026-11.
"""

from typing import Any

import msgspec
from msgspec import Struct

from seawall.core.call import Event, Json, Origin, OutputCap, Request, Text
from seawall.core.errors import InvalidRequest, UnpricedField
from seawall.core.money import Usage

DIALECT = "openai_chat"
CHOICES_MAX = 128
NAME_CHARS_MAX = 256
TOKENS_MAX = 10**12
"""No usage is believed beyond this; what it costs still fits into the ledger."""

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


def read_request(body: Json, *, raw_bytes: int, messages_max: int) -> Request:
    """Read a chat completions request; fields that are not named here travel on untouched.

    Raises InvalidRequest naming the first field that cannot be right.
    """
    model = body.get("model")
    if not isinstance(model, str) or not model or len(model) > NAME_CHARS_MAX:
        raise InvalidRequest("Say which model to use: model must be a name.", param="model")
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
    return Request(
        dialect=DIALECT,
        body=body,
        raw_bytes=max(raw_bytes, len(encode(body))),  # A number may be longer as we write it.
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
        wants_audio=_wants_audio(body),
        wants_usage=bool(options and options.get("include_usage")),
        end_user=_end_user(body),
    )


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
        parts.images += 1
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else image
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
        strings = {name: value for name, value in part.items() if name != "type" and isinstance(value, str)}
        parts.texts += [Text(f"{path}.{name}", origin, value) for name, value in strings.items()]
    else:
        raise UnpricedField(
            "Parts of this type add input that cannot be counted. Send text, image_url, input_audio or file.",
            param=f"{path}.type",
        )


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


def _end_user(body: Json) -> str | None:
    for name in ("safety_identifier", "user"):
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise InvalidRequest(f"{name} must be a text.", param=name)
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


class _ToolFunction(Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(Struct):
    function: _ToolFunction | None = None


class _Delta(Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _ToolFunction | None = None


class _Choice(Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _PromptDetails(Struct):
    cached_tokens: int | None = None
    audio_tokens: int | None = None
    cache_write_tokens: int | None = None


class _CompletionDetails(Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _Answer(Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_any = msgspec.json.Decoder().decode


class Reading(Struct, frozen=True):
    """What an answer or frame says: its event, and the vendor's error where it is one."""

    event: Event
    error: Any = None


def read_frame(data: bytes, frame: bytes, *, wants_usage: bool) -> Reading:
    """Read one frame of a stream.

    The frame that only holds usage is kept from a client that did not ask for it. Raises
    msgspec.DecodeError where the data is not a JSON object.
    """
    answer = _read(data)
    choices = answer.choices or ()
    is_usage_only = answer.usage is not None and not choices
    event = _event(answer, b"" if is_usage_only and not wants_usage else frame)
    return Reading(event, answer.error)


def read_answer(raw: bytes) -> Reading:
    """Read a whole answer; raises msgspec.DecodeError where it is not a JSON object."""
    answer = _read(raw)
    event = _event(answer, raw)
    return Reading(msgspec.structs.replace(event, last=True), answer.error)


def _read(data: bytes) -> _Answer:
    try:
        try:
            return _decode_answer(data)
        except msgspec.ValidationError:
            return _read_leniently(_decode_any(data))
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deeply") from error


def _read_leniently(value: Any) -> _Answer:
    """Read an answer whose fields have other types than documented: everything generated counts as text."""
    if not isinstance(value, dict):
        raise msgspec.DecodeError("not an object")
    choices = []
    raw_choices = value.get("choices")
    for choice in raw_choices if isinstance(raw_choices, list) else ():
        said = (choice.get("delta") or choice.get("message")) if isinstance(choice, dict) else choice
        finish = choice.get("finish_reason") if isinstance(choice, dict) else None
        text = encode(said).decode() if said else None
        choices.append(_Choice(delta=_Delta(content=text), finish_reason=str(finish) if finish else None))
    try:
        usage = msgspec.convert(value.get("usage"), _Usage | None)
    except msgspec.ValidationError:
        usage = None
    return _Answer(choices=choices, usage=usage, error=value.get("error"))


def _event(answer: _Answer, raw: bytes) -> Event:
    text = reasoning = tool = ""
    finish = None
    for choice in answer.choices or ():
        finish = choice.finish_reason or finish
        said = choice.delta or choice.message
        if said is None:
            continue
        text += (said.content or "") + (said.refusal or "")
        reasoning += said.reasoning_content or said.reasoning or ""
        for call in said.tool_calls or ():
            tool += _tool_text(call.function)
        tool += _tool_text(said.function_call)
    return Event(
        raw=raw, text=text, reasoning=reasoning, tool=tool, finish=finish, usage=_usage(answer.usage)
    )


def _tool_text(function: _ToolFunction | None) -> str:
    return "" if function is None else (function.name or "") + (function.arguments or "")


def _usage(usage: _Usage | None) -> Usage | None:
    """Read a usage object; `None` where it does not say both sums."""
    if usage is None or usage.prompt_tokens is None:
        return None
    if usage.completion_tokens is None and usage.total_tokens is None:
        return None
    # Some vendors count reasoning in the total and not in the completion (xAI); the larger one is billed.
    output = max(usage.completion_tokens or 0, (usage.total_tokens or 0) - usage.prompt_tokens)
    prompt = usage.prompt_tokens_details or _PromptDetails()
    completion = usage.completion_tokens_details or _CompletionDetails()
    figures = [
        usage.prompt_tokens,
        output,
        prompt.cached_tokens or 0,
        prompt.cache_write_tokens or 0,
        completion.reasoning_tokens or 0,
        prompt.audio_tokens or 0,
        completion.audio_tokens or 0,
    ]
    if min(figures) < 0:
        return None
    prompt_tokens, output_tokens, *rest = (min(figure, TOKENS_MAX) for figure in figures)
    cached_read, cached_write, reasoning, audio_input, audio_output = rest
    return Usage(
        input=prompt_tokens,
        output=output_tokens,
        cached_read=cached_read,
        cached_write=cached_write,
        reasoning=reasoning,
        audio_input=audio_input,
        audio_output=audio_output,
    )


def write_finish(last_frame: bytes, finish: str, *, choices: int) -> bytes:
    """Write the data of the frame that ends a stream which we stopped, in the manner of its last frame."""
    try:
        last = _decode_any(last_frame)
    except msgspec.DecodeError:
        last = {}
    head = {name: last[name] for name in ("id", "object", "created", "model") if name in last}
    ends = [{"index": index, "delta": {}, "finish_reason": finish} for index in range(choices)]
    return encode({**head, "choices": ends})
