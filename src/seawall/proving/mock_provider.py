"""A fake model provider that keeps its own bill, on a raw socket, scriptable, in several dialects.

It speaks OpenAI's chat completions, responses and embeddings and Anthropic's messages; their modules say how
strict each is. What each request gets is chosen, in this order, by the `script` callable, by the request's
own field `x_mock` ("s200-g40", or an object), and by the suffixes of its model's name ("fake-gpt-s200-g40");
`Behaviour` and `SUFFIXES` in `mock_behaviour.py` list them all.

Invariants:
- `bill` is what a vendor would charge, whatever became of the connection: the input of every request that
  was accepted, and every token that was generated. A stream stops when its client is noticed to be gone;
  whole answers, faulty answers and answers that never come are billed in full.
- Errors cost nothing, but for 408, 502, 504 and 520-599 without 529: an answer may have been made.
- The usage of a complete answer is what it was billed for.
- Counting tokens costs nothing, and neither does a request that its dialect does not allow.
"""

import argparse
import asyncio
import gc
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import msgspec
import uvloop

from seawall.proving.mock_answers import Count, Terms, load_counter
from seawall.proving.mock_behaviour import Behaviour, read_fields, read_suffixes
from seawall.proving.mock_connection import Connection, Desk, Seen, Stream
from seawall.proving.mock_dialects import Dialect, speak_all
from seawall.proving.mock_frames import Refused, error_body
from seawall.proving.mock_whole import Whole, reply

Script = Callable[[Seen], Behaviour | None]
"""Looks at a request and chooses its behaviour; `None` leaves the choice to the request's own words."""

_MODELS_MAX: Final = 10_000
_MAYBE_BILLED: Final = frozenset({408, 502, 504, *range(520, 600)} - {529})


@dataclass(frozen=True, slots=True)
class Sum:
    """Totals over all requests so far."""

    requests: int
    input_tokens: int
    output_tokens: int
    bill: int


