"""The text of a whole answer, in whichever of the dialects it was written."""

import msgspec
from msgspec import Struct


class _Part(Struct):
    type: str = ""
    text: str | None = None


class _Item(Struct):
    type: str = ""
    content: list[_Part] | None = None


class _Message(Struct):
    content: str | None = None


class _Choice(Struct):
    message: _Message = msgspec.field(default_factory=_Message)


class _Answer(Struct):
    choices: list[_Choice] = []
    output: list[_Item] = []
    content: list[_Part] = []


_decode = msgspec.json.Decoder(_Answer).decode
_TEXTS = ("text", "output_text")


def excerpt_of(answer: bytes, chars_max: int) -> str:
    """Return how the text of an answer begins: of several choices the first; "" where there is none."""
    try:
        read = _decode(answer)
    except msgspec.DecodeError:
        return ""
    written = [part for item in read.output if item.type == "message" for part in item.content or ()]
    texts = [part.text for part in (*written, *read.content) if part.type in _TEXTS]
    if read.choices:
        texts.append(read.choices[0].message.content)
    text = "\n\n".join(text for text in texts if text)
    return text if len(text) <= chars_max else f"{text[:chars_max]}…"
