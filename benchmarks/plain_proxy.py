"""The fair floor: a proxy that does nothing but forward, made of the parts that Seawall is made of.

uvicorn in front, a bare asyncio and httptools client behind. No keys, budget, ledger, log, limits, time-outs,
no care for clients that leave: never use it for anything but a comparison.
"""

import argparse
import asyncio
from typing import Any
from urllib.parse import urlsplit

import httptools
import uvicorn


class Upstream(asyncio.Protocol):
    """One connection to the provider; the pieces of its answer go through a queue."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.pieces.put_nowait((b"", False))

    def exchange(self, request: bytes) -> None:
        self.pieces: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()
        self.head: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.headers: list[tuple[bytes, bytes]] = []
        self.parser = httptools.HttpResponseParser(self)
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in {b"content-type", b"content-length"}:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.head.set_result(self.parser.get_status_code())

    def on_body(self, body: bytes) -> None:
        self.pieces.put_nowait((body, True))

    def on_message_complete(self) -> None:
        self.pieces.put_nowait((b"", False))


class Proxy:
    """The ASGI application."""

    def __init__(self, provider: str) -> None:
        url = urlsplit(provider)
        self.host, self.port, self.idle = url.hostname or "", url.port or 80, list[Upstream]()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        upstream = self.idle.pop() if self.idle else await self.connect()
        head = f"POST {scope['path']} HTTP/1.1\r\nhost: {self.host}\r\ncontent-type: application/json\r\n"
        upstream.exchange(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        status = await upstream.head
        await send({"type": "http.response.start", "status": status, "headers": upstream.headers})
        more = True
        while more:
            piece, more = await upstream.pieces.get()
            await send({"type": "http.response.body", "body": piece, "more_body": more})
        self.idle.append(upstream)

    async def connect(self) -> Upstream:
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(Upstream, self.host, self.port))[1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provider", required=True, help="scheme, host and port")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    uvicorn.run(
        Proxy(options.provider), host="127.0.0.1", port=options.port, loop="uvloop", http="httptools",
        lifespan="off", access_log=False, log_level="warning",
    )  # fmt: skip
