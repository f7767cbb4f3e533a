"""Certificates that are fetched by ACME: what is kept of them, and where."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct


class Kept(Struct, frozen=True):
    """What is kept of one issuer: the key of the account there, and the newest certificate.

    `certificate` is PEM: the private key, then the certificate, then its chain. One text holds both, so that
    nobody can ever read a key without its certificate.
    """

    account_key: bytes | None = None
    certificate: bytes | None = None


class Certificates(Protocol):
    """Where fetched certificates are kept, for all gateways that share them.

    Every method raises Overloaded where the store is down.
    """

    async def read(self) -> Kept:
        """Return what is kept."""

    async def keep(self, kept: Kept) -> None:
        """Keep this from now on; only who holds the right to fetch may."""

    async def answer(self, token: str) -> str | None:
        """Return what the issuer must read at a token, `None` where it asks for something unknown."""

    async def publish(self, answers: Mapping[str, str]) -> None:
        """Replace all answers to the issuer by these, by token; none ends an order."""

    async def hold(self) -> bool:
        """Take the right to fetch, or keep it; false while another process has it.

        It is given back by `close`, and by the death of the process.
        """

    async def close(self) -> None:
        """Give back what is held."""
