"""Anything else: the five questions, asked of a thing that has no advice of its own."""

from seawall.advice.amounts import counted
from seawall.advice.deciding import Answered, Case, Subject, conclude, is_small
from seawall.advice.figures import calls_a_day, each_day, users_on_record
from seawall.advice.numbers import Numbers
from seawall.advice.words import Advice
from seawall.core.stages import Stage


def general(name: str, numbers: Numbers) -> Advice:
    """Ask the five questions of a thing by any name; a small app does not need it, else nobody can tell."""
    subject = Subject(
        thing=name,
        title=name,
        term=f"Seawall has no numbers of its own for {name}; these questions hold for everything.",
        link="advice.md",
        effort="days",
        earliest=Stage.ALPHA,
        is_infrastructure=True,
    )
    figures = (calls_a_day(numbers), users_on_record(numbers))
    calls, users = numbers.a_day(numbers.sums.hour.calls), counted(numbers.users.users, "named user")
    found = f"{each_day(calls)}, {users}."
    measure = f"Write down what hurts today, in a number, and what {name} would make of it."
    problem = (
        Answered("no", "An app of this size works without it.", figures)
        if is_small(numbers)
        else Answered("not measured", "Only you know what hurts.", figures)
    )
    case = Case(
        subject,
        found,
        problem,
        simpler=Answered("not measured", f"Only you know: what would you do, were there no {name}?"),
        tried=Answered("not measured", "Only you know whether that was tried, and for how long."),
        measure=measure,
    )
    return conclude(case, numbers)
