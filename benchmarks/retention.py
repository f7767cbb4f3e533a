"""Does the SQLite file stay bounded, and do calls wait for trimming? Simulated days, rows written in bulk.

python benchmarks/retention.py              # about a minute
python benchmarks/retention.py --a-day 20000 --days 90 --keep 7

Each day of the simulation has `--a-day` calls of 20 users, where ten calls a second are 864,000: users are as
many times fewer, so that each makes as many calls. The clock goes on by a day at a time. The same days are
written into two files: one is trimmed as a gateway does it.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

from seawall.core.call import first_id_at
from seawall.core.ledger import Account, AccountSet, Ask, CallRow, Settlement
from seawall.core.money import PER_MILLION, Money, Usage
from seawall.core.periods import day_of
from seawall.stores.accounting import CALL_COLUMNS
from seawall.stores.sqlite.connection import open_file
from seawall.stores.sqlite.store import SqliteStore
from seawall.trimming import Keep, Trimming
from seawall.upkeep import TRIM_STEPS, WATCH_S

DAY_S, HOUR_S = 86_400, 3_600
START_S = 1_790_000_000 // DAY_S * DAY_S
USERS, KEYS, MODELS = 20, 3, 2
FULL_A_DAY = 864_000
SECONDS = 10.0
DECISIONS = (
    '[{"step":"recall","verdict":"miss","why":"nothing is kept for this request"},{"step":"hold_budget",'
    '"verdict":"allow","why":"enough is left for 4096 output tokens"},{"step":"settle","verdict":"complete",'
    '"why":"as the provider says"}]'
)
ATTEMPTS = (
    '[{"provider":"openai","model":"gpt-4.1-mini","dialect":"chat","ending":"complete","held":6553840,'
    '"cost":541200,"exact":true,"took_ms":1834.201}]'
)
USAGE = '{"input":214,"output":331,"cached_read":128}'


async def main() -> None:
    """Simulate, and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--a-day", type=int, default=4_000)
    parser.add_argument("--days", type=int, default=75)
    parser.add_argument("--keep", type=int, default=7)
    stated = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trimmed, whole = Path(folder, "trimmed"), Path(folder, "whole")
        thinner = f"{FULL_A_DAY / stated.a_day:.0f} times thinner than ten a second"
        print(f"{stated.a_day:,} calls a day ({thinner}) for {stated.days} days, kept for {stated.keep}\n")
        print("  day   trimmed MB   whole MB   trimming s")
        stores = [_open(trimmed), _open(whole)]
        for day in range(stated.days):
            now = float(START_S + (day + 1) * DAY_S)
            for path in (trimmed, whole):
                _write_day(path, day, stated.a_day)
            begun = time.perf_counter()
            await _trim(stores[0], stated.keep, now)
            took = time.perf_counter() - begun
            if day % 5 == 4 or day + 1 == stated.days:
                print(f"  {day + 1:3}   {_size(trimmed):10.1f}   {_size(whole):8.1f}   {took:10.2f}")
        print()
        for name, store in zip(("trimmed", "whole"), stores, strict=True):
            await _ask(name, store, stated.days)
        await _hold_while_trimming(stores[1], stated)
        for store in stores:
            store.close()


def _open(folder: Path) -> SqliteStore:
    folder.mkdir()
    return SqliteStore(folder)


def _size(folder: Path) -> float:
    """Return what the file and its log take, in MB."""
    return sum(path.stat().st_size for path in folder.glob("seawall.db*")) / 1e6


