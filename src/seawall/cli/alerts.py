"""`seawall alerts`: what was sent and what waits, a test through the real channels, and a secret for
webhooks.
"""

import asyncio
import base64
import secrets
import time
from typing import TYPE_CHECKING

import typer

from seawall.cli.opening import ConfigOption, DataOption, JsonOption, read_settings, stop, with_store

if TYPE_CHECKING:
    from seawall.core.events import Channel, Delivery
    from seawall.homes import Store
    from seawall.jobs.alerting import Send

SECRET_BYTES = 32

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
    if not asyncio.run(_try(senders)):
        raise typer.Exit(1)


@app.command("secret")
def secret() -> None:
    """Make a secret that webhooks are signed with; the receiver gets the same one."""
    text = base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    print(f"SEAWALL_WEBHOOK_SECRET=whsec_{text}")


async def _try(senders: "dict[Channel, Send]") -> bool:
    """Send the test; returns whether every channel took it."""
    from seawall.core.events import Delivery, Event
    from seawall.jobs.webhook import Undelivered
    from seawall.stores.deliveries import payload_of

    now, is_fine = time.time(), True
    event = Event("test", "test", "This is a test: alerts arrive here.", {"test": True}, now)
    for channel, send in senders.items():
        event_id = f"evt_{secrets.token_hex(12)}"
        delivery = Delivery(event_id, event_id, event.kind, channel, payload_of(event), 0, now)
        try:
            await send(delivery, now)
        except Undelivered as error:
            is_fine = False
            print(f"{channel}: not delivered: {error.why}.")
        else:
            print(f"{channel}: delivered.")
    return is_fine
