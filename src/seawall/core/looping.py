"""When the same call comes again and again: what makes two calls the same, and how many are too many.

The fingerprint of a call is its model and the end of its conversation: the last turn of the assistant and
what follows it, or where the assistant has said nothing yet, everything. So an agent that makes progress
differs from step to step, by what a tool answered or by what it said itself; one that is stuck repeats both,
however long its history grows.
"""

import re
from collections import OrderedDict

from msgspec import Struct

from seawall.core.call import Request, Text

TEXT_CHARS = 8_192
"""So much of the beginning and of the end of a long text is looked at."""
CALLERS_MAX = 10_000
_PASSING = b"0123456789abcdef- \t\r\n"
"""What numbers, dates, hexadecimal ids and gaps are made of: what a loop changes from one call to the
next.
"""
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

    Nearly the same are texts that differ in case, white space, numbers and hexadecimal ids alone. Images,
    sounds and files count by their sizes; the ids of tool calls never count.
    """
    texts = _tail(request.texts)
    parts: list[object] = [
        request.model,
        request.images,
        request.image_bytes,
        request.audio_bytes,
        request.files,
    ]
    parts += [_looked_at(text, is_near=is_near) for text in texts if not text.path.endswith(_IDS)]
    if not texts:
        parts.append(str(request.body.get("input"))[:TEXT_CHARS])
    return hash(tuple(parts))


def _looked_at(text: Text, *, is_near: bool) -> object:
    content = text.content
    if len(content) > 2 * TEXT_CHARS:
        content = content[:TEXT_CHARS] + content[-TEXT_CHARS:]
    if text.path.endswith("tool_calls"):
        content = _ID.sub("", content)
    if is_near:
        return text.origin, content.encode("utf-8", "replace").lower().translate(None, _PASSING)
    return text.origin, content


def _tail(texts: tuple[Text, ...]) -> tuple[Text, ...]:
    """Return the texts from the assistant's last turn on; all of them where there is none."""
    end = len(texts)
    while end > 0 and texts[end - 1].origin != "assistant":
        end -= 1
    start = end
    while start > 0 and texts[start - 1].origin == "assistant":
        start -= 1
    return texts[start:]
