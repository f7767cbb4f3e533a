"""Anthropic's token counting: a messages request without an answer, and the number that comes back.

Reference: Anthropic's API reference, "Count tokens in a Message", read 2026-11.
"""

import msgspec
from msgspec import Struct, structs

from seawall.core.call import Event, Json, OutputCap, Request
from seawall.core.errors import InvalidRequest
from seawall.wire.dialect import Reading
from seawall.wire.messages import request as messages

DIALECT = "count_tokens"


class _Answer(Struct):
    input_tokens: int | None = None
    error: object = None


_decode = msgspec.json.Decoder(_Answer).decode


def read_request(
    body: Json,
    *,
    raw_bytes: int,
    messages_max: int,
    headers: tuple[tuple[str, str], ...] = (),
) -> Request:
    """Read a request to count tokens: a messages request, in which nothing is generated.

    Raises what `messages.request.read_request` raises; `max_tokens` and `stream` have no place here.
    """
    for name in ("max_tokens", "stream"):
        if name in body:
            raise InvalidRequest(f"{name} has no place where tokens are only counted.", param=name)
    request = messages.read_request(body, raw_bytes=raw_bytes, messages_max=messages_max, headers=headers)
    return structs.replace(request, dialect=DIALECT, cap=OutputCap(tokens=0))


def write_request(request: Request, *, model: str) -> bytes:
    """Write the body for the vendor: as it came, but for the model."""
    return msgspec.json.encode({**request.body, "model": model})


def write_answer(tokens: int) -> bytes:
    """Write the answer that says how many input tokens a request has."""
    return msgspec.json.encode({"input_tokens": tokens})


def read_answer(raw: bytes) -> Reading:
    """Read the vendor's answer, which goes on as it came; counting is not billed, so there is no usage.

    Raises msgspec.DecodeError where it is no JSON object, or tells neither a number nor an error.
    """
    try:
        answer = _decode(raw)
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deeply") from error
    if answer.error is None and (answer.input_tokens is None or answer.input_tokens < 0):
        raise msgspec.DecodeError("no number of tokens")
    return Reading(Event(raw=raw, last=True), answer.error)
