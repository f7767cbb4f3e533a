"""How long does advice on a million calls take, and do calls wait for it? A SQLite file, written in bulk.

python benchmarks/advise.py                       # about three minutes
python benchmarks/advise.py --calls 100000 --folder /tmp/month

The calls are of 30 days until now: 5,000 users of whom few call often, 3 models, a third of the questions
asked before, conversations of a few turns, with the ups and downs of a day. A folder that is named is kept,
and used again.
"""

import argparse
import asyncio
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import nullcontext
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path
from statistics import median

import msgspec

from seawall.advising import advise, gather
from seawall.core.call import first_id_at
from seawall.core.ledger import Account, AccountSet, Ask, CallRow, Settlement
from seawall.core.money import PER_MILLION, Money, Usage
from seawall.core.traffic import Shape
from seawall.server.serving import SWITCH_S
from seawall.settings import Settings
from seawall.settings.load import load_settings
from seawall.stores.accounting import CALL_COLUMNS
from seawall.stores.sqlite.connection import open_file
from seawall.stores.sqlite.store import SqliteStore
from seawall.summing import HourlySums, catch_up, hours_until_now

DAY_S, HOUR_S = 86_400, 3_600
DAYS = 30
USERS, KEYS, QUESTIONS = 5_000, 3, 10_000
MODELS = {
    "gpt-4.1-mini": (400_000, 1_600_000),
    "gpt-4.1": (2_000_000, 8_000_000),
    "claude-haiku-4-5": (10**6, 5 * 10**6),
}
CALLERS, SECONDS = 16, 8.0
Sums = dict[tuple[int, str, str, str], list[int]]
DECISIONS = (
    '[{"step":"hold_budget","verdict":"allow","why":"enough is left for 4096 output tokens"},'
    '{"step":"settle","verdict":"complete","why":"as the provider says"}]'
)
ATTEMPTS = (
    '[{"provider":"openai","model":"%s","dialect":"chat","ending":"complete","held":6553840,"cost":%d,'
    '"exact":true,"took_ms":1834.201}]'
)
START = "from seawall.cli.start import main; main()"
CONFIG = 'stage = "beta"\n[budget]\ndaily_usd = "500.00"\n[log]\nkeep_days = 31\n'


