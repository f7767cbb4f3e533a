"""How `seawall stage` looks at a terminal."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from seawall.advice.report.stages import STATE_WORDS, suggested
from seawall.advice.stage_words import STAGES
from seawall.cli import printing

if TYPE_CHECKING:
    from rich.console import Console

    from seawall.advice.readiness import Row
    from seawall.advice.stages import StageReport
    from seawall.settings import Settings

WIDTH_MAX = 100
COMMENTS_SHOWN = 3
_STYLES = {"fail": "bold red", "warn": "yellow", "manual": "cyan", "unknown": "dim", "pass": "green"}


def print_report(console: "Console", report: "StageReport", *, verbose: bool) -> None:
    """Print where the app is, what is lacking, and what can wait."""
    console.width = min(console.width, WIDTH_MAX)
    words = report.words
    console.print(Text.assemble((f"Stage {report.stage}", "bold"), f" ({words.users}): {words.question}"))
    figures = [(name, figure.text) for name, figure in report.figures.items()]
    console.print(printing.facts([*figures, ("time", report.stay.text)]))
    _print_suggestion(console, report)
    console.print(printing.facts([("focus", words.focus), ("can wait", words.not_yet)]))
    _print_comments(console, report)
    _print_rows(console, report, verbose=verbose)
    _print_coming(console, report, verbose=verbose)
    if verbose:
        _print_stages(console, report)
    _print_foot(console, report, verbose=verbose)


def _heading(console: "Console", text: str, more: str = "") -> None:
    console.print(Text.assemble("\n", (text, "bold"), more))


def _print_suggestion(console: "Console", report: "StageReport") -> None:
    lines = [*report.warnings]
    if report.suggestion is not None:
        lines.append(suggested(report.suggestion))
    for line in lines:
        console.print(Text(f"\n{line}", "bold"))
    console.print()


def _print_comments(console: "Console", report: "StageReport") -> None:
    said = report.liked
    rows = [("people love", each) for each in said.praise[:COMMENTS_SHOWN]]
    rows += [("complaints", each) for each in said.complaints[:COMMENTS_SHOWN]]
    if rows:
        console.print()
        console.print(printing.facts((label, printing.printable(text)) for label, text in rows))


def _print_rows(console: "Console", report: "StageReport", *, verbose: bool) -> None:
    counts = Counter(row.state for row in report.asked)
    shown = ", ".join(f"{counts[state]} {word}" for state, word in STATE_WORDS.items() if counts[state])
    _heading(console, f"What {report.stage} asks for", f": {shown}")
    there = [row for row in report.asked if row.state == "pass"] if verbose else []
    console.print(_row_table([*report.lacking, *there]))
    if not report.lacking:
        console.print(f"  Everything that {report.stage} asks for is there.")
    if report.checked.too_early:
        _heading(console, "There, and not needed yet")
        console.print(printing.facts(("-", printing.printable(each)) for each in report.checked.too_early))


def _row_table(rows: "Iterable[Row]") -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True, min_width=11)
    table.add_column(overflow="fold")
    for row in rows:
        how = printing.printable(" ".join(row.how.split())) if row.is_open else ""
        body = Text.assemble(
            printing.printable(row.title),
            ("\n" + printing.printable(row.evidence), "dim") if row.evidence else "",
            f"\n{how}" if how else "",
        )
        table.add_row(Text(STATE_WORDS[row.state], _STYLES.get(row.state, "dim")), body)
    return table


def _print_coming(console: "Console", report: "StageReport", *, verbose: bool) -> None:
    if not report.coming:
        return
    _heading(console, f"What {report.following} will need, and not before")
    lines = []
    for row in report.coming:
        line = Text(printing.printable(row.title))
        if row.state == "pass":
            line.append(" (there already)", "green")
        if verbose and row.why:
            line.append(f"\n{printing.printable(row.why)}", "dim")
        lines.append(("-", line))
    console.print(printing.facts(lines))


def _print_stages(console: "Console", report: "StageReport") -> None:
    _heading(console, "The five stages")
    for stage, words in STAGES.items():
        style = "bold" if stage is report.stage else ""
        console.print(Text(f"  {stage}: {words.users}; {words.question} {words.takes}", style))
        console.print(printing.facts([("  focus", words.focus), ("  can wait", words.not_yet)]))


def _print_foot(console: "Console", report: "StageReport", *, verbose: bool) -> None:
    console.print()
    console.print(Text(report.checked.note, "dim"))
    if report.asks:
        asked = " and ".join(f"`seawall facts set {name}`" for name in report.asks)
        console.print(Text(f"To know more, it asks: {asked}.", "dim"))
    if not verbose:
        console.print(Text("All five stages, and what is there: seawall stage --verbose", "dim"))


def print_change(console: "Console", before: "Settings", after: "Settings") -> None:
    """Print which settings another stage changes, and which the owner has stated and so stay."""
    console.width = min(console.width, WIDTH_MAX)
    words = f"{before.stage} -> {after.stage}: {STAGES[after.stage].question}"
    console.print(Text.assemble(("Stage ", "bold"), words, "\n"))
    changed = _changed(before, after)
    table = printing.table("Setting", f"Now, at {before.stage}", f"Then, at {after.stage}")
    for name, was, will_be in changed:
        table.add_row(name, printing.printable(was), printing.printable(will_be))
    console.print(table if changed else "No setting changes.")
    kept = _kept(before, after)
    if kept:
        console.print("\nStays, because you state it yourself; without its line the default holds:")
        console.print(printing.facts((name, printing.printable(text)) for name, text in kept))
    console.print()


def _changed(before: "Settings", after: "Settings") -> list[tuple[str, str, str]]:
    """Return the settings that become another value: name, old and new."""
    old = {row.name: row.value_text for row in before.explain()}
    return [
        (row.name, old[row.name], row.value_text)
        for row in after.explain()
        if row.name != "stage" and old.get(row.name, row.value_text) != row.value_text
        if not row.name.startswith("facts.")
    ]


def _kept(before: "Settings", after: "Settings") -> list[tuple[str, str]]:
    """Return the settings whose default changes and that are stated, each with where and what it would be."""
    from seawall.settings.schema import stage_defaults

    old, new = (_flat(stage_defaults(each.stage)) for each in (before, after))
    kept = []
    for row in after.explain():
        is_default = row.source.startswith("default")
        usual = new.get(row.name, "none")
        if is_default or old.get(row.name, "none") == usual or usual == row.value_text:
            continue
        kept.append((row.name, f"{row.value_text} ({row.source}); the default of {after.stage} is {usual}"))
    return kept


def _flat(tree: dict[str, dict[str, object]]) -> dict[str, str]:
    """Write the defaults of a stage by their dotted names."""
    return {
        f"{section}.{name}": ", ".join(map(str, value)) if isinstance(value, list) else str(value).lower()
        for section, values in tree.items()
        for name, value in values.items()
    }
