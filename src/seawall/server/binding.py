"""Takes the address to serve from; apart from the server, since a supervisor needs nothing else of it."""

import socket

from msgspec import Struct

BACKLOG = 2_048


class Sockets(Struct, frozen=True):
    """The sockets that a gateway listens on; `http` is the plain one beside HTTPS, where there is one."""

    main: socket.socket
    http: socket.socket | None = None


def bind(host: str, port: int) -> socket.socket:
    """Take the address, before anything else is started; raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound
