"""How rows of the call log become sums by hour."""

from typing import Any

import msgspec

from seawall.advice.folding import CODES_MAX, Folding, fold
from seawall.core.call import Try, first_id_at
from seawall.core.ledger import CallRow
from seawall.core.money import Money, Usage
from seawall.core.policy import Decision
from seawall.core.traffic import TOKENS, WAITS_MS, Hour, ModelSums, Shape, Tries, count_in

HOUR = 498_684
AT_MS = HOUR * 3_600_000


def call(at_ms: int = AT_MS, number: int = 0, *, key_id: str = "key_1", **fields: Any) -> CallRow:
    """Return the row of a call."""
    return CallRow(
        id=f"{first_id_at(at_ms)}{number:06}", at_ms=at_ms, **{"model": "m", "key_id": key_id} | fields
    )


def tried(*endings: str, providers: tuple[str, ...] = ("mock",) * 9, cost: int = 0) -> bytes:
    """Return the attempts of a row."""
    return msgspec.json.encode(
        [
            Try(provider, "m", "chat", ending, held=Money(9), cost=Money(cost), exact=True, took_ms=1.0)
            for provider, ending in zip(providers, endings, strict=False)
        ]
    )


def decided(*steps: str) -> bytes:
    """Return the decisions of a row, from `step verdict`."""
    return msgspec.json.encode([Decision(*step.split(), why="") for step in steps])


def counted(bounds: tuple[int, ...], *values: float) -> list[int]:
    """Return how many values lie under each bound."""
    counts = [0] * (len(bounds) + 1)
    for value in values:
        count_in(counts, bounds, value)
    return counts


def shape(turns: int = 1, wanted_tokens: int = 0) -> str:
    """Return the shape of a row."""
    found = Shape(b"e", b"n", b"h", 10, b"w", b"", 100, 60, turns, wanted_tokens, is_cacheable=True)
    return msgspec.json.encode(found).decode()


def test_an_hour_adds_up_what_its_calls_cost_and_took() -> None:
    rows = [
        call(number=1, usage=Usage(100, 50, cached_read=30, cached_write=7), cost=Money(10), took_ms=700.0,
             attempts=tried("complete"), stream=True, first_ms=300.0, shape=shape(), listed_cost=Money(3)),
        call(number=2, usage=Usage(900, 300), cost=Money(90), took_ms=2_500.0, attempts=tried("complete"),
             shape=shape(turns=10, wanted_tokens=500)),
    ]  # fmt: skip
    assert fold(rows) == [
        Hour(
            HOUR, calls=2, ok=2, busy_ms=3_200.0, peak_minute=2, first=counted(WAITS_MS, 300),
            took=counted(WAITS_MS, 2_500), providers={"mock": Tries(2)},
            models={
                "m": ModelSums(
                    calls=2, ok=2, streamed=1, input=1_000, output=350, cached_read=30, cached_write=7, cost=100,
                    listed_cost=3, small=1, small_input=100, small_output=50, small_cost=10, long=1,
                    long_input=900, uncapped=1, uncapped_output=50, shaped=2, whole_bytes=200, head_bytes=20,
                    history_bytes=120, inputs=counted(TOKENS, 100, 900), outputs=counted(TOKENS, 50, 300),
                )
            },
        )
    ]  # fmt: skip


def test_a_call_counts_in_the_hour_in_which_it_came() -> None:
    rows = [call(AT_MS - 1, took_ms=9e6), call(AT_MS), call(AT_MS + 3_599_999), call(AT_MS + 3_600_000)]
    assert [(hour.hour, hour.calls) for hour in fold(rows)] == [(HOUR - 1, 1), (HOUR, 2), (HOUR + 1, 1)]


def test_a_job_counts_in_the_hour_in_which_it_was_accepted() -> None:
    waiting = call(outcome="accepted", status=202)
    done = CallRow(
        id=call(number=2).id,
        at_ms=AT_MS + 7_200_000,
        key_id="k",
        decisions=decided("perform allow"),
        took_ms=9e4,
    )
    [hour] = fold([waiting, done])
    assert (hour.hour, hour.calls, hour.ok, hour.background) == (HOUR, 2, 1, 2)
    assert sum(hour.took) == 0, "nobody waits for a job"


