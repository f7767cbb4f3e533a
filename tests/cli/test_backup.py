"""seawall backup and restore: one file that is the whole ledger, and a way back that says what is missing."""

import json
import re
import stat
from pathlib import Path

import pytest

from seawall.core.money import Money
from seawall.jobs.backing_up import files_of
from seawall.stores.sqlite.backups import list_backups, only_one
from seawall.stores.sqlite.connection import newest_schema, open_file
from seawall.stores.sqlite.store import SqliteStore
from seawall.stores.sqlite.summary import summarise
from tests.fixtures.desk import Desk
from tests.fixtures.settings import Place, fake_key

NAME = r"seawall-\d{8}T\d{6}Z\.db"


def backed_up(desk: Desk) -> Path:
    """Make a backup and return where it is."""
    return Path(desk.values("backup")["path"])


def spent(desk: Desk, usd: str, call_id: str = "call_1") -> None:
    """Spend something now."""
    cost = Money(int(float(usd) * 10**9))
    desk.add_call(call_id, cost=cost, held=cost)


def everything_in(folder: Path) -> dict[str, bytes]:
    """Return the databases in a data folder, to see that nothing has changed."""
    return {path.name: path.read_bytes() for path in folder.glob("*.db")}


def test_a_backup_lies_in_the_data_folder_and_is_its_owners_alone(desk: Desk) -> None:
    desk.add_key("app")
    said = desk.run("backup")
    assert re.fullmatch(rf"\.seawall/backups/{NAME}: \d+ KB, copied and checked in \d.*\.\n", said)
    [made] = list_backups(desk.data / "backups")
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert [*summarise(made.path).keys.values()] == ["app"]


def test_a_backup_goes_where_it_is_told_and_takes_nobodys_place(desk: Desk, tmp_path: Path) -> None:
    desk.add_key("app")
    assert desk.run("backup", "--to", ".").startswith("seawall-")
    assert desk.run("backup", "--to", "mine.db").startswith("mine.db: ")
    assert desk.run("backup", "--to", "mine.db", code=1) == (
        "seawall: no backup was made: there is a file of this name already.\n"
    )
    assert desk.run("backup", "--to", "nowhere/mine.db", code=1).startswith("seawall: no backup was made")
    assert not (tmp_path / "nowhere").exists()


def test_a_backup_holds_the_prices_and_neither_the_admin_key_nor_the_cache(desk: Desk) -> None:
    desk.add_key("app")
    (desk.data / "prices.json").write_text("{}")
    (desk.data / "admin.key").write_text("sw-admin-none-of-your-business\n")
    (desk.data / "answers.db").touch()
    summary = summarise(backed_up(desk))
    assert summary.files == {"prices.json": b"{}"} == files_of(desk.data)


def test_one_backup_at_a_time(desk: Desk) -> None:
    desk.add_key("app")
    with only_one(desk.data):
        said = desk.run("backup", code=1)
    assert said == "seawall: another backup of this data folder is being made; wait until it is done.\n"


def test_a_database_that_is_damaged_is_named(desk: Desk) -> None:
    spent(desk, "0.10")
    connection = open_file(desk.data / "seawall.db")
    connection.execute("UPDATE accounts SET held = 1 WHERE scope = 'global' AND period = 'life'")
    connection.close()
    said = desk.run("backup", code=1)
    assert "its ledger does not add up: 1 is held on global life, but the open holds on it are 0." in said
    assert list_backups(desk.data / "backups") == []


@pytest.mark.parametrize("command", [("backup",), ("restore", "x.db")])
def test_for_postgres_the_way_is_shown_and_the_password_is_not(desk: Desk, command: tuple[str, ...]) -> None:
    secret = fake_key("pw")
    url = f"postgresql://ada:{secret}@db.example.com:5433/seawall?sslmode=require&password={secret}"
    said = desk.run(*command, code=2, SEAWALL_DATABASE_URL=url)
    assert secret not in said
    if command == ("backup",):
        assert "pg_dump --format=custom" in said
        assert " 'postgresql://ada@db.example.com:5433/seawall?sslmode=require'\n" in said
    assert "docs/backup.md" in said


