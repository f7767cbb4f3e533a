"""How commands write for people: money, moments, bars and tables that read well at 80 columns; and JSON.

Invariant: what callers chose (names, models, users) reaches the terminal only through `printable`, so that
nobody can send it control sequences.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from seawall.core.contracts import Spend
from seawall.core.money import Money, format_usd, round_usd
from seawall.core.policy import Budget

BAR_CHARS = 20
NOTHING = "-"
_STEPS = ((60, "min"), (60, "h"), (24, "days"))


def console() -> Console:
    """Return the way to the terminal; no colour or style where there is none or NO_COLOR is set."""
    is_plain = bool(os.environ.get("NO_COLOR"))
    return Console(color_system=None if is_plain else "auto", markup=False, emoji=False, highlight=False)


def print_json(value: Any) -> None:
    """Print a value for programs, in ASCII, so that any terminal and pipe can carry it."""
    print(json.dumps(value, indent=2))


def printable(text: str) -> str:
    """Return a text without anything that a terminal would obey."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def dollars(money: int) -> str:
    """Write money for people: two places from a dollar on, four from a cent on, else two digits."""
    return round_usd(money)


def count(number: int) -> str:
    """Write a number of things."""
    return f"{number:,}"


def percent(part: int, whole: int) -> str:
    """Write a share, rounded down: 100 % means all of it."""
    if not whole:
        return NOTHING
    return "< 1 %" if 0 < part * 100 < whole else f"{part * 100 // whole} %"


def moment(at_s: float | None) -> str:
    """Write a moment in Unix seconds."""
    return NOTHING if at_s is None else f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M:%S} UTC"


def ago(seconds: float) -> str:
    """Write how long ago something was."""
    if seconds < 60:
        return "just now"
    amount, unit = seconds, ""
    for size, name in _STEPS:
        if amount < size:
            break
        amount, unit = amount / size, name
    return f"{int(amount)} {'day' if unit == 'days' and int(amount) == 1 else unit} ago"


def size(of_bytes: int) -> str:
    """Write how large a file is."""
    if of_bytes < 10_000_000:
        return f"{of_bytes / 1000:,.0f} KB"
    return f"{of_bytes / 1_000_000:,.0f} MB"


def duration(ms: float) -> str:
    """Write how long something took."""
    return f"{ms / 1000:.1f} s" if ms >= 1000 else f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms"


def table(*headings: str, numbers: Iterable[str] = ()) -> Table:
    """Return an empty table; the columns named in `numbers` stand right and never break."""
    made = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    for heading in headings:
        if heading in numbers:
            made.add_column(heading, justify="right", no_wrap=True)
        else:
            made.add_column(heading, overflow="fold")
    return made


@contextmanager
def progress(total: int, *, is_quiet: bool) -> Iterator[Callable[[], None]]:
    """Draw on standard error how far long work has come; yields what to call for each step of it."""
    with Progress(console=Console(stderr=True), transient=True, disable=is_quiet) as drawn:
        task = drawn.add_task("", total=total)
        yield partial(drawn.advance, task)


@contextmanager
def course(*, is_quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Draw on standard error how far work of several parts has come.

    Yields what to call with the name of the part, how much of it is done, and of how much (0: not known).
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    screen = Console(stderr=True)
    is_off = is_quiet or not screen.is_terminal
    with Progress(*columns, console=screen, transient=True, disable=is_off) as drawn:
        task = drawn.add_task("", total=None)

        def tell(part: str, done: int, whole: int) -> None:
            drawn.update(task, description=part, completed=done, total=whole or None)

        yield tell


def facts(rows: Iterable[tuple[str, str | Text]]) -> Table:
    """Return lines of a label and what belongs to it."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for label, value in rows:
        made.add_row(f"  {label}", value)
    return made


def bullets(sentences: Iterable[str]) -> Table:
    """Return a list of sentences, each with a dash before it."""
    made = Table.grid(padding=(0, 1))
    made.add_column()
    made.add_column(overflow="fold")
    for sentence in sentences:
        made.add_row("-", sentence)
    return made


def bar(part: int, whole: int, *, is_ascii: bool) -> Text:
    """Draw how much of a cap is used; anything at all shows, and only all of it is full."""
    full, empty = ("#", ".") if is_ascii else ("█", "░")
    filled = BAR_CHARS if part >= whole else max(1 if part else 0, part * BAR_CHARS // whole)
    style = "red" if part >= whole else "yellow" if part * 10 >= whole * 8 else "green"
    return Text.assemble((full * filled, style), (empty * (BAR_CHARS - filled), "dim"))


def periods(budget: Budget, spend: Spend) -> list[tuple[str, Money | None, Money]]:
    """List what there is to say of a budget: (period, cap, spent)."""
    return [
        ("daily", budget.daily, spend.daily),
        ("monthly", budget.monthly, spend.monthly),
        ("lifetime", budget.lifetime, spend.lifetime),
    ]


def left_of(cap: Money, spent: Money, spend: Spend) -> Money:
    """Return what can still be held now."""
    return Money(max(0, cap - spent - spend.held))


def budget_grid(budget: Budget, spend: Spend, *, is_ascii: bool) -> Table:
    """Return a line per period: a bar where there is a cap, what is spent, and what is left."""
    labels = {"daily": "today", "monthly": "this month", "lifetime": "in all"}
    made = Table.grid(padding=(0, 2))
    for period, cap, spent in periods(budget, spend):
        if cap is None:
            made.add_row(f"  {labels[period]}", "", f"{dollars(spent)} spent, no cap", "")
            continue
        left = f"{dollars(left_of(cap, spent, spend))} left"
        drawn = bar(spent, cap, is_ascii=is_ascii)
        made.add_row(f"  {labels[period]}", drawn, f"{dollars(spent)} of {dollars(cap)}", left)
    if spend.held:
        made.add_row("  held now", "", f"{dollars(spend.held)} for calls that are running", "")
    if spend.overage:
        made.add_row("  overage", "", f"{dollars(spend.overage)} billed above what was held", "")
    return made


def budget_values(budget: Budget, spend: Spend) -> dict[str, Any]:
    """Return the same for programs: exact decimal strings in dollars, `null` where there is no cap."""
    values: dict[str, Any] = {
        period: {
            "cap_usd": None if cap is None else format_usd(cap),
            "spent_usd": format_usd(spent),
            "left_usd": None if cap is None else format_usd(left_of(cap, spent, spend)),
        }
        for period, cap, spent in periods(budget, spend)
    }
    return {**values, "held_usd": format_usd(spend.held), "overage_usd": format_usd(spend.overage)}
