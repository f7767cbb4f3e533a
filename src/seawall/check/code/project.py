"""All code of the app, read where it is needed, and what a name in one file means in another."""

from collections.abc import Callable, Iterable, Iterator

from ahocorasick_rs import AhoCorasick
from msgspec import Struct

from seawall.check.code.imports import JS_SUFFIXES, Imports
from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Choice,
    Class,
    ClassDef,
    Def,
    Dict,
    Expr,
    Function,
    Imported,
    Index,
    Items,
    Lambda,
    Literal,
    Module,
    Name,
    Return,
    Stmt,
    With,
)
from seawall.check.code.walking import calls_of, functions_of, statements

CODE_SUFFIXES = (".py", ".pyw", ".ipynb", ".html", ".htm", *JS_SUFFIXES)
MANIFESTS = ("package.json", "requirements.txt", "pyproject.toml", "Pipfile", "setup.py", "environment.yml")
RESOLVES = frozenset({"resolve", "get", "get_instance", "getInstance", "getService", "create", "inject"})
STEPS_MAX = 12
"""How many hops a name is followed: assignments, imports and re-exports."""


class Found(Struct, gc=False):
    """Something of the app's own code. An instance is the `Call` that made it."""

    module: Module
    value: Function | Class | Expr


class Scope(Struct, gc=False):
    """The names of a module: those at its top, and the first meaning of those inside its functions."""

    top: dict[str, Function | Class | Expr]
    inner: dict[str, Function | Class | Expr]
    fields: dict[str, Expr]
    classes: dict[str, Class]


