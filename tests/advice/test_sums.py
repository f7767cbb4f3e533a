"""Hours add up to one, and odd days are told apart from ordinary ones."""

import msgspec

from seawall.advice.sums import over, sum_up
from seawall.core.traffic import WAITS_MS, Hour, ModelSums, Tries, count_in
from tests.advice.apps import calls, spread, usd

ONE = Hour(
    hour=24, calls=3, ok=2, hits=1, saved=5, left=1, left_cost=7, lost=1, fell_back=1, flagged=1, blocked=1,
    background=1, busy_ms=2.5, peak_minute=3, refused={"a": 1}, failed={"b": 2},
    models={"m": ModelSums(calls=2, cost=9, inputs=[1] * 13), "n": ModelSums(calls=1, cost=1)},
    providers={"p": Tries(2, 1)},
)  # fmt: skip


def test_two_hours_are_twice_one_hour() -> None:
    hour = sum_up([ONE, ONE]).hour
    assert hour == Hour(
        hour=0, calls=6, ok=4, hits=2, saved=10, left=2, left_cost=14, lost=2, fell_back=2, flagged=2, blocked=2,
        background=2, busy_ms=5.0, peak_minute=3, refused={"a": 2}, failed={"b": 4},
        models={"m": ModelSums(calls=4, cost=18, inputs=[2] * 13), "n": ModelSums(calls=2, cost=2)},
        providers={"p": Tries(4, 2)},
    )  # fmt: skip


def test_adding_up_changes_nothing_that_was_given() -> None:
    before = msgspec.json.encode(ONE)
    sum_up([ONE, ONE, ONE])
    assert msgspec.json.encode(ONE) == before


def test_every_sum_of_models_is_added() -> None:
    fields = [name for name in ModelSums.__struct_fields__ if name not in ("inputs", "outputs")]
    model = ModelSums(**{name: place for place, name in enumerate(fields, 1)})
    asked = sum_up([Hour(0, models={"a": model, "b": model}), Hour(1, models={"a": model})]).asked
    assert [getattr(asked, name) for name in fields] == [3 * place for place in range(1, len(fields) + 1)]


def test_nothing_adds_up_to_nothing() -> None:
    sums = sum_up([])
    assert (sums.worth, sums.cost_by_day, sums.ordinary_day, sums.ordinary_share) == (0, (), 0.0, 1.0)


def test_calls_that_booked_nothing_are_worth_their_listed_price() -> None:
    demo = Hour(0, models={"demo": ModelSums(calls=1, listed_cost=usd(1))})
    assert sum_up([demo]).worth == usd(1)


def test_an_odd_day_counts_as_an_ordinary_one() -> None:
    hours = spread(calls(10, cost=1), days=9)
    odd = msgspec.structs.replace(calls(10, cost=91), hour=hours[-1].hour + 24)
    assert sum_up([*hours, odd]).ordinary_share == 0.1
    assert sum_up(hours).ordinary_share == 1.0


def test_waits_over_a_bound_leave_out_those_that_meet_it() -> None:
    counts = [0] * (len(WAITS_MS) + 1)
    for wait_ms in (200, 5_000, 5_001, 200_000):
        count_in(counts, WAITS_MS, wait_ms)
    assert over(counts, 5) == 2
