"""The page about the audit shows what its app really gets, and its Python runs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from seawall.cli.check import FORMATS, parser
from tests.docs.pages import ROOT, Block, blocks_of, read_page
from tests.docs.reader import shows

PAGE = "docs/check.md"


def blocks(language: str) -> list[Block]:
    return [block for block in blocks_of(PAGE) if block.language == language]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """The app of the page, in a repository of its own."""
    folder = tmp_path / "my-app"
    folder.mkdir()
    (folder / "app.py").write_text(blocks("python")[0].text, encoding="utf-8")
    (folder / "requirements.txt").write_text("fastapi\nopenai\n", encoding="utf-8")
    (folder / ".gitignore").write_text(".env\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return folder


def run(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_first_run_is_as_it_is_shown(app: Path) -> None:
    done = run("-m", "seawall.check", cwd=app)
    assert (done.returncode, done.stderr) == (1, "")
    assert shows(done.stdout, blocks("text")[0]), done.stdout


def test_the_python_of_the_page_runs(app: Path) -> None:
    done = run("-c", blocks("python")[-1].text, cwd=app)
    assert (done.stdout, done.stderr) == ("F 3\n", "")


def test_every_command_of_the_page_can_be_typed() -> None:
    text = "".join(block.text for block in (*blocks("sh"), *blocks("yaml")))
    lines = re.findall(r"seawall check( [^\n]*)?$", text, re.MULTILINE)
    for options in (line.split() for line in lines if "name:" not in line):
        parser().parse_args(options)
    assert len(lines) > len(FORMATS)


def test_the_hook_of_the_page_is_the_one_of_the_repository() -> None:
    offered, shown = read_page(".pre-commit-hooks.yaml"), blocks("yaml")[0].text
    for line in (
        "id: seawall-check",
        "name: seawall check",
        "entry: seawall check --staged",
        "pass_filenames: false",
    ):
        assert line in offered
        assert line in shown


def test_the_schema_is_json() -> None:
    assert json.loads((ROOT / "docs" / "schemas" / "check-1.json").read_text("utf-8"))["title"]
