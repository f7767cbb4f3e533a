"""A bigger server: is this machine full?"""

from seawall.advice.deciding import (
    NOTHING_SIMPLER,
    NOTHING_TO_TRY,
    Answered,
    Case,
    Presence,
    Subject,
    conclude,
    not_tried,
)
from seawall.advice.figures import fact, is_tried
from seawall.advice.headroom import Load, fullest_minute, is_spare, is_thin, load_of, reaching, taken
from seawall.advice.numbers import Machine, Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import MEMORY_FREE_PERCENT, SERVER_LOAD_PERCENT, SERVER_USD_MONTH
from seawall.advice.words import Advice, Figure

SUBJECT = Subject(
    thing="bigger-server",
    title="A bigger server",
    term="The same program on one machine with more cores and memory: nothing changes but the bill.",
    link="advice.md#bigger-server",
    effort="an hour",
    is_infrastructure=True,
)
OTHERS = "other-programs"
"""The name under which an owner states that nothing else on the machine can go."""
BUSY = "The processor is busy."
CORES = "All cores together are full in the fullest minute."


def bigger_server(numbers: Numbers, _: Replays) -> Advice:
    """Advise by the fullest minute against all cores of the machine, and by its memory and processor."""
    load, machine, workers = load_of(numbers), numbers.machine, numbers.setup.workers
    shortage = _shortage(numbers, load)
    is_largest = fact(numbers, "largest_machine") is True
    presence = Presence.ABSENT
    if is_largest:
        is_idle = shortage is None and is_spare(load.machines_needed)
        presence = Presence.IDLE if is_idle else Presence.USED
    simpler, tried = NOTHING_SIMPLER, NOTHING_TO_TRY
    if shortage == CORES and workers < machine.cores:
        simpler = Answered("yes", "Not all cores serve yet.")
        tried = Answered("no", f"{workers} of {machine.cores} cores serve.")
    simple = f"use all cores that are there: `server.workers = {machine.cores}`."
    if shortage == BUSY and is_spare(load.machines_needed):
        simpler = Answered("yes", "The calls take a small part of it: something else keeps it busy.")
        tried = Answered("yes", "You state it.") if is_tried(numbers, OTHERS) else not_tried(OTHERS)
        simple = "see which other program keeps the processor busy: `top` shows it."
    figures = (
        fullest_minute(numbers),
        Figure(f"cores: {machine.cores}, of which {workers} serve", "nproc", machine.cores),
        *_seen(machine),
    )
    found = f"{load.words}, {taken(load.machines_needed)} of what this machine serves."
    return conclude(
        Case(
            SUBJECT,
            found=found + (" It is the largest to be had." if is_largest else ""),
            problem=Answered("yes" if shortage else "no", shortage or "The machine has room.", figures),
            simpler=simpler,
            tried=tried,
            presence=presence,
            simple=simple,
            do=_do(presence),
            threshold=reaching(load, machine.cores),
        ),
        numbers,
    )


def _shortage(numbers: Numbers, load: Load) -> str | None:
    """Return what there is too little of; what cannot be seen is no problem, nor is one busy moment."""
    if load.machines_needed > 1:
        return CORES
    if _is_short_of_memory(numbers.machine):
        return "Hardly any memory is free."
    return BUSY if _is_busy(numbers.machine) and not is_thin(numbers) else None


def _is_short_of_memory(machine: Machine) -> bool:
    if not machine.memory_mb or machine.free_mb is None:
        return False
    return machine.free_mb * 100 < machine.memory_mb * MEMORY_FREE_PERCENT.value


def _is_busy(machine: Machine) -> bool:
    return machine.load is not None and machine.load * 100 >= machine.cores * SERVER_LOAD_PERCENT.value


def _seen(machine: Machine) -> tuple[Figure, ...]:
    """Return what was seen of the machine."""
    figures: list[Figure] = []
    if machine.memory_mb is not None and machine.free_mb is not None:
        text = f"{machine.free_mb:,} of {machine.memory_mb:,} MB of memory are free"
        figures.append(Figure(text, "free -m", machine.free_mb))
    if machine.load is not None:
        figures.append(Figure(f"programs that run at once: {machine.load:.1f}", "uptime", machine.load))
    return tuple(figures)


def _do(presence: Presence) -> tuple[str, ...]:
    if presence is Presence.IDLE:
        return ("Half of this machine would do, at half of the price.",)
    if presence is Presence.USED:
        return ()
    return (
        f"Choose a machine with twice the cores: {SERVER_USD_MONTH.text}.",
        "Stop Seawall, copy the data folder, start it there: `seawall backup` and `seawall restore`.",
    )
