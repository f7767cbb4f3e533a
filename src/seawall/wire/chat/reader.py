"""Reads the answers of vendors that speak chat completions as pieces, to be written in another dialect.

Vendors differ from OpenAI, and from one another, in how they write reasoning, tool calls and the reason of
the end. What has another type than documented anywhere is text: everything generated reaches the client.
"""

from typing import Any

import msgspec
from msgspec import Struct

from seawall.core.pieces import Began, Finished, FinishReason, Piece, Seal, SealPiece
from seawall.wire.chat.blocks import Blocks
from seawall.wire.chat.calls import Call, Calls, Extra, Function
from seawall.wire.chat.reasoning import Detail
from seawall.wire.dialect import Reading, event_of
from seawall.wire.usage import chat_usage

_FINISHES: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "max_length": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "content_filtered": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
    "blocklist": "content_filter",
    "spii": "content_filter",
    "sensitive": "content_filter",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_window",
}
"""Every other reason (stop, eos, end_turn, ...) says that the model had finished."""

_FAILURES = frozenset(
    {"error", "abort", "insufficient_system_resource", "malformed_function_call", "network_error"}
)


class _Chunk(Struct):
    type: str = "text"
    text: str | None = None
    thinking: "str | list[_Chunk] | None" = None


class _Said(Struct):
    content: str | list[_Chunk] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Detail] | None = None
    tool_calls: list[Call] | None = None
    function_call: Function | None = None
    extra_content: Extra | None = None


class _Choice(Struct):
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None
    error: Any = None


