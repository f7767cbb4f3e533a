"""What `seawall serve` does in a process that serves: it makes the gateway, and runs it until a signal."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from msgspec import Struct

from seawall.cli.opening import damaged_table, short, stop, unusable

if TYPE_CHECKING:
    from seawall.app import Seawall
    from seawall.server.channel import Channel
    from seawall.server.serving import Share
    from seawall.settings import Settings

PLACE_S = 2.0
"""How long a gateway that was told to stop has to make way for its successor."""


class Order(Struct, frozen=True):
    """What a worker is told: its number of so many, and the descriptors of the socket and of the loads.

    Settings are read once, by the supervisor: a worker that is started again later never goes by others.
    """

    settings: "Settings"
    number: int
    count: int
    listening: int
    loads: int


class Seat(Struct, frozen=True):
    """Which of several workers a process is, and its line to the supervisor."""

    share: "Share"
    channel: "Channel"


def run(settings: "Settings", bound: socket.socket, seat: Seat | None = None) -> None:
    """Serve until a signal comes; what cannot be ends in one sentence."""
    from seawall.server.logs import set_up_logging

    number = None if seat is None else seat.share.number
    set_up_logging(style=settings.log_style(), level=settings.log.level, worker=number)
    import uvloop

    with _only_one(settings) as make_way:
        uvloop.run(_run(settings, bound, seat, make_way))


async def _run(
    settings: "Settings", bound: socket.socket, seat: Seat | None, make_way: Callable[[], None]
) -> None:
    from seawall.app import Seawall
    from seawall.core.errors import Overloaded
    from seawall.providers.price_table import BadPriceTable
    from seawall.server.protocol import RequestLimits
    from seawall.server.serving import SIGNALS, Moments, make_server, tune_process
    from seawall.settings import SettingsError

    try:
        seawall = Seawall(settings, worker=None if seat is None else seat.share.number)
        key = await seawall.prepare()
    except BadPriceTable as error:
        stop(damaged_table(error))
    except SettingsError as error:
        stop(error.message)
    except (OSError, Overloaded) as error:
        _stop_unusable(settings, error)
    server = settings.server
    limits = RequestLimits(
        head_bytes_max=server.header_bytes_max,
        headers_max=server.headers_max,
        head_timeout_s=server.header_timeout_s,
        body_timeout_s=server.body_timeout_s,
    )
    tune_process()
    greeting = greet(seawall, bound, key)
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
    )
    await running.serve(sockets=[bound])
    for number in SIGNALS:  # All is done: whoever asks again is not to turn a clean end into a death.
        signal.signal(number, signal.SIG_IGN)


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


def greet(seawall: "Seawall", bound: socket.socket, key: str | None) -> str:
    """Say what there is; secrets only at the first start."""
    from seawall.core.money import format_usd

    settings = seawall.settings
    host, port = bound.getsockname()[:2]
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
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
    if settings.server.workers > 1:
        lines.append(f"  workers    {settings.server.workers}")
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


def _admin_key_place(settings: "Settings") -> str:
    from seawall.app import ADMIN_KEY_FILE

    return "from SEAWALL_ADMIN_KEY" if settings.admin_key else str(short(settings.data_dir / ADMIN_KEY_FILE))
