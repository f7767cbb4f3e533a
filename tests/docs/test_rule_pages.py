"""The pages of the rules are what the catalogue says, and every rule has one."""

import subprocess
import sys

import pytest

from seawall.check.catalogue import GROUPS, rules
from tests.docs.pages import ROOT, blocks_of, headings_of, read_page


def test_the_pages_are_what_the_catalogue_says() -> None:
    script = ROOT / "scripts" / "build_rule_docs.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", rules())
def test_every_rule_has_its_page(name: str) -> None:
    page = f"docs/rules/{name}.md"
    assert headings_of(page)[0] == f"`{name}`"
    assert f"[`{name}`]({name}.md)" in read_page("docs/rules/README.md")
    assert blocks_of(page)[-1].text == f"# seawall: ignore[{name}] the reason\n"


def test_the_page_of_the_check_names_groups_formats_and_exit_codes() -> None:
    page = read_page("docs/check.md")
    assert all(f"`{group}`" in page for group in GROUPS)
    assert all(
        f"| `{name}` |" in page for name in ("terminal", "json", "sarif", "github", "markdown", "html")
    )
    assert all(f"| {code} |" in page for code in (0, 1, 2))
