"""Changes texts deep inside JSON, leaving everything else, and the original, as it was."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

_INDEX = re.compile(r"\[(\d+)\]")
NAMES = frozenset({"finish_reason", "id", "item_id", "model", "object", "role", "stop_reason", "type"})
"""Fields that hold the dialect's own words."""

Change = Callable[[str], str]


def change_at(body: Any, path: str, change: Change) -> Any:
    """Return a copy of a body in which every text at a path such as `messages[0].content` is changed.

    A path that leads nowhere changes nothing; names may hold dots.
    """
    if not path:
        return change_all(body, change)
    if isinstance(body, dict):
        names = [name for name in body if _goes_on(path, name)]
        rests = {name: path[len(name) :].removeprefix(".") for name in names}
        return body | {name: change_at(body[name], rest, change) for name, rest in rests.items()}
    index = _INDEX.match(path)
    if isinstance(body, list) and index is not None and int(index[1]) < len(body):
        place = int(index[1])
        changed = change_at(body[place], path[index.end() :].removeprefix("."), change)
        return [*body[:place], changed, *body[place + 1 :]]
    return body


def _goes_on(path: str, name: str) -> bool:
    return path.startswith(name) and path[len(name) : len(name) + 1] in ("", ".", "[")


def change_all(value: Any, change: Change, *, spare: frozenset[str] = frozenset()) -> Any:
    """Return a copy of a value in which every text is changed, but for the fields to spare.

    What a tool is given has names of its own: nothing is spared in it. There, and where no field is spared,
    names and numbers are texts as well.
    """
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [change_all(each, change, spare=spare) for each in value]
    if isinstance(value, dict) and spare:
        within = {name: frozenset() if name == "input" else spare for name in value if name not in spare}
        return value | {name: change_all(value[name], change, spare=each) for name, each in within.items()}
    if isinstance(value, dict):
        return {change(name): change_all(each, change) for name, each in value.items()}
    if not spare and isinstance(value, int | float) and not isinstance(value, bool):
        written = str(value)
        changed = change(written)
        return value if changed == written else changed
    return value


def replacing(parts: Iterable[tuple[str, str]]) -> Change:
    """Return a change that puts other texts in the place of parts, longer ones first.

    A part that was found in JSON as it is written is replaced in what that says as well.
    """
    known = dict(parts)
    for old, new in tuple(known.items()):
        if "\\" in old:
            known.setdefault(_unescaped(old), new)
    known.pop("", None)
    ordered = sorted(known.items(), key=lambda part: -len(part[0]))
    least = len(ordered[-1][0]) if ordered else 0

    def change(text: str) -> str:
        if len(text) < least:
            return text
        for old, new in ordered:
            text = text.replace(old, new)
        return text

    return change


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text
