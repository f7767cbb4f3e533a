"""Simulated traffic: the money of every profile, and that a seed makes the same again."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from seawall.core.money import parse_usd
from seawall.proving.simulating.profiles import PROFILES, Profile
from seawall.proving.simulating.simulate import NoPrice, Wish, simulate
from seawall.proving.simulating.tally import Simulated
from seawall.proving.simulating.traffic import CALLS_MAX, Span, plan, users_for
from seawall.stores.sqlite.connection import open_reader
from tests.fixtures.settings import Place

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp()
"""A Friday."""
SMALL = {"slow-drain": 1, "button-masher": 1}
"""Days of what comes without a pause."""
OPEN = """
[budget]
daily_usd = "100000"
[limits]
per_user = "off"
[loop]
calls = 0
calls_unnamed = 0
[guard]
mode = "off"
"""


def simulated(
    place: Place, name: str, toml: str = "", *, users: int = 20, seed: int = 1, model: str | None = None
) -> Simulated:
    """Simulate a little of a profile: few users, few days, and one hour of a weekend."""
    wish = Wish(profile=small(name), users=users, days=SMALL.get(name, 5), seed=seed, until=NOON, model=model)
    return asyncio.run(simulate(place.load(toml), wish))


def small(name: str) -> Profile:
    """Return a profile with one hour in the place of a weekend."""
    profile = PROFILES[name]
    crowds = [replace(crowd, weekend_h=min(1.0, crowd.weekend_h)) for crowd in profile.crowds]
    return replace(profile, crowds=tuple(crowds))


def figures(found: Simulated) -> Simulated:
    """Leave out what two runs never share."""
    return replace(found, took_s=0.0, cpu_s=0.0)


@pytest.mark.parametrize("profile", sorted(set(PROFILES) - {"loop-bug", "key-leak"}))
def test_every_profile_pays_what_the_provider_bills(place: Place, profile: str) -> None:
    found = simulated(place, profile)
    whole = found.whole
    assert found.bill == found.ledger == whole.cost <= whole.without
    assert (found.held, found.overage, whole.failed) == (0, 0, 0)
    assert whole.asked == whole.answered + whole.cached + whole.refused
    assert whole.refused == sum(each.calls for each in found.refused)
    assert all(day.sums.cost <= parse_usd("1.00") for day in found.days)


@pytest.mark.parametrize("profile", ["loop-bug", "key-leak"])
def test_what_goes_wrong_costs_no_more_than_the_budget(place: Place, profile: str) -> None:
    found = simulated(place, profile, '[budget]\ndaily_usd = "2.00"\n[loop]\ncalls_unnamed = 0\n')
    [damage] = found.damage.values()
    ended = [day for day in found.days if day.ended_s is not None]
    assert found.bill == found.ledger == found.whole.cost
    assert damage.without > parse_usd("700") > 300 * damage.cost
    assert [each.rule for each in found.refused] == ["budget.daily_usd"]
    assert [day.sums.cost <= parse_usd("2.00") for day in ended] == [True]


def test_a_whole_weekend_of_either_is_worth_47_000_dollars() -> None:
    span = Span.until(NOON, 30)
    for name in ("loop-bug", "key-leak"):
        crowd = PROFILES[name].crowds[1]
        start, until = span.hours_of(crowd)
        assert datetime.fromtimestamp(start, UTC) == datetime(2026, 11, 20, 18, tzinfo=UTC)
        assert (until - start) / 3600 == 63
        calls = [call for call in plan(PROFILES[name], 1, span, 1) if call.crowd == 1]
        assert crowd.heads * 63 * 3600 / crowd.every_s == pytest.approx(len(calls), rel=0.01)
        assert all(start <= call.at < until for call in calls)


def test_a_loop_is_stopped_by_its_breaker_before_the_budget(place: Place) -> None:
    found = simulated(place, "loop-bug", '[budget]\ndaily_usd = "10000"\n[loop]\ncalls_unnamed = 20\n')
    assert [each.rule for each in found.refused] == ["loop.calls_unnamed"]
    assert found.damage["worker"].answered == 20


@pytest.mark.parametrize("profile", ["chatbot", "button-masher", "batch"])
def test_with_nothing_in_the_way_it_costs_as_much_as_without(place: Place, profile: str) -> None:
    found = simulated(place, profile, OPEN)
    assert found.whole.answered == found.whole.asked
    assert found.bill == found.whole.cost == found.whole.without


def test_the_same_seed_makes_the_same_and_another_one_does_not(place: Place) -> None:
    toml = '[budget]\ndaily_usd = "0.02"\n[cache]\nenabled = true\n'
    first = simulated(place, "button-masher", toml)
    assert figures(simulated(place, "button-masher", toml)) == figures(first)
    assert figures(simulated(place, "button-masher", toml, seed=2)) != figures(first)
    assert {each.rule for each in first.refused} >= {"budget.daily_usd", "limits.per_user"}


def test_repeats_are_answered_from_the_cache_and_cost_nothing(place: Place) -> None:
    with_it = simulated(place, "rag", '[cache]\nenabled = true\n[budget]\ndaily_usd = "100"\n', users=100)
    without = simulated(place, "rag", '[budget]\ndaily_usd = "100"\n', users=100)
    assert with_it.whole.cached > 0 == without.whole.cached
    assert with_it.whole.cost < without.whole.cost == without.whole.without


def test_a_quota_of_a_tier_is_counted_one_call_after_the_other(place: Place) -> None:
    toml = 'default_tier = "free"\n[tiers.free]\nrequests_per_day = 3\n[budget]\ndaily_usd = "100"\n'
    found = simulated(place, "chatbot", toml, users=40)
    assert {each.rule for each in found.refused} == {"tiers.free.requests_per_day"}
    assert figures(simulated(place, "chatbot", toml, users=40)) == figures(found)


def test_the_kept_ledger_holds_every_call_in_its_own_time(place: Place) -> None:
    folder = place.cwd / "kept"
    wish = Wish(profile=small("chatbot"), users=20, days=5, seed=1, until=NOON, keep=folder)
    found = asyncio.run(simulate(place.load(), wish))
    reader = open_reader(folder / "seawall.db")
    try:
        question = "SELECT count(*), min(at_ms), max(at_ms), sum(cost), min(took_ms) FROM calls"
        rows: list[Any] = reader.execute(question).fetchall()
    finally:
        reader.close()
    [(calls, first, last, cost, took_ms)] = rows
    span = Span.until(NOON, 5)
    assert (calls, cost) == (found.whole.asked, found.bill)
    assert span.begin * 1000 <= first < last < span.end * 1000
    assert took_ms > 800, "the time that a model takes is on record"
    assert not (place.cwd / ".seawall").exists()


def test_more_users_than_a_minute_can_take_are_fewer(place: Place) -> None:
    span = Span.until(NOON, 30)
    users = users_for(PROFILES["chatbot"], 1_000_000, span)
    assert users < 1_000_000
    assert len(plan(PROFILES["chatbot"], users, span, 1)) == pytest.approx(CALLS_MAX, rel=0.02)
    assert users_for(PROFILES["chatbot"], 1_000, span) == 1_000


def test_a_model_without_a_price_is_refused_before_anything_is_made(place: Place) -> None:
    with pytest.raises(NoPrice, match="gpt-unheard-of"):
        simulated(place, "chatbot", model="gpt-unheard-of")


def test_another_model_is_paid_at_its_own_price(place: Place) -> None:
    toml = '[budget]\ndaily_usd = "100"\n'
    cheap = simulated(place, "chatbot", toml, model="gpt-4.1-nano")
    usual = simulated(place, "chatbot", toml)
    assert cheap.whole.asked == usual.whole.asked
    assert 3.9 < usual.whole.cost / cheap.whole.cost < 4.1
