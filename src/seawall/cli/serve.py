"""`seawall serve`: start the gateway."""

import errno
import ipaddress
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli.opening import ConfigOption, DataOption, damaged_table, read_settings, stop

if TYPE_CHECKING:
    from seawall.app import Seawall
    from seawall.settings import Settings


def serve(
    config: ConfigOption = None,
    host: Annotated[
        str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.", show_default="8787")] = None,
    data: DataOption = None,
) -> None:
    """Start the gateway.

    Without any configuration it listens on 127.0.0.1:8787, makes its data folder and a first key, uses the
    provider keys that it finds in the environment or in .env, and holds every cent before it is spent.
    """
    settings = read_settings(config, **{"server.host": host, "server.port": port, "data_dir": data})
    from seawall.app import log_style
    from seawall.server.logs import set_up_logging

    set_up_logging(style=log_style(settings), level=settings.log.level)
    import uvloop

    with _bind(settings) as bound:
        uvloop.run(_run(settings, bound))


def _bind(settings: "Settings") -> socket.socket:
    from seawall.server.serving import bind

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


async def _run(settings: "Settings", bound: socket.socket) -> None:
    from seawall.app import Seawall
    from seawall.core.errors import Overloaded
    from seawall.providers.price_table import BadPriceTable
    from seawall.server.protocol import RequestLimits
    from seawall.server.serving import serve as run
    from seawall.server.serving import tune_process
    from seawall.settings import SettingsError

    try:
        seawall = Seawall(settings)
        key = await seawall.prepare()
    except BadPriceTable as error:
        stop(damaged_table(error))
    except SettingsError as error:
        stop(error.message)
    except (OSError, Overloaded) as error:
        why = getattr(error, "private", None) or getattr(error, "strerror", None) or error
        stop(
            f"the data folder {_short(settings.data_dir)} cannot be used ({why}). "
            "Make it writable, or choose another with --data."
        )
    server = settings.server
    limits = RequestLimits(
        head_bytes_max=server.header_bytes_max,
        headers_max=server.headers_max,
        head_timeout_s=server.header_timeout_s,
        body_timeout_s=server.body_timeout_s,
    )
    tune_process()
    greet = partial(_greet, seawall, bound, key)
    await run(seawall.asgi, bound, limits=limits, grace_s=server.grace_s, on_ready=greet)


def _greet(seawall: "Seawall", bound: socket.socket, key: str | None) -> None:
    """Say what there is; secrets only at the first start."""
    from seawall.core.money import format_usd

    settings = seawall.settings
    host, port = bound.getsockname()[:2]
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
    budget = settings.global_budget()
    caps = {"a day": budget.daily, "a month": budget.monthly, "in all": budget.lifetime}
    budgets = " and ".join(f"${format_usd(cap)} {period}" for period, cap in caps.items() if cap is not None)
    providers = ", ".join(f"{found.name} ({found.because})" for found in seawall.found)
    print(f"Seawall is listening on {base}")
    print(f"  budget     {budgets} (stage {settings.stage.value})")
    print(f"  providers  {providers or 'none found; the model named demo answers without one'}")
    print(f"  admin key  {_admin_key_place(settings)}")
    for note in [*seawall.notes, *settings.notes()]:
        print(f"  note       {note}")
    if key is None:
        print("  your key   shown at the first start; for another: seawall keys create NAME")
    else:
        print("Point your app here (the key is shown this once):")
        print(f"  OPENAI_BASE_URL={base}")
        print(f"  OPENAI_API_KEY={key}")
    print(flush=True)


def _admin_key_place(settings: "Settings") -> str:
    from seawall.app import ADMIN_KEY_FILE

    return "from SEAWALL_ADMIN_KEY" if settings.admin_key else str(_short(settings.data_dir / ADMIN_KEY_FILE))


def _short(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
