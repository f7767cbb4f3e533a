"""The grade: by never-skip failures and required rows, and never by how many findings there are."""

from pathlib import Path

import pytest

from seawall.check.checklist.definitions import definitions
from seawall.check.checklist.grade import FATAL, grade, reason
from seawall.check.findings import Confidence, Severity
from seawall.check.report import Row, State
from seawall.core.stages import Stage
from tests.check.listed import finding, rows_of


def never(name: str, state: State) -> Row:
    """Return a row that is never skipped."""
    return Row(row=name, title="Never", state=state, required=True, never_skip=True)


def asked(state: State, count: int, *, is_required: bool = True) -> list[Row]:
    """Return other rows of a state."""
    return [
        Row(row=f"row-{state}-{number}", title="A row", state=state, required=is_required)
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "A"),
        ([never("sql", State.PASS)], "A"),
        ([never("sql", State.FAIL)], "F"),
        ([never("llm-endpoints", State.FAIL), *asked(State.PASS, 20)], "F"),
        ([never("https", State.FAIL)], "D"),
        ([never("https", State.FAIL), never("env-file", State.FAIL)], "F"),
        ([never("https", State.WARN), never("spending-limit", State.MANUAL)], "A"),
        ([never("secrets-in-history", State.UNKNOWN)], "A"),
        ([*asked(State.PASS, 3)], "A"),
        ([*asked(State.PASS, 5), *asked(State.FAIL, 1)], "B"),
        ([*asked(State.PASS, 2), *asked(State.FAIL, 1)], "B"),
        ([*asked(State.PASS, 1), *asked(State.FAIL, 1)], "C"),
        ([*asked(State.FAIL, 4)], "C"),
        ([*asked(State.PASS, 1), *asked(State.MANUAL, 2)], "A"),
        ([*asked(State.PASS, 1), *asked(State.MANUAL, 2), *asked(State.WARN, 1)], "B"),
        ([*asked(State.NOT_APPLICABLE, 9), *asked(State.PASS, 1)], "A"),
        ([*asked(State.FAIL, 9, is_required=False), *asked(State.PASS, 1)], "A"),
    ],
)  # fmt: skip
def test_the_grade_follows_the_table(rows: list[Row], expected: str) -> None:
    assert grade(rows) == expected


def test_every_fatal_row_is_one_that_is_never_skipped() -> None:
    assert {name for name, row in definitions().items() if row.never_skip} > FATAL


def test_twenty_warnings_leave_the_grade_alone(tmp_path: Path) -> None:
    warnings = [finding("http-endpoint", severity=Severity.WARNING, line=line) for line in range(1, 21)]
    app = {"app.py": "import sys\nprint(sys.argv)\n"}
    assert grade(rows_of(tmp_path, app, Stage.POC, findings=warnings).values()) == "A"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("hardcoded-secret", "F"), ("hardcoded-secret-history", "F"), ("env-committed", "F"), ("browser-key", "F"),
        ("unprotected-llm-endpoint", "F"), ("sql-injection", "F"), ("command-injection", "F"), ("llm-output-exec", "F"),
        ("xss", "D"), ("tls-off", "D"), ("debug-on", "D"), ("unverified-token", "D"), ("ssrf", "D"),
        ("unbounded-llm-loop", "D"), ("no-max-tokens", "A"), ("system-prompt-open", "A"), ("slow-in-request", "A"),
    ],
)  # fmt: skip
def test_one_error_of_a_rule_decides_at_the_first_stage(tmp_path: Path, rule: str, expected: str) -> None:
    assert (
        grade(rows_of(tmp_path, {"app.py": "x = 1\n"}, Stage.POC, findings=[finding(rule)]).values())
        == expected
    )


def test_an_error_of_low_confidence_only_warns(tmp_path: Path) -> None:
    rows = rows_of(
        tmp_path, {"app.py": "x = 1\n"}, Stage.POC, findings=[finding("xss", confidence=Confidence.LOW)]
    )
    assert rows["html"].state is State.WARN
    assert grade(rows.values()) == "A"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([*asked(State.PASS, 1)], "Nothing is missing that this stage requires."),
        ([never("https", State.FAIL), never("sql", State.FAIL)],
         'Never skipped, and it fails: "Never", and 1 more.'),
        ([*asked(State.PASS, 2), *asked(State.FAIL, 1)], '1 of 3 required rows fail, first: "A row".'),
        ([*asked(State.PASS, 2), *asked(State.MANUAL, 1)],
         "Nothing fails that this stage requires; 1 of 3 rows wait for you."),
    ],
)  # fmt: skip
def test_one_sentence_says_what_decided(rows: list[Row], expected: str) -> None:
    assert reason(rows) == expected
