"""Gets a small public document, such as the keys of an issuer: one address, one answer, within limits."""

import asyncio
from urllib.parse import urlsplit

from seawall.providers.exchange import Broken, NotConnected, Outgoing
from seawall.providers.http_client import HttpTransport

FETCH_S = 5.0
BYTES_MAX = 256 * 1024


async def fetch(url: str) -> bytes:
    """Return what lies at an address; redirects are not followed.

    Raises OSError where it cannot be had: in five seconds, with status 200, and no more than 256 KB.
    """
    parts = urlsplit(url)
    transport = HttpTransport(
        f"{parts.scheme}://{parts.netloc}", connect_s=FETCH_S, first_byte_s=FETCH_S, between_s=FETCH_S
    )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    accept = (("accept", "application/json"), ("accept-encoding", "identity"), ("connection", "close"))
    outgoing = Outgoing(path, accept, b"", on_sent=_nothing, method="GET")
    chunks: list[bytes] = []
    try:
        async with asyncio.timeout(FETCH_S), transport.exchange(outgoing) as exchange:
            if exchange.status != 200:
                raise OSError(f"status {exchange.status}")
            async for chunk in exchange.chunks():
                chunks.append(chunk)
                if sum(map(len, chunks)) > BYTES_MAX:
                    raise OSError("too large")
    except (NotConnected, Broken, TimeoutError) as error:
        raise OSError(type(error).__name__) from error
    finally:
        await transport.close()
    return b"".join(chunks)


def _nothing() -> None:
    """Note nothing: nobody bills this."""
