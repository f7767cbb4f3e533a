"""`seawall restore`: a backup in the place of the ledger, and what that ledger then does not know."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seawall.cli.opening import (
    EXIT_NOT_FOUND,
    ConfigOption,
    DataOption,
    JsonOption,
    has_database,
    read_settings,
    reason_of,
    short,
    stop,
)

if TYPE_CHECKING:
    from seawall.settings import Settings
    from seawall.stores.sqlite.restoring import Waiting
    from seawall.stores.sqlite.summary import Summary

EXIT_UNSOUND = 1

Json = dict[str, Any]


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace the database that is there; it is kept aside.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Put a backup into the place of the ledger, and say what it does not know.

    No gateway may have the data folder open. The backup is checked first; nothing is ever deleted.
    """
    settings = read_settings(config, data_dir=data)
    if settings.database_url is not None:
        stop("this gateway keeps its data in Postgres, where pg_restore does this: see docs/backup.md.")
    folder = settings.data_dir
    _check_places(file, folder)
    present = _present(folder)
    waiting = _bring_in(file, folder, is_quiet=as_json)
    try:
        if has_database(folder) and not force:
            stop(_why_force(folder, waiting.summary, present))
        kept = _put_in_place(waiting, folder)
    finally:
        waiting.drop()
    told = _told(settings, file, waiting.summary, present)
    told["kept"] = None if kept is None else str(kept)
    told["files"] = _install_files(waiting.summary, folder)
    from seawall.cli import printing

    if as_json:
        printing.print_json(told)
        return
    _print(told, folder, file)


def _check_places(file: Path, folder: Path) -> None:
    """End where there is no backup, or where it cannot go into the folder now."""
    from seawall.stores.sqlite.inspection import DATABASE_FILE, count_living

    if not file.is_file():
        stop(f"there is no file {short(file)}.", code=EXIT_NOT_FOUND)
    database = folder / DATABASE_FILE
    if database.exists() and database.samefile(file):
        stop(f"{short(file)} is the database of this data folder itself.")
    if living := count_living(folder):
        stop(_in_use(folder, living))


def _in_use(folder: Path, living: int) -> str:
    who = f"{living} process{'es have' if living > 1 else ' has'}" if living else "somebody has just"
    return (
        f"{who} the data folder {short(folder)} open: stop the gateway first, and look into a backup that is"
        " in use by restoring it elsewhere (--data DIR)."
    )


def _present(folder: Path) -> "Summary | None":
    """Read what is to be replaced; `None` where there is nothing, or nobody can read it."""
    from seawall.stores.sqlite.inspection import DATABASE_FILE
    from seawall.stores.sqlite.summary import summarise

    try:
        return summarise(folder / DATABASE_FILE) if has_database(folder) else None
    except OSError:
        return None


def _bring_in(file: Path, folder: Path, *, is_quiet: bool) -> "Waiting":
    """Copy and check the backup, or end with what is wrong with it."""
    from seawall.app import prepare_folder
    from seawall.cli import printing
    from seawall.stores.sqlite.copying import CopyFailed, Course
    from seawall.stores.sqlite.restoring import bring_in
    from seawall.stores.sqlite.summary import summarise

    try:
        summarise(file)  # Before a folder is made for it.
        with printing.course(is_quiet=is_quiet) as tell:
            return bring_in(file, prepare_folder(folder), Course(tell))
    except CopyFailed as error:
        stop(f"{short(file)} is not restored: {error.why}. Nothing has changed.", code=EXIT_UNSOUND)
    except OSError as error:
        stop(f"{short(file)} is not restored: {reason_of(error)}. Nothing has changed.", code=EXIT_UNSOUND)


def _put_in_place(waiting: "Waiting", folder: Path) -> Path | None:
    from seawall.stores.sqlite.gate import InUse
    from seawall.stores.sqlite.restoring import put_in_place

    try:
        return put_in_place(waiting, folder, time.time())
    except InUse as error:
        stop(_in_use(folder, error.living))
    except OSError as error:
        stop(f"the data folder {short(folder)} cannot be used ({reason_of(error)}).")


