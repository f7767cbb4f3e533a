"""Runs the application under uvicorn, and ends with exit code 0 when it is asked to stop."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any, cast

import uvicorn
from msgspec import Struct
from uvicorn.config import Config

from seawall.server.app import App
from seawall.server.binding import BACKLOG
from seawall.server.protocol import RequestLimits, make_protocol
from seawall.server.sharing import Acceptor, Loads

KEEP_ALIVE_S = 75
SWITCH_S = 0.001
"""How long the event loop may keep the ledger's thread waiting; every call would feel Python's 5 ms."""
GARBAGE = 20_000
"""How many objects may pile up before a collection: the calls in flight are not garbage."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


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


class Server(uvicorn.Server):
    """A server for which being asked to stop is no failure."""

    def __init__(self, app: App, config: Config, moments: Moments, share: Share | None) -> None:
        super().__init__(config)
        self._readiness = app.readiness
        self._moments, self._share = moments, share
        self._leaves_at: float | None = None
        self._is_hurried = False
        self._acceptors: list[Acceptor] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and say so: from here on a signal ends the process cleanly."""
        await super().startup(sockets if self._share is None else [])
        if self._share is not None:
            self._acceptors = [self._accept(bound, self._share) for bound in sockets or []]
        self._moments.ready()

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

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, and let those that are open come to their end."""
        self._moments.drain()
        for acceptor in self._acceptors:
            acceptor.close()
        self._acceptors = []
        await super().shutdown(sockets)

    def _accept(self, bound: socket.socket, share: Share) -> Acceptor:
        protocol: Callable[..., asyncio.Protocol] = cast(Any, self.config.http_protocol_class)
        make = partial(
            protocol,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        return Acceptor(
            bound,
            share.loads,
            share.number,
            connections=lambda: len(self.server_state.connections),
            make_protocol=make,
        )

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
        ),
        moments or Moments(),
        share,
    )


async def serve(
    app: App,
    bound: socket.socket,
    *,
    limits: RequestLimits,
    grace_s: float,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal comes; open streams then have `grace_s` seconds to end before they are cut."""
    server = make_server(app, limits=limits, grace_s=grace_s, moments=Moments(ready=on_ready))
    await server.serve(sockets=[bound])
