"""Rate limits: how often may one user call? Never skipped where calls cost money."""

from seawall.advice.deciding import Answered, Case, Presence, Subject, conclude
from seawall.advice.figures import calls_a_day, count, is_enough, joined, share, total
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import ADDRESS_SECOND, FREE_USER_HOUR, GLOBAL_SECOND, USER_MINUTE
from seawall.advice.words import Advice, Figure
from seawall.core.stages import BURST, DEFAULTS

SUBJECT = Subject(
    thing="rate-limits",
    title="Rate limits",
    term="A rate limit says how often one user may call, so that a script or a stuck button cannot spend "
    "the money of all.",
    link="limits.md",
    effort="minutes",
    is_never_skip=True,
)
UNNAMED = (
    "SELECT 100.0 * sum(end_user = '') / count(*) FROM (SELECT coalesce(end_user, '') AS end_user FROM calls "
    "WHERE usage IS NOT NULL)"
)
HALF = 50


def rate_limits(numbers: Numbers, replays: Replays) -> Advice:
    """Advise on limits per user: there at once, and only true where calls name their user."""
    hour = numbers.sums.hour
    refused = hour.refused.get("rate_limit_exceeded", 0)
    figures = (
        calls_a_day(numbers),
        Figure(f"{hour.peak_minute:,} calls in the fullest minute", _peak(numbers), hour.peak_minute),
        Figure(
            f"{refused:,} calls refused by a limit", total(numbers, "refused.rate_limit_exceeded"), refused
        ),
        *_unnamed(numbers),
    )
    limits = numbers.setup.user_limits
    replay = replays.limits
    replayed = ""
    if replay is not None and replay.touched:
        limit = f"A limit of {replay.limit}" if replay.limit else "A limit"
        replayed = f" {limit} would have refused {replay.touched:,} calls of {_people(replay.users)}."
    if limits:
        found = f"Each user may call {joined(limits)}; {refused:,} calls were refused by a limit."
        why = f"One script can call without end: {ADDRESS_SECOND.text}, and {GLOBAL_SECOND.text}."
        presence = Presence.USED
    else:
        found = f"No limit holds for a single user, and each call costs money.{replayed}"
        why = f"Nothing keeps one user from spending what is there for all; {USER_MINUTE.text}."
        presence = Presence.ABSENT
    per_user = DEFAULTS[numbers.setup.stage].per_user or (BURST, f"{FREE_USER_HOUR.value:.0f}/hour")
    lines = ", ".join(f'"{rate}"' for rate in per_user)
    return conclude(
        Case(
            SUBJECT,
            found,
            Answered("yes", why, figures),
            presence=presence,
            do=_name_users(numbers)
            if limits
            else ("[limits]", f"per_user = [{lines}]", *_name_users(numbers)),
            replays=(replay.told,) if replay is not None else (),
        ),
        numbers,
    )


def _unnamed(numbers: Numbers) -> tuple[Figure, ...]:
    calls, unnamed = numbers.sums.asked.calls, numbers.users.unnamed
    return (
        share(min(unnamed, calls), calls, "calls name no user, so no limit per user holds for them", UNNAMED),
    )


def _name_users(numbers: Numbers) -> tuple[str, ...]:
    """Return how users are named, where most calls name none and there is more than one person."""
    calls = numbers.sums.asked.calls
    if not is_enough(calls) or 100 * numbers.users.unnamed / calls < HALF:
        return ()
    return (
        f"{count(numbers.users.unnamed)} calls name no user, so limits per user do not hold for them: send "
        "the id of the user in the header `seawall-user`,",
        "or limit the key: `seawall keys create NAME --limit 60/minute`.",
    )


def _people(users: int) -> str:
    return "1 user" if users == 1 else f"{users:,} users"


def _peak(numbers: Numbers) -> str:
    return total(numbers, "peak_minute").replace("total(", "max(")
