"""seawall simulate: what is printed, what is kept, and that nobody else's stores are touched."""

import json

import psycopg
import pytest

from seawall.cli.simulate import ProfileName
from seawall.proving.simulating.profiles import PROFILES
from tests.fixtures.desk import Desk
from tests.fixtures.settings import Place

FEW = ("--users", "30", "--days", "3")


def test_every_profile_can_be_named() -> None:
    assert [each.value for each in ProfileName] == list(PROFILES)


def test_the_report_reads_at_80_columns(desk: Desk) -> None:
    printed = desk.run("simulate", "--profile", "button-masher", *FEW)
    assert max(len(line) for line in printed.splitlines()) <= 80
    for said in (
        "button-masher: a chat app",
        "12 x masher",
        "With your settings (stage poc)",
        "limits.per_user",
        "Day by day",
        "What 12 x masher got",
        "and the ledger says the same",
    ):
        assert said in " ".join(printed.split())


def test_many_days_are_drawn_as_weeks(desk: Desk) -> None:
    printed = desk.run("simulate", "--profile", "batch", "--users", "5", "--days", "40")
    assert printed.count("  from ") == 6


def test_a_simulation_touches_nothing_that_gateways_share(
    desk: Desk, place: Place, database_url: str, valkey_url: str
) -> None:
    place.write("seawall.toml", '[budget]\ndaily_usd = "0.001"\n[backup]\nevery = "1h"\n')
    done = desk.finish(
        "simulate", *FEW, "--json", SEAWALL_DATABASE_URL=database_url, SEAWALL_VALKEY_URL=valkey_url
    )
    found = json.loads(done.stdout)
    assert found["provider_bill_usd"] == found["ledger_usd"] == found["cost_usd"]
    assert found["refused_by"][0]["setting"] == "budget.daily_usd"
    assert found["asked"] == found["answered"] + found["refused"]
    with psycopg.connect(database_url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)
    assert not desk.data.exists()


def test_the_kept_ledger_can_be_asked_like_any_other(desk: Desk) -> None:
    found = desk.values("simulate", *FEW, "--keep", "kept")
    days = desk.values("usage", "--data", "kept", "--days", "4")["data"]
    assert sum(day["calls"] for day in days) == found["answered"]


def test_a_folder_that_holds_something_is_not_written_to(desk: Desk, place: Place) -> None:
    place.write("kept/seawall.db", "")
    assert "kept is there already" in desk.run("simulate", *FEW, "--keep", "kept", code=2)


@pytest.mark.parametrize("model", ["gpt-unheard-of", "claude-opus-5-5"])
def test_a_model_that_the_provider_has_not_is_refused_by_name(desk: Desk, model: str) -> None:
    assert f"the price of {model} at OpenAI is not known" in desk.run("simulate", "--model", model, code=2)
