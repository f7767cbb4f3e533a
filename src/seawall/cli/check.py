"""`seawall check`: audit the developer's own repository, and say what the stage of the app asks for.

It has a parser of its own, because it runs before every commit: the library of the other commands takes
longer to start than most audits take.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from seawall.check.options import Options, Progress
    from seawall.check.report import Report

EXIT_CLEAN, EXIT_FOUND, EXIT_CANNOT_RUN, EXIT_STOPPED = 0, 1, 2, 130
PATIENCE_S = 1.0
"""Work that is done by then needs no progress bar."""
REDRAWN_S = 0.1
STAGES = ("poc", "mvp", "alpha", "beta", "production")
FORMATS = ("terminal", "json", "sarif", "github", "markdown", "html")
SUMMARY = "Find leaked keys, open endpoints and what the stage asks for, in your own code."
ABOUT = """\
Reads Python, JavaScript and TypeScript and never runs them; nothing leaves this
machine, and secrets are masked. Exit code 0: nothing that counts; 1: an error, or a
required row of the checklist fails; 2: it cannot run."""


class FailOn(StrEnum):
    """From which severity on the exit code is 1."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NEVER = "never"


def run(arguments: list[str], program: str = "seawall check") -> int:
    """Run the command; returns the exit code, or ends with 2 and one sentence."""
    from seawall.check.options import CannotRun

    chosen = parser(program).parse_args(arguments)
    try:
        return _explain(chosen.explain) if chosen.explain is not None else _check(chosen)
    except CannotRun as error:
        stop(str(error))
    except KeyboardInterrupt:
        print("seawall: stopped.", file=sys.stderr)
        return EXIT_STOPPED


def parser(program: str = "seawall check") -> argparse.ArgumentParser:
    """Return what reads the options."""
    made = _Parser(prog=program, description=f"{SUMMARY} {ABOUT}", allow_abbrev=False)
    add = made.add_argument
    add("path", nargs="?", type=Path, default=Path(), metavar="PATH", help="the folder to audit; this one")
    add(
        "--stage", choices=STAGES, metavar="NAME", help=f"{', '.join(STAGES)}; as seawall.toml says, else poc"
    )
    add(
        "--format",
        choices=FORMATS,
        default="terminal",
        metavar="NAME",
        help=f"{', '.join(FORMATS)}; terminal",
    )
    add("--output", type=Path, metavar="FILE", help="write the report to this file")
    add("--staged", action="store_true", help="look at what git commit would take")
    history = argparse.BooleanOptionalAction
    add("--history", action=history, default=True, help="look for secrets in all commits; yes")
    known = "what is known and does not count; seawall-baseline.json where there is one"
    add("--baseline", type=Path, metavar="FILE", help=known)
    add("--write-baseline", action="store_true", help="accept all that is found now")
    add(
        "--select",
        action="append",
        metavar="RULE",
        help="only these rules or groups, with commas or repeated",
    )
    add("--ignore", action="append", metavar="RULE", help="not these rules or groups")
    levels = ", ".join(FailOn)
    add("--fail-on", type=FailOn, choices=FailOn, default=FailOn.ERROR, metavar="NAME",
        help=f"the least severity that exits with 1: {levels}; error")  # fmt: skip
    add("--explain", metavar="RULE", help="print the page of a rule, and audit nothing")
    add("--verbose", "-v", action="store_true", help="leave nothing out")
    config = "the configuration file; seawall.toml in the folder where there is one"
    add("--config", type=Path, metavar="FILE", help=config)
    return made


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in the words and with the exit code of every other command."""

    def format_help(self) -> str:
        return super().format_help().replace("usage:", "Usage:", 1)

    def error(self, message: str) -> NoReturn:
        stop(f"{message}. Try: {self.prog} --help")


def stop(sentence: str) -> NoReturn:
    """Say why the command cannot run, and end; no name in it can break the line."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in sentence)
    print(f"seawall: {shown}", file=sys.stderr)
    raise SystemExit(EXIT_CANNOT_RUN)


