"""Replays everything that can be replayed over an app's recorded calls. Start here to see what there is."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Protocol

from msgspec import Struct, structs

from seawall.advice.numbers import Numbers, Rates
from seawall.advice.replaying.caching import replay_caches
from seawall.advice.replaying.limiting import by_user, replay_limits
from seawall.advice.replaying.lost_answers import replay_queue
from seawall.advice.replaying.models import replay_cheaper
from seawall.advice.replaying.output_caps import replay_caps
from seawall.advice.replaying.prompt_caching import replay_prompt_cache
from seawall.advice.replaying.recorded import Recorded, days_between
from seawall.advice.replaying.spending import replay_budget
from seawall.advice.replays import Replay, Replays
from seawall.core.money import NANO, Money
from seawall.core.traffic import Asked

CALLS_MAX = 100_000
"""So many calls are replayed at most, the newest."""
LIMITS = ("10/hour", "100/hour", "100/minute")
"""What is tried where no limit is set, and beside those that are."""
CAPS = (256, 512, 1_024, 2_048, 4_096)
KEEP_DAYS = 7.0
USER_DAILY = Money(NANO)


class WhatIf(Struct, frozen=True):
    """What is replayed over the calls of `days` days, or, where `is_part`, the newest of them.

    Calls of more than `kept_days` days ago need not be on record any more. `keep_s` is how long caches would
    keep an answer; `cheaper` are the models that small calls could go to, by default all that have rates;
    `limits` such as "10/hour" and `user_daily` are on each end user; `caps` are on output tokens.
    """

    days: float
    is_part: bool = False
    kept_days: float = inf
    keep_s: float = KEEP_DAYS * 86_400
    rates: Mapping[str, Rates] = {}
    cheaper: tuple[str, ...] = ()
    limits: tuple[str, ...] = LIMITS
    user_daily: Money = USER_DAILY
    caps: tuple[int, ...] = CAPS

    @classmethod
    def of(cls, numbers: Numbers, *, is_part: bool) -> "WhatIf":
        """Ask what fits the setup of an app: its own limits, and the time for which its cache keeps."""
        setup = numbers.setup
        return cls(
            days=numbers.span_days,
            is_part=is_part,
            kept_days=setup.log_keep_days,
            keep_s=(setup.cache_keep_days or KEEP_DAYS) * 86_400,
            rates=numbers.rates,
            limits=tuple(dict.fromkeys((*setup.user_limits, *LIMITS))),
        )


def replay(asked: Sequence[Asked], what: WhatIf) -> Replays:
    """Replay everything over calls, the oldest first; takes about 5 microseconds for each."""
    on_record = max(what.kept_days, days_between(asked)) if asked else what.kept_days
    recorded = Recorded.of(asked, min(what.days, on_record), is_part=what.is_part)
    compared = recorded.compared()
    caches = replay_caches(compared, what.keep_s)
    prompt_cache = replay_prompt_cache(compared, what.rates)
    users = by_user(recorded)
    return Replays(
        exact=None if caches is None else _over(what, caches.told_exact(compared)),
        normal=None if caches is None else _over(what, caches.told_normal(compared)),
        prompt_cache=_told(what, prompt_cache, compared),
        cheaper=_told(what, replay_cheaper(recorded, what.rates, what.cheaper), recorded),
        limits=_told(what, replay_limits(recorded, users, what.limits), recorded),
        budget=_told(what, replay_budget(users, what.user_daily, what.rates), recorded),
        caps=_told(what, replay_caps(recorded, what.rates, what.caps), recorded),
        queue=_told(what, replay_queue(recorded), recorded),
    )


class _Found(Protocol):
    """What a replay has found."""

    def told(self, recorded: Recorded) -> Replay:
        """Return what people read of it."""


def _told(what: WhatIf, found: _Found | None, recorded: Recorded) -> Replay | None:
    return None if found is None else _over(what, found.told(recorded))


def _over(what: WhatIf, replay: Replay) -> Replay:
    """Take as much a day for the whole span as was saved in the days of it that were replayed."""
    days = replay.told.days
    if not 0 < days < what.days:
        return replay
    return structs.replace(replay, saved=round(replay.saved * what.days / days))
