"""What is known of libraries, read once from `knowledge.toml` and looked up by canonical name."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct, field

T = TypeVar("T")

NAMES_KEPT_MAX = 20_000

_BRACES = re.compile(r"\{([^{}]*)\}")
_CALLS = re.compile(r"\(\)|\[\]")


class ModelCall(Struct, frozen=True):
    """A call that asks a model; the fields name its options, a digit is a position."""

    names: tuple[str, ...] = ()
    kind: str = "text"
    cap: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    paid: bool = True
    demands_cap: bool = False


class Sink(Struct, frozen=True):
    """A call that does harm with what it is given; see the head of `knowledge.toml`."""

    use: str
    names: tuple[str, ...]
    args: tuple[str, ...] = ("0",)
    text: bool = False
    program: bool = False
    filter: bool = False
    markup: bool = False
    unless: tuple[str, ...] = ()
    needs: dict[str, bool] = field(default_factory=dict)


class Clean(Struct, frozen=True):
    """A call whose result is fit for some uses."""

    uses: tuple[str, ...]
    names: tuple[str, ...]


class Neutral(Struct, frozen=True):
    """Calls whose result says nothing of what they were given."""

    names: tuple[str, ...]


class Sources(Struct, frozen=True):
    """Objects and calls that give what a stranger sent."""

    objects: tuple[str, ...]
    calls: tuple[str, ...]


class Engines(Struct, frozen=True):
    """Objects that call a model when one of their methods is `asked`."""

    made: tuple[str, ...]
    words: tuple[str, ...]
    asked: tuple[str, ...]
    cap: tuple[str, ...]
    local: tuple[str, ...]


class Http(Struct, frozen=True):
    """A provider asked by plain HTTP."""

    names: tuple[str, ...]
    hosts: tuple[str, ...]
    cap: tuple[str, ...]


class Guards(Struct, frozen=True):
    """Names of checks: strict ones refuse by themselves, the result of the others must be looked at."""

    auth_strict: tuple[str, ...]
    auth_asks: tuple[str, ...]
    limit_strict: tuple[str, ...]
    limit_asks: tuple[str, ...]


class Data(Struct, frozen=True):
    """The whole of `knowledge.toml`."""

    model: tuple[ModelCall, ...]
    engines: Engines
    http: Http
    sink: tuple[Sink, ...]
    clean: tuple[Clean, ...]
    neutral: Neutral
    sources: Sources
    slow: Neutral
    guards: Guards


class Names(Generic[T]):
    """Patterns of canonical names, looked up by their last part first."""

    def __init__(self) -> None:
        self._by_last: dict[str, list[tuple[list[str], T]]] = {}
        self._wild: list[tuple[list[str], T]] = []
        self._known: dict[str, list[T]] = {}

    def add(self, pattern: str, meaning: T) -> None:
        """Give a pattern a meaning; `{a,b}` is both."""
        for name in _spread(pattern):
            parts = _parts(name)
            if "*" in parts[-1]:
                self._wild.append((parts, meaning))
            else:
                self._by_last.setdefault(_plain(parts[-1]), []).append((parts, meaning))

    def all(self, name: str) -> list[T]:
        """Return the meanings of a name, the first added first; `default` imports are the module."""
        known = self._known.get(name)
        if known is not None:
            return known
        parts = _parts(name)
        near = self._by_last.get(_plain(parts[-1]), ())
        first = _plain(parts[0])  # Most patterns begin with another library.
        found = [
            meaning
            for pattern, meaning in (*near, *self._wild)
            if ("*" in pattern[0] or pattern[0].replace("()", "") == first) and _matches(pattern, parts)
        ]
        if len(self._known) >= NAMES_KEPT_MAX:
            self._known.clear()
        self._known[name] = found
        return found

    def first(self, name: str) -> T | None:
        """Return the first meaning of a name."""
        found = self.all(name)
        return found[0] if found else None


class Knowledge:
    """The tables, ready to be asked."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.models = _names((m.names, m) for m in data.model)
        self.sinks = _names((s.names, s) for s in data.sink)
        self.cleans = _names((c.names, c) for c in data.clean)
        self.neutral = _names([(data.neutral.names, True)])
        self.sources = _names([(data.sources.objects, True)])
        self.source_calls = _names([(data.sources.calls, True)])
        self.slow = _names([(data.slow.names, True)])
        self.engines = _names([(data.engines.made, True)])
        self.http = _names([(data.http.names, True)])
        guards = data.guards
        self.guards = _names(
            [
                (guards.auth_strict, ("auth", True)),
                (guards.limit_strict, ("limit", True)),
                (guards.auth_asks, ("auth", False)),
                (guards.limit_asks, ("limit", False)),
            ]
        )
        self.engine_words = frozenset(data.engines.words)
        self.engine_asked = frozenset(data.engines.asked)


@cache
def knowledge() -> Knowledge:
    """Return the tables, read on first use."""
    text = (files("seawall.check.code") / "knowledge.toml").read_text(encoding="utf-8")
    return Knowledge(msgspec.convert(tomllib.loads(text), Data))


def _names(tables: Any) -> Names[Any]:
    names: Names[Any] = Names()
    for patterns, meaning in tables:
        for pattern in patterns:
            names.add(pattern, meaning)
    return names


def _spread(pattern: str) -> list[str]:
    found = _BRACES.search(pattern)
    if found is None:
        return [pattern]
    head, tail = pattern[: found.start()], pattern[found.end() :]
    return [whole for part in found[1].split(",") for whole in _spread(head + part + tail)]


def _plain(part: str) -> str:
    return _CALLS.sub("", part)


def _parts(name: str) -> list[str]:
    return name.replace(".default", "").removeprefix("node:").split(".")


def _matches(pattern: list[str], parts: list[str], *, is_end: bool = True) -> bool:
    """Match from the end; `**` takes any number of parts, none included."""
    at, end = len(pattern), len(parts)
    while at:
        at -= 1
        want = pattern[at]
        if want == "**":
            return at == 0 or any(
                _matches(pattern[:at], parts[:cut], is_end=False) for cut in range(end, -1, -1)
            )
        if not end:
            return False
        end -= 1
        if not _part_matches(want, parts[end], last=is_end and end == len(parts) - 1):
            return False
    return end == 0


def _part_matches(want: str, part: str, *, last: bool) -> bool:
    if want == "*":
        return True
    if "*" in want:
        return re.fullmatch(re.escape(want).replace(r"\*", ".*"), _plain(part)) is not None
    if last or "()" in want:
        return want == part
    return want == _plain(part)
