"""The rules of the test suite itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"

TESTS_THAT_SKIP = """
import pytest

def test_skips_itself():
    pytest.skip("no browser")

@pytest.mark.skip(reason="no nginx")
def test_is_skipped(): ...

@pytest.mark.xfail(strict=True)
def test_is_known_to_fail():
    assert False
"""


@pytest.mark.parametrize(
    ("require_all", "tally"),
    [("", "1 passed, 3 skipped, 1 xfailed"), ("1", "1 failed, 1 passed, 1 xfailed, 2 errors")],
)
def test_require_all_turns_every_skip_into_a_failure(tmp_path: Path, require_all: str, tally: str) -> None:
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_functions.py").write_text(TESTS_THAT_SKIP)
    (tmp_path / "test_module.py").write_text("import pytest\npytest.skip('', allow_module_level=True)\n")
    (tmp_path / "test_sound.py").write_text("def test_passes(): ...\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--continue-on-collection-errors", tmp_path],
        cwd=tmp_path,
        env={**os.environ, "REQUIRE_ALL": require_all},
        capture_output=True,
        text=True,
        check=False,
    )
    assert tally in run.stdout.splitlines()[-1]
