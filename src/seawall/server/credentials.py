"""What a request shows of who makes it: its key or token, its page, its address."""

from typing import Any

from seawall.core.addresses import Network, client_behind, normalised
from seawall.core.errors import InvalidRequest
from seawall.core.policy import Credentials

HeaderList = list[tuple[bytes, bytes]]
END_USER_CHARS_MAX = 256


def credentials_of(scope: Any, proxies: tuple[Network, ...]) -> Credentials:
    """Read the headers of an ASGI request; `proxies` are those whose X-Forwarded-For is believed.

    Raises InvalidRequest where it shows two different keys: neither is ignored.
    """
    secret: str | None = None
    origin: str | None = None
    stated: str | None = None
    forwarded: list[str] = []
    for name, value in scope["headers"]:
        if name == b"authorization" or name == b"x-api-key":  # noqa: PLR1714 - a set would hash each name
            shown = _secret(name, value)
            if secret is not None and shown != secret:
                raise InvalidRequest("The request shows two different keys. Send one.", param=name.decode())
            secret = shown
        elif name == b"origin":
            origin = value.decode("latin-1")
        elif name == b"seawall-client-ip":
            stated = value.decode("latin-1")
        elif name == b"x-forwarded-for":
            forwarded.append(value.decode("latin-1"))
    client = scope.get("client")
    peer = client[0] if client else ""
    address = client_behind(peer, forwarded, proxies) if proxies else normalised(peer)
    return Credentials(secret, origin, address, stated)


def secret_of(headers: HeaderList) -> str | None:
    """Return the key that a request shows, as bearer token or in x-api-key; raises InvalidRequest for two."""
    return credentials_of({"headers": headers}, ()).secret


def end_user_of(headers: HeaderList) -> str | None:
    """Return the end user that a header names; raises InvalidRequest where it cannot be a name."""
    for name, value in headers:
        if name == b"seawall-user":
            try:
                user = value.decode().strip()
            except UnicodeDecodeError:
                raise InvalidRequest("seawall-user must be UTF-8.", param="seawall-user") from None
            if len(user) > END_USER_CHARS_MAX:
                raise InvalidRequest("seawall-user is too long.", param="seawall-user")
            return user or None
    return None


def _secret(name: bytes, value: bytes) -> str:
    if name == b"x-api-key":
        return value.decode("latin-1").strip()
    scheme, _, token = value.decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
