"""What advice reads of the configuration and the machine."""

from datetime import date

import msgspec
from tests.fixtures.reports import advice_of
from tests.fixtures.settings import Place

from seawall.advice.numbers import Fact, JobNumbers, Liked, Numbers, Rates, Setup
from seawall.advice.words import Verdict
from seawall.advising import facts_to_ask, gather, machine, rates_of, setup_of
from seawall.app import prepare_folder
from seawall.core.feedback import Feedback
from seawall.core.stages import Stage
from seawall.core.traffic import Hour, ModelSums
from seawall.stores.sqlite.store import SqliteStore

GROWN = """
stage = "mvp"
valkey_url = "redis://127.0.0.1:6379/0"
behind_proxy = ["10.0.0.0/8"]

[server]
workers = 1

[tiers.free]
daily_usd = "0.10"

[models.fast]
targets = ["local/small"]
fallbacks = ["demo"]

[providers.local]
base_url = "http://127.0.0.1:1/v1"
models = ["small"]

[prices.small]
input_usd_per_mtok = "0.10"
output_usd_per_mtok = "0.40"

[backup]
every = "1d"
"""


def test_a_fresh_app_has_what_its_stage_brings_and_nothing_else(place: Place) -> None:
    assert setup_of(place.load("")) == Setup(
        stage=Stage.POC,
        user_limits=("5/10 seconds", "100/minute"),
        has_daily_budget=True,
        job_concurrency=20,
    )


def test_what_is_switched_on_is_known(place: Place) -> None:
    assert setup_of(place.load(GROWN)) == Setup(
        stage=Stage.MVP,
        has_cache=True,
        cache_keep_days=7.0,
        log_keep_days=30.0,
        guard_mode="block",
        user_limits=("5/10 seconds", "10/hour"),
        tiers=1,
        has_daily_budget=True,
        has_monthly_budget=True,
        has_user_budget=True,
        providers=("local",),
        has_fallback=True,
        has_valkey=True,
        job_concurrency=20,
        has_backups=True,
        has_tls=True,
    )


def test_prices_are_of_what_can_be_called_and_of_what_was(place: Place) -> None:
    rates = rates_of(place.load(GROWN), ["gpt-4o-mini", "never-heard-of"])
    assert rates["small"] == Rates(input=100_000_000, output=400_000_000)
    assert rates["gpt-4o-mini"] == Rates(
        input=150_000_000, output=600_000_000, cached_read=75_000_000, cached_write=None
    )
    assert "never-heard-of" not in rates


NOW = 1_795_262_400.0
HOUR = int(NOW) // 3_600


async def gathered(place: Place, *, days: int = 30) -> Numbers:
    """Return what is gathered from a store with two hours, three ratings and the settings of a small app."""
    settings = place.load(GROWN)
    store = SqliteStore(prepare_folder(settings.data_dir))
    model = ModelSums(calls=4, ok=4, cost=8)
    hours = [Hour(HOUR - 36, calls=5, models={"small": model}), Hour(HOUR - 2, calls=1)]
    said = [
        Feedback("call_1", NOW - 60, "key_1", "ada", "small", "down", "too slow"),
        Feedback("call_2", NOW - 50, "key_1", "bob", "small", "up"),
        Feedback("call_3", NOW - 40 * 86_400, "key_1", "bob", "small", "down", "long ago"),
    ]
    try:
        await store.traffic.put(hours, HOUR)
        for each in said:
            await store.feedback.put(each)
        return await gather(settings, store, NOW, days)
    finally:
        assert store.close()


async def test_the_numbers_are_of_the_span_that_the_app_is_known(place: Place) -> None:
    numbers = await gathered(place)
    assert [hour.calls for hour in numbers.hours] == [5, 1]
    assert (numbers.until_hour, numbers.days, numbers.days_seen) == (HOUR + 1, 30, 1.5)
    assert numbers.liked == Liked(up=1, down=1, complaints=("too slow",))
    assert numbers.jobs == JobNumbers()
    assert numbers.unshaped
    assert numbers.rates["small"] == Rates(input=100_000_000, output=400_000_000)
    assert numbers.setup.stage is Stage.MVP


async def test_a_shorter_span_leaves_out_what_was_before(place: Place) -> None:
    numbers = await gathered(place, days=1)
    assert [hour.calls for hour in numbers.hours] == [1]
    assert numbers.days_seen == 2 / 24


def test_facts_are_asked_for_where_they_decide_and_where_they_are_old() -> None:
    asks = advice_of("caching", Verdict.CANNOT_TELL)
    today = date(2026, 11, 27)
    assert facts_to_ask([asks, asks], {}, today) == ["page_s"]
    assert facts_to_ask([advice_of("caching", Verdict.NOT_YET)], {}, today) == []
    assert facts_to_ask([asks], {"page_s": Fact(1.5, date(2026, 11, 1))}, today) == []
    assert facts_to_ask([asks], {"page_s": Fact(1.5, date(2026, 1, 1))}, today) == ["page_s"]


def test_the_machine_says_what_can_be_seen_of_it(place: Place) -> None:
    seen = machine(place.load("").data_dir)
    assert seen.cores >= 1
    assert all(value is None or value >= 0 for value in msgspec.structs.astuple(seen))


def test_a_folder_that_is_not_there_has_no_room_to_tell_of(place: Place) -> None:
    assert machine(place.cwd / "nowhere").disk_free_mb is None
