"""Guard blocking: should the guard refuse what it now only flags?"""

from seawall.advice.deciding import Answered, Case, Presence, Subject, conclude
from seawall.advice.figures import (
    calls_a_day,
    count,
    hourly,
    is_enough,
    not_measured,
    percent_of,
    share,
    total,
)
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import FLAGGED_CALLS, FLAGGED_PERCENT
from seawall.advice.words import Advice, Figure, Threshold

SUBJECT = Subject(
    thing="guard-blocking",
    title="Guard that blocks",
    term="The guard reads each request for attempts to turn the model against your app, and each answer for "
    "leaks; it can record them or refuse them.",
    link="guard.md",
    effort="minutes",
)
MEASURE = '[guard] mode = "flag": it records and changes nothing; look again after a week.'


def guard_blocking(numbers: Numbers, replays: Replays) -> Advice:
    """Advise on blocking by what was flagged and what was blocked."""
    hour, mode = numbers.sums.hour, numbers.setup.guard_mode
    flagged = share(
        hour.flagged, hour.calls, "calls were flagged", hourly(numbers, percent_of("flagged", "calls"))
    )
    blocked = Figure(f"{hour.blocked:,} calls were blocked", total(numbers, "blocked"), hour.blocked)
    figures = (calls_a_day(numbers), flagged, blocked)
    threshold = Threshold(
        f"{FLAGGED_PERCENT.text}",
        flagged.value,
        FLAGGED_PERCENT.value,
        "% of the calls",
        FLAGGED_PERCENT.source,
    )
    if mode == "block":
        found = f"The guard blocked {hour.blocked:,} of {count(hour.calls)} calls."
        problem = Answered("yes", "Whoever can write to your app can write to the model.", figures)
        case = Case(SUBJECT, found, problem, presence=Presence.USED)
        return conclude(case, numbers)
    if mode == "off" and is_enough(hour.calls):
        missing = not_measured("how many calls would be flagged", MEASURE)
        problem = Answered("not measured", "The guard is off, so nothing is flagged.", (*figures, missing))
        found = f"{count(hour.calls)} calls went by a guard that is off."
        return conclude(Case(SUBJECT, found, problem, measure=MEASURE, threshold=threshold), numbers)
    due = (
        is_enough(hour.calls)
        and (flagged.value or 0) >= FLAGGED_PERCENT.value
        and hour.flagged >= FLAGGED_CALLS.value
    )
    why = "Somebody tries, and nothing stops them." if due else "Hardly anything is flagged."
    case = Case(
        SUBJECT,
        f"{flagged.text}, none of them stopped.",
        Answered("yes" if due else "no", why, figures),
        do=(
            "Read some of the flagged calls first: `seawall why CALL` says which words made it.",
            "[guard]",
            'mode = "block"',
        ),
        threshold=threshold,
    )
    return conclude(case, numbers)
