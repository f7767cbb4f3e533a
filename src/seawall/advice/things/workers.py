"""Several gateway processes: is one core too little?"""

from math import ceil

from seawall.advice.deciding import (
    NOTHING_SIMPLER,
    NOTHING_TO_TRY,
    Answered,
    Case,
    Presence,
    Subject,
    conclude,
)
from seawall.advice.figures import count
from seawall.advice.headroom import fullest_minute, is_spare, load_of, reaching
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.words import Advice, Figure

SUBJECT = Subject(
    thing="workers",
    title="Several gateway processes",
    term="A process is one running copy of a program; one of Seawall uses one core, one part of a processor.",
    link="growing.md#gateway-processes",
    effort="a day",
    is_infrastructure=True,
)


def workers(numbers: Numbers, _: Replays) -> Advice:
    """Advise by what one core serves, and the calls of the fullest minute."""
    load, cores, now = load_of(numbers), numbers.machine.cores, numbers.setup.workers
    is_due = load.cores_needed > 1
    needed = max(1, ceil(load.cores_needed))
    presence = Presence.ABSENT
    if now > 1:
        presence = Presence.IDLE if is_spare(load.cores_needed) else Presence.USED
    figures = (
        fullest_minute(numbers),
        Figure(f"{now} gateway processes", "seawall doctor", now),
        Figure(f"{cores} cores", "nproc", cores),
    )
    why = "One core is full in the fullest minute." if is_due else "One core serves all of it."
    is_single = cores == 1
    return conclude(
        Case(
            SUBJECT,
            found=f"{load.words}; a process serves {count(load.core)} a second, and there "
            f"{'is one' if now == 1 else f'are {now}'}.",
            problem=Answered("yes" if is_due else "no", why, figures),
            simpler=Answered("yes", "This machine has one core: a bigger one comes first.")
            if is_single
            else NOTHING_SIMPLER,
            tried=Answered("no", "A second process on one core is no help.") if is_single else NOTHING_TO_TRY,
            presence=presence,
            simple="move to a machine with more cores.",
            do=_do(presence, now, min(needed, cores)),
            threshold=reaching(load),
        ),
        numbers,
    )


def _do(presence: Presence, now: int, useful: int) -> tuple[str, ...]:
    if presence is Presence.IDLE:
        return ("Set `server.workers = 1`; each process less frees about 100 MB of memory.",)
    if presence is Presence.USED and now >= useful:
        return ()
    return (
        "Move to Postgres with `seawall migrate-store`, and set `valkey_url`: processes share both.",
        f"Set `server.workers = {max(2, useful)}`.",
    )
