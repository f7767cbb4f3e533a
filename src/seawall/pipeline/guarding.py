"""The guard: what is looked for in a call and its answer, and what becomes of what is found.

Invariants:
- Detectors report, the policy decides. A flag only records: bytes pass as they came.
- What the guard takes out never reaches a provider, the cache or the client. What it puts around the app's
  instructions reaches the provider alone.
- Of an answer nothing leaves that may be the beginning of something to take out: not over the border of two
  events, and not in a later event that says the same again.
- A detector that is down finds nothing in what it has not seen; there is no call without the others.
"""

import asyncio
import time
from bisect import insort
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from itertools import takewhile

from msgspec import Struct
from msgspec.structs import replace

from seawall.core.bodies import Change, change_at, replacing
from seawall.core.call import Call, Event, Request, Spoken, Text
from seawall.core.contracts import Gateway, Reply
from seawall.core.errors import Blocked, Facts
from seawall.core.findings import Finding, Verdict
from seawall.core.guarding import AnswerScan, GuardPolicy, Head
from seawall.core.pieces import ReasoningPiece, RefusalPiece, TextPiece, ToolPiece

OFF_LOOP_CHARS = 4 * 1024
"""From here on texts are looked at in a thread: odd ones take several milliseconds."""
PARTS_MAX = 1_000
"""An answer with more different things to take out is stopped: a later event may say them all again."""
FORGET_CHARS = 4_096
TURN_EVENTS = 64
"""After so many events that were held others get their turn."""
SAID_CHARS = 8 * 1024
_HEADS: dict[str, Head] = {"user": "user", "tool": "document", "retrieved": "document"}
_UNGUARDED = frozenset({"count_tokens"})
_NO_ORDERS = frozenset({"embeddings"})
"""Dialects whose texts no model obeys."""


async def guard_input(call: Call, gateway: Gateway) -> None:
    """Look for what should not be asked, and put rules around the app's instructions where that is wanted.

    Texts of users, tools and documents are looked at; each is scored once, however often a conversation sends
    it again. Raises Blocked. What is to be taken out is replaced in what the provider gets.
    """
    assert call.policy is not None and call.request is not None
    policy, request = call.policy.guard, call.request
    if request.dialect in _UNGUARDED:
        return
    if policy.looks_at_input:
        began = time.perf_counter()
        found = await _inspect(request, policy, gateway)
        if found:
            _decide_on_input(call, found, policy, (time.perf_counter() - began) * 1000)
    if policy.hardens and request.dialect not in _NO_ORDERS:
        call.guarded = _hardened(call.guarded or request, policy, gateway)


async def _inspect(request: Request, policy: GuardPolicy, gateway: Gateway) -> list[tuple[Text, Finding]]:
    """Look at all texts of a request that somebody else than the app has written."""
    texts = [text for text in request.texts if text.origin in _HEADS and text.content]
    is_obeyed = request.dialect not in _NO_ORDERS

    def look() -> list[tuple[Text, Finding]]:
        return [
            (text, finding)
            for text in texts
            for finding in gateway.guard.inspect(text.content, _HEADS[text.origin], policy)
            if is_obeyed or finding.detector not in ("injection", "topics")
        ]

    if sum(len(text.content) for text in texts) > OFF_LOOP_CHARS:
        return await asyncio.to_thread(look)
    return look()


def _decide_on_input(
    call: Call, found: Sequence[tuple[Text, Finding]], policy: GuardPolicy, took_ms: float
) -> None:
    """Write down what was found, and act on the worst of it."""
    assert call.request is not None
    call.is_clean = False
    verdict, text, worst = max(
        ((policy.verdict(each, is_output=False), text, each) for text, each in found),
        key=lambda one: (one[0], one[2].score),
    )
    seen = [f"{_describe(each)} in {text.path}" for text, each in found]
    call.decided("guard_input", verdict.name.lower(), _listed(seen), took_ms)
    if verdict is Verdict.BLOCK:
        raise _blocked(worst, policy, where=text.path, can_reply=call.request.dialect not in _NO_ORDERS)
    if verdict is Verdict.REDACT:
        call.guarded = _without(call.request, found, policy)


