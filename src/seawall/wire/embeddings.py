"""OpenAI's embeddings: requests, and what their answers bill; spoken to vendors of the same dialect only.

Reference: the OpenAI API reference, "Embeddings", read 2026-11.
"""

from typing import Any

import msgspec

from seawall.core.call import Event, Json, OutputCap, Request, Text
from seawall.core.errors import InvalidRequest
from seawall.wire.chat.request import read_end_user, read_model
from seawall.wire.dialect import Answering, Reading
from seawall.wire.usage import embeddings_usage

DIALECT = "embeddings"
TOKEN_MAX = 10**9
FORMATS = (None, "float", "base64")

encode = msgspec.json.Encoder().encode


def read_request(
    body: Json, *, raw_bytes: int, messages_max: int, headers: tuple[tuple[str, str], ...] = ()
) -> Request:
    """Read an embeddings request: a text, a list of texts, a list of tokens, or a list of such lists.

    Raises InvalidRequest naming the first field that cannot be right.
    """
    model = read_model(body)
    value = body.get("input")
    texts: list[Text] = []
    tokens = 0
    if isinstance(value, str):
        texts.append(Text("input", "user", value))
    elif isinstance(value, list) and value:
        if len(value) > messages_max and not isinstance(value[0], int):
            raise InvalidRequest(f"input has more than {messages_max} entries.", param="input")
        tokens = _read_list(value, texts)
    else:
        raise InvalidRequest("input must be a text or a list with at least one entry.", param="input")
    if any(not text.content for text in texts):
        raise InvalidRequest("input must not hold an empty text.", param="input")
    if body.get("encoding_format") not in FORMATS:
        raise InvalidRequest("encoding_format must be float or base64.", param="encoding_format")
    _check_dimensions(body)
    return Request(
        dialect=DIALECT,
        body=body,
        raw_bytes=max(raw_bytes, len(encode(body))),
        model=model,
        stream=False,
        cap=OutputCap(tokens=0),
        texts=tuple(texts),
        tokens=tokens,
        end_user=read_end_user(body),
    )


def _read_list(value: list[Any], texts: list[Text]) -> int:
    """Read the entries of a list; returns how many tokens it holds where it is of tokens."""
    if all(_is_token(each) for each in value):
        return len(value)
    tokens = 0
    for index, each in enumerate(value):
        path = f"input[{index}]"
        if isinstance(each, str):
            texts.append(Text(path, "user", each))
        elif isinstance(each, list) and each and all(_is_token(token) for token in each):
            tokens += len(each)
        else:
            raise InvalidRequest(f"{path} must be a text or a list of tokens.", param=path)
    return tokens


def _is_token(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < TOKEN_MAX


def _check_dimensions(body: Json) -> None:
    value = body.get("dimensions")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidRequest("dimensions must be a whole number of at least 1.", param="dimensions")


def write_request(request: Request, *, model: str) -> bytes:
    """Write the body for the vendor: as it came, but for the model."""
    return encode({**request.body, "model": model})


class _Answer(msgspec.Struct):
    usage: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Answer).decode


def read_answer(raw: bytes) -> Reading:
    """Read a whole answer for what it bills; raises msgspec.DecodeError where it is not a JSON object."""
    answer = _decode(raw)
    return Reading(Event(raw=raw, usage=embeddings_usage(answer.usage), last=True), answer.error)


class Passing:
    """Passes an answer on as it came; see `wire.dialect.AnswerWriter`."""

    __slots__ = ("_body",)

    def __init__(self, answering: Answering) -> None:
        self._body = b""

    def write(self, event: Event) -> bytes:
        """Keep the body."""
        self._body = event.raw or self._body
        return b""

    def end(self) -> bytes:
        """Return nothing: there are no streams."""
        return b""

    def whole(self) -> bytes:
        """Return the body as it came."""
        return self._body
