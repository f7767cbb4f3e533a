"""What `seawall.toml` says to the audit: the stage, `[check]`, and what the developer answered by hand.

The rest of the file belongs to the gateway. It is kept as it stands, as evidence for the checklist, and not
judged.
"""

import re
import tomllib
from collections.abc import Iterable
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from msgspec import Struct, field

from seawall.check.excluding import PATTERNS_MAX, why_not
from seawall.core.stages import Stage

FILE = "seawall.toml"
FILE_CHARS_MAX = 256 * 1024
ANSWERS_MAX = 200
NAME_CHARS_MAX = 60
NOTE_CHARS_MAX = 400

_KNOWN = ("stage", "history", "select", "ignore", "exclude", "baseline", "manual")
_ANSWER = ("by", "at", "note")
_EXAMPLE = 'write {by = "Ana", at = 2026-11-20, note = "what was done"}'


class BadSettings(ValueError):
    """`seawall.toml` cannot be used by the audit; the message is one sentence and repeats no value."""


class Answer(Struct, frozen=True, kw_only=True):
    """What somebody vouches for: who, when, a note, and the line of the file (0: not known)."""

    by: str
    at: date
    note: str = ""
    line: int = 0


class CheckSettings(Struct, frozen=True, kw_only=True):
    """The audit's part of `seawall.toml`, and the whole file as `gateway`.

    `path` is empty where there is no file. `stage` is None where the file names none; `select`, `ignore` and
    `baseline` stand for the options of the same names; `exclude` are patterns of paths (see `excluding`).
    `notices` are one for each answer that is of no use.
    """

    path: str = ""
    stage: Stage | None = None
    history: bool = True
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    baseline: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    gateway: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    notices: tuple[str, ...] = ()

    def line_of(self, *keys: str) -> int:
        """Return the line on which a key stands, such as ("budget", "daily_usd"); 0 where it is not found."""
        return _line_of(self.text, keys)


