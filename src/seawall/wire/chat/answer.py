"""OpenAI's chat completions: answers and stream frames as vendors write them, read for what they bill.

This is the fast way, for clients that speak the same dialect: frames go through as they came. Reference: the
OpenAI API reference, "Chat Completions", read 2026-11.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from seawall.core.bodies import NAMES
from seawall.core.call import Event, Spoken
from seawall.wire import sse
from seawall.wire.dialect import Reading
from seawall.wire.usage import ChatUsage, read_chat_usage

encode = msgspec.json.Encoder().encode


class _ToolFunction(Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolInput(Struct):
    name: str | None = None
    input: str | None = None


class _ToolCall(Struct):
    function: _ToolFunction | None = None
    custom: _ToolInput | None = None
    index: Any = 0


class _Delta(Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _ToolFunction | None = None


class _OddDelta(_Delta):
    """One of other types than documented; `texts` are those in it."""

    texts: list[str] = []


class _Choice(Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None
    index: Any = 0


class _Answer(Struct):
    choices: list[_Choice] | None = None
    usage: ChatUsage | None = None
    error: Any = None


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_any = msgspec.json.Decoder().decode


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


class ChatReader:
    """Reads a stream whose frames go to the client as they came; see `wire.dialect.FrameReader`."""

    __slots__ = ("_has_said", "_wants_usage", "is_complete")

    def __init__(self, *, wants_usage: bool) -> None:
        self._wants_usage = wants_usage
        self._has_said = False
        self.is_complete = False

    def read(self, data: bytes, frame: bytes) -> Reading:
        """Read one frame; `[DONE]` ends the stream, and so does a clean end after a finish reason.

        A stream that says nothing, not even why it ends, is no answer.
        """
        if data == b"[DONE]":
            if not (self._has_said or self.is_complete):
                raise msgspec.DecodeError("it ended before it said anything")
            return Reading(Event(raw=sse.DONE, last=True), is_end=True)
        reading = read_frame(data, frame, wants_usage=self._wants_usage)
        event = reading.event
        if not self._has_said and (event.text or event.reasoning or event.tool):
            self._has_said = True
        self.is_complete = self.is_complete or event.finish is not None
        return reading


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
        delta = _OddDelta(content=text, texts=list(_texts_in(said)))
        index = choice.get("index") if isinstance(choice, dict) else 0
        choices.append(_Choice(delta=delta, finish_reason=str(finish) if finish else None, index=index))
    try:
        usage = msgspec.convert(value.get("usage"), ChatUsage | None)
    except msgspec.ValidationError:
        usage = None
    return _Answer(choices=choices, usage=usage, error=value.get("error"))


def _texts_in(value: Any) -> Iterator[str]:
    """Yield the texts in a value, but for the dialect's own words."""
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in NAMES:
                yield from _texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts_in(each)


def _event(answer: _Answer, raw: bytes) -> Event:
    text = reasoning = tool = ""
    finish, number = None, 0
    texts: list[Spoken] = []
    for choice in answer.choices or ():
        number = choice.index if type(choice.index) is int else 0
        finish = choice.finish_reason or finish
        said = choice.delta or choice.message
        if said is None:
            continue
        text += (said.content or "") + (said.refusal or "")
        reasoning += said.reasoning_content or said.reasoning or ""
        own = _said(said, number)
        if said.tool_calls or said.function_call:
            tool += "".join(each for _, kind, each in own if kind not in ("text", "reasoning"))
        texts += own
    return Event(
        raw=raw,
        text=text,
        reasoning=reasoning,
        tool=tool,
        finish=finish,
        usage=read_chat_usage(answer.usage),
        choice=number,
        said=tuple(texts) if tool or len(texts) > 1 or (texts and texts[0][2] != text + reasoning) else (),
    )


def _said(said: _Delta, choice: int) -> list[Spoken]:
    """Return the texts of a choice one by one."""
    if isinstance(said, _OddDelta):
        return [(choice, "text", each) for each in said.texts]
    if not (
        said.refusal or said.reasoning_content or said.reasoning or said.tool_calls or said.function_call
    ):
        return [(choice, "text", said.content)] if said.content else []
    texts = [
        ("text", said.content),
        ("text", said.refusal),
        ("reasoning", said.reasoning_content),
        ("reasoning", None if said.reasoning == said.reasoning_content else said.reasoning),
    ]
    for call in said.tool_calls or ():
        if call.function is not None:
            texts += [("name", call.function.name), (f"tool {call.index}", call.function.arguments)]
        if call.custom is not None:
            texts += [("name", call.custom.name), (f"tool {call.index}", call.custom.input)]
    if said.function_call is not None:
        texts += [("name", said.function_call.name), ("tool", said.function_call.arguments)]
    return [(choice, kind, text) for kind, text in texts if text]


def write_finish(last_frame: bytes, finish: str, *, choices: int) -> bytes:
    """Write the data of the frame that ends a stream which we stopped, in the manner of its last frame."""
    try:
        last = _decode_any(last_frame)
    except msgspec.DecodeError:
        last = {}
    head = {name: last[name] for name in ("id", "object", "created", "model") if name in last}
    ends = [{"index": index, "delta": {}, "finish_reason": finish} for index in range(choices)]
    return encode({**head, "choices": ends})
