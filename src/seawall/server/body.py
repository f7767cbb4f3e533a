"""Reads the body of a request within its limits."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

from seawall.core.errors import ClientGone, InvalidRequest, TooLarge
from seawall.wire.json_body import parse_object

Receive = Callable[[], Awaitable[dict[str, Any]]]
HeaderList = list[tuple[bytes, bytes]]

OFF_LOOP_BYTES = 64 * 1024


class BodyLimits(Struct, frozen=True):
    """Limits on the body of a request; how long it may take is up to the protocol."""

    bytes_max: int = 8 * 1024 * 1024
    depth_max: int = 64
    messages_max: int = 2_000


async def read_json(headers: HeaderList, receive: Receive, limits: BodyLimits) -> tuple[dict[str, Any], int]:
    """Return the body as a JSON object, and its size in bytes.

    Raises TooLarge, InvalidRequest, or ClientGone where the client leaves first.
    """
    raw = await _read(headers, receive, limits)
    if len(raw) > OFF_LOOP_BYTES:
        return await asyncio.to_thread(parse_object, raw, depth_max=limits.depth_max), len(raw)
    return parse_object(raw, depth_max=limits.depth_max), len(raw)


async def _read(headers: HeaderList, receive: Receive, limits: BodyLimits) -> bytes:
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and int(value) > limits.bytes_max:
            raise _too_large(limits)
        if name == b"content-encoding" and value.lower() != b"identity":
            raise InvalidRequest("Send the body without compression.", param="content-encoding")
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunks.append(message["body"])
        size += len(message["body"])
        if size > limits.bytes_max:
            raise _too_large(limits)
        if not message["more_body"]:
            return b"".join(chunks)


def _too_large(limits: BodyLimits) -> TooLarge:
    return TooLarge(f"The request is larger than {limits.bytes_max // 1024} KB, the limit of this gateway.")
