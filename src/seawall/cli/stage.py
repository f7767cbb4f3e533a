"""`seawall stage`: where the app really is, what its stage still lacks, what can wait; and another stage."""

import asyncio
import sys
import time
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli.groups import ShowGroup
from seawall.cli.opening import ConfigOption, DataOption, JsonOption, is_made, read_settings, stop, with_store
from seawall.core.stages import Stage

if TYPE_CHECKING:
    from seawall.advice.stages import StageReport
    from seawall.cli.configuring import Change
    from seawall.homes import Store
    from seawall.settings import Settings

EXIT_NOT_WRITTEN = 1


class Format(StrEnum):
    """How the report is written."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


app = typer.Typer(
    cls=ShowGroup,
    help="Show where your app is and what its stage still lacks, or set its stage.",
    rich_markup_mode=None,
)


@app.command("show")
def show(
    path: Annotated[
        Path, typer.Option("--path", help="The folder of your app's code.", show_default="this one")
    ] = Path(),
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TERMINAL,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Leave nothing out: what is there, and every stage.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show where your app really is, what its stage still lacks, and what can wait.

    The numbers are those of the last 30 days; the code is read as `seawall check` does. Nothing is changed.
    """
    form = Format.JSON if as_json else form
    report = _report(read_settings(config, data_dir=data), path, is_quiet=form is not Format.TERMINAL)
    from seawall.advice.report import stage_page, stages
    from seawall.cli import printing

    if form is Format.JSON:
        printing.print_json(stages.values(report))
    elif form is Format.MARKDOWN:
        print(stages.markdown(report), end="")
    elif form is Format.HTML:
        print(stage_page.render(report), end="")
    else:
        from seawall.cli.stage_screen import print_report

        print_report(printing.console(), report, verbose=verbose)


def _report(settings: "Settings", path: Path, *, is_quiet: bool) -> "StageReport":
    """Put the report together, or end with why it cannot be; without data there is nothing on record."""
    from seawall.cli.opening import unusable
    from seawall.cli.printing import course
    from seawall.staging import stage_report

    now = time.time()
    try:
        has_data = is_made(settings)
    except OSError as error:
        stop(f"{unusable(settings, error)}.")
    with course(is_quiet=is_quiet) as tell:
        if not has_data:
            return asyncio.run(stage_report(settings, None, now, path, tell))

        async def work(store: "Store") -> "StageReport":
            return await stage_report(settings, store, now, path, tell)

        return with_store(settings, work)


@app.command("set")
def set_stage(
    stage: Annotated[Stage, typer.Argument(metavar="STAGE", help=f"One of {', '.join(Stage)}.")],
    yes: Annotated[bool, typer.Option("--yes", help="Write it without asking.")] = False,
    config: ConfigOption = None,
) -> None:
    """Show which settings another stage changes, ask, and write it into the configuration file.

    The day is written as well, so that `seawall stage` knows since when.
    """
    before = read_settings(config)
    if before.stage is stage:
        print(f"The app is at {stage} already. Since when, if not known: seawall facts set stage_since DATE")
        return
    change = _change(before, stage, config)
    from seawall.cli.printing import console
    from seawall.cli.stage_screen import print_change

    print_change(console(), before, change.settings)
    if not yes:
        _ask(change.file.shown)
    change.write()
    made = ", which is new" if change.is_new else ""
    print(f'stage = "{stage}" is in {change.file.shown}{made}.')
    print("A gateway that runs takes it when it is started again.")


def _change(before: "Settings", stage: Stage, config: Path | None) -> "Change":
    """Return the change of the file, or end with why it would not be what it says."""
    from seawall.cli.configuring import try_change
    from seawall.settings.toml_edits import put_values

    today = datetime.now(UTC).date()

    def edit(text: str) -> str:
        staged = put_values(text, (), {"stage": stage.value})
        return put_values(staged, ("facts", "stage_since"), {"value": today, "at": today})

    change = try_change(config, edit, stage=stage)
    if change.settings.stage is not stage:
        source = change.settings.sources["stage"]
        stop(f"{source} states the stage {before.stage} and is stronger than the file: change it there.")
    return change


def _ask(file: str) -> None:
    """Ask whether to write; without a terminal nobody can, and nothing is written."""
    if not sys.stdin.isatty():
        print("Nothing was written: nobody can be asked here. With --yes it is.")
        raise typer.Exit(EXIT_NOT_WRITTEN)
    if not typer.confirm(f"Write it to {file}?"):
        print("Nothing was written.")
        raise typer.Exit(EXIT_NOT_WRITTEN)
