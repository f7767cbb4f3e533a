"""A closed-loop load generator: N connections, each body numbered afresh, every answer checked; prints JSON.

A good whole answer has status 200 and a usage; a good stream has status 200 and ends with [DONE].
"""

import argparse
import asyncio
import random
import sys
import time
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import msgspec
import uvloop

FILLER = "The tide comes in over the sand and the wall holds it back until the wind turns. "
NUMBERS_PER_S = 10_000
"""Numbering goes on with the clock and faster than calls are made, so that no load asks what an earlier one
has asked: no cache can answer.
"""
NUMBERS_MAX = 90_000_000


@dataclass(slots=True)
class Tally:
    """What came back; times in microseconds."""

    ok: int = 0
    bad: int = 0
    first_bad: str = ""
    events: int = 0
    latencies: list[int] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    lags: list[int] = field(default_factory=list)
    open_now: int = 0
    open_peak: int = 0

    def fail(self, why: str) -> None:
        """Count a bad answer and keep the first one's reason."""
        self.bad += 1
        self.first_bad = self.first_bad or why[:300]


@dataclass(slots=True)
class Load:
    """What every connection sends: head and body with a number between them, until the deadline."""

    before: bytes
    after: bytes
    is_stream: bool
    is_over: bool = False
    sent: int = 0
    is_same: bool = False
    expected: int = 200
    pause_s: float = 0.0
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    def next_request(self) -> bytes:
        """Return the next request; its number has eight digits, so that its length never changes."""
        self.sent += not self.is_same
        return b"%b%08d%b" % (self.before, self.sent, self.after)


