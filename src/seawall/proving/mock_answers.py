"""What the mock provider answers, whatever the dialect: how many tokens, and which parts of text; no I/O.

Invariants:
- The text of an answer never has more tokens than are billed for it.
- The usage that is reported is the usage that is billed.
- Every text that is not scripted begins with the request's own marker, its last user message's first 40
  characters, cut only where the cap is smaller; JSON holds it as the value of its strings.
"""

import base64
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from seawall.proving.mock_behaviour import REASONING, REFUSAL, Behaviour
from seawall.proving.mock_samples import sample_json

Count = Callable[[str], int]
Kind = Literal["text", "tool", "refusal", "thinking", "redacted"]
Finish = Literal["stop", "length", "tool_calls", "stop_sequence", "refusal", "content_filter"]

ECHO_CHARS: Final = 40
WORDS: Final = (
    " tide", " wave", " sea", " wall", " port", " ship", " sand", " salt",
    " deep", " moon", " blue", " wind", " rain", " boat", " shore", " sail",
)  # fmt: skip
"""Each is one token of o200k_base wherever it stands."""

LEAKS: Final = ("org-MockOrganisation0001", "sk-mock-****9f3c", "https://platform.mock.example/account")
"""What error bodies and headers of the mock hold and no client of a gateway may ever see."""

TOOL_CALL_TOKENS: Final = 8
"""Hidden tokens around one tool call, about what OpenAI's chat format takes."""

SEAL_PREFIX: Final = "bW9jay1zZWFs"
"""How every seal of reasoning that the mock makes by itself begins."""

_SEAL: Final = re.compile(r"[A-Za-z0-9+/_-]+=*")
_THOUGHTS: Final = frozenset({"thinking", "redacted"})
_ENDS: Final[Mapping[str, Finish]] = {
    "sequence": "stop_sequence", "refusal": "refusal", "filter": "content_filter",
}  # fmt: skip
_REDACTED_TOKENS: Final = 16
_CHARS_PER_PIECE: Final = 4


