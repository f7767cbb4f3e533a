"""CI/CD: should a machine test and put up each change?"""

from seawall.advice.deciding import NOTHING_SIMPLER, Answered, Case, Presence, Subject, conclude
from seawall.advice.figures import fact, number_fact
from seawall.advice.headroom import is_thin, standing, stated
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import CI_DEPLOYS, CI_TEAM
from seawall.advice.words import Advice, Answer
from seawall.core.stages import Stage

SUBJECT = Subject(
    thing="ci-cd",
    title="CI/CD",
    term="CI/CD is a machine that runs the tests at each change, and puts up what passed.",
    link="advice.md#ci-cd",
    effort="an hour",
    earliest=Stage.MVP,
)


def ci_cd(numbers: Numbers, _: Replays) -> Advice:
    """Advise by the team and by how often a new version goes up; both are stated by the owner."""
    team, deploys = number_fact(numbers, "team"), number_fact(numbers, "deploys_a_week")
    answer, why = _problem(numbers, team, deploys)
    missing = "team 2" if team is None else "deploys_a_week 1"
    has_it = fact(numbers, "has_ci") is True
    figures = (
        stated(numbers, "team", "people who work on it", "2"),
        stated(numbers, "deploys_a_week", "new versions a week", "1"),
    )
    return conclude(
        Case(
            SUBJECT,
            found="A machine runs the tests already." if has_it else why,
            problem=Answered(answer, why, figures),
            simpler=NOTHING_SIMPLER,
            presence=Presence.USED if has_it else Presence.ABSENT,
            do=()
            if has_it
            else (
                "`seawall init --ci` writes a workflow that checks each push; let it run your tests as well.",
                "Say so: `seawall facts set has_ci true`.",
            ),
            measure=f"State it: `seawall facts set {missing}`.",
            threshold=standing(CI_TEAM, team) if deploys is None else standing(CI_DEPLOYS, deploys),
        ),
        numbers,
    )


def _problem(numbers: Numbers, team: float | None, deploys: float | None) -> tuple[Answer, str]:
    if team is not None and team >= CI_TEAM.value:
        return "yes", f"{team:g} people change the same code, and one breaks what another made."
    if deploys is not None and deploys >= CI_DEPLOYS.value:
        return "yes", f"{deploys:g} new versions a week are tested by hand, or not at all."
    if team is not None and deploys is not None:
        return "no", "One person puts up a new version now and then."
    if is_thin(numbers):
        return "no", "An app of this size is put up by hand in minutes."
    return "not measured", "How many people work on it, and how often it is put up, is not stated."
