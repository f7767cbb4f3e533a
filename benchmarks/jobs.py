"""Measure jobs: how many are accepted and done in a second, and how long accepting one takes.

    python benchmarks/jobs.py [--rounds N] [--quick] [--only HOMES] [--json FILE]

On SQLite and on Postgres (with fsync), with nothing else waiting, with 100,000 jobs of one user and with as
many of 10,000 users. See README.md for what the figures mean.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec
import psutil
import uvloop
from gateways import Gateway, provider_on, seawall
from job_load import Load, at_a_pace, at_once
from parked_jobs import Database, park

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.fixtures.servers import PostgresServer

PARKED = 100_000
VARIANTS = {"alone": 0, "100,000 of one user": 1, "100,000 of 10,000": 10_000}
"""How many users' jobs wait meanwhile."""
HOMES = ("sqlite", "postgres")
SETTINGS = """
[jobs]
waiting_max = 10000000
waiting_max_per_user = 1000000
"""
DONE_MAX_S = 300.0
GOAL_JOBS_PER_S, GOAL_P99_MS, GOAL_CHANGE = 100, 20, 0.2

Row = dict[str, float]


class Place(NamedTuple):
    """A gateway with jobs that wait in its database; `others` is the database's own process."""

    gateway: Gateway
    database: Database
    others: Gateway | None


def main() -> int:
    """Measure in turns and print medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one short round: orders of magnitude only")
    parser.add_argument("--only", default=",".join(HOMES), help="homes, separated by a comma")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    rounds, jobs, paced_s = (1, 200, 3.0) if options.quick else (options.rounds, 1_000, 6.0)
    figures: dict[str, dict[str, Row]] = {}
    with ExitStack() as stack:
        provider = stack.enter_context(provider_on(None))
        for home in options.only.split(","):
            with places(home, provider) as found:
                figures[home] = measure(home, found, rounds, jobs, paced_s)
    for home, rows in figures.items():
        print(table(home, rows))
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    return 0


@contextmanager
def places(home: str, provider: Gateway) -> Iterator[dict[str, Place]]:
    """Run a gateway for each variant, and let jobs wait in its database."""
    with ExitStack() as stack:
        server = stack.enter_context(closing_server()) if home == "postgres" else None
        others = None if server is None else postgres_of(server)
        found = {}
        for variant, users in VARIANTS.items():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seawall-bench-")))
            url = None if server is None else server.create()
            above = "" if url is None else f'database_url = "{url}"\n'
            gateway = stack.enter_context(seawall(provider.root, folder, SETTINGS, above=above, core=None))
            database = Database(folder / "data" / "seawall.db", url)
            uvloop.run(at_once(Load(gateway.root, gateway.key), 50))
            until_done(database, 0)
            if users:
                park(database, PARKED, users)
            found[variant] = Place(gateway, database, others)
        yield found


def postgres_of(server: PostgresServer) -> Gateway:
    """Return the server as a process whose CPU can be read."""
    pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    return Gateway("pg", pid, "", "", 0)


@contextmanager
def closing_server() -> Iterator[PostgresServer]:
    """Run Postgres as an operator would."""
    server = PostgresServer(settings={})
    try:
        server.start()
        yield server
    finally:
        server.remove()


def measure(home: str, found: dict[str, Place], rounds: int, jobs: int, paced_s: float) -> dict[str, Row]:
    """Return the medians of each variant, measured in turns."""
    rows: dict[str, list[Row]] = {variant: [] for variant in found}
    for number in range(rounds):
        for variant, place in found.items():
            row = one_round(place, jobs, paced_s)
            rows[variant].append(row)
            told = ", ".join(f"{name} {value:.1f}" for name, value in row.items())
            print(f"round {number + 1} {home} {variant}: {told}", file=sys.stderr)
    return {
        variant: {name: median(row[name] for row in each) for name in each[0]}
        for variant, each in rows.items()
    }


def one_round(place: Place, jobs: int, paced_s: float) -> Row:
    """Hand jobs in as fast as they are taken and wait until they are done; then 50 a second."""
    gateway, database, others = place
    parked = database.left()
    load = Load(gateway.root, gateway.key)
    cpu_s, others_s = cpu_of(gateway), cpu_of(others)
    began = time.monotonic()
    accepted_ms = uvloop.run(at_once(load, jobs))
    accepted_s = time.monotonic() - began
    until_done(database, parked)
    took_s = time.monotonic() - began
    row = {
        "jobs_per_s": jobs / took_s,
        "accepted_per_s": jobs / accepted_s,
        "gateway_cpu_ms": (cpu_of(gateway) - cpu_s) * 1_000 / jobs,
        "postgres_cpu_ms": (cpu_of(others) - others_s) * 1_000 / jobs,
        "busy_p99_ms": percentile(accepted_ms, 99),
    }
    paced_ms = uvloop.run(at_a_pace(load, per_s=50, secs=paced_s))
    until_done(database, parked)
    return row | {"p50_ms": percentile(paced_ms, 50), "p99_ms": percentile(paced_ms, 99)}


def cpu_of(process: Gateway | None) -> float:
    """Return the CPU time of a process and of all below it, those that have ended included."""
    if process is None:
        return 0.0
    own = psutil.Process(process.pid).cpu_times()
    return process.cpu_s() + float(own.children_user + own.children_system)


def until_done(database: Database, parked: int) -> None:
    """Wait until no more jobs are left than wait for ever."""
    give_up_at = time.monotonic() + DONE_MAX_S
    while database.left() > parked:
        if time.monotonic() > give_up_at:
            raise SystemExit("jobs were accepted and never done")
        time.sleep(0.02)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


LINES = (
    ("accepted and done, jobs a second", "jobs_per_s", ".0f"),
    ("accepted meanwhile, jobs a second", "accepted_per_s", ".0f"),
    ("CPU per job: gateway, ms", "gateway_cpu_ms", ".2f"),
    ("CPU per job: Postgres, ms", "postgres_cpu_ms", ".2f"),
    ("accepting at 50 a second: p50, ms", "p50_ms", ".1f"),
    ("accepting at 50 a second: p99, ms", "p99_ms", ".1f"),
)


def table(home: str, rows: dict[str, Row]) -> str:
    """Write the medians side by side, and whether they are what they are meant to be."""
    lines = ["", f"{home:36}" + "".join(f"{name:>22}" for name in rows)]
    lines += [
        f"{label:36}" + "".join(f"{row[key]:>22{form}}" for row in rows.values())
        for label, key, form in LINES
    ]
    alone = rows["alone"]
    is_met = {
        f"at least {GOAL_JOBS_PER_S} jobs a second": alone["jobs_per_s"] >= GOAL_JOBS_PER_S,
        f"p99 of accepting at most {GOAL_P99_MS} ms": alone["p99_ms"] <= GOAL_P99_MS,
        "unchanged (20 %) by what waits": all(
            row["jobs_per_s"] >= alone["jobs_per_s"] * (1 - GOAL_CHANGE)
            and row["p99_ms"] <= alone["p99_ms"] * (1 + GOAL_CHANGE)
            for row in rows.values()
        ),
    }
    return "\n".join([*lines, *(f"{goal}: {'yes' if met else 'NO'}" for goal, met in is_met.items())])


if __name__ == "__main__":
    sys.exit(main())
