"""Quotas and tiers: should each user have a share of their own?"""

from collections.abc import Sequence

from seawall.advice.amounts import counted
from seawall.advice.bounds import share_bounds
from seawall.advice.deciding import (
    NOTHING_SIMPLER,
    NOTHING_TO_TRY,
    Answered,
    Case,
    Presence,
    Subject,
    conclude,
)
from seawall.advice.figures import cost_a_month, is_enough, month_of, percent, usd, users_on_record
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import FREE_USER_HOUR, TOP_USER_AMONG, TOP_USER_PERCENT, WORTH_USD_MONTH
from seawall.advice.words import Advice, Figure, Threshold
from seawall.core.money import NANO
from seawall.core.stages import Stage
from seawall.core.traffic import UserUse

SUBJECT = Subject(
    thing="quotas",
    title="Quotas and tiers",
    term="A quota says how much one user may use in a day or month; a tier is a name for users with the same "
    "quotas, such as free and premium.",
    link="tiers.md",
    effort="minutes",
    earliest=Stage.MVP,
)
SPENDERS = (
    "SELECT end_user, sum(cost) / 1e9 AS usd FROM usage_hourly WHERE end_user <> '' "
    "GROUP BY end_user ORDER BY usd DESC LIMIT 10"
)
ROOM = 10
"""A quota is this many times what the other users cost a day, so that ordinary ones never meet it."""
LEAST_USD = 0.05


def quotas(numbers: Numbers, replays: Replays) -> Advice:
    """Advise on quotas by how the cost is spread over users."""
    setup, users = numbers.setup, numbers.users.users
    top = _percent_of_cost(numbers, numbers.users.dearest[:1])
    hundredth = max(1, users // 100)
    dearest = _percent_of_cost(numbers, numbers.users.dearest[:hundredth])
    few = min(hundredth, len(numbers.users.dearest))
    month = numbers.a_month(numbers.sums.worth) / NANO
    figures: tuple[Figure, ...] = (
        users_on_record(numbers),
        cost_a_month(numbers),
    )
    if users:
        figures = (
            *figures,
            _spent(numbers, top, "of the cost is one user's"),
            _spent(numbers, dearest, f"of the cost is that of the dearest {few:,} of {users:,}"),
        )
    due = (
        users >= TOP_USER_AMONG.value
        and top >= TOP_USER_PERCENT.value
        and month >= WORTH_USD_MONTH[SUBJECT.effort]
    )
    is_there = setup.tiers > 0 or setup.has_user_budget
    why = (
        "One user can use up what is there for all."
        if due or is_there
        else "No user takes much from the others."
    )
    if users < TOP_USER_AMONG.value and not is_there:
        why = (
            f"With {users} named users you can ask them."
            if users
            else "Calls name no user to give a share to."
        )
    replay = replays.budget
    return conclude(
        Case(
            SUBJECT,
            f"{counted(users, 'named user')}, and the dearest makes {percent(top)} of {usd(month)} a month."
            if users
            else f"Calls name no user, so nobody knows who makes {usd(month)} a month.",
            Answered("yes" if due or is_there else "no", why, figures),
            simpler=NOTHING_SIMPLER if setup.user_limits else Answered("yes", "A rate limit for each user."),
            tried=NOTHING_TO_TRY
            if setup.user_limits
            else Answered("no", "No limit holds for a single user."),
            simple=f'[limits] per_user = "{FREE_USER_HOUR.value:.0f}/hour": `seawall advise rate-limits`.',
            presence=Presence.USED if is_there else Presence.ABSENT,
            do=() if is_there else _lines(numbers),
            threshold=_threshold(users, top, month),
            replays=(replay.told,) if replay is not None else (),
            saves_month=_saved(numbers, replays),
        ),
        numbers,
    )


def _percent_of_cost(numbers: Numbers, users: Sequence[UserUse]) -> float:
    """Return the share of all cost that some users make, in percent."""
    total = numbers.sums.worth
    return min(100.0, 100 * sum(user.cost for user in users) / total) if total > 0 else 0.0


def _spent(numbers: Numbers, share: float, what: str) -> Figure:
    """Return a share of the cost with the bounds that a share of so many calls has."""
    calls = numbers.sums.asked.calls
    low, high = (100 * bound for bound in share_bounds(share / 100 * calls, calls))
    text = f"{percent(share)} {what}"
    if not is_enough(calls):
        text = f"{text} ({low:.0f} to {percent(high)})"
    return Figure(text, SPENDERS, share, min(low, share), max(high, share))


def _lines(numbers: Numbers) -> tuple[str, ...]:
    """Return a tier whose budget an ordinary user never meets."""
    others = max(1, numbers.users.users - 1)
    top = numbers.users.dearest[0].cost if numbers.users.dearest else 0
    ordinary = numbers.a_day(max(0, numbers.sums.worth - top) / NANO) / others
    daily = max(LEAST_USD, ROOM * ordinary)
    return ('default_tier = "free"', "[tiers.free]", f'daily_usd = "{daily:.2f}"', "requests_per_day = 50")


def _saved(numbers: Numbers, replays: Replays) -> int | None:
    budget = replays.budget
    return None if budget is None else month_of(numbers, budget.saved)


def _threshold(users: int, top: float, month: float) -> Threshold:
    """Return what is furthest from being due."""
    worth = WORTH_USD_MONTH[SUBJECT.effort]
    text = f"{TOP_USER_PERCENT.text}, and all calls cost {usd(worth)} a month"
    if users < TOP_USER_AMONG.value:
        return Threshold(text, users, TOP_USER_AMONG.value, "named users", TOP_USER_AMONG.source)
    if month < worth:
        return Threshold(text, round(month, 2), worth, "dollars a month", TOP_USER_PERCENT.source)
    return Threshold(text, top, TOP_USER_PERCENT.value, "% of the cost", TOP_USER_PERCENT.source)
