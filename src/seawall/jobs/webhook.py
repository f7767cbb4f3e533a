"""Posts to what the operator has named: signed (Standard Webhooks), and never into a private network.

Invariants:
- The name is looked up once, every address that it has must be allowed, and the connection goes to one of
  those: a name that changes its mind between the look and the call gains nothing.
- Redirects are not followed; of the answer's body is read what was asked for, usually nothing.
- The secret stands in no log line and no reason.

References: the Standard Webhooks specification 1.0; IANA special-purpose address registries, as Python's
`ipaddress` has them; both read 2026-11.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
import socket
import ssl
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from msgspec import Struct

from seawall.core.events import Delivery
from seawall.providers.exchange import Broken, Exchange, NotConnected, Outgoing, TimedOut
from seawall.providers.http_client import HttpTransport

SECRET_PREFIX = "whsec_"  # noqa: S105 - how every such secret begins
SECRET_BYTES_MIN = 24
SECRET_BYTES = 32
SEND_S = 10.0
READ_S = 10.0
DIGITS_MAX = 9
Headers = tuple[tuple[str, str], ...]
_NAT64 = ip_network("64:ff9b::/96")
_SIXTOFOUR = ip_network("2002::/16")


class Undelivered(Exception):
    """The receiver did not take it; `is_final` says that it never will, `is_gone` that it said so itself.

    `retry_after_s` is how long it wants to be left alone, `None` where it does not say.
    """

    def __init__(
        self, why: str, *, is_final: bool = False, is_gone: bool = False, retry_after_s: float | None = None
    ) -> None:
        self.why, self.is_final, self.is_gone = why, is_final or is_gone, is_gone
        self.retry_after_s = retry_after_s
        super().__init__(why)


class Posted(Struct, frozen=True):
    """What a receiver answered; `body` is empty where it is longer than what was asked for of it."""

    status: int
    retry_after: str | None = None
    body: bytes = b""

    @property
    def is_taken(self) -> bool:
        """Say whether the receiver has taken it."""
        return 200 <= self.status < 300

    def retry_after_s(self, now: float) -> float | None:
        """Return how long the receiver wants to be left alone, where it says so (RFC 9110, 10.2.3)."""
        text = (self.retry_after or "").strip()
        if self.status not in (429, 503):
            return None
        if text.isascii() and text.isdigit():
            return float(text[:DIGITS_MAX])
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - now)
        except (ValueError, OverflowError):
            return None


class Webhook(Struct, frozen=True):
    """Where messages go: `tls` is for receivers with a certificate of their own making.

    `setting` is the one that lets it be on a private network. `previous` is the secret before, while one is
    being replaced: then every message carries both signatures.
    """

    url: str
    secret: bytes
    allow_private: bool = False
    tls: ssl.SSLContext | None = None
    timeout_s: float = SEND_S
    setting: str = "alerts.allow_private"
    answer_bytes_max: int = 0
    previous: bytes | None = None

    async def send(self, delivery: Delivery, now: float) -> None:
        """Deliver an event; raises Undelivered where the receiver does not answer with 2xx in time."""
        posted = await self.post(delivery.event_id, delivery.payload, now)
        if posted.status == 410:
            raise Undelivered("the receiver is gone (410)", is_gone=True)
        if not posted.is_taken:
            raise Undelivered(f"status {posted.status}", retry_after_s=posted.retry_after_s(now))

    async def post(self, message_id: str, payload: bytes, now: float, more: Headers = ()) -> Posted:
        """Send a signed message, with more headers; raises Undelivered where no answer comes in time."""
        parts = urlsplit(self.url)
        headers = (
            ("content-type", "application/json"),
            ("user-agent", "seawall"),
            ("connection", "close"),
            *more,
            *sign(self.secret, message_id, int(now), payload, self.previous),
        )
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            async with asyncio.timeout(self.timeout_s) as patience:
                address = await self._resolve(parts.hostname or "")
                return await self._exchange(Outgoing(path, headers, payload, _nothing), address, patience)
        except TimeoutError:
            raise Undelivered("no answer in time") from None

    async def _resolve(self, host: str) -> str:
        """Look a name up once; raises Undelivered where it has no address, or one that is not public."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
        except OSError:
            raise Undelivered("the receiver's name is not known") from None
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses:
            raise Undelivered("the receiver's name is not known")
        if not self.allow_private and not all(map(is_public, addresses)):
            raise Undelivered(f"the receiver is not on the public internet ({self.setting})", is_final=True)
        return addresses[0]

    async def _exchange(self, outgoing: Outgoing, address: str, patience: asyncio.Timeout) -> Posted:
        parts = urlsplit(self.url)
        limit_s = self.timeout_s
        transport = HttpTransport(
            f"{parts.scheme}://{parts.netloc}",
            connect_s=limit_s,
            first_byte_s=limit_s,
            between_s=limit_s,
            tls=self.tls,
            connect_to=address,
        )
        try:
            async with transport.exchange(outgoing) as exchange:
                patience.reschedule(None)  # What is answered counts, however slowly its body comes.
                retry_after = exchange.headers.get("retry-after")
                return Posted(exchange.status, retry_after, await self._read(exchange))
        except TimedOut:
            raise Undelivered("no answer in time") from None
        except (NotConnected, Broken) as error:
            raise Undelivered(f"no connection ({type(error).__name__})") from None
        finally:
            await transport.close()

    async def _read(self, exchange: Exchange) -> bytes:
        """Read the answer where it is wanted; one that breaks off or is too long is left: it was taken."""
        body = b""
        if not self.answer_bytes_max:
            return body
        try:
            async with asyncio.timeout(READ_S):
                async for chunk in exchange.chunks():
                    body += chunk
                    if len(body) > self.answer_bytes_max:
                        return b""
        except (Broken, TimeoutError):
            return b""
        return body


def sign(
    secret: bytes, event_id: str, timestamp: int, payload: bytes, previous: bytes | None = None
) -> Headers:
    """Return the headers of a signed message; `timestamp` in Unix seconds.

    With a `previous` secret there is a signature by each: the receiver takes the one that it can verify.
    """
    signed = f"{event_id}.{timestamp}.".encode() + payload
    signing = (secret,) if previous is None else (secret, previous)
    macs = (base64.b64encode(hmac.new(each, signed, hashlib.sha256).digest()).decode() for each in signing)
    return (
        ("webhook-id", event_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", " ".join(f"v1,{mac}" for mac in macs)),
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


def new_secret() -> str:
    """Make a secret that messages are signed with."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


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


def _nothing() -> None:
    """Note nothing: nobody bills this."""
