"""What `seawall doctor` finds where state is kept: the data folder, a Postgres database, a Valkey."""

import asyncio
import stat
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from seawall.cli.doctor_jobs import DAY_S
from seawall.cli.opening import has_database, home_of, reason_of, short, unusable, work_in

if TYPE_CHECKING:
    from seawall.core.contracts import Spend
    from seawall.core.jobs import JobFigures, JobRules
    from seawall.homes import Store
    from seawall.settings import Settings

BACKUP_LATE_S = 900
"""So long after a backup was due for the second time it is a problem."""

Json = dict[str, Any]


class Homes(Struct):
    """What is known of each home, `None` where there is none, and what is wrong.

    `spend` and `jobs` may be unknown.
    """

    folder: Json
    database: Json | None = None
    valkey: Json | None = None
    spend: "Spend | None" = None
    jobs: "JobFigures | None" = None
    notes: list[str] = []
    problems: list[str] = []


def look_at_homes(settings: "Settings") -> Homes:
    """Look at everything that keeps state; make nothing."""
    homes = _look_at_folder(settings)
    if settings.database_url is not None:
        _look_at_database(settings, settings.database_url, homes)
    if settings.valkey_url is not None:
        _look_at_valkey(settings, settings.valkey_url, homes)
    return homes


def _look_at_folder(settings: "Settings") -> Homes:
    """Describe the data folder, and the SQLite file in it where that is what counts."""
    from seawall.core.contracts import Spend
    from seawall.core.errors import Overloaded

    folder = settings.data_dir
    facts: Json = {
        "folder": str(short(folder)),
        "exists": folder.exists(),
        "has_database": has_database(folder),
    }
    homes = Homes(facts, spend=Spend())
    if facts["exists"] and not folder.is_dir():
        homes.problems.append(f"{facts['folder']} is a file where the data folder belongs")
    elif facts["has_database"] or (facts["exists"] and settings.database_url is not None):
        try:
            homes.problems += _permission_problems(folder)
            facts["is_private"] = not homes.problems
            if settings.database_url is None:
                _look_at_file(settings, homes)
            elif facts["has_database"]:
                homes.notes.append(_LEFT.format(facts["folder"]))
        except (OSError, Overloaded) as error:
            homes.problems.append(f"the data folder {facts['folder']} cannot be used ({reason_of(error)})")
            facts["is_writable"] = False
            homes.spend = None
    return homes


_LEFT = (
    "the data folder {} holds a SQLite database that is not in use, since database_url is stated; `seawall"
    " migrate-store` moves what is in it"
)


def _look_at_file(settings: "Settings", homes: Homes) -> None:
    """Describe the SQLite file; raises OSError or Overloaded where it cannot be used."""
    from seawall.stores.sqlite.inspection import inspect

    found = inspect(settings.data_dir)
    homes.folder |= {
        "database_bytes": found.database_bytes,
        "schema": found.schema,
        "processes": found.living,
        "backup": _backup_facts(settings),
    }
    homes.spend, homes.jobs = asyncio.run(work_in(settings, partial(_check_and_sum, settings.jobs.rules())))
    homes.folder["is_writable"] = True
    homes.problems += _backup_problems(settings, homes.folder["backup"])


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


def _backup_problems(settings: "Settings", backup: Json) -> list[str]:
    from seawall.cli.printing import ago

    every_s = settings.backup.every
    if every_s is None or backup["age_s"] is None or backup["age_s"] <= 2 * every_s + BACKUP_LATE_S:
        return []
    return [
        f"the last backup was made {ago(backup['age_s'])}, and one is to be made every {every_s:g} s: the"
        " log says why, where the gateway has been running"
    ]


def _look_at_database(settings: "Settings", url: str, homes: Homes) -> None:
    from seawall.core.errors import Overloaded
    from seawall.stores.postgres.inspection import inspect

    facts: Json = {"address": home_of(settings), "is_writable": False}
    homes.database = facts
    try:
        found = inspect(url)
        facts |= {
            "version": found.server_version.split()[0],
            "round_trip_ms": found.round_trip_ms,
            "schema": found.schema,
            "bytes": found.database_bytes,
            "processes": found.living,
        }
        if found.living > 1 and settings.valkey_url is None:
            homes.notes.append(_APART.format(found.living))
        if found.schema:
            homes.spend, homes.jobs = asyncio.run(
                work_in(settings, partial(_check_and_sum, settings.jobs.rules()))
            )
            facts["is_writable"] = True
    except (OSError, Overloaded) as error:
        homes.problems.append(unusable(settings, error))
        homes.spend = None


