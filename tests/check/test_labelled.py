"""The goals of the audit on the labelled apps; `benchmarks/check_labelled.py` shows what is missed and what is wrong."""

import subprocess
from pathlib import Path

import pytest

from seawall.check.findings import Finding, Severity
from seawall.check.report import Report
from tests.check.labelled import Label, Labels, Place, labels, materialise, names, score
from tests.check.measuring import Measured, findings_median, measure, precision, recall, rules


@pytest.fixture(scope="module")
def measured() -> list[Measured]:
    return measure()


def test_seventeen_of_twenty_problems_are_found(measured: list[Measured]) -> None:
    for rule in rules(measured):
        print(  # noqa: T201 - shown where the goal is missed
            f"{rule.category:28} found {rule.found:3} missed {rule.missed:3} wrong {rule.wrong:3}"
        )
    assert recall(measured) >= 0.85


def test_nine_of_ten_errors_are_right(measured: list[Measured]) -> None:
    assert precision(measured) >= 0.90


def test_a_well_guarded_app_has_no_errors(measured: list[Measured]) -> None:
    assert {one.name: one.errors for one in measured if one.labels.clean and one.errors} == {}


def test_the_app_in_the_middle_has_at_most_eight_findings(measured: list[Measured]) -> None:
    assert findings_median(measured) <= 8


@pytest.mark.parametrize("name", names())
def test_every_label_points_at_a_line_of_its_app(name: str, tmp_path: Path) -> None:
    app = materialise(name, tmp_path)
    expected = labels(name)
    assert expected.stack and not (expected.clean and expected.findings)
    for label in [*expected.findings, *expected.may]:
        if label.category != "hardcoded-secret-history" and label.line:
            assert label.line <= len((app / label.path).read_text().splitlines())


def test_a_former_commit_holds_what_was_removed_later(tmp_path: Path) -> None:
    app = materialise("py-flask-summarizer", tmp_path)
    git = ["git", "-C", str(app)]
    log = subprocess.run([*git, "log", "--format=%s"], capture_output=True, text=True, check=True).stdout
    before = subprocess.run(
        [*git, "show", "HEAD~1:config.py"], capture_output=True, text=True, check=True
    ).stdout
    assert log.split("\n")[:2] == ["Tidy up", "first version"]
    assert "{{" not in before and before.splitlines()[0] not in (app / "config.py").read_text()


def test_a_file_may_lie_there_without_being_tracked(tmp_path: Path) -> None:
    app = materialise("js-express-shop", tmp_path)
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=app, capture_output=True, text=True, check=True
    ).stdout.split()
    assert (app / ".env").exists() and ".env" not in tracked and "server.js" in tracked


def test_an_app_is_the_same_each_time(tmp_path: Path) -> None:
    first, second = (materialise("js-hono-worker", tmp_path / part) for part in "ab")
    assert (first / "wrangler.toml").read_text() == (second / "wrangler.toml").read_text()


def test_three_lines_away_is_found_and_four_are_not() -> None:
    expected = _expected([Label("app.py", 10, "xss")])
    assert score(_report(_finding("xss", "app.py", 13)), expected).missed == []
    assert score(_report(_finding("xss", "app.py", 14)), expected).found == []


def test_another_place_of_a_label_counts_as_well() -> None:
    expected = _expected(
        [Label("a.py", 1, "ssrf", places=(Place("b.py", 50), Place("b.py", 90, "llm-output-url")))]
    )
    other_rule = _finding("llm-output-url", "b.py", 91)
    assert score(_report(other_rule), expected).true == [other_rule]
    assert score(_report(_finding("ssrf", "b.py", 91)), expected).found == []


def test_what_is_merely_allowed_is_neither_right_nor_wrong() -> None:
    expected = _expected([], may=[Label("app.py", 5, "no-max-tokens")])
    result = score(_report(_finding("no-max-tokens", "app.py", 5)), expected)
    assert (result.true, result.false, result.missed) == ([], [], [])


def test_an_unlabelled_finding_is_wrong() -> None:
    finding = _finding("ssrf", "app.py", 5)
    assert score(_report(finding), _expected([Label("app.py", 5, "xss")])).false == [finding]


def _finding(rule: str, path: str, line: int) -> Finding:
    return Finding(rule=rule, path=path, line=line, message="", severity=Severity.ERROR)


def _report(finding: Finding) -> Report:
    return Report(folder="app", stage="poc", grade="", findings=[finding])


def _expected(findings: list[Label], may: list[Label] | None = None) -> Labels:
    return Labels(stage="poc", stack=["flask"], clean=False, findings=findings, may=may or [])
