"""Microservices: should the app be several programs?"""

from seawall.advice.deciding import Answered, Case, Presence, Subject, conclude, not_tried
from seawall.advice.figures import is_tried, number_fact
from seawall.advice.headroom import is_thin, standing, stated
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import MICROSERVICES_TEAM
from seawall.advice.words import Advice, Answer
from seawall.core.stages import Stage

SUBJECT = Subject(
    thing="microservices",
    title="Microservices",
    term="Microservices are one app made of many small programs, so that teams need not wait for each other.",
    link="advice.md#microservices",
    effort="months",
    earliest=Stage.BETA,
    is_infrastructure=True,
)
MODULES = "modules"


def microservices(numbers: Numbers, _: Replays) -> Advice:
    """Advise by the team: microservices are for people, not for calls."""
    team, services = number_fact(numbers, "team"), number_fact(numbers, "microservices")
    answer, why = _problem(numbers, team)
    presence = Presence.ABSENT
    if services and services > 1 and answer != "not measured":
        presence = Presence.USED if answer == "yes" else Presence.IDLE
    is_done = is_tried(numbers, MODULES)
    figures = (
        stated(numbers, "team", "people who work on it", "2"),
        *((stated(numbers, "microservices", "services", "1"),) if services else ()),
    )
    return conclude(
        Case(
            SUBJECT,
            found=f"{services:g} services. {why}" if services and services > 1 else why,
            problem=Answered(answer, why, figures),
            simpler=Answered(
                "yes", "One program of modules with clear borders needs no network between them."
            ),
            tried=Answered("yes", "You state that it was tried.") if is_done else not_tried(MODULES),
            presence=presence,
            simple="divide the program into modules, each with an owner.",
            do=("Put two services back together each time you change both.",)
            if presence is Presence.IDLE
            else ("Take one module out that a team of its own works on, and no other.",),
            measure="State it: `seawall facts set team 2`.",
            threshold=standing(MICROSERVICES_TEAM, team),
        ),
        numbers,
    )


def _problem(numbers: Numbers, team: float | None) -> tuple[Answer, str]:
    if team is not None:
        people = "One person works" if team == 1 else f"{team:g} people work"
        if team >= MICROSERVICES_TEAM.value:
            return "yes", f"{people} on one program, and wait for each other."
        return "no", f"{people} on it: they can talk to each other."
    if is_thin(numbers):
        return "no", "An app of this size has no team that is too big."
    return "not measured", "How many people work on it decides, and is not stated."
