"""How many holds and settlements a second the ledger takes, on the SQLite file and on Postgres, durably.

python benchmarks/ledger.py [--seconds 3] [--rounds 5]

Every pair is a hold on four accounts, one of which all clients share, and its settlement; a client waits for
the hold alone, and at the end everything must be on disk. Postgres comes from a package and runs with its
usual settings, `fsync` and `synchronous_commit` on; it shares the machine.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.fixtures.ledgers import ask, settlement
from tests.fixtures.servers import PostgresServer

from seawall.core.ledger import Held
from seawall.homes import Store
from seawall.server.serving import SWITCH_S
from seawall.stores.postgres.ledger import PostgresLedger
from seawall.stores.postgres.store import PostgresStore
from seawall.stores.sqlite.ledger import SqliteLedger
from seawall.stores.sqlite.store import SqliteStore

CLIENTS = (1, 16, 32, 200)
PLENTY = 10**15


class Round(Struct):
    """What one round measures: pairs a second, the wait for a hold, CPU of this process alone."""

    pairs: float
    hold_p50_ms: float
    hold_p99_ms: float
    cpu_us: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_S)  # As in the gateway.
    with ExitStack() as stack:
        server = PostgresServer({})
        stack.callback(server.remove)
        server.start()
        homes: dict[str, Callable[[], Store]] = {
            "SQLite": lambda: SqliteStore(Path(stack.enter_context(tempfile.TemporaryDirectory()))),
            "Postgres": lambda: PostgresStore(server.create()),
        }
        found: dict[tuple[str, int], list[Round]] = {}
        for _ in range(options.rounds):
            for clients in CLIENTS:
                for name, open_home in homes.items():
                    found.setdefault((name, clients), []).append(
                        asyncio.run(measure(open_home, clients, options.seconds))
                    )
    print(f"{'':10}{'clients':>8}{'pairs/s':>10}{'(range)':>18}{'hold p50':>10}{'p99':>10}{'CPU a pair':>12}")
    for (name, clients), rounds in sorted(found.items()):
        print_line(name, clients, rounds)


def print_line(name: str, clients: int, rounds: list[Round]) -> None:
    """Print the medians of some rounds."""
    pairs = [each.pairs for each in rounds]
    p50, p99, cpu = (
        statistics.median(getattr(each, what) for each in rounds)
        for what in ("hold_p50_ms", "hold_p99_ms", "cpu_us")
    )
    middle, spread = f"{statistics.median(pairs):,.0f}", f"{min(pairs):,.0f}-{max(pairs):,.0f}"
    print(f"{name:10}{clients:>8}{middle:>10}{spread:>18}{p50:>7.1f} ms{p99:>7.1f} ms{cpu:>9.0f} us")


async def measure(
    open_home: Callable[[], SqliteStore | PostgresStore], clients: int, seconds: float
) -> Round:
    """Let clients hold and settle one after the other for some seconds."""
    store = open_home()
    waits: list[float] = []
    end = time.perf_counter() + seconds
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client(store.ledger, number, end, waits) for number in range(clients)))
    [standing] = await store.ledger.standings([ask("x", 1, ("global", "life", PLENTY)).accounts.accounts[0]])
    took, used = time.perf_counter() - began, time.process_time() - cpu
    assert (standing.spent, standing.held) == (8 * len(waits), 0), "the ledger is not exact"
    assert await asyncio.to_thread(store.close)
    waits.sort()
    return Round(
        len(waits) / took,
        waits[len(waits) // 2] * 1000,
        waits[len(waits) * 99 // 100] * 1000,
        used / len(waits) * 1e6,
    )


async def client(ledger: SqliteLedger | PostgresLedger, number: int, end: float, waits: list[float]) -> None:
    """Hold and settle until the time is over."""
    accounts = (
        ("global", "life", PLENTY), ("key:a", "2026-11", PLENTY), (f"user:{number}", "2026-11-21", PLENTY),
        ("user:x", "life", None),
    )  # fmt: skip
    made = 0
    while time.perf_counter() < end:
        made += 1
        hold_id = f"call_{number}_{made}"
        start = time.perf_counter()
        answer = await ledger.hold(ask(hold_id, 10, *accounts))
        waits.append(time.perf_counter() - start)
        assert isinstance(answer, Held)
        ledger.settle(settlement(hold_id, 8, held=10))  # Nobody waits for it, as in the gateway.


if __name__ == "__main__":
    main()
