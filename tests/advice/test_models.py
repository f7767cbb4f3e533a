"""Cheaper models, shorter conversations, and answers that are seen while they are written."""

import msgspec
import pytest

from seawall.advice.numbers import Numbers, Rates
from seawall.advice.replays import Replays
from seawall.advice.things import advise
from seawall.advice.words import Verdict
from seawall.core.money import NANO
from seawall.core.traffic import WAITS_MS, Hour, ModelSums
from tests.advice.apps import NOTHING, app, calls, replay, spread, usd

DEAR, CHEAP = Rates(10 * NANO, 30 * NANO), Rates(NANO, 3 * NANO)


def small_calls(share: float = 0.5, *, cost: float = 1.0, rates: dict[str, Rates] | None = None) -> Numbers:
    small = int(100 * share)
    model = ModelSums(
        small=small, small_input=small * 100, small_output=small * 50, small_cost=usd(cost * share)
    )
    numbers = app(spread(calls(100, cost=cost, model=model)))
    return msgspec.structs.replace(numbers, rates=rates or {})


def test_small_calls_go_to_the_model_that_a_replay_found() -> None:
    found = replay(3_000, 1_500, saved=14, model="small-1")
    advice = advise("cheaper-model", small_calls(), Replays(cheaper=found))
    assert advice.verdict is Verdict.DO_NOW
    assert advice.saves_month == usd(14)
    assert advice.do[:2] == ("[models.small]", 'targets = ["small-1"]')
    assert "complex reasoning is not measured" in advice.do[3]


def test_small_calls_are_priced_by_sums_where_none_can_be_replayed() -> None:
    advice = advise("cheaper-model", small_calls(rates={"m": DEAR, "n": CHEAP}), NOTHING)
    assert advice.verdict is Verdict.DO_NOW
    assert advice.saves_month == usd(
        15 - 0.375
    )  # 1,500 calls of 100 in and 50 out at 1 and 3 dollars a million


def test_a_cheaper_model_without_a_price_cannot_be_told() -> None:
    assert advise("cheaper-model", small_calls(), NOTHING).verdict is Verdict.CANNOT_TELL


@pytest.mark.parametrize(("share", "cost"), [(0.0, 1.0), (0.05, 9.0), (0.5, 0.1)])
def test_few_or_cheap_small_calls_stay_where_they_are(share: float, cost: float) -> None:
    assert advise("cheaper-model", small_calls(share, cost=cost), NOTHING).verdict is Verdict.NOT_YET


def test_ten_small_calls_change_no_model() -> None:
    model = ModelSums(small=10, small_cost=usd(9))
    numbers = app([calls(10, cost=9, model=model)], days=1)
    assert advise("cheaper-model", numbers, NOTHING).verdict is Verdict.NOT_YET


def talks(*, history: int = 70_000, cost: float = 2.0, shaped: int = 100) -> Numbers:
    model = ModelSums(
        input=200_000, output=10_000, long=60, long_input=150_000, shaped=shaped, whole_bytes=90_000,
        head_bytes=10_000, history_bytes=history,
    )  # fmt: skip
    return app(spread(calls(100, cost=cost, model=model)))


def test_long_conversations_leave_out_their_beginning() -> None:
    advice = advise("context", talks(), NOTHING)
    assert advice.verdict is Verdict.DO_NOW
    # 60 dollars, five sixths of them for input; three quarters of it in long talks, 70 % history, half of it kept
    assert advice.saves_month == pytest.approx(usd(60 * 5 / 6 * 0.75 * 0.7 * 0.5), rel=1e-6)


def test_what_the_provider_cached_is_not_saved_again() -> None:
    numbers = talks()
    cached = [
        msgspec.structs.replace(
            hour, models={"m": msgspec.structs.replace(hour.models["m"], cached_read=200_000)}
        )
        for hour in numbers.hours
    ]
    advice = advise("shorter-context", msgspec.structs.replace(numbers, hours=cached), NOTHING)
    assert advice.verdict is Verdict.NOT_YET


@pytest.mark.parametrize(("history", "cost"), [(0, 2.0), (40_000, 2.0), (70_000, 0.01)])
def test_short_or_cheap_conversations_are_sent_whole(history: int, cost: float) -> None:
    assert advise("shorter-context", talks(history=history, cost=cost), NOTHING).verdict is Verdict.NOT_YET


def test_history_that_is_not_told_apart_cannot_be_judged() -> None:
    assert advise("shorter-context", talks(shaped=0), NOTHING).verdict is Verdict.CANNOT_TELL
    assert advise("shorter-context", talks(shaped=0, cost=0.0), NOTHING).verdict is Verdict.NOT_YET


def waits(fast: int, slow: int, *, left: int = 0) -> Hour:
    took = [0] * (len(WAITS_MS) + 1)
    took[2], took[7] = fast, slow  # up to 1 s, and up to 10 s
    hour = msgspec.structs.replace(calls(fast + slow), took=took, left=left, left_cost=usd(left * 0.01))
    return msgspec.structs.replace(hour, calls=fast + slow + left)


def test_answers_that_take_long_are_streamed() -> None:
    advice = advise("streaming", app([waits(80, 120, left=20)]), NOTHING)
    assert advice.verdict is Verdict.DO_NOW
    assert (
        advice.summary
        == "60 % of 200 whole answers took 5 s or more, and 20 callers left before the end. Do it now."
    )
    assert advice.steps[0].figures[4].text == "9 % of 220 calls were left before the answer was whole"


@pytest.mark.parametrize(("fast", "slow"), [(0, 0), (0, 3), (40, 40), (950, 50)])
def test_few_or_quick_answers_need_no_stream(fast: int, slow: int) -> None:
    assert advise("streaming", app([waits(fast, slow)]), NOTHING).verdict is Verdict.NOT_YET


def test_an_app_that_streams_goes_on() -> None:
    assert (
        advise("streaming", app([calls(20, model=ModelSums(streamed=19))]), NOTHING).verdict is Verdict.KEEP
    )


def test_streams_that_begin_late_say_so() -> None:
    first = [0] * (len(WAITS_MS) + 1)
    first[7] = 200
    hour = msgspec.structs.replace(calls(200, model=ModelSums(streamed=200)), first=first)
    advice = advise("streaming", app([hour]), NOTHING)
    assert advice.summary == (
        "Answers are streamed, but 100 % of them begin after 5 s or more; 0 callers left before the end. Keep it."
    )
