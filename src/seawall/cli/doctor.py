"""`seawall doctor`: what is in force and where it came from, what is found, and what is wrong."""

import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from seawall.cli.opening import (
    ConfigOption,
    DataOption,
    JsonOption,
    damaged_table,
    has_database,
    read_settings,
    reason_of,
    short,
    stop,
    work_in,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from seawall.accounts import Surveyed
    from seawall.core.contracts import Spend
    from seawall.settings import Settings
    from seawall.stores.sqlite.store import SqliteStore

EXIT_PROBLEM = 1
BACKUP_LATE_S = 900
"""So long after a backup was due for the second time it is a problem."""

Json = dict[str, Any]


def doctor(as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None) -> None:
    """Show every setting and where it came from, providers, prices, data and budgets; then what is wrong.

    Ends with exit code 1 where there is a problem. Secrets are never shown.
    """
    settings = read_settings(config, data_dir=data)
    from seawall.app import survey
    from seawall.providers.price_table import BadPriceTable
    from seawall.settings import SettingsError

    try:
        providers = survey(settings)
    except SettingsError as error:
        stop(str(error))
    except BadPriceTable as error:
        stop(damaged_table(error))
    folder, spend, problems = _look_at_data(settings)
    problems = [
        *_provider_problems(settings, providers),
        *problems,
        *_backup_problems(settings, folder.get("backup")),
        *_budget_problems(settings, spend),
    ]
    report = _report(settings, providers, folder, spend, problems)
    from seawall.cli import printing

    if as_json:
        printing.print_json(report)
    else:
        _print(printing.console(), settings, report, spend)
    if problems:
        raise typer.Exit(EXIT_PROBLEM)


def _look_at_data(settings: "Settings") -> "tuple[Json, Spend | None, list[str]]":
    """Describe the data folder, what is spent (`None` where unknown), and what is wrong; make nothing."""
    import asyncio

    from seawall.core.contracts import Spend
    from seawall.core.errors import Overloaded
    from seawall.stores.sqlite.inspection import inspect

    folder = settings.data_dir
    facts: Json = {
        "folder": str(short(folder)),
        "exists": folder.exists(),
        "has_database": has_database(folder),
    }
    if not facts["has_database"]:
        is_file = facts["exists"] and not folder.is_dir()
        return (
            facts,
            Spend(),
            [f"{facts['folder']} is a file where the data folder belongs"] if is_file else [],
        )
    problems: list[str] = []
    try:
        problems += _permission_problems(folder)
        facts["is_private"] = not problems
        found = inspect(folder)
        facts.update(database_bytes=found.database_bytes, schema=found.schema, processes=found.living)
        facts["backup"] = _backup_facts(settings)
        spend = asyncio.run(work_in(folder, _check_and_sum))
    except (OSError, Overloaded) as error:
        problems.append(f"the data folder {facts['folder']} cannot be used ({reason_of(error)})")
        return {**facts, "is_writable": False}, None, problems
    return {**facts, "is_writable": True}, spend, problems


def _backup_facts(settings: "Settings") -> Json:
    """Say how many backups there are and when the last one was made; raises OSError."""
    from seawall.server.showing import iso_of
    from seawall.stores.sqlite.backups import list_backups

    folder = settings.backup.folder(settings.data_dir)
    backups = list_backups(folder)
    return {
        "folder": str(short(folder)),
        "every_s": settings.backup.every,
        "count": len(backups),
        "bytes": sum(each.bytes for each in backups),
        "last_at": iso_of(backups[-1].at_s) if backups else None,
        "age_s": round(time.time() - backups[-1].at_s) if backups else None,
    }


def _backup_problems(settings: "Settings", backup: Json | None) -> list[str]:
    from seawall.cli.printing import ago

    every_s = settings.backup.every
    if backup is None or every_s is None or backup["age_s"] is None:
        return []
    if backup["age_s"] <= 2 * every_s + BACKUP_LATE_S:
        return []
    return [
        f"the last backup was made {ago(backup['age_s'])}, and one is to be made every {every_s:g} s: the"
        " log says why, where the gateway has been running"
    ]


async def _check_and_sum(store: "SqliteStore") -> "Spend":
    """Write something, to know that it can be done, and read what is spent."""
    await store.ledger.check()
    return await store.call_log.spend("global", time.time())


def _permission_problems(folder: Path) -> list[str]:
    """Name what others than its owner may open."""
    from seawall.app import ADMIN_KEY_FILE
    from seawall.stores.sqlite.inspection import DATABASE_FILE

    wanted = [(folder, 0o700), *((folder / name, 0o600) for name in (ADMIN_KEY_FILE, DATABASE_FILE))]
    return [
        f"others on this machine may open {short(path)}: chmod {mode:o} {short(path)}"
        for path, mode in wanted
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]


def _provider_problems(settings: "Settings", providers: "list[Surveyed]") -> list[str]:
    problems = []
    for found in providers:
        if not found.has_key:
            problems.append(
                f"{found.key_variable}, the key of the provider {found.name}, is empty: calls to it will fail"
            )
        problems += [
            f'the price of {model} is not known, so it is refused: state it under [prices."{model}"]'
            for model, price in found.models.items()
            if price is None and not found.is_free
        ]
    if not providers and not settings.demo.enabled:
        problems.append("no provider is found and the demo model is off, so there is nothing to call")
    return problems


def _budget_problems(settings: "Settings", spend: "Spend | None") -> list[str]:
    from seawall.cli.printing import dollars, periods

    if spend is None:
        return []
    return [
        f"the {period} budget of {dollars(cap)} is spent: calls that cost money are refused"
        for period, cap, spent in periods(settings.global_budget(), spend)
        if cap is not None and spent >= cap
    ]


def _report(
    settings: "Settings",
    providers: "list[Surveyed]",
    folder: Json,
    spend: "Spend | None",
    problems: list[str],
) -> Json:
    """Put together what the command says, as plain values."""
    from seawall import __version__
    from seawall.accounts import enabled_vendors
    from seawall.cli.printing import budget_values
    from seawall.stores.sqlite.inspection import sqlite_version

    rows = settings.explain()
    return {
        "versions": {"seawall": __version__, "python": sys.version.split()[0], "sqlite": sqlite_version()},
        "settings": [
            {"name": r.name, "value": r.value_text, "source": r.source, "help": r.help} for r in rows
        ],
        "providers": [_provider_values(found) for found in providers],
        "data": folder,
        "budget": None if spend is None else budget_values(settings.global_budget(), spend),
        "notes": [*enabled_vendors(settings)[1], *settings.notes()],
        "problems": problems,
    }


def _provider_values(found: "Surveyed") -> Json:
    from seawall.core.money import format_usd

    def values(model: str) -> Json:
        price = found.models[model]
        rates = None if found.is_free or price is None else price.rates
        return {
            "model": model,
            "input_usd_per_mtok": None if rates is None else format_usd(rates.input),
            "output_usd_per_mtok": None if rates is None else format_usd(rates.output),
            "source": "" if price is None else price.source,
        }

    return {
        "name": found.name,
        "found": found.because,
        "key_variable": found.key_variable,
        "has_key": found.has_key,
        "free": found.is_free,
        "models": [values(model) for model in found.models],
    }


def _print(console: "Console", settings: "Settings", report: Json, spend: "Spend | None") -> None:
    from seawall.cli import printing

    def heading(text: str) -> None:
        console.print(f"\n{text}", style="bold")

    versions = report["versions"]
    console.print(
        f"Seawall {versions['seawall']} on Python {versions['python']}, SQLite {versions['sqlite']}",
        style="bold",
    )
    heading("Settings")
    console.print(_settings_table(report["settings"]))
    heading("Providers")
    console.print(_provider_table(settings, report["providers"]))
    if not report["providers"]:
        console.print("  No provider yet: put its key (OPENAI_API_KEY, ...) into the environment or .env.")
    heading("Data")
    console.print(printing.facts(_data_facts(report["data"])))
    heading(f"Budget of the gateway (stage {settings.stage})")
    if spend is None:
        console.print("  not known while the data folder cannot be used")
    else:
        budget = settings.global_budget()
        console.print(printing.budget_grid(budget, spend, is_ascii=console.options.ascii_only))
    if report["notes"]:
        heading("Notes")
        console.print(printing.facts(("-", printing.printable(note)) for note in report["notes"]))
    heading(f"Problems: {len(report['problems']) or 'none'}")
    if report["problems"]:
        console.print(printing.facts(("-", printing.printable(text)) for text in report["problems"]))


def _settings_table(rows: list[Json]) -> "Table":
    """Return a row per setting, under the names of the sections as the file has them."""
    from seawall.cli import printing

    table = printing.table("Name", "Value", "From")
    last = ""
    for row in rows:
        section, _, name = row["name"].rpartition(".")
        if section != last:
            table.add_row(f"[{section}]" if section else "from the environment", style="bold")
            last = section
        table.add_row(*(printing.printable(text) for text in (name, row["value"], row["source"])))
    return table


def _provider_table(settings: "Settings", providers: list[Json]) -> "Table":
    """Return a row per provider; models are named where the configuration names them, else counted."""
    from seawall.cli import printing

    table = printing.table("Name", "Found by", "Key", "Models")
    for found in providers:
        stated = settings.providers.get(found["name"])
        is_open = found["key_variable"] is None or (stated is None and found["free"])
        key = "not needed" if is_open else "set" if found["has_key"] else "empty"
        if stated is not None and stated.models is not None:
            models = "\n".join(_model_line(model, is_free=found["free"]) for model in found["models"])
        elif found["free"] and not found["models"]:
            models = f"any, asked for as {found['name']}/MODEL: free"
        else:
            models = (
                f"{len(found['models'])} with a known price" if found["models"] else "those under [prices]"
            )
        table.add_row(found["name"], printing.printable(found["found"]), key, models)
    demo = "demo: no cost" if settings.demo.enabled else "off"
    table.add_row("demo", "built in", "not needed", demo)
    return table


def _model_line(model: Json, *, is_free: bool) -> str:
    if is_free:
        return f"{model['model']}: declared free"
    if model["input_usd_per_mtok"] is None:
        return f"{model['model']}: price not known"
    return (
        f"{model['model']}: ${model['input_usd_per_mtok']} in,"
        f" ${model['output_usd_per_mtok']} out per million tokens"
    )


def _data_facts(data: Json) -> list[tuple[str, str]]:
    from seawall.cli.printing import printable

    rows = [("folder", printable(data["folder"]))]
    if not data["has_database"]:
        return [*rows, ("state", "nothing here yet; `seawall serve` makes it")]
    if "is_private" in data:
        rows.append(("private", "yes" if data["is_private"] else "no"))
    rows.append(("writable", "yes" if data["is_writable"] else "no"))
    if "schema" in data:
        others = data["processes"]
        rows.append(("size", f"{data['database_bytes'] // 1024:,} KB, schema {data['schema']}"))
        rows.append(("backup", _backup_line(data["backup"])))
        rows.append(("in use", f"by {others} other process{'es' * (others != 1)}" if others else "no"))
    return rows


def _backup_line(backup: Json) -> str:
    from seawall.cli.printing import ago, printable, size

    how = "no schedule" if backup["every_s"] is None else f"every {backup['every_s']:g} s"
    if not backup["count"]:
        return f"none yet; {how}"
    held = f"{backup['count']} of {size(backup['bytes'])} in {printable(backup['folder'])}"
    return f"{ago(backup['age_s'])}; {held}; {how}"
