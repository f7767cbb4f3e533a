"""How the mock provider behaves towards one request, and the words that ask for it, in every dialect.

A request asks by suffixes of its model's name, or by its field `x_mock`: suffixes again ("s5-g40"), or an
object with fields of `Behaviour` (`{"text": "Fog.", "suffixes": "g40"}`).
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

Break = Literal["", "reset", "eof", "end", "stall", "error", "failed"]
Fault = Literal["", "badjson", "badhttp", "redirect", "hugehead", "short", "hole"]

ENDLESS_TOKENS: Final = 1_000_000
"""An "endless" answer ends here: everything has a limit."""


REASONING: Final = "First the harbour, then the tide."
"""What a model thinks where it is to think and nothing else is said."""

REFUSAL: Final = "I cannot help with that."
REDACTED: Final = "bW9jay1yZWRhY3RlZC10aGlua2luZw=="


class ToolCall(Struct, frozen=True):
    """One tool call that an answer makes; `arguments` is JSON. Without an id it gets one."""

    name: str
    arguments: str = "{}"
    id: str = ""


class Behaviour(Struct, frozen=True):
    """What one request gets; the plain default is a prompt, complete and correctly counted answer.

    `answer_tokens` is for each choice and never exceeds the cap unless `over_tokens` is set.
    `break_after` counts events that carry content; a whole answer breaks in the middle of its body,
    or before its first byte where `break_after` is 0.
    What is said, from `text` to `ends`, means the same in each dialect and is cut at the cap.
    """

    text: str | None = None
    """What the answer says, "" for nothing at all; by default the request's marker and words.

    It ends before the first of the request's stop sequences that is in it.
    """
    tools: tuple[ToolCall, ...] = ()
    """The tools it calls, after the text; by default the one that the request chooses, or its first."""
    calls_all: bool = False
    """By default it calls every tool that is offered, where the request allows calls in parallel."""
    reasoning: str = ""
    """What it thinks, visibly; by default `REASONING` where the request asks for it."""
    signature: str = ""
    """The seal of the reasoning: a signature, or its encrypted content; by default one made from its text."""
    redacted: str = ""
    """Reasoning that is only sealed data."""
    ends: Literal["", "sequence", "refusal", "filter"] = ""
    """Why it ends: at the request's first stop sequence, because the model refuses (and says `text` or
    `REFUSAL` about it), because a filter stepped in; by default as its content says."""
    cached_tokens: int = 0
    """How much of the prompt is read from a cache, at most all of it."""
    written_5m_tokens: int = 0
    """How much of the rest is written to a cache for five minutes."""
    written_1h_tokens: int = 0
    """How much of the rest is written to a cache for an hour."""

    answer_tokens: int = 64
    fills_cap: bool = False
    over_tokens: int = 0
    """Tokens generated in spite of any cap; a whole answer stops at four times the cap."""
    thinking_tokens: int = 0
    """Hidden output: billed, within the cap, never shown."""
    tokens_per_event: int = 1
    head_delay_ms: int = 0
    gap_ms: int = 0
    notice_ms: int = 0
    """How long a stream goes on being generated, and billed, after the client has gone."""
    breaks: Break = ""
    break_after: int = 3
    is_greedy: bool = False
    """Answers that the provider itself breaks off are billed as if they had been complete."""
    usage: Literal["own", "late", "none"] = "own"
    """Where a stream reports its usage: in a chunk of its own, in the last choice's chunk, nowhere."""
    fault: Fault = ""
    huge_head_bytes: int = 70_000
    status: int = 200
    retry_after_s: int | None = None
    is_odd: bool = False
    """Streams also carry comments, event names and frames that no client knows."""
    is_split: bool = False
    """No write to the socket ends where a frame ends."""
    is_timed: bool = False
    """Each event carries `x_at_us`, the monotonic clock when it was written."""
    closes: bool = False
    """The connection is closed after a complete answer, and the answer says so."""


def read_fields(fields: Mapping[str, Any], default: Behaviour) -> Behaviour:
    """Return the behaviour that an `x_mock` object asks for: fields of `Behaviour`, and `suffixes`.

    Raises `msgspec.ValidationError` where a value is of the wrong type, `KeyError` for unknown fields.
    """
    behaviour = read_suffixes(str(fields.get("suffixes", "")), default)
    known = {name: getattr(behaviour, name) for name in behaviour.__struct_fields__}
    known |= {name: value for name, value in fields.items() if name != "suffixes"}
    if known.keys() != set(behaviour.__struct_fields__):
        raise KeyError("x_mock")
    return msgspec.convert(known, Behaviour)


def read_suffixes(model: str, default: Behaviour) -> Behaviour:
    """Return the behaviour that a model name such as `fake-gpt-s200-g40-reset5` asks for.

    Parts that are no known suffix are taken as the model's name. The table is in `SUFFIXES`.
    """
    changes: dict[str, Any] = {}
    for part in model.split("-"):
        match = _PART.fullmatch(part)
        if match is not None:
            changes.update(_changes(match[1], match[2]))
    return _replace(default, changes) if changes else default


