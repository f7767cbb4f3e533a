"""The cleverer caches come after the simple one, and the provider's own is free."""

import msgspec
import pytest

from seawall.advice.numbers import Numbers, Rates
from seawall.advice.replays import Replays
from seawall.advice.things import advise
from seawall.advice.words import Verdict
from seawall.core.money import NANO
from seawall.core.traffic import ModelSums
from tests.advice.apps import BARE, NOTHING, app, calls, people, replay, spread, usd

CACHED = msgspec.structs.replace(BARE, has_cache=True)
EXACT = replay(30_000, 6_000, saved=30)
MORE = replay(30_000, 9_000, saved=45)
SAME = replay(30_000, 6_100, saved=31)


def busy(cost: float = 10, *, cached: bool = False, users: int = 500) -> Numbers:
    return app(spread(calls(1_000, cost=cost)), setup=CACHED if cached else BARE, users=people(users))


def test_spellings_come_after_the_exact_cache() -> None:
    advice = advise("normalised-cache", busy(), Replays(exact=EXACT, normal=MORE))
    assert advice.verdict is Verdict.SIMPLE_FIRST
    assert advice.simple is not None
    assert advice.simple.startswith("[cache] enabled = true")


def test_spellings_are_made_alike_where_the_exact_cache_is_on() -> None:
    advice = advise("normalised-cache", busy(cached=True), Replays(exact=EXACT, normal=MORE))
    assert advice.verdict is Verdict.DO_NOW
    assert advice.saves_month == usd(15)
    assert "10 % of 30,000 calls differ" in advice.summary


def test_what_the_exact_cache_knows_is_not_counted_twice() -> None:
    assert (
        advise("normalised-cache", busy(cached=True), Replays(exact=EXACT, normal=SAME)).verdict
        is Verdict.NOT_YET
    )


@pytest.mark.parametrize("name", ["normalised-cache", "semantic-cache", "prompt-caching"])
def test_thin_traffic_needs_no_clever_cache(name: str) -> None:
    for numbers in (app(), app([calls(3, cost=1)], days=1)):
        assert advise(name, numbers, NOTHING).verdict is Verdict.NOT_YET


def test_a_semantic_cache_comes_after_the_exact_one() -> None:
    advice = advise("semantic-cache", busy(), Replays(exact=EXACT, normal=SAME))
    assert advice.verdict is Verdict.SIMPLE_FIRST
    assert "risks wrong answers" in advice.summary


def test_a_semantic_cache_comes_after_spellings() -> None:
    advice = advise("semantic-cache", busy(cached=True), Replays(exact=EXACT, normal=MORE))
    assert advice.verdict is Verdict.SIMPLE_FIRST
    assert advice.simple is not None
    assert "normalised-cache" in advice.simple


def test_likeness_has_to_be_counted_by_hand_once_the_simple_caches_are_on() -> None:
    advice = advise("semantic-cache", busy(cached=True), Replays(exact=EXACT, normal=SAME))
    assert advice.verdict is Verdict.CANNOT_TELL
    assert "Read 200 of your questions" in advice.summary


def test_a_semantic_cache_is_for_no_cheap_app() -> None:
    advice = advise("semantic-cache", busy(cost=1, cached=True), Replays(exact=EXACT, normal=SAME))
    assert advice.verdict is Verdict.NOT_YET
    assert advice.threshold is not None
    assert (advice.threshold.now, advice.threshold.due) == (30, 200)


def long_prompts(*, read: int = 0, cost: float = 1) -> Numbers:
    model = ModelSums(input=400_000, output=10_000, cached_read=read)
    numbers = app(spread(calls(100, cost=cost, model=model)))
    return msgspec.structs.replace(numbers, rates={"m": Rates(NANO, NANO, cached_read=NANO // 2)})


def test_a_beginning_that_is_paid_again_and_again_is_put_first() -> None:
    advice = advise("prompt-caching", long_prompts(), Replays(prompt_cache=replay(3_000, 2_500, saved=12)))
    assert advice.verdict is Verdict.DO_NOW
    assert advice.saves_month == usd(12)


def test_a_provider_that_reads_from_its_cache_already_is_kept() -> None:
    assert advise("prompt-caching", long_prompts(read=200_000), NOTHING).verdict is Verdict.KEEP


def test_a_saving_of_less_than_an_hour_is_worth_is_watched() -> None:
    advice = advise("prompt-caching", long_prompts(), Replays(prompt_cache=replay(3_000, 2_500, saved=3)))
    assert advice.verdict is Verdict.NOT_YET
    assert advice.threshold is not None
    assert advice.threshold.way == 0.6


def test_a_cached_price_that_nobody_knows_has_to_be_stated() -> None:
    numbers = msgspec.structs.replace(long_prompts(), rates={})
    advice = advise("prompt-caching", numbers, Replays(prompt_cache=replay(3_000, 2_500)))
    assert advice.verdict is Verdict.CANNOT_TELL
    assert "cached_read_usd_per_mtok" in advice.summary


def test_short_requests_have_no_beginning_to_keep() -> None:
    advice = advise("prompt-caching", app(spread(calls(100))), NOTHING)
    assert advice.summary == "100 calls a day of 500 input tokens each. Not yet."
