"""What a backup of a large database takes while calls run, and how long they wait for it.

python benchmarks/backup.py            # 1 GB, 50 calls a second; a minute, and 3 GB of disk
python benchmarks/backup.py --mb 100 --rounds 3
"""

import argparse
import asyncio
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from seawall.core.ledger import Account, AccountSet, Ask, CallRow, Settlement
from seawall.core.money import PER_MILLION, Money, Usage
from seawall.stores.sqlite.copying import Course, copy_database
from seawall.stores.sqlite.inspection import DATABASE_FILE
from seawall.stores.sqlite.store import SqliteStore

CALLS_PER_SECOND = 50
ACCOUNTS = AccountSet.of(
    tuple(Account(scope, period) for scope in ("global", "key:key_1") for period in ("2026-11-21", "life"))
)
DECISIONS = '[{"step":"hold_budget","verdict":"allow","why":"held","took_ms":1.2}]' * 4
ADD_CALL = (
    "INSERT INTO calls (id, at_ms, endpoint, key_id, end_user, model, provider, stream, status, outcome,"
    " took_ms, held, cost, overage, listed_cost, decisions)"
    " VALUES (?, ?, '/v1/chat/completions', ?, ?, 'gpt', 'mock', 0, 200, 'ok', 1.5, 0, 0, 0, 0, ?)"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seawall-backup-") as name:
        folder = Path(name)
        fill(folder, options.mb * 1_000_000)
        asyncio.run(measure(folder, options.rounds))


def fill(folder: Path, size: int) -> None:
    """Make a database of so many bytes: three quarters calls, one quarter stored answers."""
    SqliteStore(folder).close()
    database = folder / DATABASE_FILE
    connection = apsw.Connection(str(database))
    connection.pragma("synchronous", 0)
    connection.execute("INSERT INTO owners VALUES (1, 'key_1', '')")
    numbers = itertools.count(1)
    while database.stat().st_size < size:
        with connection:
            for number in itertools.islice(numbers, 4_000):
                row = (f"call_{number:024x}", number, f"key_{number % 20}", f"user_{number % 500}", DECISIONS)
                connection.execute(ADD_CALL, row)
                if number % 8 == 0:
                    connection.execute(
                        "INSERT INTO responses VALUES (?, 1, ?, NULL, 0, 9e9, 3000, 1)",
                        (number, f"resp_{number}"),
                    )
                    connection.execute(
                        "INSERT INTO parts VALUES (?, 'content', 0, ?)", (number, os.urandom(3_000))
                    )
        connection.pragma("wal_checkpoint(passive)")
    connection.close()
    os.sync()


async def measure(folder: Path, rounds: int) -> None:
    """Run each way of copying under load, and print how long holds took meanwhile."""
    database, copy = folder / DATABASE_FILE, folder / "copy.db"
    ways: dict[str, Callable[[], object]] = {
        "nothing": lambda: time.sleep(5),
        "seawall backup (a process)": lambda: run_command(folder, copy),
        "by schedule (a thread)": lambda: copy_database(database, copy, {}, Course()),
        "VACUUM INTO, for comparison": lambda: vacuum(database, copy),
    }
    print(f"{'':30}{'took':>8}{'size':>10}{'holds':>8}{'p50':>10}{'p99':>10}{'longest':>10}{'log':>10}")
    for _ in range(rounds):
        for name, work in ways.items():
            await measure_one(folder, name, work)


async def measure_one(folder: Path, name: str, work: Callable[[], object]) -> None:
    """Load the ledger while the work runs in a thread; print a line."""
    copy = folder / "copy.db"
    remove(copy)
    store, waits, is_over = SqliteStore(folder), list[float](), asyncio.Event()

    async def call(number: int) -> None:
        hold_id = f"call_{name}_{time.time_ns()}_{number}"
        row = CallRow(id=hold_id, at_ms=time.time_ns() // 1_000_000, key_id="key_1", model="gpt")
        began = time.perf_counter()
        await store.ledger.hold(
            Ask(
                hold_id=hold_id, accounts=ACCOUNTS, input_tokens=0, is_counted=True, input_rate=0,
                output_rate=PER_MILLION, wanted_tokens=100, is_declared=True, waited=False, row=row,
            )
        )  # fmt: skip
        waits.append(time.perf_counter() - began)
        await store.ledger.settle(Settlement(hold_id, Money(90), Money(0), Usage(output=90), row))

    async def load() -> None:
        calls, number = set[asyncio.Task[None]](), 0
        while not is_over.is_set():
            number += 1
            calls.add(asyncio.create_task(call(number)))
            await asyncio.sleep(1 / CALLS_PER_SECOND)
        await asyncio.gather(*calls)

    loading = asyncio.create_task(load())
    await asyncio.sleep(1)
    waits.clear()
    began = time.perf_counter()
    await asyncio.to_thread(work)
    took_s = time.perf_counter() - began
    log_mb = size_mb_of(folder / f"{DATABASE_FILE}-wal")
    is_over.set()
    await loading
    await asyncio.to_thread(store.close)
    size_mb = size_mb_of(copy)
    waits.sort()
    p50, p99, longest = (waits[int(share * (len(waits) - 1))] * 1000 for share in (0.5, 0.99, 1))
    figures = (
        f"{took_s:7.1f}s{size_mb:8.0f}MB{len(waits):8}{p50:8.1f}ms{p99:8.1f}ms{longest:8.1f}ms{log_mb:8.1f}MB"
    )
    print(f"{name:30}{figures}", flush=True)


def remove(copy: Path) -> None:
    """Delete the copy of the round before, and let the disk come to rest."""
    copy.unlink(missing_ok=True)
    os.sync()


def size_mb_of(path: Path) -> float:
    """Return how large a file is, in millions of bytes."""
    return path.stat().st_size / 1e6 if path.exists() else 0.0


def run_command(folder: Path, copy: Path) -> None:
    """Make the backup as an operator does."""
    program = [sys.executable, "-c", "from seawall.cli.start import main; main()"]
    options = ["backup", "--data", str(folder), "--to", str(copy)]
    subprocess.run([*program, *options], check=True, stdout=subprocess.DEVNULL)


def vacuum(database: Path, copy: Path) -> None:
    """Copy by SQLite's other way, and wait until it is on disk."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    connection.execute("VACUUM INTO ?", (str(copy),))
    connection.close()
    with copy.open("rb") as file:
        os.fsync(file.fileno())


if __name__ == "__main__":
    main()
