"""A lean HTTP/1.1 client for one base URL: asyncio and httptools, a pool of idle connections, nothing more.

Invariants:
- A connection goes back to the pool only together with its finished answer, with nothing read beyond it
  and nothing left to write; otherwise it is closed. So one caller's bytes can never reach another.
- Whatever leaves the block closes the connection unless the whole body was read.
- Redirects, cookies, proxies and compression are not followed, kept, used or asked for.
- The head, the body waiting to be read, and every wait have a limit.

Why not a library: docs/decisions/0002-own-http-client.md.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, cast
from urllib.parse import urlsplit

import httptools

from seawall.providers.exchange import Broken, Exchange, NotConnected, Outgoing, TimedOut

HEAD_BYTES_MAX = 64 * 1024
BUFFER_BYTES_MAX = 256 * 1024
IDLE_MAX = 256
IDLE_S = 15.0
CHECK_S = 5.0
"""How often a waiting exchange looks at the clock: its time-outs are kept to within so much."""
HEADS_MAX = 64


class HttpTransport:
    """Carries requests to one base URL; see `exchange.Transport`.

    `connect_to` is the network address to connect to, where it was looked up before. Times in seconds:
    `first_byte_s` until the head of the answer, `between_s` between two pieces of it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_s: float,
        first_byte_s: float,
        between_s: float,
        tls: ssl.SSLContext | None = None,
        connect_to: str | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        assert parts.hostname is not None
        self._is_tls = parts.scheme == "https"
        self._tls = tls
        self._hostname = parts.hostname
        self._connect_to = connect_to or parts.hostname
        self._port = parts.port or (443 if self._is_tls else 80)
        self._path = parts.path.rstrip("/")
        self._host_header = parts.netloc.rpartition("@")[2]
        self.hidden: tuple[str, ...] = (base_url, parts.netloc, parts.hostname)
        self._connect_s, self.first_byte_s, self.between_s = connect_s, first_byte_s, between_s
        self._idle: deque[tuple[float, _Connection]] = deque()
        self._heads: dict[tuple[str, tuple[tuple[str, str], ...]], bytes] = {}

    def exchange(self, outgoing: Outgoing) -> AbstractAsyncContextManager[Exchange]:
        """Send one request and yield its answer once the head has arrived."""
        return _Exchanging(self, outgoing)

    async def take(self) -> "_Connection":
        """Return the connection that was used last, dropping those that are closed or were idle too long."""
        while self._idle:
            since, connection = self._idle.pop()
            if connection.is_reusable and connection.loop.time() - since < IDLE_S:
                return connection
            connection.abort()
        return await self._connect()

    def give_back(self, connection: "_Connection") -> None:
        """Keep a connection whose answer is finished; close any other."""
        if connection.is_reusable and len(self._idle) < IDLE_MAX:
            self._idle.append((connection.loop.time(), connection))
        else:
            connection.abort()

    async def close(self) -> None:
        """Close all idle connections."""
        while self._idle:
            self._idle.pop()[1].abort()

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        if self._is_tls and self._tls is None:
            self._tls = await loop.run_in_executor(None, ssl.create_default_context)
        try:
            async with asyncio.timeout(self._connect_s):
                _, connection = await loop.create_connection(
                    lambda: _Connection(loop, self.first_byte_s, self.between_s),
                    self._connect_to,
                    self._port,
                    ssl=self._tls if self._is_tls else None,
                    server_hostname=self._hostname if self._is_tls else None,
                )
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError.
            raise NotConnected(f"{type(error).__name__}: {error}") from error
        return connection

    def head_of(self, outgoing: Outgoing) -> bytes:
        """Write the head of a request; all but its length is the same for every call of a provider."""
        kind = (outgoing.method + outgoing.path, outgoing.headers)
        known = self._heads.get(kind)
        if known is None:
            lines = [f"{outgoing.method} {self._path}{outgoing.path} HTTP/1.1", f"host: {self._host_header}"]
            lines += [f"{name}: {value}" for name, value in outgoing.headers]
            known = "\r\n".join([*lines, "content-length: "]).encode("latin-1")
            if len(self._heads) < HEADS_MAX:
                self._heads[kind] = known
        return b"%s%d\r\n\r\n" % (known, len(outgoing.body))


class _Exchanging(AbstractAsyncContextManager[Exchange]):
    """One exchange as a context; written out because every call goes through it."""

    __slots__ = ("_connection", "_outgoing", "_transport")

    def __init__(self, transport: HttpTransport, outgoing: Outgoing) -> None:
        self._transport, self._outgoing = transport, outgoing

    async def __aenter__(self) -> Exchange:
        connection = self._connection = await self._transport.take()
        try:
            self._outgoing.on_sent()
            await connection.start(self._transport.head_of(self._outgoing) + self._outgoing.body)
        except BaseException:
            connection.abort()
            raise
        return connection

    async def __aexit__(self, *_: object) -> None:
        self._transport.give_back(self._connection)


