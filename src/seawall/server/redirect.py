"""The plain HTTP port beside HTTPS: it answers the issuer of certificates, and sends everybody else to HTTPS.

Invariants:
- Nobody is ever sent to a host that is not ours: the Host header must name one of ours, and what goes into
  the answer is our spelling of it.
- The path goes back as it came, and only if it is one that cannot be read as a host or a header.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from seawall.core.errors import Overloaded
from seawall.server.protocol import RequestLimits, make_protocol, protocol_factory

CHALLENGE = "/.well-known/acme-challenge/"
LOOKUPS_MAX = 8
"""How many questions of issuers the store is asked at once; more wait for their turn, up to `WAITING_MAX`."""
WAITING_MAX = 500
HTTPS_PORT = 443
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TARGET = re.compile(rb"/[\x21-\x7e]*")
_PORT = re.compile(r":[0-9]{1,5}")

Answer = Callable[[str], Awaitable[str | None]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class RedirectApp:
    """An ASGI application; `answer` finds what the issuer must read at a token.

    `hosts` are the names and addresses under which this gateway has HTTPS on `port`.
    """

    def __init__(self, hosts: Iterable[str], port: int, answer: Answer) -> None:
        self._hosts = {host.lower(): _written(host) for host in hosts}
        self._port = "" if port == HTTPS_PORT else f":{port}"
        self._answer = answer
        self._lookups = asyncio.Semaphore(LOOKUPS_MAX)
        self._waiting = 0

    async def __call__(self, scope: dict[str, Any], _receive: object, send: Send) -> None:
        """Answer one request."""
        path: str = scope["path"]
        if path.startswith(CHALLENGE) and scope["method"] in {"GET", "HEAD"}:
            await self._prove(path.removeprefix(CHALLENGE), send)
        else:
            await self._redirect(scope, send)

    async def _prove(self, token: str, send: Send) -> None:
        try:
            found = await self._find(token)
        except Overloaded:
            await _say(send, 503, "Try again in a moment.")
            return
        if found is None:
            await _say(send, 404, "Nothing is here.")
        else:
            await _say(send, 200, found, kind=b"application/octet-stream")

    async def _find(self, token: str) -> str | None:
        if _TOKEN.fullmatch(token) is None:
            return None
        if self._waiting >= WAITING_MAX:
            raise Overloaded(private="too many ask for the answers to the issuer")
        self._waiting += 1
        try:
            async with self._lookups:
                return await self._answer(token)
        finally:
            self._waiting -= 1

    async def _redirect(self, scope: dict[str, Any], send: Send) -> None:
        stated = [value for name, value in scope["headers"] if name == b"host"]
        host = self._hosts.get(_host_of(stated[0])) if len(stated) == 1 else None
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        if host is None or _TARGET.fullmatch(target) is None:
            await _say(
                send, 421, "This gateway is not known by that name. Call it by its own, with https://."
            )
            return
        place = f"https://{host}{self._port}".encode() + target
        await _say(send, 308, "Use https://.", (b"location", place))


@asynccontextmanager
async def redirecting(app: RedirectApp, bound: socket.socket, limits: RequestLimits) -> AsyncIterator[None]:
    """Serve the application on a socket that listens, until the block ends; a slow client is cut then."""
    config = Config(
        cast(Any, app),
        http=make_protocol(limits),
        loop="none",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    config.load()
    state = ServerState()
    protocol = protocol_factory(config, state, {})
    server = await asyncio.get_running_loop().create_server(protocol, sock=bound)
    try:
        yield
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()


def _host_of(stated: bytes) -> str:
    """Return the name or address in a Host header, without its port; an empty text where it holds none."""
    text = stated.decode("latin-1").strip().lower()
    if text.startswith("["):
        address, bracket, port = text[1:].partition("]")
        return address if bracket and (not port or _PORT.fullmatch(port)) else ""
    name, colon, port = text.partition(":")
    if colon and _PORT.fullmatch(colon + port) is None:
        return ""
    return name.rstrip(".")


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def _say(
    send: Send, status: int, text: str, *more: tuple[bytes, bytes], kind: bytes = b"text/plain; charset=utf-8"
) -> None:
    body = text.encode()
    headers = [
        (b"content-type", kind),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
