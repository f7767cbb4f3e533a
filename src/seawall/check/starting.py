"""What `seawall init` adds to a repository: settings, example variables, ignored files, a hook, a workflow.

Invariants:
- `plan` only reads. Whatever is there already is kept; lines are added where they are missing, and shown.
- `write` writes a file only if it still is as `plan` saw it, and never through a link.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal as OneOf

from msgspec import Struct

from seawall.check.checklist.survey import is_own
from seawall.check.files import Files, walk
from seawall.check.variables import Variable, variables_read
from seawall.core.stages import DEFAULTS, Stage

EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist")
TEXT_BYTES_MAX = 1024 * 1024
WORKFLOW = ".github/workflows/seawall.yml"
HOOKS = ".pre-commit-config.yaml"
HUSKY = ".husky/pre-commit"

_IGNORED = (".env", ".env.*", "!.env.example", ".seawall/")
_STATED_AT_PRODUCTION = "100.00"
_SAFE_VALUE = re.compile(r"^[A-Z][A-Z0-9_]*$|^[A-Za-z_][A-Za-z0-9_]*$")


class CannotStart(Exception):
    """The folder cannot be prepared; the message is one sentence for people."""


class Step(Struct, frozen=True, kw_only=True):
    """One file: what happens to it, which lines are new, and why where that is not plain.

    `content` is the whole text that the file will have, None where it is kept; `before` is the text that it
    has now, None where there is none.
    """

    path: str
    action: OneOf["create", "add", "keep"]
    lines: tuple[str, ...] = ()
    note: str = ""
    content: str | None = None
    before: str | None = None


def plan(root: Path, *, stage: Stage = Stage.POC, with_ci: bool = False) -> list[Step]:
    """Return what `seawall init` would do in a folder; reads only. Raises CannotStart."""
    if not root.is_dir():
        raise CannotStart(f"{root.name or root} is not a folder.")
    with walk(root) as files:
        steps = [
            _whole(
                root,
                "seawall.toml",
                lambda: settings_text(stage),
                kept="it is yours; nothing in it was changed",
            ),
            _example(root, variables_read(files, [path for path in files.paths if is_own(path)])),
            _ignored(root, files),
            _hook(root),
        ]
    if with_ci:
        steps.append(_whole(root, WORKFLOW, lambda: _CI, kept="it is there already"))
    return steps


def write(root: Path, steps: list[Step]) -> None:
    """Do what was planned; raises CannotStart with the first file that cannot be written."""
    for step in steps:
        if step.content is None:
            continue
        place = root / step.path
        if place.is_symlink() or _read(place)[0] != step.before:
            raise CannotStart(f"{step.path} has changed meanwhile; run `seawall init` again.")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if step.before is None else os.O_TRUNC)
            descriptor = os.open(place, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
            with open(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(step.content)
        except OSError as error:
            raise CannotStart(f"{step.path} cannot be written ({error.strerror}).") from None


def settings_text(stage: Stage) -> str:
    """Return a seawall.toml for a stage, which the gateway takes as it stands."""
    defaults = DEFAULTS[stage]
    daily = defaults.daily_usd or _STATED_AT_PRODUCTION
    monthly = f'monthly_usd = "{defaults.monthly_usd}"' if defaults.monthly_usd else '# monthly_usd = "50.00"'
    per_user = defaults.per_user or DEFAULTS[Stage.BETA].per_user or ()
    shown = ", ".join(f'"{rate}"' for rate in per_user)
    limits = f"per_user = [{shown}]" if defaults.per_user is None else f"# per_user = [{shown}]"
    return _SETTINGS.format(stage=stage.value, daily=daily, monthly=monthly, limits=limits)


def _whole(root: Path, path: str, text: Callable[[], str], *, kept: str) -> Step:
    before, problem = _read(root / path)
    if problem or before is not None:
        return Step(path=path, action="keep", note=problem or kept, before=before)
    content = text()
    return Step(path=path, action="create", lines=tuple(content.splitlines()), content=content)


def _example(root: Path, variables: list[Variable]) -> Step:
    """Name the variables that the code reads in the example file that is there, or in a new one."""
    path = next((name for name in EXAMPLES if (root / name).exists()), EXAMPLES[0])
    before, problem = _read(root / path)
    if problem:
        return Step(path=path, action="keep", note=problem)
    named = set(re.findall(r"^\s*#?\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", before or "", re.MULTILINE))
    missing = [each for each in variables if each.name not in named and _SAFE_VALUE.match(each.name)]
    if before is not None:
        note = "" if missing else "it names every variable that the code reads"
        return _added(path, before, [line for each in missing for line in _variable(each)], note)
    lines = ["# Copy this file to .env and fill it in; .env is never committed.", ""]
    lines += [line for each in missing for line in _variable(each)]
    if not missing:
        lines += [
            "# The code reads no variables yet. A provider's key goes here without a value, like this:",
            "# OPENAI_API_KEY=",
        ]
    lines += [
        "",
        "# With `seawall serve` running, the app is pointed at it:",
        "# OPENAI_BASE_URL=http://127.0.0.1:8787/v1",
    ]
    return Step(path=path, action="create", lines=tuple(lines), content="\n".join(lines) + "\n")


def _variable(variable: Variable) -> list[str]:
    where = variable.path if variable.line == 0 else f"{variable.path}:{variable.line}"
    shown = "".join(char for char in where if char.isprintable())[:100]
    return [f"# {shown}", f"{variable.name}="]


def _ignored(root: Path, files: Files) -> Step:
    before, problem = _read(root / ".gitignore")
    if problem:
        return Step(path=".gitignore", action="keep", note=problem)
    stated = {line.strip().removeprefix("**/").removeprefix("/") for line in (before or "").splitlines()}
    covers = {
        ".env": {".env", ".env*", "*.env"},
        ".env.*": {".env.*", ".env*"},
        "!.env.example": {"!.env.example", "!.env.*.example", "!.env*.example"},
        ".seawall/": {".seawall/", ".seawall", ".seawall/*"},
    }
    missing = [line for line in _IGNORED if not covers[line] & stated]
    tracked = sorted(
        path
        for path in files.tracked or ()
        if re.search(r"(?:^|/)\.env(?:\.(?:local|production|development))?$", path)
    )
    note = (
        f"git still tracks {tracked[0]}: git rm --cached {tracked[0]}, and rotate what is in it"
        if tracked
        else ""
    )
    if before is None:
        content = "\n".join(missing) + "\n"
        return Step(path=".gitignore", action="create", lines=tuple(missing), note=note, content=content)
    return _added(
        ".gitignore", before, missing, note or ("" if missing else "it keeps .env and .seawall/ out already")
    )


def _hook(root: Path) -> Step:
    husky, problem = _read(root / HUSKY)
    if husky is not None and not problem:
        if "seawall check" in husky:
            return Step(path=HUSKY, action="keep", note="the hook is there already", before=husky)
        return _added(HUSKY, husky, ["seawall check --staged"], "")
    before, problem = _read(root / HOOKS)
    if problem:
        return Step(path=HOOKS, action="keep", note=problem)
    if before is None:
        content = f"repos:\n{_indented(2)}"
        return Step(path=HOOKS, action="create", lines=tuple(content.splitlines()), content=content)
    if "seawall check" in before or "seawall-check" in before:
        return Step(path=HOOKS, action="keep", note="the hook is there already", before=before)
    return _hook_added(before)


def _hook_added(before: str) -> Step:
    """Put the hook after the last one of `repos:`, indented as those are."""
    lines = before.splitlines(keepends=True)
    start = next((at for at, line in enumerate(lines) if re.match(r"repos:\s*(?:#.*)?$", line)), None)
    item = (
        None
        if start is None
        else next((m for m in (re.match(r"(\s*)- ", line) for line in lines[start + 1 :]) if m), None)
    )
    if start is None or item is None:
        return Step(
            path=HOOKS,
            action="keep",
            note="its list of repos was not understood; add this by hand",
            lines=tuple(_indented(2).splitlines()),
            before=before,
        )
    end = next(
        (at for at in range(start + 1, len(lines)) if re.match(r"[^\s#-]", lines[at])),
        len(lines),
    )
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    added = _indented(len(item[1]))
    ending = _ending(before)
    head = "".join(lines[:end])
    if not head.endswith("\n"):
        head += ending
    content = head + added.replace("\n", ending) + "".join(lines[end:])
    return Step(path=HOOKS, action="add", lines=tuple(added.splitlines()), content=content, before=before)


def _indented(spaces: int) -> str:
    return "".join(f"{' ' * spaces}{line}\n" for line in _HOOK.splitlines())


def _added(path: str, before: str, lines: list[str], note: str) -> Step:
    if not lines:
        return Step(path=path, action="keep", note=note, before=before)
    ending = _ending(before)
    head = before if not before or before.endswith("\n") else before + ending
    content = head + "".join(line + ending for line in lines)
    return Step(path=path, action="add", lines=tuple(lines), note=note, content=content, before=before)


def _ending(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _read(place: Path) -> tuple[str | None, str]:
    """Return a file's text (None where there is none), and why it must be left alone, if it must."""
    if place.is_symlink():
        return None, "it is a link, and is left alone"
    try:
        if place.exists() and not place.is_file():
            return None, "it is no file, and is left alone"
        with place.open("rb") as file:
            raw = file.read(TEXT_BYTES_MAX + 1)
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"it cannot be read ({error.strerror})"
    if len(raw) > TEXT_BYTES_MAX:
        return None, "it is too large to be changed by a program"
    try:
        return raw.decode("utf-8"), ""
    except UnicodeDecodeError:
        return None, "it is not UTF-8, and is left alone"