def read_settings(text: str, *, rows: Iterable[str], path: str = FILE) -> CheckSettings:
    """Read the text of `seawall.toml`; `rows` are the ids that `[check.manual]` may answer.

    Raises BadSettings where the file is not TOML or an option of `[check]` cannot be used. A bad answer is a
    notice: its row stays open.
    """
    if len(text) > FILE_CHARS_MAX:
        raise BadSettings(
            f"{path} is larger than {FILE_CHARS_MAX // 1024} KB; that cannot be a list of settings."
        )
    try:
        tree = tomllib.loads(text.lstrip("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        reason = (
            str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is nested or written too deeply"
        )
        raise BadSettings(f"{path} is not valid TOML: {reason}") from None
    table = tree.get("check", {})
    if not isinstance(table, dict):
        raise BadSettings(f"{path}: check must be a table, [check].")
    for name in table:
        if name not in _KNOWN:
            raise BadSettings(f"{path}: unknown setting check.{_shown(name)}{_suggest(name, _KNOWN)}")
    answers, notices = _answers(table.get("manual", {}), tuple(rows), path=path, text=text)
    return CheckSettings(
        path=path,
        stage=_stage(table.get("stage", tree.get("stage")), path),
        history=_flag(table, "history", path, default=True),
        select=_names(table, "select", path),
        ignore=_names(table, "ignore", path),
        exclude=_patterns(table, path),
        baseline=_name(table, "baseline", path),
        answers=answers,
        gateway={name: value for name, value in tree.items() if name != "check"},
        text=text,
        notices=tuple(notices),
    )


def _stage(value: object, path: str) -> Stage | None:
    if value is None:
        return None
    try:
        return Stage(str(value))
    except ValueError:
        raise BadSettings(f"{path}: stage must be one of {', '.join(Stage)}.") from None


def _flag(table: dict[str, Any], name: str, path: str, *, default: bool) -> bool:
    value = table.get(name, default)
    if not isinstance(value, bool):
        raise BadSettings(f"{path}: check.{name} must be true or false.")
    return value


def _name(table: dict[str, Any], name: str, path: str) -> str:
    value = table.get(name, "")
    if not isinstance(value, str):
        raise BadSettings(f"{path}: check.{name} must be a text.")
    return value


def _names(table: dict[str, Any], name: str, path: str) -> tuple[str, ...]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadSettings(f'{path}: check.{name} must be a list of texts, such as ["xss"].')
    return tuple(value)


def _patterns(table: dict[str, Any], path: str) -> tuple[str, ...]:
    patterns = _names(table, "exclude", path)
    if len(patterns) > PATTERNS_MAX:
        raise BadSettings(f"{path}: check.exclude has more than {PATTERNS_MAX} patterns.")
    for pattern in patterns:
        reason = why_not(pattern)
        if reason:
            raise BadSettings(f"{path}: check.exclude: {_shown(pattern)!r} {reason}.")
    return patterns


def _answers(
    table: object, rows: tuple[str, ...], *, path: str, text: str
) -> tuple[dict[str, Answer], list[str]]:
    if not isinstance(table, dict):
        raise BadSettings(f"{path}: check.manual must be a table of answers; {_EXAMPLE}.")
    answers: dict[str, Answer] = {}
    notices: list[str] = []
    for name, value in list(table.items())[:ANSWERS_MAX]:
        line = _line_of(text, ("check", "manual", name))
        where = f"{path} line {line}" if line else path
        if name not in rows:
            notices.append(f"{where}: no row of the checklist is called {_shown(name)}{_suggest(name, rows)}")
            continue
        answer = _answer(value, line)
        if isinstance(answer, str):
            notices.append(f"{where}: check.manual.{name} {answer}; until then the row stays open.")
            continue
        answers[name] = answer
    return answers, notices


def _answer(value: object, line: int) -> Answer | str:
    """Read one answer, or say in words what is wrong with it."""
    if not isinstance(value, dict):
        return f"must say who and when: {_EXAMPLE}"
    for key in value:
        if key not in _ANSWER:
            return f"has no field {_shown(key)}: {_EXAMPLE}"
    by, at, note = value.get("by"), value.get("at"), value.get("note", "")
    if not isinstance(by, str) or not by.strip():
        return f"must say by whom: {_EXAMPLE}"
    if isinstance(at, str):
        try:
            at = date.fromisoformat(at.strip())
        except ValueError:
            return "needs a date such as 2026-11-20 in `at`"
    if isinstance(at, datetime):
        at = at.date()
    if not isinstance(at, date):
        return "needs a date such as 2026-11-20 in `at`"
    if not isinstance(note, str):
        return "needs a text in `note`"
    return Answer(by=_plain(by, NAME_CHARS_MAX), at=at, note=_plain(note, NOTE_CHARS_MAX), line=line)


def _plain(text: str, chars_max: int) -> str:
    """Make one line of a text that is shown."""
    return " ".join(text.split())[:chars_max]


def _shown(name: str) -> str:
    return "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name[:NAME_CHARS_MAX]
    )


def _suggest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else "."


def _line_of(text: str, keys: tuple[str, ...]) -> int:
    """Find `key =` below its table's heading, or that heading; dotted keys and quotes are understood."""
    wanted = ".".join(keys)
    table = ""
    for number, line in enumerate(text.split("\n"), 1):
        heading = re.match(r"\s*\[\[?\s*([^\]#]+?)\s*\]\]?", line)
        if heading:
            table = _bare(heading[1])
            if table == wanted:
                return number
            continue
        stated = re.match(r"\s*([\w.\"' -]+?)\s*=", line)
        if stated and (f"{table}.{_bare(stated[1])}" if table else _bare(stated[1])) == wanted:
            return number
    return 0


def _bare(key: str) -> str:
    return re.sub(r"[\"'\s]", "", key)
