"""Whom limits and budgets would have refused: the same as the real counters, call by call."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from seawall.advice.numbers import Rates
from seawall.advice.replaying.limiting import LimitsReplay, Refused, by_user, replay_limits
from seawall.advice.replaying.spending import BudgetReplay, replay_budget
from seawall.core.limits import Refused as ReallyRefused
from seawall.core.money import NANO, Money, Usage
from seawall.core.policy import Limit, Scope, StatedLimit
from seawall.core.rates import parse_rate
from seawall.core.traffic import Asked
from seawall.stores.memory.counters import MemoryCounters
from tests.advice.crowds import DAY, HOUR, MINUTE, SECOND, call, recorded, shape

RATES = {"m": Rates(input=10 * 10**9, output=30 * 10**9)}


def limited(*calls: Asked, limits: tuple[str, ...] = ("2/minute",)) -> LimitsReplay:
    found = replay_limits(recorded(*calls), by_user(recorded(*calls)), limits)
    assert found is not None
    return found


def really_refused(calls: list[Asked], text: str) -> int:
    """Send the calls through the real counters."""
    rate = parse_rate(text)
    stated = StatedLimit("requests", rate.count, rate.period_s, rate.burst)

    async def admit() -> int:
        counters, refused = MemoryCounters(), 0
        for each in calls:
            limit = Limit.on(Scope("user", each.end_user or ""), stated, "limits.per_user")
            refused += isinstance(await counters.admit((limit,), each.at_ms / 1_000, 0), ReallyRefused)
        return refused

    return asyncio.run(admit())


@given(
    gaps=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30_000)), max_size=120),
    text=st.sampled_from(
        ["1/second", "3/10 seconds", "5/minute", "20/minute", "10/minute burst 3", "1/minute burst 1"]
    ),
)
def test_it_refuses_the_calls_that_the_gateway_would(gaps: list[tuple[str, int]], text: str) -> None:
    at_ms, calls = 0, []
    for user, gap_ms in gaps:
        at_ms += gap_ms
        calls.append(call(at_ms, end_user=user))
    found = replay_limits(recorded(*calls), by_user(recorded(*calls)), (text,))
    assert (0 if found is None else found.limits[0].refused) == really_refused(calls, text)


def test_it_names_who_is_refused_the_most_often_first() -> None:
    calls = [call(number, end_user=user) for user, many in (("ada", 5), ("bob", 9), ("eve", 2)) for number in range(many)]  # fmt: skip
    limit = limited(*calls).limits[0]
    assert (limit.refused, limit.users) == (10, 2)
    assert limit.worst == (Refused("bob", 7, 9), Refused("ada", 3, 5))
    assert limit.worth == 10 * NANO // 100


def test_calls_that_name_nobody_pass() -> None:
    found = limited(call(0), *(call(number, end_user=None) for number in range(9)))
    assert (found.named, found.unnamed, found.limits[0].refused) == (1, 9, 0)


def test_calls_that_a_limit_has_refused_before_count_and_those_that_came_to_none_do_not() -> None:
    refused = [call(number, outcome="refused", code="rate_limit_exceeded") for number in range(4)]
    blocked = [call(number, outcome="refused", code="user_blocked") for number in range(4)]
    assert limited(*refused, *blocked).limits[0].refused == 2


def test_the_first_limit_is_the_one_of_the_numbers_and_all_are_told() -> None:
    calls = [call(number * SECOND) for number in range(5)]
    found = limited(*calls, limits=("2/minute", "4/hour", "5 tokens"))
    replay = found.told(recorded(*calls))
    assert (replay.limit, replay.touched, replay.users) == ("2/minute", 3, 1)
    assert [figure.text for figure in replay.told.figures] == [
        "2/minute: 3 calls (60 %) of 1 user refused, which cost $0.03",
        "4/hour: 1 call (20 %) of 1 user refused, which cost $0.01",
    ]


def budgeted(*calls: Asked, usd: float = 0.05) -> BudgetReplay:
    found = replay_budget(by_user(recorded(*calls)), Money(round(usd * NANO)), RATES)
    assert found is not None
    return found


def test_a_budget_refuses_what_it_has_no_money_for_until_the_next_day() -> None:
    today = [call(number * MINUTE, usd=0.02, usage=None) for number in range(5)]
    tomorrow = [call(DAY + number * MINUTE, usd=0.02, usage=None) for number in range(2)]
    found = budgeted(*today, *tomorrow, call(HOUR, usd=0.02, end_user="bob"))
    assert (found.refused, found.shortened, found.users, found.days) == (2, 1, 1, 1)
    assert found.saved == 5 * NANO // 100  # Two calls, and half of the third.
    assert found.dearest == NANO // 10


def test_the_last_answer_of_a_day_is_cut_at_what_the_money_buys() -> None:
    usage = Usage(input=1_000, output=1_000)  # One cent, and three.
    calls = [call(number, usd=0.04, usage=usage, shape=shape(wanted_tokens=1_000)) for number in range(3)]
    found = budgeted(*calls, usd=0.065)
    assert (found.refused, found.shortened) == (1, 1)
    assert found.saved == 40_000_000 + 15_000_000


def test_what_says_no_length_takes_an_eighth_of_what_is_left_and_no_less_than_an_answer() -> None:
    usage = Usage(input=1_000, output=4_000)
    calls = [call(number, usd=0.13, usage=usage) for number in range(2)]
    found = budgeted(*calls, usd=0.16)
    assert found.shortened == 2  # An eighth of 16 cents buys 666 tokens; then one of 13 buys 541.
    assert found.refused == 0


def test_a_budget_is_told() -> None:
    calls = [call(number * MINUTE, usd=0.02, usage=None) for number in range(5)]
    replay = budgeted(*calls).told(recorded(*calls))
    assert (replay.touched, replay.users) == (2, 1)
    assert [figure.text for figure in replay.told.figures] == [
        "2 calls of 1 user refused, 1 answer cut",
        "$0.05 saved",
        "$0.10 at most for one user in a day",
    ]
