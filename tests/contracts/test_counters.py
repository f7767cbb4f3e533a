"""Rate limits in both homes: never more than stated in any window, all limits or none, waits that are true."""

from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.core.limits import Admitted, Refused
from tests.fixtures.counting import CountingHome, limit


def test_ten_calls_in_ten_seconds_of_which_five_may_pass(counting_home: CountingHome) -> None:
    counters, seed = counting_home.make(), limit(5, 10)
    answers = [counters.admit(float(second), seed) for second in range(10)]
    assert [isinstance(answer, Admitted) for answer in answers] == [True] * 5 + [False] * 5
    assert [answer.wait_s for answer in answers if isinstance(answer, Refused)] == [5.0, 4.0, 3.0, 2.0, 1.0]
    assert counters.passes(10.0, seed)


schedules = st.lists(st.integers(0, 400), min_size=1, max_size=200)
"""Pauses between calls, in tenths of a second."""


@given(pauses=schedules, count=st.integers(1, 12), period_s=st.integers(1, 30))
def test_never_more_than_stated_in_any_window_whatever_the_schedule(
    counting_home: CountingHome, pauses: list[int], count: int, period_s: int
) -> None:
    counters, one, at, admitted = counting_home.make(), limit(count, period_s), 0, []
    for pause in pauses:
        at += pause
        if counters.passes(at / 10, one):
            admitted.append(at)
    for start in admitted:
        assert sum(start <= each < start + period_s * 10 for each in admitted) <= count


@given(pauses=schedules, count=st.integers(1_001, 1_003), period_s=st.integers(1, 30))
@settings(max_examples=20)
def test_the_same_holds_where_uses_share_slots(
    counting_home: CountingHome, pauses: list[int], count: int, period_s: int
) -> None:
    counters, one, at = counting_home.make(), limit(count, period_s), 0
    admitted: list[int] = []
    for pause in pauses:
        at += pause % 7
        admitted += [at] * sum(counters.passes(at / 10, one) for _ in range(40))
    for start in set(admitted):
        assert sum(start <= each < start + period_s * 10 for each in admitted) <= count


@given(pauses=schedules, count=st.integers(1, 12), period_s=st.integers(1, 30))
def test_a_wait_is_true_to_the_microsecond(
    counting_home: CountingHome, pauses: list[int], count: int, period_s: int
) -> None:
    counters, one, at_us = counting_home.make(), limit(count, period_s), 0
    for pause in pauses:
        at_us += pause * 100_000
        answer = counters.admit(at_us / 1e6, one)
        if isinstance(answer, Refused):
            at_us += round(answer.wait_s * 1e6)
            early = counters.peek((at_us - 1) / 1e6, one)
            assert early is not None
            assert counters.peek(at_us / 1e6, one) is None
            assert counters.passes(at_us / 1e6, one)


@given(data=st.data(), pauses=schedules)
def test_a_refusal_takes_nothing_from_any_limit(
    counting_home: CountingHome, data: st.DataObject, pauses: list[int]
) -> None:
    """The counters with refusals stand as those that never saw the calls that were refused."""
    limits = tuple(
        limit(data.draw(st.integers(1, 6)), data.draw(st.integers(1, 20)), scope=scope)
        for scope in ("global", "key:k", "user:ada", "ip:a")
    )
    seen, spared, at = counting_home.make(), counting_home.make(), 0.0
    for pause in pauses:
        at += pause / 10
        chosen = data.draw(st.sampled_from([limits, limits[:2], limits[1:]])) if len(pauses) < 20 else limits
        if seen.passes(at, *chosen):
            assert spared.passes(at, *chosen)
    for one in limits:
        assert (seen.peek(at, one) is None) is (spared.peek(at, one) is None)


def test_the_longest_wait_is_told(counting_home: CountingHome) -> None:
    counters, short, long = counting_home.make(), limit(1, 5), limit(1, 60, scope="key:k")
    assert counters.passes(0.0, short, long)
    answer = counters.admit(1.0, short, long)
    assert isinstance(answer, Refused)
    assert (answer.limit, answer.wait_s, answer.used) == (long, 59.0, 1)


