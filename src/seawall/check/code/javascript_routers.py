"""The routers of an app in JavaScript: what is registered at each, in order, and where each is mounted.

A router is known by its key: the file, the function it belongs to (0 for none), and the name it has there. A
router that a function is given (`function routes(app) { app.post(…) }`) is that parameter.
"""

from typing import Literal as OneOf

from msgspec import Struct, field

from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Class,
    Dict,
    Expr,
    Function,
    Imported,
    Module,
    Name,
)
from seawall.check.code.javascript_handlers import definition, entry_of, handled, said
from seawall.check.code.project import Project, returned

Key = tuple[str, int, str]

_PASSES = 4
_HOPS_MAX = 30
"""How far a router is followed from name to name; some objects lead back to themselves."""


class Step(Struct, gc=False):
    """One thing registered at a router. `child` is the router or function that a mount leads to."""

    kind: OneOf["use", "route", "mount", "inline"]
    module: Module
    line: int
    path: str | None = ""
    method: str | None = None
    handlers: list[Expr] = field(default_factory=list)
    child: Key | None = None


class Router(Struct, gc=False):
    """A router; `framework` is empty where it is not known, `prefix` stands before all of its paths."""

    key: Key
    framework: str = ""
    prefix: str = ""
    steps: list[Step] = field(default_factory=list)


class Routers:
    """All routers of a project, as `javascript_registrations` reads them: they are mounted across files."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._hops = 0
        self.all: dict[Key, Router] = {}
        self.aliases: dict[Key, Key] = {}
        self._names: dict[int, frozenset[str]] = {}

    def router(self, key: Key) -> Router:
        """Return the router of a key, made on first use."""
        for _ in range(8):
            key = self.aliases.get(key, key)
        return self.all.setdefault(key, Router(key))

    def inherit(self) -> None:
        """Give routers of no known framework, such as a plugin's parameter, that of their parent."""
        for _ in range(_PASSES):
            for router in list(self.all.values()):
                for step in router.steps:
                    child = None if step.child is None else self.router(step.child)
                    if child is not None and not child.framework:
                        child.framework = router.framework

    def key_of(self, module: Module, expr: Expr, scopes: list[Function] | None = None) -> Key | None:
        """Return the key of the router that an expression means, whether there is one or not."""
        if self._hops >= _HOPS_MAX:
            return None
        self._hops += 1
        try:
            if isinstance(expr, Name):
                return self._key_of_name(module, expr, scopes or [])
            if isinstance(expr, Attr):
                return self._key_of_attr(module, expr)
            if isinstance(expr, Call):
                return self._key_of_call(module, expr, scopes)
            return None
        finally:
            self._hops -= 1

    def _key_of_name(self, module: Module, name: Name, scopes: list[Function]) -> Key:
        for function in reversed(scopes):
            if name.id in self._own_names(function):
                return (module.path, id(function), name.id)
        if name.id in module.imports and name.id not in self.project.scope(module).top:
            return self._key_of_import(module, module.imports[name.id]) or (module.path, 0, name.id)
        bound = self.project.scope(module).top.get(name.id)
        if isinstance(bound, Name) and bound.id != name.id:
            return self._key_of_name(module, bound, [])
        if isinstance(bound, Attr) and not (isinstance(bound.base, Name) and bound.base.id == name.id):
            return self._key_of_attr(module, bound) or (module.path, 0, name.id)
        return (module.path, 0, name.id)

    def _key_of_import(self, module: Module, source: Imported, hops: int = 8) -> Key | None:
        home = self.project.imported(module, source)
        name = source.name or "default"
        if home is None or hops <= 0:
            return None
        if name in home.exports:
            local = home.exports[name]
            if local in home.imports and local not in self.project.scope(home).top:
                return self._key_of_import(home, home.imports[local], hops - 1)
            return (home.path, 0, local)
        if name in home.exported:
            value = home.exported[name]
            return self.key_of(home, value) if isinstance(value, Name | Attr) else (home.path, 0, name)
        for exported, inner in home.reexports:
            if exported in (name, "*"):
                wanted = inner if exported == name else Imported(inner.module, name)
                found = self._key_of_import(home, wanted, hops - 1)
                if found is not None:
                    return found
        return None

    def _key_of_attr(self, module: Module, expr: Attr) -> Key | None:
        """Return the key of `this.app`, `routes.chat` (a module), `new Chat().router` or `chat.router`."""
        if isinstance(expr.base, Name):
            if expr.base.id == "self":
                return (module.path, 0, f"self.{expr.name}")
            source = module.imports.get(expr.base.id)
            if source is not None and source.name is None:
                return self._key_of_import(module, Imported(source.module, expr.name))
        made = self.project.find(module, expr.base)
        if made is not None:
            cls = self.project.class_of(made)
            if isinstance(cls, Class):
                return (made.module.path, 0, f"self.{expr.name}")
        if isinstance(expr.base, Name):
            there = definition(self.project, module, expr.base)
            if there is not None and isinstance(there[1], Dict):
                value = entry_of(there[1], expr.name)
                return None if value is None else self.key_of(there[0], value)
        return None

    def _key_of_call(self, module: Module, call: Call, scopes: list[Function] | None) -> Key | None:
        """Return the key behind `router.routes()`, `require("./chat")`, `makeRouter(db)`."""
        if isinstance(call.callee, Attr) and call.callee.name in (
            "routes",
            "middleware",
            "getRouter",
            "handler",
        ):
            inner = self.key_of(module, call.callee.base, scopes)
            if inner is not None and (inner in self.all or inner in self.aliases):
                return inner
        if isinstance(call.callee, Name) and call.callee.id in ("require", "import") and call.args:
            path = said(call.args[0])
            return None if path is None else self._key_of_import(module, Imported(path))
        made = handled(self.project, module, call.callee)
        if made is None:
            return None
        value = returned(made.function)
        if isinstance(value, Name):
            return self._key_of_name(made.module, value, [made.function])
        return (made.module.path, id(made.function), "return")

    def _own_names(self, function: Function) -> frozenset[str]:
        """Return the names of a function's parameters and of what its own statements assign."""
        known = self._names.get(id(function))
        if known is None:
            names = {param.name for param in function.params if param.name}
            for statement in function.body:
                if isinstance(statement, Assign):
                    names.update(target.id for target in statement.targets if isinstance(target, Name))
            known = self._names[id(function)] = frozenset(names)
        return known