def _check(chosen: argparse.Namespace) -> int:
    from seawall.check.options import Options
    from seawall.core.stages import Stage

    options = Options(
        stage=Stage(chosen.stage) if chosen.stage else None,
        staged=chosen.staged,
        history=chosen.history,
        select=_names(chosen.select),
        ignore=_names(chosen.ignore),
        baseline=chosen.baseline,
        accept=chosen.write_baseline,
        config=chosen.config,
    )
    if options.accept:
        _refuse_part(options)
    report = _audit(chosen.path, options)
    if options.accept:
        _accept(report, chosen.path, options)
        return EXIT_CLEAN
    _write(report, chosen.format, chosen.output, verbose=chosen.verbose)
    return EXIT_FOUND if fails(report, chosen.fail_on) else EXIT_CLEAN


def fails(report: "Report", fail_on: FailOn) -> bool:
    """Say whether the exit code is 1: something of that severity is there, or a required row fails."""
    from seawall.check.report import State

    if fail_on is FailOn.NEVER:
        return False
    counting = tuple(FailOn)[: tuple(FailOn).index(fail_on) + 1]
    if any(finding.severity.value in counting for finding in report.findings):
        return True
    return any(row.required and row.counts and row.state is State.FAIL for row in report.checklist)


def _audit(path: Path, options: "Options") -> "Report":
    from seawall.check import sifting
    from seawall.check.audit import audit

    sifting.wanted(options)  # A rule that there is not is said before the work begins.
    with _progress() as progress:
        return audit(path, options, progress)


def _write(report: "Report", form: str, output: Path | None, *, verbose: bool) -> None:
    from seawall.check.formats import reading, writer

    choices: dict[str, Any] = {}
    if form == "terminal":
        choices = {"verbose": verbose, **_screen(to_file=output is not None)}
    text = writer(form)(report, **choices)
    if output is None:
        _print(text)
        return
    _save(output, text)
    print(f"{reading.summary(report)} The report is in {output}.", file=sys.stderr)


def _print(text: str) -> None:
    """Write what standard output can carry; a reader that has seen enough, as `head` has, is no error."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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


def _refuse_part(options: "Options") -> None:
    from seawall.check.options import CannotRun

    if options.staged or not options.history or options.select or options.ignore:
        raise CannotRun(
            "a baseline holds everything: leave out --staged, --no-history, --select and --ignore."
        )


def _accept(report: "Report", root: Path, options: "Options") -> None:
    """Write the baseline, and say how many findings no longer count from now on."""
    from seawall.check import baseline
    from seawall.check.audit import settings_of
    from seawall.check.formats import reading
    from seawall.check.report import State

    file = options.baseline or baseline.usual_place(root, settings_of(root, options).baseline)
    failing = [row.row for row in report.checklist if row.required and row.state is State.FAIL]
    number = baseline.write(file, report.findings, failing)
    which = f" ({reading.summary(report)[:-1]})" if number else ""
    count = reading.number_of(number, "finding", "findings") + which
    if failing:
        count += f" and {reading.number_of(len(failing), 'failing row', 'failing rows')} of the checklist"
    print(f"Wrote {count} to {file}; from now on only what is new counts.", file=sys.stderr)


def _names(given: list[str] | None) -> tuple[str, ...]:
    """Return rules that are stated one by one, or with commas."""
    return tuple(name.strip() for text in given or () for name in text.split(",") if name.strip())


def _explain(name: str) -> int:
    from seawall.check.catalogue import rule
    from seawall.check.formats.terminal import explain

    _print(explain(rule(name), **_screen(to_file=False)))
    return EXIT_CLEAN


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
    """One progress bar that appears after a moment of patience, and says what is being done."""

    def __init__(self) -> None:
        self._since_s = self._last_s = time.monotonic()
        self._drawn: Any = None
        self._task: Any = None
        self._what = ""

    def step(self, what: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        if now_s - self._since_s < PATIENCE_S or (what == self._what and now_s - self._last_s < REDRAWN_S):
            return
        self._last_s = now_s
        if self._drawn is None:
            from rich.console import Console
            from rich.progress import Progress

            self._drawn = Progress(console=Console(stderr=True, markup=False), transient=True)
            self._drawn.start()
            self._task = self._drawn.add_task(what, total=None)
        if what != self._what:
            self._drawn.reset(self._task, description=what, total=total or None)
            self._what = what
        self._drawn.update(self._task, completed=done, total=total or None)

    def stop(self) -> None:
        if self._drawn is not None:
            self._drawn.stop()
