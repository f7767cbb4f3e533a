"""The small contract between a provider and whatever carries its bytes."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import Struct


class Outgoing(Struct, frozen=True):
    """One request to a vendor: the path is appended to the base URL that the transport was made with.

    `on_sent` is called once, before the first byte goes out: until then it is certain that nothing was sent.
    """

    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    on_sent: Callable[[], None]
    method: str = "POST"


class Exchange(Protocol):
    """One answer as it arrives; header names are in lower case."""

    @property
    def status(self) -> int:
        """Return the HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes; raises Broken where it does not end as announced."""


class Transport(Protocol):
    """Carries requests to one base URL and brings the answers back.

    `hidden` are its addresses, which must not stand in anything that a caller sees.
    """

    hidden: tuple[str, ...]

    def exchange(self, outgoing: Outgoing) -> AbstractAsyncContextManager[Exchange]:
        """Send, and yield the answer once its head has arrived.

        Leaving the block closes the connection unless the whole body was read.
        Raises NotConnected, TimedOut, Broken.
        """

    async def close(self) -> None:
        """Close all idle connections."""


class NotConnected(Exception):
    """No connection could be made: it is certain that nothing was sent."""


class Broken(Exception):
    """The connection ended, or what came was not HTTP, after something may have been sent."""


class TimedOut(Broken):
    """Nothing came for too long, after something may have been sent."""
