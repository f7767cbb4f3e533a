"""What the audit makes of the labelled apps, as figures."""

import tempfile
from collections import Counter
from pathlib import Path
from statistics import median

from msgspec import Struct

from seawall.check.audit import audit
from seawall.check.findings import Severity
from seawall.check.options import Options
from seawall.check.report import Report
from seawall.core.stages import Stage
from tests.check.labelled import APPS, Labels, Score, labels, materialise, names, score


class Measured(Struct, frozen=True):
    """One app: what was expected, what was reported, and how they compare."""

    name: str
    labels: Labels
    report: Report
    score: Score

    @property
    def errors(self) -> int:
        """Count the findings that are errors, right or wrong."""
        return sum(one.severity is Severity.ERROR for one in self.report.findings)


class Rule(Struct, frozen=True):
    """The figures of one rule over all apps."""

    category: str
    found: int
    missed: int
    right: int
    wrong: int


def measure(folder: Path = APPS, only: tuple[str, ...] = ()) -> list[Measured]:
    """Audit the apps of a folder (or only those named), each in a repository of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="labelled-") as into:
        return [_measured(name, folder, Path(into)) for name in only or names(folder)]


def recall(measured: list[Measured]) -> float:
    """Tell which share of the labelled problems was found."""
    found = sum(len(one.score.found) for one in measured)
    missed = sum(len(one.score.missed) for one in measured)
    return found / max(found + missed, 1)


def precision(measured: list[Measured], severity: Severity = Severity.ERROR) -> float:
    """Tell which share of the findings of a severity is right; what is merely allowed does not count."""
    right = sum(finding.severity is severity for one in measured for finding in one.score.true)
    wrong = sum(finding.severity is severity for one in measured for finding in one.score.false)
    return right / max(right + wrong, 1)


def findings_median(measured: list[Measured]) -> float:
    """Tell how many findings the app in the middle has."""
    return median(len(one.report.findings) for one in measured)


def rules(measured: list[Measured]) -> list[Rule]:
    """List the figures of each rule that was labelled or reported."""
    found = Counter(label.category for one in measured for label in one.score.found)
    missed = Counter(label.category for one in measured for label in one.score.missed)
    right = Counter(finding.rule for one in measured for finding in one.score.true)
    wrong = Counter(finding.rule for one in measured for finding in one.score.false)
    every = sorted({*found, *missed, *right, *wrong})
    return [Rule(rule, found[rule], missed[rule], right[rule], wrong[rule]) for rule in every]


def _measured(name: str, folder: Path, into: Path) -> Measured:
    expected = labels(name, folder)
    root = materialise(name, into, folder)
    report = audit(root, Options(stage=Stage(expected.stage)))
    return Measured(name, expected, report, score(report, expected))
