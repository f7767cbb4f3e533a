"""Leaves out the files that `exclude` in `[check]` names: examples of mistakes, other people's code.

A pattern is relative to the audited folder. `*` and `?` stay within a name, `**` goes through any folders, a
`/` at the end means all in a folder, and a pattern without a `/` in it holds in every folder. Everything
else, brackets too, stands for itself.
"""

import re
from collections.abc import Callable, Iterable

from seawall.check.files import Files

PATTERNS_MAX = 100
PATTERN_CHARS_MAX = 200
DEEP_MAX = 3
"""How many times `**` may stand in a pattern: each one is another way through a path."""


def why_not(pattern: str) -> str:
    """Say why a pattern cannot be used, or nothing."""
    if not any(name not in ("", ".") for name in pattern.strip().split("/")):
        return "is empty"
    if len(pattern) > PATTERN_CHARS_MAX:
        return f"is longer than {PATTERN_CHARS_MAX} characters"
    if pattern.count("**") > DEEP_MAX:
        return f"holds ** more than {DEEP_MAX} times"
    if pattern.startswith("/") or ".." in pattern.split("/"):
        return "must be relative to the folder, without a / in front and without .."
    return ""


def left_out(patterns: Iterable[str]) -> Callable[[str], bool] | None:
    """Return what says whether a path is left out; None where there is no pattern."""
    expressions = [_expression(pattern) for pattern in patterns]
    if not expressions:
        return None
    whole = re.compile("|".join(expressions))
    return lambda path: whole.fullmatch(path) is not None


def leave_out(files: Files, patterns: tuple[str, ...], source: str) -> None:
    """Take files out of an audit, and say how many; a pattern that matches nothing is said as well."""
    is_left_out = left_out(patterns)
    if is_left_out is None:
        return
    before = (*files.paths, *files.others)
    number = sum(map(is_left_out, before))
    for pattern in patterns:
        expression = re.compile(_expression(pattern))
        if not any(map(expression.fullmatch, before)):
            files.say(f"{source}: check.exclude {pattern!r} matches no file.")
    files.leave_out(is_left_out)
    if number:
        count = "1 file" if number == 1 else f"{number:,} files"
        files.say(f"{count} left out, as check.exclude in {source} says.")


def _expression(pattern: str) -> str:
    """Return a pattern as an expression; like a star in a name, `**` takes the shortest way, for good.

    That is right, since what follows it is as many names wherever it is found: the earliest place leaves most
    of the path to the rest. So the time is that of the path times that of the pattern.
    """
    names = [name for name in pattern.split("/") if name not in ("", ".")]
    if "/" not in pattern.rstrip("/"):
        names.insert(0, "**")
    if pattern.endswith("/"):
        names.append("**")
    names = [name for at, name in enumerate(names) if name != "**" or names[at - 1 : at] != ["**"]]
    tail = "(?:/.*)?"  # What is named without a star at its end may be a folder, as in .gitignore.
    if names[-1] == "**":
        names.pop()
        tail = "/.+" if names else ".+"
    ways = [""]
    for at, name in enumerate(names):
        if name == "**":
            ways[-1:] = [f"(?>{ways[-1]}/)", "(?:[^/]++/)*?"] if at else ["(?:[^/]++/)*?"]
        else:
            ways[-1] += f"/{_name(name)}" if at and names[at - 1] != "**" else _name(name)
    return f"(?:{''.join(ways)}{tail})"


def _name(name: str) -> str:
    """Return one name as an expression; a star takes the shortest way to what follows, for good."""
    chunks = [
        "".join("[^/]" if char == "?" else re.escape(char) for char in chunk)
        for chunk in re.split(r"\*+", name)
    ]
    if len(chunks) == 1:
        return chunks[0]
    first, *middle, last = chunks
    return first + "".join(f"(?>[^/]*?{chunk})" for chunk in middle) + f"[^/]*{last}"
