"""Cheaper models, caps, lost answers, and everything together."""

import msgspec

from seawall.advice.numbers import Rates, Setup
from seawall.advice.replaying.lost_answers import replay_queue
from seawall.advice.replaying.models import Cheaper, replay_cheaper
from seawall.advice.replaying.output_caps import Cap, replay_caps
from seawall.advice.replays import Replays
from seawall.advice.what_if import LIMITS, WhatIf, replay
from seawall.core.money import NANO, Money, Usage
from seawall.core.stages import Stage
from tests.advice.apps import app
from tests.advice.crowds import DAY, HOUR, call, recorded, shape

DEAR, CHEAP = Rates(input=10 * 10**9, output=30 * 10**9), Rates(input=10**9, output=3 * 10**9)
SMALL = Usage(input=100, output=50)
SMALL_USD = 0.0025


def test_small_calls_are_priced_by_the_rates_of_other_models_the_best_first() -> None:
    large = call(0, usd=0.05, usage=Usage(input=100, output=100))
    calls = recorded(large, *(call(at, usd=SMALL_USD, usage=SMALL) for at in range(10)))
    found = replay_cheaper(calls, {"m": DEAR, "cheap": CHEAP, "middle": Rates(5 * 10**9, 15 * 10**9)})
    assert found is not None
    assert (found.calls, found.small, found.small_worth) == (11, 10, 25_000_000)
    assert found.models[0] == Cheaper("cheap", 10, Money(25_000_000), Money(2_500_000))
    assert [each.model for each in found.models] == ["cheap", "middle"]
    told = found.told(calls)
    assert (told.model, told.touched, told.saved) == ("cheap", 10, 22_500_000)


def test_a_model_that_costs_more_is_not_told() -> None:
    calls = recorded(call(0, usd=0.00025, usage=SMALL))
    found = replay_cheaper(calls, {"m": CHEAP, "dear": DEAR})
    assert found is not None and found.best is None
    assert found.told(calls).touched == 0


def test_no_rates_no_replay_of_another_model() -> None:
    assert replay_cheaper(recorded(call(0)), {}) is None


def test_a_cap_cuts_what_is_longer_and_saves_the_rest_of_it() -> None:
    calls = recorded(*(call(at, usage=Usage(input=10, output=100 * (at + 1))) for at in range(5)))
    found = replay_caps(calls, {"m": DEAR}, (200, 400))
    assert found is not None
    assert found.caps == (Cap(400, 1, Money(3_000_000)), Cap(200, 3, Money(18_000_000)))
    assert (found.answers, found.longest, found.uncapped, found.unpriced) == (5, 500, 5, 0)


def test_the_smallest_cap_that_cuts_hardly_any_answer_is_the_one_of_the_numbers() -> None:
    outputs = [10] * 150 + [300, 900]
    calls = recorded(*(call(at, usage=Usage(output=output)) for at, output in enumerate(outputs)))
    found = replay_caps(calls, {"m": DEAR}, (5, 100, 500, 1_000))
    assert found is not None
    told = found.told(calls)
    assert (told.limit, told.touched, told.saved) == ("500 tokens", 1, 12_000_000)