class _Answer(Struct):
    id: str | None = None
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Answer).decode
_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class PieceReader:
    """Reads one stream as pieces; see `wire.dialect.FrameReader`.

    Some vendors say with every frame that the model has stopped. So where a frame says this beside a part of
    the answer, it is believed once a frame comes that has no more of it, at the latest `[DONE]`.
    """

    __slots__ = (
        "_answer_id",
        "_blocks",
        "_calls",
        "_has_begun",
        "_has_finished",
        "_has_said",
        "is_complete",
    )

    def __init__(self) -> None:
        self._blocks = Blocks()
        self._calls = Calls(self._blocks)
        self._answer_id = ""
        self._has_begun = self._has_said = self._has_finished = False
        self.is_complete = False

    def read(self, data: bytes, frame: bytes) -> Reading:
        """Read one frame; `[DONE]` ends the stream.

        Raises msgspec.DecodeError for what is no JSON object, for anything said after the end, and for an end
        before anything was said.
        """
        if data == b"[DONE]":
            if not (self._has_said or self.is_complete):
                raise msgspec.DecodeError("it ended before it said anything")
            return Reading(event_of(self._end("stop"), last=True), is_end=True)
        return self.take(data, last=False)

    def take(self, data: bytes, *, last: bool) -> Reading:
        """Read a frame, or with `last` a whole answer."""
        answer = _read(data)
        pieces: list[Piece] = []
        if not self._has_begun and (answer.id or answer.model):
            self._has_begun = True
            self._answer_id = answer.id or ""
            pieces.append(Began(self._answer_id, answer.model or ""))
        error = answer.error
        if last and answer.choices is None and error is None:
            raise msgspec.DecodeError("no choices")
        reason: FinishReason | None = None
        begun = len(pieces)
        for choice in answer.choices or ():
            said = choice.delta or choice.message
            if said is not None:
                self._say(said, pieces)
                self._has_said = self._has_said or len(pieces) > begun or bool(said.tool_calls)
            error = error or choice.error
            if choice.finish_reason:
                word = choice.finish_reason.lower()
                if word in _FAILURES:
                    error = error or {"message": f"The provider stopped: {word}.", "code": word}
                reason = _FINISHES.get(word, "stop")
        is_more = len(pieces) > begun
        if is_more and self._has_finished:
            raise msgspec.DecodeError("something was said after the end")
        if reason is None and ((last and error is None) or (self.is_complete and not is_more)):
            reason = "stop"
        if reason is not None:
            self.is_complete = True
            if last or not is_more or reason not in ("stop", "tool_calls"):
                pieces += self._end(reason)
        usage = None if answer.usage is None else chat_usage(answer.usage)
        return Reading(event_of(tuple(pieces), usage=usage, last=last), error)

    def _say(self, said: _Said, pieces: list[Piece]) -> None:
        """Put what a delta or message says into pieces, in the order in which models say it."""
        blocks = self._blocks
        details = said.reasoning_details
        thought = said.reasoning_content or said.reasoning
        if thought and not (details and any(each.readable for each in details)):
            pieces.append(blocks.think(thought))
        if details:
            pieces += blocks.detail(details)
        if said.extra_content is not None:
            self._sign(said.extra_content, pieces)
        if said.content:
            if isinstance(said.content, str):
                pieces.append(blocks.say(said.content))
            else:
                self._say_chunks(said.content, pieces)
        if said.refusal:
            pieces.append(blocks.decline(said.refusal))
        for call in said.tool_calls or ():
            pieces += self._calls.take(call, self._answer_id)
        if said.function_call is not None:
            pieces += self._calls.take(Call(index=-1, function=said.function_call), self._answer_id)

    def _say_chunks(self, chunks: list[_Chunk], pieces: list[Piece]) -> None:
        """Take content as Mistral's reasoning models write it."""
        for chunk in chunks:
            thought = chunk.thinking
            if isinstance(thought, list):
                thought = "".join(each.text or "" for each in thought)
            if thought:
                pieces.append(self._blocks.think(thought))
            if chunk.text:
                pieces.append(self._blocks.say(chunk.text))

    def _sign(self, extra: Extra, pieces: list[Piece]) -> None:
        """Take Google's signature of a message without tool calls."""
        signature = extra.google and extra.google.thought_signature
        if signature:
            seal = Seal("google", signature, is_redacted=True)
            pieces.append(SealPiece(self._blocks.begin(), seal))

    def _end(self, reason: FinishReason) -> tuple[Piece, ...]:
        """Finish, once; a model that stopped with tool calls stopped for their sake, whatever it says."""
        self.is_complete = True
        if self._has_finished:
            return ()
        self._has_finished = True
        pieces = self._calls.end()
        if reason == "stop" and self._calls:
            reason = "tool_calls"
        return (*pieces, Finished(reason))


def read_pieces(raw: bytes) -> Reading:
    """Read a whole answer; raises msgspec.DecodeError where it is no JSON object or has no choices."""
    return PieceReader().take(raw, last=True)


def _read(data: bytes) -> _Answer:
    try:
        try:
            return _decode(data)
        except msgspec.ValidationError:
            return _read_leniently(_decode_any(data))
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deeply") from error


def _read_leniently(value: Any) -> _Answer:
    """Read an answer whose fields have other types than documented: what it says becomes text."""
    if not isinstance(value, dict):
        raise msgspec.DecodeError("not an object")
    choices = []
    raw_choices = value.get("choices")
    for choice in raw_choices if isinstance(raw_choices, list) else ():
        is_object = isinstance(choice, dict)
        said = (choice.get("delta") or choice.get("message")) if is_object else choice
        finish = choice.get("finish_reason") if is_object else None
        choices.append(
            _Choice(
                delta=_convert_said(said) if said else None,
                finish_reason=str(finish) if finish else None,
                error=choice.get("error") if is_object else None,
            )
        )
    names = [value.get(name) for name in ("id", "model")]
    answer_id, model = (name if isinstance(name, str) else None for name in names)
    return _Answer(answer_id, model, choices, value.get("usage"), value.get("error"))


def _convert_said(said: Any) -> _Said:
    try:
        return msgspec.convert(said, _Said)
    except msgspec.ValidationError:
        return _Said(content=_encode(said).decode())
