"""`seawall check` against the labelled apps: what it finds, what it misses, what it gets wrong.

.venv/bin/python benchmarks/check_labelled.py                   # tests/check/apps
.venv/bin/python benchmarks/check_labelled.py --only py-flask-askdb --all
.venv/bin/python benchmarks/check_labelled.py --apps FOLDER     # another set of the same form
"""

import argparse
import json
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "src")]

from tests.check.labelled import APPS, Label  # noqa: E402
from tests.check.measuring import Measured, findings_median, measure, precision, recall, rules  # noqa: E402

from seawall.check.findings import Finding, Severity  # noqa: E402 - the path comes first

console = Console(width=150, highlight=False)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--apps", type=Path, default=APPS, help="folder of labelled apps")
    parser.add_argument("--only", action="append", default=[], help="name of an app; may be repeated")
    parser.add_argument("--rule", help="show the misses and false alarms of this rule only")
    parser.add_argument("--all", action="store_true", help="show what is right and what is allowed as well")
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    arguments = parser.parse_args()
    started = time.perf_counter()
    measured = measure(arguments.apps, tuple(arguments.only))
    took_s = time.perf_counter() - started
    for one in measured:
        _show_app(one, arguments.rule, show_all=arguments.all)
    console.print(_rules_table(measured))
    figures = _figures(measured, took_s)
    for name, value in figures.items():
        console.print(f"{name:32} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def _show_app(one: Measured, rule: str | None, *, show_all: bool) -> None:
    lines = [_of_label("missed", label) for label in one.score.missed if rule in (None, label.category)]
    lines += [_of_finding("wrong", finding) for finding in one.score.false if rule in (None, finding.rule)]
    if show_all:
        counted = [*one.score.true, *one.score.false]
        lines += [_of_label("found", label) for label in one.score.found]
        lines += [
            _of_finding("allowed", finding) for finding in one.report.findings if finding not in counted
        ]
    if lines:
        console.print(f"[bold]{one.name}[/bold]{' (clean)' if one.labels.clean else ''}")
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _of_label(what: str, label: Label) -> str:
    return f"  {what:8} {label.category:26} {label.path}:{label.line}  {label.note}"


def _of_finding(what: str, finding: Finding) -> str:
    return (
        f"  {what:8} {finding.rule:26} {finding.path}:{finding.line}  {finding.severity}: {finding.message}"
    )


def _rules_table(measured: list[Measured]) -> Table:
    table = Table("rule", "labelled", "found", "recall", "right", "wrong", "precision", box=None)
    for rule in rules(measured):
        labelled, reported = rule.found + rule.missed, rule.right + rule.wrong
        table.add_row(
            rule.category,
            str(labelled),
            str(rule.found),
            f"{rule.found / labelled:.2f}" if labelled else "-",
            str(rule.right),
            str(rule.wrong),
            f"{rule.right / reported:.2f}" if reported else "-",
        )
    return table


def _figures(measured: list[Measured], took_s: float) -> dict[str, float]:
    return {
        "apps": len(measured),
        "labels": sum(len(one.labels.findings) for one in measured),
        "recall": round(recall(measured), 3),
        "precision of errors": round(precision(measured), 3),
        "precision of warnings": round(precision(measured, Severity.WARNING), 3),
        "precision of notes": round(precision(measured, Severity.NOTE), 3),
        "errors on clean apps": sum(one.errors for one in measured if one.labels.clean),
        "median findings of an app": findings_median(measured),
        "seconds, all apps": round(took_s, 1),
    }


if __name__ == "__main__":
    main()
