"""Kubernetes: are there so many servers that a program has to look after them?"""

from seawall.advice.deciding import Answered, Case, Presence, Subject, conclude
from seawall.advice.figures import fact, number_fact, users_on_record
from seawall.advice.headroom import fullest_minute, is_thin, standing, stated
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import KUBERNETES_SERVERS
from seawall.advice.words import Advice, Answer
from seawall.core.stages import Stage

SUBJECT = Subject(
    thing="kubernetes",
    title="Kubernetes",
    term="Kubernetes spreads programs over many servers, and starts them again when they die.",
    link="advice.md#kubernetes",
    effort="weeks",
    earliest=Stage.BETA,
    is_infrastructure=True,
)


def kubernetes(numbers: Numbers, _: Replays) -> Advice:
    """Advise by how many servers there are; those who have few are told to do without."""
    servers, has_it = number_fact(numbers, "servers"), fact(numbers, "kubernetes") is True
    answer, why = _problem(numbers, servers)
    presence = Presence.ABSENT
    if has_it and answer != "not measured":
        presence = Presence.USED if answer == "yes" else Presence.IDLE
    has_balancer = fact(numbers, "load_balancer") is True
    users = numbers.users.users
    figures = (
        stated(numbers, "servers", "servers", "1"),
        users_on_record(numbers),
        fullest_minute(numbers),
    )
    return conclude(
        Case(
            SUBJECT,
            found=f"Kubernetes for {users:,} users. {why}" if has_it else why,
            problem=Answered(answer, why, figures),
            simpler=Answered("yes", "A load balancer, and a supervisor of processes on each server."),
            tried=Answered("yes", "A load balancer is there.")
            if has_balancer
            else Answered("no", "Nothing says so. When it is there: `seawall facts set load_balancer true`."),
            presence=presence,
            simple="a load balancer in front, and a supervisor (systemd) on each server.",
            do=_do(presence),
            measure="State it: `seawall facts set servers 1`.",
            threshold=standing(KUBERNETES_SERVERS, servers or (1 if answer == "no" else None)),
        ),
        numbers,
    )


def _problem(numbers: Numbers, servers: float | None) -> tuple[Answer, str]:
    if servers is not None:
        if servers >= KUBERNETES_SERVERS.value:
            return "yes", f"{servers:g} servers are more than one person keeps in mind."
        words = "1 server is" if servers == 1 else f"{servers:g} servers are"
        return "no", f"{words} looked after by hand; it begins to pay from {KUBERNETES_SERVERS.value:g} on."
    if is_thin(numbers):
        return "no", "One server serves an app of this size many times over."
    return "not measured", "How many servers there are decides, and is not stated."


def _do(presence: Presence) -> tuple[str, ...]:
    if presence is Presence.IDLE:
        return (
            "Run the same containers on one server, with `docker compose` or systemd.",
            "Keep the cluster for a week beside it, then end it.",
        )
    if presence is Presence.USED:
        return ()
    return ("Take a managed one, and move what keeps no state first.",)
