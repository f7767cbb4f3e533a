"""Broken code: whatever is cut out of an app, its analysis ends, and says something or nothing."""

import random
import re

import pytest

from seawall.check.code.analysis import Analysis
from seawall.check.code.project import CODE_SUFFIXES, Project
from tests.check.labelled import APPS, names


@pytest.mark.parametrize("name", names())
def test_a_mutilated_app_is_still_read(name: str) -> None:
    sources = {
        path.relative_to(APPS / name).as_posix(): path.read_text()
        for path in sorted((APPS / name).rglob("*"))
        if path.suffix in CODE_SUFFIXES
    }
    chance = random.Random(name)
    for _ in range(3):
        contents = {path: _mutilated(text, chance).encode() for path, text in sources.items()}
        findings = Analysis(Project(contents, contents.get)).run()
        assert all(finding.path in contents and finding.line >= 0 for finding in findings)


def _mutilated(text: str, chance: random.Random) -> str:
    return chance.choice([_cut, _without_lines, _without_words, _doubled, _swapped])(text, chance)


def _cut(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text) + 1)]


def _without_lines(text: str, chance: random.Random) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if chance.random() > 0.1)


def _without_words(text: str, chance: random.Random) -> str:
    return "".join(word for word in re.split(r"(\W)", text) if chance.random() > 0.02)


def _doubled(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line * (1 + (chance.random() < 0.1)) for line in lines)


def _swapped(text: str, chance: random.Random) -> str:
    words = re.split(r"(\W)", text)
    for _ in range(len(words) // 50):
        one, other = chance.randrange(len(words)), chance.randrange(len(words))
        words[one], words[other] = words[other], words[one]
    return "".join(words)
