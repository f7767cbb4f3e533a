"""Writes answers from pieces as chat completions, streamed or whole."""

from typing import Any

import msgspec
from msgspec import Struct

from seawall.core.call import Event
from seawall.core.money import Usage
from seawall.core.pieces import (
    Finished,
    Piece,
    ReasoningPiece,
    RefusalPiece,
    Seal,
    SealPiece,
    TextPiece,
    ToolPiece,
)
from seawall.wire import sse
from seawall.wire.chat.reasoning import PARAGRAPHS, Detail, details_of
from seawall.wire.dialect import Answering

FINISHES = {
    "refusal": "content_filter",
    "stop_sequence": "stop",
    "context_window": "length",
    "pause": "stop",
}
"""Reasons of the end for which chat completions have another word, or a less exact one."""

encode = msgspec.json.Encoder().encode


class _Tool(Struct):
    """A tool call as it goes to the client, whole at the end."""

    index: int
    id: str
    kind: str
    name: str
    arguments: list[str]
    signature: str | None


class Writer:
    """See `wire.dialect.AnswerWriter`.

    Reasoning goes out as `reasoning_content` at once, and once more when its block ends, whole and with its
    seal, as an entry of `reasoning_details`. Google's signatures go on the tool call that they belong to, as
    Google writes them. A client that declared `functions` gets its first call as `function_call`.
    """

    __slots__ = (
        "_answering",
        "_details",
        "_finish",
        "_is_legacy",
        "_message",
        "_prefix",
        "_refusal",
        "_signature",
        "_signatures",
        "_suffix",
        "_text",
        "_thought",
        "_thoughts",
        "_tools",
        "_usage",
    )

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        body = answering.request.body
        head = encode({"object": "chat.completion.chunk", **self._head()})
        self._prefix = b"data: " + head[:-1] + b',"choices":[{"index":0,"delta":{"role":"assistant",'
        usage = b',"usage":null' if answering.request.wants_usage else b""
        self._suffix = b'},"logprobs":null,"finish_reason":null}]' + usage + b"}\n\n"
        self._is_legacy = bool(body.get("functions")) and not body.get("tools")
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._thoughts: list[str] = []  # All reasoning, for the whole answer.
        self._thought: list[ReasoningPiece] = []  # The block of reasoning that is open.
        self._details: list[Detail] = []
        self._tools: dict[int, _Tool] = {}
        self._signatures: dict[str, str] = {}
        self._signature: str | None = None
        self._message: dict[str, Any] = {}

    def write(self, event: Event) -> bytes:
        """Take an event; see `wire.dialect.AnswerWriter`."""
        if event.usage is not None:
            self._usage = event.usage
        if not event.pieces:
            if event.finish is not None and not event.raw:
                return self._close(event.finish)
            return b""
        if len(event.pieces) == 1:
            return self._write(event.pieces[0])
        return b"".join([self._write(piece) for piece in event.pieces])

    def end(self) -> bytes:
        """Return the frame of the usage, where the client asked for it, and `[DONE]`."""
        closing = self._close("tool_calls" if self._tools else "stop")
        if self._usage is None or not self._answering.request.wants_usage:
            return closing + sse.DONE
        head = {"object": "chat.completion.chunk", **self._head()}
        usage = sse.frame_of(encode({**head, "choices": [], "usage": usage_of(self._usage)}))
        return closing + usage + sse.DONE

    def whole(self) -> bytes:
        """Return the body of a whole answer."""
        self._close("tool_calls" if self._tools else "stop")
        says_nothing = not (self._text or self._refusal or self._tools)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(self._text) if self._text or says_nothing else None,
            "refusal": "".join(self._refusal) if self._refusal else None,
        }
        if self._thoughts:
            message["reasoning_content"] = "".join(self._thoughts)
        if self._details:
            message["reasoning_details"] = self._details
        if self._signature is not None:
            message["extra_content"] = _signed(self._signature)
        calls = list(self._tools.values())
        if self._is_legacy and calls:
            first = calls.pop(0)
            message["function_call"] = {"name": first.name, "arguments": "".join(first.arguments)}
        if calls:
            message["tool_calls"] = [_call_of(call) for call in calls]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish}
        answer = {"object": "chat.completion", **self._head(), "choices": [choice]}
        if self._usage is not None:
            answer["usage"] = usage_of(self._usage)
        return encode(answer)

    def _head(self) -> dict[str, Any]:
        told = self._answering
        return {"id": f"chatcmpl-{told.answer_id}", "created": told.created_at, "model": told.model}

    def _write(self, piece: Piece) -> bytes:
        if isinstance(piece, TextPiece):
            before = self._end_thought()
            self._text.append(piece.text)
            return before + self._delta(b'"content":' + encode(piece.text))
        if isinstance(piece, ToolPiece):
            return self._end_thought() + self._write_tool(piece)
        if isinstance(piece, ReasoningPiece):
            return self._write_thought(piece)
        if isinstance(piece, SealPiece):
            return self._write_seal(piece)
        if isinstance(piece, RefusalPiece):
            before = self._end_thought()
            self._refusal.append(piece.text)
            return before + self._delta(b'"refusal":' + encode(piece.text))
        if isinstance(piece, Finished):
            return self._close(FINISHES.get(piece.reason, piece.reason))
        return b""  # The answer begins for the client with what is first said.

    def _delta(self, fields: bytes) -> bytes:
        """Return the frame of a delta; the first one names the role."""
        frame = self._prefix + fields + self._suffix
        if self._prefix.endswith(b'"role":"assistant",'):
            self._prefix = self._prefix.removesuffix(b'"role":"assistant",')
        return frame

    def _write_thought(self, piece: ReasoningPiece) -> bytes:
        before, text = b"", piece.text
        if self._thought and self._thought[-1].block != piece.block:
            before = self._end_thought()
        elif self._thought and self._thought[-1].part != piece.part:
            text = PARAGRAPHS + text
        self._thought.append(piece)
        self._thoughts.append(text)
        return before + self._delta(b'"reasoning_content":' + encode(text))

    def _write_seal(self, piece: SealPiece) -> bytes:
        seal = piece.seal
        if seal.origin == "google":
            if seal.id:
                self._signatures[seal.id] = seal.data
                return b""
            self._signature = seal.data
            return self._delta(b'"extra_content":' + encode(_signed(seal.data)))
        before = b""
        if self._thought and self._thought[-1].block != piece.block:
            before = self._end_thought()
        return before + self._end_thought(seal)

    def _end_thought(self, seal: Seal | None = None) -> bytes:
        """Close the open block of reasoning: all of it goes out as an entry of `reasoning_details`."""
        if not self._thought and seal is None:
            return b""
        paragraphs: dict[int, list[str]] = {}
        for piece in self._thought:
            paragraphs.setdefault(piece.part, []).append(piece.text)
        details = details_of(
            tuple("".join(texts) for texts in paragraphs.values()),
            seal,
            is_summary=bool(self._thought) and self._thought[0].is_summary,
            first_index=len(self._details),
        )
        self._thought.clear()
        self._details += details
        return self._delta(b'"reasoning_details":' + encode(details))

    def _write_tool(self, piece: ToolPiece) -> bytes:
        known = self._tools.get(piece.block)
        if known is None:
            return self._begin_tool(piece)
        if not piece.arguments:
            return b""
        known.arguments.append(piece.arguments)
        arguments = encode(piece.arguments)
        if known.index < 0:
            return self._delta(b'"function_call":{"arguments":' + arguments + b"}")
        field = b'"custom":{"input":' if known.kind == "custom" else b'"function":{"arguments":'
        return self._delta(b'"tool_calls":[{"index":%d,' % known.index + field + arguments + b"}}]")

    def _begin_tool(self, piece: ToolPiece) -> bytes:
        index = len(self._tools) - self._is_legacy  # A legacy client's first call has no index.
        call = _Tool(
            index, piece.id, piece.kind, piece.name, [piece.arguments], self._signatures.pop(piece.id, None)
        )
        self._tools[piece.block] = call
        if index < 0:
            return self._delta(
                b'"function_call":' + encode({"name": piece.name, "arguments": piece.arguments})
            )
        return self._delta(b'"tool_calls":' + encode([{"index": index, **_call_of(call)}]))

    def _close(self, finish: str) -> bytes:
        """Write what is still missing, and the reason of the end; once."""
        if self._finish is not None:
            return b""
        out = self._end_thought()
        for seal_id, data in self._signatures.items():
            # Its tool call never came, so the signature stands on its own.
            out += self._end_thought(Seal("google", data, id=seal_id, is_redacted=True))
        for block, call in self._tools.items():
            if call.kind == "function" and not any(call.arguments):
                out += self._write_tool(ToolPiece(block, arguments="{}"))
        if self._prefix.endswith(b'"role":"assistant",'):
            out += self._delta(b'"content":""')
        is_legacy_call = self._is_legacy and finish == "tool_calls"
        self._finish = "function_call" if is_legacy_call else finish
        end = b'},"logprobs":null,"finish_reason":' + encode(self._finish)
        suffix = self._suffix.replace(b'},"logprobs":null,"finish_reason":null', end, 1)
        return out + self._prefix + suffix


def usage_of(usage: Usage) -> dict[str, Any]:
    """Write a usage object; cache writes are named only where there were any."""
    details = {"cached_tokens": usage.cached_read}
    if usage.cached_write:
        details["cache_write_tokens"] = usage.cached_write
    if usage.audio_input:
        details["audio_tokens"] = usage.audio_input
    completion = {"reasoning_tokens": usage.reasoning}
    if usage.audio_output:
        completion["audio_tokens"] = usage.audio_output
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": details,
        "completion_tokens_details": completion,
    }


def _call_of(call: _Tool) -> dict[str, Any]:
    """Write a tool call with the arguments that have come."""
    arguments = "".join(call.arguments)
    written: dict[str, Any] = {"id": call.id, "type": call.kind}
    if call.kind == "custom":
        written["custom"] = {"name": call.name, "input": arguments}
    else:
        written["function"] = {"name": call.name, "arguments": arguments}
    if call.signature is not None:
        written["extra_content"] = _signed(call.signature)
    return written


def _signed(signature: str) -> dict[str, Any]:
    return {"google": {"thought_signature": signature}}
