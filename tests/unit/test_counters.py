"""Rate limits in memory: what has nothing in its window is forgotten, and what is too much; nothing else."""

from tests.fixtures.counting import at_once, limit

from seawall.core.limits import Admitted
from seawall.core.policy import Limit
from seawall.stores.memory.counters import MemoryCounters


def passes(counters: MemoryCounters, at_s: float, *limits: Limit) -> bool:
    return isinstance(at_once(counters.admit(limits, at_s, 0)), Admitted)


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