def _write_day(folder: Path, day: int, count: int) -> None:
    """Write a day of calls with their sums and accounts, beside the store."""
    connection = open_file(folder / "seawall.db")
    calls: list[tuple[object, ...]] = []
    sums: dict[tuple[int, str, str, str], int] = {}
    accounts: set[tuple[str, str]] = set()
    for number in range(count):
        at_ms = (START_S + day * DAY_S) * 1000 + number * DAY_S * 1000 // count
        user = f"user-{number * 7919 % USERS}"
        key, model = f"key_{number % KEYS}", f"model-{number % MODELS}"
        calls.append(_call(at_ms, number, key, user, model))
        place = (at_ms // 1000 // HOUR_S, key, user, model)
        sums[place] = sums.get(place, 0) + 1
        accounts.add((f"user:{user}", day_of(at_ms / 1000)))
    places = ", ".join("?" * len(CALL_COLUMNS))
    with connection:
        connection.executemany(f"INSERT INTO calls ({', '.join(CALL_COLUMNS)}) VALUES ({places})", calls)
        connection.executemany(
            "INSERT INTO usage_hourly VALUES (?, ?, ?, ?, ?, 214, 331, 128, 0, 0, 541200, 0)",
            [(*place, calls_of) for place, calls_of in sums.items()],
        )
        connection.executemany("INSERT OR IGNORE INTO accounts VALUES (?, ?, 541200, 0, 0)", list(accounts))
    connection.close()


def _call(at_ms: int, number: int, key: str, user: str, model: str) -> tuple[object, ...]:
    return (
        f"{first_id_at(at_ms)}53a7b02c5900869a{number:06x}", at_ms, "/v1/chat/completions", key, user, model,
        "openai", 0, 200, "ok", None, 1850.1, 403.1, USAGE, 6_553_840, 541_200, 0, 0, DECISIONS, ATTEMPTS, 0,
        None,
    )  # fmt: skip


async def _trim(store: SqliteStore, keep_days: int, now: float) -> None:
    """Trim as a gateway does, but for the pauses."""
    trimming = Trimming(store, Keep(keep_days, 400), lambda: now)
    while await trimming.step():
        pass


async def _trim_calmly(store: SqliteStore, keep_days: int, now: float) -> None:
    """Trim for ten seconds with the pauses that a gateway makes."""
    trimming = Trimming(store, Keep(keep_days, 400), lambda: now)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for _ in range(TRIM_STEPS):
            await trimming.step()
        await asyncio.sleep(WATCH_S)


async def _ask(name: str, store: SqliteStore, days: int) -> None:
    """Print how long the usual questions take, the median of five."""
    end_ms = (START_S + days * DAY_S) * 1000
    month = {"since_ms": end_ms - 31 * DAY_S * 1000, "until_ms": end_ms}
    log = store.call_log
    newest = (await log.newest(key_id=None, before=None, limit=1))[0]
    questions: dict[str, Callable[[], Awaitable[object]]] = {
        "newest 100": lambda: log.newest(key_id=None, before=None, limit=100),
        "newest 100 of a key": lambda: log.newest(key_id="key_1", before=None, limit=100),
        "find one": lambda: log.find(newest.id),
        "usage by model, 31 days": lambda: log.usage(by="model", **month),
        "usage by user, 31 days": lambda: log.usage(by="user", **month),
    }
    for question, ask in questions.items():
        took = []
        for _ in range(5):
            begun = time.perf_counter()
            await ask()
            took.append(time.perf_counter() - begun)
        print(f"  {name:8} {question:26} {median(took) * 1000:8.2f} ms")


async def _hold_while_trimming(store: SqliteStore, stated: argparse.Namespace) -> None:
    """Print what holds of 16 callers took with and without a trimming that has everything to do."""
    quiet = await _delays(store, asyncio.sleep(SECONDS))
    now = float(START_S + stated.days * DAY_S)
    busy = await _delays(store, _trim_calmly(store, stated.keep, now))
    for name, delays in (("quiet", quiet), ("while trimming", busy)):
        delays.sort()
        at = [delays[int(len(delays) * share)] * 1000 for share in (0.5, 0.99)]
        print(
            f"  holds of 16 callers, {name:15} p50 {at[0]:6.2f} ms   p99 {at[1]:6.2f} ms   longest"
            f" {delays[-1] * 1000:6.2f} ms   ({len(delays):,})"
        )


async def _delays(store: SqliteStore, until: Awaitable[object]) -> list[float]:
    delays: list[float] = []
    over = asyncio.ensure_future(until)

    async def caller(number: int) -> None:
        turn = 0
        while not over.done():
            turn += 1
            name = f"hold_{id(delays)}_{number}_{turn}"
            begun = time.perf_counter()
            await store.ledger.hold(_hold(name))
            delays.append(time.perf_counter() - begun)
            row = CallRow(id=name, at_ms=START_S * 1000)
            await store.ledger.settle(Settlement(name, Money(10), Money(0), Usage(input=1, output=9), row))

    await asyncio.gather(*(caller(number) for number in range(16)))
    return delays


def _hold(name: str) -> Ask:
    accounts = tuple(Account("global", period, Money(10**15)) for period in ("2026-11-21", "2026-11", "life"))
    return Ask(
        hold_id=name,
        accounts=AccountSet.of(accounts),
        input_tokens=10,
        is_counted=True,
        input_rate=PER_MILLION,
        output_rate=PER_MILLION,
        wanted_tokens=10,
        is_declared=True,
        waited=False,
        row=CallRow(id=name, at_ms=0),
    )


if __name__ == "__main__":
    asyncio.run(main())