class Project:
    """The code of an app; `read` gives a file's bytes, None where it cannot be read."""

    def __init__(self, paths: Iterable[str], read: Callable[[str], bytes | None]) -> None:
        self.paths = list(paths)
        self.code_paths = [path for path in self.paths if path.endswith(CODE_SUFFIXES)]
        self.read = read
        self._modules: dict[str, Module | None] = {}
        self._scopes: dict[str, Scope] = {}
        self._homes: dict[tuple[str, str, int], str | None] = {}
        self._names: dict[tuple[str, str], Found | None] = {}
        self._origins: dict[tuple[str, str], str] = {}
        self.kept: dict[str, object] = {}
        """What others keep for this project, under the name of their module."""
        self._imports = Imports(self.paths, self.text)

    def text(self, path: str) -> str | None:
        """Return a file as text; what is not UTF-8 in it is replaced."""
        data = self.read(path)
        return None if data is None else data.decode("utf-8", "replace")

    def uses(self, packages: tuple[str, ...]) -> bool:
        """Say whether a manifest of the app names one of these packages, or a read file imports one."""
        known = self.kept.get(packages[0])
        if isinstance(known, bool):
            return known
        texts = (self.text(path) or "" for path in self.paths if path.endswith(MANIFESTS))
        found = any(package in text for text in texts for package in packages) or any(
            name.module.split(".")[0] in packages
            for module in self._modules.values()
            if module is not None
            for name in module.imports.values()
        )
        self.kept[packages[0]] = found
        return found

    def module(self, path: str) -> Module | None:
        """Return a file in the common form; None where it is no code or too broken to read."""
        if path not in self._modules:
            data = self.read(path) if path.endswith(CODE_SUFFIXES) else None
            self._modules[path] = None if data is None else _lower(path, data)
        return self._modules[path]

    def unread(self) -> list[str]:
        """Return the code files that were to be read so far and could not be."""
        return [path for path, module in self._modules.items() if module is None]

    def modules(self, *words: str, skip: Callable[[str, str], bool] | None = None) -> Iterator[Module]:
        """Yield the files that hold one of these words (all, if none is given) and are not skipped."""
        finder = AhoCorasick(words) if words else None
        for path in self.code_paths:
            if finder is not None or skip is not None:
                text = self.text(path)
                if text is None or (skip is not None and skip(path, text)):
                    continue
                if finder is not None and not finder.find_matches_as_indexes(text):
                    continue
            module = self.module(path)
            if module is not None:
                yield module

    def calls(self, *words: str) -> Iterator[tuple[Module, Call, str]]:
        """Yield every call, with its canonical name, of the files whose text holds one of the words."""
        for module in self.modules(*words):
            for call in calls_of(module):
                yield module, call, self.origin(module, call.callee)

    def scope(self, module: Module) -> Scope:
        """Return the names of a module."""
        if module.path not in self._scopes:
            self._scopes[module.path] = _scope_of(module)
        return self._scopes[module.path]

    def imported(self, module: Module, name: Imported) -> Module | None:
        """Return the app's own module that an import reads from."""
        key = (module.path, name.module, name.level)
        if key not in self._homes:
            if module.language == "python":
                self._homes[key] = self._imports.python(*key)
            else:
                self._homes[key] = self._imports.javascript(module.path, name.module)
        path = self._homes[key]
        return None if path is None else self.module(path)

    def origin(self, module: Module, expr: Expr, steps: int = STEPS_MAX) -> str:
        """Return the canonical dotted name of an expression, `""` where it has none.

        `OpenAI()` of the library `openai` is `openai.OpenAI()`; a call's result ends in `()`, an element in
        `[]`.
        """
        if steps <= 0:
            return ""
        if isinstance(expr, Name):
            return self._origin_of_name(module, expr.id, steps)
        if isinstance(expr, Attr):
            return self._origin_of_attr(module, expr, steps)
        if isinstance(expr, Call):
            callee = self.origin(module, expr.callee, steps - 1)
            return callee + "()" if callee else ""
        if isinstance(expr, Index):
            base = self.origin(module, expr.base, steps - 1)
            return base + "[]" if base else ""
        if isinstance(expr, Choice):
            return next((o for o in (self.origin(module, e, steps - 1) for e in expr.options) if o), "")
        return ""

    def find(self, module: Module, expr: Expr, steps: int = STEPS_MAX) -> Found | None:
        """Return what an expression refers to in the app's own code; None outside of it."""
        if steps <= 0:
            return None
        if isinstance(expr, Lambda):
            return Found(module, expr.function)
        if isinstance(expr, Name):
            return self._find_name(module, expr.id, steps)
        if isinstance(expr, Attr):
            return self._find_attr(module, expr, steps)
        if isinstance(expr, Call):
            made = self.find(module, expr.callee, steps - 1)
            if made is None and isinstance(expr.callee, Attr) and expr.callee.name in RESOLVES and expr.args:
                made = self.find(module, expr.args[0], steps - 1)  # A container gives an object of a class.
                if made is not None and not isinstance(made.value, Class):
                    return None
            if made is None:
                return None
            if isinstance(made.value, Class):
                return Found(
                    made.module, Call(expr.line, expr.end, Name(expr.line, expr.end, made.value.name))
                )
            if isinstance(made.value, Function):
                given = returned(made.value)
                return self.find(made.module, given, steps - 1) if given is not None else None
        if isinstance(expr, (Dict, Items)):
            return Found(module, expr)
        return None

    def member(self, found: Found, name: str, steps: int = STEPS_MAX) -> Found | None:
        """Return an attribute of something found: a method, a field, an entry of an object."""
        value = found.value
        if isinstance(value, Call):  # An instance: its class stands under the name of the callee.
            value = self.class_of(found) or value
        if isinstance(value, Class):
            return self._class_member(found.module, value, name, steps)
        if isinstance(value, Dict):
            for key, item in value.items:
                if isinstance(key, Literal) and key.value == name:
                    return self.find(found.module, item, steps - 1) or Found(found.module, item)
        return None

    def implementation(self, name: str) -> tuple[Module, Class] | None:
        """Return the first class of the app that has this base: what an interface stands for."""
        if "classes by base" not in self.kept:
            by_base: dict[str, tuple[Module, Class]] = {}
            for module in [m for m in self._modules.values() if m is not None]:
                for cls in self.scope(module).classes.values():
                    for base in cls.bases:
                        by_base.setdefault(getattr(base, "id", getattr(base, "name", "")), (module, cls))
            self.kept["classes by base"] = by_base
        known = self.kept["classes by base"]
        assert isinstance(known, dict)
        found: tuple[Module, Class] | None = known.get(name)
        return found

    def auto_imported(self, module: Module, name: str) -> Module | None:
        """Return the file of `server/utils` whose export Nuxt gives to all files of the server."""
        if module.language != "javascript" or "server/" not in module.path:
            return None
        if "auto imports" not in self.kept:
            shared = [p for p in self.code_paths if "server/utils/" in p and p.endswith(JS_SUFFIXES)]
            found = [one for one in map(self.module, shared) if one is not None]
            self.kept["auto imports"] = {n: one for one in found for n in (*one.exports, *one.exported)}
        known = self.kept["auto imports"]
        assert isinstance(known, dict)
        return known.get(name)

    def class_of(self, found: Found) -> Class | None:
        """Return the class of an instance."""
        if isinstance(found.value, Class):
            return found.value
        if isinstance(found.value, Call) and isinstance(found.value.callee, Name):
            return self.scope(found.module).classes.get(found.value.callee.id)
        return None

    def _origin_of_name(self, module: Module, name: str, steps: int) -> str:
        key = (module.path, name)
        if key not in self._origins:
            origin = self._origin_of_bound(module, name, steps)
            if steps < STEPS_MAX // 2:
                return origin
            self._origins[key] = origin
        return self._origins[key]

    def _origin_of_bound(self, module: Module, name: str, steps: int) -> str:
        scope = self.scope(module)
        bound = scope.top.get(name)
        if bound is None and name in module.imports:
            return self._origin_of_import(module, module.imports[name], steps)
        if bound is None:
            bound = scope.inner.get(name)
        if bound is None or isinstance(bound, (Function, Class)):
            return name
        if isinstance(bound, Name) and bound.id == name:
            return name
        return self.origin(module, bound, steps - 1) or name

    def _origin_of_import(self, module: Module, name: Imported, steps: int) -> str:
        home = self.imported(module, name)
        if home is None:
            return f"{name.module}.{name.name}" if name.name else name.module
        if name.name is None:
            return name.module
        there = self.exported_by(home, name.name, steps)
        if isinstance(there, Imported):
            return self._origin_of_import(home, there, steps - 1) if steps > 0 else ""
        if isinstance(there, Expr):
            return self.origin(home, there, steps - 1) or name.name
        return name.name

    def _origin_of_attr(self, module: Module, expr: Attr, steps: int) -> str:
        if isinstance(expr.base, Name):
            if expr.base.id == "self":
                field = self.scope(module).fields.get(expr.name)
                known = self.origin(module, field, steps - 1) if field is not None else ""
                return known or f"self.{expr.name}"
            name = module.imports.get(expr.base.id)
            if name is not None and expr.base.id not in self.scope(module).top:
                home = self.module_behind(module, name)
                if home is not None:  # `llm.client` of `import llm`: go on where it is defined.
                    return self.origin(home, Name(expr.line, expr.end, expr.name), steps - 1)
        found = self.find(module, expr.base, steps - 1)
        if found is not None:
            member = self.member(found, expr.name, steps - 1)
            if member is not None and isinstance(member.value, Expr):
                return self.origin(member.module, member.value, steps - 1) or expr.name
        base = self.origin(module, expr.base, steps - 1)
        return f"{base}.{expr.name}" if base else expr.name

    def module_behind(self, module: Module, name: Imported) -> Module | None:
        """Return the module that a name stands for: `import a`, `from pkg import a`, `import * as a`."""
        home = self.imported(module, name)
        if name.name is not None and home is None and module.language == "python":
            whole = (
                f"{name.module}.{name.name}" if name.module else name.name
            )  # A folder without `__init__.py`.
            path = self._imports.python(module.path, whole, name.level)
            return None if path is None else self.module(path)
        if name.name is None or home is None:
            return home
        if module.language == "python" and home.path.endswith("__init__.py"):
            inside = self._imports.submodule(home.path, name.name)
            return None if inside is None else self.module(inside)
        if module.language == "python" and not name.module:
            path = self._imports.python(module.path, name.name, name.level)
            return None if path is None else self.module(path)
        return None

    def _find_name(self, module: Module, name: str, steps: int) -> Found | None:
        key = (module.path, name)
        if key in self._names:
            return self._names[key]
        found = self._look_up(module, name, steps)
        if steps >= STEPS_MAX // 2:  # What was given up on half-way may be found on a shorter way.
            self._names[key] = found
        return found

    def _look_up(self, module: Module, name: str, steps: int) -> Found | None:
        scope = self.scope(module)
        bound = scope.top.get(name)
        if bound is None and name in module.imports:
            return self._find_import(module, module.imports[name], steps - 1)
        if bound is None:
            bound = scope.inner.get(name)
        if bound is None:
            return None
        if isinstance(bound, (Function, Class)):
            return Found(module, bound)
        return self.find(module, bound, steps - 1)

    def _find_import(self, module: Module, name: Imported, steps: int) -> Found | None:
        home = self.imported(module, name)
        if home is None or name.name is None or steps <= 0:
            return None
        there = self.exported_by(home, name.name, steps)
        if isinstance(there, Imported):
            return self._find_import(home, there, steps - 1)
        if isinstance(there, (Function, Class)):
            return Found(home, there)
        return None if there is None else self.find(home, there, steps - 1)

    def exported_by(
        self, home: Module, name: str, steps: int = STEPS_MAX
    ) -> Function | Class | Expr | Imported | None:
        """Return what another file gets under this name; an `Imported` is to be followed from there."""
        if home.language == "python":
            if name in self.scope(home).top:
                return self.scope(home).top[name]
            return home.imports.get(name)
        if name in home.exported:
            return home.exported[name]
        local = home.exports.get(name)
        if local is not None:
            return self.scope(home).top.get(local) or home.imports.get(local)
        for exported, source in home.reexports:
            if exported == name:
                return source
        for exported, source in home.reexports:
            behind = self.imported(home, source) if exported == "*" and steps > 0 else None
            there = self.exported_by(behind, name, steps - 1) if behind is not None else None
            if there is not None:
                return Imported(source.module, name, source.level)
        return None

    def _find_attr(self, module: Module, expr: Attr, steps: int) -> Found | None:
        scope = self.scope(module)
        if isinstance(expr.base, Name):
            if expr.base.id == "self":
                for cls in scope.classes.values():
                    found = self._class_member(module, cls, expr.name, steps - 1)
                    if found is not None:
                        return found
                return None
            name = module.imports.get(expr.base.id)
            if name is not None and expr.base.id not in scope.top:
                home = self.module_behind(module, name)
                if home is not None and home.language == "python":
                    return self._find_name(home, expr.name, steps - 1)
                if home is not None:
                    return self._find_import(module, Imported(name.module, expr.name, name.level), steps - 1)
        found = self.find(module, expr.base, steps - 1)
        return None if found is None else self.member(found, expr.name, steps - 1)

    def _class_member(self, module: Module, cls: Class, name: str, steps: int) -> Found | None:
        for stmt in cls.body:
            if isinstance(stmt, Def) and stmt.function.name == name:
                return Found(module, stmt.function)
        for field in _fields_of(cls):
            if field[0] == name:
                return self.find(module, field[1], steps - 1)
        for base in cls.bases if steps > 0 else ():
            parent = self.find(module, base, steps - 1)
            if parent is not None and isinstance(parent.value, Class) and parent.value is not cls:
                found = self._class_member(parent.module, parent.value, name, steps - 1)
                if found is not None:
                    return found
        return None


