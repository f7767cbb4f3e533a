"""On which line of a TOML file each key stands, found by the parser itself.

The text is cut into its statements: a statement is the shortest run of lines that parses on its own. So
quoted and dotted keys, inline tables and values over several lines need no grammar of ours.
"""

import tomllib
from collections.abc import Iterator
from typing import Any

KeyPath = tuple[str, ...]

STATEMENT_LINES_MAX = 500


def locate_keys(text: str) -> dict[KeyPath, int]:
    """Return the first line of each key and section of a valid TOML text.

    Gives up at a value of more than 500 lines; what stands below it is then missing.
    """
    found: dict[KeyPath, int] = {}
    section: KeyPath = ()
    statement: list[str] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        statement.append(line)
        if len(statement) > STATEMENT_LINES_MAX:
            break
        try:
            parsed = tomllib.loads("\n".join(statement))
        except tomllib.TOMLDecodeError:
            continue
        first = number - len(statement) + 1
        if statement[0].lstrip().startswith("["):
            section = _header(parsed)
            keys: list[KeyPath] = [section[:length] for length in range(1, len(section) + 1)]
        else:
            keys = [(*section, *path) for path in _paths(parsed)]
        for key in keys:
            found.setdefault(key, first)
        statement = []
    return found


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
