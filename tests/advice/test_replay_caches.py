"""What caches would have answered: by hand, for each rule of the real one."""

import pytest

from seawall.advice.replaying.caching import Hits, replay_caches
from seawall.core.money import NANO, Money, Usage
from seawall.core.traffic import Asked
from tests.advice.crowds import DAY, HOUR, call, recorded, shape

KEEP_S = 7 * 86_400.0
CENT = NANO // 100


def exact(*calls: Asked, is_part: bool = False) -> Hits:
    """Replay the exact cache."""
    found = replay_caches(recorded(*calls, is_part=is_part).compared(), KEEP_S)
    assert found is not None
    return found.exact


def test_the_first_of_equal_calls_is_made_and_the_others_save_what_they_cost() -> None:
    found = exact(call(0), call(HOUR, usd=0.02), call(2 * HOUR, usd=0.03), call(3 * HOUR, "else"))
    assert found == Hits(hits=2, followed=0, saved=5 * CENT)


def test_who_asks_the_same_while_it_is_made_waits_for_it() -> None:
    assert exact(call(0), call(1_999), call(2_000)) == Hits(hits=2, followed=1, saved=2 * CENT)


@pytest.mark.parametrize(("later_ms", "hits"), [(7 * DAY - 1, 1), (7 * DAY, 0)])
def test_an_answer_is_kept_for_its_time_from_when_it_was_asked_for(later_ms: int, hits: int) -> None:
    assert exact(call(0), call(later_ms)).hits == hits


def test_a_hit_keeps_no_answer_longer() -> None:
    assert exact(call(0), call(4 * DAY), call(8 * DAY), call(9 * DAY)).hits == 2


@pytest.mark.parametrize(
    "first",
    [
        call(0, outcome="failed"),
        call(0, outcome="left"),
        call(0, outcome="crashed", usage=None),
        call(0, usage=Usage(input=100, output=100, exact=False)),
        call(0, shape=shape(is_cacheable=False)),
        call(0, shape=shape(wanted_tokens=100)),
        call(0, text=None),
    ],
)
def test_what_did_not_end_by_itself_or_may_not_be_kept_is_not(first: Asked) -> None:
    assert exact(first, call(HOUR), call(2 * HOUR)).hits == 1


def test_an_answer_shorter_than_its_cap_is_kept() -> None:
    assert exact(call(0, shape=shape(wanted_tokens=101)), call(HOUR)).hits == 1


def test_a_refused_call_came_to_no_cache() -> None:
    found = replay_caches(recorded(call(0), call(1, outcome="refused"), call(2, outcome="accepted")), KEEP_S)
    assert found is not None
    assert (found.calls, found.exact.hits) == (1, 0)


def test_calls_that_a_cache_answered_count_as_calls_and_save_what_they_saved() -> None:
    hit = call(HOUR, usd=0, usage=None, is_hit=True, saved=Money(3 * CENT))
    found = replay_caches(recorded(call(0), hit), KEEP_S)
    assert found is not None
    assert (found.calls, found.exact, found.real_hits) == (2, Hits(1, 0, 3 * CENT), 1)
    assert found.worth == 4 * CENT


def test_a_real_hit_whose_first_call_is_not_on_record_stands_for_it() -> None:
    first, second = (call(at, usage=None, is_hit=True, saved=Money(CENT)) for at in (0, HOUR))
    assert exact(first, second).hits == 1


def test_what_costs_nothing_saves_what_it_would_have_cost() -> None:
    free = call(HOUR, usd=0, listed_cost=Money(CENT))
    assert exact(call(0), free).saved == CENT


def test_of_the_newest_calls_the_first_half_only_fills_the_cache() -> None:
    calls = [call(number * HOUR, f"{number % 2}") for number in range(8)]
    found = replay_caches(recorded(*calls, is_part=True).compared(), KEEP_S)
    assert found is not None
    assert (found.calls, found.exact.hits) == (4, 4)


def test_the_normalised_cache_tells_what_it_adds_to_the_exact_one() -> None:
    calls = recorded(call(0, "What?"), call(HOUR, "what"), call(2 * HOUR, "what"), call(3 * HOUR, "who"))
    found = replay_caches(calls, KEEP_S)
    assert found is not None
    told = found.told_normal(calls)
    assert (told.touched, told.saved) == (2, 2 * CENT)
    assert [figure.text for figure in told.told.figures] == [
        "2 of 4 calls (50 %) answered from what was kept",
        "$0.02 saved",
        "1 call more than by the exact cache (25 %)",
        "$0.01 more saved than by the exact cache",
    ]


def test_it_says_what_it_assumes() -> None:
    calls = recorded(call(0), call(1), call(2), is_part=True).compared()
    found = replay_caches(calls, KEEP_S)
    assert found is not None
    told = found.told_exact(calls).told
    assert (told.calls, told.days) == (2, 1 / DAY)
    assert told.assumptions == (
        "Answers are kept for 7 days, and there is room for all.",
        "The first of equal calls is always made.",
        "An answer that ended normally and was not cut at its cap is kept.",
        "A hit saves what the call really cost.",
        "Only the newest calls are replayed: their first half fills what is kept, the second half counts.",
    )


def test_nothing_is_told_where_no_call_can_be_compared() -> None:
    assert replay_caches(recorded(call(0, text=None)), KEEP_S) is None
    assert replay_caches(recorded(), KEEP_S) is None
