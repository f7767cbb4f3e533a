"""What all formats say alike: groups of findings, the fix for this stack, the grade in one sentence.

Invariant: what comes from an audited repository (paths, code, names) reaches a screen or a page through
`printable` or `one_line`, so that no file name can send control sequences.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Literal as OneOf
from typing import NamedTuple

from seawall.check.catalogue import Rule, rule, rules
from seawall.check.findings import Confidence, Finding, Severity
from seawall.check.report import ANSWERED, Report, Row, State

EVIDENCE_LINES_MAX = 3
EVIDENCE_CHARS_MAX = 160
TITLES_SHOWN = 3

_SUFFIXES = {
    **dict.fromkeys((".py", ".pyw", ".ipynb"), "python"),
    **dict.fromkeys(
        (".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte", ".astro"),
        "javascript",
    ),
}
_PYTHON_STACK = ("python", "fastapi", "flask", "django", "streamlit", "gradio", "starlette", "chainlit")
_SETTING = re.compile(r"\s*(?:\[[\w.\"-]+\]\s*$|[\w-]+ = \S)")
_STATES = (State.FAIL, State.WARN, State.MANUAL, State.UNKNOWN, State.PASS, State.NOT_APPLICABLE)
STATE_WORDS = {
    State.FAIL: "fail",
    State.WARN: "look at",
    State.MANUAL: "your answer",
    State.UNKNOWN: "not known",
    State.PASS: "pass",
    State.NOT_APPLICABLE: "not needed",
}


class Group(NamedTuple):
    """The findings of one rule and one severity."""

    rule: Rule
    severity: Severity
    findings: list[Finding]


def groups(findings: Iterable[Finding]) -> list[Group]:
    """Group findings by rule: errors first, then in the order of the catalogue."""
    found: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in findings:
        found.setdefault((finding.severity, finding.rule), []).append(finding)
    rank = {name: number for number, name in enumerate(rules())}
    order = list(Severity)
    keys = sorted(found, key=lambda key: (order.index(key[0]), rank[key[1]]))
    return [
        Group(rule(name), severity, sorted(found[severity, name], key=lambda each: (each.path, each.line)))
        for severity, name in keys
    ]


def first(report: Report) -> Finding | None:
    """Return the finding to begin with: the first error, of those that are sure if there are any."""
    errors = [
        each
        for group in groups(report.findings)
        if group.severity is Severity.ERROR
        for each in group.findings
    ]
    return next((each for each in errors if each.confidence is Confidence.HIGH), next(iter(errors), None))


def counted(findings: Iterable[Finding]) -> dict[Severity, int]:
    """Count findings by severity."""
    count = dict.fromkeys(Severity, 0)
    for finding in findings:
        count[finding.severity] += 1
    return count


def language_of(path: str, stack: Iterable[str] = ()) -> OneOf["python", "javascript", ""]:
    """Return the language whose fix helps: that of the file, else that of the stack, else none."""
    by_suffix = _SUFFIXES.get(PurePosixPath(path).suffix.lower())
    if by_suffix:
        return "python" if by_suffix == "python" else "javascript"
    names = [name.lower() for name in stack]
    if any(known in name for name in names for known in _PYTHON_STACK):
        return "python"
    web = ("next", "express", "node", "hono", "vite", "react", "javascript", "typescript")
    return "javascript" if any(known in name for name in names for known in web) else ""


def fix_code(of: Rule, path: str, stack: Iterable[str] = ()) -> tuple[str, str]:
    """Return the code that mends it, with the word for its language; both empty where words are enough."""
    language = language_of(path, stack)
    if language == "python" and of.fix_python:
        return "python", of.fix_python.strip("\n")
    if language == "javascript" and of.fix_javascript:
        return "jsx" if of.example_in == "jsx" else "js", of.fix_javascript.strip("\n")
    return "", ""


def fix_of(finding: Finding) -> str:
    """Return the fix in words: that of the finding where it is more precise, else that of its rule."""
    return (finding.fix or rule(finding.rule).fix).strip("\n")


def fixes(findings: Iterable[Finding]) -> dict[str, str]:
    """Return each fix in words once, and how it is shown: blocks of lines only with the first.

    Where ten keys lie in a repository, ten lists of hosts would hide what differs: the names of variables.
    """
    shown: dict[str, str] = {}
    for finding in findings:
        fix = fix_of(finding)
        if fix not in shown:
            shown[fix] = _without_blocks(fix) if shown else fix
    return shown


def _without_blocks(fix: str) -> str:
    """Leave out blocks of lines, and the sentences that lead to them."""
    texts = [part for kind, part in paragraphs(fix) if kind == "text"]
    kept = [text if not text.endswith(":") else text.rpartition(". ")[0] + "." for text in texts]
    return "\n\n".join(text for text in kept if text != ".") or fix


def place(finding: Finding | Row) -> str:
    """Write where something is."""
    return f"{one_line(finding.path)}:{finding.line}" if finding.line else one_line(finding.path)


def since(finding: Finding) -> str:
    """Write which commit of the history holds a finding."""
    if not finding.commit:
        return ""
    when = f" of {one_line(finding.committed_at)[:10]}" if finding.committed_at else ""
    still = "" if finding.in_tree else ", no longer in the files"
    return f"commit {one_line(finding.commit)[:12]}{when}{still}"


def evidence_lines(finding: Finding) -> list[str]:
    """Return the masked evidence, a few lines of bounded length."""
    lines = [one_line(line) for line in finding.evidence.splitlines() if line.strip()]
    return [
        line if len(line) <= EVIDENCE_CHARS_MAX else f"{line[: EVIDENCE_CHARS_MAX - 3]}..."
        for line in lines[:EVIDENCE_LINES_MAX]
    ]


def paragraphs(text: str) -> Iterator[tuple[OneOf["text", "code"], str]]:
    """Yield the paragraphs of a text; blocks of code come without their indent."""
    block: list[str] = []
    for part in text.strip("\n").split("\n\n"):
        lines = part.split("\n")
        if all(line.startswith("    ") for line in lines):
            block.append("\n".join(line[4:] for line in lines))
            continue
        if block:
            yield "code", "\n\n".join(block)
            block = []
        if part.strip():
            yield "text", " ".join(part.split())
    if block:
        yield "code", "\n\n".join(block)


def ways(row: Row, *, with_answer: bool = True) -> Iterator[tuple[OneOf["text", "code"], str]]:
    """Yield how a row is done, line by line; lines of settings stay together as code."""
    code: list[str] = []
    how = row.how if with_answer else row.how.partition(ANSWERED)[0]
    for line in filter(str.strip, printable(how).split("\n")):
        if _SETTING.match(line):
            code.append(line)
            continue
        if code:
            yield "code", "\n".join(code)
            code = []
        yield "text", " ".join(line.split())
    if code:
        yield "code", "\n".join(code)


def answer(row: Row) -> str:
    """Return the line of `[check.manual]` with which a row is answered by hand; empty where there is none."""
    lines = row.how.split("\n")
    at = lines.index(ANSWERED) + 1 if ANSWERED in lines else len(lines)
    return next((line for line in lines[at:] if line.startswith(f"{row.row} = ")), "")


def is_told(row: Row, report: Report) -> bool:
    """Say whether a row fails because of a finding that stands in the report anyway."""
    places = {(finding.path, finding.line) for finding in report.findings}
    return row.never_skip and bool(row.path) and (row.path, row.line) in places


def rows(report: Report) -> list[Row]:
    """Return the checklist: what fails first, what a later stage asks for last."""
    return sorted(report.checklist, key=lambda row: (is_later(row), _STATES.index(row.state)))


def is_open(row: Row) -> bool:
    """Say whether there is something to do about a row."""
    return row.state in _STATES[:4]


def is_later(row: Row) -> bool:
    """Say whether a row is open and not yet asked for."""
    return is_open(row) and not row.required


def state_word(row: Row) -> str:
    """Return the word for the state of a row."""
    return "later" if is_later(row) else STATE_WORDS[row.state]


def row_counts(report: Report) -> str:
    """Count the rows of the checklist by state, what fails first."""
    counts = Counter(map(state_word, rows(report)))
    return ", ".join(f"{number} {word}" for word, number in counts.items())


def verdict(report: Report) -> str:
    """Say in one sentence why the grade is what it is."""
    if not report.checklist:
        return summary(report)
    never = [row for row in report.checklist if row.never_skip and row.state is State.FAIL]
    asked = [row for row in report.checklist if row.required and not row.never_skip]
    missing = [row for row in asked if row.state is State.FAIL]
    if never:
        what = (
            "One thing that no stage skips fails"
            if len(never) == 1
            else f"{len(never)} things fail that no stage skips"
        )
        return f"{what}: {_titles(never)}."
    if missing:
        what = f"{len(missing)} of the {len(asked)} things that the stage {report.stage} asks for"
        return f"{what} {'is' if len(missing) == 1 else 'are'} missing: {_titles(missing)}."
    waiting = [row for row in report.checklist if row.required and row.state in (State.MANUAL, State.UNKNOWN)]
    if waiting:
        number = number_of(len(waiting), "row waits", "rows wait")
        return (
            f"Nothing that the stage {report.stage} asks for fails; {number} for your answer: "
            f"{_titles(waiting)}."
        )
    return f"Everything that the stage {report.stage} asks for is there."


def summary(report: Report) -> str:
    """Count what was found, in one sentence."""
    count = counted(report.findings)
    if not report.findings:
        return "Nothing was found."
    parts = [
        number_of(count[severity], severity.value, f"{severity.value}s")
        for severity in Severity
        if count[severity]
    ]
    return f"{listed(parts)}."


def seen(report: Report) -> str:
    """Say what was looked at."""
    parts = [number_of(report.files, "file", "files")]
    if report.commits:
        parts.append(number_of(report.commits, "commit", "commits"))
    took = f"{report.took_ms / 1000:.1f} s" if report.took_ms >= 1000 else f"{report.took_ms} ms"
    return f"{' and '.join(parts)} in {took}"


def number_of(number: int, one: str, many: str) -> str:
    """Write a number of things."""
    return f"{number:,} {one if number == 1 else many}"


def listed(parts: list[str]) -> str:
    """Write a list of things in words."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def printable(text: str) -> str:
    """Return a text without anything that a terminal would obey; line breaks stay."""
    return "".join(
        char if char.isprintable() or char == "\n" else " " if char == "\t" else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )


def one_line(text: str) -> str:
    """Return a text as one line that a terminal can show."""
    return printable(" ".join(text.split()))


def _titles(of: list[Row]) -> str:
    titles = [f'"{one_line(row.title)}"' for row in of[:TITLES_SHOWN]]
    more = len(of) - len(titles)
    return listed([*titles, f"{more} more"] if more else titles)
