"""Read replicas: does the app's own database need copies that only answer questions?"""

from seawall.advice.deciding import (
    NOTHING_SIMPLER,
    Answered,
    Case,
    Presence,
    Subject,
    conclude,
    not_tried,
)
from seawall.advice.figures import calls_a_day, fact, is_tried, number_fact, users_on_record
from seawall.advice.headroom import is_thin, standing, stated
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import CACHE_DATABASE_PERCENT, DATABASE_SPARE_PERCENT
from seawall.advice.words import Advice, Answer

SUBJECT = Subject(
    thing="read-replicas",
    title="Read replicas",
    term="A read replica is a copy of a database that answers questions, so that the first one need not.",
    link="advice.md#read-replicas",
    effort="days",
    is_infrastructure=True,
)
SIMPLER = {
    "optimised-queries": "find the slow queries and add the indexes that they lack.",
    "caching": "keep what is read again and again for a minute.",
    "bigger-server": "give the database a machine with twice the cores.",
}
"""What comes first, in this order, and how."""


def read_replicas(numbers: Numbers, _: Replays) -> Advice:
    """Advise by how busy the database is, which its owner states."""
    busy, replicas = number_fact(numbers, "database_cpu_percent"), number_fact(numbers, "read_replicas")
    answer, why = _problem(numbers, busy)
    presence = Presence.ABSENT
    if replicas and answer != "not measured":
        is_spare = busy is None or busy < DATABASE_SPARE_PERCENT.value
        presence = Presence.IDLE if is_spare else Presence.USED
    next_step = next((name for name in SIMPLER if not _is_done(numbers, name)), None)
    figures = (
        stated(numbers, "database_cpu_percent", "percent of the time that the database is busy", "20"),
        *((stated(numbers, "read_replicas", "read replicas", "0"),) if replicas else ()),
        calls_a_day(numbers),
        users_on_record(numbers),
    )
    return conclude(
        Case(
            SUBJECT,
            found=why,
            problem=Answered(answer, why, figures),
            simpler=Answered("yes", "A full database usually waits for a few slow queries.")
            if next_step
            else NOTHING_SIMPLER,
            tried=not_tried(next_step)
            if next_step
            else Answered("yes", "You state that what is simpler was tried."),
            presence=presence,
            simple=SIMPLER.get(next_step or ""),
            do=_do(presence),
            measure="State how busy it is at its busiest: `seawall facts set database_cpu_percent 20`.",
            threshold=standing(CACHE_DATABASE_PERCENT, busy),
        ),
        numbers,
    )


def _problem(numbers: Numbers, busy: float | None) -> tuple[Answer, str]:
    if busy is not None:
        is_full = busy >= CACHE_DATABASE_PERCENT.value
        why = f"The database is busy for {busy:g} % of the time"
        return ("yes", f"{why}: it is full.") if is_full else ("no", f"{why}: it has room.")
    if is_thin(numbers):
        return "no", "The database of an app of this size is hardly busy."
    return "not measured", "How busy the database is decides, and is not stated."


def _is_done(numbers: Numbers, name: str) -> bool:
    if name == "bigger-server" and fact(numbers, "largest_machine") is True:
        return True
    return is_tried(numbers, name)


def _do(presence: Presence) -> tuple[str, ...]:
    if presence is Presence.IDLE:
        return ("Let all questions go to the first database again, and switch the copies off.",)
    if presence is Presence.USED:
        return ()
    return ("Add one copy, and send it what may be a second old: lists, reports, searches.",)