def test_an_answer_of_the_cache_is_a_hit_and_asks_no_provider() -> None:
    hit = call(decisions=decided("guard_input flag", "recall hit"), saved=Money(70), took_ms=1.0)
    [hour] = fold([hit, call(number=2, decisions=decided("recall hit"), outcome="refused", saved=Money(5))])
    assert (hour.hits, hour.saved, hour.models, hour.providers, hour.flagged) == (1, 70, {}, {}, 1)


def test_who_leaves_before_the_answer_is_counted_with_how_long_they_waited() -> None:
    left = call(
        outcome="left",
        code="client_gone",
        status=499,
        took_ms=9_000.0,
        cost=Money(8),
        attempts=tried("client_left"),
    )
    [hour] = fold([left])
    assert (hour.left, hour.left_cost, hour.left_after) == (1, 8, counted(WAITS_MS, 9_000))
    assert hour.providers == {"mock": Tries(1)}
    assert (hour.models["m"].calls, hour.models["m"].ok) == (1, 0)


def test_calls_that_a_stopped_gateway_left_are_lost() -> None:
    [hour] = fold([call(outcome="crashed", status=500, code="gateway_stopped", cost=Money(4))])
    assert (hour.lost, hour.ok, hour.models["m"].cost) == (1, 0, 4)


def test_refusals_and_failures_are_counted_by_their_code() -> None:
    rows = [
        call(number=1, outcome="refused", code="rate_limit_exceeded", status=429),
        call(number=2, outcome="refused", code="rate_limit_exceeded", status=429),
        call(number=3, outcome="refused", code="blocked_by_guard", decisions=decided("guard_input block")),
        call(number=4, outcome="failed", code="upstream_timeout", status=504, attempts=tried("unknown")),
    ]
    [hour] = fold(rows)
    assert hour.refused == {"rate_limit_exceeded": 2, "blocked_by_guard": 1}
    assert (hour.failed, hour.blocked) == ({"upstream_timeout": 1}, 1)
    assert hour.models["m"].calls == 1, "a refused call asks no provider"


def test_what_providers_say_cannot_fill_an_hour() -> None:
    rows = [call(number=n, outcome="failed", code=f"vendor_{n}", status=502) for n in range(CODES_MAX + 10)]
    [hour] = fold(rows)
    assert (len(hour.failed), hour.failed["other"]) == (CODES_MAX + 1, 10)


def test_an_attempt_fails_by_its_provider_alone() -> None:
    fell_back = call(number=1, attempts=tried("refused", "complete", providers=("one", "two")))
    own_key = call(number=2, attempts=tried("unknown", "complete", providers=("one", "one#2")))
    bad_request = call(number=3, outcome="failed", status=400, attempts=tried("refused", providers=("one",)))
    down = call(number=4, outcome="failed", status=502, attempts=tried("not_sent", providers=("two",)))
    [hour] = fold([fell_back, own_key, bad_request, down])
    assert hour.providers == {"one": Tries(4, failed=2), "two": Tries(2, failed=1)}
    assert (hour.fell_back, hour.models["m"].calls) == (1, 3)


def test_calls_without_a_valid_key_are_in_no_sum() -> None:
    assert fold([call(key_id="")]) == []


def test_the_fullest_minute_is_found_however_the_rows_are_cut() -> None:
    rows = [call(AT_MS + second * 1_000) for second in (0, 59, 60, 61, 90, 119, 120)]
    folding = Folding()
    for row in rows:
        folding.add(row)
    assert [hour.peak_minute for hour in folding.hours()] == [4]


def test_ids_that_were_not_made_here_count_by_their_moment() -> None:
    assert [hour.hour for hour in fold([CallRow(id="call_1", at_ms=AT_MS, key_id="k")])] == [HOUR]
