"""seawall keys: a secret is shown once, and the rules are those of the admin API."""

import asyncio
import time

import pytest

from seawall.core.money import Money
from seawall.core.policy import Budget
from seawall.identity.keys import hash_of
from seawall.stores.sqlite.store import SqliteStore
from tests.fixtures.desk import Desk

CREATE = ("keys", "create", "app")
VARIABLE = "OPENAI_API_KEY="


def key_in(output: str) -> str:
    [line] = [line for line in output.splitlines() if line.startswith(VARIABLE)]
    return line.removeprefix(VARIABLE)


def test_create_prints_a_line_to_paste_with_a_key_that_works(desk: Desk) -> None:
    key = key_in(desk.run(*CREATE))
    [listed] = desk.values("keys", "list")["data"]
    assert desk.record_of(listed["id"]).hash == hash_of(key)


def test_create_keeps_what_was_asked_for(desk: Desk) -> None:
    caps = ("--daily-usd", "5", "--monthly-usd", "50.5", "--lifetime-usd", "100")
    made = desk.values(*CREATE, "--models", "a, b", *caps, "--expires-at", "2099-01-31T12:00:00Z")
    assert set(made) == {"id", "key"}
    shown = desk.values("keys", "show", made["id"])
    assert {name: shown[name] for name in ("name", "models", "budget", "expires_at", "revoked_at")} == {
        "name": "app",
        "models": ["a", "b"],
        "budget": {"daily_usd": "5.00", "monthly_usd": "50.50", "lifetime_usd": "100.00"},
        "expires_at": "2099-01-31T12:00:00.000Z",
        "revoked_at": None,
    }


def test_create_makes_a_private_data_folder_and_says_so_beside_the_output(desk: Desk) -> None:
    assert "Made the data folder" not in desk.run(*CREATE)
    assert (desk.data.stat().st_mode & 0o777, (desk.data / "seawall.db").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--daily-usd", "five"), 'daily_usd must be an amount in dollars, as text: for example "2.50".'),
        (("--daily-usd", ""), 'daily_usd must be an amount in dollars, as text: for example "2.50".'),
        (("--lifetime-usd=-1",), 'lifetime_usd must be an amount in dollars, as text: for example "2.50".'),
        (("--models", "a,,b"), "models must be a list of model names."),
        (("--models", ""), "models must be a list of model names."),
        (("--expires-at", "tomorrow"), "expires_at must be a moment such as 2027-01-31T12:00:00Z."),
    ],
)
def test_a_wrong_field_is_one_sentence_and_nothing_is_made(
    desk: Desk, arguments: tuple[str, ...], sentence: str
) -> None:
    assert desk.run(*CREATE, *arguments, code=2) == f"seawall: {sentence}\n"
    assert not desk.data.exists()


def test_a_name_may_not_steer_the_terminal(desk: Desk) -> None:
    said = desk.run("keys", "create", "app\x1b[2J", code=2)
    assert said == "seawall: name must be a text of 1 to 100 characters.\n"


def test_secrets_are_never_shown_again(desk: Desk) -> None:
    record, key = desk.add_key("app")
    outputs = [
        desk.run("keys", *arguments)
        for arguments in (
            ("list",),
            ("list", "--json"),
            ("show", record.id),
            ("show", "app", "--json"),
            ("revoke", "app"),
        )
    ]
    for output in outputs:
        assert record.id in output
        assert key not in output
        assert key.removeprefix("sw-") not in output
        assert record.hash.hex() not in output


def test_list_shows_what_each_key_spent_of_what(desk: Desk) -> None:
    record, _ = desk.add_key("mobile app", budget={"daily_usd": "0.50"})
    desk.add_call("call_1", key_id=record.id, cost=Money(12_345_678))
    output = desk.run("keys", "list")
    assert f"{record.id}  mobile app  $0.0123 of $0.50  $0.0123     never" in output
    assert max(map(len, output.splitlines())) <= 80


def test_list_fits_a_long_name(desk: Desk) -> None:
    desk.add_key("n" * 100, budget={"daily_usd": "1000", "monthly_usd": "20000"})
    assert max(map(len, desk.run("keys", "list").splitlines())) <= 80


def test_list_of_none_says_how_to_make_one(desk: Desk) -> None:
    desk.add_call("call_1")
    assert desk.run("keys", "list") == "No keys yet. Make one: seawall keys create NAME\n"


