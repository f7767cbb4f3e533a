"""A report as annotations of GitHub Actions: one line for each finding, beside the code of a pull request.

The escaping is that of GitHub's own toolkit: `%`, CR and LF everywhere, `:` and `,` in properties as well.
"""

from seawall.check.catalogue import rule
from seawall.check.findings import Finding, Severity
from seawall.check.formats import reading
from seawall.check.report import Report

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(report: Report) -> str:
    """Write a report as workflow commands."""
    lines = [_annotation(finding) for finding in (*report.findings, *report.too_early)]
    lines += [f"::notice title=seawall check::{_data(reading.one_line(notice))}" for notice in report.notices]
    grade = f"Grade {report.grade}. " if report.grade else ""
    lines.append(f"seawall check: {grade}{reading.one_line(reading.verdict(report))}")
    return "\n".join(lines) + "\n"


def _annotation(finding: Finding) -> str:
    of = rule(finding.rule)
    properties = {"file": reading.printable(finding.path)}
    if finding.line and finding.in_tree:
        properties["line"] = str(finding.line)
        if finding.end_line > finding.line:
            properties["endLine"] = str(finding.end_line)
    properties["title"] = f"{of.title} ({of.id})"
    commit = reading.since(finding)
    parts = [reading.one_line(finding.message), f"In {commit}." if commit else ""]
    if finding.looked_for:
        parts.append(f"Looked for: {', '.join(map(reading.one_line, finding.looked_for))}.")
    parts += [f"Fix: {reading.printable(reading.fix_of(finding))}", of.page]
    named = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {named}::{_data(chr(10).join(filter(None, parts)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
