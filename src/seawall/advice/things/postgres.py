"""Postgres: is one SQLite file too little for the ledger?"""

from seawall.advice.deciding import Answered, Case, Presence, Subject, conclude
from seawall.advice.figures import count, fact
from seawall.advice.headroom import fullest_minute, load_of, needs_several, reaching
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import BUSY_PERCENT, SQLITE_CALLS
from seawall.advice.words import Advice, Figure

SUBJECT = Subject(
    thing="postgres",
    title="Postgres",
    term="Postgres is a database that runs as a server of its own, so that several programs can share it; "
    "SQLite is a file that one program uses.",
    link="growing.md#postgres",
    effort="a day",
    is_infrastructure=True,
)
SET = "Set `database_url` at every gateway."


def postgres(numbers: Numbers, _: Replays) -> Advice:
    """Advise by two reasons: more than one gateway process, or more calls than one file can book."""
    load, setup = load_of(numbers), numbers.setup
    file = SQLITE_CALLS.value * BUSY_PERCENT.value / 100
    is_due = needs_several(numbers) or load.fullest > file
    figures = (
        fullest_minute(numbers),
        Figure(f"{max(setup.workers, setup.gateways)} gateway processes", "seawall doctor", setup.workers),
        Figure(f"one SQLite file books up to {count(file)} calls a second", "docs/performance.md", file),
    )
    found = f"{load.words}; one process on one SQLite file serves {count(min(file, load.core))} a second."
    if setup.has_postgres and not is_due:
        found = f"{found} Postgres does no harm: going back helps only where it runs for this alone."
    why = "One process on one file is not enough." if is_due else "One process on one file serves all of it."
    return conclude(
        Case(
            SUBJECT,
            found=found,
            problem=Answered("yes" if is_due else "no", why, figures),
            simpler=Answered("no", "A bigger machine does not help: one process uses one core of it."),
            presence=Presence.USED if setup.has_postgres else Presence.ABSENT,
            do=() if setup.has_postgres else _do(numbers),
            threshold=reaching(load),
        ),
        numbers,
    )


def _do(numbers: Numbers) -> tuple[str, ...]:
    move = "Run `seawall migrate-store --to postgresql://…`: it moves everything and compares."
    if "postgres" in str(fact(numbers, "database")).casefold():
        return ("Your app has a Postgres: make one more database in it, beside your own.", move, SET)
    return (move, SET)
