"""`seawall cache`: what the cache holds and has saved, and forgetting all of it."""

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli.opening import ConfigOption, DataOption, JsonOption, read_settings, stop, with_store

if TYPE_CHECKING:
    from seawall.homes import Store
    from seawall.settings import Settings

DAYS = 31
DAYS_MAX = 3_660
DAY_MS = 86_400_000
MB = 1024 * 1024

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

    async def work(store: "Store") -> tuple[int, int]:
        return await store.call_log.saved(since_ms=since_ms)

    answered, saved = with_store(settings, work)
    entries, disk_bytes = asyncio.run(_measure(settings))
    from seawall.cli import printing

    if as_json:
        printing.print_json(
            {
                "enabled": settings.cache.enabled,
                "days": days,
                "entries": entries,
                "disk_bytes": disk_bytes,
                "answered": answered,
                "saved_usd": format_usd(saved),
            }
        )
        return
    rows = [
        ("cache", "on" if settings.cache.enabled else "off (cache.enabled)"),
        ("kept", f"{printing.count(entries)} answers, {disk_bytes / MB:.1f} MB on disk"),
        ("answered", f"{printing.count(answered)} calls in the last {days} days"),
        ("saved", printing.dollars(saved)),
    ]
    printing.console().print(printing.facts(rows))


@app.command("clear")
def clear(as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None) -> None:
    """Forget every kept answer; a running gateway follows within a second."""
    from seawall.cli.printing import count, print_json

    deleted = asyncio.run(_clear(read_settings(config, data_dir=data)))
    if as_json:
        print_json({"deleted": deleted})
        return
    print(f"Forgot {count(deleted)} answer{'s' if deleted != 1 else ''}.")


async def _measure(settings: "Settings") -> tuple[int, int]:
    from seawall.stores.sqlite.answers import FILE, SqliteAnswers

    if not (settings.data_dir / FILE).exists():
        return 0, 0
    file = SqliteAnswers(settings.data_dir, bytes_max=MB)
    try:
        await file.was_cleared()  # By then it is open.
        return file.measure()
    finally:
        await asyncio.to_thread(file.close)


async def _clear(settings: "Settings") -> int:
    from seawall.stores.sqlite.answers import FILE, SqliteAnswers

    if not settings.data_dir.is_dir():
        stop("nothing here yet: start `seawall serve` first, or name --data.")
    if not (settings.data_dir / FILE).exists():
        return 0
    file = SqliteAnswers(settings.data_dir, bytes_max=MB)
    try:
        return await file.clear()
    finally:
        await asyncio.to_thread(file.close)
