"""Requests with anything done to them, many at once, from seeds of every kind."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.fuzzing import LAST, Target, chunked, request, target_in
from tests.fixtures.gateways import marked
from tests.fixtures.raw_http import PATH

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE = 48
PATIENCE_S = 0.6
KEY, MARKER = "sw-KEY", "z-MARKER"
_BODY = json.dumps(marked(MARKER, "s5", max_tokens=9)).encode()
_STREAM = json.dumps(marked(MARKER, "s5", max_tokens=9, stream=True)).encode()
_ANTHROPIC: dict[str, Any] = {
    "model": "fake-gpt",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": MARKER}],
}
_CHUNKED = (
    f"POST {PATH} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\ntransfer-encoding: chunked\r\n\r\n"
)

SEEDS = [
    request(_BODY, key=KEY),
    request(_STREAM, key=KEY),
    request(_BODY, "connection: close", key=KEY),
    request(_BODY, "expect: 100-continue", key=KEY),
    request(_BODY, "connection: upgrade", "upgrade: h2c", key=KEY),
    request(json.dumps(_ANTHROPIC).encode(), "anthropic-version: 2023-06-01", key=KEY, path="/v1/messages"),
    request(json.dumps({"model": "fake-gpt", "input": MARKER}).encode(), key=KEY, path="/v1/responses"),
    request(_BODY, key=KEY) + request(_STREAM, key=KEY),
    request(_BODY, key=KEY, version="HTTP/1.0"),
    _CHUNKED.encode() + chunked(_BODY),
    _CHUNKED.encode() + chunked(_BODY[:40], _BODY[40:], end=b"0\r\nx-trailer: 1\r\n\r\n"),
    LAST,
    b"OPTIONS /v1/chat/completions HTTP/1.1\r\nhost: a\r\norigin: https://a.example\r\n"
    b"access-control-request-method: POST\r\n\r\n",
    f"GET /v1/models HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\n\r\n".encode(),
    b"GET /admin/v1/calls?limit=5&before=call_x HTTP/1.1\r\nhost: a\r\nauthorization: Bearer wrong\r\n\r\n",
]

TOKENS = [
    b"\r\n", b"\n", b"\r", b"\x00", b" ", b"\t", b":", b";", b",", b"0", b"0\r\n\r\n", b"\xff", b"\x80", b"%00", b"\r\n ",
    b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Connection: close\r\n",
    b"Connection: keep-alive, upgrade\r\nUpgrade: h2c\r\n", b"Expect: 100-continue\r\n", b"Host: b\r\n", b"HTTP/1.1", b"HTTP/1.0",
    b"ffffffff\r\n", b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n", b'"', b"{", b"}", b"\\u0000", b"\\ud800", b"1e999", b"\xef\xbb\xbf",
    b"seawall-user: \xff\r\n", b"Origin: null\r\n", b"Cache-Control: max-age=99999999999999999999\r\n", b"Authorization: Bearer \r\n",
]  # fmt: skip

places = st.floats(0, 1, exclude_max=True)
"""Where in a request something is done."""


@st.composite
def mutated(draw: st.DrawFn) -> tuple[list[bytes], bool]:
    """Draw a seed with a few things done to it, cut into pieces; and whether to rest between these."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        at, to = sorted(int(draw(places) * len(data)) for _ in range(2))
        kind = draw(
            st.sampled_from(["insert", "insert", "delete", "repeat", "flip", "splice", "cut", "swap"])
        )
        if kind == "insert":
            data = data[:at] + draw(st.sampled_from(TOKENS)) + data[at:]
        elif kind == "delete":
            data = data[:at] + data[min(to, at + 20) :]
        elif kind == "repeat":
            data = data[:at] + data[at:to] * draw(st.integers(2, 30)) + data[to:]
        elif kind == "flip" and data:
            data = data[:at] + bytes([data[at] ^ draw(st.integers(1, 255))]) + data[at + 1 :]
        elif kind == "splice":
            other = draw(st.sampled_from(SEEDS))
            data = data[:at] + other[int(draw(places) * len(other)) :]
        elif kind == "swap":
            data = data[:at] + data[at:to].swapcase() + data[to:]
        else:
            data = data[:to]
    cuts = sorted({0, *(int(draw(places) * len(data)) for _ in range(draw(st.integers(0, 3)))), len(data)})
    return [data[a:b] for a, b in pairwise(cuts)], draw(st.booleans())


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    """Run one for all tests of this module; it must be unharmed in the end."""
    async with target_in(tmp_path_factory.mktemp("mutations")) as made:
        yield made
        await made.assert_unharmed()


async def throw_all(target: Target, batch: list[tuple[list[bytes], bool]]) -> None:
    """Throw all of a batch at once, each with a marker of its own."""

    async def one(pieces: list[bytes], rests: bool) -> None:
        own = target.marker()
        sent: list[bytes | float] = []
        for piece in pieces:
            sent += [piece.replace(KEY.encode(), target.key.encode()).replace(MARKER.encode(), own.encode())]
            sent += [0.02] if rests else []
        await target.throw(*sent, own=own, patience_s=PATIENCE_S)

    await asyncio.gather(*(one(*each) for each in batch))


batches = st.lists(mutated(), min_size=AT_ONCE, max_size=AT_ONCE)
any_size = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


@settings(max_examples=6, suppress_health_check=any_size)
@given(batch=batches)
async def test_no_mutation_harms_the_gateway(target: Target, batch: list[tuple[list[bytes], bool]]) -> None:
    await throw_all(target, batch)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@settings(max_examples=400, suppress_health_check=any_size, derandomize=False)
@given(batch=batches)
async def test_no_mutation_of_very_many_harms_the_gateway(
    target: Target, batch: list[tuple[list[bytes], bool]]
) -> None:
    await throw_all(target, batch)
    await target.assert_unharmed()
