"""How the outcome of a simulation is written for people; it reads well at 80 columns."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seawall.cli import printing
from seawall.core.money import NANO, round_usd
from seawall.proving.simulating.profiles import Crowd
from seawall.proving.simulating.tally import Day, Refused, Simulated, Sums, weekday
from seawall.settings import Settings

CHART_CHARS = 32
ROWS_MAX = 31
NOBODY_GIVES_UP = "Nobody gives up: who is refused goes on as if there had been an answer."
NO_DISCOUNT = "The provider gives no discount for prompts that it has seen before."
ALL_LENGTHS = "Sizes are means; single texts lie between a third and twice of them."


def print_report(found: Simulated, settings: Settings) -> None:
    """Print everything that a simulation found out."""
    console = printing.console()
    profile = found.profile
    console.print(f"{profile.name}: {profile.title}", style="bold")
    if found.users < found.users_wanted:
        console.print(
            f"{found.users:,} of {found.users_wanted:,} users: more make more calls than a minute's worth."
        )
    console.print(
        printing.facts(
            (f"{found.crowds[crowd.name]:,} x {crowd.name}", describe(crowd, found.hours[crowd.name]))
            for crowd in profile.crowds
        )
    )
    console.print()
    console.print(_totals(found, settings))
    if found.refused:
        console.print()
        console.print(_refusals(found.refused))
    console.print()
    _print_days(console, found.days)
    console.print()
    console.print(_dearest(found))
    for line in _damage(found):
        console.print(line)
    console.print("\nWhat is assumed", style="bold")
    notes = (*profile.notes, NOBODY_GIVES_UP, ALL_LENGTHS, NO_DISCOUNT)
    console.print(printing.facts(("-", note) for note in notes))
    _print_proof(console, found)


def describe(crowd: Crowd, hours: tuple[float, float]) -> str:
    """Say in one line what callers of a crowd do."""
    talk = crowd.talk
    read = talk.instructions + talk.question + talk.passages * talk.passage
    sizes = f"{talk.model}, about {read:,} tokens in and {talk.answer:,} out"
    if crowd.every_s:
        first, last = (f"{datetime.fromtimestamp(at, UTC):%a %m-%d %H:%M}" for at in hours)
        when = f" from {first} to {last} UTC" if crowd.weekend_h else ", day and night"
        return f"a call every {crowd.every_s:g} seconds{when}; {sizes}"
    turns = sum(talk.turns) / 2
    if turns == 1:
        return f"{crowd.talks_a_day:g} calls a day; {sizes}"
    often = f"{crowd.talks_a_day:g} conversations a day of {turns:g} calls"
    at_once = f", each call {crowd.at_once} times at once" if crowd.at_once > 1 else ""
    return f"{often}{at_once}; {sizes}, and all that was said before"


def _totals(found: Simulated, settings: Settings) -> Table:
    whole = found.whole
    columns = ("Without Seawall", f"With your settings (stage {settings.stage})")
    table = printing.table("", *columns, numbers=columns)
    table.add_row("calls asked", printing.count(whole.asked), printing.count(whole.asked))
    table.add_row("answered by the model", printing.count(whole.asked), printing.count(whole.answered))
    table.add_row("answered from the cache", printing.NOTHING, printing.count(whole.cached))
    table.add_row("refused", printing.NOTHING, printing.count(whole.refused))
    if whole.failed:
        table.add_row("failed", printing.NOTHING, printing.count(whole.failed))
    table.add_row("the bill", round_usd(whole.without), round_usd(whole.cost), style="bold")
    return table


def _refusals(refused: Sequence[Refused]) -> Table:
    table = printing.table("Refused by the setting", "Error", "Calls", numbers=("Calls",))
    for each in refused:
        table.add_row(each.rule, each.code, printing.count(each.calls))
    return table


def _print_days(console: Console, days: Sequence[Day]) -> None:
    is_ascii = console.options.ascii_only
    rows = _rows(days)
    most = max((sums.without for _, sums, _ in rows), default=0)
    full, rest = ("#", ".") if is_ascii else ("█", "░")
    console.print(
        Text.assemble(
            ("Day by day", "bold"), ": the bill ", (full, "green"), " with and ", (rest, "red"), " without"
        )
    )
    console.print(f"  {'':<11}{'Without':>12} {'With':>10}", style="dim")
    for name, sums, ended in rows:
        line = Text(f"  {name:<11}{_cents(sums.without):>12} {_cents(sums.cost):>10}  ")
        line.append_text(_bar(sums, most, full=full, rest=rest))
        console.print(line)
        if ended is not None:
            at = f"{ended // 3600:02d}:{ended % 3600 // 60:02d}"
            console.print(f"  {'':<11}from {at} on the budget refused what did not fit", style="dim")


def _rows(days: Sequence[Day]) -> list[tuple[str, Sums, int | None]]:
    """Return a row for each day; where there are more than fit, one for each week."""
    if len(days) <= ROWS_MAX:
        return [(f"{weekday(day.date)} {day.date[5:]}", day.sums, day.ended_s) for day in days]
    weeks = [days[at : at + 7] for at in range(0, len(days), 7)]
    return [
        (
            f"from {week[0].date[5:]}",
            Sums(
                without=sum(day.sums.without for day in week),
                cost=sum(day.sums.cost for day in week),
            ),
            None,
        )
        for week in weeks
    ]


def _bar(sums: Sums, most: int, *, full: str, rest: str) -> Text:
    """Draw what was paid as a part of what would have been; anything at all shows."""
    if not most:
        return Text("")
    whole = max(1 if sums.without else 0, sums.without * CHART_CHARS // most)
    paid = min(whole, max(1 if sums.cost else 0, sums.cost * CHART_CHARS // most))
    return Text.assemble((full * paid, "green"), (rest * (whole - paid), "red"))


def _cents(money: int) -> str:
    """Write money so that it stands well below other money."""
    whole = (money * 100 + NANO // 2) // NANO
    return f"${whole // 100:,}.{whole % 100:02d}"


def _dearest(found: Simulated) -> Table:
    numbers = ("Asked", "Got", "Without", "With")
    table = printing.table("Dearest callers", *numbers, numbers=numbers)
    for user, sums in found.dearest:
        got = sums.answered + sums.cached
        table.add_row(
            user,
            printing.count(sums.asked),
            printing.count(got),
            round_usd(sums.without),
            round_usd(sums.cost),
        )
    return table


def _damage(found: Simulated) -> Iterator[str]:
    """Say what those got who are what goes wrong, and what is left for everybody else."""
    others = Sums()
    for name, sums in found.damage.items():
        callers, got = f"{found.crowds[name]:,} x {name}", sums.answered + sums.cached
        yield (
            f"\nWhat {callers} got: {got:,} answers of {sums.asked:,} and {sums.tokens:,} tokens for "
            f"{round_usd(sums.cost)}; without limits {round_usd(sums.without)}."
        )
        others.asked += sums.asked
        others.refused += sums.refused
    asked, refused = found.whole.asked - others.asked, found.whole.refused - others.refused
    if found.damage and asked:
        yield f"Everybody else asked {asked:,} times and was refused {refused:,} times."


def _print_proof(console: Console, found: Simulated) -> None:
    is_equal = found.bill == found.ledger and not found.held
    said = "the same" if is_equal else f"NOT the same: {round_usd(found.ledger)}"
    speed = found.whole.asked / found.took_s if found.took_s else 0.0
    console.print(
        f"\nThe provider billed {round_usd(found.bill)}, and the ledger says {said}. No money was spent:"
        f" {found.whole.asked:,} calls in {found.took_s:.1f} seconds ({speed:,.0f} a second)."
    )
    if found.whole.without >= 1_000 * NANO and found.whole.cost:
        console.print(
            f"The settings kept {round_usd(found.whole.without - found.whole.cost)} from being spent."
        )
