"""What `seawall serve` does in a process that serves: it makes the gateway, and runs it until a signal."""

import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from msgspec import Struct

from seawall.cli.opening import damaged_table, short, stop, unusable

if TYPE_CHECKING:
    from seawall.app import Seawall
    from seawall.https import Https
    from seawall.server.binding import Sockets
    from seawall.server.channel import Channel
    from seawall.server.protocol import RequestLimits
    from seawall.server.serving import Share
    from seawall.settings import Settings

PLACE_S = 2.0
"""How long a gateway that was told to stop has to make way for its successor."""


class Order(Struct, frozen=True):
    """What a worker is told: its number of so many, and the descriptors of the sockets and of the loads.

    Settings are read once, by the supervisor: a worker that is started again later never goes by others.
    """

    settings: "Settings"
    number: int
    count: int
    listening: tuple[int, ...]
    loads: int
    is_local: bool = False


class Seat(Struct, frozen=True):
    """Which of several workers a process is, and its line to the supervisor."""

    share: "Share"
    channel: "Channel"


def run(
    settings: "Settings", sockets: "Sockets", seat: Seat | None = None, *, is_local: bool = False
) -> None:
    """Serve until a signal comes; what cannot be ends in one sentence.

    `is_local` asks for HTTPS with a certificate for this machine only.
    """
    from seawall.server.logs import set_up_logging

    number = None if seat is None else seat.share.number
    set_up_logging(style=settings.log_style(), level=settings.log.level, worker=number)
    import uvloop

    with _only_one(settings) as make_way:
        uvloop.run(_run(settings, sockets, seat, is_local, make_way))


async def _run(
    settings: "Settings",
    sockets: "Sockets",
    seat: Seat | None,
    is_local: bool,
    make_way: Callable[[], None],
) -> None:
    from seawall.server.protocol import RequestLimits
    from seawall.server.serving import SIGNALS, Moments, make_server, tune_process

    server = settings.server
    limits = RequestLimits(
        head_bytes_max=server.header_bytes_max,
        headers_max=server.headers_max,
        head_timeout_s=server.header_timeout_s,
        body_timeout_s=server.body_timeout_s,
    )
    # First of all, since it may fail, and a new key is shown this once.
    async with _https(settings, sockets, limits, is_local) as https:
        number = None if seat is None else seat.share.number
        seawall, key = await prepare(settings, worker=number)
        tune_process()
        greeting = greet(seawall, sockets.main, key, https)
        say = partial(print, greeting, flush=True)
        if seat is not None:
            say = partial(seat.channel.tell_ready, greeting)
            seat.channel.watch(partial(os.kill, os.getpid(), signal.SIGTERM))
        running = make_server(
            seawall.asgi,
            limits=limits,
            grace_s=server.grace_s,
            moments=Moments(ready=say, drain=make_way, drain_wait_s=server.drain_wait_s),
            share=None if seat is None else seat.share,
            secured=None if https is None else https.secured,
        )
        for number in SIGNALS:  # What holds again once it has served: a second signal is no death either.
            signal.signal(number, running.handle_exit)
        await running.serve(sockets=[sockets.main])
    for number in SIGNALS:  # All is done: whoever asks again is not to turn a clean end into a death.
        signal.signal(number, signal.SIG_IGN)


@asynccontextmanager
async def _https(
    settings: "Settings", sockets: "Sockets", limits: "RequestLimits", is_local: bool
) -> AsyncIterator["Https | None"]:
    """Bring up HTTPS where it is asked for."""
    if not is_local and settings.tls.mode == "off":
        yield None
        return
    from seawall.app import prepare_folder
    from seawall.https import NoHttps, https_of, local_https

    tell = partial(print, flush=True)
    async with AsyncExitStack() as stack:
        try:
            prepare_folder(settings.data_dir)
            found = local_https(settings, limits) if is_local else https_of(settings, sockets, limits, tell)
            https = await stack.enter_async_context(found)
        except NoHttps as error:
            stop(f"{error}.")
        except OSError as error:
            _stop_unusable(settings, error)
        yield https


