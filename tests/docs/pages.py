"""Reads the project's Markdown pages: their blocks of code, their headings, their links."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)


class Block(NamedTuple):
    """A block of code: its language, its text, and the line on which it opens."""

    language: str
    text: str
    line: int


def read_page(page: str) -> str:
    """Return the text of a page, named from the root of the project."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of a page in their order."""
    text = read_page(page)
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 1) for found in _BLOCK.finditer(text)
    ]


def headings_of(page: str) -> list[str]:
    """Return the headings of a page as they are written; a comment in a block of code is none."""
    return _HEADING.findall(_BLOCK.sub("", read_page(page)))


def anchors_of(page: str) -> set[str]:
    """Return what links can point at: each heading in lower case, without marks, its spaces as dashes."""
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings_of(page)
    }


def all_pages() -> Iterator[str]:
    """Yield every page of the project."""
    for pattern in ("*.md", "docs/**/*.md"):
        yield from sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern))
