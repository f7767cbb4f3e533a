"""Findings about values that reach a place where they do harm."""

import re
from collections.abc import Iterator

from seawall.check.code.events import Harm, Returned
from seawall.check.code.rules_ai import short
from seawall.check.code.values import ERROR, INPUT, MODEL, ONE_SEGMENT, SECRET, TRACE, Taint
from seawall.check.findings import Confidence, Finding, Severity

_BY_INPUT = {
    "code": ("code-injection", "is run as code or as a template"),
    "shell": ("command-injection", "becomes part of a command"),
    "sql": ("sql-injection", "becomes part of the SQL text"),
    "nosql": ("nosql-injection", "can put operators into the query"),
    "html": ("xss", "is sent as HTML without escaping"),
    "path": ("path-traversal", "chooses a file"),
    "url": ("ssrf", "chooses the address that the server asks"),
    "base_url": ("user-chosen-model", "chooses where the provider's key is sent"),
}
_BY_MODEL = {
    "code": ("llm-output-exec", "is run as code"),
    "shell": ("llm-output-shell", "is run as a command"),
    "sql": ("llm-output-sql", "is run as SQL"),
    "nosql": ("llm-output-sql", "is run as a query"),
    "html": ("llm-output-html", "is shown as HTML without escaping"),
    "path": ("llm-output-path", "chooses a file"),
    "url": ("llm-output-url", "chooses an address that the server asks"),
}
_NO_ANSWER = re.compile(
    r"(?i)(id|ids|time|date|count|icon|class|index|length|label|title|url|key|type|role|name)$"
)
_TALKS = re.compile(r"useChat|useCompletion|useAssistant|useObject")
_DOM = frozenset({"dangerouslySetInnerHTML", "innerHTML", "outerHTML", "srcdoc", "v-html", "@html"})
_WARNINGS = frozenset({"llm-output-path", "llm-output-url"})
_MEDIUM = frozenset({"nosql-injection", "path-traversal"})
_CHATTY = re.compile(
    r"(?i)message|answer|reply|replies|response|completion|assistant|\bbot|\bai\b|ai[A-Z_]|chat|output|summary|generated|\bllm|gpt|claude|gemini|stream"
)
_CLEAN = re.compile(
    r"(?i)sanitiz|purif|escape|stringify|highlight|katex|JSON\.|\bxss\(|safeHtml|renderToStatic"
)
_PRIVATE = re.compile(
    r"(?i)(^|[._-])(password|passwd|pwd|secret|token|api_?key|authorization|access_?token|credit_?card|ssn)$"
)


def of_harm(harm: Harm, *, line_text: str, has_ai: bool) -> Iterator[Finding]:
    """Turn one event into findings: about what a stranger sent, a model wrote, an error tells."""
    if harm.use == "reply":
        yield from _told(harm.path, harm.line, harm.taints)
        return
    if harm.use == "log":
        yield from _logged(harm)
        return
    for kind, table, who in ((INPUT, _BY_INPUT, "from the request"), (MODEL, _BY_MODEL, "")):
        taints = [t for t in harm.taints if t.kind == kind]
        if taints and harm.use in table:
            rule, what = table[harm.use]
            narrow = harm.use == "path" and all(ONE_SEGMENT in t.source for t in taints)
            names = ", ".join(dict.fromkeys(t.source for t in taints))[:80]
            subject = "What the model wrote" if kind == MODEL else f"{names} {who}"
            confidence = Confidence.LOW if narrow else None
            yield _finding(harm, rule, f"{subject} {what} in {short(harm.name)}.", confidence)
    if harm.use == "html" and harm.name in _DOM and not harm.taints and has_ai:
        words = [word for word in harm.words if not _NO_ANSWER.search(word)]
        is_safe = any(is_clean(word) for word in harm.words) or is_clean(harm.value.origin)
        talks = is_chatty(" ".join(words)) or (_TALKS.search(line_text) and "content" in words)
        if talks and not is_safe:
            message = f"What the model wrote is shown as HTML by {short(harm.name)}."
            yield _finding(harm, "llm-output-html", message, Confidence.LOW)


def is_chatty(text: str) -> bool:
    """Say whether a name or line speaks of what a model answered."""
    return _CHATTY.search(text) is not None


def is_clean(text: str) -> bool:
    """Say whether a line makes text safe for a page."""
    return _CLEAN.search(text) is not None


def of_returned(event: Returned, *, is_page: bool) -> Iterator[Finding]:
    """What a handler returns and should have kept to itself, or should have escaped."""
    if is_page and event.value.shape == "html":
        taints = tuple(sorted(t for t in event.value.taints if "html" not in t.cleared))
        harm = Harm(event.path, event.line, use="html", name="the page", taints=taints)
        yield from of_harm(harm, line_text="", has_ai=False)
    yield from _told(event.path, event.line, tuple(sorted(event.value.all_taints())))


def _told(path: str, line: int, taints: tuple[Taint, ...]) -> Iterator[Finding]:
    taints = tuple(t for t in taints if "reply" not in t.cleared)
    traces = [t for t in taints if t.kind == TRACE]
    errors = [t for t in taints if t.kind == ERROR and t.source != "known error"]
    if not traces and not errors:
        return
    what = "The traceback" if traces else "The text of an internal error"
    yield Finding(
        rule="stack-trace-to-client",
        path=path,
        line=line,
        message=f"{what} is sent to the caller: it tells paths, queries and versions to strangers.",
        severity=Severity.ERROR if traces else Severity.WARNING,
        confidence=Confidence.HIGH if traces else Confidence.MEDIUM,
    )


def _logged(harm: Harm) -> Iterator[Finding]:
    secrets = [t for t in harm.taints if t.kind == SECRET and "length" not in t.cleared]
    private = [
        t for t in harm.taints if t.kind == INPUT and _PRIVATE.search(t.source) and "length" not in t.cleared
    ]
    for taint in (secrets or private)[:1]:
        yield Finding(
            rule="secrets-in-logs",
            path=harm.path,
            line=harm.line,
            message=f"{taint.source} is written to the log in clear.",
            severity=Severity.WARNING,
        )


def _finding(harm: Harm, rule: str, message: str, confidence: Confidence | None = None) -> Finding:
    usual = Confidence.MEDIUM if rule in _MEDIUM else Confidence.HIGH
    return Finding(
        rule=rule,
        path=harm.path,
        line=harm.line,
        message=message,
        severity=Severity.WARNING if rule in _WARNINGS or confidence is Confidence.LOW else Severity.ERROR,
        confidence=confidence or usual,
    )
