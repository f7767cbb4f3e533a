"""Commands do the same on a Postgres database as on the data folder, and say in one sentence what is wrong."""

import json
import time
from pathlib import Path

import psycopg
import pytest

from seawall.core.money import Money
from tests.fixtures.desk import Desk
from tests.fixtures.mock_calls import LONGER
from tests.fixtures.servers import free_port


@pytest.fixture(params=["desk", "grown_desk"])
def either(request: pytest.FixtureRequest) -> Desk:
    desk: Desk = request.getfixturevalue(request.param)
    return desk


def test_keys_are_made_shown_turned_and_revoked(either: Desk) -> None:
    made = either.values("keys", "create", "app", "--daily-usd", "2")
    assert [row["name"] for row in either.values("keys", "list")["data"]] == ["app"]
    assert either.values("keys", "show", "app")["budget"]["daily_usd"] == "2.00"
    assert either.values("keys", "rotate", "app")["key"] != made["key"]
    either.run("keys", "revoke", "app")
    assert either.record_of(made["id"]).revoked_at is not None


def test_users_are_moved_blocked_and_forgotten(either: Desk) -> None:
    row = either.add_call("call_1", end_user="ada", cost=Money(5_000_000))
    assert row.end_user == "ada"
    Path("seawall.toml").write_text("[tiers.gold]\ntokens_per_day = 100\n", encoding="utf-8")
    assert either.values("users", "set-tier", "ada", "gold")["effective_tier"] == "gold"
    either.run("users", "block", "ada")
    assert either.values("users", "show", "ada")["blocked_at"] is not None
    gone = either.values("users", "erase", "ada", "--yes")
    assert (gone["erased"], gone["calls"]) == (True, 1)


def test_calls_are_summed_and_explained(either: Desk) -> None:
    either.add_key("app")
    either.add_call("call_1", cost=Money(250_000_000))
    assert either.values("usage")["data"][0]["cost_usd"] == "0.25"
    assert either.values("why", "last")["id"] == "call_1"
    assert either.values("cache", "stats")["answered"] == 0
    assert "Nothing was sent yet" in either.run("alerts", "list")


def test_a_route_is_explained_for_a_key(either: Desk) -> None:
    either.add_key("app", models=["gpt-4o"])
    said = either.run("route", "demo", "--key", "app", code=1)
    assert said == ""


def test_the_mark_of_hardened_instructions_stays_the_same(either: Desk) -> None:
    first = either.run("guard", "show", SEAWALL_GUARD_HARDEN="true")
    assert either.run("guard", "show", SEAWALL_GUARD_HARDEN="true") == first


def test_a_database_in_which_nothing_was_made_is_left_alone(grown_desk: Desk) -> None:
    said = grown_desk.run("usage", code=2)
    assert said.startswith("seawall: nothing here yet (no data in postgresql://postgres@127.0.0.1:")
    assert grown_desk.values("doctor")["database"]["schema"] == 0
    assert not grown_desk.data.exists()


@pytest.mark.parametrize("words", ["usage", "keys list", "keys create app", "users list", "why last"])
def test_a_database_out_of_reach_is_one_sentence_without_its_password(desk: Desk, words: str) -> None:
    url = f"postgresql://app:not-a-secret@127.0.0.1:{free_port()}/app"
    said = desk.run(*words.split(), code=2, SEAWALL_DATABASE_URL=url)
    assert said.startswith("seawall: the database postgresql://app@127.0.0.1:")
    assert "cannot be used (" in said
    assert "not-a-secret" not in said
    assert said.count("\n") == 1


def _wait_until_left(database_url: str) -> None:
    """Wait until Postgres has noticed that nobody is connected to the database any more."""
    others = b"""SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                 AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
    give_up_at = time.monotonic() + LONGER
    with psycopg.connect(database_url, autocommit=True) as connection:
        while connection.execute(others).fetchone() != (0,):
            assert time.monotonic() < give_up_at, "somebody is still connected"
            time.sleep(0.01)


def test_doctor_describes_a_database_and_a_valkey(
    grown_desk: Desk, database_url: str, valkey_url: str
) -> None:
    grown_desk.add_call("call_1", cost=Money(250_000_000))
    _wait_until_left(database_url)
    found = grown_desk.values("doctor", SEAWALL_VALKEY_URL=valkey_url, SEAWALL_SERVER_WORKERS="2")
    database, valkey = found["database"], found["valkey"]
    assert (database["is_writable"], database["schema"] > 0, database["processes"]) == (True, True, 0)
    assert database["version"].partition(".")[0].isdecimal()
    assert (valkey["server"], valkey["eviction"], valkey["memory_bytes_max"]) == ("Valkey", "noeviction", 0)
    assert database["round_trip_ms"] > 0 < valkey["round_trip_ms"]
    assert found["budget"]["daily"]["spent_usd"] == "0.25"
    assert (found["workers"], found["problems"]) == (2, [])
    text = grown_desk.finish("doctor", SEAWALL_VALKEY_URL=valkey_url).stdout
    assert max(map(len, text.splitlines())) <= 80


def test_doctor_names_stores_that_are_out_of_reach(desk: Desk) -> None:
    done = desk.finish(
        "doctor",
        "--json",
        SEAWALL_DATABASE_URL=f"postgresql://app@127.0.0.1:{free_port()}/app",
        SEAWALL_VALKEY_URL=f"redis://127.0.0.1:{free_port()}/0",
    )
    database, valkey = json.loads(done.stdout)["problems"]
    assert database.startswith("the database postgresql://app@127.0.0.1:")
    assert valkey.startswith("valkey_url redis://127.0.0.1:")
    assert done.exit_code == 1