async def main() -> None:
    """Fill a folder, ask, and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    stated = parser.parse_args()
    named: Path | None = stated.folder
    with tempfile.TemporaryDirectory() if named is None else nullcontext(named) as place:
        folder = Path(place)
        settings = _settings(folder)
        now = _fill(folder, settings, stated.calls)
        store = SqliteStore(settings.data_dir)
        _begin_again(settings)
        await _time("summing up what is over", lambda: catch_up(store, now, settings.log.keep_days), times=1)
        await _ask(settings, store, now)
        await _hold_beside(settings, store, folder, now)
        store.close()
        _run_command(folder)


def _settings(folder: Path) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "seawall.toml").write_text(CONFIG, encoding="utf-8")
    return load_settings(folder / "seawall.toml", {}, {}, folder)


def _fill(folder: Path, settings: Settings, count: int) -> float:
    """Write the calls with their sums, unless they are there; returns the moment at which they end."""
    mark = folder / "filled.json"
    if mark.exists():
        return float(json.loads(mark.read_text(encoding="utf-8")))
    settings.data_dir.mkdir(exist_ok=True)
    SqliteStore(settings.data_dir).close()
    now, begun = time.time(), time.perf_counter()
    connection = open_file(settings.data_dir / "seawall.db")
    sums: Sums = {}
    places = ", ".join("?" * len(CALL_COLUMNS))
    with connection:
        connection.executemany(
            f"INSERT INTO calls ({', '.join(CALL_COLUMNS)}) VALUES ({places})", _calls(count, now, sums)
        )
        connection.executemany(
            "INSERT INTO usage_hourly VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, 0)",
            ((*place, *used) for place, used in sorted(sums.items())),
        )
    connection.close()
    mark.write_text(json.dumps(now), encoding="utf-8")
    size = sum(path.stat().st_size for path in settings.data_dir.glob("seawall.db*")) / 1e6
    print(f"{count:,} calls of {DAYS} days, {len(sums):,} sums by hour and user, {size:,.0f} MB,"
          f" written in {time.perf_counter() - begun:.0f} s\n")  # fmt: skip
    return now


def _calls(count: int, now: float, sums: Sums) -> Iterator[tuple[object, ...]]:
    """Yield rows of calls, the oldest first, and add up what they cost."""
    chance = random.Random(20_261_127)
    users = [f"user-{number}" for number in range(USERS)]
    user_weights = list(accumulate(1 / (number + 20) for number in range(USERS)))
    models, model_weights = list(MODELS), list(accumulate((70, 20, 10)))
    for number in range(count):
        # Time runs faster at night, so that fewer calls are made then.
        along = number / count * DAYS
        at_s = now + (along - DAYS + math.sin(along * 2 * math.pi) * 0.12) * DAY_S
        at_ms = min(int(at_s * 1000), int(now * 1000) - count + number)
        [user] = chance.choices(users, cum_weights=user_weights)
        [model] = chance.choices(models, cum_weights=model_weights)
        key = f"key_{number % KEYS}"
        asked = _asked(number, model, chance)
        cost = (asked.input * MODELS[model][0] + asked.output * MODELS[model][1]) // 1_000
        used = sums.setdefault((at_ms // 1000 // HOUR_S, key, user, model), [0, 0, 0, 0])
        for place, amount in enumerate((1, asked.input, asked.output, cost)):
            used[place] += amount
        took, is_stream = chance.lognormvariate(7.4, 0.6), number % 2
        outcome, status, code = ("ok", 200, None) if number % 50 else ("left", 499, "client_gone")
        yield (
            f"{first_id_at(at_ms)}53a7b02c5900869a{number:06x}", at_ms, "/v1/chat/completions", key, user,
            model, "openai", is_stream, status, outcome, code, took, took / 5 if is_stream else None,
            f'{{"input":{asked.input},"output":{asked.output}}}', 6_553_840, cost, 0, 0, DECISIONS,
            ATTEMPTS % (model, cost), 0, asked.shape,
        )  # fmt: skip


class Asked(msgspec.Struct):
    """What one call asks: its tokens and its shape."""

    input: int
    output: int
    shape: str


def _asked(number: int, model: str, chance: random.Random) -> Asked:
    is_repeat = chance.random() < 0.33
    question = int(chance.paretovariate(0.5)) % QUESTIONS if is_repeat else number + QUESTIONS
    turns = 1 if is_repeat else min(12, 1 + int(chance.expovariate(0.8)))
    tokens = int(chance.lognormvariate(5.5, 0.8)) + 120 * (turns - 1)
    hashed = blake2b(f"{model} {question}".encode(), digest_size=24).digest()
    shape = Shape(
        exact=hashed[:8],
        normal=hashed[8:16],
        head=b"\1" * 8,
        head_bytes=300,
        whole=hashed[16:],
        before=b"" if turns == 1 else hashed[:8],
        whole_bytes=tokens * 4,
        history_bytes=480 * (turns - 1),
        turns=turns,
        wanted_tokens=0 if number % 3 else 1_024,
        is_cacheable=True,
    )
    return Asked(tokens, int(chance.lognormvariate(5.3, 0.7)), msgspec.json.encode(shape).decode())


async def _ask(settings: Settings, store: SqliteStore, now: float) -> None:
    """Print how long each question takes."""
    until = int(now) // HOUR_S + 1
    first = until - DAYS * 24
    span = {"since_ms": first * HOUR_S * 1000, "until_ms": int(now * 1000) + 1}
    questions: dict[str, Callable[[], Awaitable[object]]] = {
        "hours, with the present one": lambda: hours_until_now(store, first, now),
        "users": lambda: store.traffic.users(first, until),
        "the newest 100,000 calls": lambda: store.traffic.asked(**span, at_most=100_000),
        "gather": lambda: gather(settings, store, now, DAYS),
        "gather and all advice": lambda: advise(settings, store, now, days=DAYS),
    }
    for question, ask in questions.items():
        await _time(question, ask)


async def _time(question: str, ask: Callable[[], Awaitable[object]], times: int = 5) -> None:
    """Print how long a question takes, the median, and the processor's time for it."""
    took, worked = [], []
    for _ in range(times):
        begun, worked_before = time.perf_counter(), time.process_time()
        await ask()
        took.append(time.perf_counter() - begun)
        worked.append(time.process_time() - worked_before)
    print(f"  {question:30} {median(took):8.2f} s   {median(worked):8.2f} s of CPU")


