"""What figures for Prometheus cost a call, in microseconds, and what a scrape takes: the best of rounds.

python benchmarks/metrics.py
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast

from seawall.core.answers import CacheNote
from seawall.core.call import Call, Request, Route, Try
from seawall.core.money import Money, Price, Rate, Rates, Usage
from seawall.core.policy import Credentials, Principal
from seawall.server.metrics.exposition import write_page
from seawall.server.metrics.recorder import Recorder
from seawall.server.metrics.values import Values
from seawall.wire.chat.request import read_request

ROUNDS, CALLS = 9, 20_000
MODELS = tuple(f"model-{number}" for number in range(20))


async def main() -> None:
    """Measure and print."""
    recorder = Recorder(frozenset(MODELS))
    now = time.time()
    plain, refused = _ended(MODELS[0], now), _refused(now)
    for name, work in {
        "count a call with one attempt": lambda: recorder(plain, now + 1.0),
        "count a refusal": lambda: recorder(refused, now + 0.001),
        "the same into nothing": lambda: _nothing(plain, now),
    }.items():
        print(f"{name:40}{_best_us(work, CALLS):6.2f} us")
    for model in MODELS:
        for code in (None, "upstream_timeout", "budget_exhausted"):
            call = _ended(model, now)
            call.code, call.outcome = code, "ok" if code is None else "failed"
            recorder(call, now + 1.0)
    print(f"{'write a scrape of 20 models':40}{_best_us(lambda: _scrape(recorder), 5) / 1000:6.2f} ms")


def _ended(model: str, now: float) -> Call:
    call = _call(now)
    request = _request(model)
    price = Price(Rates(input=Rate(10), output=Rate(30)), source="made up")
    call.principal, call.request = Principal(key_id="key_1", key_name="k"), request
    call.route, call.outcome, call.first_event_at = Route("openai", model, price), "ok", call.began_at
    call.usage, call.cost, call.cache = Usage(input=200, output=300), Money(11_000), CacheNote("miss")
    call.tries.append(Try("openai", model, "chat", "complete", Money(50_000), Money(11_000), True, 980.0))
    return call


def _refused(now: float) -> Call:
    call = _call(now)
    call.outcome, call.code, call.status = "refused", "invalid_api_key", 401
    return call


def _call(now: float) -> Call:
    nobody: Any = None
    task = asyncio.current_task()
    assert task is not None
    return Call(
        "call_1",
        task=task,
        endpoint="/v1/chat/completions",
        received_at=now,
        credentials=Credentials(),
        read=nobody,
    )


def _request(model: str) -> Request:
    body = {"model": model, "messages": [{"role": "user", "content": "Which sea is calm?"}]}
    return read_request(cast(dict[str, Any], body), raw_bytes=90, messages_max=9)


def _nothing(call: Call, now: float) -> None:
    pass


def _scrape(recorder: Recorder) -> bytes:
    values = Values()
    recorder.put_into(values)
    return write_page(values)


def _best_us(work: Callable[[], object], count: int) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(count):
            work()
        best = min(best, time.process_time() - begun)
    return best / count * 1e6


if __name__ == "__main__":
    asyncio.run(main())