def test_a_backup_is_restored_into_an_empty_folder(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", '[budget]\ndaily_usd = "2.00"\n')
    _, key = desk.add_key("app")
    spent(desk, "0.50")
    (desk.data / "prices.json").write_text("{}")
    backup = backed_up(desk)
    said = desk.run("restore", str(backup), "--data", "new")
    assert "into new: 1 calls, $0.50 spent.\nRestored beside it: prices.json\n" in said
    assert "nobody can know how much; under today's budgets $1.50 at most" in said
    assert (Path("new") / "prices.json").read_text() == "{}"
    assert "app" in desk.run("keys", "list", "--data", "new")
    assert key not in said
    assert json.loads(desk.run("usage", "--json", "--data", "new"))["total"]["cost_usd"] == "0.50"
    assert stat.S_IMODE(Path("new/seawall.db").stat().st_mode) == 0o600


def test_a_database_that_is_there_is_replaced_only_by_force_and_kept(desk: Desk) -> None:
    kept_key, _ = desk.add_key("kept")
    lost_key, _ = desk.add_key("lost")
    spent(desk, "0.10")
    backup = backed_up(desk)
    desk.run("keys", "revoke", "lost")
    spent(desk, "0.25", "call_2")
    before = summarise(desk.data / "seawall.db")

    said = desk.run("restore", str(backup), code=2)
    assert "there is a database in .seawall: it has $0.25 more on its books than the backup" in said
    assert summarise(desk.data / "seawall.db") == before

    told = desk.values("restore", str(backup), "--force")
    assert told["unseen"]["on_the_replaced_ledger_usd"] == "0.25"
    assert told["keys_valid_again"] == [{"id": lost_key.id, "name": "lost"}]
    assert (told["calls"], told["spent_usd"], told["holds"]) == (1, "0.10", 0)
    assert summarise(Path(told["kept"])) == before
    now = summarise(desk.data / "seawall.db")
    assert (now.calls, now.keys) == (1, {kept_key.id: "kept", lost_key.id: "lost"})


def test_the_database_that_was_there_can_be_restored_again(desk: Desk) -> None:
    spent(desk, "0.10")
    backup = backed_up(desk)
    spent(desk, "0.25", "call_2")
    kept = desk.values("restore", str(backup), "--force")["kept"]
    said = desk.run("restore", kept, "--force")
    assert "into .seawall: 2 calls, $0.35 spent." in said
    assert "the ledger that was here had $0.00 more on its books" in said


def test_a_damaged_database_is_replaced_by_force_and_kept(desk: Desk) -> None:
    spent(desk, "0.10")
    backup = backed_up(desk)
    (desk.data / "seawall.db").write_bytes(b"no database " * 999)
    assert "there is a database in .seawall: it cannot be read." in desk.run("restore", str(backup), code=2)
    kept = Path(desk.values("restore", str(backup), "--force")["kept"])
    assert kept.read_bytes() == b"no database " * 999
    assert summarise(desk.data / "seawall.db").calls == 1


def test_nothing_is_restored_while_the_folder_is_open(desk: Desk) -> None:
    spent(desk, "0.10")
    backup = backed_up(desk)

    async def work(store: SqliteStore) -> str:
        return desk.run("restore", str(backup), "--force", code=2)

    said = desk.in_store(work)
    assert said.startswith("seawall: 1 process has the data folder .seawall open: stop the gateway first")
    assert "replaced" not in str([*desk.data.iterdir()])


def test_the_provider_to_ask_is_named(desk: Desk) -> None:
    spent(desk, "0.10")
    backup = str(backed_up(desk))
    said = desk.run("restore", backup, "--data", "new", OPENAI_API_KEY=fake_key())
    assert "openai  https://platform.openai.com/usage\n" in said


def test_what_cannot_be_relied_on_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    spent(desk, "0.10")
    whole = backed_up(desk).read_bytes()
    before = everything_in(desk.data)
    broken = tmp_path / "broken.db"
    for data in (
        whole[: len(whole) // 2],
        whole[:4096] + b"\xff" * 8192 + whole[12288:],
        b"text " * 999,
        b"",
    ):
        broken.write_bytes(data)
        for place in (".seawall", "new"):
            said = desk.run("restore", "broken.db", "--force", "--data", place, code=1)
            assert said.startswith("seawall: broken.db is not restored: ")
            assert said.endswith(". Nothing has changed.\n")
    assert everything_in(desk.data) == before
    assert not (tmp_path / "new" / "seawall.db").exists()


def test_a_backup_of_a_newer_version_is_refused(desk: Desk) -> None:
    spent(desk, "0.10")
    backup = backed_up(desk)
    connection = open_file(backup)
    connection.pragma("user_version", newest_schema() + 1)
    connection.close()
    said = desk.run("restore", str(backup), "--data", "new", code=1)
    assert "it was written by a newer Seawall" in said


def test_a_file_that_is_not_there_or_is_the_database_itself_is_no_backup(desk: Desk) -> None:
    assert desk.run("restore", "none.db", code=1) == "seawall: there is no file none.db.\n"
    spent(desk, "0.10")
    said = desk.run("restore", ".seawall/seawall.db", "--force", code=2)
    assert said == "seawall: .seawall/seawall.db is the database of this data folder itself.\n"


def test_doctor_says_when_the_last_backup_was_made(desk: Desk, place: Place) -> None:
    desk.add_key("app")
    assert "backup    none yet; no schedule" in desk.run("doctor")
    backed_up(desk)
    assert re.search(r"backup    just now; 1 of \d+ KB in \.seawall/backups; no schedule", desk.run("doctor"))
    place.write("seawall.toml", '[backup]\nevery = "1h"\n')
    assert desk.values("doctor")["data"]["backup"]["every_s"] == 3600


def test_doctor_says_when_backups_stay_away(desk: Desk, place: Place) -> None:
    desk.add_key("app")
    place.write("seawall.toml", '[backup]\nevery = "1h"\n')
    made = backed_up(desk)
    made.rename(made.with_name("scheduled-20261101T120000Z.db"))
    problems = json.loads(desk.finish("doctor", "--json").stdout)["problems"]
    assert [problem.partition(",")[0] for problem in problems] == [
        next(f"the last backup was made {n} days ago" for n in range(10_000) if f" {n} days" in problems[0])
    ]
