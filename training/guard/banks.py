"""Makes rows from the banks: lines with slots, written for this project, that multiply into many texts."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from msgspec import Struct

BANKS = Path(__file__).parent / "banks"
_SLOT = re.compile(r"\{\{|\}\}|\{(\w+)\}")


class Bank(Struct, frozen=True):
    """Lines of one kind in one language; `slots` are the words that stand for one another."""

    title: str
    lang: str
    lines: tuple[str, ...]
    slots: dict[str, list[str]]

    def make(self, per_line: int, random: Random) -> Iterator[str]:
        """Yield texts, each at most once."""
        seen = set()
        for line in self.lines:
            for _ in range(per_line if "{" in line.replace("{{", "") else 1):
                text = fill(line, self.slots, random)
                if text not in seen:
                    seen.add(text)
                    yield text


def fill(line: str, slots: dict[str, list[str]], random: Random, depth: int = 3) -> str:
    """Fill the slots of a line; a value may hold slots itself."""

    def choose(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        if found[1] not in slots:
            return found[0]
        value = random.choice(slots[found[1]])
        return fill(value, slots, random, depth - 1) if depth and "{" in value else value

    return _SLOT.sub(choose, line)


@cache
def read(name: str) -> tuple[Bank, ...]:
    """Read the banks of the files whose names begin so: their tables with lines, in `families` or not."""
    return tuple(bank for path in sorted(BANKS.glob(f"{name}*.toml")) for bank in _read(path))


def _read(path: Path) -> tuple[Bank, ...]:
    tree: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    slots, lang = tree.get("slots", {}), tree.get("lang", "en")
    tables = {**tree, **tree.get("families", {})}
    return tuple(
        Bank(title, lang, tuple(table["lines"]), slots)
        for title, table in tables.items()
        if isinstance(table, dict) and "lines" in table
    )


def languages() -> list[str]:
    """Return the languages other than English for which there are banks."""
    return sorted(path.stem for path in BANKS.glob("*.toml") if not path.stem.startswith("en_"))
