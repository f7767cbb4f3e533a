"""A report for programs, in the form of `docs/schemas/check-1.json`; ASCII, so that any pipe can carry it."""

import json
from typing import Any

from seawall import __version__
from seawall.check.catalogue import rule
from seawall.check.findings import Finding
from seawall.check.formats import reading
from seawall.check.report import SCHEMA, Report, Row


def render(report: Report) -> str:
    """Write a report as JSON."""
    return json.dumps(values(report), indent=2) + "\n"


def values(report: Report) -> dict[str, Any]:
    """Return a report as plain values."""
    count = reading.counted(report.findings)
    return {
        "schema": SCHEMA,
        "seawall": __version__,
        "folder": _clean(report.folder),
        "stage": report.stage,
        "stack": [_clean(name) for name in report.stack],
        "grade": report.grade or None,
        "verdict": reading.verdict(report),
        "summary": {f"{severity.value}s": number for severity, number in count.items()},
        "findings": [_finding(each, report) for each in report.findings],
        "checklist": [_row(row) for row in report.checklist],
        "too_early": [_finding(each, report) for each in report.too_early],
        "suppressed": [
            {**_finding(each, report), "suppressed_by": each.suppressed_by, "reason": _clean(each.reason)}
            for each in report.suppressed
        ],
        "notices": [_clean(notice) for notice in report.notices],
        "files": report.files,
        "commits": report.commits,
        "took_ms": report.took_ms,
    }


def _finding(finding: Finding, report: Report) -> dict[str, Any]:
    """Return one finding; what holds for secrets and the history alone is left out elsewhere."""
    of = rule(finding.rule)
    language, code = ("", "") if finding.fix else reading.fix_code(of, finding.path, report.stack)
    made: dict[str, Any] = {
        "rule": of.id,
        "category": of.category,
        "title": of.title,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "path": _clean(finding.path),
        "line": finding.line,
        "end_line": max(finding.line, finding.end_line),
        "message": _clean(finding.message),
        "evidence": _clean(finding.evidence),
        "looked_for": [_clean(each) for each in finding.looked_for],
        "fix": _clean(reading.fix_of(finding)),
    }
    if code:
        made["fix_code"] = {"language": language, "code": code}
    if of.seawall:
        made["seawall"] = of.seawall.strip("\n")
    if finding.kind:
        made["kind"] = _clean(finding.kind)
    if finding.commit:
        made |= {
            "commit": _clean(finding.commit),
            "committed_at": _clean(finding.committed_at),
            "in_tree": finding.in_tree,
        }
    return {**made, "tags": list(of.tags), "help": of.page, "fingerprint": finding.fingerprint}


def _row(row: Row) -> dict[str, Any]:
    return {
        "row": row.row,
        "title": _clean(row.title),
        "state": row.state.value,
        "required": row.required,
        "never_skip": row.never_skip,
        "evidence": _clean(row.evidence),
        "path": _clean(row.path) or None,
        "line": row.line or None,
        "why": _clean(row.why),
        "how": _clean(row.how),
        "counts": row.counts,
    }


def _clean(text: str) -> str:
    """Return a text that is valid Unicode: a file name need not be."""
    return text.encode("utf-8", "replace").decode("utf-8")
