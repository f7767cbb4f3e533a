"""What the audit knows of a value: where its text came from, what it is called, what it is made of."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from seawall.check.code.ir import Assign, Call, Class, Function, Module, Name

INPUT, MODEL, ERROR, TRACE, SECRET, IDENTITY, ENGINE, ENV = (
    "input",  # a stranger chose it
    "model",  # a model wrote it
    "error",  # the text of a caught exception
    "trace",  # a traceback
    "secret",  # a key or password
    "identity",  # what a check of session, token or rate came to
    "engine",  # an object that calls a model when it is asked
    "env",  # configuration
)


SOURCE_DEPTH_MAX = 8
TAINTS_MAX = 16
KIND_MAX = 8
"""How much is remembered of where a value came from; a value made of hundreds of others needs no more."""
_PUBLIC = re.compile(r"(?i)public|publishable|^vite_|^next_public|token_?limit|max_?tokens|tokens$")
_SECRET = re.compile(r"(?i)(^|_)(api_?key|key|secret|token|password|passwd|pwd|credentials?|private)(_|$)")


ONE_SEGMENT = " (one part of the path)"
"""Marks a value that holds no slash: it came between two of them."""


class Taint(NamedTuple):
    """Where a part of a value came from: `source` is such as `body.url`, `cleared` what it is fit for."""

    kind: str
    source: str
    path: str
    line: int
    cleared: frozenset[str] = frozenset()


class Closure(Struct, gc=True, eq=False):
    """A function of the app with the names around it."""

    module: Module
    function: Function
    env: "Env | None" = None
    me: "Value | None" = None


class Instance(Struct, gc=True, eq=False):
    """An object of one of the app's classes; `is_shared` if it was made once, for all callers."""

    module: Module
    cls: Class
    made: Call | None = None
    is_shared: bool = False
    fields: "dict[str, Value]" = field(default_factory=dict)


class Shared(NamedTuple):
    """A list or dict at the top of a module, that all callers see."""

    path: str
    line: int
    name: str


class _Unknown:
    """The literal of a value that is not known."""


UNKNOWN = _Unknown()
NOTHING: frozenset[Taint] = frozenset()


class Value(Struct, frozen=True, gc=True, eq=False):
    """An abstract value. Never changed: changes make a new one.

    `literal` is its constant value. `items` are the known entries of an object, `elements` those of a list.
    `shape` is "text", "list", "dict" or "". `shared` is set while it is, or holds, a list that all callers
    see, `copied` if it is not that list itself; `grows` while a list is only ever appended to. `client` is
    the object with the options that a method belongs to. `prefix` is the constant that a text begins with.
    `home` is the module of a class. `at` is
    where a text was written or a list last added to. `also` are further functions that it may be.
    """

    taints: frozenset[Taint] = NOTHING
    origin: str = ""
    ref: Closure | Instance | Class | Module | None = None
    literal: object = UNKNOWN
    items: "dict[str, Value] | None" = None
    elements: "tuple[Value, ...] | None" = None
    shape: str = ""
    shared: Shared | None = None
    grows: bool = False
    copied: bool = False
    client: "Value | None" = None
    home: Module | None = None
    prefix: str = ""
    at: tuple[str, int] | None = None
    also: tuple[Closure, ...] = ()

    def has(self, kind: str, use: str = "") -> bool:
        """Say whether a part of it is of this kind, and not cleared for this use."""
        return any(t.kind == kind and (not use or use not in t.cleared) for t in self.taints)

    def of(self, kind: str, use: str = "") -> list[Taint]:
        """Return its parts of a kind that are not cleared for a use, in a stable order."""
        return sorted(t for t in self.taints if t.kind == kind and (not use or use not in t.cleared))

    def all_taints(self) -> frozenset[Taint]:
        """Return its parts' origins; those of entries and elements are among its own."""
        return self.taints


NONE = Value()


class Env:
    """The names of a function while it is walked; what is not here is in the function around it."""

    __slots__ = ("me", "module", "names", "parent")

    def __init__(self, module: Module, parent: "Env | None" = None) -> None:
        self.module, self.parent = module, parent
        self.names: dict[str, Value] = {}
        self.me: Value | None = parent.me if parent is not None else None

    def get(self, name: str) -> Value | None:
        """Return the value of a name, None if no function around knows it."""
        env: Env | None = self
        while env is not None:
            if name in env.names:
                return env.names[name]
            env = env.parent
        return None

    def set(self, name: str, value: Value) -> None:
        """Give a name a value, where it is known already or here."""
        env: Env | None = self
        while env is not None:
            if name in env.names:
                env.names[name] = value
                return
            env = env.parent
        self.names[name] = value