class Terms(Struct, frozen=True):
    """The vendor's price list, in nano-dollars per million tokens, and its limits in tokens.

    Cached and written input is priced in percent of `input_rate`, as Anthropic does (its price list of
    2025: reads 0.1, writes for five minutes 1.25, for an hour 2). An undeclared or larger cap becomes
    `max_output_tokens`. `tools_tokens` is Anthropic's hidden prompt where tools are offered (its
    documentation, "Tool use with Claude", 2025).
    """

    input_rate: int = 10 * 10**9
    output_rate: int = 30 * 10**9
    cached_percent: int = 10
    written_5m_percent: int = 125
    written_1h_percent: int = 200
    max_output_tokens: int = 4096
    image_tokens: int = 765
    tools_tokens: int = 346

    def cost_of(
        self,
        input_tokens: int,
        output_tokens: int,
        *,
        cached: int = 0,
        written_5m: int = 0,
        written_1h: int = 0,
    ) -> int:
        """Return the bill of one call in nano-dollars, rounded up once; `input_tokens` is all input."""
        parts = (
            (input_tokens - cached - written_5m - written_1h) * 100
            + cached * self.cached_percent
            + written_5m * self.written_5m_percent
            + written_1h * self.written_1h_percent
        )
        return -(-(parts * self.input_rate + output_tokens * self.output_rate * 100) // 10**8)


class Tool(Struct, frozen=True):
    """A tool that a request offers."""

    name: str
    schema: Any


class Ask(Struct, frozen=True):
    """What a request asks for, read from its dialect.

    `tools` are those that may be called now, the chosen one first; none after a tool's result. `cap` is
    the least that was declared, at most the model's. `reasons` says whether the model is to think, and
    whether that is shown.
    """

    id: str
    model: str
    echo: str
    input_tokens: int
    cap: int
    choices: int = 1
    is_stream: bool = False
    tools: tuple[Tool, ...] = ()
    is_parallel: bool = True
    schema: Mapping[str, Any] | None = None
    stops: tuple[str, ...] = ()
    reasons: Literal["", "shown", "hidden"] = ""
    call_prefix: str = "call_"


class Part(Struct, frozen=True):
    """One part of an answer, in `pieces` pieces: `head` in `head_pieces` of them, then words.

    `name` and `id` are a tool call's, whose text is its arguments; `seal` closes reasoning. The text of
    redacted reasoning is its data.
    """

    kind: Kind
    head: str
    head_pieces: int
    pieces: int
    name: str = ""
    id: str = ""
    seal: str = ""

    def piece(self, number: int) -> str:
        """Return one piece of the text."""
        count = self.head_pieces
        if number >= count:
            return WORDS[number % 16]
        size = len(self.head)
        return self.head[size * number // count : size * (number + 1) // count]

    def text(self) -> str:
        """Return the whole text."""
        first, more = self.head_pieces % 16, self.pieces - self.head_pieces
        return self.head + "".join((WORDS * (more // 16 + 2))[first : first + more])


class Plan(Struct, frozen=True):
    """One answer, worked out before its first byte: `choices` times the same parts.

    `tokens` is for one choice and includes `thinking`. `input_tokens` is all input, cached and written
    included. `events` is the number of events that carry content. `only_pieces` is the number of pieces where
    there is one part, and it is no reasoning; else 0.
    """

    id: str
    model: str
    created: int
    choices: int
    input_tokens: int
    cached: int
    written_5m: int
    written_1h: int
    tokens: int
    thinking: int
    parts: tuple[Part, ...]
    events: int
    pieces_per_event: int
    finish: Finish
    stop_sequence: str = ""
    only_pieces: int = 0

    @property
    def output_tokens(self) -> int:
        """Return the tokens of all choices."""
        return self.tokens * self.choices

    def tokens_after(self, events: int) -> int:
        """Return the tokens generated, over all choices, once this many events exist.

        Reasoning is there before its first event: what is shown is a summary.
        """
        if events >= self.events:
            return self.tokens * self.choices
        if self.only_pieces:
            made = -((self.thinking - self.tokens) * events * self.pieces_per_event // self.only_pieces)
            return (self.thinking + made) * self.choices
        made = pieces = 0
        for part in self.parts:
            if part.kind not in _THOUGHTS:
                made += min(max(events, 0) * self.pieces_per_event, part.pieces)
                pieces += part.pieces
            events -= self.events_of(part)
        shown = self.tokens - self.thinking
        return (self.thinking - (-shown * made // pieces if pieces else 0)) * self.choices

    def events_of(self, part: Part) -> int:
        """Return the number of events that carry one part."""
        return -(-part.pieces // self.pieces_per_event)

    def span(self, part: Part, event: int) -> str:
        """Return the text that one event of a part carries."""
        size = self.pieces_per_event
        if size == 1:
            return part.piece(event)
        return "".join(map(part.piece, range(event * size, min(event * size + size, part.pieces))))


def plan_answer(ask: Ask, behaviour: Behaviour, count: Count) -> Plan:
    """Decide what this request gets, within its cap unless the behaviour says otherwise."""
    limit, wanted = _lengths(ask, behaviour)
    thinking, parts = _think(ask, behaviour, limit, count)
    says, ends, stop_sequence = _script(ask, behaviour)
    left = limit - thinking
    if says is None:
        shown = min(max(wanted, 1), left)
        head, head_pieces = fit(ask.echo, shown, count)
        parts.append(Part("text", head, head_pieces, shown))
        is_cut = wanted > shown or behaviour.fills_cap
    else:
        shown, is_cut = _say(says, left, parts, count)
    size = max(behaviour.tokens_per_event, 1)
    finish: Finish = "stop"
    events, only = 0, parts[0] if len(parts) == 1 else None
    for part in parts:
        events -= -part.pieces // size
        if part.kind == "tool":
            finish = "tool_calls"
    cached = min(behaviour.cached_tokens, ask.input_tokens)
    written_5m = min(behaviour.written_5m_tokens, ask.input_tokens - cached)
    return Plan(
        id=ask.id,
        model=ask.model,
        created=int(time.time()),
        choices=ask.choices,
        input_tokens=ask.input_tokens,
        cached=cached,
        written_5m=written_5m,
        written_1h=min(behaviour.written_1h_tokens, ask.input_tokens - cached - written_5m),
        tokens=thinking + shown,
        thinking=thinking,
        parts=tuple(parts),
        events=events,
        pieces_per_event=size,
        finish="length" if is_cut else _ENDS.get(ends, finish),
        stop_sequence=stop_sequence,
        only_pieces=only.pieces if only is not None and only.kind not in _THOUGHTS else 0,
    )


def sign(text: str) -> str:
    """Return the seal that the mock puts under reasoning: base64, the same for the same text."""
    digest = hashlib.sha256(b"mock" + text.encode()).digest()
    return SEAL_PREFIX + base64.b64encode(digest * 3).decode()


def is_seal(text: str) -> bool:
    """Return whether a text could be a vendor's seal: base64 of either alphabet, and not empty."""
    return _SEAL.fullmatch(text) is not None


def fit(text: str, limit: int, count: Count) -> tuple[str, int]:
    """Return the longest beginning of a text that has at most this many tokens, and how many it has."""
    tokens = count(text)
    if tokens <= limit:
        return text, tokens
    if limit < 1:
        return "", 0
    low, high = 0, len(text)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(text[:middle]) <= limit else (low, middle)
    return text[:low], count(text[:low])


def load_counter(way: str) -> Count:
    """Return a token counter: "o200k" (exact for OpenAI's models) or "bytes" (a quarter of the bytes)."""
    if way == "bytes":
        return lambda text: -(-len(text.encode()) // 4)
    from splintr import Tokenizer  # noqa: PLC0415 - its vocabulary takes 30 MB and is not always wanted

    encode = Tokenizer.from_pretrained("o200k_base").encode_ordinary
    return lambda text: len(encode(text))


class _Saying(Struct, frozen=True):
    """One part before it is fitted into the cap."""

    kind: Kind
    text: str
    name: str = ""
    id: str = ""


def _lengths(ask: Ask, behaviour: Behaviour) -> tuple[int, int]:
    """Return the tokens that one choice may have, and those that plain text would have."""
    if not behaviour.over_tokens:
        return ask.cap, ask.cap if behaviour.fills_cap else behaviour.answer_tokens
    over = behaviour.over_tokens if ask.is_stream else min(behaviour.over_tokens, 4 * ask.cap)
    return over, over


def _think(ask: Ask, behaviour: Behaviour, limit: int, count: Count) -> tuple[int, list[Part]]:
    """Return the tokens of all reasoning, and the parts that stand for it."""
    parts: list[Part] = []
    tokens = behaviour.thinking_tokens
    text = behaviour.reasoning or (REASONING if ask.reasons else "")
    if text:
        tokens = min(max(tokens, count(text)), limit)
        text, _ = fit(text, tokens, count)
        seal = behaviour.signature or sign(text)
        parts.append(_whole_part(_Saying("thinking", "" if ask.reasons == "hidden" else text), seal=seal))
    if behaviour.redacted:
        tokens += _REDACTED_TOKENS
        parts.append(Part("redacted", behaviour.redacted, 1, 1, seal=behaviour.redacted))
    return min(tokens, limit), parts


def _script(ask: Ask, behaviour: Behaviour) -> tuple[list[_Saying] | None, str, str]:
    """Return what is said, `None` where it is words; why it ends, "" for its own end; and where it stops."""
    if behaviour.ends == "refusal":
        return [_Saying("refusal", behaviour.text or REFUSAL)], "refusal", ""
    ends = behaviour.ends
    stop = ask.stops[0] if ends == "sequence" and ask.stops else ""
    if not (behaviour.tools or ask.tools or ask.schema is not None or behaviour.text is not None):
        return None, ends, stop
    tools = [
        _Saying("tool", tool.arguments, tool.name, tool.id or _call_id(ask, number))
        for number, tool in enumerate(behaviour.tools)
    ]
    if behaviour.text is not None:
        text = behaviour.text
        found = min(((text.find(one), one) for one in ask.stops if one in text), default=None)
        if found is not None:
            return [_Saying("text", text[: found[0]])], "sequence", found[1]
        return [*([_Saying("text", text)] if text else []), *tools], ends, stop
    if not tools and ask.tools:
        called = ask.tools if behaviour.calls_all and ask.is_parallel else ask.tools[:1]
        tools = [
            _Saying("tool", sample_json(tool.schema, ask.echo), tool.name, _call_id(ask, number))
            for number, tool in enumerate(called)
        ]
    if tools:
        return tools, ends, stop
    return [_Saying("text", sample_json(ask.schema, ask.echo))], ends, stop


def _call_id(ask: Ask, number: int) -> str:
    """Return the id of one tool call of an answer."""
    return ask.call_prefix + ask.id + (f"_{number}" if number else "")


def _say(says: list[_Saying], left: int, parts: list[Part], count: Count) -> tuple[int, bool]:
    """Fit what is said into the tokens that are left; return how many it takes, and whether it was cut."""
    taken = 0
    for number, saying in enumerate(says):
        if number and taken >= left:
            return taken, True
        extra = count(saying.name) + TOOL_CALL_TOKENS if saying.name else 0
        took = min(count(saying.text) + extra, left - taken)
        head, _ = fit(saying.text, took - extra, count)
        parts.append(_whole_part(_Saying(saying.kind, head, saying.name, saying.id)))
        taken += took
        if head != saying.text:
            return taken, True
    return taken or min(1, left), False


def _whole_part(saying: _Saying, *, seal: str = "") -> Part:
    """Return a part whose text is given; it has at least one piece."""
    pieces = max(1, -(-len(saying.text) // _CHARS_PER_PIECE))
    return Part(saying.kind, saying.text, pieces, pieces, saying.name, saying.id, seal)
