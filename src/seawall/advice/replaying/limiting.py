"""Which calls of whom a rate limit would have refused, by the rules of `stores/memory/counters.py`.

Up to 1,000 calls a window it is exact there and here; beyond that the gateway counts in slots of a
thousandth of the window, which refuses a few calls more.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from operator import sub

from msgspec import Struct

from seawall.advice.amounts import counted, dollars, percent
from seawall.advice.replaying.recorded import Recorded
from seawall.advice.replays import Replay
from seawall.advice.words import Figure, Replayed
from seawall.core.money import Money
from seawall.core.rates import Rate, parse_rate
from seawall.core.traffic import Asked

USERS_TOLD = 10
ERROR = "At most 5 % off in a test that makes the same calls again with the limit on."

_CROWDED = (
    "SELECT end_user, at_ms / {period_ms} AS time, count(*) AS calls FROM calls"
    " WHERE end_user IS NOT NULL GROUP BY 1, 2 HAVING calls > {count} ORDER BY 3 DESC"
)
UNCOUNTED = frozenset({"user_blocked", "not_allowed", "model_not_allowed", "origin_not_allowed"})
"""Refusals that come before any limit counts the call."""


class Refused(Struct, frozen=True):
    """How many calls of one user a limit would have refused, of how many."""

    user: str
    refused: int
    calls: int


class LimitReplay(Struct, frozen=True):
    """What one limit on each end user would have refused; `worth` is what those calls cost.

    `users` are all whom it concerns, `worst` the ten with the most refusals.
    """

    limit: str
    refused: int
    users: int
    worth: Money
    worst: tuple[Refused, ...]


class LimitsReplay(Struct, frozen=True):
    """What limits on each end user would have refused, of `named` calls; `unnamed` name nobody."""

    named: int
    unnamed: int
    users: int
    limits: tuple[LimitReplay, ...]

    def told(self, recorded: Recorded) -> Replay:
        """Return what people read of it."""
        told = Replayed(
            title="A limit on each user",
            calls=self.named,
            days=recorded.days,
            figures=tuple(map(self._figure, self.limits)),
            assumptions=recorded.assumed(
                f"Limits are on each end user; {counted(self.unnamed, 'call')} named nobody and pass.",
                "Who is refused does not try again.",
                "Calls that were refused for another reason count as calls.",
            ),
            error=ERROR,
        )
        if not self.limits:
            return Replay(told)
        first = self.limits[0]
        return Replay(told, touched=first.refused, saved=first.worth, users=first.users, limit=first.limit)

    def _figure(self, found: LimitReplay) -> Figure:
        share = found.refused / self.named if self.named else 0.0
        rate = parse_rate(found.limit)
        query = _CROWDED.format(period_ms=rate.period_s * 1_000, count=rate.count)
        if not found.refused:
            return Figure(f"{found.limit}: nobody is refused", query, 0)
        return Figure(
            f"{found.limit}: {counted(found.refused, 'call')} ({percent(share)}) of"
            f" {counted(found.users, 'user')} refused, which cost {dollars(found.worth)}",
            query,
            found.refused,
        )


def by_user(recorded: Recorded) -> dict[str, list[Asked]]:
    """Return the calls of each end user that came to the limits, the oldest first."""
    found: dict[str, list[Asked]] = {}
    for call in recorded.counted:
        user = call.end_user
        if user is None or call.code in UNCOUNTED:
            continue
        own = found.get(user)
        if own is None:
            own = found[user] = []
        own.append(call)
    return found


def replay_limits(
    recorded: Recorded, users: Mapping[str, Sequence[Asked]], limits: Iterable[str]
) -> LimitsReplay | None:
    """Replay some limits, such as "10/hour", on each end user; `None` where no call names one.

    What is no rate of calls is passed over.
    """
    if not users:
        return None
    unnamed = [call for call in recorded.counted if call.end_user is None]
    comings = [_Comings(user, calls, [call.at_ms for call in calls]) for user, calls in users.items()]
    rates = [(text, _read(text)) for text in limits]
    return LimitsReplay(
        named=sum(map(len, users.values())),
        unnamed=len(unnamed),
        users=len(users),
        limits=tuple(_limit(text, rate, comings) for text, rate in rates if rate is not None),
    )


class _Comings(Struct, frozen=True):
    """The calls of one user, and when they came."""

    user: str
    calls: Sequence[Asked]
    times: Sequence[int]


def _read(text: str) -> Rate | None:
    try:
        return parse_rate(text)
    except ValueError:
        return None


def _limit(text: str, rate: Rate, comings: Iterable[_Comings]) -> LimitReplay:
    """Put the limit on each user in turn: what others do changes nothing."""
    found: list[Refused] = []
    worth = 0
    for each in comings:
        if rate.burst is None and not _is_crowded(rate, each.times):
            continue
        refused = _beyond_window(each, rate) if rate.burst is None else _beyond_bucket(each, rate, rate.burst)
        if refused:
            found.append(Refused(each.user, len(refused), len(each.calls)))
            worth += sum(refused)
    found.sort(key=lambda each: (-each.refused, each.user))
    total = sum(each.refused for each in found)
    return LimitReplay(text, total, len(found), Money(worth), tuple(found[:USERS_TOLD]))


def _is_crowded(rate: Rate, times: Sequence[int]) -> bool:
    """Say whether more than `count` calls are anywhere in one window: else none can be refused."""
    count = rate.count
    return len(times) > count and min(map(sub, times[count:], times)) < rate.period_s * 1_000


def _beyond_window(comings: _Comings, rate: Rate) -> list[int]:
    """Return what the calls cost that are more than `count` in one window; a refusal takes nothing."""
    period_ms, count = rate.period_s * 1_000, rate.count
    admitted: deque[int] = deque(maxlen=count)
    refused, latest = [], 0
    for number, at_ms in enumerate(comings.times):
        if len(admitted) == count and admitted[0] + period_ms > at_ms:
            refused.append(comings.calls[number].worth)
        else:
            latest = max(at_ms, latest)
            admitted.append(latest)
    return refused


def _beyond_bucket(comings: _Comings, rate: Rate, burst: int) -> list[int]:
    """Return what the calls cost beyond a steady rate with a burst: the generic cell rate algorithm."""
    count, step = rate.count, rate.period_s * 1_000
    refused, next_at = [], 0  # The theoretical arrival time of the next call, times `count`.
    for number, at_ms in enumerate(comings.times):
        if next_at - at_ms * count > (burst - 1) * step:
            refused.append(comings.calls[number].worth)
        else:
            next_at = max(next_at, at_ms * count) + step
    return refused
