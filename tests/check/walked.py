"""Tables of small apps for the analysis: each line that a rule must speak about ends in `HERE`, no other may."""

from collections.abc import Iterator
from textwrap import dedent

import pytest

from seawall.check.code.analysis import Analysis
from seawall.check.findings import Finding
from tests.check.written import project_of

Files = dict[str, str]
Places = list[tuple[str, int]]


def findings_in(files: Files) -> list[Finding]:
    """Return everything that the analysis says about the code of an app."""
    return Analysis(project_of(files)).run()


def said(rule: str, files: Files) -> Places:
    """Return the places that a rule speaks about."""
    return sorted({(f.path, f.line) for f in findings_in(files) if f.rule == rule})


def marked(files: Files) -> Places:
    """Return the places that are marked."""
    return sorted(
        (path, line)
        for path, text in files.items()
        for line, words in enumerate(dedent(text).splitlines(), 1)
        if words.rstrip(" */}->").endswith("HERE")
    )


def claims(
    rule: str, *, py: dict[str, str | Files] | None = None, js: dict[str, str | Files] | None = None
) -> pytest.MarkDecorator:
    """Give a test (rule, files) for each app of a table: its claim, and its file or files."""
    return pytest.mark.parametrize(
        ("rule", "files"), list(_cases(rule, "app.py", py or {})) + list(_cases(rule, "server.ts", js or {}))
    )


def _cases(rule: str, path: str, table: dict[str, str | Files]) -> Iterator[object]:
    for claim, app in table.items():
        yield pytest.param(rule, {path: app} if isinstance(app, str) else app, id=f"{path[-2:]}: {claim}")
