"""When a cache of answers is worth its line."""

import msgspec

from seawall.advice.replays import Replays
from seawall.advice.things import advise
from seawall.advice.words import Verdict
from seawall.core.traffic import Hour
from tests.advice.apps import BARE, NOTHING, app, calls, replay, spread, usd

CACHED = msgspec.structs.replace(BARE, has_cache=True)


def test_no_calls_are_not_yet_and_not_a_riddle() -> None:
    advice = advise("cache", app(), NOTHING)
    assert advice.verdict is Verdict.NOT_YET
    assert advice.summary == "0 calls a day: there is hardly anything to repeat. Not yet."


def test_few_repeats_are_not_yet_with_the_money_they_would_have_saved() -> None:
    advice = advise(
        "caching", app(spread(calls(38, cost=0.07))), Replays(exact=replay(1_140, 23, saved=0.04))
    )
    assert advice.verdict is Verdict.NOT_YET
    assert advice.summary == "38 calls a day, 2 % of them repeats: a cache would save $0.04 a month. Not yet."
    assert advice.threshold is not None
    assert advice.threshold.way == 100 * 23 / 1_140 / 20


def test_many_repeats_that_cost_something_are_cached_now() -> None:
    advice = advise("caching", app(spread(calls(100, cost=1))), Replays(exact=replay(3_000, 1_200, saved=12)))
    assert advice.verdict is Verdict.DO_NOW
    assert advice.saves_month == usd(12)
    assert advice.do == ("[cache]", "enabled = true", "keep_days = 7")


def test_ten_calls_that_all_repeat_decide_nothing() -> None:
    advice = advise("caching", app([calls(10, cost=9)], days=1), Replays(exact=replay(10, 9, saved=8)))
    assert advice.verdict is Verdict.NOT_YET
    figure = advice.steps[0].figures[2]
    assert figure.text == "90 % of 10 replayed calls are repeats (60 to 98 %)"


def test_repeats_worth_less_than_a_dollar_are_not_yet() -> None:
    advice = advise(
        "caching", app(spread(calls(100, cost=0.01))), Replays(exact=replay(3_000, 1_200, saved=0.12))
    )
    assert advice.verdict is Verdict.NOT_YET
    assert advice.threshold is not None
    assert (advice.threshold.now, advice.threshold.due) == (0.12, 1)


def test_many_calls_without_a_replay_cannot_be_told() -> None:
    advice = advise("caching", app(spread(calls(100, cost=1))), NOTHING)
    assert advice.verdict is Verdict.CANNOT_TELL
    assert "log.shapes" in advice.summary


def test_a_cache_that_never_answers_is_removed() -> None:
    advice = advise("caching", app(spread(Hour(0, calls=100)), setup=CACHED), NOTHING)
    assert advice.verdict is Verdict.REMOVE
    assert advice.do == ("[cache]", "enabled = false")


def test_a_cache_that_answers_is_kept() -> None:
    hour = Hour(0, calls=100, hits=40, saved=usd(0.5))
    advice = advise("caching", app(spread(hour), setup=CACHED), NOTHING)
    assert advice.verdict is Verdict.KEEP
    assert advice.summary == (
        "40 % of 3,000 calls were answered by the cache: the cache saves $15.00 a month. Keep it."
    )


def test_a_new_cache_is_not_judged_by_three_calls() -> None:
    assert advise("caching", app([calls(3)], setup=CACHED), NOTHING).verdict is Verdict.KEEP


def test_slow_pages_want_their_queries_optimised_first() -> None:
    advice = advise("caching", app(facts={"page_s": 3}), NOTHING)
    assert advice.verdict is Verdict.SIMPLE_FIRST
    assert [step.answer for step in advice.steps] == ["yes", "yes", "no", "yes", "yes"]


def test_slow_pages_with_optimised_queries_are_cached_now() -> None:
    facts = {"page_s": 3, "tried": ("optimised-queries",)}
    assert advise("caching", app(facts=facts), NOTHING).verdict is Verdict.DO_NOW
