"""A spending limit: is there an amount that is never passed? Never skipped."""

from seawall.advice.amounts import counted
from seawall.advice.deciding import Answered, Case, Presence, Subject, conclude
from seawall.advice.figures import cost_a_month, total, usd
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.sums import ODD_TIMES
from seawall.advice.words import Advice, Figure
from seawall.core.money import NANO
from seawall.core.stages import DEFAULTS

SUBJECT = Subject(
    thing="spending-limit",
    title="Spending limit",
    term="A spending limit is an amount a day or a month that your bill at the provider never passes.",
    link="budgets.md",
    effort="minutes",
    is_never_skip=True,
)
STOPPED = {"budget_exhausted": "refused by a budget", "loop_detected": "stopped as a loop"}
"""What is refused where something calls without end, by the code of the error."""
ROOM = 3
"""A limit is this many times what an ordinary day costs, at least a dollar: such a day never meets it."""
ODD_USD = 5
"""An odd day that cost less than so many dollars is not worth a word."""


def spending_limit(numbers: Numbers, replays: Replays) -> Advice:
    """Advise on the budget of the whole gateway, and on one for each user by its replay."""
    setup, days = numbers.setup, numbers.sums.cost_by_day
    is_there = setup.has_daily_budget or setup.has_monthly_budget
    ordinary, dearest = (numbers.sums.ordinary_day / NANO, max(days) / NANO) if days else (0.0, 0.0)
    is_odd = dearest >= max(ODD_USD, ODD_TIMES * ordinary)
    enough = f"{max(1.0, ROOM * ordinary):.2f}"
    found = f"An ordinary day costs {usd(ordinary)}, the dearest {usd(dearest)}; "
    found += "a limit holds." if is_there else "nothing ends the bill for a day or a month."
    stopped = sum(numbers.sums.hour.refused.get(code, 0) for code in STOPPED)
    if stopped:
        found += f" It or the loop breaker stopped {counted(stopped, 'call')}."
    if is_there and is_odd:
        found += f" One of ${enough} a day would have ended that day early."
    lines = ("[budget]", f'daily_usd = "{DEFAULTS[setup.stage].daily_usd or enough}"')
    if is_odd:
        lines = ("[budget]", f'daily_usd = "{enough}"')
    return conclude(
        Case(
            SUBJECT,
            found,
            Answered(
                "yes",
                "A loop, a stolen key or a good day of press has no end by itself.",
                (
                    cost_a_month(numbers),
                    Figure(f"{usd(ordinary)} on an ordinary day", "seawall usage --by day", ordinary),
                    Figure(f"{usd(dearest)} on the dearest day", "seawall usage --by day", dearest),
                    *(_stopped(numbers, code) for code in STOPPED if numbers.sums.hour.refused.get(code)),
                ),
            ),
            presence=Presence.USED if is_there else Presence.ABSENT,
            do=() if is_there and not is_odd else lines,
            replays=(replays.budget.told,) if replays.budget is not None else (),
        ),
        numbers,
    )


def _stopped(numbers: Numbers, code: str) -> Figure:
    calls = numbers.sums.hour.refused[code]
    return Figure(f"{counted(calls, 'call')} {STOPPED[code]}", total(numbers, f"refused.{code}"), calls)
