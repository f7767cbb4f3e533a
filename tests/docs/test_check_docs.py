"""The checklist's page says what the rows are, and its example can be used as it stands."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from seawall.check.checklist.definitions import Definition, definitions
from seawall.check.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "checklist.md").read_text(encoding="utf-8")


def test_the_page_is_what_the_rows_say() -> None:
    script = ROOT / "scripts" / "build_check_docs.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("row", definitions().values(), ids=list(definitions()))
def test_every_row_has_its_heading(row: Definition) -> None:
    assert f"\n### `{row.id}`\n" in PAGE


def test_the_example_answers_two_rows_without_a_complaint() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    settings = read_settings(example, rows=definitions())
    assert sorted(settings.answers) == sorted(tomllib.loads(example)["check"]["manual"])
    assert settings.notices == ()
