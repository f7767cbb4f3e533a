"""What `seawall serve` listens on: takes the addresses, and refuses what others could read along."""

import errno
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from seawall.cli.opening import stop

if TYPE_CHECKING:
    from seawall.server.binding import Sockets
    from seawall.settings import Settings

_WAYS = (
    "Choose one: --tls-auto DOMAIN gets a certificate, --tls-cert FILE with --tls-key FILE uses one that you "
    "have, and behind a proxy of yours that brings HTTPS you state its network in the configuration: "
    'behind_proxy = ["10.0.0.0/8"].'
)


@contextmanager
def listening(settings: "Settings", *, is_local: bool) -> Iterator["Sockets"]:
    """Take what to listen on until the block ends; what cannot be ends in one sentence.

    `is_local` says that the certificate is to be one for this machine only.
    """
    from seawall.server.binding import Sockets

    tls = settings.tls
    if is_local and tls.mode != "off":
        stop(
            "--https makes a certificate for this machine only, and [tls] or an option names another. "
            "Leave one of them out."
        )
    with ExitStack() as stack:
        host = settings.server.host
        main = stack.enter_context(_bind(host, settings.server.port, "--port"))
        if not ipaddress.ip_address(main.getsockname()[0]).is_loopback:
            if is_local:
                stop(f"--https is for this machine only, and {host} can be reached by others. {_WAYS}")
            if tls.mode == "off" and not settings.behind_proxy:
                stop(f"{host} can be reached by others, and keys and texts would travel readable. {_WAYS}")
        http = None
        if tls.mode == "auto":
            http = stack.enter_context(_bind(host, tls.http_port, "tls.http_port"))
        yield Sockets(main, http)


def _bind(host: str, port: int, option: str) -> socket.socket:
    from seawall.server.binding import bind

    try:
        return bind(host, port)
    except socket.gaierror:
        stop(f"{host} is not an address of this machine. Choose another with --host.")
    except OverflowError:
        stop(f"{port} is not a port. Choose one from 0 to 65535 with {option}.")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            if option != "--port":
                stop(f"port {port} is in use, and the issuer of certificates has to find this gateway there.")
            stop(
                f"port {port} is in use, perhaps by another seawall. Stop that, or choose another port: "
                f"seawall serve --port {port + 1}"
            )
        if error.errno == errno.EACCES:
            stop(f"port {port} needs more rights than this user has. Choose one above 1023 with {option}.")
        stop(f"cannot listen on {host}:{port} ({error.strerror}). Choose another with --host and {option}.")
