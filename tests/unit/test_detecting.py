"""What is worth an alert, and what is not."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.docs.pages import blocks_of

from seawall.core.jobs import JobFailures
from seawall.core.ledger import Account, Standing
from seawall.core.lockouts import Lockouts
from seawall.core.money import NANO
from seawall.core.watching import AlertRules, Seen
from seawall.jobs import detecting
from seawall.stores.deliveries import payload_of

RULES = AlertRules(latency_s=5.0)
TODAY = "2026-11-21"


def standing(spent: int, cap: int | None, scope: str = "global", period: str = TODAY) -> Standing:
    return Standing(Account(scope, period, cap), spent, 0)


@pytest.mark.parametrize(
    ("spent", "threshold"),
    [(0, None), (49, None), (50, 50), (79, 50), (80, 80), (99, 80), (100, 100), (180, 100)],
)
def test_the_highest_threshold_that_was_passed_is_told(spent: int, threshold: int | None) -> None:
    events = list(detecting.thresholds([standing(spent, 100)], RULES, 0.0))
    assert [event.data["threshold"] for event in events] == ([] if threshold is None else [threshold])


def test_an_alert_says_whose_budget_how_much_and_of_what() -> None:
    [event] = detecting.thresholds([standing(4 * NANO, 5 * NANO)], RULES, 7.0)
    assert (event.kind, event.text) == (
        "budget.threshold",
        "80 % of the daily budget of the gateway is used: $4.00 of $5.00.",
    )
    [quota] = detecting.thresholds([standing(900, 1000, "user:ada", "tokens:2026-11")], RULES, 7.0)
    assert (quota.kind, quota.text) == (
        "quota.threshold",
        "90 % of the monthly quota of the user ada is used: 900 of 1000 tokens.",
    )
    assert (quota.data["used"], quota.data["allowed"]) == (900, 1000)


def test_the_page_shows_what_a_webhook_gets() -> None:
    at = datetime(2026, 11, 21, 12, 0, 7, tzinfo=UTC).timestamp()
    [event] = detecting.thresholds([standing(4 * NANO, 5 * NANO)], RULES, at)
    [shown] = [block.text for block in blocks_of("docs/alerts.md") if block.language == "json"]
    assert json.loads(payload_of(event)) == json.loads(shown)


@pytest.mark.parametrize(("refused", "troubled", "is_told"), [(50, 9, False), (0, 10, True), (3, 12, True)])
def test_jobs_that_fail_are_told_where_they_are_many_and_were_not_refused(
    refused: int, troubled: int, is_told: bool
) -> None:
    failed = [
        JobFailures("budget_exhausted", True, refused),
        JobFailures("upstream_timeout", False, troubled - 2),
        JobFailures("worker_lost", False, 2),
    ]
    events = list(detecting.failing_jobs(failed, 7_200.0))
    assert [(event.kind, event.subject) for event in events] == [("jobs.failing", "jobs.failing 2")] * is_told
    for event in events:
        assert event.text == (
            f"{troubled} jobs failed in the last 15 minutes, most of them with upstream_timeout."
        )
        codes = {"upstream_timeout": troubled - 2, "worker_lost": 2}
        assert event.data == {"failed": troubled, "codes": codes}


def test_a_budget_that_is_used_up_is_no_quota_that_is() -> None:
    lockouts = Lockouts()
    spent = Standing(Account("key:k", TODAY, 0), 0, 0)
    used_up = Standing(Account("user:ada", f"tokens:{TODAY}", 9), 9, 0)
    assert lockouts.note([spent], 0.0) is None
    assert lockouts.note([spent, used_up], 0.0) == used_up
    assert lockouts.used_up() == [used_up]


def test_a_cap_of_nothing_or_none_is_no_alert() -> None:
    assert list(detecting.thresholds([standing(5, None), standing(0, 0)], RULES, 0.0)) == []


@given(st.lists(st.integers(0, 100 * NANO), min_size=14, max_size=14), st.integers(0, NANO))
def test_spending_below_the_floor_is_never_unusual(before: list[int], today: int) -> None:
    days = {
        "global": {f"2026-11-{7 + number:02}": spent for number, spent in enumerate(before)} | {TODAY: today}
    }
    assert list(detecting.unusual(days, TODAY, RULES, 0.0)) == []


@pytest.mark.parametrize(
    ("before", "today", "is_unusual"),
    [
        ([2, 2, 2, 2, 2], 3, False),
        ([2, 2, 2, 2, 2], 5, True),
        ([2, 9, 3, 8, 2, 7, 4], 12, False),
        ([2, 9, 3, 8, 2, 7, 4], 40, True),
        ([2, 2], 50, False),
        ([100, 2, 2, 2, 2, 2], 30, True),
    ],
)
def test_unusual_is_far_from_the_usual_by_the_usuals_own_measure(
    before: list[int], today: int, is_unusual: bool
) -> None:
    by_day = {f"2026-11-{7 + number:02}": spent * NANO for number, spent in enumerate(before)}
    days = {"key:a": by_day | {TODAY: today * NANO}}
    assert bool(list(detecting.unusual(days, TODAY, RULES, 0.0))) is is_unusual


def calls(
    ok: int, failed: int = 0, *, code: str | None = "upstream_unavailable", took_ms: float = 900.0
) -> list[Seen]:
    good = Seen("openai", "ok", None, took_ms, None, 0, "key_1", None)
    bad = Seen("openai", "failed", code, took_ms, None, 0, "key_1", None)
    return [bad] * failed + [good] * ok


@pytest.mark.parametrize(
    ("seen", "kinds"),
    [
        (calls(100), []),
        (calls(18, 2), []),
        (calls(16, 4), ["provider.errors"]),
        (calls(3, 1), []),
        (calls(0, 4), []),
        (calls(0, 5), ["provider.outage"]),
        (calls(30, 1, code="provider_credentials"), ["provider.key_failing"]),
        (calls(25, took_ms=6_000.0), ["provider.slow"]),
        (calls(5, took_ms=60_000.0), []),
    ],
)
def test_the_health_of_a_provider_is_judged_by_enough_calls(seen: list[Seen], kinds: list[str]) -> None:
    assert [event.kind for event in detecting.health(seen, RULES, 0.0)] == kinds


def test_an_outage_is_over_when_the_newest_calls_succeed() -> None:
    assert list(detecting.recovered(calls(2, 5), {"openai"}, 0.0)) == []
    [event] = detecting.recovered([*calls(3), *calls(0, 9)], {"openai"}, 0.0)
    assert event.text == "openai answers again."


def test_overage_and_loops_are_told() -> None:
    seen = [
        Seen("openai", "ok", None, 1.0, None, 5_000_000, "key_1", "ada"),
        Seen("", "refused", "loop_detected", 1.0, None, 0, "key_1", "ada"),
        Seen("", "refused", "loop_detected", 1.0, None, 0, "key_2", None),
    ]
    texts = [event.text for event in detecting.surprises(seen, 0.0)]
    assert texts == [
        "Providers billed $0.005 more than was held in the last 15 minutes.",
        "A loop was stopped: the user ada sent one call again and again.",
        "A loop was stopped: the key key_2 sent one call again and again.",
    ]
