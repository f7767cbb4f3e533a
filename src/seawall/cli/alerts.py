"""`seawall alerts`: what was sent and what waits, a test through the real channels, and a secret for
webhooks.
"""

import asyncio
import secrets
import sys
import time
from typing import TYPE_CHECKING

import typer

from seawall.cli.opening import (
    ConfigOption,
    DataOption,
    JsonOption,
    is_made,
    read_settings,
    stop,
    unusable,
    with_store,
    work_in,
)

if TYPE_CHECKING:
    from seawall.core.events import Channel, Delivery
    from seawall.homes import Store
    from seawall.jobs.dispatching import Send
    from seawall.settings import Settings

app = typer.Typer(
    help="See what was sent to you, try the channels, make a secret for webhooks.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_alerts(as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None) -> None:
    """List the newest alerts with what became of them."""

    async def work(store: "Store") -> "list[Delivery]":
        return await store.outbox.newest()

    found = with_store(read_settings(config, data_dir=data), work)
    from seawall.cli import printing
    from seawall.server.showing import iso_of

    if as_json:
        rows = [
            {
                "id": each.event_id,
                "at": iso_of(each.at),
                "kind": each.kind,
                "channel": each.channel,
                "state": each.state,
                "tries": each.tries,
                "why": each.why,
            }
            for each in found
        ]
        printing.print_json({"data": rows})
        return
    if not found:
        print(
            "Nothing was sent yet. [alerts] and [mail] in seawall.toml say where to; try: seawall alerts test"
        )
        return
    table = printing.table("When", "Event", "By", "State", "Why", numbers=("Tries",))
    for each in found:
        why = printing.printable(each.why or "")
        table.add_row(printing.ago(time.time() - each.at), each.kind, each.channel, each.state, why)
    printing.console().print(table)


@app.command("test")
def try_channels(config: ConfigOption = None, data: DataOption = None) -> None:
    """Send a test through every channel that is configured, and say what happened."""
    from seawall.alerts import senders_of
    from seawall.settings import SettingsError

    settings = read_settings(config, data_dir=data)
    try:
        senders = senders_of(settings)
    except SettingsError as error:
        stop(error.message)
    if not senders:
        stop("there is nobody to tell: state alerts.webhook_url or mail.host in seawall.toml.")
    tried = asyncio.run(_try(senders))
    _note(settings, tried)
    if any(why for _, why in tried):
        raise typer.Exit(1)


@app.command("secret")
def secret() -> None:
    """Make a secret that webhooks are signed with; the receiver gets the same one."""
    from seawall.jobs.webhook import new_secret

    print(f"SEAWALL_WEBHOOK_SECRET={new_secret()}")


async def _try(senders: "dict[Channel, Send]") -> "list[tuple[Delivery, str | None]]":
    """Send the test; returns what went out, each with why it did not arrive."""
    from seawall.core.events import Delivery, Event
    from seawall.jobs.webhook import Undelivered
    from seawall.stores.deliveries import payload_of

    now = time.time()
    tried: list[tuple[Delivery, str | None]] = []
    event = Event("test", "test", "This is a test: alerts arrive here.", {"test": True}, now)
    for channel, send in senders.items():
        event_id = f"evt_{secrets.token_hex(12)}"
        delivery = Delivery(event_id, event_id, event.kind, channel, payload_of(event), 0, now)
        try:
            await send(delivery, now)
        except Undelivered as error:
            tried.append((delivery, error.why))
            print(f"{channel}: not delivered: {error.why}.")
        else:
            tried.append((delivery, None))
            print(f"{channel}: delivered.")
    return tried


def _note(settings: "Settings", tried: "list[tuple[Delivery, str | None]]") -> None:
    """Keep what came of it, where a gateway has its data already: `seawall stage` asks for it."""
    from seawall.core.errors import Overloaded

    async def work(store: "Store") -> None:
        for delivery, why in tried:
            await store.outbox.note(delivery, time.time(), why)

    try:
        if is_made(settings):
            asyncio.run(work_in(settings, work))
    except (OSError, Overloaded) as error:
        print(f"It was not written down: {unusable(settings, error)}.", file=sys.stderr)