def _without(request: Request, found: Sequence[tuple[Text, Finding]], policy: GuardPolicy) -> Request:
    """Return the request without what is to be taken out, wherever in the same text it stands."""
    body, texts = request.body, list(request.texts)
    for place, text in enumerate(texts):
        parts = [
            (text.content[each.start : each.end], each.mark)
            for one, each in found
            if one is text and policy.verdict(each, is_output=False) is Verdict.REDACT
        ]
        if parts:
            change = replacing(parts)
            body = change_at(body, text.path, change)
            texts[place] = replace(text, content=change(text.content))
    return _with_texts(request, body, tuple(texts))


def _hardened(request: Request, policy: GuardPolicy, gateway: Gateway) -> Request:
    """Return the request with the app's first instructions wrapped; one without any stays as it is."""
    for place, text in enumerate(request.texts):
        if text.origin == "system" and text.content:
            wrapped = gateway.guard.harden(text.content, policy)
            body = change_at(request.body, text.path, replacing([(text.content, wrapped)]))
            texts = (*request.texts[:place], replace(text, content=wrapped), *request.texts[place + 1 :])
            return _with_texts(request, body, texts)
    return request


def _with_texts(request: Request, body: dict[str, object], texts: tuple[Text, ...]) -> Request:
    """Return the request with other texts; its size never shrinks, so that every bound holds."""
    grown = sum(len(text.content.encode("utf-8", "replace")) for text in texts)
    before = sum(len(text.content.encode("utf-8", "replace")) for text in request.texts)
    raw_bytes = request.raw_bytes + max(0, 2 * (grown - before))  # Twice: quotes and line ends are escaped.
    return replace(request, body=body, texts=texts, raw_bytes=raw_bytes)


def guard_output(
    events: AsyncIterator[Event], call: Call, gateway: Gateway, reply: Reply
) -> AsyncIterator[Event]:
    """Yield the events of an answer without what must not leave; raises Blocked where nothing more may.

    Where the policy only records, events pass at once and are looked at when the answer is complete.
    """
    assert call.policy is not None and call.request is not None
    policy = call.policy.guard
    if not policy.looks_at_output or call.request.dialect in _UNGUARDED | _NO_ORDERS:
        return events
    watching = _Watching(call, gateway, reply)
    return watching.change(events) if policy.changes_output else watching.look(events)


class _Channel:
    """One text of an answer: what one choice says, thinks or gives to tools. Places are characters of it.

    `kept` is its end from the character `base` on, `taken` the places to take out in order, with what to put
    there.
    """

    __slots__ = ("base", "fed", "held", "kept", "scan", "taken")

    def __init__(self, scan: AnswerScan) -> None:
        self.scan = scan
        self.base = self.fed = self.held = 0
        self.kept = ""
        self.taken: list[tuple[int, int, str]] = []

    def between(self, start: int, end: int) -> str:
        """Return the text between two places."""
        return self.kept[max(0, start - self.base) : max(0, end - self.base)]

    def without(self, start: int, end: int) -> str | None:
        """Return what is left of the text between two places, `None` where all of it is.

        Places before `start` are done with.
        """
        while self.taken and self.taken[0][1] <= start:
            self.taken.pop(0)
        touching = [each for each in takewhile(lambda each: each[0] < end, self.taken) if each[1] > start]
        if not touching:
            return None
        left, at = "", start
        for first, last, mark in touching:
            left += self.between(at, max(at, first))
            left += mark if start <= first < end and first >= at else ""
            at = max(at, min(last, end))
        return left + self.between(at, end)

    def forget(self, before: int) -> None:
        """Drop what has left, many characters at a time."""
        if before - self.base >= FORGET_CHARS:
            self.kept, self.base = self.kept[before - self.base :], before


class _Waiting(Struct):
    """An event that has not left, and where its texts stand: (channel, start, end)."""

    event: Event
    places: list[tuple[_Channel, int, int]]


