"""Rate limits in memory: never more than stated in any window, all limits or none, waits that are true."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.core.limits import Admitted, Refused
from seawall.core.policy import Limit, Scope, StatedLimit
from seawall.stores.memory.counters import MemoryCounters

T = TypeVar("T")


def limit(
    count: int, period_s: int, *, unit: Any = "requests", burst: int | None = None, scope: str = "user:ada"
) -> Limit:
    kind, _, name = scope.partition(":")
    return Limit.on(Scope(kind, name), StatedLimit(unit, count, period_s, burst), f"limits.per_{kind}")


def now(work: Coroutine[Any, Any, T]) -> T:
    """Run what never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("a counter in memory has to answer at once")


def admit(counters: MemoryCounters, at_s: float, *limits: Limit, tokens: int = 0) -> Admitted | Refused:
    return now(counters.admit(limits, at_s, tokens))


def passes(counters: MemoryCounters, at_s: float, *limits: Limit, tokens: int = 0) -> bool:
    return isinstance(admit(counters, at_s, *limits, tokens=tokens), Admitted)


def test_ten_calls_in_ten_seconds_of_which_five_may_pass() -> None:
    counters, seed = MemoryCounters(), limit(5, 10)
    answers = [admit(counters, float(second), seed) for second in range(10)]
    assert [isinstance(answer, Admitted) for answer in answers] == [True] * 5 + [False] * 5
    assert [answer.wait_s for answer in answers if isinstance(answer, Refused)] == [5.0, 4.0, 3.0, 2.0, 1.0]
    assert passes(counters, 10.0, seed)


schedules = st.lists(st.integers(0, 400), min_size=1, max_size=200)
"""Pauses between calls, in tenths of a second."""


@given(pauses=schedules, count=st.integers(1, 12), period_s=st.integers(1, 30))
def test_never_more_than_stated_in_any_window_whatever_the_schedule(
    pauses: list[int], count: int, period_s: int
) -> None:
    counters, one, at, admitted = MemoryCounters(), limit(count, period_s), 0, []
    for pause in pauses:
        at += pause
        if passes(counters, at / 10, one):
            admitted.append(at)
    for start in admitted:
        assert sum(start <= each < start + period_s * 10 for each in admitted) <= count


@given(pauses=schedules, count=st.integers(1_001, 1_003), period_s=st.integers(1, 30))
@settings(max_examples=20)
def test_the_same_holds_where_uses_share_slots(pauses: list[int], count: int, period_s: int) -> None:
    counters, one, at = MemoryCounters(), limit(count, period_s), 0
    admitted: list[int] = []
    for pause in pauses:
        at += pause % 7
        admitted += [at] * sum(passes(counters, at / 10, one) for _ in range(40))
    for start in set(admitted):
        assert sum(start <= each < start + period_s * 10 for each in admitted) <= count


@given(pauses=schedules, count=st.integers(1, 12), period_s=st.integers(1, 30))
def test_a_wait_is_true_to_the_microsecond(pauses: list[int], count: int, period_s: int) -> None:
    counters, one, at_us = MemoryCounters(), limit(count, period_s), 0
    for pause in pauses:
        at_us += pause * 100_000
        answer = admit(counters, at_us / 1e6, one)
        if isinstance(answer, Refused):
            at_us += round(answer.wait_s * 1e6)
            early = now(counters.peek((one,), (at_us - 1) / 1e6))
            assert early is not None
            assert now(counters.peek((one,), at_us / 1e6)) is None
            assert passes(counters, at_us / 1e6, one)


@given(data=st.data(), pauses=schedules)
def test_a_refusal_takes_nothing_from_any_limit(data: st.DataObject, pauses: list[int]) -> None:
    """The counters with refusals stand as those that never saw the calls that were refused."""
    limits = tuple(
        limit(data.draw(st.integers(1, 6)), data.draw(st.integers(1, 20)), scope=scope)
        for scope in ("global", "key:k", "user:ada", "ip:a")
    )
    seen, spared, at = MemoryCounters(), MemoryCounters(), 0.0
    for pause in pauses:
        at += pause / 10
        chosen = data.draw(st.sampled_from([limits, limits[:2], limits[1:]])) if len(pauses) < 20 else limits
        if passes(seen, at, *chosen):
            assert passes(spared, at, *chosen)
    for one in limits:
        assert (now(seen.peek((one,), at)) is None) is (now(spared.peek((one,), at)) is None)