async def _hold_beside(settings: Settings, store: SqliteStore, folder: Path, now: float) -> None:
    """Print what holds of some callers take while nothing else goes on, and beside advice and summing up."""

    async def advise_here() -> None:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            await advise(settings, store, now, days=DAYS)

    async def advise_elsewhere() -> None:
        command = await asyncio.create_subprocess_exec(*_command(folder), stdout=asyncio.subprocess.DEVNULL)
        await command.wait()

    async def sum_up() -> None:
        _begin_again(settings)
        sums = HourlySums(store, settings.log.keep_days, lambda: now)
        sums.start()
        await asyncio.sleep(SECONDS)
        await sums.stop()

    print()
    for name, beside in {
        "alone": lambda: asyncio.sleep(SECONDS),
        "while this process advises": advise_here,
        "while `seawall advise` runs": advise_elsewhere,
        "while hours are summed up": sum_up,
    }.items():
        delays = sorted(await _delays(store, beside()))
        at = [delays[int(len(delays) * share)] * 1000 for share in (0.5, 0.99)]
        print(
            f"  holds of {CALLERS}, {name:28} p50 {at[0]:6.2f} ms   p99 {at[1]:6.2f} ms   longest"
            f" {delays[-1] * 1000:6.2f} ms   ({len(delays):,})"
        )
    await catch_up(store, now, settings.log.keep_days)


def _begin_again(settings: Settings) -> None:
    """Forget what is summed up, as in a file that an older version wrote."""
    connection = open_file(settings.data_dir / "seawall.db")
    connection.execute("UPDATE traffic_summed SET until = 0")
    connection.close()


async def _delays(store: SqliteStore, until: Awaitable[object]) -> list[float]:
    delays: list[float] = []
    over = asyncio.ensure_future(until)

    async def caller(number: int) -> None:
        turn = 0
        while not over.done():
            turn += 1
            name = f"{first_id_at(int(time.time() * 1000))}{id(delays)}_{number}_{turn}"
            begun = time.perf_counter()
            await store.ledger.hold(_hold(name))
            delays.append(time.perf_counter() - begun)
            row = CallRow(id=name, at_ms=int(time.time() * 1000))
            await store.ledger.settle(Settlement(name, Money(10), Money(0), Usage(input=1, output=9), row))
            await asyncio.sleep(0.01)  # As many as a busy gateway has, and not as many as there could be.

    await asyncio.gather(*(caller(number) for number in range(CALLERS)))
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


def _command(folder: Path) -> list[str]:
    config, data = folder / "seawall.toml", folder / ".seawall"
    return [sys.executable, "-c", START, "advise", "--config", str(config), "--data", str(data)]


def _run_command(folder: Path) -> None:
    """Print how long the command takes, its start included."""
    begun = time.perf_counter()
    subprocess.run([*_command(folder), "--format", "json"], check=True, stdout=subprocess.DEVNULL)
    print(f"\n  `seawall advise`, as a command  {time.perf_counter() - begun:8.2f} s")


if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_S)  # As a gateway does.
    asyncio.run(main())
