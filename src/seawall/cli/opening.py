"""What commands share: reading settings, opening the data folder, ending with one friendly sentence."""

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from seawall.homes import Store
    from seawall.providers.price_table import BadPriceTable
    from seawall.settings import Settings

EXIT_NOT_FOUND = 1
EXIT_CANNOT_RUN = 2

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="The configuration file.", show_default="seawall.toml where there is one"),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="The folder of the database and the admin key.", show_default=".seawall"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

T = TypeVar("T")


def read_settings(config: Path | None, **overrides: object) -> "Settings":
    """Read the settings, or end with the sentence that says what is wrong with them."""
    from seawall.settings import SettingsError, load_settings

    try:
        return load_settings(config, overrides, dict(os.environ), Path.cwd())
    except SettingsError as error:
        stop(str(error))


def with_store(
    settings: "Settings", work: "Callable[[Store], Awaitable[T]]", *, may_create: bool = False
) -> T:
    """Open the data folder or the database as the gateway does, do the work, close it.

    Trouble ends in one sentence. Gateways may run on it meanwhile. Only with `may_create` is anything made
    where nothing is yet.
    """
    import asyncio

    from seawall.core.errors import InvalidRequest, Overloaded

    try:
        if may_create:
            _create_folder(settings)
        else:
            _require_made(settings)
        return asyncio.run(work_in(settings, work))
    except InvalidRequest as error:
        stop(error.message)
    except (OSError, Overloaded) as error:
        stop(f"{unusable(settings, error)}.")


def require_made(settings: "Settings") -> None:
    """End with the reason where no gateway or command has made anything yet, or it is out of reach."""
    try:
        _require_made(settings)
    except OSError as error:
        stop(f"{unusable(settings, error)}.")


def _require_made(settings: "Settings") -> None:
    if not is_made(settings):
        other = "--data" if settings.database_url is None else "another database_url"
        where = f"nothing here yet (no data in {home_of(settings)})"
        stop(f"{where}: start `seawall serve` first, or name {other}.")


async def work_in(settings: "Settings", work: "Callable[[Store], Awaitable[T]]") -> T:
    """Open the store that the settings name, do the work, close it; raises OSError or Overloaded."""
    import asyncio

    from seawall.homes import open_store

    store = open_store(settings, settings.data_dir)
    try:
        return await work(store)
    finally:
        await asyncio.to_thread(store.close)


def is_made(settings: "Settings") -> bool:
    """Say whether a gateway or a command has made its tables; raises OSError for a database out of reach."""
    if settings.database_url is None:
        return has_database(settings.data_dir)
    from seawall.stores.postgres.inspection import inspect

    return inspect(settings.database_url).schema > 0


def home_of(settings: "Settings") -> str:
    """Name the folder or the database in which everything is kept, without its password."""
    if settings.database_url is None:
        return str(short(settings.data_dir))
    from seawall.settings.growing import hide_password

    return hide_password(settings.database_url)


def unusable(settings: "Settings", error: Exception) -> str:
    """Say that the folder or the database cannot be used, and why; without the full stop."""
    kind = "data folder" if settings.database_url is None else "database"
    return f"the {kind} {home_of(settings)} cannot be used ({reason_of(error)})"


def has_database(folder: Path) -> bool:
    """Say whether a gateway or a command has made its database here; True where that cannot be seen."""
    from seawall.stores.sqlite.inspection import DATABASE_FILE

    try:
        return (folder / DATABASE_FILE).exists()
    except OSError:
        return True  # Opening it says why.


def reason_of(error: Exception) -> str:
    """Return why the store cannot be used, in a few words."""
    return str(getattr(error, "private", None) or getattr(error, "strerror", None) or error)


def damaged_table(error: "BadPriceTable") -> str:
    """Say in one sentence that the prices in the data folder cannot be used, why, and what to do."""
    cause = error.__cause__
    what = f"it cannot be read: {cause.strerror}" if isinstance(cause, OSError) else cause or error
    return (
        f"The price table in the data folder is damaged ({what}). For the built-in one: "
        "seawall prices update --built-in; for another: seawall prices update --force FILE."
    )


def short(path: Path) -> Path:
    """Write a path from the working directory, where it lies below that."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def stop(sentence: str, *, code: int = EXIT_CANNOT_RUN) -> NoReturn:
    """Say why the command cannot go on, and end."""
    print(f"seawall: {sentence}", file=sys.stderr)
    raise typer.Exit(code)


def _create_folder(settings: "Settings") -> None:
    folder = settings.data_dir
    if settings.database_url is not None or has_database(folder):
        return
    from seawall.app import prepare_folder

    prepare_folder(folder)
    print(f"Made the data folder {short(folder)}; start the gateway on it: seawall serve", file=sys.stderr)
