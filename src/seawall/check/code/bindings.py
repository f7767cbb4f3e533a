"""Where a name of Python code was made: the file and the variable, however it was imported."""

from collections.abc import Iterator

from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Class,
    ClassDef,
    Def,
    Expr,
    Function,
    Imported,
    Index,
    Items,
    Lambda,
    Literal,
    Loop,
    Module,
    Name,
    Op,
    Spread,
    Stmt,
)
from seawall.check.code.project import Found, Project, returned
from seawall.check.code.walking import calls_of, functions_of, statements

STEPS_MAX = 12
ITEMS_MAX = 500


class Bindings:
    """Follows names to where they were made; unlike `Project.find` also variables and aliases of types."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._loops: dict[str, dict[str, list[Expr]]] = {}
        self._calls: dict[str, list[Call]] = {}
        self._functions: dict[str, list[Function]] = {}
        self._classes: dict[str, list[Class]] = {}

    def calls(self, module: Module) -> list[Call]:
        """Return all calls of a file."""
        if module.path not in self._calls:
            self._calls[module.path] = list(calls_of(module))
        return self._calls[module.path]

    def functions(self, module: Module) -> list[Function]:
        """Return all functions of a file, methods, inner functions and lambdas included."""
        if module.path not in self._functions:
            self._functions[module.path] = list(functions_of(module))
        return self._functions[module.path]

    def classes(self, module: Module) -> list[Class]:
        """Return all classes of a file, those inside functions and classes included."""
        if module.path not in self._classes:
            found = [stmt.cls for stmt in everywhere(module.body) if isinstance(stmt, ClassDef)]
            self._classes[module.path] = found
        return self._classes[module.path]

    def binding(self, module: Module, expr: Expr, steps: int = STEPS_MAX) -> tuple[Module, str] | None:
        """Return file and name of a variable, function, class or field (`self.x`); None if not the app's."""
        if steps <= 0:
            return None
        if isinstance(expr, Name):
            return self._name(module, expr.id, steps)
        if isinstance(expr, Attr):
            return self._attribute(module, expr, steps)
        if isinstance(expr, Call):
            return self._result(module, expr, steps)
        return None

    def definition(self, module: Module, expr: Expr, steps: int = STEPS_MAX) -> Found:
        """Return what an expression stands for; itself where it is no name of the app's own code."""
        if isinstance(expr, Lambda):
            return Found(module, expr.function)
        bound = self.binding(module, expr, steps) if isinstance(expr, Name | Attr) else None
        if bound is None:
            return Found(module, expr)
        value = self.value(*bound)
        if value is None and isinstance(expr, Attr):
            # A method: `self.handle`, `service.handle`.
            return self.project.find(module, expr) or Found(module, expr)
        if isinstance(value, Lambda):
            return Found(bound[0], value.function)
        if isinstance(value, Name | Attr) and steps > 1 and value is not expr:
            return self.definition(bound[0], value, steps - 1)
        return Found(module, expr) if value is None else Found(bound[0], value)

    def value(self, module: Module, name: str) -> Function | Class | Expr | None:
        """Return what a variable, or a field (`self.x`), was set to first."""
        scope = self.project.scope(module)
        if name.startswith("self."):
            return scope.fields.get(name[5:])
        value = scope.top.get(name)
        is_made = isinstance(value, Call) and isinstance(scope.top.get(_called(value)), Function)
        if value is None or (is_made and isinstance(scope.inner.get(name), Call)):
            # `app = create_app()`: what the factory calls by the same name.
            return scope.inner.get(name)
        return value

    def origin(self, module: Module, expr: Expr) -> str:
        """Return the canonical name; an instance of the app's own class counts as one of its library's."""
        name = self.project.origin(module, expr)
        made = self.definition(module, expr)
        if isinstance(made.value, Call):
            name = self.project.origin(made.module, made.value) or name
            cls = self.definition(made.module, made.value.callee)
            if isinstance(cls.value, Class):
                library = next((o for o in self.ancestors(cls.module, cls.value) if "." in o), "")
                return f"{library}()" if library else name
        return name

    def ancestors(self, module: Module, cls: Class, steps: int = 5) -> Iterator[str]:
        """Yield the canonical names of a class's bases, and of theirs."""
        for base in cls.bases if steps > 0 else ():
            plain = base.base if isinstance(base, Index) else base
            yield self.project.origin(module, plain)
            parent = self.definition(module, plain)
            if isinstance(parent.value, Class) and parent.value is not cls:
                yield from self.ancestors(parent.module, parent.value, steps - 1)

    def methods(self, module: Module, cls: Class, steps: int = 4) -> dict[str, tuple[Module, Function]]:
        """Return the methods of a class by name, those of its bases in the app included."""
        found: dict[str, tuple[Module, Function]] = {}
        for base in reversed(cls.bases) if steps > 0 else ():
            parent = self.definition(module, base.base if isinstance(base, Index) else base)
            if isinstance(parent.value, Class) and parent.value is not cls:
                found |= self.methods(parent.module, parent.value, steps - 1)
        for stmt in statements(cls.body):
            if isinstance(stmt, Def):
                found[stmt.function.name] = (module, stmt.function)
        return found

    def items(self, module: Module, expr: Expr | None, steps: int = 6) -> list[tuple[Module, Expr]]:
        """Return the elements of a list with their files, also of one in a variable, added or spread."""
        if expr is None or steps <= 0:
            return []
        if isinstance(expr, Items):
            found: list[tuple[Module, Expr]] = []
            for item in expr.items[:ITEMS_MAX]:
                found += (
                    self.items(module, item.value, steps - 1)
                    if isinstance(item, Spread)
                    else [(module, item)]
                )
            return found
        if isinstance(expr, Op) and expr.op == "+":
            return [pair for part in expr.operands for pair in self.items(module, part, steps - 1)]
        made = self.definition(module, expr)
        if isinstance(made.value, Items | Op):
            return self.items(made.module, made.value, steps - 1)
        return []

    def text(self, module: Module, expr: Expr | None) -> str | None:
        """Return the string that an expression stands for."""
        if expr is None:
            return None
        value = self.definition(module, expr).value
        return value.value if isinstance(value, Literal) and isinstance(value.value, str) else None

    def looped(self, module: Module, expr: Expr) -> list[Expr]:
        """Return what a loop's variable runs through, or the expression itself."""
        if module.path not in self._loops:
            loops: dict[str, list[Expr]] = {}
            for stmt in everywhere(module.body):
                if isinstance(stmt, Loop) and isinstance(stmt.target, Name) and stmt.iterable is not None:
                    loops.setdefault(stmt.target.id, []).extend(
                        item for _, item in self.items(module, stmt.iterable)
                    )
            self._loops[module.path] = loops
        if isinstance(expr, Name):
            return self._loops[module.path].get(expr.id) or [expr]
        if (
            isinstance(expr, Attr)
            and isinstance(expr.base, Name)
            and expr.base.id in self._loops[module.path]
        ):
            runs = self._loops[module.path][expr.base.id]
            return [Attr(expr.line, expr.end, item, expr.name) for item in runs]
        return [expr]

    def module_at(self, module: Module, expr: Expr) -> Module | None:
        """Return the app's module that is named: `deps` of `from app.api import deps`, `app.api.deps`."""
        if isinstance(expr, Name):
            imported = module.imports.get(expr.id)
            if imported is None:
                return None
            if imported.name is None:
                return self.project.imported(module, imported)
            return self.project.imported(module, _inside(imported, imported.name))
        names = dotted(expr)
        first = module.imports.get(names[0]) if names else None
        if first is None:
            return None
        whole = first if first.name is None else _inside(first, first.name)
        for name in names[1:]:
            whole = _inside(whole, name)
        return self.project.imported(module, whole)

    def _name(self, module: Module, name: str, steps: int) -> tuple[Module, str] | None:
        scope = self.project.scope(module)
        if name in scope.top:
            return self._alias(module, name, scope.top[name], steps)
        imported = module.imports.get(name)
        if imported is not None and imported.name is not None:
            home = self.project.imported(module, imported)
            return None if home is None else self._name(home, imported.name, steps - 1) if steps > 1 else None
        if name in scope.inner:
            return self._alias(module, name, scope.inner[name], steps)
        for _, star in module.reexports if steps > 1 else ():
            home = self.project.imported(module, star)
            found = None if home is None else self._name(home, name, steps - 1)
            if found is not None:
                return found
        return None

    def _alias(
        self, module: Module, name: str, value: Function | Class | Expr, steps: int
    ) -> tuple[Module, str]:
        if isinstance(value, Name | Attr) and not (isinstance(value, Name) and value.id == name):
            return self.binding(module, value, steps - 1) or (module, name)
        if isinstance(value, Call) and steps > 1:
            # `app = create_app()` is the variable that the factory gives back.
            return self._result(module, value, steps - 1) or (module, name)
        return module, name

    def _attribute(self, module: Module, expr: Attr, steps: int) -> tuple[Module, str] | None:
        if isinstance(expr.base, Name) and expr.base.id == "self":
            return module, f"self.{expr.name}"
        home = self.module_at(module, expr.base)
        if home is not None:
            return self._name(home, expr.name, steps - 1)
        base = self.definition(module, expr.base, steps - 1)
        if isinstance(base.value, Call):
            cls = self.definition(base.module, base.value.callee, steps - 1)
            if isinstance(cls.value, Class):
                return cls.module, f"self.{expr.name}"
        return None

    def _result(self, module: Module, expr: Call, steps: int) -> tuple[Module, str] | None:
        """Return the variable that a factory of the app gives back."""
        made = self.definition(module, expr.callee, steps - 1)
        if not isinstance(made.value, Function):
            return None
        given = returned(made.value)
        if not isinstance(given, Name):
            return None if given is None else self.binding(made.module, given, steps - 1)
        for stmt in statements(made.value.body):
            if isinstance(stmt, Assign) and any(
                isinstance(t, Name) and t.id == given.id for t in stmt.targets
            ):
                inner = None if stmt.value is None else self.binding(made.module, stmt.value, steps - 1)
                return inner or (made.module, given.id)
        return self.binding(made.module, given, steps - 1)


