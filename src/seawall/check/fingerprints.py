"""Tells a finding from another, and knows it again when the lines around it have moved."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from seawall.check.findings import Finding

TextOf = Callable[[str], str | None]
"""Returns the text of an audited file by its path, or nothing where it cannot be read."""

LINES_KEPT = 8


def with_fingerprints(findings: Iterable[Finding], text_of: TextOf) -> list[Finding]:
    """Return the findings with their fingerprints, in the same order.

    A fingerprint is made of rule, path, and the hash of the secret or the line as it is written, white space
    apart; equal ones in one file are numbered. It changes where the line changes or the file gets another
    name.
    """
    lines = _Lines(text_of)
    seen: Counter[tuple[str, str, str]] = Counter()
    marked = []
    for finding in findings:
        anchor = finding.hash or finding.commit or "".join(lines.at(finding.path, finding.line).split())
        key = (finding.rule, finding.path, anchor)
        marked.append(replace(finding, fingerprint=_digest(*key, str(seen[key]))))
        seen[key] += 1
    return marked


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(("seawall/1", *parts)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class _Lines:
    """The lines of the files that were asked for last; findings come file by file."""

    def __init__(self, text_of: TextOf) -> None:
        self._text_of = text_of
        self._kept: dict[str, list[str]] = {}

    def at(self, path: str, line: int) -> str:
        if line < 1:
            return ""
        if path not in self._kept:
            if len(self._kept) >= LINES_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[path] = (self._text_of(path) or "").split("\n")
        lines = self._kept[path]
        return lines[line - 1] if line <= len(lines) else ""
