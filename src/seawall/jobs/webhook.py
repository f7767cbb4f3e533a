"""Sends an event to the operator's webhook: signed (Standard Webhooks), and never into a private network.

Invariants:
- The name is looked up once, every address that it has must be allowed, and the connection goes to one of
  those: a name that changes its mind between the look and the call gains nothing.
- Redirects are not followed; the answer's body is not read.
- The secret stands in no log line and no reason.

References: the Standard Webhooks specification 1.0; IANA special-purpose address registries, as Python's
`ipaddress` has them; both read 2026-11.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import socket
import ssl
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from msgspec import Struct

from seawall.core.events import Delivery
from seawall.providers.exchange import Broken, NotConnected, Outgoing
from seawall.providers.http_client import HttpTransport

SECRET_PREFIX = "whsec_"  # noqa: S105 - how every such secret begins
SECRET_BYTES_MIN = 24
SEND_S = 10.0
_NAT64 = ip_network("64:ff9b::/96")
_SIXTOFOUR = ip_network("2002::/16")


class Undelivered(Exception):
    """The receiver did not take it; `is_final` says that it never will."""

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        self.why, self.is_final = why, is_final
        super().__init__(why)


class Webhook(Struct, frozen=True):
    """Where events go: `tls` is for receivers with a certificate of their own making."""

    url: str
    secret: bytes
    allow_private: bool = False
    tls: ssl.SSLContext | None = None
    timeout_s: float = SEND_S

    async def send(self, delivery: Delivery, now: float) -> None:
        """Deliver; raises Undelivered where the receiver does not answer with 2xx in time."""
        parts = urlsplit(self.url)
        try:
            async with asyncio.timeout(self.timeout_s):
                address = await _resolve(parts.hostname or "", allow_private=self.allow_private)
                status = await self._post(delivery, now, address)
        except TimeoutError:
            raise Undelivered("no answer in time") from None
        if status == 410:
            raise Undelivered("the receiver is gone (410)", is_final=True)
        if not 200 <= status < 300:
            raise Undelivered(f"status {status}")

    async def _post(self, delivery: Delivery, now: float, address: str) -> int:
        parts = urlsplit(self.url)
        base = f"{parts.scheme}://{parts.netloc}"
        limit_s = self.timeout_s
        transport = HttpTransport(
            base, connect_s=limit_s, first_byte_s=limit_s, between_s=limit_s, tls=self.tls, connect_to=address
        )
        headers = (
            ("content-type", "application/json"),
            ("user-agent", "seawall"),
            ("connection", "close"),
            *sign(self.secret, delivery.event_id, int(now), delivery.payload),
        )
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            async with transport.exchange(Outgoing(path, headers, delivery.payload, _nothing)) as exchange:
                return exchange.status
        except (NotConnected, Broken) as error:
            raise Undelivered(f"no connection ({type(error).__name__})") from None
        finally:
            await transport.close()


def sign(secret: bytes, event_id: str, timestamp: int, payload: bytes) -> tuple[tuple[str, str], ...]:
    """Return the headers of a signed message; `timestamp` in Unix seconds."""
    signed = f"{event_id}.{timestamp}.".encode() + payload
    mac = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return (
        ("webhook-id", event_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", f"v1,{mac}"),
    )


def read_secret(text: str) -> bytes:
    """Read a secret as it is stated: whsec_ and base64 of at least 24 bytes; raises ValueError."""
    try:
        secret = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if not text.startswith(SECRET_PREFIX) or len(secret) < SECRET_BYTES_MIN:
        raise ValueError("not a webhook secret")
    return secret


def is_public(text: str) -> bool:
    """Say whether an address belongs to the public internet; one that wraps another is what it wraps."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour if address in _SIXTOFOUR else address.ipv4_mapped
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_global(inner)
    return _is_global(address)


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


async def _resolve(host: str, *, allow_private: bool) -> str:
    """Look a name up once; raises Undelivered where it has no address, or one that is not public."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except OSError:
        raise Undelivered("the receiver's name is not known") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses:
        raise Undelivered("the receiver's name is not known")
    if not allow_private and not all(map(is_public, addresses)):
        raise Undelivered("the receiver is not on the public internet (alerts.allow_private)", is_final=True)
    return addresses[0]


def _nothing() -> None:
    """Note nothing: nobody bills this."""