def _called(call: Call) -> str:
    return call.callee.id if isinstance(call.callee, Name) else ""


def dotted(expr: Expr) -> list[str]:
    """Split `a.b.c` into its names; empty for anything else."""
    names: list[str] = []
    while isinstance(expr, Attr):
        names.append(expr.name)
        expr = expr.base
    return [expr.id, *reversed(names)] if isinstance(expr, Name) else []


def last_name(expr: Expr) -> str:
    """Return the last part of a name or of what is called: `limit` of `limiter.limit("3/minute")`."""
    plain = expr.callee if isinstance(expr, Call) else expr
    return plain.name if isinstance(plain, Attr) else plain.id if isinstance(plain, Name) else ""


def everywhere(body: list[Stmt]) -> Iterator[Stmt]:
    """Yield all statements of a body, those of inner functions and classes included."""
    for stmt in statements(body):
        yield stmt
        if isinstance(stmt, Def):
            yield from everywhere(stmt.function.body)
        elif isinstance(stmt, ClassDef):
            yield from everywhere(stmt.cls.body)


def argument(call: Call, place: int, *names: str) -> Expr | None:
    """Return an argument by place or by one of its names; a place below 0 means by name only."""
    for name, value in call.named:
        if name in names:
            return value
    plain = [arg for arg in call.args if not isinstance(arg, Spread)]
    return plain[place] if 0 <= place < len(plain) else None


def _inside(imported: Imported, name: str) -> Imported:
    return Imported(f"{imported.module}.{name}" if imported.module else name, None, imported.level)
