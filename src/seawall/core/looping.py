"""When the same call comes again and again: what makes two calls the same, and how many are too many.

The fingerprint of a call is its model and the end of its conversation: the last turn of the assistant and
what follows it, or where the assistant has said nothing yet, everything. So an agent that makes progress
differs from step to step, by what a tool answered or by what it said itself; one that is stuck repeats both,
however long its history grows.

What is looked at is bounded: the ends of a long text, of many texts and of a long list.
"""

import re
from collections import OrderedDict
from typing import Any

from msgspec import Struct

from seawall.core.call import Json, Request, Text

TEXT_CHARS = 8_192
"""So much of the beginning and of the end of a long text is looked at."""
CALLERS_MAX = 10_000
ENDS = 32
"""So many of the first and of the last of many texts are looked at."""
DIGITS_MAX = 512
"""A text with more digits than that is a table: it counts exactly."""
TOKENS_SEEN = 512
MEDIA_CHARS = 1_024
PARTS_MAX = 1_000
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_WORD = b"abcdefghijklmnopqrstuvwxyz_-"
_GAPS = b" \t\r\n\f\v"
_MEDIA = frozenset({"url", "image_url", "data", "file_data", "file_url", "file_id"})
"""Where pictures, sounds and files stand in a body, in any dialect."""
_ID = re.compile(r'"id":"[^"]*"')
_IDS = ("tool_call_id", "tool_use_id", "call_id", ".id")
"""Where the ids of tool calls stand, which are new each time."""


class LoopRules(Struct, frozen=True):
    """How many of the same call in how many seconds are a loop; 0 switches it off.

    `calls` is for a caller who is one person; `calls_unnamed` for a virtual key that names no end user,
    behind which there may be many.
    """

    calls: int = 20
    calls_unnamed: int = 100
    window_s: float = 60.0


class Loop(Struct, frozen=True):
    """What was seen: so many of the same call in so many seconds, and when the first of them is forgotten."""

    count: int
    seconds: float
    wait_s: float


class LoopBreaker:
    """Counts the calls of each caller by fingerprint. Refused ones count too: who goes on stays refused."""

    def __init__(self, rules: LoopRules) -> None:
        self.rules = rules
        self._seen: OrderedDict[tuple[str, int], list[float]] = OrderedDict()

    def look_at(self, caller: str, fingerprint: int, limit: int, now_s: float) -> Loop | None:
        """Count a call; returns what was seen where it is one too many of the same. `now_s` on any clock."""
        key, window_s = (caller, fingerprint), self.rules.window_s
        times = self._seen.get(key)
        if times is None:
            if len(self._seen) >= CALLERS_MAX:
                self._seen.popitem(last=False)
            self._seen[key] = [now_s]
            return None
        self._seen.move_to_end(key)
        while times and times[0] <= now_s - window_s:
            del times[0]
        times.append(now_s)
        if len(times) <= limit:
            return None
        del times[: len(times) - limit - 1]  # No more than the limit and this one can matter.
        return Loop(len(times), now_s - times[0], times[1] + window_s - now_s)


def fingerprint_of(request: Request, *, is_near: bool) -> int:
    """Return what two calls have in common if they are the same; with `is_near`, or nearly the same.

    Nearly the same are texts of the system and the user that differ in case, white space and words that hold
    a digit alone: numbers, dates, ids. What tools and the assistant said counts exactly, or an agent that
    works through rows by their numbers would be taken for one that is stuck. The ids of tool calls never
    count.
    """
    texts = _tail(request.texts)
    parts: list[object] = [request.model, len(texts)]
    if request.images or request.audio_bytes or request.files:
        parts.append(_media(request.body))
    parts += [_looked_at(text, is_near=is_near) for text in _ends(texts) if not text.path.endswith(_IDS)]
    if request.tokens:
        parts.append(_tokens(request.body.get("input")))
    return hash(tuple(parts))


def _ends(texts: tuple[Text, ...]) -> tuple[Text, ...]:
    return texts if len(texts) <= 2 * ENDS else texts[:ENDS] + texts[-ENDS:]


def _looked_at(text: Text, *, is_near: bool) -> object:
    content = text.content
    if len(content) > 2 * TEXT_CHARS:
        content = content[:TEXT_CHARS] + content[-TEXT_CHARS:]
    if text.path.endswith("tool_calls"):
        content = _ID.sub("", content)
    if is_near and (text.origin == "user" or text.origin == "system"):  # noqa: PLR1714 - no set is made
        return text.origin, _masked(content)
    return text.origin, content


def _masked(content: str) -> bytes:
    """Return a text without case, gaps, and words that hold a digit; its cost grows with its digits."""
    pieces = content.casefold().encode("utf-8", "replace").translate(_DIGITS).split(b"0")
    last = len(pieces) - 1
    if last > DIGITS_MAX:
        return content.encode("utf-8", "replace")
    if last:
        pieces[0], pieces[last] = pieces[0].rstrip(_WORD), pieces[last].lstrip(_WORD)
        pieces[1:last] = [piece.strip(_WORD) for piece in pieces[1:last] if piece]
    return b"".join(pieces).translate(None, _GAPS)


def _media(body: Json) -> int:
    """Return what tells the pictures, sounds and files after the assistant's last turn from others.

    Of a long one its length, both ends and every so many characters in between.
    """
    turns = body.get("messages") or body.get("input")
    left: list[Any] = []
    for turn in reversed(turns[-PARTS_MAX:] if isinstance(turns, list) else []):
        if isinstance(turn, dict) and _is_assistant(turn):
            break
        left.append(turn)
    left.reverse()  # The newest is looked at first.
    found: list[object] = []
    for _ in range(PARTS_MAX):
        if not left:
            break
        part = left.pop()
        if isinstance(part, dict):
            found += [
                _sampled(part[name]) for name in _MEDIA.intersection(part) if isinstance(part[name], str)
            ]
            left += [each for each in part.values() if isinstance(each, dict | list)]
        elif isinstance(part, list):
            left += part[:PARTS_MAX]
    return hash(tuple(found))


def _is_assistant(turn: Json) -> bool:
    return turn.get("role") == "assistant" or str(turn.get("type")).endswith("_call")


def _sampled(text: str) -> tuple[int, str, str, str]:
    step = max(1, len(text) // MEDIA_CHARS)
    return len(text), text[:MEDIA_CHARS], text[-MEDIA_CHARS:], text[::step]


def _tokens(value: Any) -> int:
    """Return what tells a text that came as tokens, or a list of such, from others."""
    ends = value if len(value) <= 2 * TOKENS_SEEN else value[:TOKENS_SEEN] + value[-TOKENS_SEEN:]
    if any(isinstance(each, list) for each in ends):
        few = value if len(value) <= 2 * ENDS else value[:ENDS] + value[-ENDS:]
        ends = [_tokens(each) if isinstance(each, list) else each for each in few]
    return hash((len(value), *ends))


def _tail(texts: tuple[Text, ...]) -> tuple[Text, ...]:
    """Return the texts from the assistant's last turn on; all of them where there is none."""
    end = len(texts)
    while end > 0 and texts[end - 1].origin != "assistant":
        end -= 1
    start = end
    while start > 0 and texts[start - 1].origin == "assistant":
        start -= 1
    return texts[start:]
