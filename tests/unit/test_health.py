"""When an account is left alone, probed, spared and trusted again."""

import pytest

from seawall.core.call import Route
from seawall.core.money import Price, Rate, Rates
from seawall.core.routing import READY, HealthRules, Kind, Outcome, State
from seawall.providers.health import BUSY_MAX, Condition, Health

PRICE = Price(Rates(input=Rate(1), output=Rate(1)))
A = Route("a", "m", PRICE)
A2 = Route("a", "m", PRICE, key=2)
OTHER_MODEL = Route("a", "n", PRICE)

ANSWERED = Outcome(Kind.ANSWERED)
FAILED = Outcome(Kind.FAILED)
REFUSED = Outcome(Kind.CREDENTIALS)
UNKNOWN = Outcome(Kind.UNKNOWN)


def fail(health: Health, now_s: float, times: int = 5) -> None:
    for _ in range(times):
        health.note(A, FAILED, now_s)


def broken(now_s: float = 0.0) -> Health:
    """Return the health of an account whose breaker opened at this moment."""
    health = Health()
    fail(health, now_s)
    return health


def state(health: Health, now_s: float, route: Route = A) -> tuple[State, float]:
    now = health.readiness(route, now_s)
    return now.state, now.wait_s


def test_an_account_of_which_nothing_is_known_is_ready() -> None:
    health = Health()
    assert health.readiness(A, 0.0) is READY
    assert health.admit(A, 0.0)
    health.note(A, ANSWERED, 0.0)
    assert health.snapshot(0.0) == []


def test_failures_in_a_row_open_the_breaker_of_this_key_for_all_its_models() -> None:
    health = Health()
    fail(health, 0.0, times=4)
    assert state(health, 0.0) == (State.READY, 0.0)
    fail(health, 1.0, times=1)
    assert state(health, 1.0) == state(health, 1.0, OTHER_MODEL) == (State.OPEN, 30.0)
    assert state(health, 1.0, A2) == (State.READY, 0.0)
    assert not health.admit(A, 1.0)
    assert health.admit(A2, 1.0)


def test_an_answer_in_between_begins_the_count_again() -> None:
    health = Health()
    fail(health, 0.0, times=4)
    health.note(A, ANSWERED, 0.0)
    fail(health, 0.0, times=4)
    assert health.admit(A, 0.0)


def test_one_call_probes_and_its_answer_closes_the_breaker() -> None:
    health = broken()
    assert state(health, 29.9)[0] is State.OPEN
    assert state(health, 30.0) == (State.PROBE, 0.0)
    assert health.admit(A, 30.0)
    assert not health.admit(A, 30.0)
    assert state(health, 31.0) == (State.OPEN, 29.0)
    health.note(A, ANSWERED, 31.0)
    assert state(health, 31.0) == (State.READY, 0.0)
    assert health.snapshot(31.0) == []


def test_a_probe_that_fails_doubles_the_cooldown_up_to_its_top() -> None:
    health, now_s, waits = broken(), 0.0, []
    for _ in range(6):
        waits.append(state(health, now_s)[1])
        now_s += waits[-1]
        assert health.admit(A, now_s)
        health.note(A, FAILED, now_s)
    assert waits == [30.0, 60.0, 120.0, 240.0, 300.0, 300.0]


def test_after_a_good_probe_the_cooldown_is_short_again() -> None:
    health = broken()
    health.admit(A, 30.0)
    health.note(A, FAILED, 30.0)
    health.admit(A, 90.0)
    health.note(A, ANSWERED, 90.0)
    fail(health, 90.0)
    assert state(health, 90.0) == (State.OPEN, 30.0)


def test_a_rate_limit_is_an_answer_to_a_probe() -> None:
    health = broken()
    health.admit(A, 30.0)
    health.note(A, Outcome(Kind.BUSY, 5.0), 30.0)
    assert state(health, 30.0) == (State.SPARED, 5.0)


def test_a_probe_that_told_nothing_gives_its_place_back() -> None:
    health = broken()
    assert health.admit(A, 30.0)
    health.note(A, UNKNOWN, 31.0)
    assert health.admit(A, 31.0)


def test_a_probe_that_is_never_heard_of_again_gives_its_place_back_after_a_cooldown() -> None:
    health = broken()
    assert health.admit(A, 30.0)
    assert not health.admit(A, 59.0)
    assert health.admit(A, 60.0)


def test_a_slow_probe_that_fails_after_its_place_was_given_away_still_counts() -> None:
    health = broken()
    health.admit(A, 30.0)
    health.note(A, FAILED, 150.0)
    assert state(health, 150.0) == (State.OPEN, 60.0)


