"""What requests will cost: growth of conversations, shares of caches, and the app's own calls."""

import pytest
from msgspec.structs import replace

from seawall.advice.estimating import (
    Assumed,
    Observed,
    assume,
    cost_of_requests,
    estimate,
    input_of_turn,
    observe,
    share_below,
    traditional_cost,
)
from seawall.core.money import Money, Price, Rate, Rates, Tier, format_usd
from seawall.core.traffic import TOKENS, Hour, ModelSums, count_in

DOLLAR = 10**9


def price_of(per_thousand_in: int, per_thousand_out: int, **more: Rate) -> Price:
    """Return a price from hundred-thousandths of a dollar for 1,000 tokens."""
    return Price(Rates(Rate(per_thousand_in * 10**7), Rate(per_thousand_out * 10**7), **more))


USUAL = assume(requests=10_000, input_tokens=500, output_tokens=500)
PLAIN = price_of(100, 200)


@pytest.mark.parametrize(
    ("thousand_in", "thousand_out", "usd"),
    [(50, 150, "10.00"), (1_000, 3_000, "200.00"), (300, 1_500, "90.00"), (25, 125, "7.50")],
)
def test_known_prices_give_known_costs_to_the_cent(thousand_in: int, thousand_out: int, usd: str) -> None:
    assert format_usd(cost_of_requests(price_of(thousand_in, thousand_out), USUAL)) == usd


def test_a_short_and_a_long_answer_stand_beside_it() -> None:
    found = estimate(PLAIN, assume(requests=1_000, input_tokens=1_000, output_tokens=1_000))
    assert (found.low, found.cost, found.high) == (2 * DOLLAR, 3 * DOLLAR, 5 * DOLLAR)


def test_a_conversation_sends_its_history_again_with_each_message() -> None:
    assumed = replace(USUAL, input=100, output=50, turns=3, requests=3)
    assert [input_of_turn(assumed, turn) for turn in (1, 2, 3)] == [100, 250, 400]
    # 750 tokens in and 150 out, at 0.001 and 0.002 dollars for 1,000.
    assert cost_of_requests(PLAIN, assumed) == 1_050_000


def test_the_formula_of_a_conversation_is_that_of_the_docs() -> None:
    assumed = replace(USUAL, input=70, output=30, turns=17)
    total = sum(input_of_turn(assumed, turn) for turn in range(1, 18))
    assert total == 70 * 17 * 18 // 2 + 30 * 17 * 16 // 2


def test_requests_that_are_no_whole_conversation_are_the_beginning_of_one() -> None:
    three, one = replace(USUAL, turns=3, requests=3), replace(USUAL, turns=3, requests=1)
    four = replace(USUAL, turns=3, requests=4)
    costs = [cost_of_requests(PLAIN, each) for each in (three, one, four)]
    assert costs[2] == costs[0] + costs[1]


def test_a_turn_beyond_the_tier_is_billed_at_the_tier() -> None:
    dear = Tier(1_000, Rates(Rate(10 * DOLLAR), Rate(20 * DOLLAR)))
    tiered = replace(PLAIN, tiers=(dear,))
    assumed = replace(USUAL, input=600, output=0, turns=2, requests=2)
    assert cost_of_requests(PLAIN, assumed) == 1_800_000
    assert cost_of_requests(tiered, assumed) == 600_000 + 12_000_000


def test_hits_of_the_cache_cost_nothing_and_the_rest_is_rounded_up() -> None:
    cost = cost_of_requests(PLAIN, USUAL)
    assert cost_of_requests(PLAIN, replace(USUAL, cache_hits=1_250)) == cost * 7 // 8
    assert cost_of_requests(PLAIN, replace(USUAL, cache_hits=10_000)) == 0
    odd = replace(USUAL, requests=1, input=1, output=0, cache_hits=1)
    assert cost_of_requests(PLAIN, odd) == 1_000


def test_input_from_the_providers_cache_has_a_price_of_its_own_where_there_is_one() -> None:
    cheap = price_of(100, 200, cached_read=Rate(DOLLAR // 10))
    assumed = replace(USUAL, requests=1_000, input=1_000, output=0, prompt_cache=8_000)
    assert cost_of_requests(cheap, assumed) == 2 * DOLLAR // 10 + 8 * DOLLAR // 100
    assert cost_of_requests(PLAIN, assumed) == DOLLAR


def test_an_embedding_has_no_output() -> None:
    assert cost_of_requests(replace(PLAIN, kind="embedding"), USUAL) == 5 * DOLLAR


def test_an_api_without_a_model_costs_a_cent_for_ten_thousand_requests() -> None:
    assert format_usd(traditional_cost(10_000)) == "0.01"


def hour_of(number: int, *outputs: int, hits: int = 0, cached_read: int = 0) -> Hour:
    """Return an hour with a call of 100 tokens in for each output."""
    sums = ModelSums(calls=len(outputs), input=100 * len(outputs), output=sum(outputs))
    sums.cached_read = cached_read
    for output in outputs:
        count_in(sums.outputs, TOKENS, output)
    return Hour(number, calls=len(outputs) + hits, hits=hits, models={"m": sums} if outputs else {})


def test_the_apps_own_calls_give_means_shares_and_the_span_of_days() -> None:
    hours = [hour_of(480_000, *[40] * 8, 400, cached_read=90), hour_of(480_030, 1_280, hits=10)]
    seen = observe(hours)
    assert seen == Observed(
        calls=10, hits=10, days=2, input=100, output=200, short=6, long=500, prompt_cache=900
    )
    assert seen.requests_a_day == 10
    assert seen.cache_hits == 5_000


def test_where_no_call_reached_a_provider_nothing_is_known() -> None:
    assert observe([]) is None
    assert observe([hour_of(480_000, hits=3)]) is None


def test_calls_of_which_no_usage_is_known_are_in_no_mean() -> None:
    hour = hour_of(480_000, 40, 60)
    hour.models["m"].calls += 7
    seen = observe([hour])
    assert seen is not None
    assert (seen.calls, seen.output) == (2, 50)


def test_short_and_long_answers_never_pass_the_mean() -> None:
    seen = observe([hour_of(480_000, *[10] * 99, 100_000)])
    assert seen is not None
    assert seen.short < seen.output == seen.long == 1_010


def test_a_share_is_read_from_counts_and_an_open_end_is_its_bound() -> None:
    assert share_below([0, 10, 0], (100, 200), 50) == 150
    assert share_below([5, 0, 5], (100, 200), 50) == 100
    assert share_below([0, 0, 9], (100, 200), 50) == 200


def test_nothing_costs_nothing() -> None:
    nothing = Assumed(requests=1, input=0, output=0, short=0, long=0)
    assert cost_of_requests(PLAIN, nothing) == Money(0)
