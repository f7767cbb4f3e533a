"""Small apps for the tests of advice: numbers that say only what a test is about."""

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from seawall.advice.numbers import Machine, Numbers, Setup
from seawall.advice.replays import Replay, Replays
from seawall.advice.words import Replayed
from seawall.core.facts import Fact, FactValue
from seawall.core.money import NANO, Money
from seawall.core.stages import Stage
from seawall.core.traffic import Hour, ModelSums, UserFigures, UserUse

UNTIL = 500_000
DAY = date(2026, 11, 1)
BARE = Setup(Stage.MVP)


def app(
    hours: Sequence[Hour] = (),
    *,
    days: int = 30,
    setup: Setup = BARE,
    users: UserFigures | None = None,
    facts: Mapping[str, FactValue] | None = None,
) -> Numbers:
    """Return the numbers of an app that is as old as the span."""
    return Numbers(
        days=days,
        days_seen=float(days),
        until_hour=UNTIL,
        hours=hours,
        users=users or people(0),
        setup=setup,
        facts={name: Fact(value, DAY) for name, value in (facts or {}).items()},
        machine=Machine(2),
    )


def people(users: int, *, costs: Sequence[float] = (), unnamed: int = 0) -> UserFigures:
    """Return so many users; `costs` are those of the dearest, in dollars."""
    dearest = tuple(UserUse(f"user-{n}", 10, usd(cost), 1) for n, cost in enumerate(costs))
    return UserFigures(users, 0, (), dearest, unnamed, 1, UNTIL - 720)


def spread(hour: Hour, *, days: int = 30) -> list[Hour]:
    """Return the same hour once on each of some days."""
    return [msgspec.structs.replace(hour, hour=UNTIL - 24 * (days - day)) for day in range(days)]


def calls(number: int, *, cost: float = 0.0, model: ModelSums | None = None) -> Hour:
    """Return an hour of calls to one model that cost so many dollars together."""
    sums = model or ModelSums(input=number * 500, output=number * 500)
    sums = msgspec.structs.replace(sums, calls=number, ok=number, cost=usd(cost))
    return Hour(hour=0, calls=number, ok=number, models={"m": sums})


def replay(calls: int, touched: int, *, saved: float = 0.0, model: str = "") -> Replay:
    """Return a replay of so many calls over 30 days; `saved` in dollars over all of it."""
    told = Replayed("replay", calls, 30.0, (), (), "within 5 %")
    return Replay(told, touched=touched, saved=usd(saved), users=min(touched, 3), model=model)


def usd(dollars: float) -> Money:
    """Return dollars as money."""
    return Money(round(dollars * NANO))


NOTHING = Replays()
