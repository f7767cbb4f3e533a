"""`seawall users`: who uses the app, how much of what is theirs, and who is let in."""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from seawall.cli.opening import ConfigOption, DataOption, JsonOption, read_settings, stop, with_store

if TYPE_CHECKING:
    from seawall.homes import Store
    from seawall.server.user_view import Books, UserView
    from seawall.settings import Settings

T = TypeVar("T")

DAYS = 31
DAYS_MAX = 3_660
DAY_MS = 86_400_000
USERS_MAX = 1_000

app = typer.Typer(
    help="See who uses the app and how much, put users into tiers, shut them out, forget them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

UserArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of the user, as the app names it.")]


@app.command("list")
def list_users(
    days: Annotated[int, typer.Option(help="How many days to look back.", min=1, max=DAYS_MAX)] = DAYS,
    after: Annotated[str, typer.Option(help="Go on after this id.")] = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """List who called lately or is decided about, by id, with what each has used."""
    from seawall.server.admin_users import list_users as find

    since_ms = int(time.time() * 1000) - days * DAY_MS

    async def work(books: "Books") -> list[dict[str, Any]]:
        return await find(books, since_ms=since_ms, after=after, limit=USERS_MAX)

    rows = _with_books(read_settings(config, data_dir=data), work)
    from seawall.cli import printing

    if as_json:
        printing.print_json({"days": days, "data": rows})
        return
    if not rows:
        print("No users yet. An app names them: the header seawall-user, or `user` in the request.")
        return
    table = printing.table("User", "Tier", "Calls", "Tokens", "Cost", "", numbers=("Calls", "Tokens", "Cost"))
    for row in rows:
        table.add_row(
            printing.printable(row["id"]),
            printing.printable(row["tier"] or printing.NOTHING),
            printing.count(row["calls"]),
            printing.count(row["tokens"]),
            f"${row['cost_usd']}",
            "blocked" if row["blocked_at"] else "",
        )
    printing.console().print(table)
    if len(rows) == USERS_MAX:
        print(f"\nThere may be more: seawall users list --after {printing.printable(rows[-1]['id'])}")


@app.command("show")
def show(
    user: UserArgument, as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None
) -> None:
    """Show what a user may do and has used. One that was never seen may do what everybody may."""
    settings = read_settings(config, data_dir=data)
    _print(_look_at(settings, user), settings, as_json=as_json)


@app.command("set-tier")
def set_tier(
    user: UserArgument,
    tier: Annotated[str, typer.Argument(metavar="TIER", help="The tier, or `default` to take it back.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Put a user into a tier. A running gateway follows within a second."""
    changed = {"tier": None if tier == "default" else tier}
    _change(user, changed, read_settings(config, data_dir=data), as_json=as_json)


@app.command("block")
def block(
    user: UserArgument,
    off: Annotated[bool, typer.Option("--off", help="Let the user in again.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Shut a user out, or with --off let it in again."""
    _change(user, {"blocked": not off}, read_settings(config, data_dir=data), as_json=as_json)


@app.command("mail")
def mail(
    user: UserArgument,
    off: Annotated[bool, typer.Option("--off", help="Never mail the user, whatever the app asks.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Let a user be mailed when a job is done, or with --off never."""
    _change(user, {"mail": not off}, read_settings(config, data_dir=data), as_json=as_json)


@app.command("reset")
def reset(
    user: UserArgument, as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None
) -> None:
    """Begin the quotas of a user anew; money that was spent stays spent."""
    _change(user, {"reset": True}, read_settings(config, data_dir=data), as_json=as_json)


@app.command("erase")
def erase(
    user: UserArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Forget a person: its name, stored answers and what was decided. What was spent stays in the sums."""
    from seawall.cli.kept import kept_answers
    from seawall.cli.printing import print_json, printable
    from seawall.pipeline.caching import user_hash
    from seawall.server.admin_users import new_alias

    if not yes and not typer.confirm(f"Forget {printable(user)} for good?", err=True):
        stop("nothing was changed.", code=1)
    alias = new_alias()
    settings = read_settings(config, data_dir=data)

    async def work(books: "Books") -> int:
        async with kept_answers(settings, await books.directory.salt()) as answers:
            calls = await books.directory.erase_user(user, alias)
            if answers is not None:
                await answers.forget_user(user_hash(user))
            return calls

    calls = _with_books(settings, work)
    if as_json:
        print_json({"erased": True, "kept_as": alias, "calls": calls})
        return
    print(f"Forgot {printable(user)}. What was spent is kept as {alias} ({calls} calls on record).")


def _with_books(settings: "Settings", work: "Callable[[Books], Awaitable[T]]") -> T:
    """Do something with the stores of the data folder; what is refused ends in one sentence."""
    from seawall.alerts import channels_of
    from seawall.core.errors import Conflict, InvalidRequest
    from seawall.server.user_view import Books

    async def run(store: "Store") -> T:
        house = settings.house_terms()
        channels = channels_of(settings, "user.tier_changed")
        return await work(Books(store.directory, store.ledger, store.call_log, house, time.time, channels))

    try:
        return with_store(settings, run)
    except (Conflict, InvalidRequest) as error:
        stop(error.message)


def _look_at(settings: "Settings", user: str) -> "UserView":
    from seawall.identity.user_records import read_id
    from seawall.server.user_view import look_at

    async def work(books: "Books") -> "UserView":
        return await look_at(read_id(user), books)

    return _with_books(settings, work)


def _change(user: str, fields: dict[str, Any], settings: "Settings", *, as_json: bool) -> None:
    """Change a user, and show how it stands now."""
    from seawall.server.admin_users import change_user

    async def work(books: "Books") -> None:
        await change_user(user, fields, books)

    _with_books(settings, work)
    _print(_look_at(settings, user), settings, as_json=as_json)


def _print(view: "UserView", settings: "Settings", *, as_json: bool) -> None:
    from seawall.cli import printing
    from seawall.server.user_view import show_user

    shown = show_user(view, settings.time_zone)
    if as_json:
        printing.print_json(shown)
        return
    console = printing.console()
    console.print(printing.printable(view.id), style="bold")
    console.print(printing.facts(_facts(shown)))
    if view.quotas and shown["usage"]:
        console.print("\nQuota of this user", style="bold")
        console.print(_quota_grid(shown["usage"], is_ascii=console.options.ascii_only))
    budget = next((each.budget for each in view.policy.budgets), None)
    if budget is not None:
        console.print("\nBudget of this user", style="bold")
        console.print(printing.budget_grid(budget, view.spend, is_ascii=console.options.ascii_only))


def _facts(shown: dict[str, Any]) -> list[tuple[str, Any]]:
    from seawall.cli.printing import NOTHING, printable

    tier = shown["effective_tier"] or NOTHING
    origin = " (set by you)" if shown["tier"] else " (the default)" if shown["effective_tier"] else ""
    rows = [
        ("tier", f"{tier}{origin}"),
        ("state", f"blocked since {shown['blocked_at']}" if shown["blocked_at"] else "let in"),
        ("mail", "" if shown["mail"] else "never"),
        ("note", shown["note"] or ""),
        ("limits", ", ".join(shown["limits"] or ())),
    ]
    return [(label, printable(value)) for label, value in rows if value]


def _quota_grid(usage: list[dict[str, Any]], *, is_ascii: bool) -> Any:
    """Return a line for each quota: a bar, what is used, and when it begins anew."""
    from rich.table import Table

    from seawall.cli.printing import bar, count

    made = Table.grid(padding=(0, 2))
    for each in usage:
        drawn = bar(each["used"], each["allowed"], is_ascii=is_ascii)
        used = f"{count(each['used'])} of {count(each['allowed'])}"
        made.add_row(f"  {each['of'].replace('_', ' ')}", drawn, used, f"until {each['resets_at'][:16]}")
    return made