class _Watching:
    """One answer on its way through the guard."""

    __slots__ = (
        "_call",
        "_change",
        "_channels",
        "_last",
        "_parts",
        "_policy",
        "_queue",
        "_reply",
        "_seen",
        "_start",
    )

    def __init__(self, call: Call, gateway: Gateway, reply: Reply) -> None:
        assert call.policy is not None and call.request is not None
        self._call, self._reply, self._policy = call, reply, call.policy.guard
        texts = call.request.texts
        instructions = tuple(text.content for text in texts if text.origin == "system" and text.content)
        self._start = partial(
            gateway.guard.scan, instructions=instructions, said=_newest_said(texts, SAID_CHARS)
        )
        self._channels: dict[tuple[int, str], _Channel] = {}
        self._last: dict[int, tuple[str, _Channel]] = {}
        self._queue: deque[_Waiting] = deque()
        self._parts: dict[str, str] = {}
        self._change: Change | None = None
        self._seen: dict[str, Verdict] = {}

    async def look(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Pass every event on as it is, and write down what the whole answer holds."""
        texts: dict[tuple[int, str], list[str]] = {}
        async for event in events:
            for choice, kind, text in _texts_of(event):
                texts.setdefault((choice, kind), []).append(text)
            if event.last:
                whole = {key: "".join(parts) for key, parts in texts.items()}
                await _beside(sum(map(len, whole.values())), partial(self._look_at, whole))
            yield event

    def _look_at(self, texts: dict[tuple[int, str], str]) -> None:
        for (_, kind), text in texts.items():
            scan = self._start(self._policy_for(kind))
            for finding in scan.whole(text):
                self._note(finding)
        self._tell()

    async def change(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Yield events once nothing in them can be the beginning of something, with that taken out."""
        async for event in events:
            chars = len(event.text) + len(event.reasoning) + len(event.tool)
            await _beside(chars, partial(self._take, event))
            if self._is_holding(event, chars):
                await self._reply.tell("checking")
            if event.last:
                for channel in self._channels.values():
                    self._close(channel)
                self._tell()
            if event.last or not self._policy.holds:
                for number, each in enumerate(self._ready(), 1):
                    yield each
                    if number % TURN_EVENTS == 0:
                        await asyncio.sleep(0)

    def _is_holding(self, event: Event, chars: int) -> bool:
        """Say whether a client that waits for text gets none because it is still looked at."""
        if self._policy.holds:
            return chars > 0
        return event.last and any(channel.held for channel in self._channels.values())

    def _take(self, event: Event) -> None:
        places = []
        for choice, name, text in _texts_of(event):
            channel = self._channel(choice, name)
            start = channel.fed
            channel.kept += text
            channel.fed += len(text)
            self._act_on(channel.scan.feed(text), channel)
            channel.held = channel.scan.held()
            if name == "name":
                self._close(channel)
            places.append((channel, start, channel.fed))
        self._queue.append(_Waiting(event, places))

    def _channel(self, choice: int, name: str) -> _Channel:
        """Return the channel of a text; where another text of its choice was before, that is complete.

        Texts that are given to several tools may come in turns: such a one is complete when its JSON is.
        """
        kind = name.partition(" ")[0]
        channel = self._channels.get((choice, name))
        is_new = channel is None
        if channel is None:
            channel = self._channels[choice, name] = _Channel(self._start(self._policy_for(kind)))
        before = self._last.get(choice)
        if before is not None and before[1] is not channel and (is_new or before[0] != kind):
            is_tool = before[0] == "tool" and kind in ("tool", "name")
            if not is_tool or before[1].kept.rstrip().endswith("}"):
                self._close(before[1])
        self._last[choice] = (kind, channel)
        return channel

    def _policy_for(self, name: str) -> GuardPolicy:
        return _for_tools(self._policy) if name.startswith(("tool", "name")) else self._policy

    def _close(self, channel: _Channel) -> None:
        self._act_on(channel.scan.close(), channel)
        channel.held = 0

    def _act_on(self, findings: Sequence[Finding], channel: _Channel) -> None:
        for finding in findings:
            verdict = self._note(finding)
            if verdict is Verdict.BLOCK or len(self._parts) > PARTS_MAX:
                self._tell()
                raise _blocked(finding, self._policy, where="", can_reply=True)
            if verdict is Verdict.REDACT:
                text = channel.between(finding.start, finding.end)
                insort(channel.taken, (finding.start, finding.end, finding.mark))
                if text and text not in self._parts:
                    self._parts[text], self._change = finding.mark, None

    def _ready(self) -> Iterator[Event]:
        """Yield the events that may leave, in order."""
        while self._queue:
            waiting = self._queue[0]
            if any(end > channel.fed - channel.held for channel, _, end in waiting.places):
                break
            self._queue.popleft()
            changed = self._changed(waiting)
            for channel, _, end in waiting.places:
                channel.forget(end)
            yield changed

    def _changed(self, waiting: _Waiting) -> Event:
        own = {}
        for channel, start, end in waiting.places:
            left = channel.without(start, end)
            if left is not None:
                own[channel.between(start, end)] = left
        if not own and not self._parts:
            return waiting.event
        if self._change is None:
            self._change = replacing(self._parts.items())
        return self._reply.rewrite(waiting.event, own, self._change)

    def _note(self, finding: Finding) -> Verdict:
        verdict = self._policy.verdict(finding, is_output=True)
        what = _describe(finding)
        self._seen[what] = max(verdict, self._seen.get(what, verdict))
        self._call.is_clean = False
        return verdict

    def _tell(self) -> None:
        """Write down what was found, once."""
        if self._seen:
            self._call.decided(
                "guard_output", max(self._seen.values()).name.lower(), _listed(list(self._seen))
            )


def _newest_said(texts: Sequence[Text], most: int) -> tuple[str, ...]:
    """Return what the user said last, up to so many characters: what an answer may repeat is near."""
    said: list[str] = []
    for text in reversed(texts):
        if text.origin == "user" and most > 0:
            said.append(text.content[-most:])
            most -= len(text.content)
    return tuple(said)


def _for_tools(policy: GuardPolicy) -> GuardPolicy:
    """Return the policy for what is given to tools: no page shows it, and it may be a page itself."""
    output = {name: verdict for name, verdict in policy.output.items() if name not in ("markup", "topics")}
    return replace(policy, output=output)


def _texts_of(event: Event) -> Sequence[Spoken]:
    """Return the texts of an event one by one, each as it stands in the frame or in the pieces."""
    if event.said:
        return event.said
    found: list[Spoken] = []
    for piece in event.pieces:
        if isinstance(piece, TextPiece | RefusalPiece):
            found.append((0, "text", piece.text))
        elif isinstance(piece, ReasoningPiece):
            found.append((0, "reasoning", piece.text))
        elif isinstance(piece, ToolPiece):
            found += [(0, "name", piece.name), (0, f"tool {piece.block}", piece.arguments)]
    if not event.pieces:
        choice = event.choice
        found += [(choice, "text", event.text), (choice, "reasoning", event.reasoning)]
        found.append((choice, "tool", event.tool))
    return [each for each in found if each[2]]


async def _beside(chars: int, look: Callable[[], None]) -> None:
    """Look at a text, at a long one beside the event loop."""
    if chars > OFF_LOOP_CHARS:
        await asyncio.to_thread(look)
    else:
        look()


def _describe(finding: Finding) -> str:
    score = f" {finding.score:.2f}" if finding.score < 1 else ""
    return f"{finding.detector} ({finding.label.replace('_', ' ')}{score})"


def _listed(seen: Sequence[str]) -> str:
    more = f" and {len(seen) - 5} more" if len(seen) > 5 else ""
    return f"{'; '.join(seen[:5])}{more}"


_TOLD = {
    "injection": (
        "it reads like an attempt to change the instructions of this app (prompt injection)",
        "This message reads like an attempt to change how the assistant works. Please say it in other words.",
    ),
    "phrases": (
        "it holds a phrase that the operator of this gateway does not allow",
        "This message holds words that this app does not accept.",
    ),
    "secrets": (
        "it holds what looks like a key, token or password; if it is one, replace it where it came from",
        "This message holds what looks like a password or key. Please take it out.",
    ),
    "personal": (
        "it holds personal data that must not be sent on",
        "This message holds personal data. Please take it out.",
    ),
    "topics": ("it is not about what this app is for", "This app cannot help with that topic."),
    "leak": ("the answer gave away the app's instructions", "There is no answer to this."),
    "markup": ("the answer held markup that runs in a page", "There is no answer to this."),
}


def _blocked(finding: Finding, policy: GuardPolicy, *, where: str, can_reply: bool) -> Blocked:
    why, say = _TOLD[finding.detector]
    side = "input" if where else "output"
    rule = "guard.block_phrases" if finding.detector == "phrases" else f"guard.{side}_{finding.detector}"
    what, advice = ("This call", "Write it") if where else ("The answer", "Ask")
    if not where:
        say = "There is no answer to this."
    error = Blocked(
        f"{what} was stopped by the guard of this gateway: {why}. {advice} in other words; if it was"
        " harmless, tell the operator of this gateway the call id.",
        param=where or None,
        facts=Facts(rule=rule, scope="gateway", say=policy.reply or say),
    )
    if can_reply:
        error.reply = policy.reply
    return error
