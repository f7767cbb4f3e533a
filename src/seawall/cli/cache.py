"""`seawall cache`: what the cache holds and has saved, and forgetting all of it."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli.kept import MB, kept_answers
from seawall.cli.opening import ConfigOption, DataOption, JsonOption, read_settings, with_store

if TYPE_CHECKING:
    from seawall.core.money import Money
    from seawall.homes import Store
    from seawall.settings import Settings

DAYS = 31
DAYS_MAX = 3_660
DAY_MS = 86_400_000

app = typer.Typer(
    help="See what the cache of answers holds and has saved, or forget all of it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("stats")
def stats(
    days: Annotated[int, typer.Option(help="How many days to look back.", min=1, max=DAYS_MAX)] = DAYS,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show what the file of the cache holds, and what it saved, as far as calls are on record."""
    from seawall.core.money import format_usd

    settings = read_settings(config, data_dir=data)
    since_ms = int(time.time() * 1000) - days * DAY_MS

    async def work(store: "Store") -> "tuple[int, Money, tuple[int, int] | None]":
        answered, saved = await store.call_log.saved(since_ms=since_ms)
        if settings.valkey_url is not None:
            return answered, saved, None
        async with kept_answers(settings, b"") as answers:
            return answered, saved, (0, 0) if answers is None else answers.measure()

    answered, saved, kept = with_store(settings, work)
    from seawall.cli import printing

    if as_json:
        printing.print_json(
            {
                "enabled": settings.cache.enabled,
                "days": days,
                "entries": None if kept is None else kept[0],
                "disk_bytes": None if kept is None else kept[1],
                "answered": answered,
                "saved_usd": format_usd(saved),
            }
        )
        return
    rows = [
        ("cache", "on" if settings.cache.enabled else "off (cache.enabled)"),
        ("kept", _kept_line(kept)),
        ("answered", f"{printing.count(answered)} calls in the last {days} days"),
        ("saved", printing.dollars(saved)),
    ]
    printing.console().print(printing.facts(rows))


@app.command("clear")
def clear(as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None) -> None:
    """Forget every kept answer; a running gateway follows within a second."""
    from seawall.cli.printing import count, print_json

    settings = read_settings(config, data_dir=data)

    async def work(store: "Store") -> int:
        return await _clear(settings, await store.directory.salt())

    deleted = with_store(settings, work)
    if as_json:
        print_json({"deleted": deleted})
        return
    print(f"Forgot {count(deleted)} answer{'s' if deleted != 1 else ''}.")


def _kept_line(kept: tuple[int, int] | None) -> str:
    from seawall.cli.printing import count

    if kept is None:
        return "in Valkey (valkey_url), for all gateways"
    return f"{count(kept[0])} answers, {kept[1] / MB:.1f} MB on disk"


async def _clear(settings: "Settings", salt: bytes) -> int:
    async with kept_answers(settings, salt) as answers:
        return 0 if answers is None else await answers.clear()
