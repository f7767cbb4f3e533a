"""What holds for every thing, whatever the numbers are."""

import math
from collections.abc import Iterator

import apsw
import msgspec
import pytest
from hypothesis import given, settings

from seawall.advice.numbers import Numbers
from seawall.advice.ranking import advise_all, rank
from seawall.advice.replays import Replays
from seawall.advice.things import ALIASES, THINGS, advise
from seawall.advice.words import QUESTIONS, Advice, Figure, Verdict
from seawall.core.traffic import Hour, ModelSums
from tests.advice.anything import NUMBERS, REPLAYS
from tests.advice.apps import NOTHING, UNTIL, app, calls, people, spread, usd

NEEDS_MORE_MACHINES = {
    "semantic-cache", "bigger-server", "postgres", "valkey", "read-replicas", "load-balancer", "microservices",
    "kubernetes", "kafka",
}  # fmt: skip


def figures_of(advice: Advice) -> Iterator[Figure]:
    for step in advice.steps:
        yield from step.figures


def texts_of(advice: Advice) -> Iterator[str]:
    yield from (advice.summary, advice.simple or "", *advice.do)
    yield from (step.why for step in advice.steps)
    yield from (figure.text for figure in figures_of(advice))
    if advice.threshold:
        yield advice.threshold.text


@settings(max_examples=25, deadline=None)
@given(NUMBERS, REPLAYS)
def test_any_numbers_give_five_answers_and_a_verdict_in_words(numbers: Numbers, replays: Replays) -> None:
    for name in (*THINGS, "a flux capacitor"):
        advice = advise(name, numbers, replays)
        assert tuple(step.question for step in advice.steps) == QUESTIONS
        assert all(text.strip() for step in advice.steps for text in (step.why, step.answer))
        assert all(text.strip() for text in (advice.title, advice.summary, advice.term, advice.link))
        assert advice.summary.endswith(".")
        assert not any(bad in text for text in texts_of(advice) for bad in ("nan", "None", "  "))
        assert advice.saves_month is None or advice.saves_month >= 0
        for figure in figures_of(advice):
            assert figure.text.strip()
            assert figure.query.strip()
            assert all(math.isfinite(x) for x in (figure.value, figure.low, figure.high) if x is not None)
            if figure.value is not None and figure.low is not None and figure.high is not None:
                assert figure.low <= figure.value <= figure.high
        if advice.threshold and advice.threshold.way is not None:
            assert 0 <= advice.threshold.way <= 1


@settings(max_examples=25, deadline=None)
@given(NUMBERS, REPLAYS)
def test_a_small_app_is_never_told_to_add_a_machine_or_a_service(numbers: Numbers, replays: Replays) -> None:
    small = msgspec.structs.replace(
        numbers,
        users=msgspec.structs.replace(numbers.users, users=min(99, numbers.users.users)),
        hours=[msgspec.structs.replace(hour, calls=min(300, hour.calls)) for hour in numbers.hours],
        days_seen=float(numbers.days),
    )
    told = {advice.thing for advice in advise_all(small, replays).do_now}
    assert not told & NEEDS_MORE_MACHINES
    assert advise("a flux capacitor", small, replays).verdict is not Verdict.DO_NOW


@pytest.mark.parametrize("hours", [[], [calls(3)], spread(calls(3), days=1)], ids=["none", "three", "a-day"])
def test_thin_traffic_asks_only_for_what_is_never_skipped(hours: list[Hour]) -> None:
    ranking = advise_all(app(hours, days=1), NOTHING)
    assert {advice.thing for advice in ranking.do_now if not advice.is_never_skip} == set()
    assert ranking.remove == ()


def test_what_is_never_skipped_is_due_without_any_call() -> None:
    ranking = advise_all(app(), NOTHING)
    assert [advice.thing for advice in ranking.do_now] == ["spending-limit", "rate-limits", "output-caps"]


def test_every_alias_names_a_thing() -> None:
    assert set(ALIASES.values()) <= set(THINGS)
    assert not set(ALIASES) & set(THINGS)


@pytest.mark.parametrize("name", ["semantic cache", "Rate Limit", "prompt_cache", " CACHE "])
def test_a_thing_is_known_by_other_words(name: str) -> None:
    assert advise(name, app(), NOTHING).thing in THINGS


def test_an_unknown_thing_gets_the_general_questions() -> None:
    advice = advise("GraphQL", app(), NOTHING)
    assert (advice.thing, advice.verdict) == ("GraphQL", Verdict.NOT_YET)


def test_the_dearest_hour_of_work_comes_first_behind_what_is_never_skipped() -> None:
    advice = advise("rate-limits", app(), NOTHING)
    cheap, dear = (
        msgspec.structs.replace(
            advice, thing=thing, effort=effort, saves_month=usd(saved), is_never_skip=False
        )
        for thing, effort, saved in (("weeks", "weeks", 200), ("minutes", "minutes", 10))
    )
    assert [each.thing for each in rank([cheap, dear, advice]).do_now] == ["rate-limits", "minutes", "weeks"]


def test_half_of_the_way_to_a_threshold_is_watched() -> None:
    heavy = app(spread(calls(40, cost=1)), users=people(20, costs=[4.5]))
    assert "quotas" in {advice.thing for advice in advise_all(heavy, NOTHING).watch}


def test_figures_are_what_their_queries_give() -> None:
    numbers = app(spread(BUSY), users=people(40, costs=[3]), days=30)
    ledger = apsw.Connection(":memory:")
    ledger.execute("CREATE TABLE traffic_hourly (hour INTEGER PRIMARY KEY, data TEXT)")
    rows = [(hour.hour, msgspec.json.encode(hour).decode()) for hour in numbers.hours]
    ledger.executemany("INSERT INTO traffic_hourly VALUES (?, ?)", [*rows, (UNTIL - 10_000, rows[0][1])])
    seen = 0
    for name in THINGS:
        for figure in figures_of(advise(name, numbers, NOTHING)):
            if figure.value is not None and "traffic_hourly" in figure.query:
                for given in ledger.execute(figure.query):
                    if len(given) == 1:
                        assert given[0] == pytest.approx(figure.value), (name, figure)
                        seen += 1
    ledger.close()
    assert seen > 30


BUSY = Hour(
    hour=0, calls=200, ok=180, hits=20, saved=usd(0.1), left=6, left_cost=usd(0.2), flagged=4, blocked=1,
    peak_minute=31, refused={"rate_limit_exceeded": 7},
    first=[0, 9, 1, 1, 1, 1, 2, 3, 0, 0, 0, 0, 0, 0], took=[9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9],
    models={
        name: ModelSums(
            calls=90, ok=90, streamed=20, input=90_000, output=30_000, cached_read=8_000, cost=usd(cost),
            small=30, small_input=3_000, small_output=900, small_cost=usd(cost / 4), long=20, long_input=40_000,
            uncapped=45, uncapped_output=20_000, shaped=90, whole_bytes=300_000, head_bytes=60_000,
            history_bytes=200_000,
        )
        for name, cost in (("gpt-4.1", 0.9), ("m", 0.3))
    },
)  # fmt: skip
