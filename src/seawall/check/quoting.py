"""Quotes the line of a finding as its evidence, and never a secret that stands in it."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from seawall.check.findings import Finding
from seawall.check.secrets import scan_text

CHARS_MAX = 160


def with_evidence(findings: Iterable[Finding], text_of: Callable[[str], str | None]) -> list[Finding]:
    """Return the findings, in the same order; those without evidence get the line they are about, masked."""
    lines: dict[str, list[str]] = {}
    quoted = []
    for finding in findings:
        if finding.evidence or finding.line < 1 or finding.commit:
            quoted.append(finding)
            continue
        if finding.path not in lines:
            lines[finding.path] = (text_of(finding.path) or "").splitlines()
        here = lines[finding.path]
        line = here[finding.line - 1] if finding.line <= len(here) else ""
        quoted.append(replace(finding, evidence=quote(finding.path, line)))
    return quoted


def quote(path: str, line: str) -> str:
    """Return a line as it may be shown: without indent, bounded, with what may be a secret masked."""
    if len(line) > CHARS_MAX * 10:  # Something minified says nothing to a reader.
        return ""
    for secret in scan_text(path, line):
        return secret.evidence[:CHARS_MAX]
    short = line.strip()
    return short if len(short) <= CHARS_MAX else short[: CHARS_MAX - 1] + "…"