class _Connection(asyncio.Protocol):
    """One connection, used for one exchange at a time; also the answer of that exchange."""

    def __init__(self, loop: asyncio.AbstractEventLoop, first_byte_s: float, between_s: float) -> None:
        self.loop = loop
        self._first_byte_s, self._between_s = first_byte_s, between_s
        self._check_s = min(first_byte_s, between_s, CHECK_S)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._lost: Exception | None = None
        self._is_busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._reset()

    def _reset(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._parser: Any = httptools.HttpResponseParser(self)
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._head_bytes = self._waiting_bytes = 0
        self._is_paused = False
        self._has_head = False
        self._is_complete = False
        self._is_kept = False
        self._failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_until_close = False

    @property
    def is_reusable(self) -> bool:
        """Say whether the next request may use this connection."""
        return (
            (self._is_complete and self._is_kept and not self._chunks)
            and self._failure is None
            and self._lost is None
            and not self._transport.is_closing()
            and self._transport.get_write_buffer_size() == 0
        )

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    async def start(self, data: bytes) -> None:
        """Send a request and wait for the head of its answer."""
        self._reset()
        self._is_busy = True
        self._deadline = self.loop.time() + self._first_byte_s
        if self._timer is None:
            self._timer = self.loop.call_later(self._check_s, self._check_time)
        self._transport.write(data)
        while not self._has_head:
            await self._wait()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes."""
        while True:
            if self._chunks:
                data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
                self._chunks.clear()
                self._buffered = 0
                if self._is_paused:
                    self._is_paused = False
                    self._transport.resume_reading()
                yield data
            elif self._is_complete:
                return
            else:
                await self._wait()

    async def _wait(self) -> None:
        """Wait for the next change; what has arrived is read before a failure is raised."""
        if self._failure is None:
            self._waiter = self.loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._failure is not None and not self._chunks:
            raise self._failure

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, error: Exception) -> None:
        if self._is_busy and not self._is_complete and self._failure is None:
            self._failure = error
            self._finish()

    def _finish(self) -> None:
        self._is_busy = False
        self._wake()

    def _check_time(self) -> None:
        """End the wait when nothing came for too long; a timer that outlives its exchange serves the next."""
        self._timer = None
        if not self._is_busy:
            return
        now = self.loop.time()
        if self._is_paused or self._chunks:
            self._deadline = now + self._between_s
        if now >= self._deadline:
            self._fail(TimedOut("no data in time"))
            self._transport.abort()
        else:
            self._timer = self.loop.call_later(min(self._check_s, self._deadline - now), self._check_time)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; anything that nobody asked for makes the connection unusable."""
        if not self._is_busy:
            self._is_kept = False
            self._transport.abort()
            return
        self._deadline = self.loop.time() + self._between_s
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(Broken(f"not HTTP: {type(error).__name__}"))
            self._transport.abort()
            return
        if not self._has_head:
            self._waiting_bytes += len(data)
            if self._waiting_bytes > HEAD_BYTES_MAX:
                self._fail(Broken("the head of the answer is too large"))
                self._transport.abort()
        elif self._buffered > BUFFER_BYTES_MAX and not self._is_paused and self._is_busy:
            self._is_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Close as well; the loss of the connection follows."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End the answer: cleanly where its length is marked by the end of the connection, else broken."""
        self._lost = exc or ConnectionResetError("closed")
        if self._timer is not None:
            self._timer.cancel()
        if exc is None and self._has_head and self._is_until_close and not self._is_complete:
            self._is_complete = True
            self._finish()
        self._fail(Broken(f"the connection was lost: {type(self._lost).__name__}"))

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Refuse to reuse a connection on which a second answer begins that nobody asked for."""
        if self._is_complete:
            self._is_kept = False
            self._transport.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header."""
        if self._is_complete:
            return
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES_MAX:
            raise httptools.HttpParserError("the head of the answer is too large")
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Wake whoever waits for the head; interim answers (1xx) are passed over."""
        status = self._parser.get_status_code()
        if self._is_complete:
            return
        if status < 200:
            self.headers.clear()
            return
        self.status = status
        self._has_head = True
        self._is_until_close = (
            "content-length" not in self.headers and "transfer-encoding" not in self.headers
        )
        self._wake()

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body until it is read; of an answer that nobody asked for nothing is kept."""
        if self._is_complete:
            return
        self._chunks.append(body)
        self._buffered += len(body)
        self._wake()

    def on_message_complete(self) -> None:
        """Mark the end of the answer."""
        if not self._has_head or self._is_complete:
            return
        self._is_complete = True
        self._is_kept = bool(self._parser.should_keep_alive())
        self._finish()
