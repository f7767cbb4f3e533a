"""`seawall usage`: who spent what, and how much of the budget is left."""

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seawall.cli.opening import ConfigOption, DataOption, JsonOption, read_settings, with_store

if TYPE_CHECKING:
    from rich.table import Table

    from seawall.core.contracts import Spend
    from seawall.homes import Store
    from seawall.settings import Settings

DAYS = 31
DAYS_MAX = 3_660
DAY_MS = 86_400_000

Sums = dict[str, Any]


class Group(StrEnum):
    """What the rows of the table stand for."""

    KEY = "key"
    USER = "user"
    MODEL = "model"
    DAY = "day"


def usage(
    by: Annotated[Group, typer.Option(help="What a row stands for.")] = Group.DAY,
    days: Annotated[int, typer.Option(help="How many days to look back.", min=1, max=DAYS_MAX)] = DAYS,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show who spent what, and how much of the budget is left.

    Counts the calls that were sent to a provider; refused ones cost nothing and are not in the sums.
    """
    settings = read_settings(config, data_dir=data)
    now = time.time()

    async def work(store: "Store") -> "tuple[list[Sums], dict[str, str], Spend, bool]":
        until_ms = int(now * 1000) + 1
        since_ms = until_ms - days * DAY_MS
        sums = await store.call_log.usage(by=by, since_ms=since_ms, until_ms=until_ms)
        newest = await store.call_log.newest(key_id=None, before=None, limit=1)
        was_called = any(row.at_ms >= since_ms for row in newest)
        names = {record.id: record.name for record in await store.directory.keys()}
        return sums, names, await store.call_log.spend("global", now), was_called

    sums, names, spend, was_called = with_store(settings, work)
    if by is Group.DAY:
        sums.sort(key=lambda row: str(row["name"]))
    if as_json:
        _print_values(sums, names, spend, settings, by=by, days=days)
        return
    from seawall.cli import printing

    console = printing.console()
    span = f"{days} days" if days > 1 else "day"
    if sums:
        console.print(f"Usage of the last {span} by {by}\n")
        console.print(_table(sums, names, by))
    elif was_called:
        print(f"No call has reached a provider in the last {span}; see seawall why last.")
    else:
        print(f"No calls in the last {span}. Point your app at the gateway with a key from")
        print("`seawall keys create NAME`; the model named demo answers without a provider.")
    console.print(f"\nBudget of the gateway (stage {settings.stage})", style="bold")
    console.print(printing.budget_grid(settings.global_budget(), spend, is_ascii=console.options.ascii_only))


def _table(sums: list[Sums], names: dict[str, str], by: Group) -> "Table":
    """Return a row per group and one for all of them together."""
    from seawall.cli import printing

    numbers = ("Calls", "Input", "Output", "Cost", "Share")
    first = ("Id", "Name") if by is Group.KEY else (by.capitalize(),)
    table = printing.table(*first, *numbers, numbers=numbers)
    total = _total(sums)
    for row in sums:
        label = [printing.printable(row["name"]) or printing.NOTHING]
        if by is Group.KEY:
            label.append(printing.printable(names.get(row["name"], printing.NOTHING)))
        table.add_row(*label, *_figures(row, total["cost"]))
    if len(sums) > 1:
        table.add_section()
        table.add_row("Total", *([""] * (len(first) - 1)), *_figures(total, total["cost"]), style="bold")
    return table


def _figures(row: Sums, whole_cost: int) -> list[str]:
    from seawall.cli.printing import count, dollars, percent

    return [
        count(row["calls"]),
        count(row["input_tokens"]),
        count(row["output_tokens"]),
        dollars(row["cost"]),
        percent(row["cost"], whole_cost),
    ]


def _total(sums: list[Sums]) -> Sums:
    """Add the rows up."""
    counted = ("calls", "input_tokens", "output_tokens", "cached_read_tokens", "cached_write_tokens")
    names = (*counted, "reasoning_tokens", "cost", "overage")
    return {name: sum(row[name] for row in sums) for name in names}


def _print_values(
    sums: list[Sums], names: dict[str, str], spend: "Spend", settings: "Settings", *, by: Group, days: int
) -> None:
    """Print the sums as the admin API does, with the names of keys, the total and the budget."""
    from seawall.cli.printing import budget_values, print_json
    from seawall.server.showing import show_sums

    rows = [show_sums(row) for row in sums]
    if by is Group.KEY:
        rows = [{**row, "key_name": names.get(row["name"])} for row in rows]
    budget = budget_values(settings.global_budget(), spend)
    print_json({"by": by, "days": days, "data": rows, "total": show_sums(_total(sums)), "budget": budget})
