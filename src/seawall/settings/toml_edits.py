"""Change single values in a TOML text, and leave every other character as it is.

Invariant: what comes out says exactly what was wanted and nothing else has another meaning. It is parsed
and compared before it is returned; what cannot be changed like this is refused.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Any

from seawall.settings.problems import show_path
from seawall.settings.toml_lines import KeyPath, Statement, statements

TomlValue = bool | int | float | str | date | tuple[str, ...]


class CannotEdit(Exception):
    """The text has to be changed by hand; the message says where, without its file."""


def put_values(text: str, section: KeyPath, values: Mapping[str, TomlValue]) -> str:
    """Return the text with these values in a section, `()` for the top of the file; raises CannotEdit."""
    wanted = _parse(text)
    for name, value in values.items():
        _put(wanted, (*section, name), list(value) if isinstance(value, tuple) else value)
    edited = text
    if section and not _has_header(edited, section):
        edited = _without(edited, section)
        lines = [f"[{show_path(section)}]", *(_line(name, value) for name, value in values.items())]
        edited = _appended(edited, lines)
    else:
        for name, value in values.items():
            edited = _with_value(edited, section, name, value)
    return _checked(text, edited, wanted, section)


def drop_section(text: str, section: KeyPath) -> str:
    """Return the text without what it says of a section; raises CannotEdit."""
    wanted = _parse(text)
    _drop(wanted, section)
    return _checked(text, _without(text, section), wanted, section)


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise CannotEdit(f"it is not valid TOML: {error}") from None


def _checked(before: str, edited: str, wanted: dict[str, Any], path: KeyPath) -> str:
    """Return the edited text if it says what was wanted; it is only compared here, never mended."""
    try:
        is_as_wanted = _full(_parse(edited)) == _full(wanted)
    except CannotEdit:
        is_as_wanted = False
    if is_as_wanted:
        return edited
    line = next((each.first for each in statements(before) if path[:1] in each.paths), None)
    where = "" if line is None else f" in line {line}"
    raise CannotEdit(f"it states {show_path(path)}{where} in a form that has to be changed by hand")


def _full(tree: dict[str, Any]) -> dict[str, Any]:
    """Leave out empty tables at the top, which say nothing."""
    return {name: value for name, value in tree.items() if value != {}}


def _with_value(text: str, section: KeyPath, name: str, value: TomlValue) -> str:
    """Write a value over the one that is there, or below the last one of its section."""
    path = (*section, name)
    found = [*statements(text)]
    lines, end = _lines(text)
    stated = next((each for each in found if not each.is_header and path in each.paths), None)
    if stated is not None:
        old = "\n".join(lines[stated.first - 1 : stated.last])
        key = old.partition("=")[0].rstrip()
        lines[stated.first - 1 : stated.last] = [f"{key} = {literal(value)}{_comment(old)}"]
        return end.join(lines)
    inside = [each for each in found if each.section == section and (each.paths or each.is_header)]
    if inside:
        at, added = inside[-1].last, [_line(name, value)]
    else:  # Above the first section, and below what the file says of itself.
        at = next((number for number, line in enumerate(lines) if not line.lstrip().startswith("#")), 0)
        line, below = _line(name, value), lines[at:]
        added = [line] if not any(below) else [line, ""] if below[0].strip() else ["", line]
    lines[at:at] = added
    return end.join(lines)


def _without(text: str, section: KeyPath) -> str:
    """Leave out every statement of a section, and the blank line above its header."""
    lines, end = _lines(text)
    gone: set[int] = set()
    for each in statements(text):
        if _is_inside(each, section):
            gone.update(range(each.first, each.last + 1))
            is_below_blank = each.first > 1 and not lines[each.first - 2].strip()
            if each.is_header and is_below_blank:
                gone.add(each.first - 1)
    return end.join(line for number, line in enumerate(lines, 1) if number not in gone)


def _is_inside(statement: Statement, section: KeyPath) -> bool:
    depth = len(section)
    if statement.is_header or statement.section[:depth] == section:
        return bool(statement.paths) and statement.section[:depth] == section
    deepest = [
        path for path in statement.paths if not any(_is_above(path, other) for other in statement.paths)
    ]
    return bool(deepest) and all(path[:depth] == section for path in deepest)


def _is_above(path: KeyPath, other: KeyPath) -> bool:
    return len(path) < len(other) and other[: len(path)] == path


def _has_header(text: str, section: KeyPath) -> bool:
    return any(each.is_header and each.section == section for each in statements(text))


def _appended(text: str, added: list[str]) -> str:
    lines, end = _lines(text)
    while lines and not lines[-1].strip():
        lines.pop()
    return end.join([*lines, *([""] if lines else []), *added, ""])


def _lines(text: str) -> tuple[list[str], str]:
    """Return the lines of a text, and what ends each."""
    end = "\r\n" if "\r\n" in text else "\n"
    return text.replace("\r\n", "\n").split("\n"), end


def _comment(statement: str) -> str:
    """Return the comment at the end of a statement, with the space before it."""
    parsed = tomllib.loads(statement)
    for at, char in enumerate(statement):
        if char != "#":
            continue
        try:
            is_comment = tomllib.loads(statement[:at]) == parsed
        except tomllib.TOMLDecodeError:
            continue
        if is_comment:
            return statement[len(statement[:at].rstrip()) :]
    return ""


def _line(name: str, value: TomlValue) -> str:
    return f"{show_path((name,))} = {literal(value)}"


def literal(value: TomlValue) -> str:
    """Write a value as TOML does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, date):
        return value.isoformat()
    return _text(value) if isinstance(value, str) else repr(value)


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\u{ord(char):04X}" for char in escaped) + '"'


def _put(tree: dict[str, Any], path: KeyPath, value: object) -> None:
    below: Any = tree
    for part in path[:-1]:
        below = below.setdefault(part, {}) if isinstance(below, dict) else {}
    if isinstance(below, dict):
        below[path[-1]] = value


def _drop(tree: dict[str, Any], path: KeyPath) -> None:
    above: Any = tree
    for part in path[:-1]:
        above = above.get(part, {}) if isinstance(above, dict) else {}
    if isinstance(above, dict):
        above.pop(path[-1], None)