def test_however_many_come_at_once_only_those_that_may_pass(counting_home: CountingHome) -> None:
    counters, one = counting_home.make(), limit(7, 60)
    answers = counters.many((one,), 5.0, 500)
    assert sum(isinstance(answer, Admitted) for answer in answers) == 7


def test_a_clock_that_goes_back_frees_nothing(counting_home: CountingHome) -> None:
    counters, one = counting_home.make(), limit(1, 10)
    assert counters.passes(100.0, one)
    assert not counters.passes(50.0, one)
    assert counters.passes(110.0, one)


def test_a_burst_passes_at_once_and_the_rate_holds_after_it(counting_home: CountingHome) -> None:
    counters, one = counting_home.make(), limit(10, 1, burst=20)
    assert [counters.passes(0.0, one) for _ in range(21)] == [True] * 20 + [False]
    answer = counters.admit(0.0, one)
    assert isinstance(answer, Refused)
    assert answer.wait_s == 0.1
    assert [counters.passes(0.1, one), counters.passes(0.1, one)] == [True, False]


@given(pauses=schedules, burst=st.integers(1, 20), count=st.integers(1, 9))
def test_a_burst_and_the_rate_bound_every_window(
    counting_home: CountingHome, pauses: list[int], burst: int, count: int
) -> None:
    counters, one, at, admitted = counting_home.make(), limit(count, 7, burst=burst), 0, []
    for pause in pauses:
        at += pause % 23
        if counters.passes(at / 10, one):
            admitted.append(at)
    for first, start in enumerate(admitted):
        for last, end in enumerate(admitted[first:], first):
            assert last - first + 1 <= burst + (end - start) * count / 70


def test_tokens_count_as_they_are_estimated_and_then_as_they_were(counting_home: CountingHome) -> None:
    counters, one = counting_home.make(), limit(1_000, 60, unit="tokens")
    first = counters.admit(0.0, one, tokens=400)
    assert isinstance(first, Admitted)
    assert not counters.passes(1.0, one, tokens=700)
    counters.settle(first, 2.0, 900)  # The answer was long.
    assert not counters.passes(3.0, one, tokens=200)
    second = counters.admit(3.0, one, tokens=100)
    assert isinstance(second, Admitted)
    counters.settle(second, 4.0, 30)  # Less than was thought.
    assert counters.passes(5.0, one, tokens=70)
    assert not counters.passes(5.0, one, tokens=1)


def test_output_overdraws_a_limit_and_the_next_calls_wait(counting_home: CountingHome) -> None:
    counters, one = counting_home.make(), limit(100, 60, unit="tokens")
    first = counters.admit(0.0, one, tokens=10)
    assert isinstance(first, Admitted)
    counters.settle(first, 10.0, 500)
    refused = counters.admit(11.0, one, tokens=1)
    assert isinstance(refused, Refused)
    assert refused.used == 500
    assert not counters.passes(69.0, one, tokens=1)
    assert counters.passes(70.1, one, tokens=1)


def test_a_call_larger_than_a_limit_on_tokens_passes_alone(counting_home: CountingHome) -> None:
    counters, one = counting_home.make(), limit(100, 60, unit="tokens")
    assert counters.passes(0.0, one, tokens=5_000)
    assert not counters.passes(30.0, one, tokens=1)
    assert counters.passes(61.0, one, tokens=1)


def test_places_of_running_calls_are_given_back(counting_home: CountingHome) -> None:
    counters, one = counting_home.make(), limit(2, 0, unit="at_once")
    first, second = counters.admit(0.0, one), counters.admit(0.0, one)
    assert isinstance(first, Admitted) and isinstance(second, Admitted)
    assert not counters.passes(1.0, one)
    counters.leave(first)
    assert [counters.passes(2.0, one), counters.passes(2.0, one)] == [True, False]