class MockProvider:
    """The provider; serves while its `async with` block runs, on loopback only.

    `count` counts the tokens it bills, by default exactly as OpenAI does (o200k). At most `kept_max`
    finished requests are remembered, the newest.
    """

    def __init__(
        self,
        *,
        script: Script | None = None,
        behaviour: Behaviour | None = None,
        terms: Terms | None = None,
        models: Sequence[str] = ("fake-gpt", "fake-embed"),
        count: Count | None = None,
        kept_max: int = 100_000,
    ) -> None:
        self._script, self._models = script, tuple(models)
        self._default = behaviour or Behaviour()
        self.terms = terms or Terms()
        self._dialects = speak_all(self.terms, count or load_counter("o200k"))
        self._by_model: dict[str, Behaviour] = {}
        self._finished: deque[Seen] = deque(maxlen=kept_max)
        self._open: dict[Seen, None] = {}
        self._lock = threading.Lock()
        self._arrived = self._input = self._output = self._bill = 0
        self._desk: Desk | None = None
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def base_url(self) -> str:
        """Return the address to give to a client library, up to and with `/v1`."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def bill(self) -> int:
        """Return what all requests cost so far, in nano-dollars; streams count as far as they have come."""
        return self.total().bill

    @property
    def requests(self) -> list[Seen]:
        """Return all remembered requests in the order of their arrival, finished or not."""
        with self._lock:
            seen = [*self._finished, *self._open]
        return sorted(seen, key=lambda one: one.number)

    @property
    def open_calls(self) -> int:
        """Return the number of answers under way."""
        return len(self._open)

    @property
    def open_connections(self) -> int:
        """Return the number of client connections, idle ones included."""
        return len(self._desk.connections) if self._desk else 0

    @property
    def overlaps(self) -> int:
        """Return how often a request came on a connection whose answer was still under way."""
        return self._desk.overlaps if self._desk else 0

    def total(self) -> Sum:
        """Return the totals over all requests, remembered or not."""
        with self._lock:
            live = list(self._open)
            return Sum(
                requests=self._arrived,
                input_tokens=self._input + sum(seen.input_tokens for seen in live),
                output_tokens=self._output + sum(seen.output_tokens for seen in live),
                bill=self._bill + sum(seen.cost for seen in live),
            )

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes a free one, found in `port` afterwards."""
        loop = asyncio.get_running_loop()
        desk = self._desk = Desk(loop, self._take, self._close_account)
        self._server = await loop.create_server(lambda: Connection(desk), "127.0.0.1", port, backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        assert self._server is not None
        assert self._desk is not None
        self._server.close()
        for connection in list(self._desk.connections):
            connection.transport.abort()
        await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _take(
        self, connection: Connection, method: str, path: str, headers: dict[str, str], raw: bytes
    ) -> None:
        """Record one request and begin its answer."""
        assert self._desk is not None
        self._arrived += 1
        body = _read_json(raw)
        seen = Seen(self._arrived, method, path, headers, raw, body, self._desk.loop.time(), self.terms)
        connection.seen = seen
        with self._lock:
            self._open[seen] = None
        dialect = self._dialects.get(path.partition("?")[0])
        if method == "POST" and dialect is not None:
            self._answer(connection, seen, dialect)
        elif method == "GET" and path == "/v1/models":
            listed = [
                {"id": name, "object": "model", "created": 1, "owned_by": "mock"} for name in self._models
            ]
            reply(connection, seen, 200, msgspec.json.encode({"object": "list", "data": listed}))
        elif method == "GET" and path == "/bill":
            reply(connection, seen, 200, msgspec.json.encode(self.total()))
        else:
            reply(connection, seen, 404, error_body(404))

    def _answer(self, connection: Connection, seen: Seen, dialect: Dialect) -> None:
        """Answer a call as its behaviour says, or refuse it as its vendor would."""
        try:
            behaviour = seen.behaviour = self._behaviour_of(seen)
            plan, writer = dialect.prepare(seen)
        except Refused as refused:
            body = dialect.error(refused.status, refused)
            reply(connection, seen, refused.status, body, headers=dialect.headers)
            return
        except (AttributeError, IndexError, KeyError, TypeError, msgspec.ValidationError):
            reply(connection, seen, 400, dialect.error(400, None), headers=dialect.headers)
            return
        is_billed = behaviour.status < 400 or behaviour.status in _MAYBE_BILLED
        if is_billed and behaviour.fault != "redirect":
            seen.input_tokens, seen.cached_tokens = plan.input_tokens, plan.cached
            seen.thinking_tokens = plan.thinking * plan.choices
            seen.written_5m_tokens, seen.written_1h_tokens = plan.written_5m, plan.written_1h
        wants_stream = dialect.streams and seen.body.get("stream") is True
        if wants_stream and behaviour.status < 400 and behaviour.fault in {"", "badjson"}:
            Stream(connection, seen, plan, writer).start()
            return
        if seen.input_tokens:
            seen.output_tokens = plan.output_tokens
        Whole(connection, seen, writer).start()

    def _behaviour_of(self, seen: Seen) -> Behaviour:
        """Ask the script, then the body's own field, then the model's name."""
        chosen = self._script(seen) if self._script is not None else None
        if chosen is not None:
            return chosen
        if isinstance(seen.body.get("x_mock"), dict):
            by_model = read_suffixes(str(seen.body.get("model")), self._default)
            return read_fields(seen.body["x_mock"], by_model)
        model = f"{seen.body.get('model')}-{seen.body.get('x_mock', '')}"
        behaviour = self._by_model.get(model)
        if behaviour is None:
            behaviour = read_suffixes(model, self._default)
            if len(self._by_model) < _MODELS_MAX:
                self._by_model[model] = behaviour
        return behaviour

    def _close_account(self, seen: Seen) -> None:
        """Add a finished request to the bill."""
        with self._lock:
            del self._open[seen]
            self._finished.append(seen)
            self._input += seen.input_tokens
            self._output += seen.output_tokens
            self._bill += seen.cost


@contextmanager
def run_in_thread(mock: MockProvider | None = None, port: int = 0) -> Iterator[MockProvider]:
    """Serve from a thread with an event loop of its own; the bill and requests can be read from any."""
    provider = mock or MockProvider()
    ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def live() -> None:
        stop = asyncio.Event()
        try:
            await provider.start(port)
        except OSError as error:
            ready.set_exception(error)
            return
        ready.set_result((asyncio.get_running_loop(), stop))
        await stop.wait()
        await provider.stop()

    thread = threading.Thread(target=lambda: uvloop.run(live()), name="mock-provider", daemon=True)
    thread.start()
    loop, stop = ready.result(timeout=10)
    try:
        yield provider
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as a process until SIGTERM or SIGINT; print the base URL once it listens."""
    parser = argparse.ArgumentParser(prog="python -m seawall.proving.mock_provider", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--counter", choices=("o200k", "bytes"), default="o200k")
    parser.add_argument("--kept-max", type=int, default=0, help="how many requests to remember")
    options = parser.parse_args(arguments)

    async def live() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        mock = MockProvider(count=load_counter(options.counter), kept_max=options.kept_max)
        await mock.start(options.port)
        sys.stdout.write(mock.base_url + "\n")
        sys.stdout.flush()
        await stop.wait()
        await mock.stop()

    gc.freeze()
    gc.set_threshold(100_000, 20, 100)  # few objects outlive their request, and it measures others
    uvloop.run(live())
    return 0


def _read_json(raw: bytes) -> dict[str, Any]:
    """Read a JSON object; empty where there is none."""
    try:
        body = msgspec.json.decode(raw) if raw else {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return body if isinstance(body, dict) else {}


if __name__ == "__main__":
    sys.exit(main())