def test_the_longest_wait_is_told() -> None:
    counters, short, long = MemoryCounters(), limit(1, 5), limit(1, 60, scope="key:k")
    assert passes(counters, 0.0, short, long)
    answer = admit(counters, 1.0, short, long)
    assert isinstance(answer, Refused)
    assert (answer.limit, answer.wait_s, answer.used) == (long, 59.0, 1)


def test_however_many_come_at_once_only_those_that_may_pass() -> None:
    counters, one = MemoryCounters(), limit(7, 60)

    async def all_at_once() -> list[Admitted | Refused]:
        return await asyncio.gather(*(counters.admit((one,), 5.0, 0) for _ in range(500)))

    answers = asyncio.run(all_at_once())
    assert sum(isinstance(answer, Admitted) for answer in answers) == 7


def test_a_clock_that_goes_back_frees_nothing() -> None:
    counters, one = MemoryCounters(), limit(1, 10)
    assert passes(counters, 100.0, one)
    assert not passes(counters, 50.0, one)
    assert passes(counters, 110.0, one)


def test_a_burst_passes_at_once_and_the_rate_holds_after_it() -> None:
    counters, one = MemoryCounters(), limit(10, 1, burst=20)
    assert [passes(counters, 0.0, one) for _ in range(21)] == [True] * 20 + [False]
    answer = admit(counters, 0.0, one)
    assert isinstance(answer, Refused)
    assert answer.wait_s == 0.1
    assert [passes(counters, 0.1, one), passes(counters, 0.1, one)] == [True, False]


@given(pauses=schedules, burst=st.integers(1, 20), count=st.integers(1, 9))
def test_a_burst_and_the_rate_bound_every_window(pauses: list[int], burst: int, count: int) -> None:
    counters, one, at, admitted = MemoryCounters(), limit(count, 7, burst=burst), 0, []
    for pause in pauses:
        at += pause % 23
        if passes(counters, at / 10, one):
            admitted.append(at)
    for first, start in enumerate(admitted):
        for last, end in enumerate(admitted[first:], first):
            assert last - first + 1 <= burst + (end - start) * count / 70


def test_tokens_count_as_they_are_estimated_and_then_as_they_were() -> None:
    counters, one = MemoryCounters(), limit(1_000, 60, unit="tokens")
    first = admit(counters, 0.0, one, tokens=400)
    assert isinstance(first, Admitted)
    assert not passes(counters, 1.0, one, tokens=700)
    now(counters.settle(first, 2.0, 900))  # The answer was long.
    assert not passes(counters, 3.0, one, tokens=200)
    second = admit(counters, 3.0, one, tokens=100)
    assert isinstance(second, Admitted)
    now(counters.settle(second, 4.0, 30))  # Less than was thought.
    assert passes(counters, 5.0, one, tokens=70)
    assert not passes(counters, 5.0, one, tokens=1)


def test_output_overdraws_a_limit_and_the_next_calls_wait() -> None:
    counters, one = MemoryCounters(), limit(100, 60, unit="tokens")
    first = admit(counters, 0.0, one, tokens=10)
    assert isinstance(first, Admitted)
    now(counters.settle(first, 10.0, 500))
    refused = admit(counters, 11.0, one, tokens=1)
    assert isinstance(refused, Refused)
    assert refused.used == 500
    assert not passes(counters, 69.0, one, tokens=1)
    assert passes(counters, 70.1, one, tokens=1)


def test_a_call_larger_than_a_limit_on_tokens_passes_alone() -> None:
    counters, one = MemoryCounters(), limit(100, 60, unit="tokens")
    assert passes(counters, 0.0, one, tokens=5_000)
    assert not passes(counters, 30.0, one, tokens=1)
    assert passes(counters, 61.0, one, tokens=1)


def test_places_of_running_calls_are_given_back() -> None:
    counters, one = MemoryCounters(), limit(2, 0, unit="at_once")
    first, second = admit(counters, 0.0, one), admit(counters, 0.0, one)
    assert isinstance(first, Admitted) and isinstance(second, Admitted)
    assert not passes(counters, 1.0, one)
    counters.leave(first)
    assert [passes(counters, 2.0, one), passes(counters, 2.0, one)] == [True, False]


def test_a_lowered_limit_counts_what_was_used_before() -> None:
    counters = MemoryCounters()
    assert [passes(counters, float(second), limit(5, 60)) for second in range(5)] == [True] * 5
    lower = admit(counters, 10.0, limit(2, 60))
    assert isinstance(lower, Refused)
    assert lower.wait_s == 53.0  # Two may be in the window: the fourth has to leave it.


