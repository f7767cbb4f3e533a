"""What holds for every command: its help, a missing data folder, bad settings, and a real process."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from seawall.cli.main import app
from tests.fixtures.desk import Desk
from tests.fixtures.settings import Place

READERS = [
    ("keys", "list"),
    ("keys", "show", "app"),
    ("keys", "revoke", "app"),
    ("keys", "rotate", "app"),
    ("usage",),
    ("why", "last"),
]
COMMANDS = [*READERS, ("keys", "create", "app")]
NOTHING_HERE = (
    "seawall: nothing here yet (no data in .seawall): start `seawall serve` first, or name --data.\n"
)


def commands(group: object = None, *above: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command and group."""
    group = group or typer.main.get_command(app)
    yield above
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, *above, name)


@pytest.mark.parametrize("words", [*commands()], ids=" ".join)
def test_every_command_has_help_that_fits(desk: Desk, words: tuple[str, ...]) -> None:
    output = desk.run(*words, "--help")
    assert output.startswith(f"Usage: {' '.join(('seawall', *words))}")
    assert max(map(len, output.splitlines())) <= 80


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_missing_data_folder_is_not_made(desk: Desk, words: tuple[str, ...]) -> None:
    assert desk.run(*words, code=2) == NOTHING_HERE
    assert not desk.data.exists()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_an_unusable_database_is_one_sentence(desk: Desk, place: Place, words: tuple[str, ...]) -> None:
    place.write(".seawall/seawall.db", "no database\n" * 100)
    sentence = "the data folder .seawall cannot be used (seawall.db: file is not a database)"
    assert desk.run(*words, code=2) == f"seawall: {sentence}.\n"


@pytest.mark.parametrize("words", [*COMMANDS, ("doctor",)], ids=" ".join)
def test_bad_settings_are_one_sentence(desk: Desk, place: Place, words: tuple[str, ...]) -> None:
    place.write("seawall.toml", 'stagee = "poc"\n')
    said = desk.run(*words, code=2)
    assert said == "seawall: seawall.toml line 1: unknown setting stagee; did you mean stage?\n"


def test_a_data_folder_is_named_by_option(desk: Desk, tmp_path: Path) -> None:
    desk.run("keys", "create", "app", "--data", "elsewhere")
    assert (tmp_path / "elsewhere" / "seawall.db").exists()
    assert "app" in desk.run("keys", "list", "--data", "elsewhere")


def test_a_process_ends_with_the_sentence_and_no_traceback(tmp_path: Path) -> None:
    program = "from seawall.cli.main import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", program, "usage"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (2, "", NOTHING_HERE)
