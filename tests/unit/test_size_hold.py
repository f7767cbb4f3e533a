"""How much a call gets, as a table; rates here are one nano-dollar per token, so that sums can be read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.core.ledger import (
    Account,
    AccountSet,
    Ask,
    Busy,
    CallRow,
    Exhausted,
    Held,
    HoldAnswer,
    NeedsCount,
    Standing,
    size_hold,
)
from seawall.core.money import PER_MILLION, Money

NONE = AccountSet.of(())


def ask(
    wanted: int, *, tokens: int = 100, rate_in: int = PER_MILLION, rate_out: int = PER_MILLION, **fields: bool
) -> Ask:
    usual = {"is_counted": True, "is_declared": True, "waited": False}
    row = CallRow(id="call_1", at_ms=0)
    return Ask(
        "call_1",
        NONE,
        tokens,
        input_rate=rate_in,
        output_rate=rate_out,
        wanted_tokens=wanted,
        row=row,
        **{**usual, **fields},
    )


def standing(cap: int, spent: int = 0, held: int = 0, scope: str = "global") -> Standing:
    return Standing(Account(scope, "life", Money(cap)), Money(spent), Money(held))


def held(amount: int, tokens: int) -> Held:
    return Held(Money(amount), tokens)


FULL = standing(1000)
"""1,000 are left."""
MOSTLY_HELD = standing(1000, held=800)
MOSTLY_SPENT = standing(1000, spent=800)


@pytest.mark.parametrize(
    ("wanted", "stands", "answer"),
    [
        pytest.param(200, FULL, held(300, 200), id="fits"),
        pytest.param(900, FULL, held(1000, 900), id="fits-exactly"),
        pytest.param(901, FULL, held(1000, 900), id="lowered-by-one"),
        pytest.param(100, MOSTLY_HELD, held(200, 100), id="fits-beside-what-is-held"),
        pytest.param(101, MOSTLY_HELD, Busy(MOSTLY_HELD), id="waits-for-what-is-held"),
        pytest.param(900, MOSTLY_HELD, Busy(MOSTLY_HELD), id="waits-for-all-that-is-held"),
        pytest.param(901, MOSTLY_HELD, held(200, 100), id="waiting-would-not-help"),
        pytest.param(200, MOSTLY_SPENT, held(200, 100), id="lowered-to-what-is-left"),
        pytest.param(16, standing(1000, 884), held(116, 16), id="the-floor-fits"),
        pytest.param(17, standing(1000, 885), Exhausted(standing(1000, 885)), id="below-the-floor"),
        pytest.param(5, standing(1000, 895), held(105, 5), id="asked-for-less-than-the-floor"),
        pytest.param(5, standing(1000, 896), Exhausted(standing(1000, 896)), id="not-even-so-little"),
        pytest.param(
            5, standing(1000, 500, 396), Busy(standing(1000, 500, 396)), id="so-little-is-only-held"
        ),
        pytest.param(5, standing(99), Exhausted(standing(99)), id="input-alone-is-too-much"),
        pytest.param(5, standing(1000, 1200), Exhausted(standing(1000, 1200)), id="overage"),
        pytest.param(5, standing(0), Exhausted(standing(0)), id="no-budget"),
    ],
)
def test_declared_cap(wanted: int, stands: Standing, answer: HoldAnswer) -> None:
    assert size_hold(ask(wanted), [stands]) == answer


@pytest.mark.parametrize(
    ("wanted", "stands", "answer"),
    [
        pytest.param(900, MOSTLY_HELD, held(200, 100), id="takes-what-is-there"),
        pytest.param(900, standing(1000, held=884), held(116, 16), id="takes-the-floor"),
        pytest.param(900, standing(1000, held=885), Busy(standing(1000, held=885)), id="floor-is-still-held"),
        pytest.param(900, standing(1000, 885), Exhausted(standing(1000, 885)), id="spent-stays-spent"),
    ],
)
def test_declared_cap_after_waiting(wanted: int, stands: Standing, answer: HoldAnswer) -> None:
    assert size_hold(ask(wanted, waited=True), [stands]) == answer


@pytest.mark.parametrize(
    ("wanted", "stands", "answer"),
    [
        pytest.param(16_384, standing(80_000), held(10_100, 10_000), id="an-eighth-of-what-is-left"),
        pytest.param(4_096, standing(80_000), held(4_196, 4_096), id="the-model-writes-less"),
        pytest.param(16_384, standing(80_000, 40_000, 20_000), held(2_600, 2_500), id="left-not-the-cap"),
        pytest.param(16_384, standing(2_000), held(612, 512), id="an-eighth-would-be-useless"),
        pytest.param(16_384, standing(612), held(612, 512), id="the-last-useful-call"),
        pytest.param(16_384, standing(611), Exhausted(standing(611)), id="no-useful-call-is-left"),
        pytest.param(16_384, standing(900, held=300), Busy(standing(900, held=300)), id="it-is-only-held"),
        pytest.param(100, standing(200), held(200, 100), id="a-model-of-short-answers"),
    ],
)
def test_undeclared_cap(wanted: int, stands: Standing, answer: HoldAnswer) -> None:
    assert size_hold(ask(wanted, is_declared=False), [stands]) == answer


def test_the_input_comes_on_top_of_the_eighth() -> None:
    assert size_hold(ask(16_384, tokens=4_000, is_declared=False), [standing(80_000)]) == held(14_000, 10_000)


def test_every_account_has_to_admit_the_call() -> None:
    key = standing(150, scope="key:1")
    assert size_hold(ask(200), [FULL, key]) == held(150, 50)
    assert size_hold(ask(200), [key, FULL]) == held(150, 50)


def test_a_refusal_names_the_account_that_is_in_the_way() -> None:
    key_is_held = standing(1000, held=950, scope="key:1")
    global_is_spent = standing(1000, spent=950)
    assert size_hold(ask(200), [FULL, key_is_held]) == Busy(key_is_held)
    assert size_hold(ask(200), [key_is_held, global_is_spent]) == Exhausted(global_is_spent)


def test_a_free_call_is_granted_whatever_is_spent() -> None:
    free = ask(5_000, rate_in=0, rate_out=0)
    assert size_hold(free, [standing(10, spent=10, held=5)]) == held(0, 5_000)


def test_a_call_without_output_price_gets_what_it_wants() -> None:
    assert size_hold(ask(5_000, rate_out=0), [FULL]) == held(100, 5_000)


def test_without_a_cap_everything_is_granted() -> None:
    assert size_hold(ask(5_000), []) == held(5_100, 5_000)


@pytest.mark.parametrize(("left", "answer"), [(1_599, NeedsCount()), (1_600, held(150, 50))])
def test_a_rough_bound_may_take_a_sixteenth(left: int, answer: HoldAnswer) -> None:
    assert size_hold(ask(50, is_counted=False), [standing(left)]) == answer


def test_money_is_rounded_up_once() -> None:
    thirds = ask(1, tokens=1, rate_in=333_333, rate_out=333_333)
    assert size_hold(thirds, [FULL]) == held(1, 1)
    assert size_hold(ask(2, tokens=1, rate_in=333_335, rate_out=333_333), [FULL]) == held(2, 2)


asks = st.builds(
    ask,
    st.integers(1, 20_000),
    tokens=st.integers(0, 20_000),
    rate_in=st.integers(0, 3 * PER_MILLION),
    rate_out=st.integers(0, 3 * PER_MILLION),
    is_counted=st.booleans(),
    is_declared=st.booleans(),
    waited=st.booleans(),
)
standings = st.builds(
    standing, st.integers(0, 60_000), st.integers(0, 60_000), st.integers(0, 60_000), st.sampled_from("abc")
)


def left_of(stands: list[Standing], *, with_held: bool = True) -> int:
    assert all(one.account.cap is not None for one in stands)
    return min((one.account.cap or 0) - one.spent - (one.held if with_held else 0) for one in stands)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(asks, st.lists(standings, min_size=1, max_size=3))
def test_no_answer_breaks_the_rule(one: Ask, stands: list[Standing]) -> None:
    answer = size_hold(one, stands)
    if isinstance(answer, Held):
        assert 0 <= answer.output_tokens <= one.wanted_tokens
        assert answer.amount * PER_MILLION >= one.input_weight + answer.output_tokens * one.output_rate
        assert one.is_free or answer.amount <= left_of(stands)
    elif isinstance(answer, NeedsCount):
        assert not one.is_counted
    else:
        assert answer.standing in stands


@settings(derandomize=True, deadline=None, max_examples=200)
@given(asks, st.lists(standings, min_size=1, max_size=3))
def test_only_what_is_spent_exhausts_and_only_what_is_held_keeps_busy(
    one: Ask, stands: list[Standing]
) -> None:
    answer = size_hold(one, stands)
    nothing_held = [Standing(each.account, each.spent, Money(0)) for each in stands]
    later = size_hold(one, nothing_held)
    if isinstance(answer, Busy):
        assert isinstance(later, Held)
    if isinstance(answer, Exhausted):
        assert isinstance(later, Exhausted)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(asks, standings)
def test_an_undeclared_call_leaves_seven_eighths_to_the_others(one: Ask, stands: Standing) -> None:
    answer = size_hold(one, [stands])
    if isinstance(answer, Held) and not one.is_declared and not one.is_free:
        output = answer.output_tokens * one.output_rate
        assert answer.output_tokens <= 512 or output * 8 <= left_of([stands]) * PER_MILLION
