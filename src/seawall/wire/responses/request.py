"""OpenAI's Responses API: requests as clients write them, and as vendors get them.

Reference: the OpenAI API reference, "Responses", and the Open Responses specification, read 2026-11.
"""

from typing import Any

from seawall.core.call import Json, OutputCap, Request, State, Text
from seawall.core.errors import InvalidRequest
from seawall.core.state import StoredItem
from seawall.wire.names import NAME_CHARS_MAX, is_model, is_name
from seawall.wire.responses.items import OWN, Parts, encode, read_item, unsealed
from seawall.wire.responses.state import expand, own_items, references_of

DIALECT = "responses"
CAP_FIELD = "max_output_tokens"
ENCRYPTED = "reasoning.encrypted_content"
LONG_CACHE_TTL = "12h"

_CHAT_MODEL = "-chat"
"""In the names of models that refuse to encrypt though price lists say they reason (gpt-5-chat-latest)."""


def read_request(
    body: Json, *, raw_bytes: int, messages_max: int, headers: tuple[tuple[str, str], ...] = ()
) -> Request:
    """Read a responses request; fields that are not named here travel on untouched.

    `headers` are not looked at. Raises InvalidRequest naming the first field that cannot be right.
    """
    del headers
    previous_id = _text(body, "previous_response_id")
    is_kept = _boolean(body, "store", default=True)

    def resume(before: tuple[StoredItem, ...], named: dict[str, StoredItem]) -> Request:
        whole = expand(body, before, named)
        items = own_items(body, named) if is_kept else ()
        resumed = State(previous_id, (), is_kept, items, resume)
        return _read(whole, resumed, raw_bytes=len(encode(whole)), messages_max=messages_max)

    items = own_items(body) if is_kept else ()
    state = State(previous_id, references_of(body), is_kept, items, resume)
    # A number may be longer as we write it.
    return _read(body, state, raw_bytes=max(raw_bytes, len(encode(body))), messages_max=messages_max)


def _read(body: Json, state: State, *, raw_bytes: int, messages_max: int) -> Request:
    model = body.get("model")
    if not is_model(model):
        raise InvalidRequest("Say which model to use: model must be a name.", param="model")
    parts = Parts()
    instructions = _text(body, "instructions")
    if instructions is not None:
        parts.texts.append(Text("instructions", "system", instructions))
    _read_input(body, parts, messages_max, is_needed=state.previous_id is None)
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise InvalidRequest("stream_options must be an object.", param="stream_options")
    return Request(
        dialect=DIALECT,
        body=body,
        raw_bytes=raw_bytes,
        model=model,
        stream=_boolean(body, "stream"),
        cap=_output_cap(body),
        texts=tuple(parts.texts),
        schemas=_schemas(body),
        images=parts.images,
        image_bytes=parts.image_bytes,
        audio_bytes=parts.audio_bytes,
        files=parts.files,
        has_long_cache=_has_long_cache(body),
        end_user=_end_user(body),
        state=state,
        is_background=_boolean(body, "background"),
    )


def _read_input(body: Json, parts: Parts, messages_max: int, *, is_needed: bool) -> None:
    given = body.get("input")
    if isinstance(given, str):
        parts.texts.append(Text("input", "user", given))
        return
    if given is None and not is_needed:
        return
    if not isinstance(given, list) or not (given or not is_needed):
        raise InvalidRequest("input must be a text, or a list with at least one item.", param="input")
    if len(given) > messages_max:
        raise InvalidRequest(f"input has more than {messages_max} items.", param="input")
    for index, item in enumerate(given):
        read_item(item, f"input[{index}]", parts)


def _schemas(body: Json) -> tuple[Any, ...]:
    """Return the tools and the shape of the answer."""
    tools, text = body.get("tools"), body.get("text")
    if tools is not None and not isinstance(tools, list):
        raise InvalidRequest("tools must be a list.", param="tools")
    if text is not None and not isinstance(text, dict):
        raise InvalidRequest("text must be an object.", param="text")
    shape = text.get("format") if text else None
    if shape is not None and not isinstance(shape, dict):
        raise InvalidRequest("text.format must be an object.", param="text.format")
    return tuple(found for found in (tools, shape if shape != {"type": "text"} else None) if found)


def _output_cap(body: Json) -> OutputCap:
    value = body.get(CAP_FIELD)
    if value is None:
        return OutputCap()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidRequest(f"{CAP_FIELD} must be a whole number of at least 1.", param=CAP_FIELD)
    return OutputCap(field=CAP_FIELD, tokens=value)


def _has_long_cache(body: Json) -> bool:
    options = body.get("prompt_cache_options")
    return isinstance(options, dict) and options.get("ttl") == LONG_CACHE_TTL


def _boolean(body: Json, name: str, *, default: bool = False) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false.", param=name)
    return default if value is None else value


def _text(body: Json, name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequest(f"{name} must be a text.", param=name)
    return value


def _end_user(body: Json) -> str | None:
    for name in ("safety_identifier", "user"):
        given = _text(body, name)
        if given:
            if not is_name(given):
                raise InvalidRequest(f"{name} must be a text without the character NUL.", param=name)
            if len(given) > NAME_CHARS_MAX:  # Cut off, two end users could become one, and share their state.
                raise InvalidRequest(f"{name} is longer than {NAME_CHARS_MAX} characters.", param=name)
            return given
    return None


def write_request(
    request: Request,
    *,
    model: str,
    output_cap: int,
    reasons: bool = False,
    pins: tuple[tuple[str, str], ...] = (),
) -> bytes:
    """Write the body for the vendor: as it came, but for the model, the output cap and what is stored.

    The vendor keeps nothing, and does nothing later: that is our work. `reasons` says that the model reasons:
    then its reasoning is asked for in encrypted form where the answer is kept here, so that a later call can
    go on from it; OpenAI refuses to include it for other models ("Encrypted content is not supported with
    this model", read 2026-11).
    `pins` are set where the client left them open.
    """
    body = dict(request.body)
    body["model"] = model
    body[CAP_FIELD] = output_cap
    body["store"] = False
    body.pop("background", None)
    body.pop("previous_response_id", None)
    items = body.get("input")
    if isinstance(items, list) and any(map(unsealed, items)):
        body["input"] = [_unwrap(item) for item in items]
    if reasons and _CHAT_MODEL not in model and request.state is not None and request.state.is_kept:
        included = body.get("include") or []
        if ENCRYPTED not in included:
            body["include"] = [*included, ENCRYPTED]
    for name, value in pins:
        if body.get(name) in (None, "auto"):
            body[name] = value
    return encode(body)


def _unwrap(item: Any) -> Any:
    """Give OpenAI its own encrypted reasoning back as it made it, under the id that it belongs to."""
    seal = unsealed(item)
    if seal is None or seal.origin != OWN:
        return item
    return {**item, "id": seal.id, "encrypted_content": seal.data}
