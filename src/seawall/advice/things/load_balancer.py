"""A load balancer: are there several machines to send calls to, or must there be?"""

from seawall.advice.deciding import (
    NOTHING_SIMPLER,
    NOTHING_TO_TRY,
    Answered,
    Case,
    Presence,
    Subject,
    conclude,
)
from seawall.advice.figures import fact, number_fact
from seawall.advice.headroom import fullest_minute, is_thin, load_of, standing, stated, taken
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import BALANCED_MACHINES
from seawall.advice.words import Advice, Answer

SUBJECT = Subject(
    thing="load-balancer",
    title="Load balancer, and a second machine",
    term="A load balancer takes every call first and hands it to one of several machines that do the same.",
    link="growing.md#several-machines",
    effort="days",
    is_infrastructure=True,
)


def load_balancer(numbers: Numbers, _: Replays) -> Advice:
    """Advise by how many machines there are, and how many the fullest minute takes."""
    load, servers = load_of(numbers), number_fact(numbers, "servers")
    is_full = load.machines_needed > 1
    answer, why, measure = _problem(numbers, servers, is_full=is_full)
    presence = Presence.ABSENT
    if fact(numbers, "load_balancer") is True and answer != "not measured":
        presence = Presence.USED if answer == "yes" else Presence.IDLE
    can_grow = is_full and not (servers and servers > 1) and fact(numbers, "largest_machine") is not True
    figures = (
        stated(numbers, "servers", "servers", "1"),
        fullest_minute(numbers),
    )
    return conclude(
        Case(
            SUBJECT,
            found=f"{why} The fullest minute takes {taken(load.machines_needed)} of this machine.",
            problem=Answered(answer, why, figures),
            simpler=Answered("yes", "A bigger server needs no second one, and nothing in front of it.")
            if can_grow
            else NOTHING_SIMPLER,
            tried=Answered(
                "no", "Nothing says so. When it is the largest: `seawall facts set largest_machine true`."
            )
            if can_grow
            else NOTHING_TO_TRY,
            presence=presence,
            simple="move to a bigger server.",
            do=_do(presence),
            measure=measure,
            threshold=standing(BALANCED_MACHINES, servers or (1 if answer == "no" else None)),
        ),
        numbers,
    )


def _problem(numbers: Numbers, servers: float | None, *, is_full: bool) -> tuple[Answer, str, str]:
    """Answer whether there is more than one machine to send calls to; with how to state what is missing."""
    if is_full:
        return "yes", "One machine is not enough, even with all of its cores.", ""
    if servers is not None and servers < BALANCED_MACHINES.value:
        return "no", "There is one machine: nothing to balance.", ""
    if servers is None:
        if is_thin(numbers):
            return "no", "One machine serves an app of this size many times over.", ""
        return (
            "not measured",
            "How many servers there are is not stated.",
            "State it: `seawall facts set servers 1`.",
        )
    if fact(numbers, "load_balancer") is None and not is_thin(numbers):
        how = "State it: `seawall facts set load_balancer true`, or false."
        return (
            "not measured",
            f"There are {servers:g} servers, and what is in front of them is not stated.",
            how,
        )
    return "yes", f"There are {servers:g} servers, and calls have to find one that lives.", ""


def _do(presence: Presence) -> tuple[str, ...]:
    if presence is Presence.IDLE:
        return ("Let calls go to the machine itself. If it brings HTTPS, set `tls.mode` first.",)
    if presence is Presence.USED:
        return ()
    return (
        "Give a second machine the same settings; both need Postgres and Valkey.",
        "Put the load balancer of your host in front; it asks `/readyz` who can serve.",
    )
