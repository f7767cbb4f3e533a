"""Findings about calls of a model: who can make them, how much they may cost, what goes in."""

import re
from collections.abc import Iterator

from seawall.check.code.entries import Entry
from seawall.check.code.events import Asked, Checked, Event, Looped, Mutated, Slow
from seawall.check.code.values import INPUT, Value
from seawall.check.findings import Confidence, Finding, Severity

LOOKED_FOR_ON_THE_WAY = (
    "a check of session, token or key that refuses (401, 403, or a redirect to a login)",
    "a rate limit or quota that refuses (429, 402)",
    "a decorator, dependency or middleware on the route, its router or the app that does either",
)

_RULE_WORDS = re.compile(
    r"(?i)\b(never|do not|don't|must not|refuse|decline|ignore (any|all|requests|instructions)|regardless"
    r"|under no"
    r"|cannot be (changed|overridden)|even if|disregard|no matter|not allowed|reject)\b"
)
_TOPIC_WORDS = re.compile(
    r"(?i)\b(only|solely|exclusively|limited to|restrict|nothing else|off-topic|scope|other topics)\b"
)
_ENGLISH = re.compile(r"(?i)\b(you|your|the|are|is|and|act as|answer)\b")
_PUBLIC_KINDS = frozenset({"http", "websocket", "action", "function"})


def unprotected(entry: Entry, checks: list[Checked], asked: list[Asked]) -> Iterator[Finding]:
    """A route that reaches a paid call with nobody asked who they are, and nothing that limits how often."""
    paid = [a for a in asked if a.is_paid and not a.own_key]
    if not paid or checks or entry.kind == "command":
        return
    if entry.kind == "chat" and entry.framework not in {"streamlit", "gradio", "chainlit"}:
        return  # The platform knows who writes.
    first = next((one for one in paid if one.kind == "text"), paid[0])
    way = " → ".join(dict.fromkeys(first.way)) or entry.handler.name
    place = "" if (first.path, first.line) == (entry.path, entry.line) else f" ({first.path}:{first.line})"
    is_open = entry.kind in _PUBLIC_KINDS
    path, line = (entry.path, entry.line) if is_open else site(first, entry.path)
    yield Finding(
        rule="unprotected-llm-endpoint",
        path=path,
        line=line,
        message=f"{label(entry)} reaches {short(first.name)}{place} through {way}: "
        "anybody who finds it spends your money.",
        severity=Severity.ERROR if is_open else Severity.WARNING,
        confidence=Confidence.HIGH if is_open else Confidence.MEDIUM,
        looked_for=LOOKED_FOR_ON_THE_WAY,
    )


def label(entry: Entry) -> str:
    """Name an entry as its developer would: `POST /chat`, `the action ask`."""
    if entry.kind == "http" and entry.route:
        return f"{entry.method or 'ANY'} {entry.route}"
    names = {
        "websocket": "the websocket",
        "action": "the server action",
        "chat": "the page",
        "function": "the function",
    }
    return f"{names.get(entry.kind, 'the route')} {entry.route or entry.handler.name or ''}".strip()


def of_asked(asked: Asked, *, in_browser: str | None, is_exposed: bool, home: str = "") -> Iterator[Finding]:
    """Findings about one call of a model; `home` is the file of the handler that leads to it."""
    if in_browser is not None and asked.is_paid:
        yield _at(
            asked,
            "browser-llm-call",
            f"{short(asked.name)} is called in the browser ({in_browser}): "
            "its key is in every visitor's hands.",
        )
    if asked.kind == "text" and asked.is_capped is False and not asked.demands_cap and asked.is_paid:
        yield _at(
            asked,
            "no-max-tokens",
            f"{short(asked.name)} has no limit on the length of its answer.",
            looked_for=(
                "max_tokens, max_completion_tokens, max_output_tokens or the library's own name for it",
            ),
            at=asked.options_at,
        )
    if asked.model.has(INPUT, "model") and asked.is_paid and not asked.own_key:
        names = _sources(asked.model, "model")
        yield _at(
            asked,
            "user-chosen-model",
            f"The caller chooses the model ({names}): also the dearest one.",
            at=asked.options_at,
        )
    yield from _of_text(asked, is_exposed=is_exposed, home=home)


def site(event: Event, home: str) -> tuple[str, int]:
    """Return where the handler does what leads to an event: the call in its own file, or the event itself."""
    return next((place for place in event.trail if place[0] == home), (event.path, event.line))


