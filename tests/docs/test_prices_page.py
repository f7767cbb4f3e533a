"""The page of prices shows what its command prints."""

import shlex

from tests.docs.pages import blocks_of
from tests.docs.reader import shows
from tests.fixtures.desk import Desk


def test_the_example_shows_what_the_page_shows(desk: Desk) -> None:
    command, screen = blocks_of("docs/prices.md")[:2]
    assert (command.language, screen.language) == ("sh", "text")
    assert shows(desk.run(*shlex.split(command.text)[1:]), screen)