def few(taints: frozenset[Taint]) -> frozenset[Taint]:
    """Return a few of them: of each kind those that are fit for least, and the shortest paths."""
    if len(taints) <= TAINTS_MAX:
        return taints
    kept: list[Taint] = []
    for kind in sorted({taint.kind for taint in taints}):
        ofs = sorted(
            (t for t in taints if t.kind == kind), key=lambda t: (len(t.cleared), t.source.count("."), t)
        )
        kept += ofs[:KIND_MAX]
    return frozenset(kept[: 2 * TAINTS_MAX])


def clear(value: Value, *uses: str) -> Value:
    """Return the value fit for these uses."""
    if not value.taints and not value.items and not value.elements:
        return value
    taints = frozenset(t._replace(cleared=t.cleared.union(uses)) for t in value.taints)
    items = {k: clear(v, *uses) for k, v in value.items.items()} if value.items is not None else None
    elements = tuple(clear(v, *uses) for v in value.elements) if value.elements is not None else None
    return replace(value, taints=taints, items=items, elements=elements)


def join(values: Iterable[Value]) -> Value:
    """Return what a value may be that is one of these."""
    known = [value for value in values if value is not NONE]
    if not known:
        return NONE
    first = known[0]
    if len(known) == 1:
        return first
    taints = few(frozenset[Taint]().union(*(v.taints for v in known)))
    literal = first.literal if all(v.literal == first.literal for v in known) else UNKNOWN
    items: dict[str, Value] | None = None
    for value in known:
        if value.items is not None:
            items = items or {}
            for key, item in value.items.items():
                items[key] = item if key not in items or items[key] is item else join((items[key], item))
    elements = tuple(dict.fromkeys(e for v in known for e in v.elements or ()))[:64]
    return Value(
        taints=taints,
        origin=next((v.origin for v in known if v.origin), ""),
        ref=next((v.ref for v in known if v.ref is not None), None),
        literal=literal,
        items=items,
        elements=elements or None,
        shape=next((v.shape for v in known if v.shape), ""),
        shared=next((v.shared for v in known if v.shared is not None), None),
        grows=any(v.grows for v in known),
        copied=any(v.copied for v in known),
        client=first.client,
        home=first.home,
        at=next((v.at for v in known if v.at is not None), None),
        also=_functions(known),
        prefix=first.prefix if all(v.prefix == first.prefix for v in known) else "",
    )


def _functions(values: list[Value]) -> tuple[Closure, ...]:
    """Return the functions that a value may be, beside the first."""
    refs = [v.ref for v in values if isinstance(v.ref, Closure)] + [c for v in values for c in v.also]
    return tuple(dict.fromkeys(refs))[1:9]


def derived(values: Iterable[Value], *, origin: str = "", shape: str = "") -> Value:
    """Return a value made of these: it holds what they hold, and is none of them."""
    known = [value for value in values if value is not NONE]
    taints = few(frozenset[Taint]().union(*(v.taints for v in known))) if known else NOTHING
    shared = next((v.shared for v in known if v.shared is not None), None)
    at = next((v.at for v in known if v.grows), None)
    return Value(
        taints=taints,
        origin=origin,
        shape=shape,
        shared=shared,
        grows=any(v.grows for v in known),
        copied=shared is not None,
        at=at,
    )


def part_of(value: Value, name: str) -> Value:
    """Return a part of a value by name: what a stranger chose stays known by its path, `body.url`."""
    if not value.taints:
        return NONE if value.shared is None and not value.grows else Value(shared=value.shared)
    taints = frozenset(
        t._replace(source=f"{t.source}.{name}")
        if t.kind in {INPUT, MODEL}
        and t.source.count(".") < SOURCE_DEPTH_MAX
        and name != "[]"
        and not name.isdigit()
        else t
        for t in value.taints
    )
    return Value(taints=taints)


def setting(name: str, path: str, line: int) -> Value:
    """Return what a variable of the environment holds: a secret, if its name says so."""
    kind = SECRET if _SECRET.search(name) and not _PUBLIC.search(name) else ENV
    taint = Taint(kind, name, path, line)
    return Value(taints=frozenset({taint}), origin=f"process.env.{name}", shape="text")


def fields_of(cls: Class) -> list[str]:
    """Return the annotated fields of a class, in order."""
    return [
        target.id
        for stmt in cls.body
        if isinstance(stmt, Assign) and stmt.annotation is not None
        for target in stmt.targets
        if isinstance(target, Name)
    ]
