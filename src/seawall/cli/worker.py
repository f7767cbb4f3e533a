"""`seawall worker`: do jobs, and serve nothing."""

from typing import TYPE_CHECKING, Annotated, get_args

import typer

from seawall.cli.opening import ConfigOption, DataOption, home_of, read_settings, require_made, stop
from seawall.stores.carriers import Queue

if TYPE_CHECKING:
    from seawall.settings import Settings

QUEUES = get_args(Queue)


def worker(
    queues: Annotated[
        str, typer.Option(help="What it does: calls (of a provider), tasks (of your app), or both.")
    ] = ",".join(QUEUES),
    concurrency: Annotated[
        int | None, typer.Option(help="How many jobs at once.", min=1, max=1_000, show_default="20")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Do jobs, and serve nothing: beside a gateway on one folder, or on Postgres on many machines.

    SIGTERM ends it: what runs may come to its end, and what is left is done by another.
    """
    names = dict.fromkeys(name.strip() for name in queues.split(","))
    if not set(names) <= set(QUEUES):
        stop("--queues takes calls, tasks, or both with a comma between them.")
    from seawall.server.logs import set_up_logging
    from seawall.settings.jobs import JobSettings

    settings = read_settings(config, data_dir=data, **{"jobs.concurrency": concurrency})
    if not settings.jobs.concurrency:  # That is said to gateways, which leave their jobs to workers.
        settings = read_settings(config, data_dir=data, **{"jobs.concurrency": JobSettings().concurrency})
    require_made(settings)
    set_up_logging(style=settings.log_style(), level=settings.log.level)
    import uvloop

    uvloop.run(_run(settings, tuple(names)))


async def _run(settings: "Settings", queues: tuple[str, ...]) -> None:
    import asyncio
    import signal

    from seawall.cli.serving import prepare
    from seawall.server.serving import SIGNALS, tune_process

    loop, is_asked = asyncio.get_running_loop(), asyncio.Event()
    seawall, key = await prepare(settings, queues=queues)
    tune_process()
    await seawall.start()
    for number in SIGNALS:
        loop.add_signal_handler(number, is_asked.set)
    at_once = settings.jobs.concurrency
    print(f"Seawall does {' and '.join(queues)}, {at_once} at once, of {home_of(settings)}")
    providers = ", ".join(f"{found.name} ({found.because})" for found in seawall.found)
    print(f"  providers  {providers or 'none found; the model named demo answers without one'}", flush=True)
    if key is not None:
        print(f"  your key   {key}", flush=True)
    await is_asked.wait()
    for number in SIGNALS:  # Whoever asks again does not want to wait.
        loop.remove_signal_handler(number)
    await seawall.stop()
    for number in SIGNALS:  # All is done: that is a clean end, whoever asks once more.
        signal.signal(number, signal.SIG_IGN)
