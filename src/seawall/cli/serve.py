"""`seawall serve`: start the gateway."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli.opening import ConfigOption, DataOption, read_settings, stop

if TYPE_CHECKING:
    from seawall.server.binding import Sockets
    from seawall.settings import Settings

CLOSING_S = 20.0
"""How long a worker may take to let go of everything once its last call is over."""
FIRST_CERTIFICATE_S = 300.0
"""How long a worker may take to start where it has to get a certificate first."""


def serve(
    config: ConfigOption = None,
    host: Annotated[
        str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.", show_default="8787")] = None,
    workers: Annotated[int | None, typer.Option(help="How many processes serve.", show_default="1")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="HTTPS with this certificate and its chain.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The key of that certificate.")] = None,
    tls_auto: Annotated[
        list[str] | None,
        typer.Option(metavar="DOMAIN", help="HTTPS with a certificate that is got by ACME; repeatable."),
    ] = None,
    https: Annotated[
        bool, typer.Option("--https", help="HTTPS for this machine only, to develop with.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Start the gateway.

    Without any configuration it listens on 127.0.0.1:8787, makes its data folder and a first key, uses the
    provider keys that it finds in the environment or in .env, and holds every cent before it is spent.
    """
    stated: dict[str, object] = {"server.host": host, "server.port": port, "server.workers": workers}
    stated |= {"tls.cert": tls_cert, "tls.key": tls_key, "tls.auto": tls_auto or None}
    settings = read_settings(config, data_dir=data, **stated)
    _check_workers(settings)
    from seawall.cli.listening import listening

    with listening(settings, is_local=https) as sockets:
        if settings.server.workers > 1:
            raise typer.Exit(_supervise(settings, sockets, is_local=https))
        from seawall.cli.serving import run

        run(settings, sockets, is_local=https)


def _check_workers(settings: "Settings") -> None:
    """End with the reason where several workers could not share what they have to."""
    if settings.server.workers == 1:
        return
    if settings.database_url is None:
        stop(
            f"{settings.server.workers} processes need one ledger that all can write to, and a SQLite file "
            "serves one gateway. Use one, or name a Postgres database: database_url."
        )
    if settings.valkey_url is None:
        stop(
            f"{settings.server.workers} processes need one place to count limits in, or each would admit as "
            "much as is meant for all. Use one, or name a Valkey or Redis server: valkey_url."
        )


def _supervise(settings: "Settings", sockets: "Sockets", *, is_local: bool) -> int:
    """Run workers until a signal comes; returns the exit code."""
    import asyncio
    import pickle
    import signal
    import sys

    from msgspec.structs import replace

    from seawall.cli.serving import Order
    from seawall.server.logs import set_up_logging
    from seawall.server.sharing import Loads
    from seawall.server.supervisor import Plan, Supervisor

    set_up_logging(style=settings.log_style(), level=settings.log.level)
    # Safe path: no file of the working directory may take the place of a module.
    command = (sys.executable, "-P", "-m", "seawall.cli.serve_one")
    loads = Loads.make(settings.server.workers)
    bound = tuple(filter(None, (sockets.main, sockets.http)))
    stop_s = settings.server.drain_wait_s + settings.server.grace_s + CLOSING_S
    plan = Plan(command, bound, loads, stop_s=stop_s)
    if settings.tls.mode == "auto":
        plan = replace(plan, start_s=FIRST_CERTIFICATE_S)
    listening = tuple(sock.fileno() for sock in bound)

    def order_of(number: int) -> bytes:
        return pickle.dumps(Order(settings, number, loads.count, listening, loads.descriptor, is_local))

    async def supervise() -> int:
        supervisor = Supervisor(plan, order_of, on_ready=partial(print, flush=True))
        if settings.tls.mode != "off":
            supervisor.forward(signal.SIGHUP)
        return await supervisor.run()

    return asyncio.run(supervise())
