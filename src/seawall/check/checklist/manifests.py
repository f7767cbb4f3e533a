"""Which packages an app asks for, where that stands, and whether their versions are held still."""

import ast
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any, Protocol
from typing import Literal as OneOf

from msgspec import Struct, field

MANIFESTS_MAX = 200
DEPENDENCIES_MAX = 5_000
DEPTH_MAX = 6
"""Manifests deeper than this many folders are samples of somebody, not the app."""

Pin = OneOf["exact", "range", "none"]
Language = OneOf["python", "javascript"]

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(.*)")
_REQUIREMENTS = re.compile(
    r"(?:^|/)(?:[\w.-]*requirements[\w.-]*\.(?:txt|in)|requirements/[\w.-]+\.(?:txt|in))$"
)
_DEV = re.compile(r"dev|test|lint|docs?\b|typing", re.IGNORECASE)
_LOCKS: dict[str, Language] = {
    "package-lock.json": "javascript", "npm-shrinkwrap.json": "javascript", "yarn.lock": "javascript",
    "pnpm-lock.yaml": "javascript", "bun.lock": "javascript", "bun.lockb": "javascript",
    "deno.lock": "javascript",
    "poetry.lock": "python", "uv.lock": "python", "pdm.lock": "python", "Pipfile.lock": "python",
    "pylock.toml": "python", "pixi.lock": "python", "conda-lock.yml": "python",
}  # fmt: skip


class Readable(Protocol):
    """Files by path; see `check/files.py`."""

    paths: list[str]

    def text(self, path: str) -> str | None:
        """Return a file's text, or None where it cannot be read as such."""


class Dependency(Struct, frozen=True, kw_only=True):
    """A package that a manifest names. Python names are normalised (`-`, lower case)."""

    name: str
    language: Language
    path: str
    line: int
    pin: Pin
    is_dev: bool = False


class Manifests(Struct, frozen=True):
    """Every dependency of an app, its lock files, and the manifests that could not be read."""

    dependencies: list[Dependency] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    locks: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def find(self, *names: str) -> Dependency | None:
        """Return the first dependency of one of these names; a name that ends in `*` is a beginning."""
        wanted = {name for name in names if not name.endswith("*")}
        starts = tuple(name[:-1] for name in names if name.endswith("*"))
        for each in self.dependencies:
            if each.name in wanted or (starts and each.name.startswith(starts)):
                return each
        return None

    def lock_of(self, path: str) -> str | None:
        """Return the nearest lock file for a manifest: in its folder, or in one above (workspaces)."""
        language = "javascript" if PurePosixPath(path).name == "package.json" else "python"
        for folder in PurePosixPath(path).parents:
            for lock in self.locks:
                held = PurePosixPath(lock)
                if held.parent == folder and _LOCKS[held.name] == language:
                    return lock
        return None


def read_manifests(files: Readable) -> Manifests:
    """Read every manifest of an app; one that is broken is named and otherwise left out."""
    found = Manifests()
    for path in files.paths:
        if path.count("/") > DEPTH_MAX or len(found.paths) >= MANIFESTS_MAX:
            continue
        name = path.rpartition("/")[2]
        if name in _LOCKS:
            found.locks.append(path)
            continue
        reader = _reader(path, name)
        text = files.text(path) if reader else None
        if reader is None or text is None:
            continue
        found.paths.append(path)
        try:
            for each in reader(_Place(path, _lines(text)), text):
                if len(found.dependencies) < DEPENDENCIES_MAX:
                    found.dependencies.append(each)
        except (ValueError, TypeError, AttributeError, SyntaxError, RecursionError, MemoryError):
            found.broken.append(path)
    return found


def missing_in_lock(manifests: Manifests, files: Readable, path: str) -> list[str] | None:
    """Name what a manifest asks for and its lock does not hold; None where that cannot be read."""
    lock = manifests.lock_of(path)
    text = files.text(lock) if lock is not None else None
    if lock is None or text is None:
        return None
    lowered = text.lower()
    held = re.sub(r"[_.]", "-", lowered) if _LOCKS[PurePosixPath(lock).name] == "python" else lowered
    return [
        each.name
        for each in manifests.dependencies
        if each.path == path and not _holds(held, each.name.lower())
    ]


def _holds(text: str, name: str) -> bool:
    """Say whether a text holds a whole name, and not only as a part of another."""
    return name in text and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


class _Place(Struct, frozen=True):
    """A manifest and the first line on which each word of it stands."""

    path: str
    lines: dict[str, int]

    def dependency(
        self, name: str, pin: Pin, *, language: Language = "python", is_dev: bool = False
    ) -> Dependency:
        return Dependency(
            name=normal(name) if language == "python" else name,
            language=language,
            path=self.path,
            line=self.lines.get(name, 0),
            pin=pin,
            is_dev=is_dev,
        )


Reader = Callable[[_Place, str], Iterator[Dependency]]


