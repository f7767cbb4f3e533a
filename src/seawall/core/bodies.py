"""Changes texts deep inside JSON, leaving everything else, and the original, as it was."""

import re
from collections.abc import Callable, Sequence
from typing import Any

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
NAMES = frozenset({"finish_reason", "id", "item_id", "model", "object", "role", "stop_reason", "type"})
"""Fields that hold the dialect's own words."""

Change = Callable[[str], str]


def change_at(body: Any, path: str, change: Change) -> Any:
    """Return a copy of a body in which every text at a path such as `messages[0].content` is changed.

    A path that leads nowhere changes nothing.
    """
    steps = [int(index) if index else name for name, index in _STEP.findall(path)]
    return _change_along(body, steps, change)


def _change_along(value: Any, steps: Sequence[str | int], change: Change) -> Any:
    if not steps:
        return change_all(value, change)
    step, rest = steps[0], steps[1:]
    if isinstance(step, str) and isinstance(value, dict) and step in value:
        return {**value, step: _change_along(value[step], rest, change)}
    if isinstance(step, int) and isinstance(value, list) and step < len(value):
        return [*value[:step], _change_along(value[step], rest, change), *value[step + 1 :]]
    return value


def change_all(value: Any, change: Change, *, spare: frozenset[str] = frozenset()) -> Any:
    """Return a copy of a value in which every text is changed, but for the fields to spare."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        names = [name for name in value if name not in spare]
        return value | {name: change_all(value[name], change, spare=spare) for name in names}
    if isinstance(value, list):
        return [change_all(each, change, spare=spare) for each in value]
    return value


def replacing(parts: Sequence[tuple[str, str]]) -> Change:
    """Return a change that puts other texts in the place of parts, longer ones first."""
    ordered = sorted(parts, key=lambda part: -len(part[0]))

    def change(text: str) -> str:
        for old, new in ordered:
            text = text.replace(old, new)
        return text

    return change