_APART = (
    "{} processes are on this database and no valkey_url is stated: each counts rate limits for itself;"
    " budgets and quotas are exact all the same"
)


def _look_at_valkey(settings: "Settings", url: str, homes: Homes) -> None:
    from seawall.settings.growing import hide_password
    from seawall.stores.valkey.inspection import Unreachable, inspect

    facts: Json = {"address": hide_password(url)}
    homes.valkey = facts
    try:
        found = asyncio.run(inspect(url))
    except (Unreachable, ValueError) as error:
        homes.problems.append(f"valkey_url {facts['address']} cannot be used ({error})")
        return
    facts |= {
        "server": found.server,
        "version": found.version,
        "round_trip_ms": found.round_trip_ms,
        "memory_bytes_max": found.memory_bytes_max,
        "eviction": found.eviction,
    }
    if found.memory_bytes_max and found.eviction == "noeviction":
        homes.notes.append(_FULL)


_FULL = (
    "once the memory of Valkey is full it takes nothing more (maxmemory-policy noeviction): gateways keep"
    " to their shares of every limit then; allkeys-lru drops old answers instead"
)


async def _check_and_sum(rules: "JobRules", store: "Store") -> "tuple[Spend, JobFigures]":
    """Write something, to know that it can be done, and read what is spent and how jobs stand."""
    await store.ledger.check()
    now = time.time()
    figures = await store.jobs.figures(now - DAY_S, rules)
    return await store.call_log.spend("global", now), figures


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


def folder_facts(data: Json) -> list[tuple[str, str]]:
    """Write what is known of the data folder for people."""
    from seawall.cli.printing import printable

    rows = [("folder", printable(data["folder"]))]
    if not data["has_database"]:
        return [*rows, ("state", "nothing here yet; `seawall serve` makes it")]
    if "is_private" in data:
        rows.append(("private", "yes" if data["is_private"] else "no"))
    if "is_writable" in data:
        rows.append(("writable", "yes" if data["is_writable"] else "no"))
    if "schema" in data:
        rows.append(("size", f"{data['database_bytes'] // 1024:,} KB, schema {data['schema']}"))
        rows.append(("backup", _backup_line(data["backup"])))
        rows.append(("in use", _in_use(data["processes"])))
    return rows


def _backup_line(backup: Json) -> str:
    from seawall.cli.printing import ago, printable, size

    how = "no schedule" if backup["every_s"] is None else f"every {backup['every_s']:g} s"
    if not backup["count"]:
        return f"none yet; {how}"
    held = f"{backup['count']} of {size(backup['bytes'])} in {printable(backup['folder'])}"
    return f"{ago(backup['age_s'])}; {held}; {how}"


def database_facts(data: Json) -> list[tuple[str, str]]:
    """Write what is known of the database for people."""
    from seawall.cli.printing import printable

    rows = [("address", printable(data["address"]))]
    if "version" in data:
        rows.append(("server", f"Postgres {printable(data['version'])}, {data['round_trip_ms']} ms away"))
        if not data["schema"]:
            return [*rows, ("state", "nothing here yet; `seawall serve` makes it")]
        rows.append(("size", f"{data['bytes'] // 1024:,} KB, schema {data['schema']}"))
        rows.append(("in use", _in_use(data["processes"])))
    return [*rows, ("writable", "yes" if data["is_writable"] else "no")]


def valkey_facts(data: Json) -> list[tuple[str, str]]:
    """Write what is known of Valkey or Redis for people."""
    from seawall.cli.printing import printable

    rows = [("address", printable(data["address"]))]
    if "version" not in data:
        return [*rows, ("state", "out of reach: each gateway keeps to its share of every limit")]
    most = data["memory_bytes_max"]
    memory = f"at most {most // 1024**2:,} MB" if most else "no limit of its own"
    return [
        *rows,
        ("server", f"{data['server']} {printable(data['version'])}, {data['round_trip_ms']} ms away"),
        ("memory", f"{memory}, {printable(data['eviction'])}"),
    ]


def _in_use(others: int) -> str:
    return f"by {others} other process{'es' * (others != 1)}" if others else "no"