def _reader(path: str, name: str) -> Reader | None:
    readers: dict[str, Reader] = {
        "package.json": _package_json,
        "pyproject.toml": _pyproject,
        "Pipfile": _pipfile,
        "setup.cfg": _setup_cfg,
        "setup.py": _setup_py,
        "environment.yml": _environment_yml,
        "environment.yaml": _environment_yml,
    }
    if name in readers:
        return readers[name]
    return _requirements if _REQUIREMENTS.search(path) else None


def _package_json(place: _Place, text: str) -> Iterator[Dependency]:
    tree = json.loads(text.lstrip("\ufeff"))
    for section in ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies"):
        for name, version in (tree.get(section) or {}).items():
            yield place.dependency(
                name, _npm_pin(str(version)), language="javascript", is_dev=section == "devDependencies"
            )


def _npm_pin(version: str) -> Pin:
    if re.fullmatch(r"=?v?\d+\.\d+\.\d+[\w.+-]*", version) or version.startswith(
        ("file:", "workspace:", "link:")
    ):
        return "exact"
    return "none" if version.strip() in ("", "*", "latest", "next", "x") else "range"


def _requirements(place: _Place, text: str) -> Iterator[Dependency]:
    joined = re.sub(r"\\\r?\n", lambda found: " ", text)
    is_dev = bool(_DEV.search(place.path.rpartition("/")[2]))
    for line in joined.splitlines():
        stated = line.split(" #")[0].strip()
        if not stated or stated.startswith(("#", "-", ".", "/", "git+", "http:", "https:")):
            continue
        yield from _python(place, stated, is_dev=is_dev)


def _pyproject(place: _Place, text: str) -> Iterator[Dependency]:
    tree = tomllib.loads(text)
    project = tree.get("project") or {}
    for stated in project.get("dependencies") or []:
        yield from _python(place, stated)
    groups = {**(project.get("optional-dependencies") or {}), **(tree.get("dependency-groups") or {})}
    for group, entries in groups.items():
        for stated in entries:
            if isinstance(stated, str):
                yield from _python(place, stated, is_dev=bool(_DEV.search(group)))
    poetry = (tree.get("tool") or {}).get("poetry") or {}
    yield from _table(place, poetry.get("dependencies") or {})
    yield from _table(place, poetry.get("dev-dependencies") or {}, is_dev=True)
    for group, table in (poetry.get("group") or {}).items():
        yield from _table(place, table.get("dependencies") or {}, is_dev=bool(_DEV.search(group)))


def _pipfile(place: _Place, text: str) -> Iterator[Dependency]:
    tree = tomllib.loads(text)
    yield from _table(place, tree.get("packages") or {})
    yield from _table(place, tree.get("dev-packages") or {}, is_dev=True)


def _setup_cfg(place: _Place, text: str) -> Iterator[Dependency]:
    found = re.search(r"^install_requires\s*=(.*(?:\n[ \t]+.*|\n)*)", text, re.MULTILINE)
    for line in (found[1] if found else "").splitlines():
        yield from _python(place, line)


def _setup_py(place: _Place, text: str) -> Iterator[Dependency]:
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.keyword)
            and node.arg == "install_requires"
            and isinstance(node.value, ast.List)
        ):
            for each in node.value.elts:
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield from _python(place, each.value)


def _environment_yml(place: _Place, text: str) -> Iterator[Dependency]:
    section = text.partition("dependencies:")[2]
    for line in section.splitlines():
        stated = line.split(" #")[0].strip()
        if stated.startswith("- ") and not stated.endswith(":"):
            name = stated[2:].strip().strip("\"'").rpartition("::")[2]
            yield from _python(place, re.sub(r"(?<![=<>!~])=(?!=)", "==", name))


def _table(place: _Place, table: dict[str, Any], *, is_dev: bool = False) -> Iterator[Dependency]:
    for name, stated in table.items():
        version = stated.get("version", "") if isinstance(stated, dict) else stated
        if name.lower() == "python":
            continue
        exact = re.fullmatch(r"={0,3}\s*\d+(?:\.\d+)*[\w.+-]*", str(version).strip())
        pin: Pin = "exact" if exact else "none" if version in ("", "*") else "range"
        yield place.dependency(name, pin, is_dev=is_dev)


def _python(place: _Place, stated: str, *, is_dev: bool = False) -> Iterator[Dependency]:
    found = _REQUIREMENT.match(stated)
    if not found or not stated.strip():
        return
    rest = found[2].split(";")[0].split("--hash")[0].strip()
    if re.match(r"={2,3}\s*[^*]+$", rest) or "--hash" in stated:
        pin: Pin = "exact"
    else:
        pin = "range" if rest else "none"
    yield place.dependency(found[1], pin, is_dev=is_dev)


def normal(name: str) -> str:
    """Return a Python package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _lines(text: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for word in re.findall(r"[@\w][\w./-]*", line):
            lines.setdefault(word, number)
    return lines