async def prepare(
    settings: "Settings", *, worker: int | None = None, queues: tuple[str, ...] | None = None
) -> tuple["Seawall", str | None]:
    """Make the gateway, and its first key where it has none; what cannot be ends in one sentence.

    `worker` is its number of several, `queues` are those of which it does jobs, `None` for all.
    """
    from seawall.app import Seawall
    from seawall.core.errors import Overloaded
    from seawall.providers.price_table import BadPriceTable
    from seawall.settings import SettingsError

    try:
        seawall = Seawall(settings, worker=worker, queues=queues)
        return seawall, await seawall.prepare()
    except BadPriceTable as error:
        stop(damaged_table(error))
    except SettingsError as error:
        stop(error.message)
    except (OSError, Overloaded) as error:
        _stop_unusable(settings, error)


@contextmanager
def _only_one(settings: "Settings") -> Iterator[Callable[[], None]]:
    """Be the only gateway that serves from the SQLite file, until what is yielded is called."""
    if settings.database_url is not None:
        yield lambda: None
        return
    from seawall.app import prepare_folder
    from seawall.stores.sqlite.process import ServingLock

    folder = settings.data_dir
    try:
        lock = ServingLock(prepare_folder(folder))
        deadline = time.monotonic() + settings.server.drain_wait_s + PLACE_S
        while not lock.take():
            if time.monotonic() > deadline:
                stop(
                    f"another gateway (process {lock.holder()}) serves from the data folder {short(folder)}, "
                    "and two on one SQLite file would each count limits for themselves. Stop that one first, "
                    "name another folder with --data, or let several share a ledger: database_url."
                )
            time.sleep(0.05)
    except OSError as error:
        _stop_unusable(settings, error)
    try:
        yield lock.leave
    finally:
        lock.leave()


def _stop_unusable(settings: "Settings", error: Exception) -> NoReturn:
    advice = "Make it writable, or choose another with --data."
    if settings.database_url is not None:
        advice = "Start it, or name another by database_url."
    stop(f"{unusable(settings, error)}. {advice}")


def greet(seawall: "Seawall", bound: socket.socket, key: str | None, https: "Https | None" = None) -> str:
    """Say what there is; secrets only at the first start."""
    from seawall.core.money import format_usd

    settings = seawall.settings
    base = _base_url(bound, https)
    budget = settings.global_budget()
    caps = {"a day": budget.daily, "a month": budget.monthly, "in all": budget.lifetime}
    budgets = " and ".join(f"${format_usd(cap)} {period}" for period, cap in caps.items() if cap is not None)
    providers = ", ".join(f"{found.name} ({found.because})" for found in seawall.found)
    lines = [
        f"Seawall is listening on {base}",
        f"  budget     {budgets} (stage {settings.stage.value})",
        f"  providers  {providers or 'none found; the model named demo answers without one'}",
        f"  admin key  {_admin_key_place(settings)}",
    ]
    if https is not None:
        lines += [f"  https      {https.told[0]}", *https.told[1:]]
    if settings.server.workers > 1:
        lines.append(f"  processes  {settings.server.workers}")
    lines += [f"  note       {note}" for note in [*seawall.notes, *settings.notes()]]
    if key is None:
        lines.append("  your key   shown at the first start; for another: seawall keys create NAME")
    else:
        lines += [
            "Point your app here (the key is shown this once):",
            f"  OPENAI_BASE_URL={base}",
            f"  OPENAI_API_KEY={key}",
        ]
    return "\n".join([*lines, ""])


def _base_url(bound: socket.socket, https: "Https | None") -> str:
    host, port = bound.getsockname()[:2]
    if https is None:
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
    host = https.host_for(host)
    return f"https://{f'[{host}]' if ':' in host else host}{'' if port == 443 else f':{port}'}/v1"


def _admin_key_place(settings: "Settings") -> str:
    from seawall.app import ADMIN_KEY_FILE

    return "from SEAWALL_ADMIN_KEY" if settings.admin_key else str(short(settings.data_dir / ADMIN_KEY_FILE))
