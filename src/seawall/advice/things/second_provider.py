"""A second provider: should another one answer when the first does not?"""

from seawall.advice.bounds import share_bounds
from seawall.advice.deciding import Answered, Case, Presence, Subject, conclude
from seawall.advice.figures import count, hourly, share, total
from seawall.advice.headroom import standing
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import DOWN_TRIES, FAILED_PERCENT
from seawall.advice.words import Advice, Figure
from seawall.core.traffic import Hour

SUBJECT = Subject(
    thing="second-provider",
    title="A second provider",
    term="A fallback is another model, at another vendor, that answers when the first one does not.",
    link="routing.md",
    effort="an hour",
)
UNANSWERED = ("upstream_error", "upstream_timeout", "upstream_unavailable")
"""How calls end that the provider did not answer; what it refused would be refused by another as well."""
FAILURES_MIN = 10
"""Fewer calls without an answer are an accident."""


def second_provider(numbers: Numbers, _: Replays) -> Advice:
    """Advise by calls that stayed without an answer, and by hours in which nothing succeeded."""
    hour, setup = numbers.sums.hour, numbers.setup
    failed = sum(hour.failed.get(code, 0) for code in UNANSWERED)
    down = sum(map(_is_down, numbers.hours))
    unanswered = share(failed, hour.calls, "calls stayed without an answer, after retries", _failed(numbers))
    low, _high = share_bounds(failed, hour.calls)
    is_failing = (failed >= FAILURES_MIN and low * 100 >= FAILED_PERCENT.value) or down > 0
    figures = (
        unanswered,
        Figure(f"hours in which nothing succeeded: {down}", _down(numbers), down),
        *(
            share(tries.failed, tries.tries, f"tries at {name} failed", _tries(numbers, name))
            for name, tries in sorted(hour.providers.items())
        ),
        Figure(
            f"{count(hour.fell_back)} calls were answered by a fallback",
            total(numbers, "fell_back"),
            hour.fell_back,
        ),
    )
    found = f"{unanswered.text}." + (f" Hours in which nothing succeeded: {down}." if down else "")
    if setup.has_fallback:
        found = f"A fallback is configured and answered {count(hour.fell_back)} calls."
    why = (
        "People got errors that another provider would have answered."
        if is_failing
        else "The provider answers."
    )
    return conclude(
        Case(
            SUBJECT,
            found=found,
            problem=Answered("yes" if is_failing else "no", why, figures),
            simpler=Answered(
                "no", "Trying again is simpler, and Seawall does it already: this is what was left."
            ),
            presence=Presence.USED if setup.has_fallback else Presence.ABSENT,
            do=()
            if setup.has_fallback
            else (
                "Make a key at a second vendor, and set its usual environment variable.",
                "Give both models one name, `[models.NAME]` with `targets`, and let your app ask for it.",
                "Try it: `seawall route NAME` shows who would answer.",
            ),
            threshold=standing(FAILED_PERCENT, unanswered.value),
        ),
        numbers,
    )


def _is_down(hour: Hour) -> bool:
    """Say whether all providers that were tried failed, often enough to mean something."""
    tries = sum(each.tries for each in hour.providers.values())
    return tries >= DOWN_TRIES.value and tries == sum(each.failed for each in hour.providers.values())


def _failed(numbers: Numbers) -> str:
    """Return the query for the share of calls that stayed without an answer."""
    codes = ", ".join(f"'{code}'" for code in UNANSWERED)
    failed = hourly(numbers, "total(each.value)", each="failed")
    return f"SELECT 100.0 * ({failed} AND each.key IN ({codes})) / ({total(numbers, 'calls')})"


def _tries(numbers: Numbers, name: str) -> str:
    select = "100.0 * total(each.value->>'$.failed') / total(each.value->>'$.tries')"
    return hourly(numbers, select, each="providers") + f" AND each.key = '{name}'"


def _down(numbers: Numbers) -> str:
    """Return the query for how many hours had tries, and no success."""
    select = "total(each.value->>'$.tries') AS tries, total(each.value->>'$.failed') AS failed"
    hours = f"{hourly(numbers, select, each='providers')} GROUP BY hour"
    return f"SELECT count(*) FROM ({hours}) WHERE tries >= {DOWN_TRIES.value:g} AND tries = failed"  # noqa: S608 - shown, not run