def test_a_job_would_have_kept_the_answers_that_were_paid_for_and_reached_nobody() -> None:
    lost = [
        call(0, outcome="left", took_ms=9_000.0),
        call(1, outcome="left", took_ms=11_000.0, stream=True, end_user="bob"),
        call(2, outcome="crashed", usage=None),
    ]
    calls = recorded(*lost, call(3), call(4, usd=0, outcome="left"), call(5, outcome="failed"))
    found = replay_queue(calls)
    assert found is not None
    assert (found.left, found.streamed, found.crashed, found.users) == (2, 1, 1, 2)
    told = found.told(calls)
    assert (told.touched, told.saved, told.users) == (3, 3 * NANO // 100, 2)
    assert [figure.text for figure in told.told.figures] == [
        "3 answers of 2 users lost that a job would have kept, $0.03 paid for them",
        "2 clients left after 10.0 seconds at the median, 1 in the middle of a stream",
    ]


def test_where_nothing_is_lost_cut_or_refused_that_is_what_is_said() -> None:
    calls = [call(0), call(HOUR)]
    found = replay(calls, WhatIf(days=1, limits=("2/minute",), caps=(50, 200, 400)))
    assert found.queue and found.caps and found.limits and found.budget
    assert [figure.text for figure in found.queue.told.figures] == [
        "no answer lost that a job would have kept"
    ]
    assert [figure.text for figure in found.limits.told.figures] == ["2/minute: nobody is refused"]
    assert found.budget.told.figures[0].text == "nobody refused, no answer cut"
    assert [figure.text for figure in found.caps.told.figures] == [
        "At most 50 tokens: 2 answers cut (100 %), $0.00 saved",
        "At most 200 tokens: no answer is longer",
    ]


def test_nothing_can_be_replayed_without_calls() -> None:
    assert replay([], WhatIf(days=30)) == Replays()


def test_every_replay_states_few_assumptions_its_error_and_a_query_for_each_figure() -> None:
    calls = [call(at, shape=shape(head_bytes=10)) for at in range(10)]
    found = replay(calls, WhatIf(days=30, is_part=True, rates={"m": DEAR, "cheap": CHEAP}))
    for each in msgspec.structs.astuple(found):
        assert each is not None and each.told.error
        assert 1 <= len(each.told.assumptions) <= 5
        assert all(figure.query for figure in each.told.figures)


def test_it_asks_for_the_limits_of_the_app_before_others_and_keeps_answers_as_its_cache_does() -> None:
    setup = Setup(Stage.MVP, has_cache=True, cache_keep_days=2.0, user_limits=("5/minute", "10/hour"))
    what = WhatIf.of(app(setup=setup), is_part=False)
    assert what.limits == ("5/minute", *LIMITS)
    assert (what.keep_s, what.days, what.kept_days) == (172_800.0, 30.0, 7.0)


def test_calls_that_are_on_record_no_more_are_taken_for_ones_like_the_others() -> None:
    calls = [call(at * DAY) for at in range(7)]
    found = replay(calls, WhatIf(days=28, kept_days=7))
    assert found.exact is not None
    assert (found.exact.told.days, found.exact.touched, found.exact.saved) == (7, 6, 4 * 6 * NANO // 100)


def test_calls_that_are_on_record_for_longer_than_they_are_kept_count_for_their_own_days() -> None:
    calls = [call(at * DAY) for at in range(15)]
    found = replay(calls, WhatIf(days=28, kept_days=7))
    assert found.exact is not None
    assert (found.exact.told.days, found.exact.saved) == (14, 2 * found.exact.touched * NANO // 100)


def test_days_before_shapes_were_kept_are_no_days_without_repeats() -> None:
    calls = [*(call(at * DAY, text=None) for at in range(4)), *(call(at * DAY) for at in range(4, 7))]
    found = replay(calls, WhatIf(days=7))
    assert found.exact is not None and found.queue is not None
    assert (found.exact.told.days, found.exact.told.calls, found.exact.touched) == (3, 3, 2)
    assert (found.queue.told.days, found.queue.told.calls) == (7, 7)


def test_where_only_the_newest_calls_are_replayed_as_much_a_day_is_taken_for_the_others() -> None:
    calls = [call(at * DAY) for at in range(9)]
    found = replay(calls, WhatIf(days=32, is_part=True, caps=(50,), rates={"m": DEAR}))
    assert found.exact is not None and found.caps is not None
    assert (found.exact.told.calls, found.exact.told.days, found.exact.touched) == (5, 4.0, 4)
    assert found.exact.saved == 8 * 4 * NANO // 100
    assert (found.caps.told.calls, found.caps.told.days) == (9, 8.0)
    assert found.caps.told.assumptions[-1] == "Only the newest calls are replayed."
