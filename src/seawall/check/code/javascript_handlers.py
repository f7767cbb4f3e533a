"""What JavaScript hands to a framework: the function of an expression, its wrappers, its inputs."""

from collections.abc import Iterator

from msgspec import Struct

from seawall.check.code.ir import (
    Attr,
    Call,
    Choice,
    Class,
    Dict,
    Expr,
    Function,
    Imported,
    Items,
    Lambda,
    Literal,
    Module,
    Name,
    Spread,
)
from seawall.check.code.project import Project

Applied = list[tuple[str, Expr]]
"""What runs before a handler, each with the file in which it stands."""

_HOPS_MAX = 8
_HANDLER_KEYS = ("handler", "fetch", "resolve", "execute", "run", "handle", "callback")
_REQUESTS = frozenset({"req", "request", "event", "url", "formData"})
_NOT_CHOSEN = frozenset(
    {
        "c", "client", "context", "cookie", "cookies", "ctx", "db", "env", "fetch", "jwt", "locals", "logger",
        "next", "platform", "prisma", "redirect", "reply", "res", "response", "say", "ack", "respond",
        "server",
        "session", "set", "setHeaders", "signal", "status", "store", "user", "userId", "error",
    }
)  # fmt: skip


class Handled(Struct, gc=False):
    """A handler, the file it stands in, and the calls around it, the outer one first."""

    module: Module
    function: Function
    around: Applied


def handled(project: Project, module: Module, expr: Expr, hops: int = _HOPS_MAX) -> Handled | None:
    """Return the app's own function that an expression hands over, through wrappers, names and files."""
    if hops <= 0:
        return None
    if isinstance(expr, Lambda):
        return Handled(module, expr.function, [])
    if isinstance(expr, Call):
        return _called(project, module, expr, hops)
    if isinstance(expr, Choice):
        return next((h for e in expr.options if (h := handled(project, module, e, hops - 1))), None)
    if isinstance(expr, Dict):
        return _keyed(project, module, expr, hops)
    if not isinstance(expr, Name | Attr):
        return None
    found = project.find(module, expr)
    if found is not None and isinstance(found.value, Function):
        return Handled(found.module, found.value, [])
    there = definition(project, module, expr)
    if there is None:
        return None
    home, value = there
    if isinstance(value, Function):
        return Handled(home, value, [])
    return None if isinstance(value, Class) else handled(project, home, value, hops - 1)


def _called(project: Project, module: Module, call: Call, hops: int) -> Handled | None:
    """Look into `withAuth(handler)`, `handler.bind(x)`, `middy(handler).use(x)` and `makeHandler(db)`."""
    callee = call.callee
    if isinstance(callee, Attr) and callee.name == "bind":
        return handled(project, module, callee.base, hops - 1)
    for at in reversed(range(len(call.args))):
        inner = handled(project, module, call.args[at], hops - 1)
        if inner is not None:
            others = [*call.args[:at], *call.args[at + 1 :]]
            wrapper = Call(call.line, call.end, callee, others)
            return Handled(inner.module, inner.function, [(module.path, wrapper), *inner.around])
    if isinstance(callee, Attr) and isinstance(callee.base, Call):
        base = handled(project, module, callee.base, hops - 1)
        if base is not None:
            return Handled(base.module, base.function, [*base.around, *((module.path, a) for a in call.args)])
    found = project.find(module, call)
    if found is not None and isinstance(found.value, Function):
        return Handled(found.module, found.value, [])
    return None


def _keyed(project: Project, module: Module, options: Dict, hops: int) -> Handled | None:
    for name in _HANDLER_KEYS:
        value = entry_of(options, name)
        if value is not None:
            return handled(project, module, value, hops - 1)
    return None