def returned(function: Function) -> Expr | None:
    """Return the value of a function's last `return`, at any depth of blocks but not of inner functions."""
    values = [s.value for s in statements(function.body) if isinstance(s, Return) and s.value is not None]
    return values[-1] if values else None


def _lower(path: str, data: bytes) -> Module | None:
    if path.endswith(".ipynb"):
        from seawall.check.code.python import lower_notebook  # noqa: PLC0415 - read only where there is one

        return lower_notebook(path, data)
    if path.endswith((".py", ".pyw")):
        from seawall.check.code import python  # noqa: PLC0415 - an app in JavaScript needs none of it

        return python.lower(path, data)
    from seawall.check.code import javascript  # noqa: PLC0415 - loads the grammars

    return javascript.lower(path, data)


def _scope_of(module: Module) -> Scope:
    top: dict[str, Function | Class | Expr] = {}
    inner: dict[str, Function | Class | Expr] = {}
    fields: dict[str, Expr] = {}
    classes: dict[str, Class] = {}
    for stmt in statements(module.body):
        _bind(stmt, top, classes)
    for body in (f.body for f in functions_of(module)):
        for stmt in statements(body):
            _bind(stmt, inner, classes)
            if isinstance(stmt, Assign) and stmt.value is not None:
                for target in stmt.targets:
                    if (
                        isinstance(target, Attr)
                        and isinstance(target.base, Name)
                        and target.base.id == "self"
                    ):
                        fields.setdefault(target.name, stmt.value)
    for cls in classes.values():
        for name, value in _fields_of(cls):
            fields.setdefault(name, value)
    return Scope(top, inner, fields, classes)


