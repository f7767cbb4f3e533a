"""`seawall init`: prepare a repository for Seawall without overwriting anything."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli.opening import JsonOption, stop
from seawall.core.stages import Stage

if TYPE_CHECKING:
    from seawall.check.starting import Step

WIDTH = 78
LINES_SHOWN_MAX = 12

_DONE = {"create": "made", "add": "added to", "keep": "kept"}
_PLANNED = {"create": "would make", "add": "would add to", "keep": "would keep"}


def init(
    path: Annotated[Path, typer.Argument(help="The folder of your app.")] = Path(),
    stage: Annotated[Stage, typer.Option("--stage", help="Where your app is in its life.")] = Stage.POC,
    with_ci: Annotated[
        bool, typer.Option("--ci", help="Also write a GitHub workflow that runs the audit.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; write nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write seawall.toml, .env.example, .gitignore lines and a commit hook where they are missing.

    What is there is kept; only missing lines are added, and each is shown.
    """
    from seawall.check.starting import CannotStart, plan, write

    try:
        steps = plan(path.resolve(), stage=stage, with_ci=with_ci)
        if not dry_run:
            write(path.resolve(), steps)
    except CannotStart as error:
        stop(str(error))
    except OSError as error:
        stop(f"the folder cannot be read ({error.strerror}).")
    if as_json:
        from seawall.cli.printing import print_json

        print_json(
            [
                {"path": each.path, "action": each.action, "lines": list(each.lines), "note": each.note}
                for each in steps
            ]
        )
        return
    _print(steps, is_planned=dry_run, has_env=(path / ".env").exists())


def _print(steps: "list[Step]", *, is_planned: bool, has_env: bool) -> None:
    from seawall.cli.printing import printable

    words = _PLANNED if is_planned else _DONE
    width = max(len(word) for word in words.values())
    for step in steps:
        print(f"{words[step.action]:{width}}  {step.path}")
        if step.note:
            print(
                textwrap.fill(printable(step.note), WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4)
            )
        if step.action != "create":
            _print_lines(step.lines)
        elif step.path != "seawall.toml":
            _print_lines(tuple(line for line in step.lines if line and not line.startswith("#")))
    print("\nNothing was written." if is_planned else "")
    print("Next:")
    for number, line in enumerate(_next(steps, has_env=has_env), 1):
        indent = " " * 5
        print(
            textwrap.fill(
                line, WIDTH, initial_indent=f"  {number}. ", subsequent_indent=indent, break_on_hyphens=False
            )
        )


def _print_lines(lines: tuple[str, ...]) -> None:
    from seawall.cli.printing import printable

    for line in lines[:LINES_SHOWN_MAX]:
        print(
            textwrap.shorten(f"    + {printable(line).rstrip()}", WIDTH)
            if len(line) > WIDTH - 6
            else f"    + {printable(line)}"
        )
    if len(lines) > LINES_SHOWN_MAX:
        print(f"    ... and {len(lines) - LINES_SHOWN_MAX} more lines")


def _next(steps: "list[Step]", *, has_env: bool) -> list[str]:
    """Return the three things to do now."""
    from seawall.check.starting import HOOKS

    is_hooked = any(step.path == HOOKS and step.action != "keep" for step in steps)
    hook = " `pre-commit install` does the same before each commit." if is_hooked else ""
    return [
        "`seawall check` looks for leaked keys, open AI endpoints and what your stage asks for." + hook,
        "Put the keys into .env, which stays out of the repository."
        if has_env
        else "Copy .env.example to .env and fill it in; it stays out of the repository.",
        "`seawall serve`, then point your app at it: OPENAI_BASE_URL=http://127.0.0.1:8787/v1, and"
        " the key that it prints.",
    ]
