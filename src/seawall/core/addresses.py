"""Addresses of callers and of web pages: read, and written as they are limited or compared."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
REMEMBERED = 10_000
HOPS_MAX = 50
ORIGIN_CHARS_MAX = 300
_ORIGIN = re.compile(r"https?://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
V6_PREFIX = 64
"""One customer gets at least a /64: the addresses below it are one caller's to choose."""


@lru_cache(maxsize=REMEMBERED)
def normalised(text: str) -> str | None:
    """Write an address as it is limited: IPv4, also where it is mapped into IPv6, and of IPv6 its /64.

    Returns `None` for what is no address.
    """
    address = _read(text)
    if address is None:
        return None
    if isinstance(address, IPv6Address):
        return str(ip_network((address, V6_PREFIX), strict=False))
    return str(address)


def is_origin(text: object) -> bool:
    """Say whether this is the origin of a web page as browsers write it (RFC 6454): https://app.example.com."""
    if not isinstance(text, str) or not text.isascii() or len(text) > ORIGIN_CHARS_MAX:
        return False
    return _ORIGIN.fullmatch(text) is not None


def client_behind(peer: str, forwarded: list[str], proxies: tuple[Network, ...]) -> str | None:
    """Return the caller's address where the connection comes from a trusted proxy.

    `forwarded` are the values of X-Forwarded-For, each a list with the nearest hop last. The rightmost one
    that is no proxy of ours counts: what stands before it anybody could have written. Raises nothing: where
    the list is malformed at that place, the last good hop counts.
    """
    nearest = peer
    if not _is_within(nearest, proxies):
        return normalised(nearest)
    hops = [hop.strip() for value in forwarded for hop in value.split(",")][-HOPS_MAX:]
    for hop in reversed(hops):
        if _read(hop) is None:
            break
        nearest = hop
        if not _is_within(hop, proxies):
            break
    return normalised(nearest)


def _is_within(text: str, networks: tuple[Network, ...]) -> bool:
    address = _read(text)
    return address is not None and any(
        address.version == network.version and address in network for network in networks
    )


@lru_cache(maxsize=REMEMBERED)
def _read(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address, with or without brackets, a port or a zone."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
