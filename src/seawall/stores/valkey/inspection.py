"""Looks at a Valkey or Redis server without changing anything."""

import asyncio
import time

from msgspec import Struct
from valkey.asyncio.connection import Connection
from valkey.exceptions import ValkeyError

from seawall.stores.valkey.connection import Unreachable, connection_of, reason_of

__all__ = ["Inspection", "Unreachable", "inspect"]

TIMEOUT_S = 5.0
PINGS = 5


class Inspection(Struct, frozen=True):
    """What a server says of itself; `memory_bytes_max` is 0 where it takes what there is."""

    server: str
    version: str
    round_trip_ms: float
    memory_bytes_max: int
    eviction: str


async def inspect(url: str) -> Inspection:
    """Look at a server; raises Unreachable, and ValueError where the address cannot be used."""
    connection = connection_of(url)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await connection.connect()  # type: ignore[no-untyped-call] # has no types
            took = [await _ping(connection) for _ in range(PINGS)]
            said = await _info(connection, "server") | await _info(connection, "memory")
    except (ValkeyError, OSError, TimeoutError) as error:
        raise Unreachable(reason_of(error)) from error
    finally:
        await connection.disconnect(nowait=True)
    is_valkey = "valkey_version" in said
    return Inspection(
        server="Valkey" if is_valkey else "Redis",
        version=said.get("valkey_version" if is_valkey else "redis_version", ""),
        round_trip_ms=round(min(took) * 1000, 2),
        memory_bytes_max=int(said.get("maxmemory", "0")),
        eviction=said.get("maxmemory_policy", ""),
    )


async def _ping(connection: Connection) -> float:
    """Return how long an answer took, in seconds."""
    began = time.perf_counter()
    await connection.send_command("PING")
    await connection.read_response()
    return time.perf_counter() - began


async def _info(connection: Connection, section: str) -> dict[str, str]:
    await connection.send_command("INFO", section)
    raw = await connection.read_response()
    text = raw.decode() if isinstance(raw, bytes) else str(raw)
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name: value for name, _, value in pairs}
