"""`seawall facts`: what only the owner can know of the app, kept in the configuration file with its date."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from seawall.cli.opening import EXIT_NOT_FOUND, ConfigOption, JsonOption, read_settings, stop

if TYPE_CHECKING:
    from seawall.core.facts import Fact

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of a fact: seawall facts list.")]

app = typer.Typer(
    help="Say what no ledger can know of your app, for the advice.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_facts(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List what is asked, what you said, and when."""
    from seawall.cli import printing
    from seawall.core.facts import FACTS, show_fact

    known, today = read_settings(config).known_facts(), datetime.now(UTC).date()
    if as_json:
        printing.print_json({"data": [_values(name, known.get(name), today) for name in FACTS]})
        return
    table = printing.table("Name", "You said", "On", "Question")
    for name, question in FACTS.items():
        fact = known.get(name)
        said = printing.NOTHING if fact is None else printing.printable(show_fact(fact.value))
        table.add_row(name, said, _when(fact, today), question.text)
    screen = printing.console()
    screen.print(table)
    screen.print("\nAnswer one: seawall facts set servers 1", soft_wrap=True)


@app.command("set")
def set_fact(
    name: NameArgument,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="A number, true or false, a text, or names with commas.")
    ],
    config: ConfigOption = None,
) -> None:
    """Say one thing of your app; it is written into the configuration file with the date of today."""
    from seawall.cli.configuring import state_fact
    from seawall.core.facts import FACTS, read_fact, show_fact
    from seawall.settings.facts import latest_day

    if name not in FACTS:
        _refuse_name(name)
    try:
        read = read_fact(name, value, latest_day())
    except ValueError as error:
        stop(f"{name} {error}, for example: seawall facts set {name} {FACTS[name].example}")
    change = state_fact(read_settings(config), config, name, read)
    _say(f"{name}: {show_fact(read)}", change.file.shown, is_new=change.is_new)
    source = change.settings.sources[f"facts.{name}.value"]
    if not source.startswith(f"{change.file.shown} line"):
        _say_overruled(name, source)


@app.command("unset")
def unset_fact(name: NameArgument, config: ConfigOption = None) -> None:
    """Take back what was said; the configuration file no longer states it."""
    from seawall.cli.configuring import try_change
    from seawall.core.facts import FACTS
    from seawall.settings.toml_edits import drop_section

    if name not in FACTS:
        _refuse_name(name)
    settings = read_settings(config)
    if name not in settings.known_facts():
        stop(f"{name} is not stated.", code=EXIT_NOT_FOUND)
    change = try_change(config, lambda text: drop_section(text, ("facts", name)), stage=settings.stage)
    if change.has_effect and not change.is_new:
        change.write()
        _say(f"{name} is no longer stated", change.file.shown, is_new=False)
    if name in change.settings.facts:
        _say_overruled(name, change.settings.sources[f"facts.{name}.value"])


def _refuse_name(name: str) -> NoReturn:
    from seawall.core.facts import FACTS
    from seawall.settings.problems import suggest

    near = suggest(name, FACTS)
    listed = " All of them: seawall facts list" if near == "." else ""
    stop(f"no fact is named {name}{near}{listed}")


def _say(what: str, file: str, *, is_new: bool) -> None:
    from seawall.cli.printing import printable

    made = ", which is new: your app's settings, as `seawall init` writes them" if is_new else ""
    print(f"{printable(what)}, in {file}{made}.")


def _say_overruled(name: str, source: str) -> None:
    print(f"It has no effect: {source} states {name} as well, and is stronger.")


def _when(fact: "Fact | None", today: date) -> str:
    from seawall.cli.printing import NOTHING

    if fact is None:
        return NOTHING
    return f"{fact.at}{' (old: ask yourself again)' if fact.is_old(today) else ''}"


def _values(name: str, fact: "Fact | None", today: date) -> dict[str, object]:
    from seawall.core.facts import FACTS

    return {
        "name": name,
        "question": FACTS[name].text,
        "answer": FACTS[name].kind.value,
        "value": None if fact is None else fact.value,
        "at": None if fact is None else fact.at.isoformat(),
        "is_old": None if fact is None else fact.is_old(today),
    }
