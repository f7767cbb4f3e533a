"""`seawall doctor`: what is in force and where it came from, what is found, and what is wrong."""

import sys
import time
from typing import TYPE_CHECKING, Any

import typer

from seawall.cli.doctor_homes import Homes, database_facts, folder_facts, look_at_homes, valkey_facts
from seawall.cli.doctor_jobs import job_facts, job_problems, job_values
from seawall.cli.opening import ConfigOption, DataOption, JsonOption, damaged_table, read_settings, stop

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from seawall.accounts import Surveyed
    from seawall.core.contracts import Spend
    from seawall.settings import Settings

EXIT_PROBLEM = 1

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
    homes = look_at_homes(settings)
    homes.problems[:0] = _provider_problems(settings, providers)
    homes.problems += _certificate_problems(settings)
    homes.problems += _budget_problems(settings, homes.spend)
    jobs = None if homes.jobs is None else job_values(settings, homes.jobs)
    homes.problems += [] if jobs is None else job_problems(jobs)
    report = _report(settings, providers, homes) | {"jobs": jobs}
    from seawall.cli import printing

    if as_json:
        printing.print_json(report)
    else:
        _print(printing.console(), settings, report, homes.spend)
    if homes.problems:
        raise typer.Exit(EXIT_PROBLEM)


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


def _certificate_problems(settings: "Settings") -> list[str]:
    if settings.tls.mode == "off":
        return []
    from seawall.https import certificate_problems

    return certificate_problems(settings, time.time())


def _budget_problems(settings: "Settings", spend: "Spend | None") -> list[str]:
    from seawall.cli.printing import dollars, periods

    if spend is None:
        return []
    return [
        f"the {period} budget of {dollars(cap)} is spent: calls that cost money are refused"
        for period, cap, spent in periods(settings.global_budget(), spend)
        if cap is not None and spent >= cap
    ]


def _report(settings: "Settings", providers: "list[Surveyed]", homes: Homes) -> Json:
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
        "data": homes.folder,
        "database": homes.database,
        "valkey": homes.valkey,
        "workers": settings.server.workers,
        "budget": None if homes.spend is None else budget_values(settings.global_budget(), homes.spend),
        "notes": [*enabled_vendors(settings)[1], *settings.notes(), *homes.notes],
        "problems": homes.problems,
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
    if report["database"] is None:
        console.print(printing.facts(folder_facts(report["data"])))
    else:
        console.print(printing.facts(database_facts(report["database"])))
    if report["valkey"] is not None:
        heading("Limits and cache")
        console.print(printing.facts(valkey_facts(report["valkey"])))
    heading(f"Budget of the gateway (stage {settings.stage})")
    if spend is None:
        console.print("  not known while the data cannot be read")
    else:
        budget = settings.global_budget()
        console.print(printing.budget_grid(budget, spend, is_ascii=console.options.ascii_only))
    if report["jobs"] is not None:
        heading("Jobs")
        console.print(printing.facts(job_facts(report["jobs"])))
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
