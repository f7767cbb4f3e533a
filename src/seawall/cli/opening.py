"""What commands share: reading settings, opening the data folder, ending with one friendly sentence."""

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from seawall.providers.price_table import BadPriceTable
    from seawall.settings import Settings
    from seawall.stores.sqlite.store import SqliteStore

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
    settings: "Settings", work: "Callable[[SqliteStore], Awaitable[T]]", *, may_create: bool = False
) -> T:
    """Open the data folder as the gateway does, do the work, close it; trouble ends in one sentence.

    A gateway may run on the same folder meanwhile. Only with `may_create` is a missing folder made.
    """
    import asyncio

    from seawall.core.errors import InvalidRequest, Overloaded

    folder = settings.data_dir
    try:
        if may_create:
            _create_folder(folder)
        elif not has_database(folder):
            stop(
                f"nothing here yet (no data in {short(folder)}): start `seawall serve` first, or name --data."
            )
        return asyncio.run(work_in(folder, work))
    except InvalidRequest as error:
        stop(error.message)
    except (OSError, Overloaded) as error:
        stop(f"the data folder {short(folder)} cannot be used ({reason_of(error)}).")


async def work_in(folder: Path, work: "Callable[[SqliteStore], Awaitable[T]]") -> T:
    """Open the database of a folder, do the work, close it; raises OSError or Overloaded."""
    import asyncio

    from seawall.stores.sqlite.store import SqliteStore

    store = SqliteStore(folder)
    try:
        return await work(store)
    finally:
        await asyncio.to_thread(store.close)


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


def _create_folder(folder: Path) -> None:
    if has_database(folder):
        return
    from seawall.app import prepare_folder

    prepare_folder(folder)
    print(f"Made the data folder {short(folder)}; start the gateway on it: seawall serve", file=sys.stderr)
