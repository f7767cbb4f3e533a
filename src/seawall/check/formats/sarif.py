"""A report in SARIF 2.1.0, which code scanning services and editors read.

What it follows: the OASIS standard with errata 01, and what GitHub's code scanning wants besides
(`security-severity`,
`external/cwe` tags, `primaryLocationLineHash`).
"""

import json
from typing import Any
from urllib.parse import quote

from seawall import __version__
from seawall.check.catalogue import Rule, rules
from seawall.check.findings import Finding, Severity
from seawall.check.formats import reading
from seawall.check.formats.pages import page, prose
from seawall.check.report import Report

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
_CRITICAL = (
    "command-injection",
    "code-injection",
    "llm-output-exec",
    "llm-output-shell",
    "sql-injection",
    "unprotected-llm-endpoint",
)
_SCORES = {Severity.ERROR: "7.5", Severity.WARNING: "5.0", Severity.NOTE: "2.0"}
_TAXONOMIES = (
    ("CWE", "MITRE", "https://cwe.mitre.org/", "Common Weakness Enumeration"),
    (
        "OWASP LLM",
        "OWASP",
        "https://genai.owasp.org/llm-top-10/",
        "OWASP Top 10 for Large Language Model Applications 2025",
    ),
    (
        "OWASP ASVS",
        "OWASP",
        "https://owasp.org/www-project-application-security-verification-standard/",
        "OWASP Application Security Verification Standard 5.0.0",
    ),
)


def render(report: Report) -> str:
    """Write a report as SARIF."""
    return json.dumps(values(report), indent=2) + "\n"


def values(report: Report) -> dict[str, Any]:
    """Return the log as plain values."""
    run = {
        "tool": {"driver": _driver()},
        "taxonomies": _taxonomies(),
        "invocations": [_invocation(report)],
        "originalUriBaseIds": {ROOT: {"description": {"text": "The folder that was audited."}}},
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": f"seawall-check/{report.stage}/"},
        "results": _results(report),
        "properties": {
            "stage": report.stage,
            "grade": report.grade or None,
            "verdict": reading.verdict(report),
            "checklist": {row.row: row.state.value for row in report.checklist},
        },
    }
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _driver() -> dict[str, Any]:
    return {
        "name": "seawall check",
        "organization": "Seawall",
        "informationUri": "https://seawall.dev/check",
        "version": __version__,
        "semanticVersion": __version__,
        "supportedTaxonomies": [{"name": name, "index": at} for at, (name, *_) in enumerate(_TAXONOMIES)],
        "rules": [_rule(of) for of in rules().values()],
    }


def _rule(of: Rule) -> dict[str, Any]:
    tags = ["security"] if of.group != "stage" else ["maintainability"]
    tags += [f"external/cwe/cwe-{number:03}" for number in of.cwe]
    tags += of.tags[len(of.cwe) :]
    properties: dict[str, Any] = {
        "tags": tags,
        "precision": "high" if of.severity is Severity.ERROR else "medium",
        "problem.severity": "recommendation" if of.severity is Severity.NOTE else of.severity.value,
    }
    if of.group != "stage":
        properties["security-severity"] = _score(of)
    described: dict[str, Any] = {
        "id": of.id,
        "name": "".join(word.capitalize() for word in of.id.split("-")),
        "shortDescription": {"text": of.title},
        "fullDescription": {"text": _plain(of.what)},
        "help": {"text": f"{_plain(of.why)}\n\nFix: {_plain(of.fix)}", "markdown": page(of)},
        "helpUri": of.page,
        "defaultConfiguration": {"level": of.severity.value},
        "properties": properties,
    }
    related = [
        {
            "target": {"id": entry, "toolComponent": {"name": _TAXONOMIES[at][0], "index": at}},
            "kinds": ["relevant"],
        }
        for at, entry in _entries(of)
    ]
    return {**described, "relationships": related} if related else described


def _score(of: Rule) -> str:
    """Return the severity in the numbers of CVSS that GitHub sorts by: from 9 critical, 7 high, 4 medium."""
    is_critical = of.id in _CRITICAL or (of.group == "secrets" and of.severity is Severity.ERROR)
    return "9.1" if is_critical else _SCORES[of.severity]


def _entries(of: Rule) -> list[tuple[int, str]]:
    """Return the entries of the taxonomies that a rule stands for: (index of the taxonomy, id)."""
    return [
        *((0, str(number)) for number in of.cwe),
        *((1, entry) for entry in of.owasp_llm),
        *((2, number) for number in of.asvs),
    ]


def _taxonomies() -> list[dict[str, Any]]:
    entries: list[set[str]] = [set() for _ in _TAXONOMIES]
    for of in rules().values():
        for at, entry in _entries(of):
            entries[at].add(entry)
    return [
        {
            "name": name,
            "organization": organization,
            "informationUri": address,
            "shortDescription": {"text": text},
            "taxa": [{"id": entry} for entry in sorted(entries[at])],
        }
        for at, (name, organization, address, text) in enumerate(_TAXONOMIES)
    ]


def _invocation(report: Report) -> dict[str, Any]:
    notes = [{"level": "note", "message": {"text": reading.one_line(text)}} for text in report.notices]
    return {"executionSuccessful": True, **({"toolExecutionNotifications": notes} if notes else {})}


def _results(report: Report) -> list[dict[str, Any]]:
    """Return what counts, what is too early, and what is suppressed; all say so where one says so."""
    index = {name: number for number, name in enumerate(rules())}
    results = []
    for finding in (*report.findings, *report.too_early, *report.suppressed):
        result = _result(finding, index[finding.rule])
        if report.suppressed:
            result["suppressions"] = _suppressions(finding)
        results.append(result)
    return results


def _result(finding: Finding, index: int) -> dict[str, Any]:
    commit = reading.since(finding)
    parts = [reading.printable(finding.message), f"In {commit}." if commit else ""]
    if finding.looked_for:
        parts.append(f"Looked for: {', '.join(map(reading.one_line, finding.looked_for))}.")
    properties: dict[str, Any] = {
        "confidence": finding.confidence.value,
        "fix": reading.printable(reading.fix_of(finding)),
    }
    if finding.evidence:
        properties["evidence"] = reading.printable(finding.evidence)
    if finding.commit:
        properties |= {"commit": reading.one_line(finding.commit), "inTree": finding.in_tree}
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": " ".join(filter(None, parts))},
        "locations": [{"physicalLocation": _location(finding)}],
        "properties": properties,
    }
    if finding.fingerprint:
        result["partialFingerprints"] = {
            "primaryLocationLineHash": f"{finding.fingerprint}:1",
            "seawallFingerprint/v1": finding.fingerprint,
        }
    return result


def _location(finding: Finding) -> dict[str, Any]:
    """Return where it is; lines of the history are not those of the file as it is now."""
    uri = quote(finding.path.encode("utf-8", "surrogateescape"), safe="/")
    location: dict[str, Any] = {"artifactLocation": {"uri": uri, "uriBaseId": ROOT}}
    if finding.line and finding.in_tree:
        end = max(finding.line, finding.end_line)
        location["region"] = {"startLine": finding.line, "endLine": end}
    return location


def _suppressions(finding: Finding) -> list[dict[str, Any]]:
    if not finding.suppressed_by:
        return []
    kind = "inSource" if finding.suppressed_by == "inline" else "external"
    return [{"kind": kind, "status": "accepted", "justification": reading.printable(finding.reason)}]


def _plain(text: str) -> str:
    return prose(text).replace("```", "").strip()
