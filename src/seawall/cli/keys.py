"""`seawall keys`: make, look at, revoke and rotate the keys that apps call with."""

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seawall.cli.opening import (
    EXIT_NOT_FOUND,
    ConfigOption,
    DataOption,
    JsonOption,
    read_settings,
    stop,
    with_store,
)

if TYPE_CHECKING:
    from seawall.core.contracts import KeyRecord, Spend
    from seawall.homes import Store

app = typer.Typer(
    help="Make, look at, revoke and rotate the keys that apps call with.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

KeyArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of the key, or its name.")]

ModelsOption = Annotated[
    str | None, typer.Option(help="The models it may use: a,b.", show_default="every model")
]
LimitOption = Annotated[
    list[str] | None, typer.Option(help='How often it may call: "100/minute", "4 at once"; several.')
]
PublishableOption = Annotated[
    bool, typer.Option("--publishable", help="Make a key that may stand in a web page.")
]
GuardOption = Annotated[
    str | None, typer.Option(help="The profile of the guard: off, flag, block, or one of your own.")
]
OriginOption = Annotated[
    list[str] | None, typer.Option(help="A page that may use a publishable key; several.")
]
TrialTokensOption = Annotated[
    int | None, typer.Option(help="The tokens of each visitor in a day.", show_default="20000")
]
TrialRequestsOption = Annotated[
    int | None, typer.Option(help="The calls of each visitor in a day.", show_default="20")
]


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.")],
    models: ModelsOption = None,
    daily_usd: Annotated[str | None, typer.Option(help="The most it may spend in a day (UTC).")] = None,
    monthly_usd: Annotated[str | None, typer.Option(help="The most it may spend in a month (UTC).")] = None,
    lifetime_usd: Annotated[str | None, typer.Option(help="The most it may ever spend.")] = None,
    expires_at: Annotated[str | None, typer.Option(help="When it ends: 2027-01-31T12:00:00Z.")] = None,
    owner: Annotated[str | None, typer.Option(help="Whose key it is; its users are the owner's own.")] = None,
    tier: Annotated[str | None, typer.Option(help="The tier of its end users.")] = None,
    limit: LimitOption = None,
    guard: Annotated[
        str | None, typer.Option(help="The profile of the guard: off, flag, block, or own.")
    ] = None,
    publishable: PublishableOption = False,
    origin: OriginOption = None,
    trial_tokens: TrialTokensOption = None,
    trial_requests: TrialRequestsOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Make a key and show it this once.

    A running gateway accepts it at once. The budgets of a key come on top of the gateway's own.
    """
    from seawall.core.errors import InvalidRequest
    from seawall.identity import records

    caps = {"daily_usd": daily_usd, "monthly_usd": monthly_usd, "lifetime_usd": lifetime_usd}
    listed = None if models is None else [model.strip() for model in models.split(",")]
    stated = {
        "models": listed,
        "budget": {n: cap for n, cap in caps.items() if cap is not None},
        "expires_at": expires_at,
        "owner": owner,
        "tier": tier,
        "guard": guard,
        "limits": limit or None,
        "kind": "publishable" if publishable else None,
        "origins": origin or None,
        "trial": _trial(trial_tokens, trial_requests),
    }
    fields: dict[str, Any] = {"name": name, **{n: value for n, value in stated.items() if value is not None}}

    settings = read_settings(config, data_dir=data)
    try:
        records.check_guard(guard, settings.house_terms().guards)
        record, key = records.make(fields, time.time())
    except InvalidRequest as error:  # Before the data folder is made.
        stop(error.message)

    async def work(store: "Store") -> None:
        await store.directory.put(record)

    with_store(settings, work, may_create=True)
    if as_json:
        _print_secret_json(record, key)
        return
    _print_made(record, key)


def _print_made(record: "KeyRecord", key: str) -> None:
    print(f"Made the key {record.name} ({record.id}). It is shown this once:\n")
    if record.kind == "key":
        print(f"OPENAI_API_KEY={key}")
        return
    print(
        f"{key}\n\nIt may stand in the pages {', '.join(record.origins)}: as apiKey of OpenAI's library for"
    )
    print("browsers, or as `Authorization: Bearer`.")


def _trial(tokens: int | None, requests: int | None) -> dict[str, int] | None:
    stated = {"tokens_per_day": tokens, "requests_per_day": requests}
    return {name: figure for name, figure in stated.items() if figure is not None} or None


@app.command("list")
def list_keys(as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None) -> None:
    """List all keys with what each has spent."""

    async def work(store: "Store") -> "list[tuple[KeyRecord, Spend]]":
        return [(record, await _spend(store, record)) for record in await store.directory.keys()]

    found = with_store(read_settings(config, data_dir=data), work)
    from seawall.cli import printing
    from seawall.server.showing import show_key

    if as_json:
        printing.print_json({"data": [show_key(record, spend) for record, spend in found]})
        return
    if not found:
        print("No keys yet. Make one: seawall keys create NAME")
        return
    table = printing.table("Id", "Name", "Today", "This month", "Last used")
    table.columns[0].no_wrap = True
    now = time.time()
    for record, spend in found:
        table.add_row(
            record.id,
            printing.printable(record.name),
            _spent(spend.daily, record.budget.daily),
            _spent(spend.monthly, record.budget.monthly),
            _used(record, now) if _state(record, now) == "active" else _state(record, now),
        )
    printing.console().print(table)


@app.command("show")
def show(
    wanted: KeyArgument, as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None
) -> None:
    """Show what a key may do and what it has spent."""

    async def work(store: "Store") -> "tuple[KeyRecord, Spend]":
        record = await find_key(store, wanted)
        return record, await _spend(store, record)

    record, spend = with_store(read_settings(config, data_dir=data), work)
    from seawall.cli import printing
    from seawall.identity.stated import show_limits
    from seawall.server.showing import show_key

    if as_json:
        printing.print_json(show_key(record, spend))
        return
    now = time.time()
    rows: list[tuple[str, Any]] = [
        ("id", record.id),
        ("state", _state(record, now)),
        ("kind", "" if record.kind == "key" else record.kind),
        ("owner", printing.printable(record.owner)),
        ("tier", printing.printable(record.tier or "")),
        ("limits", ", ".join(show_limits(record.limits))),
        ("guard", printing.printable(record.guard or "")),
        ("pages", ", ".join(record.origins)),
        ("models", "every model" if record.models is None else printing.printable(", ".join(record.models))),
        ("made", printing.moment(record.created_at)),
        ("last used", _used(record, now)),
        ("expires", "never" if record.expires_at is None else printing.moment(record.expires_at)),
    ]
    rows = [(label, value) for label, value in rows if value]
    if record.previous_until is not None and record.previous_until > now:
        rows.append(("old key", f"works until {printing.moment(record.previous_until)}"))
    console = printing.console()
    console.print(printing.printable(record.name), style="bold")
    console.print(printing.facts(rows))
    console.print("\nBudget of this key", style="bold")
    console.print(printing.budget_grid(record.budget, spend, is_ascii=console.options.ascii_only))


@app.command("revoke")
def revoke(
    wanted: KeyArgument, as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None
) -> None:
    """Refuse a key from now on; what it spent stays on record."""
    from seawall.identity import records

    async def work(store: "Store") -> "KeyRecord":
        found = await find_key(store, wanted)
        changed = await store.directory.change(found.id, partial(records.revoke, now=time.time()))
        return changed or found

    record = with_store(read_settings(config, data_dir=data), work)
    if as_json:
        from seawall.cli import printing

        printing.print_json({"id": record.id, "revoked": True})
        return
    print(f"Revoked the key {record.name} ({record.id}). A running gateway refuses it within a second.")


@app.command("rotate")
def rotate(
    wanted: KeyArgument,
    overlap_s: Annotated[int, typer.Option(help="How many seconds the old key goes on working.")] = 0,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Replace the secret of a key, and show the new one.

    Id, name, budgets and history stay. Without an overlap the old secret is refused from now on.
    """
    from seawall.identity import records
    from seawall.identity.keys import new_secret

    async def work(store: "Store") -> "tuple[KeyRecord, str]":
        found = await find_key(store, wanted)
        key, key_hash = new_secret(found.kind)
        fields = {"overlap_s": overlap_s}
        how = partial(records.rotate, fields=fields, key_hash=key_hash, now=time.time())
        return await store.directory.change(found.id, how) or found, key

    record, key = with_store(read_settings(config, data_dir=data), work)
    if as_json:
        _print_secret_json(record, key)
        return
    old = f"works for {overlap_s} seconds more" if overlap_s else "is refused from now on"
    print(f"Rotated the key {record.name} ({record.id}). The old one {old}.")
    print("The new one is shown this once:\n")
    print(f"OPENAI_API_KEY={key}")


async def find_key(store: "Store", wanted: str) -> "KeyRecord":
    """Return the key with this id, else the only one of this name; one that is not revoked goes first."""
    from seawall.cli.printing import printable
    from seawall.identity.keys import PREFIX

    if wanted.startswith(PREFIX):
        stop(
            "give the id of the key (key_...) or its name, not the key itself: it would stay in your history."
        )
    record = await store.directory.get(wanted)
    if record is not None:
        return record
    named = [record for record in await store.directory.keys() if record.name == wanted]
    named = [record for record in named if record.revoked_at is None] or named
    if not named:
        stop(
            f"there is no key with the id or name {printable(wanted)}; `seawall keys list` shows them all.",
            code=EXIT_NOT_FOUND,
        )
    if len(named) > 1:
        ids = ", ".join(record.id for record in named)
        stop(f"{len(named)} keys have the name {printable(wanted)}; give the id of one: {ids}.")
    return named[0]


async def _spend(store: "Store", record: "KeyRecord") -> "Spend":
    from seawall.core.policy import Scope

    return await store.call_log.spend(str(Scope("key", record.id)), time.time())


def _spent(spent: int, cap: int | None) -> str:
    from seawall.cli.printing import dollars

    return dollars(spent) if cap is None else f"{dollars(spent)} of {dollars(cap)}"


def _state(record: "KeyRecord", now: float) -> str:
    if record.revoked_at is not None:
        return "revoked"
    return "expired" if record.expires_at is not None and now >= record.expires_at else "active"


def _used(record: "KeyRecord", now: float) -> str:
    from seawall.cli.printing import ago

    return "never" if record.last_used_at is None else ago(now - record.last_used_at)


def _print_secret_json(record: "KeyRecord", key: str) -> None:
    from seawall.cli.printing import print_json

    print_json({"id": record.id, "key": key})