def test_show_tells_the_state(desk: Desk) -> None:
    record, _ = desk.add_key(
        "app", models=["gpt"], budget={"daily_usd": "1"}, expires_at="2020-01-01T00:00:00Z"
    )
    desk.add_call("call_1", key_id=record.id, cost=Money(250_000_000))
    lines = [line.split() for line in desk.run("keys", "show", "app").splitlines()]
    assert ["state", "expired"] in lines
    assert ["models", "gpt"] in lines
    assert ["today", "█████░░░░░░░░░░░░░░░", "$0.25", "of", "$1.00", "$0.75", "left"] in lines


def test_revoke_refuses_the_key_and_keeps_it_on_record(desk: Desk) -> None:
    record, _ = desk.add_key("app")
    assert desk.values("keys", "revoke", "app") == {"id": record.id, "revoked": True}
    assert desk.record_of(record.id).revoked_at is not None
    assert "revoked" in desk.run("keys", "list")


def test_rotate_replaces_the_secret_under_the_same_id(desk: Desk) -> None:
    record, old = desk.add_key("app")
    new = key_in(desk.run("keys", "rotate", "app"))
    stored = desk.record_of(record.id)
    assert (stored.hash, stored.previous_hash) == (hash_of(new), None)
    assert new != old


def test_rotate_with_an_overlap_keeps_the_old_one_for_a_while(desk: Desk) -> None:
    record, old = desk.add_key("app")
    made = desk.values("keys", "rotate", "app", "--overlap-s", "300")
    stored = desk.record_of(record.id)
    assert (made["id"], stored.previous_hash) == (record.id, hash_of(old))
    assert stored.previous_until is not None
    assert 0 < stored.previous_until - time.time() <= 300
    assert "works until" in desk.run("keys", "show", "app")


@pytest.mark.parametrize(
    ("overlap", "sentence"), [("-1", "overlap_s must be a number of seconds up to 2592000.")]
)
def test_rotate_with_a_wrong_overlap_changes_nothing(desk: Desk, overlap: str, sentence: str) -> None:
    record, key = desk.add_key("app")
    assert desk.run("keys", "rotate", "app", "--overlap-s", overlap, code=2) == f"seawall: {sentence}\n"
    assert desk.record_of(record.id).hash == hash_of(key)


def test_a_revoked_key_cannot_be_rotated(desk: Desk) -> None:
    desk.add_key("app")
    desk.run("keys", "revoke", "app")
    assert desk.run("keys", "rotate", "app", code=2) == "seawall: This key is revoked; make a new one.\n"


@pytest.mark.parametrize("command", ["show", "revoke", "rotate"])
def test_an_unknown_id_is_one_sentence(desk: Desk, command: str) -> None:
    desk.add_key("app")
    assert desk.run("keys", command, "key_none", code=1) == (
        "seawall: there is no key with the id or name key_none; `seawall keys list` shows them all.\n"
    )


def test_a_name_that_two_keys_have_asks_for_the_id(desk: Desk) -> None:
    first, second = desk.add_key("app")[0], desk.add_key("app")[0]
    said = desk.run("keys", "show", "app", code=2)
    assert said.startswith("seawall: 2 keys have the name app; give the id of one: ")
    assert first.id in said
    assert second.id in said


def test_a_name_means_the_key_that_is_not_revoked(desk: Desk) -> None:
    old, _ = desk.add_key("app")
    desk.run("keys", "revoke", old.id)
    new, _ = desk.add_key("app")
    assert desk.values("keys", "show", "app")["id"] == new.id


def test_a_key_in_place_of_its_id_is_not_repeated(desk: Desk) -> None:
    _, key = desk.add_key("app")
    said = desk.run("keys", "show", key, code=2)
    assert said.startswith("seawall: give the id of the key (key_...) or its name")
    assert key not in said


def test_keys_are_made_while_a_gateway_has_the_folder_open(desk: Desk) -> None:
    async def work(store: SqliteStore) -> list[Budget]:
        before = await store.directory.version()
        await asyncio.to_thread(desk.run, *CREATE, "--daily-usd", "2")
        assert await store.directory.version() != before
        return [record.budget for record in await store.directory.keys()]

    assert desk.in_store(work) == [Budget(daily=Money(2_000_000_000))]
