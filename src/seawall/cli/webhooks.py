"""`seawall webhooks`: which apps hear of their jobs, how that goes, a test, a secret, enabling again."""

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seawall.cli.opening import ConfigOption, DataOption, JsonOption, read_settings, stop, with_store

if TYPE_CHECKING:
    from seawall.core.events import Delivery
    from seawall.core.receivers import ReceiverState
    from seawall.homes import Store
    from seawall.jobs.webhook import Webhook
    from seawall.settings import Settings

DELIVERIES_SHOWN = 20

app = typer.Typer(
    help="See how the webhooks of apps do, try one, make a secret for it, enable it again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The name of the webhook: [webhooks.NAME] in the settings.")
]


@app.command("list")
def list_webhooks(as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None) -> None:
    """List the webhooks with how they do and what they got last."""
    settings = read_settings(config, data_dir=data)
    rows = _rows(settings)
    from seawall.cli import printing

    if as_json:
        printing.print_json({"data": rows})
        return
    if not rows:
        print("There are no webhooks. [webhooks.NAME] in seawall.toml names one.")
        return
    table = printing.table("Webhook", "State", "Last event", "When", "Why")
    for row in rows:
        last = next(iter(row["deliveries"]), None)
        table.add_row(
            row["name"],
            row["state"],
            printing.NOTHING if last is None else f"{last['type']} ({last['state']})",
            "" if last is None else printing.ago(time.time() - last["created_at"]),
            printing.printable(row["why"] or (last or {}).get("why") or ""),
        )
    printing.console().print(table)
    disabled = [row["name"] for row in rows if row["state"] == "disabled"]
    for name in disabled:
        print(f"\nNothing is sent to {name} until: seawall webhooks enable {name}")


@app.command("test")
def try_webhook(
    name: NameArgument, as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None
) -> None:
    """Send a test event to a webhook, signed as every event is, and say what happened."""
    settings = read_settings(config, data_dir=data)
    why = asyncio.run(_try(_webhook(name, settings)))
    if as_json:
        from seawall.cli.printing import print_json

        print_json({"name": name, "delivered": why is None, "why": why})
    else:
        print(f"{name}: delivered." if why is None else f"{name}: not delivered: {why}.")
    if why is not None:
        raise typer.Exit(1)


@app.command("secret")
def secret(name: NameArgument) -> None:
    """Make a secret that a webhook is signed with, as a line for `.env`; the receiver gets the same one."""
    from seawall.jobs.webhook import new_secret
    from seawall.settings.credentials import secret_variable

    print(f"{secret_variable('webhooks', name)}={new_secret()}")


@app.command("enable")
def enable(
    name: NameArgument, as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None
) -> None:
    """Send to a webhook again that was disabled: first what was kept for it, for a day."""
    from seawall.core.events import APP

    settings = read_settings(config, data_dir=data)
    _check_name(name, settings)

    async def work(store: "Store") -> bool:
        return await store.receivers.enable(f"{APP}{name}", time.time())

    was_disabled = with_store(settings, work)
    if as_json:
        from seawall.cli.printing import print_json

        print_json({"name": name, "was_disabled": was_disabled})
        return
    print(f"{name} is sent to again." if was_disabled else f"{name} was not disabled.")


def _rows(settings: "Settings") -> list[dict[str, Any]]:
    from seawall.core.events import APP

    channels = {name: f"{APP}{name}" for name in settings.webhooks}

    async def work(store: "Store") -> "tuple[list[ReceiverState], list[Delivery]]":
        return await store.receivers.failing(), await store.outbox.newest([*channels.values()])

    failing, newest = with_store(settings, work) if channels else ([], [])
    states = {state.channel: state for state in failing}
    return [
        _row(name, settings, states.get(channel), [each for each in newest if each.channel == channel])
        for name, channel in channels.items()
    ]


def _row(
    name: str, settings: "Settings", state: "ReceiverState | None", newest: "list[Delivery]"
) -> dict[str, Any]:
    stated = settings.webhooks[name]
    is_disabled = state is not None and state.disabled_at is not None
    return {
        "name": name,
        "events": stated.events,
        "keys": stated.keys,
        "state": "working" if state is None else "disabled" if is_disabled else "failing",
        "failures": 0 if state is None else state.failures,
        "failing_since": None if state is None else int(state.failing_since),
        "disabled_at": int(state.disabled_at) if state is not None and state.disabled_at else None,
        "why": None if state is None else state.why,
        "deliveries": [
            {
                "id": each.event_id,
                "type": each.kind,
                "created_at": int(each.at),
                "state": each.state,
                "tries": each.tries,
                "why": each.why,
            }
            for each in newest[:DELIVERIES_SHOWN]
        ],
    }


def _check_name(name: str, settings: "Settings") -> None:
    if name not in settings.webhooks:
        known = ", ".join(settings.webhooks) or "none; [webhooks.NAME] in seawall.toml makes one"
        stop(f"there is no webhook of this name. Known webhooks: {known}.")


def _webhook(name: str, settings: "Settings") -> "Webhook":
    from seawall.notifying import webhooks_of
    from seawall.settings import SettingsError

    _check_name(name, settings)
    try:
        return webhooks_of(settings)[name]
    except SettingsError as error:
        stop(error.message)


async def _try(webhook: "Webhook") -> str | None:
    """Send the test; returns why it did not arrive, `None` where it did."""
    from seawall.core.events import Delivery, Event
    from seawall.jobs.webhook import Undelivered
    from seawall.stores.deliveries import app_payload_of

    now = time.time()
    event_id = f"evt_{secrets.token_hex(12)}"
    payload = app_payload_of(Event("test", "test", "", {"id": "test"}, now), event_id)
    try:
        await webhook.send(Delivery(event_id, event_id, "test", "", payload, 0, now), now)
    except Undelivered as error:
        return error.why
    return None
