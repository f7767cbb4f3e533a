"""`seawall facts`: what is said of the app lands in the configuration file, and nothing else there changes."""

import stat
from datetime import UTC, datetime
from pathlib import Path

from tests.fixtures.desk import Desk
from tests.fixtures.settings import Place

OWN = "# Ours.\nstage = 'mvp' # since May\n\n[budget]\ndaily_usd = '2.00'\n"


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def test_what_is_said_is_written_below_what_is_there(desk: Desk, place: Place) -> None:
    file = place.write("seawall.toml", OWN)
    assert desk.run("facts", "set", "servers", "3") == "servers: 3, in seawall.toml.\n"
    desk.run("facts", "set", "servers", "4")
    assert file.read_text("utf-8") == f"{OWN}\n[facts.servers]\nvalue = 4\nat = {today()}\n"
    assert desk.run("facts", "unset", "servers") == "servers is no longer stated, in seawall.toml.\n"
    assert file.read_text("utf-8") == OWN


def test_the_file_is_made_as_init_makes_it(desk: Desk) -> None:
    said = desk.run("facts", "set", "has_ci", "no")
    assert said.startswith("has_ci: no, in seawall.toml, which is new")
    made = Path("seawall.toml").read_text("utf-8")
    Path("seawall.toml").unlink()
    desk.run("init")
    assert (
        made == f"{Path('seawall.toml').read_text('utf-8')}\n[facts.has_ci]\nvalue = false\nat = {today()}\n"
    )


def test_the_file_keeps_its_permissions_and_its_link(desk: Desk, place: Place, tmp_path: Path) -> None:
    real = place.write("real.toml", OWN)
    real.chmod(0o640)
    (tmp_path / "seawall.toml").symlink_to(real)
    desk.run("facts", "set", "team", "2")
    assert (tmp_path / "seawall.toml").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert "[facts.team]" in real.read_text("utf-8")


def test_the_list_shows_what_is_said_and_what_is_old(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", "[facts.servers]\nvalue = 3\nat = 2025-01-01\n")
    listed = {each["name"]: each for each in desk.values("facts", "list")["data"]}
    assert listed["servers"] == {
        "name": "servers",
        "question": "How many servers does the app run on?",
        "answer": "whole number",
        "value": 3,
        "at": "2025-01-01",
        "is_old": True,
    }
    assert listed["team"]["value"] is None
    output = desk.run("facts", "list")
    assert "(old: ask" in output
    assert max(map(len, output.splitlines())) <= 80


def test_a_name_or_value_that_cannot_be_is_one_sentence(desk: Desk) -> None:
    assert desk.run("facts", "set", "serverz", "3", code=2) == (
        "seawall: no fact is named serverz; did you mean servers?\n"
    )
    assert desk.run("facts", "set", "servers", "many", code=2) == (
        "seawall: servers must be a whole number, for example: seawall facts set servers 1\n"
    )
    assert desk.run("facts", "unset", "servers", code=1) == "seawall: servers is not stated.\n"
    assert not Path("seawall.toml").exists()


def test_a_file_that_does_not_parse_is_left_alone(desk: Desk, place: Place) -> None:
    file = place.write("seawall.toml", "stage = mvp\n")
    assert "seawall.toml is not valid TOML" in desk.run("facts", "set", "servers", "3", code=2)
    assert file.read_text("utf-8") == "stage = mvp\n"


def test_a_stronger_statement_is_named(desk: Desk) -> None:
    stated = {"SEAWALL_FACTS__TEAM__VALUE": "3", "SEAWALL_FACTS__TEAM__AT": "2026-11-11"}
    said = desk.run("facts", "set", "team", "4", **stated)
    assert said.splitlines()[-1] == (
        "It has no effect: environment SEAWALL_FACTS__TEAM__VALUE states team as well, and is stronger."
    )
