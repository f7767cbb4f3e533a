"""What an exact cache would have answered, and what one that overlooks case and punctuation.

The rules are those of `pipeline/caching.py`: the first of equal calls is made, an answer that ended by itself
is kept, and who asks the same while it is made waits for it.
"""

from collections.abc import Iterable

from msgspec import Struct

from seawall.advice.amounts import counted, dollars, percent
from seawall.advice.replaying.recorded import Recorded
from seawall.advice.replays import Replay
from seawall.advice.words import Figure, Replayed
from seawall.core.money import NANO
from seawall.core.traffic import Asked

ERROR = "At most 5 % off in tests that make the same calls again with the cache on."

_REPEATS = (
    "SELECT count(*) - count(DISTINCT json_extract(shape, '$[{place}]')) FROM calls"
    " WHERE outcome <> 'refused' AND json_extract(shape, '$[10]')"
)
_UNASKED = frozenset({"refused", "accepted"})
"""Calls with these ends never came to the cache, or come to it once a worker makes them."""


class Hits(Struct):
    """What one cache would have answered, `followed` of it by waiting for an equal call in flight.

    `saved` is what these calls cost, in nano-dollars.
    """

    hits: int = 0
    followed: int = 0
    saved: int = 0


class CachesReplay(Struct):
    """What the exact cache would have done, and the normalised one in its place; money in nano-dollars.

    `calls` are those that would have come to the cache, `cacheable` those whose answers it may keep, and
    `worth` is what all of them cost together. `real_hits` were answered by a cache when they were recorded,
    and that saved `really_saved`.
    """

    keep_s: float
    exact: Hits
    normal: Hits
    calls: int = 0
    cacheable: int = 0
    worth: int = 0
    real_hits: int = 0
    really_saved: int = 0

    def told_exact(self, recorded: Recorded) -> Replay:
        """Return what people read of the exact cache."""
        return self._told(
            recorded,
            "An exact cache",
            self.exact,
            "An answer that ended normally and was not cut at its cap is kept.",
            _REPEATS.format(place=0),
        )

    def told_normal(self, recorded: Recorded) -> Replay:
        """Return what people read of the normalised cache."""
        exact, normal, query = self.exact, self.normal, _REPEATS.format(place=1)
        more, saved = normal.hits - exact.hits, normal.saved - exact.saved
        share = percent(more / max(1, self.calls))
        return self._told(
            recorded,
            "A cache that overlooks case and punctuation",
            normal,
            "Questions that differ only in case, punctuation and spaces mean the same.",
            query,
            Figure(f"{counted(more, 'call')} more than by the exact cache ({share})", query, more),
            Figure(f"{dollars(saved)} more saved than by the exact cache", query, saved / NANO),
        )

    def _told(
        self, recorded: Recorded, title: str, found: Hits, assumed: str, query: str, *more: Figure
    ) -> Replay:
        share = percent(found.hits / max(1, self.calls))
        told = Replayed(
            title=title,
            calls=self.calls,
            days=recorded.days,
            figures=(
                Figure(
                    f"{found.hits:,} of {counted(self.calls, 'call')} ({share}) answered from what was kept",
                    query,
                    found.hits,
                ),
                Figure(f"{dollars(found.saved)} saved", query, found.saved / NANO),
                *more,
            ),
            assumptions=recorded.assumed(
                f"Answers are kept for {self.keep_s / 86_400:g} days, and there is room for all.",
                "The first of equal calls is always made.",
                assumed,
                "A hit saves what the call really cost.",
            ),
            error=ERROR,
        )
        return Replay(told, touched=found.hits, saved=found.saved)


class _Kept(Struct):
    """When each answer of a cache was asked for, and when it was there."""

    exact: dict[bytes, tuple[int, int]]
    normal: dict[bytes, tuple[int, int]]


def replay_caches(recorded: Recorded, keep_s: float) -> CachesReplay | None:
    """Replay both caches; `None` where no call was kept in a form that can be compared."""
    kept = _Kept({}, {})
    _ask(recorded.calls[: recorded.counted_from], CachesReplay(keep_s, Hits(), Hits()), kept)
    found = CachesReplay(keep_s, Hits(), Hits())
    _ask(recorded.counted, found, kept)
    return found if found.calls else None


def _ask(calls: Iterable[Asked], found: CachesReplay, kept: _Kept) -> None:
    """Let calls come to both caches, one after another."""
    keep_ms = int(found.keep_s * 1_000)
    exact, normal = (kept.exact, found.exact), (kept.normal, found.normal)
    for call in calls:
        shape = call.shape
        if shape is None or call.outcome in _UNASKED:
            continue
        worth = call.cost or call.listed_cost
        if call.is_hit:
            worth = call.saved
            found.real_hits += 1
            found.really_saved += worth
        found.calls += 1
        found.worth += worth
        if not shape.is_cacheable:
            continue
        found.cacheable += 1
        at_ms = call.at_ms
        for key, known, sums in ((shape.exact, *exact), (shape.normal, *normal)):
            made = known.get(key)
            if made is not None and at_ms < made[0] + keep_ms:
                sums.hits += 1
                sums.saved += worth
                sums.followed += at_ms < made[1]
            elif _is_kept(call, shape.wanted_tokens):
                known[key] = (at_ms, at_ms + int(call.took_ms))


def _is_kept(call: Asked, wanted_tokens: int) -> bool:
    """Say whether an answer would be kept: whole, not cut at its cap, and metered by the vendor."""
    if call.outcome != "ok":
        return False
    usage = call.usage
    if usage is None:
        return call.is_hit
    return usage.exact and not 0 < wanted_tokens <= usage.output
