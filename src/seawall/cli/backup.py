"""`seawall backup`: the ledger and what lies beside it in one file, copied while the gateway runs."""

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli.opening import (
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
    from seawall.stores.sqlite.backups import Backup

EXIT_FAILED = 1


def backup(
    to: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the copy, or a file that is not there yet.", show_default="backups in --data"
        ),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Copy the ledger and all that lies beside it into one file, while the gateway runs or not.

    The copy is checked before it gets its name. It holds everything but the admin key and the cache.
    """
    settings = read_settings(config, data_dir=data)
    if settings.database_url is not None:
        stop(_how_to_dump(settings.database_url))
    folder = settings.data_dir
    if not has_database(folder):
        stop(f"nothing here yet (no data in {short(folder)}): there is nothing to back up.")
    began = time.monotonic()
    made = _make(folder, to or settings.backup.folder(folder), makes_folder=to is None, is_quiet=as_json)
    took_s = time.monotonic() - began
    from seawall.cli import printing

    if as_json:
        printing.print_json({"path": str(made.path), "bytes": made.bytes, "took_s": round(took_s, 3)})
        return
    size, took = printing.size(made.bytes), printing.duration(took_s * 1000)
    print(f"{short(made.path)}: {size}, copied and checked in {took}.")


def _make(folder: Path, to: Path, *, makes_folder: bool, is_quiet: bool) -> "Backup":
    """Make the backup, or end with why there is none."""
    from seawall.cli import printing
    from seawall.jobs.backing_up import files_of
    from seawall.stores.sqlite.backups import (
        BY_HAND,
        BackupRunning,
        make_backup,
        make_folder,
        only_one,
        place_for,
    )
    from seawall.stores.sqlite.copying import CopyFailed, Course
    from seawall.stores.sqlite.inspection import DATABASE_FILE

    now = time.time()
    try:
        if makes_folder:
            make_folder(to)
        target = place_for(to, BY_HAND, now) if to.is_dir() else to
        with printing.course(is_quiet=is_quiet) as tell, only_one(folder):
            return make_backup(folder / DATABASE_FILE, target, files_of(folder), now, Course(tell))
    except BackupRunning:
        stop("another backup of this data folder is being made; wait until it is done.", code=EXIT_FAILED)
    except CopyFailed as error:
        stop(f"no backup was made: {error.why}.", code=EXIT_FAILED)
    except OSError as error:
        stop(f"no backup was made ({reason_of(error)}).", code=EXIT_FAILED)


def _how_to_dump(url: str) -> str:
    """Say how a Postgres database is backed up; the address has no password in it."""
    dump = f"seawall-{time.strftime('%Y%m%d', time.gmtime())}.dump"
    return (
        "this gateway keeps its data in Postgres, which has a program for that:\n\n"
        f"  pg_dump --format=custom --file={dump} {_without_password(url)}\n\n"
        "It may run while the gateways do. Its password belongs into ~/.pgpass or PGPASSFILE, never on the\n"
        "command line. The way back is in docs/backup.md"
    )


def _without_password(url: str) -> str:
    from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    name = f"{user.partition(':')[0]}@" if user else ""
    query = urlencode([(n, value) for n, value in parse_qsl(parts.query) if n.lower() != "password"])
    return shlex.quote(urlunsplit((parts.scheme, name + host, parts.path, query, "")))