class Client(asyncio.Protocol):
    """One connection: sends, waits for the end of the answer, checks it, sends again."""

    def __init__(self, load: Load, tally: Tally) -> None:
        self._load, self._tally = load, tally
        self.transport: asyncio.Transport
        self._parser: Any = None
        self._started = self._status = self._mark = 0
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self.transport = cast(asyncio.Transport, transport)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count an answer that was cut short."""
        if self._started:
            self._tally.open_now -= 1
            if not self._load.is_over:
                self._tally.fail(f"connection lost: {exc!r}")

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._tally.fail(repr(error))
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """Take the status."""
        self._status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        """Count events, and how late the last of them is."""
        if not self._load.is_stream or self._status != 200:
            self._tail += body
            return
        data = self._tail + body
        seen, tally = data.count(b'data: {"'), self._tally
        if seen and not self._mark:
            self._mark = 1
            tally.firsts.append(_now_us() - self._started)
        tally.events += seen
        at = data.rfind(b'"x_at_us":')
        if at >= 0:
            stamp, comma, _ = data[at + 10 : at + 40].partition(b",")
            if comma:
                tally.lags.append(_now_us() - int(stamp))
        self._tail = data[-7:] if not data.endswith(b"[DONE]\n\n") else data[-14:]

    def on_message_complete(self) -> None:
        """Check the answer and send the next request."""
        tally, wanted = self._tally, b"[DONE]" if self._load.is_stream else b'"usage"'
        tally.open_now -= 1
        is_good = self._status == self._load.expected
        if is_good and (wanted in self._tail or self._status != 200):
            tally.ok += 1
            tally.latencies.append(_now_us() - self._started)
        else:
            tally.fail(f"{self._status} {self._tail.decode(errors='replace')}")
        self._started = 0
        if self._load.pause_s:
            pause_s = self._load.dice.uniform(0.0, self._load.pause_s)
            asyncio.get_running_loop().call_later(pause_s, self._send_next)
            return
        self._send_next()

    def _send_next(self) -> None:
        """Go on, unless the load is over."""
        if not self._load.is_over:
            self._send()

    def _send(self) -> None:
        """Send the next request."""
        tally = self._tally
        tally.open_now += 1
        tally.open_peak = max(tally.open_peak, tally.open_now)
        self._parser = httptools.HttpResponseParser(self)
        self._tail, self._mark, self._started = b"", 0, _now_us()
        self.transport.write(self._load.next_request())


async def drive(options: argparse.Namespace) -> dict[str, Any]:
    """Run the load and return the figures."""
    url = urlsplit(options.url)
    load, tally = _load(options, url.netloc, url.path), Tally()
    load.sent = int(time.time() * NUMBERS_PER_S) % NUMBERS_MAX
    loop = asyncio.get_running_loop()
    started = time.monotonic()
    clients = []
    for _ in range(options.conns):
        _, client = await loop.create_connection(lambda: Client(load, tally), url.hostname, url.port)
        clients.append(client)
        if options.ramp:
            await asyncio.sleep(options.ramp / options.conns)
    await asyncio.sleep(max(0.0, started + options.secs - time.monotonic()))
    load.is_over = True
    took_s = time.monotonic() - started
    events, open_at_end = tally.events, tally.open_now
    for client in clients:
        client.transport.abort()
    await asyncio.sleep(0.05)
    return {
        "ok": tally.ok, "bad": tally.bad, "first_bad": tally.first_bad, "secs": took_s,
        "rps": tally.ok / took_s, "events": events, "events_s": events / took_s,
        "open_peak": tally.open_peak, "open_at_end": open_at_end,
        **_spread("latency", tally.latencies), **_spread("first", tally.firsts), **_spread("lag", tally.lags),
    }  # fmt: skip


def _load(options: argparse.Namespace, host: str, path: str) -> Load:
    """Write the request once, with a gap where its number goes."""
    fields: dict[str, Any] = {
        "model": options.model,
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "Request @@@@@@@@: "},
        ],
        "max_tokens": options.max_tokens,
    }
    if options.stream:
        fields |= {"stream": True, "stream_options": {"include_usage": True}}
    if options.mock:
        fields["x_mock"] = options.mock
    missing = options.body_bytes - len(msgspec.json.encode(fields))
    fields["messages"][1]["content"] += (FILLER * (1 + max(0, missing) // len(FILLER)))[: max(0, missing)]
    body = msgspec.json.encode(fields)
    user = f"seawall-user: {options.user}\r\nseawall-client-ip: 203.0.113.7\r\n" if options.user else ""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {options.key}\r\n"
        f"content-type: application/json\r\naccept: application/json\r\nuser-agent: seawall-loadgen/1\r\n"
        f"{user}content-length: {len(body)}\r\n\r\n"
    )
    before, _, after = body.partition(b"@@@@@@@@")
    return Load(
        head.encode() + before,
        after,
        is_stream=options.stream,
        is_same=options.same,
        expected=options.expect,
        pause_s=options.pause,
    )


def _spread(name: str, values: list[int]) -> dict[str, int]:
    """Return the median and the 99th percentile in microseconds; 0 where nothing was measured."""
    ordered = sorted(values) or [0]
    return {f"{name}_p50_us": ordered[len(ordered) // 2], f"{name}_p99_us": ordered[len(ordered) * 99 // 100]}


def _now_us() -> int:
    """Return the monotonic clock in microseconds, the same one in every process."""
    return time.monotonic_ns() // 1000


def main() -> int:
    """Read the options, drive, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", default="none")
    parser.add_argument("--model", default="fake-gpt")
    parser.add_argument("--mock", default="", help="the mock's suffixes, sent as the field x_mock")
    parser.add_argument("--conns", type=int, default=32)
    parser.add_argument("--secs", type=float, default=4)
    parser.add_argument("--ramp", type=float, default=0, help="seconds over which connections are opened")
    parser.add_argument(
        "--pause", type=float, default=0, help="seconds at most that a client rests before its next call"
    )
    parser.add_argument("--body-bytes", type=int, default=1024)
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--user", default="", help="for whom to call, from one address")
    parser.add_argument("--same", action="store_true", help="send the same body again and again")
    parser.add_argument("--expect", type=int, default=200, help="the status of a good answer")
    print(msgspec.json.encode(uvloop.run(drive(parser.parse_args()))).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
