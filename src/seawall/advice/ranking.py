"""All things in the order in which they matter: what to do now, what to watch, what to skip."""

from collections.abc import Iterable

from msgspec import Struct

from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.things import THINGS
from seawall.advice.thresholds import HOURS
from seawall.advice.words import Advice, Verdict
from seawall.core.money import NANO

HALF = 0.5
"""Beyond so much of the way to its threshold a thing is watched."""


class Ranking(Struct, frozen=True):
    """Every thing in one of the lists, the most urgent first.

    `do_now` begins with what is never skipped, then by the money that an hour of work saves a month. `watch`
    is more than half of the way to its threshold, the nearest first (one machine of two is not); `skip` is
    not yet, and far from it.
    """

    do_now: tuple[Advice, ...] = ()
    simple_first: tuple[Advice, ...] = ()
    watch: tuple[Advice, ...] = ()
    skip: tuple[Advice, ...] = ()
    remove: tuple[Advice, ...] = ()
    keep: tuple[Advice, ...] = ()
    cannot_tell: tuple[Advice, ...] = ()


def advise_all(numbers: Numbers, replays: Replays) -> Ranking:
    """Advise on everything that there is, and rank it."""
    return rank(thing(numbers, replays) for thing in THINGS.values())


def rank(advices: Iterable[Advice]) -> Ranking:
    """Sort advice into lists; what is equal stays in the order in which it came."""
    by_verdict: dict[Verdict, list[Advice]] = {verdict: [] for verdict in Verdict}
    for advice in advices:
        by_verdict[advice.verdict].append(advice)
    waiting = sorted(by_verdict[Verdict.NOT_YET], key=_way, reverse=True)
    return Ranking(
        do_now=tuple(sorted(by_verdict[Verdict.DO_NOW], key=_urgency)),
        simple_first=tuple(by_verdict[Verdict.SIMPLE_FIRST]),
        watch=tuple(advice for advice in waiting if _way(advice) > HALF),
        skip=tuple(advice for advice in waiting if _way(advice) <= HALF),
        remove=tuple(by_verdict[Verdict.REMOVE]),
        keep=tuple(by_verdict[Verdict.KEEP]),
        cannot_tell=tuple(by_verdict[Verdict.CANNOT_TELL]),
    )


def _urgency(advice: Advice) -> tuple[bool, float]:
    """Order what is to be done: never-skips, then the dollars a month for each hour of work."""
    saved = (advice.saves_month or 0) / NANO
    return not advice.is_never_skip, -saved / HOURS[advice.effort]


def _way(advice: Advice) -> float:
    """Return how much of the way to its threshold is done; nothing where that is not measured."""
    return (advice.threshold.way if advice.threshold else None) or 0.0
