"""`seawall advise`: should I add this now? The answer, from the app's own numbers."""

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli.opening import (
    ConfigOption,
    DataOption,
    damaged_table,
    is_made,
    read_settings,
    stop,
    unusable,
    with_store,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seawall.advice.numbers import Numbers
    from seawall.advice.replays import Replays
    from seawall.advice.report.report import Report
    from seawall.advice.words import Advice
    from seawall.core.facts import Fact
    from seawall.homes import Store
    from seawall.settings import Settings

DAYS = 30
DAYS_MAX = 366
ASKED_MAX = 3
"""How many facts one run asks for at most."""


class Format(StrEnum):
    """How the advice is written."""

    TERMINAL = "terminal"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


def advise(
    thing: Annotated[
        str | None,
        typer.Argument(metavar="THING", help="What you think of adding: caching, kubernetes, any name."),
    ] = None,
    days: Annotated[int, typer.Option(help="How many days to look back.", min=1, max=DAYS_MAX)] = DAYS,
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TERMINAL,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it to this file.", show_default=False)
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="Name the users who cost most.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the query of each number.")] = False,
    no_ask: Annotated[bool, typer.Option("--no-ask", help="Ask for no missing fact.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Say what to add now, what to leave and what to watch, from the app's own numbers.

    With THING: whether to add it now, and the five questions that lead to the answer.
    """
    settings = read_settings(config, data_dir=data)
    advices, report = _made(settings, thing, days, names=names)
    may_ask = form is Format.TERMINAL and output is None and not no_ask
    if may_ask and sys.stdin.isatty() and sys.stdout.isatty() and _ask(settings, config, advices):
        settings = read_settings(config, data_dir=data)
        advices, report = _made(settings, thing, days, names=names)
    if form is Format.TERMINAL and output is None:
        _show(report, None if thing is None else advices[0], is_verbose=verbose)
        return
    text = _written(report, None if thing is None else advices[0], form, is_verbose=verbose)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        stop(f"{output} cannot be written: {error.strerror}.")
    print(f"Wrote {output}.")


def _made(
    settings: "Settings", thing: str | None, days: int, *, names: bool
) -> "tuple[Sequence[Advice], Report]":
    """Make the advice, or end with the sentence that says why it cannot be made."""
    from seawall import advising
    from seawall.advice.replays import Replays
    from seawall.providers.price_table import BadPriceTable
    from seawall.settings import SettingsError
    from seawall.summing import catch_up

    now = time.time()

    async def work(store: "Store") -> "tuple[Numbers, Replays]":
        await catch_up(store, now, settings.log.keep_days)
        return await advising.study(settings, store, now, days)

    try:
        if _has_data(settings):
            numbers, replays = with_store(settings, work)
        else:
            numbers, replays = advising.nothing_yet(settings, now, days), Replays()
    except SettingsError as error:
        stop(str(error))
    except BadPriceTable as error:
        stop(damaged_table(error))
    if thing is None:
        advices = advising.advise_all(numbers, replays)
    else:
        advices = [advising.advise_on(thing, numbers, replays)]
    return advices, advising.report_of(numbers, advices, now, shows_names=names)


def _has_data(settings: "Settings") -> bool:
    try:
        return is_made(settings)
    except OSError as error:
        stop(f"{unusable(settings, error)}.")


def _show(report: "Report", advice: "Advice | None", *, is_verbose: bool) -> None:
    from seawall.cli import printing
    from seawall.cli.advise_screen import show_advice, show_report

    if advice is None:
        show_report(printing.console(), report)
    else:
        has_postgres = report.numbers.setup.has_postgres
        show_advice(printing.console(), advice, is_verbose=is_verbose, has_postgres=has_postgres)


def _written(report: "Report", advice: "Advice | None", form: Format, *, is_verbose: bool) -> str:
    """Return what goes into a file or a pipe."""
    from seawall.advice.report import written

    if form is Format.TERMINAL:
        return _plain(report, advice, is_verbose=is_verbose)
    return written.report(report, form) if advice is None else written.advice(advice, form)


def _plain(report: "Report", advice: "Advice | None", *, is_verbose: bool) -> str:
    """Return what a terminal of 80 columns without colours would show."""
    import io

    from rich.console import Console

    from seawall.cli.advise_screen import show_advice, show_report

    file = io.StringIO()
    console = Console(file=file, width=80, color_system=None, markup=False, emoji=False, highlight=False)
    if advice is None:
        show_report(console, report)
    else:
        has_postgres = report.numbers.setup.has_postgres
        show_advice(console, advice, is_verbose=is_verbose, has_postgres=has_postgres)
    return file.getvalue()


def _ask(settings: "Settings", config: Path | None, advices: "Sequence[Advice]") -> bool:
    """Ask for facts that a verdict hangs on, and for old ones; says whether any was answered."""
    from datetime import UTC, datetime

    from seawall import advising
    from seawall.cli.configuring import state_fact
    from seawall.core.facts import FACTS, read_fact
    from seawall.settings.facts import latest_day

    known, is_answered = settings.known_facts(), False
    for name in advising.facts_to_ask(advices, known, datetime.now(UTC).date())[:ASKED_MAX]:
        answer = input(_question(name, known.get(name))).strip()
        if not answer:
            continue
        try:
            value = read_fact(name, answer, latest_day())
        except ValueError as error:
            later = f"seawall facts set {name} {FACTS[name].example}"
            print(f"{name} {error}; it is left out. Later: {later}")
            continue
        state_fact(settings, config, name, value)
        is_answered = True
    return is_answered


def _question(name: str, said: "Fact | None") -> str:
    from seawall.cli.printing import printable
    from seawall.core.facts import FACTS, show_fact

    asked = FACTS[name]
    if said is None:
        return f"{asked.text} (such as {asked.example}; Enter skips) "
    return f"{asked.text} ({printable(show_fact(said.value))} on {said.at}, which is old; Enter skips) "