def definition(
    project: Project, module: Module, expr: Expr, hops: int = _HOPS_MAX
) -> tuple[Module, Function | Class | Expr] | None:
    """Return where the app's own code defines a name, a module's field or a `require("…")`, and as what."""
    if hops <= 0:
        return None
    if isinstance(expr, Name):
        scope = project.scope(module)
        bound = scope.top.get(expr.id)
        if bound is None and expr.id in module.imports:
            return _imported(project, module, module.imports[expr.id], hops)
        bound = bound or scope.inner.get(expr.id)
        return None if bound is None or bound is expr else (module, bound)
    if isinstance(expr, Attr) and isinstance(expr.base, Name):
        source = module.imports.get(expr.base.id)
        if source is not None and source.name is None:
            return _imported(project, module, Imported(source.module, expr.name), hops)
        owner = definition(project, module, expr.base, hops - 1)
        if owner is not None and isinstance(owner[1], Dict):
            value = entry_of(owner[1], expr.name)
            return None if value is None else (owner[0], value)
    if isinstance(expr, Call) and isinstance(expr.callee, Name) and expr.callee.id in ("require", "import"):
        path = said(expr.args[0]) if expr.args else None
        return None if path is None else _imported(project, module, Imported(path), hops)
    return None


def _imported(
    project: Project, module: Module, source: Imported, hops: int
) -> tuple[Module, Function | Class | Expr] | None:
    home = project.imported(module, source)
    if home is None:
        return None
    there = project.exported_by(home, source.name or "default")
    if isinstance(there, Imported):
        return _imported(project, home, there, hops - 1) if hops > 1 else None
    return None if there is None else (home, there)


def entry_of(options: Expr | None, name: str) -> Expr | None:
    """Return what an object holds under a name."""
    if not isinstance(options, Dict):
        return None
    return next((v for k, v in options.items if isinstance(k, Literal) and k.value == name), None)


def keyed(options: Expr | None) -> Iterator[tuple[str, Expr]]:
    """Yield the named entries of an object."""
    for key, value in options.items if isinstance(options, Dict) else ():
        if isinstance(key, Literal) and isinstance(key.value, str):
            yield key.value, value


def said(expr: Expr | None) -> str | None:
    """Return what a constant string says."""
    return expr.value if isinstance(expr, Literal) and isinstance(expr.value, str) else None


def flat(exprs: list[Expr]) -> list[Expr]:
    """Return expressions with lists and spreads taken apart."""
    out: list[Expr] = []
    for expr in exprs:
        inner = expr.value if isinstance(expr, Spread) else expr
        out.extend(flat(inner.items) if isinstance(inner, Items) else [inner])
    return out


def names_in(pattern: Expr | None) -> list[str]:
    """Return the names that a parameter's pattern binds, in order."""
    if isinstance(pattern, Name):
        return [pattern.id] if pattern.id else []
    if isinstance(pattern, Dict):
        return [name for _, value in pattern.items for name in names_in(value)]
    if isinstance(pattern, Items):
        return [name for value in pattern.items for name in names_in(value)]
    return names_in(pattern.value) if isinstance(pattern, Spread) else []


class Given(Struct, gc=False):
    """What a handler's caller chooses, see `Entry`."""

    inputs: list[str]
    requests: list[str]


def given(function: Function, places: int = 1) -> Given:
    """Return what the caller chooses in the first `places` parameters: requests, or a pattern's names."""
    out = Given([], [])
    for param in function.params[:places]:
        if param.pattern is None:
            out.requests.append(param.name)
            continue
        for name in names_in(param.pattern):
            if name in _REQUESTS:
                out.requests.append(name)
            elif name not in _NOT_CHOSEN:
                out.inputs.append(name)
    return out


def all_given(function: Function) -> Given:
    """Return all parameters as chosen by the caller, as in a server action."""
    out = Given([], [])
    for param in function.params:
        if param.pattern is None:
            out.inputs.append(param.name)
        else:
            out.inputs.extend(name for name in names_in(param.pattern) if name not in _NOT_CHOSEN)
    return out