def _of_text(asked: Asked, *, is_exposed: bool, home: str) -> Iterator[Finding]:
    given = asked.messages.of(INPUT)
    if given and asked.kind in {"text", "image", "other"}:
        loose = [t for t in given if "length" not in t.cleared]
        if loose:
            names = ", ".join(dict.fromkeys(t.source for t in loose))[:80]
            yield _at(
                asked,
                "unvalidated-llm-input",
                f"{names} goes to {short(asked.name)} with no limit on its length.",
                at=site(asked, home),
                looked_for=("a check of the length, a cut, or a type with a maximum",),
            )
    whole = [
        t
        for t in given
        if t.source.rpartition(".")[2]
        in {"messages", "history", "conversation", "chat_history", "chatHistory"}
    ]
    if asked.messages.grows or (whole and any("length" not in t.cleared for t in whole)):
        yield _at(
            asked,
            "unbounded-history",
            f"The whole conversation is sent to {short(asked.name)} each time, however long it has become.",
            at=site(asked, home),
            looked_for=("a slice, a window, a summary or a limit on tokens",),
        )
    for system in asked.system:
        loose = system.of(INPUT)
        if loose:
            names = ", ".join(dict.fromkeys(t.source for t in loose))[:80]
            yield _at(
                asked,
                "system-prompt-from-user",
                f"{names} becomes part of the system prompt: the caller can rewrite your rules.",
                at=system.at,
            )
        elif is_exposed and isinstance(system.literal, str):
            yield from _open_prompt(asked, system)


def _open_prompt(asked: Asked, system: Value) -> Iterator[Finding]:
    text = str(system.literal)
    if not _ENGLISH.search(text):
        return
    lacks = []
    if not _TOPIC_WORDS.search(text):
        lacks.append("which topics it may talk about")
    if not _RULE_WORDS.search(text):
        lacks.append("that users cannot change its rules")
    if lacks:
        yield _at(
            asked,
            "system-prompt-open",
            f"The system prompt does not say {' nor '.join(lacks)}.",
            severity=Severity.NOTE,
            at=system.at,
        )


def loops(events: list[Event]) -> Iterator[Finding]:
    """Loops without a bound around a call of a model."""
    for event in events:
        if isinstance(event, Looped) and event.asked is not None and event.asked.is_paid:
            place = (
                f"line {event.asked.line}"
                if event.asked.path == event.path
                else f"{event.asked.path}:{event.asked.line}"
            )
            yield Finding(
                rule="unbounded-llm-loop",
                path=event.path,
                line=event.line,
                message=f"This loop runs {event.how}, "
                f"and calls {short(event.asked.name)} ({place}) in each round.",
                severity=Severity.ERROR,
                looked_for=(
                    "a limit on the rounds, the time or the money",
                    "something that is waited for in each round",
                ),
            )


def shared_state(entry: Entry, events: list[Event], asked: list[Asked]) -> Iterator[Finding]:
    """One history for all callers: what one writes, the next one's model reads."""
    sent = {a.messages.shared for a in asked if a.messages.shared is not None}
    for event in events:
        if isinstance(event, Mutated) and event.shared in sent and event.taints:
            sent.discard(event.shared)
            assert event.shared is not None
            name = event.shared.name
            yield Finding(
                rule="shared-conversation-state",
                path=event.path,
                line=event.line,
                message=f"{name} (line {event.shared.line}) is one list for all callers: "
                f"{label(entry)} adds to it and sends it to the model.",
                severity=Severity.ERROR,
            )


def slow(entry: Entry, asked: list[Asked], events: list[Event]) -> Iterator[Finding]:
    """Something slow is waited for inside a request, with nothing shown meanwhile."""
    if entry.kind not in {"http", "action"}:
        return
    streams = any(a.streams for a in asked)
    waits: list[tuple[Asked | Slow, str]] = [
        (a, f"the whole of {short(a.name)}")
        for a in asked
        if a.kind != "embedding" and not a.streams and not a.in_background and not streams
    ]
    waits += [(s, short(s.name)) for s in events if isinstance(s, Slow) and not s.in_background]
    for event, what in waits[:1]:
        path, line = site(event, entry.path)
        yield Finding(
            rule="slow-in-request",
            path=path,
            line=line,
            message=f"{label(entry)} waits for {what} before it answers.",
            severity=Severity.NOTE,
            confidence=Confidence.MEDIUM,
            looked_for=("stream=True, or a job in the background",),
        )


def short(name: str) -> str:
    """Return the telling end of a canonical name: `chat.completions.create`."""
    parts = [part for part in name.replace("()", "").split(".") if part not in {"default", "self"}]
    return ".".join(parts[-3:]) or "a model"


def _sources(value: Value, use: str) -> str:
    return ", ".join(dict.fromkeys(t.source for t in value.of(INPUT, use)))[:80]


def _at(
    asked: Asked,
    rule: str,
    message: str,
    *,
    severity: Severity | None = None,
    looked_for: tuple[str, ...] = (),
    at: tuple[str, int] | None = None,
) -> Finding:
    path, line = at or (asked.path, asked.line)
    usual = Severity.ERROR if rule == "browser-llm-call" else Severity.WARNING
    return Finding(
        rule=rule,
        path=path,
        line=line,
        message=message,
        severity=severity or usual,
        confidence=Confidence.MEDIUM if rule == "unvalidated-llm-input" else Confidence.HIGH,
        looked_for=looked_for,
    )
