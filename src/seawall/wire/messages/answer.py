"""Anthropic's messages: answers and stream events as the vendor writes them, read for what they bill.

This is the fast way, for clients that speak the same dialect: frames go through as they came. Reference:
Anthropic's API reference, "Messages" and "Streaming messages", read 2026-11.

Invariants:
- A usage is told only once its output is known: what `message_start` says is not a bill.
- Signatures and redacted thinking are not counted as generated text: they are encrypted, and counting them
  would cut streams that are within their cap.
"""

from typing import Any

import msgspec
from msgspec import Struct

from seawall.core.call import Event, Spoken
from seawall.wire.dialect import Reading
from seawall.wire.usage import messages_usage

encode = msgspec.json.Encoder().encode


class _Block(Struct):
    text: str | None = None
    thinking: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw(b"{}")


class _Delta(Struct):
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class _Message(Struct):
    usage: dict[str, Any] | None = None


class _Frame(Struct):
    type: str = ""
    delta: _Delta | None = None
    content_block: _Block | None = None
    message: _Message | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


class _Answer(Struct):
    type: str = ""
    content: list[_Block] | None = None
    stop_reason: str | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


_decode_frame = msgspec.json.Decoder(_Frame).decode
_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_any = msgspec.json.Decoder().decode


class MessagesReader:
    """Reads a stream whose frames go to the client as they came; see `wire.dialect.FrameReader`.

    The stream ends with `message_stop`; it is complete as soon as a `message_delta` has said why it stopped.
    Usage is part of the dialect's own frames, so that `wants_usage` changes nothing.
    """

    __slots__ = ("_usage", "is_complete")

    def __init__(self, *, wants_usage: bool) -> None:
        self._usage: dict[str, Any] = {}
        self.is_complete = False

    def read(self, data: bytes, frame: bytes) -> Reading:
        """Read one frame; the usage of `message_start` is kept until `message_delta` tells the output."""
        said = _read_frame(data)
        kind = said.type
        delta = said.delta
        if kind == "content_block_delta" and delta is not None:
            return Reading(
                Event(
                    raw=frame,
                    text=delta.text or "",
                    reasoning=delta.thinking or "",
                    tool=delta.partial_json or "",
                    kind=kind,
                )
            )
        if kind == "message_start":
            self._add(said.message.usage if said.message is not None else None)
        elif kind == "message_delta":
            return Reading(self._end(said, frame))
        elif kind == "message_stop":
            return Reading(Event(raw=frame, last=True, kind=kind), is_end=True)
        elif kind == "error":
            return Reading(
                Event(raw=frame, kind=kind), error=said.error or "the stream stopped with an error"
            )
        text, reasoning, tool, texts = _generated([said.content_block] if said.content_block else [])
        if delta is not None and delta.text:
            text += delta.text
            texts = (*texts, (0, "text", delta.text))
        return Reading(Event(raw=frame, text=text, reasoning=reasoning, tool=tool, kind=kind, said=texts))

    def _end(self, said: _Frame, frame: bytes) -> Event:
        self._add(said.usage)
        finish = said.delta.stop_reason if said.delta is not None else None
        self.is_complete = self.is_complete or finish is not None
        usage = messages_usage(self._usage) if said.usage is not None else None
        text = (said.delta.text or "") if said.delta is not None else ""
        return Event(raw=frame, text=text, finish=finish, usage=usage, kind=said.type)

    def _add(self, usage: dict[str, Any] | None) -> None:
        """Put later figures over earlier ones; both are sums of the whole message so far."""
        if usage is not None:
            self._usage.update((name, value) for name, value in usage.items() if value is not None)


def read_answer(raw: bytes) -> Reading:
    """Read a whole answer; raises msgspec.DecodeError where it is not a JSON object."""
    try:
        try:
            answer = _decode_answer(raw)
        except msgspec.ValidationError:
            answer = _read_answer_leniently(_decode_any(raw))
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deeply") from error
    text, reasoning, tool, said = _generated(answer.content or [])
    event = Event(
        raw=raw,
        text=text,
        reasoning=reasoning,
        tool=tool,
        finish=answer.stop_reason,
        usage=messages_usage(answer.usage),
        last=True,
        kind=answer.type,
        said=said,
    )
    return Reading(event, answer.error)


def _generated(blocks: list[_Block]) -> tuple[str, str, str, tuple[Spoken, ...]]:
    text = reasoning = tool = ""
    said: list[Spoken] = []
    for block in blocks:
        text += block.text or ""
        reasoning += block.thinking or ""
        said += [(0, "text", block.text or ""), (0, "reasoning", block.thinking or "")]
        if block.name is not None:
            given = bytes(block.input).decode()
            given = "" if given in ("{}", "null") else given
            tool += block.name + given
            said += [(0, "name", block.name), (0, "tool", given)]
    return text, reasoning, tool, tuple(each for each in said if each[2])


def _read_frame(data: bytes) -> _Frame:
    try:
        try:
            return _decode_frame(data)
        except msgspec.ValidationError:
            return _read_frame_leniently(_decode_any(data))
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deeply") from error


def _read_frame_leniently(value: Any) -> _Frame:
    """Read a frame whose fields have other types than documented: everything generated counts as text."""
    if not isinstance(value, dict):
        raise msgspec.DecodeError("not an object")
    kind = value.get("type")
    said = value.get("delta") or value.get("content_block")
    delta = _Delta()
    if kind == "message_delta":
        reason = said.get("stop_reason") if isinstance(said, dict) else None
        delta.stop_reason = str(reason) if reason else None
    elif said:
        delta.text = encode(said).decode()
    message = value.get("message")
    return _Frame(
        type=kind if isinstance(kind, str) else "",
        delta=delta,
        message=_Message(usage=_dict(message.get("usage")) if isinstance(message, dict) else None),
        usage=_dict(value.get("usage")),
        error=value.get("error"),
    )


def _read_answer_leniently(value: Any) -> _Answer:
    """Read an answer whose fields have other types than documented: everything generated counts as text."""
    if not isinstance(value, dict):
        raise msgspec.DecodeError("not an object")
    content, reason, kind = value.get("content"), value.get("stop_reason"), value.get("type")
    return _Answer(
        type=kind if isinstance(kind, str) else "",
        content=[_Block(text=encode(content).decode())] if content else None,
        stop_reason=str(reason) if reason else None,
        usage=_dict(value.get("usage")),
        error=value.get("error"),
    )


def _dict(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None
