"""Findings in templates: text that is put into a page without escaping."""

import re
from collections.abc import Callable, Iterable, Iterator

from seawall.check.code.rules_flow import is_chatty, is_clean
from seawall.check.findings import Confidence, Finding, Severity

ENDINGS = (".html", ".jinja", ".jinja2", ".j2", ".vue", ".svelte", ".ejs", ".hbs", ".njk", ".pug")

_UNESCAPED = re.compile(
    r"\{\{-?\s*(?P<jinja>[\w.\[\]'\"()]+)\s*\|\s*safe\b"
    r"|v-html\s*=\s*\"(?P<vue>[^\"]+)\""
    r"|\{@html\s+(?P<svelte>[^}]+)\}"
    r"|<%-\s*(?!include)(?P<ejs>[^%]+)%>"
    r"|\{\{\{\s*(?P<handlebars>[^}]+)\}\}\}"
)
_TYPED = re.compile(
    r"(?i)\b(query|q|search|name|username|user_?input|comment|term|input|text|title|error|bio|post)\b"
)


def template_findings(
    paths: Iterable[str], text_of: Callable[[str], str | None], *, has_ai: bool
) -> Iterator[Finding]:
    """Yield unescaped values of templates: a model's answer where the name says so, else less sure."""
    for path in paths:
        if not path.endswith(ENDINGS):
            continue
        text = text_of(path) or ""
        for found in _UNESCAPED.finditer(text):
            inside = next(part for part in found.groups() if part)
            if is_clean(inside) or ((found["vue"] or found["svelte"] or "") and _is_cleaned(inside, text)):
                continue
            line = text.count("\n", 0, found.start()) + 1
            if has_ai and (is_chatty(inside) or _is_fetched(inside, text)):
                yield Finding(
                    rule="llm-output-html",
                    path=path,
                    line=line,
                    message=f"What the model wrote ({inside.strip()[:60]}) is shown as raw HTML.",
                    severity=Severity.ERROR,
                    confidence=Confidence.MEDIUM,
                )
            elif _TYPED.search(inside):
                yield Finding(
                    rule="xss",
                    path=path,
                    line=line,
                    message=f"{inside.strip()[:60]} is shown as HTML without escaping.",
                    severity=Severity.WARNING,
                    confidence=Confidence.LOW,
                )


def _is_fetched(inside: str, text: str) -> bool:
    """Say whether a component asks a server and shows what comes back, also through a list or a converter."""
    names = set(re.findall(r"[A-Za-z_$][\w$]*", inside)) - {"marked", "parse", "md", "render"}
    for loop in re.finditer(
        r"(?:v-for=\"\(?\s*(\w+)[^\"]*?\s(?:in|of)\s+(\w+)|\{#each\s+(\w+)\s+as\s+(\w+))", text
    ):
        item, over = (loop[1], loop[2]) if loop[1] else (loop[4], loop[3])
        if item in names:
            names.add(over)
    if not re.search(r"\$?fetch\(|axios|useFetch|useChat|EventSource|getReader", text):
        return False
    return any(
        re.search(
            rf"\b{re.escape(n)}(?:\.value)?\s*(?:=|\+=)\s*[^=\n]*(?:await|result|data|response|res\b|json|chunk|text)",
            text,
        )
        for n in names
    )


def _is_constant(inside: str, text: str) -> bool:
    """Say whether the script of the same component sets the name to a text and to nothing else."""
    name = inside.strip()
    if not name.isidentifier():
        return False
    set_to = re.findall(rf"\b{name}(?:\.value)?\s*(?::[^=\n]+)?=\s*(\S)", text)
    return bool(set_to) and all(first in "\"'`" for first in set_to)


def _is_cleaned(inside: str, text: str) -> bool:
    """Say whether the script of the same component makes the value with a sanitiser."""
    name = re.escape(inside.strip().split("(")[0].split(".")[0])
    return re.search(
        rf"\b{name}\b[^\n]{{0,40}}=[^\n]{{0,80}}(?i:sanitiz|purif|escape)", text
    ) is not None or (re.search(rf"(?s)\b{name}\b\s*[=(].{{0,300}}(?:DOMPurify|sanitize)", text) is not None)
