"""`seawall serve`: start the gateway."""

import errno
import ipaddress
import socket
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli.opening import ConfigOption, DataOption, read_settings, stop

if TYPE_CHECKING:
    from seawall.settings import Settings

CLOSING_S = 20.0
"""How long a worker may take to let go of everything once its last call is over."""


def serve(
    config: ConfigOption = None,
    host: Annotated[
        str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.", show_default="8787")] = None,
    workers: Annotated[int | None, typer.Option(help="How many processes serve.", show_default="1")] = None,
    data: DataOption = None,
) -> None:
    """Start the gateway.

    Without any configuration it listens on 127.0.0.1:8787, makes its data folder and a first key, uses the
    provider keys that it finds in the environment or in .env, and holds every cent before it is spent.
    """
    settings = read_settings(
        config, **{"server.host": host, "server.port": port, "server.workers": workers, "data_dir": data}
    )
    _check_workers(settings)
    with _bind(settings) as bound:
        if settings.server.workers > 1:
            raise typer.Exit(_supervise(settings, bound))
        from seawall.cli.serving import run

        run(settings, bound)


def _check_workers(settings: "Settings") -> None:
    """End with the reason where several workers could not share what they have to."""
    if settings.server.workers == 1:
        return
    if settings.database_url is None:
        stop(
            f"{settings.server.workers} workers need one ledger that all can write to, and a SQLite file "
            "serves one gateway. Use 1 worker, or name a Postgres database: database_url."
        )
    if settings.valkey_url is None:
        stop(
            f"{settings.server.workers} workers need one place to count limits in, or each would admit as "
            "much as is meant for all. Use 1 worker, or name a Valkey or Redis server: valkey_url."
        )


def _supervise(settings: "Settings", bound: socket.socket) -> int:
    """Run workers until a signal comes; returns the exit code."""
    import asyncio
    import pickle
    import sys

    from seawall.cli.serving import Order
    from seawall.server.logs import set_up_logging
    from seawall.server.sharing import Loads
    from seawall.server.supervisor import Plan, Supervisor

    set_up_logging(style=settings.log_style(), level=settings.log.level)
    # Safe path: no file of the working directory may take the place of a module.
    command = (sys.executable, "-P", "-m", "seawall.cli.serve_one")
    loads = Loads.make(settings.server.workers)
    plan = Plan(
        command, (bound,), loads, stop_s=settings.server.drain_wait_s + settings.server.grace_s + CLOSING_S
    )
    listening = bound.fileno()

    def order_of(number: int) -> bytes:
        return pickle.dumps(Order(settings, number, loads.count, listening, loads.descriptor))

    async def supervise() -> int:
        return await Supervisor(plan, order_of, on_ready=partial(print, flush=True)).run()

    return asyncio.run(supervise())


def _bind(settings: "Settings") -> socket.socket:
    from seawall.server.binding import bind

    host, port = settings.server.host, settings.server.port
    try:
        bound = bind(host, port)
    except socket.gaierror:
        stop(f"{host} is not an address of this machine. Choose another with --host.")
    except OverflowError:
        stop(f"{port} is not a port. Choose one from 0 to 65535 with --port.")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            stop(
                f"port {port} is in use, perhaps by another seawall. Stop that, or choose another port: "
                f"seawall serve --port {port + 1}"
            )
        if error.errno == errno.EACCES:
            stop(f"port {port} needs more rights than this user has. Choose one above 1023 with --port.")
        stop(f"cannot listen on {host}:{port} ({error.strerror}). Choose another with --host and --port.")
    if not settings.behind_proxy and not ipaddress.ip_address(bound.getsockname()[0]).is_loopback:
        stop(
            f"{host} can be reached by others, and this version has no HTTPS of its own: keys and texts "
            "would travel readable. Listen on 127.0.0.1 and put a proxy with HTTPS in front; where that "
            'proxy is on another machine, state its network: behind_proxy = ["10.0.0.0/8"].'
        )
    return bound
