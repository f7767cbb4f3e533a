"""Makes the calls of a profile: when each comes and from whom, in order; the same seed makes the same."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from seawall.core.periods import DAY_S
from seawall.proving.simulating.profiles import Crowd, Profile

CALLS_MAX = 120_000
"""So many calls are a minute's worth."""
FRIDAY, EVENING_H = 4, 18
BATCH_S = 6.0
SKEW = 1.5
"""How unequal callers are: a tenth of them makes a fifth of the calls."""


class Planned(Struct, frozen=True, order=True):
    """One call: when it comes (Unix seconds), of which crowd, and which turn of which conversation it is.

    `copy` numbers calls that are made at the same moment.
    """

    at: float
    crowd: int
    head: int
    talk: int
    turn: int
    copy: int = 0


class Span(Struct, frozen=True):
    """The days of a simulation; `begin` is a midnight in UTC, in Unix seconds."""

    begin: float
    days: int

    @classmethod
    def until(cls, now: float, days: int) -> "Span":
        """Return the whole days before today."""
        return cls(now // DAY_S * DAY_S - days * DAY_S, days)

    @property
    def end(self) -> float:
        """Return the midnight with which it ends."""
        return self.begin + self.days * DAY_S

    def hours_of(self, crowd: Crowd) -> tuple[float, float]:
        """Return from when until when a crowd is there: on the last weekend that fits, or always.

        Where none fits it is there from the beginning.
        """
        length_s = crowd.weekend_h * 3600
        if not length_s:
            return self.begin, self.end
        for day in range(self.days - 1, -1, -1):
            start = datetime.fromtimestamp(self.begin, UTC) + timedelta(days=day, hours=EVENING_H)
            until = start.timestamp() + length_s
            if start.weekday() == FRIDAY and until <= self.end:
                return start.timestamp(), until
        return self.begin, min(self.end, self.begin + length_s)


def users_for(profile: Profile, users: int, span: Span) -> int:
    """Return how many users can be simulated: all, or as many as make a minute's worth of calls."""
    fixed = sum(_expected(crowd, 0, span) for crowd in profile.crowds if crowd.heads)
    grown = sum(_expected(crowd, users, span) for crowd in profile.crowds if not crowd.heads)
    room = max(CALLS_MAX - fixed, CALLS_MAX / 10)
    return users if grown <= room else max(1, int(users * room / grown))


def plan(profile: Profile, users: int, span: Span, seed: int) -> list[Planned]:
    """Return all calls in order."""
    calls: list[Planned] = []
    for number, crowd in enumerate(profile.crowds):
        chance = random.Random(f"{seed} {crowd.name}")  # noqa: S311 - no secret: a seed gives the same again
        heads = heads_of(crowd, users)
        made = _steady(crowd, heads, span, chance) if crowd.every_s else _talks(crowd, heads, span, chance)
        calls += [
            Planned(at, number, head, talk, turn, copy)
            for at, head, talk, turn in made
            for copy in range(crowd.at_once)
            if at < span.end
        ]
    calls.sort()
    return calls


def heads_of(crowd: Crowd, users: int) -> int:
    """Return how many callers of a crowd there are."""
    return crowd.heads or max(1, round(crowd.share * users))


def _expected(crowd: Crowd, users: int, span: Span) -> float:
    heads = heads_of(crowd, users)
    if crowd.every_s:
        start, until = span.hours_of(crowd)
        return heads * (until - start) / crowd.every_s
    turns = sum(crowd.talk.turns) / 2
    factors = sum(_factor(crowd, day, span) for day in range(span.days))
    return heads * crowd.talks_a_day * factors * turns * crowd.at_once


def _factor(crowd: Crowd, day: int, span: Span) -> float:
    """Return how much there is on a day, on the line through the points of `growth`."""
    points = crowd.growth
    place = day / max(1, span.days - 1) * (len(points) - 1)
    before = min(int(place), len(points) - 1)
    after = min(before + 1, len(points) - 1)
    return points[before] + (points[after] - points[before]) * (place - before)


Made = tuple[float, int, int, int]
"""The moment, the caller, the conversation and the turn."""


def _steady(crowd: Crowd, heads: int, span: Span, chance: random.Random) -> Iterator[Made]:
    start, until = span.hours_of(crowd)
    talk = 0
    for head in range(heads):
        at = start + chance.random() * crowd.every_s
        while at < until:
            talk += 1
            yield at, head, talk, 0
            at += crowd.every_s * (0.9 + 0.2 * chance.random())


def _talks(crowd: Crowd, heads: int, span: Span, chance: random.Random) -> Iterator[Made]:
    number = 0
    first, last = crowd.hours
    for day in range(span.days):
        midnight = span.begin + day * DAY_S
        count = int(heads * crowd.talks_a_day * _factor(crowd, day, span) + chance.random())
        for place in range(count):
            number += 1
            if crowd.batch:
                yield midnight + first * 3600 + place // crowd.batch * BATCH_S, place, number, 0
                continue
            head = int(heads * chance.random() ** SKEW)
            at = midnight + 3600 * (first + (last - first) * chance.random())
            for turn in range(chance.randint(*crowd.talk.turns)):
                yield at, head, number, turn
                at += crowd.talk.gap_s * (0.5 + chance.random())
