"""Valkey: do several gateways have to share limits and a cache?"""

from seawall.advice.deciding import NOTHING_SIMPLER, Answered, Case, Presence, Subject, conclude
from seawall.advice.figures import number_fact
from seawall.advice.headroom import fullest_minute, is_thin, load_of, needs_several, stated
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import BALANCED_MACHINES
from seawall.advice.words import Advice, Answer, Figure, Threshold

SUBJECT = Subject(
    thing="valkey",
    title="Valkey or Redis",
    term="Valkey (or Redis) keeps counters and answers in memory that several gateways share.",
    link="growing.md#valkey-or-redis",
    effort="an hour",
    is_infrastructure=True,
)


def valkey(numbers: Numbers, _: Replays) -> Advice:
    """Advise by how many gateways count limits: one counts alone, and needs nobody to share with."""
    setup, has_it = numbers.setup, numbers.setup.has_valkey
    is_shared, why = _sharing(numbers)
    presence = Presence.ABSENT
    if has_it and is_shared != "not measured":
        presence = Presence.USED if is_shared == "yes" else Presence.IDLE
    gateways = max(setup.workers, setup.gateways)
    figures = (
        Figure(f"{gateways} gateway processes", "seawall doctor", gateways),
        stated(numbers, "servers", "servers", "1"),
        fullest_minute(numbers),
    )
    return conclude(
        Case(
            SUBJECT,
            found=why,
            problem=Answered(is_shared, why, figures),
            simpler=NOTHING_SIMPLER,
            presence=presence,
            do=_do(presence),
            measure="Say on how many servers it runs: `seawall facts set servers 1`.",
            threshold=_threshold(gateways),
        ),
        numbers,
    )


def _sharing(numbers: Numbers) -> tuple[Answer, str]:
    """Answer whether several gateways share something, or have to."""
    setup, load, servers = numbers.setup, load_of(numbers), number_fact(numbers, "servers")
    if load.cores_needed > 1:
        return "yes", "One process is not enough, and several have to count limits together."
    if needs_several(numbers):
        return "yes", "Several gateways count limits together: without it each would count for itself."
    if setup.workers > 1 and not setup.has_valkey:
        return "yes", "Several processes count limits, each for itself: 100 a minute are several times 100."
    if setup.has_postgres and servers is not None and servers > 1:
        return "yes", "The gateways of several servers count limits together."
    if setup.has_postgres and servers is None and not is_thin(numbers):
        return "not measured", "On Postgres there can be several gateways, and how many is not stated."
    if setup.workers > 1:
        return "no", "The processes that share it are not needed themselves: one would do."
    return "no", "One gateway counts its limits in its own memory, and keeps answers there and in a file."


def _threshold(gateways: int) -> Threshold:
    text = "due when a second gateway process serves"
    return Threshold(text, gateways, BALANCED_MACHINES.value, "processes", BALANCED_MACHINES.source)


def _do(presence: Presence) -> tuple[str, ...]:
    if presence is Presence.IDLE:
        return (
            "Set `server.workers = 1` where it is more, and take `valkey_url` out.",
            "What goes with it are counters and kept answers, nothing else.",
        )
    return () if presence is Presence.USED else ("Run a Valkey beside the gateways, and set `valkey_url`.",)
