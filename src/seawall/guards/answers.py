"""Looks at an answer while it comes: what is certain is told at once, what may still grow is held back.

Invariants:
- A character is settled once nothing that ends after it can begin before it. Only settled ones may leave.
- What is held back is bounded: each detector says how long the longest thing is that it waits for.
- The work on a piece grows with the piece and with what is held back, not with the answer.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

from seawall.core.findings import Finding
from seawall.core.guarding import GuardPolicy
from seawall.guards import markup, personal, secrets
from seawall.guards.leak import LeakScan, SystemPrompts
from seawall.guards.redaction import releasable
from seawall.guards.topics import find_off_topic

if TYPE_CHECKING:
    from seawall.guards.guard import Tools

CONTEXT_CHARS = 512
"""What stays of the settled text: names before a secret, the border before a word."""
KEPT_CHARS_MAX = 1024 * 1024
"""Of all instructions that are remembered: each takes some thirty times its size."""
PROMPT_CHARS_MAX = 32 * 1024
"""So much of the instructions of a call is looked for: their beginning is what a leak begins with."""
TOPIC_CHARS = 8_192


class Answers:
    """Begins to look at answers; remembers the instructions of apps, which are the same for many calls."""

    def __init__(self) -> None:
        self._prompts: OrderedDict[bytes, tuple[SystemPrompts, int]] = OrderedDict()
        self._chars = 0
        self._lock = Lock()  # Long answers are looked at in threads.

    def scan(
        self,
        policy: GuardPolicy,
        tools: "Tools",
        instructions: tuple[str, ...],
        said: tuple[str, ...],
        canary: str | None,
    ) -> "Scan":
        """Begin to look at one answer."""
        leaks = None
        if policy.output.get("leak") and (instructions or canary):
            leaks = self._prompts_of(_beginning(instructions), canary).scan(said)
        return Scan(policy, tools, leaks)

    def _prompts_of(self, instructions: tuple[str, ...], canary: str | None) -> SystemPrompts:
        data = "\0".join((canary or "", *instructions)).encode("utf-8", "surrogatepass")
        name = hashlib.blake2b(data, digest_size=16).digest()
        known = self._prompts.get(name)
        if known is not None:
            return known[0]
        prompts = SystemPrompts(instructions, canary)
        with self._lock:
            if name not in self._prompts:
                self._prompts[name] = prompts, len(data)
                self._chars += len(data)
            while self._chars > KEPT_CHARS_MAX:
                self._chars -= self._prompts.popitem(last=False)[1][1]
        return prompts


def _beginning(texts: Sequence[str]) -> tuple[str, ...]:
    """Return so much of instructions as is looked for, all of them together."""
    kept: list[str] = []
    left = PROMPT_CHARS_MAX
    for text in texts:
        if left > 0:
            kept.append(text[:left])
            left -= len(text)
    return tuple(kept)


class Scan:
    """See `core.guarding.AnswerScan`. `_text` begins at the character `_base` of the answer."""

    __slots__ = (
        "_base", "_leaks", "_length", "_looks", "_markup", "_output", "_policy", "_settled", "_text", "_told",
        "_tools", "_topic_text",
    )  # fmt: skip

    def __init__(self, policy: GuardPolicy, tools: "Tools", leaks: LeakScan | None) -> None:
        self._policy, self._tools, self._leaks = policy, tools, leaks
        self._output = output = policy.output
        self._looks = bool(output.get("secrets") or output.get("personal"))
        self._markup = markup.MarkupScan(policy.image_hosts) if output.get("markup") else None
        self._text = self._topic_text = ""
        self._base = self._settled = self._told = self._length = 0

    def feed(self, text: str) -> list[Finding]:
        """Take the next piece; returns what is now certain to have been found."""
        self._length += len(text)
        found: list[Finding] = []
        if self._leaks is not None:
            found += self._counted(self._leaks.feed(text))
        if self._markup is not None:
            found += self._markup.feed(text)
        if self._output.get("topics") and len(self._topic_text) < TOPIC_CHARS:
            self._topic_text += text
        if self._looks or self._tools.phrases:
            self._text += text
            found += self._settle(is_last=False)
        return found

    def held(self) -> int:
        """Return how many of the last characters must not leave yet."""
        held = self._base + len(self._text) - self._settled if self._text else 0
        if self._leaks is not None:
            held = max(held, self._leaks.held())
        return held if self._markup is None else max(held, self._markup.held())

    def close(self) -> list[Finding]:
        """Return what the end of the answer makes certain."""
        found: list[Finding] = []
        if self._leaks is not None:
            found += self._counted(self._leaks.end())
        if self._markup is not None:
            found += self._markup.end()
        if self._text:
            found += self._settle(is_last=True)
        topics, text, self._topic_text = self._tools.topics, self._topic_text, ""
        if text and topics is not None:
            found += find_off_topic(text, topics, self._policy.topics_threshold)
        return found

    def whole(self, text: str) -> list[Finding]:
        """Look at an answer that is complete; who surely finds nothing in it does not look."""
        if self._leaks is not None and not self._leaks.may_find(text):
            self._leaks = None
        if self._markup is not None and not markup.may_hold(text):
            self._markup = None
        if self._looks and self._tools.allowed is None:
            has_secrets = bool(self._output.get("secrets")) and secrets.may_hold(text)
            self._looks = has_secrets or (bool(self._output.get("personal")) and personal.may_hold(text))
        return self.feed(text) + self.close()

    def _counted(self, found: list[Finding]) -> list[Finding]:
        """Leave out runs that are too small a part of the instructions to count."""
        least = self._policy.leak_threshold
        return [each for each in found if each.label == "canary" or each.score >= least]

    def _settle(self, *, is_last: bool) -> list[Finding]:
        """Settle the text up to where something may begin that is not complete; returns what is found."""
        found = self._find()
        settled = len(self._text)
        if not is_last:
            phrases = self._tools.phrases
            settled -= phrases.may_continue(self._text)
            if self._looks:
                settled = min(settled, releasable(self._text, found))
        for each in found:
            if each.start < settled < each.end:
                settled = each.start
        told, base = self._told, self._base
        certain = [
            Finding(each.detector, each.label, base + each.start, base + each.end, each.score, each.digest)
            for each in found
            if each.end <= settled and base + each.end > told
        ]
        self._settled = max(self._settled, base + settled)
        self._told = max(self._told, base + settled)
        drop = settled - CONTEXT_CHARS
        if drop > 0:
            self._text, self._base = self._text[drop:], base + drop
        return certain

    def _find(self) -> list[Finding]:
        """Find everything in what is there, but for what the operator allows."""
        text = self._tools.without_allowed(self._text)
        found = self._tools.phrases.find(text)
        if self._output.get("secrets"):
            found += secrets.find_secrets(text)
        if self._output.get("personal"):
            found += personal.find_personal(text)
        return found
