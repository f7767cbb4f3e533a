"""The checklist of a small app that a test writes."""

from datetime import date
from pathlib import Path
from textwrap import dedent
from typing import Any

from seawall.check.checklist import Evidence
from seawall.check.checklist.definitions import definitions
from seawall.check.checklist.judging import checklist
from seawall.check.code.entries import Entry
from seawall.check.code.entries_javascript import entries as of_javascript
from seawall.check.code.entries_python import entries as of_python
from seawall.check.code.project import Project
from seawall.check.files import Files, walk
from seawall.check.findings import Confidence, Finding, Severity
from seawall.check.report import Row
from seawall.check.settings import CheckSettings, read_settings
from seawall.core.stages import Stage

TODAY = date(2026, 11, 27)


def written(root: Path, files: dict[str, str]) -> Files:
    """Write files and return them as the audit sees them."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(dedent(text), "utf-8")
    return walk(root)


def evidence_of(root: Path, files: dict[str, str], **more: Any) -> Evidence:
    """Return what the audit knows of an app; its `seawall.toml` is read too."""
    seen = written(root, files)
    project = Project(seen.paths, seen.read)
    text = files.get("seawall.toml")
    settings = CheckSettings() if text is None else read_settings(dedent(text), rows=definitions())
    given = {"entries": entries_of(project), "settings": settings, "today": TODAY, **more}
    return Evidence(files=seen, project=project, **given)


def rows_of(
    root: Path, files: dict[str, str], stage: Stage = Stage.PRODUCTION, **more: Any
) -> dict[str, Row]:
    """Return the rows of the checklist by their id."""
    rows, _ = checklist(evidence_of(root, files, **more), stage)
    return {row.row: row for row in rows}


def early_of(root: Path, files: dict[str, str], stage: Stage) -> list[Finding]:
    """Return the notes about what is there too early."""
    return checklist(evidence_of(root, files), stage)[1]


def entries_of(project: Project) -> list[Entry]:
    """Return the entries of both languages."""
    return [
        entry
        for module in project.modules()
        for entry in (of_python if module.language == "python" else of_javascript)(project, module)
    ]


def finding(rule: str, *, severity: Severity = Severity.ERROR, **more: Any) -> Finding:
    """Return a finding in line 7 of app.py."""
    given = {
        "path": "app.py",
        "line": 7,
        "message": f"{rule} is here.",
        "confidence": Confidence.HIGH,
        **more,
    }
    return Finding(rule=rule, severity=severity, **given)
