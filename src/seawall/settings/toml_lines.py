"""On which line of a TOML file each key stands, found by the parser itself.

The text is cut into its statements: a statement is the shortest run of lines that parses on its own. So
quoted and dotted keys, inline tables and values over several lines need no grammar of ours.
"""

import tomllib
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

KeyPath = tuple[str, ...]

STATEMENT_LINES_MAX = 500


class Statement(Struct, frozen=True):
    """One header, one key with its value, or one line without either.

    `first` and `last` count lines from 1. `paths` are the keys that it states, from the top of the file;
    `section` is where it stands, for a header the section that begins.
    """

    first: int
    last: int
    section: KeyPath
    is_header: bool
    paths: tuple[KeyPath, ...]


def locate_keys(text: str) -> dict[KeyPath, int]:
    """Return the first line of each key and section of a valid TOML text.

    Gives up at a value of more than 500 lines; what stands below it is then missing.
    """
    found: dict[KeyPath, int] = {}
    for statement in statements(text):
        for key in statement.paths:
            found.setdefault(key, statement.first)
    return found


def statements(text: str) -> Iterator[Statement]:
    """Yield the statements of a valid TOML text, in order; ends at a value of more than 500 lines."""
    section: KeyPath = ()
    lines: list[str] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        lines.append(line)
        if len(lines) > STATEMENT_LINES_MAX:
            break
        try:
            parsed = tomllib.loads("\n".join(lines))
        except tomllib.TOMLDecodeError:
            continue
        is_header = lines[0].lstrip().startswith("[")
        if is_header:
            section = _header(parsed)
            paths = tuple(section[:length] for length in range(1, len(section) + 1))
        else:
            paths = tuple((*section, *path) for path in _paths(parsed))
        yield Statement(number - len(lines) + 1, number, section, is_header, paths)
        lines = []


def _header(parsed: dict[str, Any]) -> KeyPath:
    path: list[str] = []
    below: Any = parsed
    while below:
        if isinstance(below, list):
            below = below[0]
            continue
        [(name, below)] = below.items()
        path.append(name)
    return tuple(path)


def _paths(parsed: dict[str, Any]) -> Iterator[KeyPath]:
    for name, value in parsed.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *path) for path in _paths(value))
