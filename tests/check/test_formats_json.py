"""The report for programs is what the published schema says."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from seawall.check.catalogue import rules
from seawall.check.formats.json import render, values
from seawall.check.report import SCHEMA, Report, State
from tests.check.reports import checklist, finding, report

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED: dict[str, Any] = json.loads((ROOT / "docs" / "schemas" / "check-1.json").read_text("utf-8"))
REPORTS = {
    "everything": report(),
    "nothing": report(findings=[], suppressed=[], checklist=[], too_early=[], notices=[], stack=[], grade=""),
    "every rule": report(findings=[finding(name) for name in rules()]),
    "odd names": report(
        folder="\udcff", findings=[finding(path="a\udcff\u2028\x1b.py", fix="x", evidence="\ud800")]
    ),
}


def test_the_schema_is_one_and_names_itself() -> None:
    Draft202012Validator.check_schema(PUBLISHED)
    assert PUBLISHED["$id"] == SCHEMA == PUBLISHED["properties"]["schema"]["const"]


def test_the_published_categories_are_those_of_the_catalogue() -> None:
    assert PUBLISHED["$defs"]["category"]["enum"] == sorted(rules())
    assert PUBLISHED["$defs"]["row"]["properties"]["state"]["enum"] == [state.value for state in State]


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_valid(name: str) -> None:
    told = json.loads(render(REPORTS[name]))
    Draft202012Validator(PUBLISHED, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(told)


def test_everything_that_is_written_is_described() -> None:
    told = values(report())
    properties = PUBLISHED["properties"]
    assert set(told) == set(properties)
    assert set(told["checklist"][0]) == set(PUBLISHED["$defs"]["row"]["properties"])
    described = set(PUBLISHED["$defs"]["finding"]["properties"])
    assert set().union(*told["findings"], *told["too_early"]) <= described
    assert set().union(*told["suppressed"]) <= described | {"suppressed_by", "reason"}


def test_a_finding_has_all_that_the_issue_asks_for() -> None:
    [secret] = [each for each in values(report())["findings"] if each["rule"] == "hardcoded-secret-history"]
    assert secret == {
        "rule": "hardcoded-secret-history",
        "category": "hardcoded-secret-history",
        "title": "A secret in the history of the repository",
        "severity": "error",
        "confidence": "high",
        "path": "old/settings.py",
        "line": 3,
        "end_line": 3,
        "message": "An OpenAI key stood here.",
        "evidence": "api_key = sk-p…9f",
        "looked_for": [],
        "fix": "Make a new key at https://platform.openai.com/api-keys and revoke this one.",
        "seawall": rules()["hardcoded-secret-history"].seawall.strip("\n"),
        "kind": "openai",
        "commit": "a1b2c3d4e5f6",
        "committed_at": "2026-10-02T11:00:00+00:00",
        "in_tree": False,
        "tags": ["CWE-798", "ASVS-5.0-13.3.1"],
        "help": "https://seawall.dev/rules/hardcoded-secret-history",
        "fingerprint": secret["fingerprint"],
    }


def test_the_hash_of_a_secret_is_not_told() -> None:
    assert "0123456789abcdef" not in render(report())


def test_the_fix_shows_code_in_the_language_of_the_file() -> None:
    def language(path: str, stack: list[str]) -> str | None:
        [told] = values(report(findings=[finding(path=path)], stack=stack))["findings"]
        named: str | None = told.get("fix_code", {}).get("language")
        return named

    assert language("app.py", []) == "python"
    assert language("src/app.mts", ["FastAPI"]) == "js"
    assert language("docker-compose.yml", ["FastAPI", "Docker"]) == "python"
    assert language("vercel.json", ["Next.js", "Vercel"]) == "js"
    assert language("README", []) is None


def test_the_whole_is_ascii_and_ends_with_a_line_break() -> None:
    assert render(report()).isascii()
    assert render(report()).endswith("}\n")


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (checklist(), 'One thing that no stage skips fails: "Secrets stay out of the repository".'),
        (checklist()[1:], '1 of the 3 things that the stage mvp asks for is missing: "Users have limits".'),
        (
            checklist()[2:],
            'Nothing that the stage mvp asks for fails; 1 row waits for your answer: "The provider has a limit of its own".',
        ),
        (checklist()[4:], "Everything that the stage mvp asks for is there."),
        ([], "3 errors, 1 warning and 1 note."),
    ],
)
def test_the_verdict_says_in_one_sentence_why(rows: Any, verdict: str) -> None:
    made: Report = report(checklist=rows)
    assert values(made)["verdict"] == verdict
