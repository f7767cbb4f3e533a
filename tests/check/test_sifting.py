"""What is left of raw findings: the rules asked for, once each, errors first."""

import pytest

from seawall.check.catalogue import UnknownRule
from seawall.check.findings import Severity
from seawall.check.options import Options
from seawall.check.sifting import sift, wanted
from tests.check.reports import finding

RAW = [
    finding("system-prompt-open", line=1, severity=Severity.NOTE),
    finding("no-max-tokens", line=9),
    finding("no-max-tokens", line=2),
    finding("xss", line=3, severity=Severity.ERROR),
    finding("hardcoded-secret", line=4, severity=Severity.ERROR),
    finding("no-max-tokens", line=9),
]


def rules_of(options: Options, text: str = "") -> list[tuple[str, int]]:
    return [(each.rule, each.line) for each in sift(RAW, options, {"app.py": text}.get, ["app.py"]).kept]


def test_errors_stand_first_and_nothing_stands_twice() -> None:
    assert rules_of(Options()) == [
        ("hardcoded-secret", 4),
        ("xss", 3),
        ("no-max-tokens", 2),
        ("no-max-tokens", 9),
        ("system-prompt-open", 1),
    ]


def test_rules_and_groups_are_selected_and_left_out() -> None:
    assert rules_of(Options(select=("ai",), ignore=("no-max-tokens",))) == [("system-prompt-open", 1)]
    assert rules_of(Options(ignore=("ai", "secrets"))) == [("xss", 3)]


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(UnknownRule, match=r"there is no rule 'x';?"):
        wanted(Options(ignore=("x",)))


def test_every_finding_has_a_fingerprint_of_its_own() -> None:
    kept = sift(RAW, Options(), lambda path: None).kept
    assert len({each.fingerprint for each in kept}) == len(kept)


@pytest.mark.parametrize(
    "part", [Options(staged=True), Options(history=False), Options(select=("ai",)), Options(ignore=("ssrf",))]
)
def test_only_a_whole_audit_says_that_an_ignore_matches_nothing(part: Options) -> None:
    text = "# seawall: ignore[ssrf] once\n\n" * 3
    assert len(sift([], Options(), {"app.py": text}.get, ["app.py"]).notices) == 3
    assert sift(RAW, part, {"app.py": text}.get, ["app.py"]).notices == []
