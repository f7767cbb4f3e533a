"""The page of the command line names every command and option, and its examples run."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from seawall.cli import check
from seawall.cli.main import app
from seawall.core.state import Owner
from tests.fixtures.desk import Desk

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
SECTIONS = {
    heading.removeprefix("seawall "): text
    for heading, _, text in (part.partition("\n") for part in PAGE.split("\n## ")[1:])
}

NEED_MORE = (
    "seawall serve", "seawall worker", "seawall alerts test", "seawall webhooks test", "seawall webhooks enable",
    "seawall migrate-store",
)  # fmt: skip
"""Examples that need a receiver, a webhook in the settings, or a server."""


def commands(group: Any, *above: str) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, by its words."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *above, name)
        else:
            yield " ".join((*above, name)), command


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_every_command_has_its_heading_and_every_heading_its_command() -> None:
    assert sorted(SECTIONS) == sorted(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_option_is_explained(words: str) -> None:
    options = {
        name
        for parameter in COMMANDS[words].params
        for name in parameter.opts
        if name.startswith("--") and name != "--help"
    }
    if words == "check":  # It reads its options itself.
        options = set(re.findall(r"--[a-z-]+", check.parser().format_usage()))
    assert set(re.findall(r"(?<=`)--[a-z-]+", SECTIONS[words])) == options


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_has_an_example(words: str) -> None:
    assert examples(SECTIONS[words])
    assert all(line.startswith(f"seawall {words}") for line in examples(SECTIONS[words]))


def test_the_examples_run_in_their_order(desk: Desk) -> None:
    desk.add_refused("call_1")
    desk.add_job("job_019f0a1b2c3d4e5f60718293a4b5c6d7", "failed", owner=Owner("key_1"))
    row = {"text": "Where is my order?", "label": 0, "source": "shop", "kind": "benign"}
    Path("rows.jsonl").write_text(json.dumps(row), "utf-8")
    Path("tasks.toml").write_text('[tasks.mail]\nurl = "https://app.example.com/mail"\n', "utf-8")
    Path("questions.txt").write_text("When do you bake the rye bread?\n" * 60, "utf-8")
    for line in examples(PAGE):
        if not line.startswith(NEED_MORE):
            desk.run(*shlex.split(line)[1:])


def examples(text: str) -> list[str]:
    """Return the lines of the shell blocks."""
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]
