"""Runs the application under uvicorn, and ends with exit code 0 when it is asked to stop."""

import gc
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from uvicorn.config import Config

from seawall.server.app import App
from seawall.server.protocol import RequestLimits, make_protocol

BACKLOG = 2_048
KEEP_ALIVE_S = 75
SWITCH_S = 0.001
"""How long the event loop may keep the ledger's thread waiting; every call would feel Python's 5 ms."""
GARBAGE = 20_000
"""How many objects may pile up before a collection: the calls in flight are not garbage."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Server(uvicorn.Server):
    """A server for which being asked to stop is no failure; `on_ready` is called once it listens."""

    def __init__(self, config: Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and say so: from here on a signal ends the process cleanly."""
        await super().startup(sockets)
        self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at the first signal; the process then ends by itself instead of dying of it."""
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def bind(host: str, port: int) -> socket.socket:
    """Take the address, before anything else is started; raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def tune_process() -> None:
    """Set the interpreter for a process that does nothing but serve; call it in the running loop."""
    # The loop would keep a weak set of every generator, for those that nobody finishes. Ours own nothing.
    sys.set_asyncgen_hooks(firstiter=None, finalizer=None)
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()  # What start-up made stays: no collection has to look at it again.
    gc.set_threshold(GARBAGE)


def make_server(
    app: App, *, limits: RequestLimits, grace_s: float, on_ready: Callable[[], None] = lambda: None
) -> Server:
    """Return a server for the application; set its `should_exit` to stop it."""
    return Server(
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
        on_ready,
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
    await make_server(app, limits=limits, grace_s=grace_s, on_ready=on_ready).serve(sockets=[bound])