SUFFIXES: Final[Mapping[str, str]] = {
    "sN": "the answer has N tokens (never above the cap), one event each when it is streamed",
    "full": "the answer has exactly as many tokens as the cap allows",
    "over[N]": "the cap is ignored: N tokens, or no end",
    "empty": "the answer says nothing",
    "alltools": "every tool that is offered is called",
    "reason": "the answer has visible reasoning",
    "redacted": "the answer has reasoning that is only sealed data",
    "stopseq": "the answer ends at the first stop sequence of the request",
    "refuse": "the model refuses",
    "filter": "a content filter ends the answer",
    "cacheN": "N tokens of the prompt are read from a cache",
    "writeN": "N tokens of the prompt are written to a cache for five minutes",
    "hourN": "N tokens of the prompt are written to a cache for an hour",
    "thinkN": "N hidden reasoning tokens are billed first, within the cap",
    "wN": "N tokens in each stream event",
    "dN": "N ms pass before the head of the answer",
    "gN": "N ms pass between stream events",
    "noticeN": "the provider notices N ms late that its client has gone",
    "reset[N]": "the connection is reset (RST) after N events",
    "eof[N]": "the connection is closed after N events, inside the chunked body",
    "end[N]": "the body ends properly after N events, without a reason, usage or a last event",
    "stall[N]": "nothing more comes after N events",
    "error[N]": "an error event comes after N events, and the body ends",
    "failed[N]": "the same in the words of a failed response, where the dialect has them",
    "greedy": "answers that the provider breaks off are billed in full",
    "nousage": "the stream ends cleanly and never reports usage",
    "lateusage": "usage comes inside the last choice chunk (chat), or only in the end (messages)",
    "hole": "no answer ever comes",
    "eN": "HTTP status N with an error body that holds what must not leak",
    "raN": "Retry-After: N",
    "badjson": "the JSON body is cut in half, its length is right; in a stream, the second event",
    "badhttp": "the answer is not HTTP",
    "redirect": "307 to another path of the mock",
    "hugehead[N]": "a header of N bytes",
    "short": "the body is 100 bytes shorter than announced",
    "odd": "SSE comments, event names, unknown frames",
    "split": "no write ends where a frame ends",
    "at": "each event carries x_at_us, the monotonic time in microseconds",
    "close": "the connection is closed after the answer",
}
"""What each suffix means; `[N]` may be left out."""

_PART: Final = re.compile(r"([a-z]+?)(\d*)")

_NUMBERS: Final[Mapping[str, str]] = {
    "s": "answer_tokens",
    "over": "over_tokens",
    "think": "thinking_tokens",
    "cache": "cached_tokens",
    "write": "written_5m_tokens",
    "hour": "written_1h_tokens",
    "w": "tokens_per_event",
    "d": "head_delay_ms",
    "g": "gap_ms",
    "notice": "notice_ms",
    "e": "status",
    "ra": "retry_after_s",
}

_FLAGS: Final[Mapping[str, Mapping[str, object]]] = {
    "full": {"fills_cap": True},
    "empty": {"text": ""},
    "alltools": {"calls_all": True},
    "reason": {"reasoning": REASONING},
    "redacted": {"redacted": REDACTED},
    "stopseq": {"ends": "sequence"},
    "refuse": {"ends": "refusal"},
    "filter": {"ends": "filter"},
    "over": {"over_tokens": ENDLESS_TOKENS},
    "greedy": {"is_greedy": True},
    "nousage": {"usage": "none"},
    "lateusage": {"usage": "late"},
    "odd": {"is_odd": True},
    "split": {"is_split": True},
    "at": {"is_timed": True},
    "close": {"closes": True},
    **{fault: {"fault": fault} for fault in ("badjson", "badhttp", "redirect", "hugehead", "short", "hole")},
    **{way: {"breaks": way} for way in ("reset", "eof", "end", "stall", "error", "failed")},
}


def _changes(word: str, digits: str) -> Mapping[str, object]:
    """Return the fields that one suffix sets; none where it is not a suffix."""
    if not digits:
        return _FLAGS.get(word, {})
    number = int(digits[:9])
    if word == "e" and not 400 <= number <= 599:
        return {}
    if word in _NUMBERS:
        return {_NUMBERS[word]: number}
    if word == "hugehead":
        return {"fault": word, "huge_head_bytes": number}
    if "breaks" in _FLAGS.get(word, {}):
        return {"breaks": word, "break_after": number}
    return {}


def _replace(default: Behaviour, changes: Mapping[str, Any]) -> Behaviour:
    """Return the default with some fields changed."""
    fields = {name: getattr(default, name) for name in default.__struct_fields__}
    return Behaviour(**{**fields, **changes})
