"""Runs the application under uvicorn, and ends with exit code 0 when it is asked to stop."""

import asyncio
import gc
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import uvicorn
from msgspec import Struct
from uvicorn.config import Config

from seawall.server.app import App
from seawall.server.binding import BACKLOG
from seawall.server.protocol import RequestLimits, make_protocol, protocol_factory
from seawall.server.sharing import Acceptor, Loads

log = logging.getLogger("seawall.server")

KEEP_ALIVE_S = 75
SWITCH_S = 0.001
"""How long the event loop may keep the ledger's thread waiting; every call would feel Python's 5 ms."""
GARBAGE = 20_000
"""How many objects may pile up before a collection: the calls in flight are not garbage."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
TICK_S = 0.1
"""How often a server looks whether it should stop, where no signal has told it."""
ENDING_S = 0.01
"""How often a server that stops looks whether all calls have come to their end."""
PARTING_S = 0.5
"""How long a stop waits for the goodbye that TLS asks of clients; idle ones say none."""


class Moments(Struct, frozen=True):
    """Who is told when: `ready` once the server listens, `drain` before it takes no more connections.

    Once told to stop, it takes connections for `drain_wait_s` seconds more, or until it is told again.
    """

    ready: Callable[[], None] = lambda: None
    drain: Callable[[], None] = lambda: None
    drain_wait_s: float = 0.0


class Share(Struct, frozen=True):
    """Which of the workers that share a socket this one is."""

    loads: Loads
    number: int


class Secured(Struct, frozen=True):
    """How connections are encrypted, and how long the handshake may take.

    `hsts_s` is for how long browsers are told to come by HTTPS only; 0 says nothing.
    """

    context: ssl.SSLContext
    handshake_s: float
    hsts_s: int = 0

    def headers(self) -> list[tuple[str, str]]:
        """Return what every answer says."""
        return [("strict-transport-security", f"max-age={self.hsts_s}")] if self.hsts_s else []


class Server(uvicorn.Server):
    """A server for which being asked to stop is no failure."""

    def __init__(
        self, app: App, config: Config, moments: Moments, *, share: Share | None, secured: Secured | None
    ) -> None:
        super().__init__(config)
        self._readiness = app.readiness
        self._moments, self._share, self._secured = moments, share, secured
        self._leaves_at: float | None = None
        self._is_hurried = False
        self._acceptors: list[Acceptor] = []
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and say so: from here on a signal ends the process cleanly."""
        # uvicorn sets them once a second, for the first time when somebody may have asked already.
        self.server_state.default_headers = self.config.encoded_headers
        self._loop = asyncio.get_running_loop()
        is_plain = self._share is None and self._secured is None
        await super().startup(sockets if is_plain else [])
        for bound in [] if is_plain else sockets or []:
            await self._listen(bound)
        self._moments.ready()

    async def main_loop(self) -> None:
        """Serve until it is time to leave; a signal is heard at once."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._told.wait()
            self._told.clear()

    async def on_tick(self, counter: int) -> bool:
        """Tell the other workers how many connections are left; say whether it is time to leave.

        Load balancers send calls until they have seen that they should not: so that comes first.
        """
        for acceptor in self._acceptors:
            acceptor.note()
        if not await super().on_tick(counter):
            return False
        self._readiness.drain()
        now = asyncio.get_running_loop().time()
        if self._leaves_at is None:
            self._leaves_at = now + self._moments.drain_wait_s
        return self._is_hurried or now >= self._leaves_at

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; where it was told before, without waiting for anybody to notice."""
        self._is_hurried = self.should_exit
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, and let those that are open come to their end."""
        self._moments.drain()
        for acceptor in self._acceptors:
            acceptor.close()
        self._acceptors = []
        for server in self.servers:
            server.close()
        for bound in sockets or []:
            bound.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        parting = asyncio.create_task(self._part())
        try:
            await self._end_calls()
        finally:
            parting.cancel()
        if not self.force_exit:
            await self.lifespan.shutdown()

    async def _end_calls(self) -> None:
        """Wait for what is under way, and stop what is not done in time."""
        state = self.server_state
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while (state.connections or state.tasks) and not self.force_exit:  # noqa: ASYNC110 # they tell nobody
                    await asyncio.sleep(ENDING_S)
        except TimeoutError:
            log.error(
                "calls are cut off: they did not end in time", extra={"fields": {"calls": len(state.tasks)}}
            )
            for task in state.tasks:
                task.cancel()

    async def _listen(self, bound: socket.socket) -> None:
        """Take connections with TLS or with other workers, which uvicorn itself does not do as we want it."""
        loop = asyncio.get_running_loop()
        make = protocol_factory(self.config, self.server_state, self.lifespan.state)
        secured, share = self._secured, self._share
        context = None if secured is None else secured.context
        handshake_s = None if secured is None else secured.handshake_s
        if share is None:
            server = await loop.create_server(
                make, sock=bound, backlog=BACKLOG, ssl=context, ssl_handshake_timeout=handshake_s
            )
            self.servers.append(server)
            return

        async def connect(accepted: socket.socket) -> None:
            await loop.connect_accepted_socket(make, accepted, ssl=context, ssl_handshake_timeout=handshake_s)

        self._acceptors.append(
            Acceptor(
                bound,
                share.loads,
                share.number,
                connections=lambda: len(self.server_state.connections),
                connect=connect,
            )
        )

    async def _part(self) -> None:
        """Cut what is closed on our side and has been sent in full: the client may never close its own."""
        while True:
            await asyncio.sleep(PARTING_S)
            for connection in list(self.server_state.connections):
                transport = connection.transport
                if transport.is_closing() and not transport.get_write_buffer_size():
                    transport.abort()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at the first signal; the process then ends by itself instead of dying of it."""
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def tune_process() -> None:
    """Set the interpreter for a process that does nothing but serve; call it in the running loop."""
    # The loop would keep a weak set of every generator, for those that nobody finishes. Ours own nothing.
    sys.set_asyncgen_hooks(firstiter=None, finalizer=None)
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()  # What start-up made stays: no collection has to look at it again.
    gc.set_threshold(GARBAGE)


def make_server(
    app: App,
    *,
    limits: RequestLimits,
    grace_s: float,
    moments: Moments | None = None,
    share: Share | None = None,
    secured: Secured | None = None,
) -> Server:
    """Return a server for the application; set its `should_exit` to stop it."""
    return Server(
        app,
        Config(
            app,
            http=make_protocol(limits),
            loop="none",
            ws="none",
            lifespan="on",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, round(grace_s)),
            backlog=BACKLOG,
            headers=[] if secured is None else secured.headers(),
        ),
        moments or Moments(),
        share=share,
        secured=secured,
    )


async def serve(
    app: App,
    bound: socket.socket,
    *,
    limits: RequestLimits,
    grace_s: float,
    on_ready: Callable[[], None] = lambda: None,
    secured: Secured | None = None,
) -> None:
    """Serve until a signal comes; open streams then have `grace_s` seconds to end before they are cut.

    By HTTPS where it is `secured`, else by plain HTTP.
    """
    server = make_server(
        app, limits=limits, grace_s=grace_s, moments=Moments(ready=on_ready), secured=secured
    )
    await server.serve(sockets=[bound])
