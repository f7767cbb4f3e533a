"""`seawall check`: audit the developer's own repository, and say what the stage of the app asks for."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seawall.cli.opening import stop

if TYPE_CHECKING:
    from seawall.check.options import Options, Progress
    from seawall.check.report import Report

EXIT_FOUND = 1
PATIENCE_S = 1.0
"""Work that is done by then needs no progress bar."""


class StageName(StrEnum):
    """The stages of `seawall.core.stages`, named here so that no command has to import them to start."""

    POC = "poc"
    MVP = "mvp"
    ALPHA = "alpha"
    BETA = "beta"
    PRODUCTION = "production"


class FormatName(StrEnum):
    """How the report is written."""

    TERMINAL = "terminal"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    MARKDOWN = "markdown"
    HTML = "html"


class FailOn(StrEnum):
    """From which severity on the exit code is 1."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NEVER = "never"


def check(
    path: Annotated[Path, typer.Argument(help="The folder to audit.", show_default="this folder")] = Path(),
    stage: Annotated[
        StageName | None,
        typer.Option(help="Where your app is in its life.", show_default="as seawall.toml says, else poc"),
    ] = None,
    form: Annotated[FormatName, typer.Option("--format", help="How to write it.")] = FormatName.TERMINAL,
    output: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
    staged: Annotated[bool, typer.Option("--staged", help="Look at what git commit would take.")] = False,
    history: Annotated[bool, typer.Option(help="Look for secrets in all commits.")] = True,
    known: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            help="What is known and does not count.",
            show_default="seawall-baseline.json where there is one",
        ),
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Accept all that is found now.")
    ] = False,
    select: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Only this rule or group; repeatable.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Not this rule or group; repeatable.")
    ] = None,
    fail_on: Annotated[FailOn, typer.Option(help="The least severity that exits with 1.")] = FailOn.ERROR,
    explain: Annotated[str | None, typer.Option(metavar="RULE", help="Print the page of a rule.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Leave nothing out.")] = False,
    config: Annotated[
        Path | None,
        typer.Option(help="The configuration file.", show_default="seawall.toml where there is one"),
    ] = None,
) -> None:
    """Find leaked keys, open endpoints and what the stage asks for, in your own code.

    Reads Python, JavaScript and TypeScript and never runs them; nothing leaves this machine, and secrets are
    masked. Exit code 0: nothing that counts; 1: errors, or the checklist of the stage fails; 2: cannot run.
    """
    from seawall.check.options import CannotRun, Options
    from seawall.core.stages import Stage

    if explain is not None:
        _explain(explain)
        return
    options = Options(
        stage=Stage(stage.value) if stage else None,
        staged=staged,
        history=history,
        select=_names(select),
        ignore=_names(ignore),
        baseline=None if write_baseline else known or _usual_baseline(path),
        config=config,
    )
    try:
        report = _audit(path, options)
        if write_baseline:
            _accept(report, options, known or path / _baseline_name())
            return
        _write(report, form, output, verbose=verbose)
    except CannotRun as error:
        stop(str(error))
    if fails(report, fail_on, staged=staged):
        raise typer.Exit(EXIT_FOUND)


def fails(report: "Report", fail_on: FailOn, *, staged: bool) -> bool:
    """Say whether the exit code is 1: something of that severity, or a required row of the checklist, fails.

    What is staged is a part of the app, so the checklist says nothing about it.
    """
    from seawall.check.report import State

    if fail_on is FailOn.NEVER:
        return False
    counting = tuple(FailOn)[: tuple(FailOn).index(fail_on) + 1]
    if any(finding.severity.value in counting for finding in report.findings):
        return True
    return not staged and any(row.required and row.state is State.FAIL for row in report.checklist)


def _audit(path: Path, options: "Options") -> "Report":
    from seawall.check import sifting
    from seawall.check.audit import audit

    sifting.wanted(options)  # A rule that there is not is said before the work begins.
    with _progress() as progress:
        return audit(path, options, progress)


def _write(report: "Report", form: FormatName, output: Path | None, *, verbose: bool) -> None:
    from seawall.check.formats import reading, writer

    choices: dict[str, Any] = {}
    if form is FormatName.TERMINAL:
        choices = {"verbose": verbose, **_screen(to_file=output is not None)}
    text = writer(form.value)(report, **choices)
    if output is None:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        return
    _save(output, text)
    print(f"{reading.summary(report)} The report is in {output}.", file=sys.stderr)


def _screen(*, to_file: bool) -> dict[str, Any]:
    """Return how wide the screen is, and whether it shows colours."""
    from shutil import get_terminal_size

    is_colored = not to_file and not os.environ.get("NO_COLOR")
    is_colored = is_colored and (sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR")))
    return {"width": get_terminal_size((80, 24)).columns, "color": is_colored}


def _save(output: Path, text: str) -> None:
    from seawall.check.options import CannotRun

    try:
        output.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    except OSError as error:
        raise CannotRun(f"{output} cannot be written ({error.strerror}).") from error


def _accept(report: "Report", options: "Options", file: Path) -> None:
    """Write the baseline, and say how many findings no longer count from now on."""
    from seawall.check import baseline
    from seawall.check.formats import reading
    from seawall.check.options import CannotRun

    if options.staged or not options.history or options.select or options.ignore:
        raise CannotRun(
            "a baseline holds everything: leave out --staged, --no-history, --select and --ignore."
        )
    number = baseline.write(file, report.findings)
    which = f" ({reading.summary(report)[:-1]})" if number else ""
    count = reading.number_of(number, "finding", "findings")
    print(f"Wrote {count}{which} to {file}; from now on only what is new counts.", file=sys.stderr)


def _usual_baseline(path: Path) -> Path | None:
    file = path / _baseline_name()
    return file if file.is_file() else None


def _baseline_name() -> str:
    from seawall.check.baseline import FILE

    return FILE


def _names(given: list[str] | None) -> tuple[str, ...]:
    """Return rules that are stated one by one, or with commas."""
    return tuple(name.strip() for text in given or () for name in text.split(",") if name.strip())


def _explain(name: str) -> None:
    from seawall.check.catalogue import rule
    from seawall.check.formats.terminal import explain
    from seawall.check.options import CannotRun

    try:
        found = rule(name)
    except CannotRun as error:
        stop(str(error))
    sys.stdout.write(explain(found, **_screen(to_file=False)))


@contextmanager
def _progress() -> "Iterator[Progress | None]":
    """Yield what draws a progress bar on standard error, where that is a terminal and the work takes long."""
    if not sys.stderr.isatty():
        yield None
        return
    drawing = _Drawing()
    try:
        yield drawing.step
    finally:
        drawing.stop()


class _Drawing:
    """A progress bar that appears after a moment of patience."""

    def __init__(self) -> None:
        self._since_s = time.monotonic()
        self._drawn: Any = None
        self._tasks: dict[str, Any] = {}

    def step(self, what: str, done: int, total: int) -> None:
        if self._drawn is None:
            if time.monotonic() - self._since_s < PATIENCE_S:
                return
            from rich.console import Console
            from rich.progress import Progress

            self._drawn = Progress(console=Console(stderr=True, markup=False), transient=True)
            self._drawn.start()
        if what not in self._tasks:
            self._tasks[what] = self._drawn.add_task(what, total=total or None)
        self._drawn.update(self._tasks[what], completed=done, total=total or None)

    def stop(self) -> None:
        if self._drawn is not None:
            self._drawn.stop()
