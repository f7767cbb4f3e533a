"""How advice looks at a terminal: the ranking, and the path that leads to one verdict."""

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from seawall.advice.amounts import counted
from seawall.advice.report import report as made
from seawall.advice.report.report import Part, Report
from seawall.advice.words import Advice, Figure, Replayed, Step, Threshold, Verdict
from seawall.cli.printing import bar, dollars, printable
from seawall.core.money import Money

WIDTH_MAX = 100
"""Longer lines are hard to read."""

_STYLES = {
    Verdict.DO_NOW: "bold red",
    Verdict.SIMPLE_FIRST: "bold yellow",
    Verdict.REMOVE: "bold yellow",
    Verdict.KEEP: "green",
    Verdict.CANNOT_TELL: "cyan",
    Verdict.NOT_YET: "dim",
}

_SQLITE = "Type a query that begins with SELECT: sqlite3 .seawall/seawall.db"
_POSTGRES = "The queries are SQLite's; in Postgres write data->>'calls' for data->>'$.calls'."

Piece = str | tuple[str, str]


class Screen:
    """Writes paragraphs that are wrapped at their indent."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = min(console.width, WIDTH_MAX)
        self.is_ascii = console.options.ascii_only

    def line(self, *pieces: Piece | Text, indent: int = 0) -> None:
        """Write a paragraph."""
        whole = Text()
        for piece in pieces:
            if isinstance(piece, tuple):
                whole.append(self._written(piece[0]), piece[1])
            else:
                whole.append(piece if isinstance(piece, Text) else self._written(piece))
        for line in whole.wrap(self._console, self._width - indent):
            line.rstrip()
            self._console.print(Text.assemble(" " * indent, line))

    def exact(self, text: str, *, indent: int) -> None:
        """Write what can be typed: it is not broken."""
        for line in text.splitlines():
            shown = Text(f"{' ' * indent}{self._written(line)}", "cyan")
            self._console.print(shown, soft_wrap=True)

    def gap(self) -> None:
        """Leave a line free."""
        self._console.print()

    def _written(self, text: str) -> str:
        """Return a text without anything that a terminal would obey, in ASCII where it has nothing else."""
        shown = printable(text)
        return shown.encode("ascii", "replace").decode() if self.is_ascii else shown


def show_report(console: Console, report: Report) -> None:
    """Write the ranking."""
    screen = Screen(console)
    numbers = report.numbers
    totals = made.totals_of(numbers)
    if numbers.hours:
        span = f"{counted(totals.calls, 'call')} in {counted(numbers.days, 'day')}"
        users = f", {counted(numbers.users.users, 'user')}" if numbers.users.users else ""
        head = f"Advice from {span}{users}, {dollars(totals.cost)} spent"
        screen.line((head, "bold"), f" (stage {numbers.setup.stage})")
    else:
        screen.line((f"No call in {counted(numbers.days, 'day')}", "bold"), f" (stage {numbers.setup.stage})")
        screen.line(
            "There are no numbers of your app yet: point it at the gateway with a key from "
            "`seawall keys create NAME`. What follows holds for every app."
        )
    for part in report.parts:
        if part.advices:
            screen.gap()
            screen.line((part.title, "bold"))
            _part(screen, part)
    screen.gap()
    first = next(iter(report.advices), None)
    if first is not None:
        screen.line(("Why, step by step:    ", "dim"), (f"seawall advise {first.thing}", "cyan"))
    screen.line(("Where your app is:    ", "dim"), ("seawall stage", "cyan"))
    command = "seawall advise --format html --output advice.html"
    screen.line(("A page to send on:    ", "dim"), (command, "cyan"))


def show_advice(console: Console, advice: Advice, *, is_verbose: bool, has_postgres: bool = False) -> None:
    """Write the path to one verdict; with `is_verbose` the query behind each number."""
    screen = Screen(console)
    screen.line((f"{advice.title}: {advice.verdict.value}", _STYLES[advice.verdict].replace("dim", "bold")))
    screen.line(advice.summary)
    screen.gap()
    for number, step in enumerate(advice.steps, 1):
        _step(screen, number, step, is_verbose=is_verbose)
    for replay in advice.replays:
        _replay(screen, replay, is_verbose=is_verbose)
    if advice.threshold is not None:
        screen.gap()
        screen.line(("When it becomes due", "bold"))
        _threshold(screen, advice.threshold)
        screen.line((f"Source: {advice.threshold.source}", "dim"), indent=3)
    if advice.do:
        screen.gap()
        screen.line(("What to do", "bold"), f" (takes {advice.effort})")
        _to_do(screen, advice.do)
    screen.gap()
    screen.line(advice.term)
    screen.exact(made.page_of(advice), indent=0)
    if any(step.figures for step in advice.steps):
        asked = _POSTGRES if has_postgres else _SQLITE
        screen.line((asked if is_verbose else "The query behind each number: --verbose", "dim"))


def _part(screen: Screen, part: Part) -> None:
    for advice in part.advices:
        if part.is_brief:
            screen.line((advice.title, _STYLES[advice.verdict]), f": {advice.reason}", indent=2)
            continue
        notes: list[str] = []
        if advice.verdict in (Verdict.DO_NOW, Verdict.SIMPLE_FIRST):
            notes.append(advice.effort)
        if advice.saves_month:
            notes.append(f"saves {dollars(Money(advice.saves_month))} a month")
        note = f"  ({', '.join(notes)})" if notes else ""
        screen.line((advice.title, _STYLES[advice.verdict]), (note, "dim"), indent=2)
        screen.line(advice.summary, indent=4)
        if advice.threshold is not None and advice.verdict is Verdict.NOT_YET:
            _threshold(screen, advice.threshold, indent=4)
        for figure in _missing(advice.steps) if advice.verdict is Verdict.CANNOT_TELL else ():
            if figure.query not in advice.summary:
                screen.exact(figure.query, indent=6)


def _step(screen: Screen, number: int, step: Step, *, is_verbose: bool) -> None:
    screen.line(f"{number}. {step.question} ", (step.answer, "bold"))
    screen.line(step.why, indent=3)
    for figure in step.figures:
        _figure(screen, figure, is_verbose=is_verbose)


def _figure(screen: Screen, figure: Figure, *, is_verbose: bool) -> None:
    if not figure.is_measured:
        screen.line(f"- not measured: {figure.text}", indent=3)
        screen.exact(figure.query, indent=5)
        return
    screen.line(f"- {figure.text}", indent=3)
    if is_verbose:
        screen.exact(figure.query, indent=5)


def _replay(screen: Screen, replay: Replayed, *, is_verbose: bool) -> None:
    screen.gap()
    over = f"{counted(replay.calls, 'call')} of {replay.days:.3g} days"
    screen.line((replay.title, "bold"), f" (replayed: {over})")
    for figure in replay.figures:
        _figure(screen, figure, is_verbose=is_verbose)
    for assumed in replay.assumptions:
        screen.line(("Assumed: ", "dim"), assumed, indent=3)
    screen.line(("Error: ", "dim"), replay.error, indent=3)


def _threshold(screen: Screen, threshold: Threshold, *, indent: int = 3) -> None:
    if threshold.now is None:
        screen.line(made.due_when(threshold), indent=indent)
        return
    way = round((threshold.way or 0.0) * 100)
    drawn = bar(way, 100, is_ascii=screen.is_ascii)
    drawn.stylize("cyan")
    screen.line(made.due_when(threshold), indent=indent)
    stands = f"  {_amount(threshold.now)} of {_amount(threshold.due)} {threshold.unit}"
    screen.line(drawn, stands, indent=indent)


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"


def _to_do(screen: Screen, lines: Iterable[str]) -> None:
    for is_code, text in made.to_do(lines):
        if is_code:
            screen.exact(text, indent=5)
        else:
            screen.line(text, indent=3)


def _missing(steps: Iterable[Step]) -> list[Figure]:
    return [figure for step in steps for figure in step.figures if not figure.is_measured]
