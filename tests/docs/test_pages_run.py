"""What the README and the pages for beginners say to type can be typed, and shows what they show."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import one_day
from tests.docs.pages import Block, blocks_of
from tests.docs.reader import Reader, shows

__all__ = ["one_day"]

TYPED = ("sh", "python", "toml")
SHOWN = ("text", "json")


@pytest.mark.timeout(400)  # A page starts many programs, one after another.
@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages use curl, which is not installed")
@pytest.mark.parametrize("page", ["README.md", "docs/quickstart.md", "docs/admin-api.md"])
def test_what_the_page_says_to_type_shows_what_it_shows(page: str, tmp_path: Path) -> None:
    screen = ""
    with Reader(tmp_path) as reader:
        for block in blocks_of(page):
            assert block.language in TYPED + SHOWN, f"{page}:{block.line}"
            if block.language in TYPED:
                screen = reader.type(block)
            else:
                assert shows(screen, block), f"{page}:{block.line} shows\n{block.text}\nthe screen\n{screen}"
        reader.stop()


@pytest.mark.parametrize(
    ("screen", "expected", "is_shown"),
    [
        ("took 5 ms\n", Block("text", "took 1.5 s\n", 1), True),
        ("Overspent  $0.00\n", Block("text", "...\nOverspent $1.25\n...\n", 1), True),
        ("one\ntwo\n", Block("text", "one\n", 1), False),
        (
            '{"id": "key_1", "spent": [{"usd": "0.10"}]}',
            Block("json", '{"id": "", "spent": [{"usd": ""}]}', 1),
            True,
        ),
        ('{"id": "key_1"}', Block("json", '{"id": null}', 1), False),
        ('{"id": "key_1", "name": "a"}', Block("json", '{"id": ""}', 1), False),
    ],
)
def test_only_numbers_and_names_may_differ(screen: str, expected: Block, is_shown: bool) -> None:
    assert shows(screen, expected) is is_shown