def test_a_lowered_limit_counts_what_was_used_before(counting_home: CountingHome) -> None:
    counters = counting_home.make()
    assert [counters.passes(float(second), limit(5, 60)) for second in range(5)] == [True] * 5
    lower = counters.admit(10.0, limit(2, 60))
    assert isinstance(lower, Refused)
    assert lower.wait_s == 53.0  # Two may be in the window: the fourth has to leave it.


def test_a_changed_rate_with_a_burst_goes_on_from_where_it_stood(counting_home: CountingHome) -> None:
    days = 500_000.0  # On a clock that has run for days nobody may wait for days.
    counters = counting_home.make()
    assert all(counters.passes(days, limit(10, 1, burst=20)) for _ in range(20))
    waits = [counters.admit(days, limit(count, 1, burst=20)) for count in (10, 5, 50)]
    assert [each.wait_s for each in waits if isinstance(each, Refused)] == [0.1, 0.2, 0.02]


@given(
    steps=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 50)), min_size=1, max_size=60),
    burst=st.integers(1, 20),
)
def test_however_often_a_rate_is_changed_the_wait_is_that_for_one_call_and_true(
    counting_home: CountingHome, steps: list[tuple[int, int]], burst: int
) -> None:
    counters, at_us = counting_home.make(), 10**12
    for pause, count in steps:
        at_us += pause * 100_000
        one = limit(count, 7, burst=burst)
        answer = counters.admit(at_us / 1e6, one)
        if isinstance(answer, Refused):
            assert answer.wait_s <= 7 / count + 1e-6
            at_us += round(answer.wait_s * 1e6)
            assert counters.peek((at_us - 1) / 1e6, one) is not None
            assert counters.passes(at_us / 1e6, one)


def test_a_large_body_is_told_the_longest_wait(counting_home: CountingHome) -> None:
    counters, short, long = counting_home.make(), limit(1, 5), limit(1, 60, scope="key:k")
    assert counters.passes(0.0, short, long)
    told = counters.peek(1.0, short, long)
    assert told is not None
    assert (told.limit, told.wait_s) == (long, 59.0)


def test_a_call_that_outlives_its_window_is_settled_all_the_same(counting_home: CountingHome) -> None:
    counters, one = counting_home.make(), limit(100, 60, unit="tokens")
    first = counters.admit(0.0, one, tokens=10)
    assert isinstance(first, Admitted)
    for number in range(100):  # Meanwhile what is empty is forgotten.
        assert counters.passes(120.0, limit(1, 10, scope=f"user:{number}"))
    counters.settle(first, 121.0, 5_000)
    refused = counters.admit(122.0, one, tokens=1)
    assert isinstance(refused, Refused)
    assert refused.used == 4_990


def test_settling_after_the_window_began_anew_takes_nothing_from_those_in_it(
    counting_home: CountingHome,
) -> None:
    counters, one = counting_home.make(), limit(100, 60, unit="tokens")
    first = counters.admit(0.0, one, tokens=50)
    assert isinstance(first, Admitted)
    for number in range(100):
        assert counters.passes(120.0, limit(1, 10, scope=f"user:{number}"))
    assert counters.passes(121.0, one, tokens=90)
    counters.settle(first, 122.0, 0)  # Far less than was thought, but of another window.
    assert not counters.passes(122.0, one, tokens=11)
    assert counters.passes(122.0, one, tokens=10)


@given(
    visits=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), min_size=1, max_size=150),
    count=st.integers(1, 4),
)
def test_forgetting_what_is_empty_forgets_no_use(
    counting_home: CountingHome, visits: list[tuple[int, int]], count: int
) -> None:
    """Many users come and go, so that limits are made and forgotten all the time; each still holds."""
    counters, at, admitted = counting_home.make(), 0, list[tuple[int, int]]()
    for pause, user in visits:
        at += pause
        limits = [limit(count, 3, scope=f"{kind}:{user}") for kind in ("ip", "user", "key")]
        if counters.passes(at / 10, *limits, limit(50, 30, scope="global")):
            admitted.append((at, user))
    for start, user in admitted:
        assert sum(start <= each < start + 30 and other == user for each, other in admitted) <= count