def _bind(stmt: Stmt, names: dict[str, Function | Class | Expr], classes: dict[str, Class]) -> None:
    if isinstance(stmt, Def):
        names.setdefault(stmt.function.name, stmt.function)
    elif isinstance(stmt, ClassDef):
        names.setdefault(stmt.cls.name, stmt.cls)
        classes.setdefault(stmt.cls.name, stmt.cls)
    elif isinstance(stmt, Assign) and stmt.value is not None and not stmt.augmented:
        for target in stmt.targets:
            _bind_target(target, stmt.value, names)
    elif isinstance(stmt, With):
        for item, to in stmt.items:
            if to is not None:
                _bind_target(to, item, names)


def _bind_target(target: Expr, value: Expr, names: dict[str, Function | Class | Expr]) -> None:
    if isinstance(target, Name):
        known = names.get(target.id)
        if known is None or (
            isinstance(known, Literal) and known.value is None
        ):  # `client = None` is filled later.
            names[target.id] = value.function if isinstance(value, Lambda) else value
    elif isinstance(target, Dict):
        for key, to in target.items:
            if isinstance(key, Literal) and isinstance(key.value, str):
                _bind_target(to, Attr(to.line, to.end, value, key.value), names)
    elif isinstance(target, Items):
        for place, to in enumerate(target.items):
            part = value.items[place] if isinstance(value, Items) and place < len(value.items) else None
            at = Literal(to.line, to.end, place)
            _bind_target(to, part if part is not None else Index(to.line, to.end, value, at), names)


def _fields_of(cls: Class) -> Iterator[tuple[str, Expr]]:
    """Yield what a class's attributes and `self.…` are set to."""
    for stmt in cls.body:
        if isinstance(stmt, Assign) and stmt.value is not None:
            for target in stmt.targets:
                if isinstance(target, Name):
                    yield target.id, stmt.value
        if isinstance(stmt, Def):
            for inside in statements(stmt.function.body):
                if isinstance(inside, Assign) and inside.value is not None:
                    for target in inside.targets:
                        if (
                            isinstance(target, Attr)
                            and isinstance(target.base, Name)
                            and target.base.id == "self"
                        ):
                            yield target.name, inside.value