_HOOK = """\
- repo: local
  hooks:
    - id: seawall-check
      name: seawall check
      entry: seawall check --staged
      language: system
      always_run: true
      pass_filenames: false
"""

_CI = """\
# Looks for leaked secrets, open AI endpoints and what the app's stage asks for.
name: seawall
on:
  push:
    branches: [main]
  pull_request:
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0 # the history is looked through as well
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install seawall
      - run: seawall check --format github
"""

_SETTINGS = """\
# Seawall reads this file: the gateway (`seawall serve`) and the audit
# (`seawall check`). No keys in here: they belong in .env.
# `seawall doctor` prints every setting that is in force.

# Where your app is in its life: poc (only you), mvp (1-100 users),
# alpha (hundreds), beta (thousands), production.
stage = "{stage}"

# Where callers can turn to; stands in every error that they see.
# support_contact = "help@example.com"

# The most that may be spent. Above it calls are refused, whatever happens.
[budget]
daily_usd = "{daily}"
{monthly}

# How often one user may call; the stage has a default.
[limits]
{limits}

# Attempts to change what your app told the model: "off", "flag" or "block".
# [guard]
# mode = "block"
# topics = ["cooking and recipes"]

# Who hears that a budget is nearly spent.
# [alerts]
# webhook_url = "https://example.com/hooks/seawall"

# What only you can know, and `seawall check` asks for.
# [check.manual]
# provider-limit = {{by = "Ana", at = 2026-11-20, note = "$20 a month"}}
"""