def _why_force(folder: Path, backup: "Summary", present: "Summary | None") -> str:
    """Say what is there already, and what it knows that the backup does not."""
    from seawall.cli.printing import dollars

    what = "it cannot be read"
    if present is not None:
        more = present.committed - backup.committed
        what = f"it has ${present.committed / 10**9:.2f} on its books, the backup {dollars(backup.committed)}"
        if more > 0:
            what = f"it has {dollars(more)} more on its books than the backup"
    return (
        f"there is a database in {short(folder)}: {what}. With --force the backup takes its place, and it is"
        " kept beside it under another name."
    )


def _install_files(backup: "Summary", folder: Path) -> list[str]:
    """Put the files of the backup there where the folder has none of the name; returns which."""
    from seawall.providers.price_table import FILE_NAME, install_table

    raw = backup.files.get(FILE_NAME)
    if raw is None or (folder / FILE_NAME).exists():
        return []
    install_table(raw, folder)
    return [FILE_NAME]


def _told(settings: "Settings", file: Path, backup: "Summary", present: "Summary | None") -> Json:
    """Put together what is restored and what its ledger does not know, as plain values."""
    from seawall.core.money import format_usd
    from seawall.core.unseen import most_spent
    from seawall.server.showing import iso_of

    since_s = backup.made_at or (backup.last_call_at_ms or 0) / 1000 or file.stat().st_mtime
    most = most_spent(settings.global_budget(), backup.spent, since_s, time.time())
    more = None if present is None else max(0, present.committed - backup.committed)
    again = [] if present is None else [key for key in backup.keys if key not in present.keys]
    return {
        "restored": str(file),
        "made_at": iso_of(since_s),
        "calls": backup.calls,
        "spent_usd": format_usd(backup.committed - backup.held),
        "held_usd": format_usd(backup.held),
        "holds": backup.holds,
        "unseen": {
            "since": iso_of(since_s),
            "on_the_replaced_ledger_usd": None if more is None else format_usd(more),
            "at_most_usd": None if most is None else format_usd(most),
        },
        "keys_valid_again": [{"id": key, "name": backup.keys[key]} for key in again],
        "usage_pages": _usage_pages(settings),
    }


def _usage_pages(settings: "Settings") -> dict[str, str]:
    """Return where the providers that are configured show what they bill, as far as that is known."""
    from seawall.app import survey
    from seawall.providers.price_table import BadPriceTable
    from seawall.providers.vendors import USAGE_PAGES
    from seawall.settings import SettingsError

    try:
        found = survey(settings)
    except (BadPriceTable, SettingsError):
        return {}
    return {each.name: USAGE_PAGES[each.name] for each in found if each.name in USAGE_PAGES}


def _print(told: Json, folder: Path, file: Path) -> None:
    sums = f"{told['calls']:,} calls, ${told['spent_usd']} spent"
    print(f"Restored {short(file)} into {short(folder)}: {sums}.")
    if told["kept"] is not None:
        print(f"The database that was here is kept: {short(Path(told['kept']))}")
    if told["files"]:
        print(f"Restored beside it: {', '.join(told['files'])}")
    print("\nBefore you start the gateway:\n")
    if told["holds"]:
        print(f"- {told['holds']} calls were running when the backup was made. What is held for them,")
        print(f"  ${told['held_usd']}, is settled in full at the next start: it may have been billed.")
    _print_unseen(told)
    _print_keys(told["keys_valid_again"])


def _print_unseen(told: Json) -> None:
    unseen = told["unseen"]
    since = f"{unseen['since'][:19].replace('T', ' ')} UTC"
    more, most = unseen["on_the_replaced_ledger_usd"], unseen["at_most_usd"]
    print(f"- Calls after {since} are not in this ledger. By what they cost")
    print("  your provider's bill is higher than it, and may be higher than your budgets:")
    if more is not None:
        print(f"    the ledger that was here had ${more} more on its books")
    elif most is not None:
        print(f"    nobody can know how much; under today's budgets ${most} at most")
    print("  Only your provider knows. Look there, and see that it has a limit of its own:")
    for name, page in told["usage_pages"].items():
        print(f"    {name}  {page}")
    if not told["usage_pages"]:
        print("    the page of your provider that shows usage and cost")


def _print_keys(again: list[dict[str, str]]) -> None:
    from seawall.cli.printing import printable

    print("- Keys that were revoked or rotated since are as they were then; users that were")
    print("  erased since are back.")
    for key in again:
        print(f"    {printable(key['name'])} is valid again: seawall keys revoke {key['id']}")