def test_a_changed_rate_with_a_burst_goes_on_from_where_it_stood() -> None:
    days = 500_000.0  # On a clock that has run for days nobody may wait for days.
    counters = MemoryCounters()
    assert all(passes(counters, days, limit(10, 1, burst=20)) for _ in range(20))
    waits = [admit(counters, days, limit(count, 1, burst=20)) for count in (10, 5, 50)]
    assert [each.wait_s for each in waits if isinstance(each, Refused)] == [0.1, 0.2, 0.02]


@given(
    steps=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 50)), min_size=1, max_size=60),
    burst=st.integers(1, 20),
)
def test_however_often_a_rate_is_changed_the_wait_is_that_for_one_call_and_true(
    steps: list[tuple[int, int]], burst: int
) -> None:
    counters, at_us = MemoryCounters(), 10**12
    for pause, count in steps:
        at_us += pause * 100_000
        one = limit(count, 7, burst=burst)
        answer = admit(counters, at_us / 1e6, one)
        if isinstance(answer, Refused):
            assert answer.wait_s <= 7 / count + 1e-6
            at_us += round(answer.wait_s * 1e6)
            assert now(counters.peek((one,), (at_us - 1) / 1e6)) is not None
            assert passes(counters, at_us / 1e6, one)


def test_a_large_body_is_told_the_longest_wait() -> None:
    counters, short, long = MemoryCounters(), limit(1, 5), limit(1, 60, scope="key:k")
    assert passes(counters, 0.0, short, long)
    told = now(counters.peek((short, long), 1.0))
    assert told is not None
    assert (told.limit, told.wait_s) == (long, 59.0)


def test_a_call_that_outlives_its_window_is_settled_all_the_same() -> None:
    counters, one = MemoryCounters(), limit(100, 60, unit="tokens")
    first = admit(counters, 0.0, one, tokens=10)
    assert isinstance(first, Admitted)
    for number in range(100):  # Meanwhile what is empty is forgotten.
        assert passes(counters, 120.0, limit(1, 10, scope=f"user:{number}"))
    assert one.key not in counters._states
    now(counters.settle(first, 121.0, 5_000))
    refused = admit(counters, 122.0, one, tokens=1)
    assert isinstance(refused, Refused)
    assert refused.used == 4_990


def test_settling_after_the_window_began_anew_takes_nothing_from_those_in_it() -> None:
    counters, one = MemoryCounters(), limit(100, 60, unit="tokens")
    first = admit(counters, 0.0, one, tokens=50)
    assert isinstance(first, Admitted)
    for number in range(100):
        assert passes(counters, 120.0, limit(1, 10, scope=f"user:{number}"))
    assert passes(counters, 121.0, one, tokens=90)
    now(counters.settle(first, 122.0, 0))  # Far less than was thought, but of another window.
    assert not passes(counters, 122.0, one, tokens=11)
    assert passes(counters, 122.0, one, tokens=10)


@given(
    visits=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), min_size=1, max_size=150),
    count=st.integers(1, 4),
)
def test_forgetting_what_is_empty_forgets_no_use(visits: list[tuple[int, int]], count: int) -> None:
    """Many users come and go, so that limits are made and forgotten all the time; each still holds."""
    counters, at, admitted = MemoryCounters(), 0, list[tuple[int, int]]()
    for pause, user in visits:
        at += pause
        limits = [limit(count, 3, scope=f"{kind}:{user}") for kind in ("ip", "user", "key")]
        if passes(counters, at / 10, *limits, limit(50, 30, scope="global")):
            admitted.append((at, user))
    for start, user in admitted:
        assert sum(start <= each < start + 30 and other == user for each, other in admitted) <= count


def test_what_is_over_is_forgotten_and_what_counts_is_not() -> None:
    counters = MemoryCounters()
    for number in range(10_000):  # A new user each second, each of whom counts for ten.
        assert passes(counters, float(number), limit(1, 10, scope=f"user:{number}"))
        assert len(counters._states) < 30
    assert not passes(counters, 10_000.0, limit(1, 10, scope="user:9995"))


def test_beyond_the_most_that_is_kept_those_go_that_were_used_long_ago() -> None:
    counters = MemoryCounters(states_max=200)
    for number in range(2_000):
        assert passes(counters, number / 1000, limit(1, 3_600, scope=f"user:{number}"))
    assert len(counters._states) <= 201
    assert not passes(counters, 2.1, limit(1, 3_600, scope="user:1999"))
    assert passes(counters, 2.1, limit(1, 3_600, scope="user:0"))
