"""SettingsError: one friendly sentence about what is wrong with the configuration.

Invariants:
- A message names the place (file and line, variable or option), the setting, and what to do.
- A message never repeats a value: it might be a secret in the wrong place.
"""

import difflib
import re
from collections.abc import Iterable, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from seawall.settings.leaks import hide_keys

KeyPath = tuple[str, ...]


class SettingsError(Exception):
    """The configuration cannot be used; the message says where, why, and what to do."""

    def __init__(self, message: str) -> None:
        self.message = hide_keys(message)
        super().__init__(self.message)


def complain(error: ValidationError, origins: Mapping[KeyPath, str], known: Iterable[KeyPath]) -> str:
    """Write the most telling of pydantic's errors as one sentence.

    `origins` says where each value was stated, `known` lists every setting (NAME stands for any name).
    """
    details = min(error.errors(include_url=False), key=_rank)
    path = tuple(str(part) for part in details["loc"] if part != "[key]")
    origin = _nearest(path, origins)
    where = f"{origin}: " if origin else ""
    if details["type"] == "extra_forbidden":
        return where + _unknown(path, is_table=isinstance(details["input"], dict), known=tuple(known))
    return f"{where}{show_path(path)} {_problem(details)}."


def show_path(path: KeyPath) -> str:
    """Write a path as TOML would: names that are not plain words in quotes."""
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"' for part in path)


def suggest(name: str, candidates: Iterable[str], *, prefix: str = "") -> str:
    """Return `; did you mean X?`, or a full stop where nothing is near."""
    near = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return f"; did you mean {prefix}{near[0]}?" if near else "."


def _rank(details: ErrorDetails) -> int:
    # A misspelt key is unknown and leaves the right one missing: the first of the two explains both.
    return {"extra_forbidden": 0, "missing": 2}.get(details["type"], 1)


def _nearest(path: KeyPath, origins: Mapping[KeyPath, str]) -> str | None:
    for length in range(len(path), 0, -1):
        here = path[:length]
        if here in origins:
            return origins[here]
        below = [origin for stated, origin in origins.items() if stated[:length] == here]
        if below:
            return below[0]
    return None


def _unknown(path: KeyPath, *, is_table: bool, known: tuple[KeyPath, ...]) -> str:
    name = path[-1]
    if is_table and len(path) == 1:
        sections = {f"[{key[0]}]" for key in known if len(key) > 1}
        return f"unknown section [{name}]{suggest(f'[{name}]', sections)}"
    if is_table and len(path) == 3:
        quoted = ".".join(path[1:])
        return f'a name with a dot in it needs quotes: write [{path[0]}."{quoted}"].'
    siblings = [key[-1] for key in known if len(key) == len(path) and (len(path) == 1 or key[0] == path[0])]
    hint = suggest(name, siblings)
    if hint == ".":
        homes = [key[:-1] for key in known if key[-1] == name]
        if homes == [()]:
            hint = f"; {name} belongs at the top of the file, before the first [section]."
        elif len(homes) == 1 or (len(path) == 1 and homes):
            places = " or ".join(sorted(f"[{show_path(home)}]" for home in homes))
            hint = f"; {name} belongs under {places}."
    return f"unknown setting {show_path(path)}{hint}"


def _problem(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "value_error":
            return str(context["error"])
        case "missing":
            return "is missing and must be stated"
        case "enum" | "literal_error":
            expected = str(context["expected"]).replace("'", '"')
            return f"must be {expected}"
        case "greater_than_equal":
            return f"must be at least {_number(context['ge'])}"
        case "greater_than":
            return f"must be more than {_number(context['gt'])}"
        case "less_than_equal":
            return f"must be at most {_number(context['le'])}"
        case "string_too_long" | "too_long":
            return f"is too long: at most {context['max_length']}"
        case "string_too_short" | "too_short":
            return "must not be empty"
        case "string_type":
            return "must be text in quotes"
        case "bool_type" | "bool_parsing":
            return "must be true or false"
        case "list_type":
            return "must be a list of texts in quotes"
        case "model_type" | "dict_type":
            return "must be a section, with its settings below its name in [brackets]"
        case kind if kind.startswith("int_"):
            return "must be a whole number"
        case kind if kind.startswith("float_") or kind == "finite_number":
            return "must be a number"
        case _:
            return "cannot be used as it stands; the settings page of the documentation says what it may be"


def _number(value: float) -> str:
    return f"{value:g}" if value < 1_000_000 else f"{value:,.0f}"
