"""OpenAI's embeddings as the mock provider speaks them: the same unit vector for the same input; no I/O."""

import base64
import hashlib
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from seawall.proving.mock_answers import Count
from seawall.proving.mock_frames import OPENAI_HEADERS, Refused, Unstreamed, error_body

DIMENSIONS: Final = 1536
"""How long a vector is where nothing else is asked, as text-embedding-3-small's."""

_DIMENSIONS_MAX: Final = 3072
_INPUTS_MAX: Final = 2048
_TOKENS_MAX: Final = 8192
_FIELDS: Final = frozenset({"dimensions", "encoding_format", "input", "model", "user", "x_mock"})


class Embedded(Struct, frozen=True):
    """What a call wants embedded, each input as bytes with its tokens."""

    model: str
    inputs: tuple[bytes, ...]
    tokens: tuple[int, ...]
    dimensions: int
    is_base64: bool


def read_embeddings(body: Mapping[str, Any], count: Count) -> Embedded:
    """Read a call; raises `Refused` where OpenAI would refuse it."""
    for field in body:
        if field not in _FIELDS:
            raise Refused(f"Unrecognized request argument supplied: {field}")
    if "model" not in body:
        raise Refused("you must provide a model parameter")
    way, dimensions = body.get("encoding_format", "float"), body.get("dimensions", DIMENSIONS)
    if way not in {"float", "base64"}:
        raise Refused(f"'{way}' is not one of ['float', 'base64'] - 'encoding_format'")
    if type(dimensions) is not int or not 1 <= dimensions <= _DIMENSIONS_MAX:
        raise Refused(f"Invalid value for 'dimensions' = {dimensions}.", param="dimensions")
    items = _items(body.get("input"))
    if any(not item for item in items) or not 1 <= len(items) <= _INPUTS_MAX:
        raise Refused("'$.input' is invalid. Please check the API reference.", param="input")
    tokens = tuple(count(item) if isinstance(item, str) else len(item) for item in items)
    if max(tokens) > _TOKENS_MAX:
        raise Refused(f"This model's maximum context length is {_TOKENS_MAX} tokens.", param="input")
    raw = tuple(item.encode() if isinstance(item, str) else msgspec.json.encode(item) for item in items)
    return Embedded(str(body["model"]), raw, tokens, dimensions, way == "base64")


class EmbeddingsWriter(Unstreamed):
    """The vectors of one call."""

    headers = OPENAI_HEADERS

    def __init__(self, asked: Embedded) -> None:
        self._asked = asked

    def whole(self) -> bytes:
        """Return the vectors and what they cost."""
        asked = self._asked
        data = []
        for index, item in enumerate(asked.inputs):
            vector: Any = embed(item, asked.dimensions)
            if asked.is_base64:
                vector = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
            data.append({"object": "embedding", "index": index, "embedding": vector})
        tokens = sum(asked.tokens)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return msgspec.json.encode({"object": "list", "data": data, "model": asked.model, "usage": usage})

    def error(self, status: int) -> bytes:
        """Return the body of an error."""
        return error_body(status)


def embed(item: bytes, dimensions: int) -> Sequence[float]:
    """Return a vector of length one; shorter ones are the beginning of longer ones, made long again."""
    noise = hashlib.shake_128(item).digest(2 * dimensions)
    raw = [value - 32767.5 for (value,) in struct.iter_unpack("<H", noise)]
    size = math.sqrt(sum(value * value for value in raw))
    return [value / size for value in raw]


def _items(wanted: Any) -> list[str | list[int]]:
    """Return the inputs of a call: texts, or lists of tokens."""
    if isinstance(wanted, str):
        return [wanted]
    if not isinstance(wanted, list):
        raise Refused("'$.input' is invalid. Please check the API reference.", param="input")
    if wanted and all(type(item) is int for item in wanted):
        return [wanted]
    if any(
        not isinstance(item, str) and not (isinstance(item, list) and all(type(one) is int for one in item))
        for item in wanted
    ):
        raise Refused("'$.input' is invalid. Please check the API reference.", param="input")
    return wanted
