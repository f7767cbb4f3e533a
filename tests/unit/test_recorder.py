"""Labels stay bounded, whatever callers and providers write."""

import asyncio
import subprocess
import sys
from typing import Any

from seawall.core.call import Call, Route
from seawall.core.money import Price, Rate, Rates
from seawall.core.policy import Credentials
from seawall.server.metrics import families
from seawall.server.metrics.recorder import LEARNED_MAX, OTHER, VENDOR, Recorder
from seawall.server.metrics.values import Values
from seawall.wire.chat.request import read_request

FREE = Price(Rates(input=Rate(0), output=Rate(0)))


async def ended(model: str, outcome: str = "ok", *, code: str | None = None, is_routed: bool = True) -> Call:
    """Return a call that has ended."""
    task = asyncio.current_task()
    assert task is not None
    nobody: Any = None
    call = Call(
        "call_1",
        task=task,
        endpoint="/v1/chat/completions",
        received_at=1.0,
        credentials=Credentials(),
        read=nobody,
    )
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    call.request = read_request(body, raw_bytes=90, messages_max=9)
    call.route = Route("local", model, FREE) if is_routed else None
    call.outcome, call.code = outcome, code
    return call


def labels(recorder: Recorder, place: int) -> set[str]:
    """Return the values of one label of the counted calls."""
    values = Values()
    recorder.put_into(values)
    return {sample.labels[place] for sample in values if sample.name == families.CALLS.name}


MODEL, CODE = families.CALLS.labels.index("model"), families.CALLS.labels.index("code")


async def test_a_name_that_is_on_no_list_is_learned_once_a_provider_has_answered_to_it() -> None:
    recorder = Recorder(frozenset({"gpt-4.1"}))
    for call in (
        await ended("gpt-4.1"),
        await ended("gpt-4.1-2025-04-14"),
        await ended("asked-for", "refused", is_routed=False),
        await ended("not-there", "failed"),
    ):
        recorder(call, 2.0)
    assert labels(recorder, MODEL) == {"gpt-4.1", "gpt-4.1-2025-04-14", OTHER}


async def test_what_looks_like_no_name_is_never_learned() -> None:
    recorder = Recorder(frozenset())
    for name in ("two words", "a\nb", "ü", "x" * 101, "-x", 'a"b', "{a}"):
        recorder(await ended(name), 2.0)
    assert labels(recorder, MODEL) == {OTHER}


async def test_no_more_names_are_learned_than_so_many() -> None:
    recorder = Recorder(frozenset())
    for number in range(LEARNED_MAX + 50):
        recorder(await ended(f"local-{number}"), 2.0)
    assert len(labels(recorder, MODEL)) == LEARNED_MAX + 1


async def test_codes_of_providers_are_one_label() -> None:
    recorder = Recorder(frozenset())
    for code in (None, "rate_limit_exceeded", "a_vendors_own", "another"):
        recorder(await ended("m", "failed", code=code), 2.0)
    assert labels(recorder, CODE) == {"", "rate_limit_exceeded", VENDOR}


def test_a_gateway_starts_without_the_library_of_prometheus() -> None:
    program = "import sys, seawall.app; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