@pytest.mark.parametrize("late", [FAILED, ANSWERED, REFUSED, UNKNOWN])
def test_calls_that_began_before_the_breaker_opened_change_nothing(late: Outcome) -> None:
    health = broken()
    health.note(A, late, 10.0)
    assert state(health, 10.0) == (State.OPEN, 20.0)
    health.note(A, late, 40.0)
    assert state(health, 40.0) == (State.PROBE, 0.0)


def test_a_longer_retry_after_is_obeyed_when_the_breaker_opens() -> None:
    health = Health()
    fail(health, 0.0, times=4)
    health.note(A, Outcome(Kind.FAILED, 100.0), 0.0)
    assert state(health, 0.0) == (State.OPEN, 100.0)
    health.note(A, Outcome(Kind.FAILED, 10**9), 0.0)
    assert state(health, 0.0) == (State.OPEN, 3600.0)


def test_a_rate_limit_spares_this_model_of_this_key_only() -> None:
    health = Health()
    health.note(A, Outcome(Kind.BUSY, 20.0), 0.0)
    assert state(health, 5.0) == (State.SPARED, 15.0)
    assert health.admit(A, 5.0)
    assert state(health, 5.0, OTHER_MODEL) == state(health, 5.0, A2) == (State.READY, 0.0)
    assert state(health, 20.0) == (State.READY, 0.0)


def test_rate_limits_never_open_a_breaker() -> None:
    health = Health()
    for _ in range(50):
        health.note(A, Outcome(Kind.BUSY), 0.0)
    assert state(health, 0.0) == (State.READY, 0.0)


def test_an_answer_ends_the_sparing() -> None:
    health = Health()
    health.note(A, Outcome(Kind.BUSY, 20.0), 0.0)
    health.note(A, ANSWERED, 1.0)
    assert state(health, 1.0) == (State.READY, 0.0)


def test_what_is_remembered_of_rate_limits_has_an_end() -> None:
    health = Health()
    for number in range(BUSY_MAX + 10):
        health.note(Route("a", f"m{number}", PRICE), Outcome(Kind.BUSY, 20.0), 0.0)
    assert len(health.snapshot(0.0)) == BUSY_MAX
    health.note(A, Outcome(Kind.BUSY, 20.0), 30.0)
    assert [condition.model for condition in health.snapshot(30.0)] == ["m"]


def test_refused_credentials_spare_the_account_at_once_and_never_shut_it() -> None:
    health = Health()
    health.note(A, REFUSED, 0.0)
    assert state(health, 1.0) == state(health, 1.0, OTHER_MODEL) == (State.SPARED, 29.0)
    assert health.admit(A, 1.0)
    health.note(A, REFUSED, 1.0)
    assert state(health, 1.0) == (State.SPARED, 29.0)


def test_credentials_that_are_refused_again_are_asked_for_less_often() -> None:
    health = Health()
    health.note(A, REFUSED, 0.0)
    assert state(health, 30.0) == (State.PROBE, 0.0)
    assert health.admit(A, 30.0)
    assert state(health, 30.0)[0] is State.SPARED
    health.note(A, REFUSED, 30.0)
    assert state(health, 30.0) == (State.SPARED, 60.0)


def test_an_answer_proves_that_the_credentials_are_good() -> None:
    health = Health()
    health.note(A, REFUSED, 0.0)
    health.note(A, ANSWERED, 1.0)
    assert health.snapshot(1.0) == []


def test_a_spared_account_that_fails_in_a_row_is_shut() -> None:
    health = Health()
    health.note(A, REFUSED, 0.0)
    fail(health, 1.0)
    assert state(health, 1.0)[0] is State.OPEN


def test_the_breaker_can_be_switched_off_and_tuned() -> None:
    off = Health(HealthRules(failures=0))
    fail(off, 0.0, times=100)
    assert off.readiness(A, 0.0) is READY
    quick = Health(HealthRules(failures=1, cooldown_s=2.0, cooldown_s_max=3.0))
    fail(quick, 0.0, times=1)
    assert state(quick, 0.0) == (State.OPEN, 2.0)
    quick.admit(A, 2.0)
    quick.note(A, FAILED, 2.0)
    assert state(quick, 2.0) == (State.OPEN, 3.0)


def test_the_snapshot_says_what_stands_against_whom() -> None:
    health = broken()
    health.note(A2, FAILED, 0.0)
    health.note(A2, Outcome(Kind.BUSY, 8.0), 1.0)
    health.note(A2, FAILED, 1.0)
    assert health.snapshot(1.0) == [
        Condition("a", "", State.OPEN, "it failed several times in a row", 29.0, 5),
        Condition("a#2", "", State.READY, "", 0.0, 1),
        Condition("a#2", "m", State.SPARED, "it asked to be left alone for a moment", 8.0),
    ]
