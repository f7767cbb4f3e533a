"""`seawall feedback`: what people say of the answers they got."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli.opening import ConfigOption, DataOption, JsonOption, read_settings, with_store
from seawall.core.feedback import Feedback, Rating, Ratings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from seawall.homes import Store

LISTED_MAX = 1_000
DAY_S = 86_400.0

app = typer.Typer(help="Show what people say of the answers they got.", rich_markup_mode=None)


@app.callback()
def feedback() -> None:
    """Show what people say of the answers they got."""


@app.command("list")
def list_feedback(
    rating: Annotated[Rating | None, typer.Option(help="Only these.", show_default="both")] = None,
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=LISTED_MAX)] = 20,
    days: Annotated[int, typer.Option(help="How many days are summed up.", min=1, max=366)] = 30,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """List the newest ratings with their comments, and how many of each a model has got."""
    settings = read_settings(config, data_dir=data)

    async def work(store: "Store") -> "tuple[list[Feedback], Sequence[Ratings]]":
        found = await store.feedback.newest(rating=rating, before=None, limit=limit)
        return found, await store.feedback.ratings(time.time() - days * DAY_S)

    found, sums = with_store(settings, work)
    if as_json:
        from seawall.cli.printing import print_json
        from seawall.server.admin_feedback import show_page

        print_json(show_page(found, sums, days))
        return
    from seawall.cli import printing

    if not found:
        print("Nobody has said anything yet. How a button for it is made: docs/feedback.md.")
        return
    console = printing.console()
    console.print(_newest(found))
    if sums:
        console.print(f"\nThe last {days} days" if days > 1 else "\nThe last day", style="bold")
        console.print(_by_model(sums))


def _newest(found: list[Feedback]) -> "Table":
    """Return a block of lines for each: an id is of use only where it can be copied whole."""
    from rich.table import Table

    from seawall.cli.printing import ago, printable

    now = time.time()
    made = Table.grid(padding=(0, 2))
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for said in found:
        whose = ", ".join(filter(None, (printable(said.model), printable(said.end_user))))
        comment = printable((said.comment or "").replace("\n", " "))
        lines = (f"{said.call_id}  {ago(now - said.at)}", whose, comment)
        made.add_row(said.rating, "\n".join(filter(None, lines)))
    return made


def _by_model(sums: "Sequence[Ratings]") -> "Table":
    from seawall.cli.printing import count, percent, printable, table

    made = table("Model", "Up", "Down", "Liked", numbers=("Up", "Down", "Liked"))
    for each in sums:
        liked = percent(each.up, each.up + each.down)
        made.add_row(printable(each.model), count(each.up), count(each.down), liked)
    return made
