"""Hand jobs in over kept connections: as fast as they are taken, or so many a second."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

CONNECTIONS = 16
USERS = 200
FILLER = "The tide comes in over the sand and the wall holds it back until the wind turns. " * 8


@dataclass
class Load:
    """To whom jobs are handed, and the numbers that make each body a new one."""

    root: str
    key: str
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(time.time_ns()))

    def request(self) -> bytes:
        """Return the next request, for one user of many."""
        number = next(self.numbers)
        messages = [{"role": "user", "content": f"Request {number}: {FILLER}"}]
        body = msgspec.json.encode({"model": "fake-gpt", "messages": messages, "max_tokens": 64})
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: {urlsplit(self.root).netloc}\r\n"
            f"authorization: Bearer {self.key}\r\ncontent-type: application/json\r\n"
            f"prefer: respond-async\r\nseawall-user: user{number % USERS}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Line:
    """One kept connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, load: Load) -> "Line":
        """Connect."""
        url = urlsplit(load.root)
        return cls(*await asyncio.open_connection(url.hostname, url.port))

    async def hand_in(self, request: bytes) -> None:
        """Hand one job in; it has to be accepted."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        if not head.startswith(b"http/1.1 202 "):
            raise SystemExit(f"a job was not accepted: {body[:300]!r}")

    def close(self) -> None:
        """Close it."""
        self._writer.close()


async def at_once(load: Load, count: int) -> list[float]:
    """Hand in so many, each connection the next with the answer; returns the milliseconds that each took."""
    left, took_ms = iter(range(count)), []

    async def client() -> None:
        line = await Line.open(load)
        for _ in left:
            began = time.monotonic()
            await line.hand_in(load.request())
            took_ms.append((time.monotonic() - began) * 1_000)
        line.close()

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return took_ms


async def at_a_pace(load: Load, per_s: int, secs: float) -> list[float]:
    """Hand in so many a second, whatever becomes of the others; returns the milliseconds that each took.

    Counted from the moment at which it was due: a gateway that stands still makes all of them wait.
    """
    free = [await Line.open(load) for _ in range(CONNECTIONS)]
    took_ms: list[float] = []
    began = time.monotonic()

    async def one(due_at: float) -> None:
        line = free.pop() if free else await Line.open(load)
        await line.hand_in(load.request())
        took_ms.append((time.monotonic() - due_at) * 1_000)
        free.append(line)

    async with asyncio.TaskGroup() as group:
        for number in range(round(per_s * secs)):
            due_at = began + number / per_s
            await asyncio.sleep(max(0.0, due_at - time.monotonic()))
            group.create_task(one(due_at))
    for line in free:
        line.close()
    return took_ms
