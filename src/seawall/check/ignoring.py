"""Reads `seawall: ignore[RULE] reason` beside the code, and takes out what it speaks of.

Invariants:
- Without a reason nothing is ignored.
- An ignore speaks of rules or groups by name, never of everything.
- It counts on its own line, on any line of a finding that spans several, and, where it stands alone, for the
  next line that is not a comment itself.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from seawall.check.catalogue import UnknownRule, expand
from seawall.check.findings import Finding
from seawall.check.fingerprints import TextOf

UNUSED = "matches nothing; it can go."
REASON_CHARS_MAX = 200
NOTICES_MAX = 20
SPAN_LINES_MAX = 200
PROSE = (".md", ".mdx", ".rst", ".adoc", ".txt")
"""Such files may show what an ignore looks like: there is nothing to say about one that has no effect."""

HEAD_LINES = 10
"""An ignore of a finding about a whole file stands alone in one of the first lines."""

_WORD = re.compile(r"seawall:\s*ignore", re.IGNORECASE)
_MARK = re.compile(
    r"(?P<opener>#|//|/\*|<!--|--|;|\*|%)[^\n]{0,300}?seawall:\s*ignore\b\s*(?:\[(?P<rules>[^\]\n]{0,300})\])?"
    r"(?P<reason>[^\n]*)",
    re.IGNORECASE,
)
_COMMENT_LINE = re.compile(r"\s*(?:#|//|/\*|\*|<!--|\{\s*/\*|--|;)")
_CLOSER = re.compile(r"\*/\s*\}?|--%?>")
_TEMPLATE = re.compile(r"[{}$<%\"']")
_TAIL = re.compile(r"(?:\\n)?\"?,?\s*$")
"""What stands behind a comment in a notebook's file."""


class Split(NamedTuple):
    """What counts, what was ignored with a reason, and what is to be said about the ignores."""

    kept: list[Finding]
    suppressed: list[Finding]
    notices: list[str]


class Mark(Struct):
    """One ignore: where it stands and for which line it counts."""

    line: int
    counts_for: int
    rules: frozenset[str]
    names: str
    reason: str
    alone: bool
    used: bool = False


class Ignores:
    """The ignores of all files, each read when it is first asked for; remembers which ones were of use."""

    def __init__(self, text_of: TextOf) -> None:
        """Read nothing yet."""
        self._text_of = text_of
        self._marks: dict[str, list[Mark]] = {}
        self._troubles: list[str] = []

    def split(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
        """Return what counts, and what is ignored beside the code with its reason.

        Findings of the history have no place in the tree and count.
        """
        kept: list[Finding] = []
        suppressed: list[Finding] = []
        for finding in findings:
            mark = self._of(finding)
            if mark is None:
                kept.append(finding)
                continue
            mark.used = True
            suppressed.append(replace(finding, suppressed_by="inline", reason=mark.reason))
        return kept, suppressed

    def notices(self, paths: Iterable[str]) -> list[str]:
        """Say what is wrong with ignores, and which ones in these files were of no use so far."""
        for path in paths:
            self._read(path)
        unused = [
            f"{path}:{mark.line}: ignore[{mark.names}] {UNUSED}"
            for path, found in self._marks.items()
            for mark in found
            if not mark.used and not path.endswith(PROSE)
        ]
        return [*self._troubles, *unused]

    def _of(self, finding: Finding) -> Mark | None:
        if not finding.in_tree:
            return None
        return next((each for each in self._read(finding.path) if _counts(each, finding)), None)

    def _read(self, path: str) -> list[Mark]:
        if path not in self._marks:
            self._marks[path] = _marks_of(path, self._text_of, self._troubles)
        return self._marks[path]


def split(findings: Iterable[Finding], text_of: TextOf, paths: Iterable[str] = ()) -> Split:
    """Take out the findings that are ignored beside the code.

    `paths` are all files that were read: an ignore in one of them that matches nothing is a notice.
    """
    ignores = Ignores(text_of)
    kept, suppressed = ignores.split(findings)
    return Split(kept, suppressed, bounded(ignores.notices(paths)))


def _counts(mark: Mark, finding: Finding) -> bool:
    if finding.rule not in mark.rules:
        return False
    if finding.line < 1:
        return mark.alone and mark.line <= HEAD_LINES
    end = min(max(finding.line, finding.end_line), finding.line + SPAN_LINES_MAX)
    return finding.line <= mark.counts_for <= end or finding.line <= mark.line <= end


def _marks_of(path: str, text_of: TextOf, notices: list[str]) -> list[Mark]:
    """Read the ignores of a file; what is wrong with one becomes a notice."""
    text = text_of(path)
    if not text or not _WORD.search(text):
        return []
    marks = []
    for mark, trouble in _read(text):
        if trouble and not path.endswith(PROSE):
            notices.append(f"{path}:{mark.line}: {trouble}")
        elif not trouble:
            marks.append(mark)
    return marks


def _read(text: str) -> Iterator[tuple[Mark, str]]:
    """Yield every ignore of a text, and what is wrong with it."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        found = _MARK.search(line) if "eawall" in line or "EAWALL" in line else None
        if found is None:
            continue
        names = [name.strip() for name in (found["rules"] or "").split(",") if name.strip()]
        reason, *rest = _CLOSER.split(found["reason"], maxsplit=1)
        alone = bool(_COMMENT_LINE.match(line)) and not "".join(rest).strip()
        mark = Mark(
            line=number,
            counts_for=_next_code(lines, number) if alone else number,
            rules=frozenset(),
            names=", ".join(names),
            reason=_reason(reason),
            alone=alone,
        )
        if any(_TEMPLATE.search(name) for name in names):
            continue  # A program that writes ignores.
        if not names:
            yield mark, "an ignore names its rule: seawall: ignore[RULE] reason."
            continue
        try:
            mark.rules = expand(names)
        except UnknownRule as error:
            yield mark, f"an ignore that cannot be read: {error}"
            continue
        yield mark, "" if mark.reason else f"ignore[{mark.names}] has no effect without a reason behind it."


def _next_code(lines: list[str], number: int) -> int:
    """Return the number of the first line below that is more than a comment."""
    for below in range(number, min(number + HEAD_LINES, len(lines))):
        if not _COMMENT_LINE.match(lines[below]) and lines[below].strip():
            return below + 1
    return number


def _reason(text: str) -> str:
    reason = _TAIL.sub("", text.strip()).strip(" \t:-\N{EN DASH}\N{EM DASH}")
    return reason[:REASON_CHARS_MAX] if any(char.isalnum() for char in reason) else ""


def bounded(notices: list[str]) -> list[str]:
    """Return the first `NOTICES_MAX` notices, and how many more there are."""
    if len(notices) <= NOTICES_MAX:
        return notices
    return [*notices[:NOTICES_MAX], f"{len(notices) - NOTICES_MAX} more about ignores are not shown."]
