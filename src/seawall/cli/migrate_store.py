"""`seawall migrate-store`: everything that is stored, from SQLite to Postgres or back."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seawall.cli.opening import (
    ConfigOption,
    DataOption,
    JsonOption,
    has_database,
    read_settings,
    short,
    stop,
)

if TYPE_CHECKING:
    from rich.table import Table

    from seawall.settings import Settings
    from seawall.stores.moving.mover import Outcome
    from seawall.stores.moving.tables import End

EXIT_DIFFERENT = 1
SCHEMES = ("postgresql://", "postgres://")

Json = dict[str, Any]


def migrate_store(
    to: Annotated[
        str | None,
        typer.Option(
            help="Where to: postgresql://user@host/database, or a data folder.",
            show_default="database_url of the settings",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", help="Where from, in the same way.", show_default="the data folder"),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Move everything that is stored to another home, and compare both in every row.

    All gateways have to be stopped. A move that was broken off goes on where it was when the same command
    runs again. A password is best stated as SEAWALL_DATABASE_URL, which --to takes by itself.
    """
    settings = read_settings(config, data_dir=data)
    place_from, place_to = _places(settings, source, to)
    from seawall.cli import printing
    from seawall.stores.moving.mover import move
    from seawall.stores.moving.tables import MoveRefused

    try:
        with (
            _open(place_from) as old,
            _open(place_to, may_create=True) as new,
            printing.course(is_quiet=as_json) as tell,
        ):
            outcome = move(old, new, tell)
    except MoveRefused as error:
        stop(f"{error.why}.")
    except KeyboardInterrupt:
        stop("stopped; the same command goes on where this one was.")
    if as_json:
        printing.print_json(_values(outcome, place_from, place_to))
    else:
        _print(outcome, place_from, place_to)
    if not outcome.agrees:
        raise typer.Exit(EXIT_DIFFERENT)


def _places(settings: "Settings", source: str | None, to: str | None) -> tuple[str, str]:
    """Return the addresses of both ends: one of them is Postgres, the other a data folder."""
    folder, url = str(settings.data_dir), settings.database_url
    place_from = source or folder
    place_to = to or (folder if _is_postgres(place_from) else url)
    if place_to is None:
        stop("say where to: --to postgresql://user@host/database, or database_url in the settings.")
    if _is_postgres(place_from) == _is_postgres(place_to):
        stop("one end has to be Postgres (postgresql://...) and the other a data folder.")
    return place_from, place_to


def _is_postgres(place: str) -> bool:
    return place.startswith(SCHEMES)


def _open(place: str, *, may_create: bool = False) -> "AbstractContextManager[End]":
    """Return what opens one end of the move; only the folder to move into is made."""
    shown = _shown(place)
    if _is_postgres(place):
        from seawall.stores.moving.postgres_end import postgres_end

        return postgres_end(place, shown)
    from seawall.stores.moving.sqlite_end import sqlite_end

    folder = Path.cwd() / place
    if may_create:
        from seawall.app import prepare_folder

        prepare_folder(folder)
    elif not has_database(folder):
        stop(f"there is no data in {shown}: nothing to move.")
    return sqlite_end(folder, shown)


def _shown(place: str) -> str:
    """Write an address without its password."""
    if not _is_postgres(place):
        return str(short(Path.cwd() / place))
    from seawall.settings.growing import hide_password

    return hide_password(place)


def _values(outcome: "Outcome", place_from: str, place_to: str) -> Json:
    from seawall.core.money import Money, format_usd
    from seawall.stores.moving.figures import Figures

    def values(figures: Figures) -> Json:
        return {
            "rows": figures.rows,
            "sums_usd": {name: format_usd(Money(sum_)) for name, sum_ in figures.sums.items()},
            "cost_by_month_usd": {n: format_usd(Money(cost)) for n, cost in figures.cost_by_month.items()},
            "hash": figures.hash,
        }

    return {
        "from": _shown(place_from),
        "to": _shown(place_to),
        "agrees": outcome.agrees,
        "resumed_rows": outcome.resumed_rows,
        "before": values(outcome.before),
        "after": values(outcome.after),
    }


def _print(outcome: "Outcome", place_from: str, place_to: str) -> None:
    from seawall.cli import printing

    old, new = _shown(place_from), _shown(place_to)
    printing.console().print(_table(outcome))
    print(f"\nfrom  {old}\nto    {new}\n")
    if outcome.resumed_rows:
        print(f"{outcome.resumed_rows:,} of the rows had been moved by an earlier try.")
    if not outcome.agrees:
        print(f"The two differ, so that nothing has changed for your gateways: {old} is still theirs.")
        print("No gateway opens what was moved. Please report this.", file=sys.stderr)
        return
    print("Everything has arrived, row by row. What was held for calls that were running is settled")
    print(f"by the next start. No gateway opens {old} any more; it stays as it is.")
    if _is_postgres(place_to):
        print(f"Now state it, and start the gateways:\n\n  SEAWALL_DATABASE_URL={new}")
    else:
        print(f"Now take database_url out of the settings, and start one gateway with --data {new}")


def _table(outcome: "Outcome") -> "Table":
    """Return a line for everything that was compared."""
    from seawall.cli import printing

    before, after = outcome.before, outcome.after
    lines = [(name, f"{n:,}", f"{after.rows[name]:,}") for name, n in before.rows.items() if name != "salt"]
    for name, amount in before.sums.items():
        lines.append((f"{name}, sum", printing.dollars(amount), printing.dollars(after.sums[name])))
    for month in sorted(before.cost_by_month.keys() | after.cost_by_month.keys()):
        old, new = (figures.cost_by_month.get(month, 0) for figures in (before, after))
        lines.append((f"cost of {month}", printing.dollars(old), printing.dollars(new)))
    lines.append(("hash of all rows", before.hash[:16], after.hash[:16]))
    made = printing.table("What", "From", "To", "", numbers=("From", "To"))
    for what, here, there in lines:
        made.add_row(what, here, there, "" if here == there else "differs")
    return made
