"""Reports made by hand, for everything that writes or sifts them."""

from typing import Any

from seawall.check.findings import Confidence, Finding, Severity
from seawall.check.fingerprints import with_fingerprints
from seawall.check.report import Report, Row, State

APP = """\
from fastapi import FastAPI
from openai import OpenAI

app = FastAPI()
client = OpenAI()


@app.post("/chat")
def chat(body: Chat):
    return client.responses.create(model="gpt-4.1-mini", input=body.text)
"""
ANSWER = """\
Set it at the provider.
Answer it in seawall.toml:
[check.manual]
provider-limit = {by = "YOUR NAME", at = 2026-11-27, note = "what you saw"}"""
TEXTS = {"app.py": APP, "web/page.tsx": "<div dangerouslySetInnerHTML={{ __html: answer }} />\n"}


def finding(rule: str = "no-max-tokens", path: str = "app.py", line: int = 10, **fields: Any) -> Finding:
    """Return a finding; what is not stated does not matter to the test."""
    given = {"message": "chat() asks a model and names no limit.", "severity": Severity.WARNING, **fields}
    return Finding(rule=rule, path=path, line=line, **given)


def findings() -> list[Finding]:
    """Return findings of several kinds, with their fingerprints."""
    made = [
        finding(
            "unprotected-llm-endpoint",
            line=9,
            end_line=10,
            severity=Severity.ERROR,
            message="POST /chat reaches `client.responses.create` through chat(), and nobody is asked who calls.",
            evidence='@app.post("/chat")\ndef chat(body: Chat):',
            looked_for=("a login", "a rate limit", "a quota"),
        ),
        finding(
            "hardcoded-secret-history",
            "old/settings.py",
            3,
            severity=Severity.ERROR,
            message="An OpenAI key stood here.",
            evidence="api_key = sk-p…9f",
            fix="Make a new key at https://platform.openai.com/api-keys and revoke this one.",
            kind="openai",
            hash="0123456789abcdef",
            commit="a1b2c3d4e5f6",
            committed_at="2026-10-02T11:00:00+00:00",
            in_tree=False,
        ),
        finding(
            "llm-output-html",
            "web/page.tsx",
            1,
            severity=Severity.ERROR,
            message="The answer is shown as raw HTML.",
            confidence=Confidence.MEDIUM,
            evidence="<div dangerouslySetInnerHTML={{ __html: answer }} />",
        ),
        finding(),
        finding("system-prompt-open", line=0, severity=Severity.NOTE, message="No subject is named."),
    ]
    return with_fingerprints(made, TEXTS.get)


def checklist() -> list[Row]:
    """Return a row for each state."""
    return [
        Row(row="secrets", title="Secrets stay out of the repository", state=State.FAIL, required=True, never_skip=True,
            evidence="1 key in the history", path="old/settings.py", line=3, why="A key in a repository is a key of everybody.",
            how="Make a new key and revoke the old one."),
        Row(row="limits", title="Users have limits", state=State.FAIL, required=True, why="A loop costs money.", how="Add a limit."),
        Row(row="logs", title="Logs hold no prompts", state=State.WARN, required=True, evidence="a print of the prompt", path="app.py", line=9),
        Row(row="provider-limit", title="The provider has a limit of its own", state=State.MANUAL, required=True, how=ANSWER),
        Row(row="backups", title="Backups are made", state=State.UNKNOWN, required=False),
        Row(row="tls", title="Connections are encrypted", state=State.PASS, required=True, never_skip=True, evidence="no http:// address"),
        Row(row="sql", title="SQL has placeholders", state=State.NOT_APPLICABLE, required=True, never_skip=True, evidence="no SQL"),
    ]  # fmt: skip


def report(**fields: Any) -> Report:
    """Return a report with something of everything."""
    suppressed = [
        finding("xss", line=4, severity=Severity.ERROR, suppressed_by="inline", reason="only our own pages", fingerprint="a" * 16),
        finding("cors-open", line=4, suppressed_by="baseline", reason="known", fingerprint="b" * 16),
    ]  # fmt: skip
    given: dict[str, Any] = {
        "folder": "my-app",
        "stage": "mvp",
        "grade": "F",
        "findings": findings(),
        "suppressed": suppressed,
        "checklist": checklist(),
        "too_early": [finding("too-early", "k8s/app.yaml", 0, severity=Severity.NOTE, message="Kubernetes, for a first version.")],
        "notices": ["data/dump.sql is larger than 2 MB and was not read."],
        "stack": ["FastAPI", "Next.js", "Docker"],
        "files": 42,
        "commits": 17,
        "took_ms": 231,
    }  # fmt: skip
    return Report(**{**given, **fields})
