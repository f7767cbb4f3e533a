"""What a Python handler's parameters hold: input of the caller, the request, or what a dependency returns."""

import re

from msgspec import Struct, field

from seawall.check.code.bindings import Bindings, argument, last_name
from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Choice,
    Class,
    Def,
    Do,
    Expr,
    Function,
    If,
    Index,
    Items,
    Literal,
    Module,
    Name,
    Op,
    Param,
    Return,
)
from seawall.check.code.walking import calls_in, statements

DEPENDENCY_DEPTH_MAX = 6

Applied = tuple[str, Expr]
"""What runs before a handler, with the file in which it stands."""

_DEPENDS = {"Depends", "Security", "Provide", "DependsOn", "Inject"}
_REQUESTS = {"Request", "HTTPConnection", "WebSocket", "ASGIConnection", "HttpRequest", "HTTPRequest"}
_GIVEN = {
    "Response", "JSONResponse", "BackgroundTasks", "BackgroundTask", "SecurityScopes", "Session",
    "AsyncSession",
    "Connection", "AsyncConnection", "Engine", "Redis", "State", "Settings", "Context", "FastMCP", "Progress",
    "SessionDep", "AsyncClient", "OpenAI", "AsyncOpenAI", "Anthropic", "AsyncAnthropic", "Collection",
    "Database",
    "AsyncIOMotorDatabase", "Logger", "StreamingResponse", "HTTPAuthorizationCredentials",
}  # fmt: skip
_REQUEST_NAMES = {"request", "req", "websocket", "ws", "socket"}
_PATH_NAME = re.compile(r"[<{](?:[^<>{}:]+:)?\s*([A-Za-z_]\w*)(?::[^<>{}]*)?[>}]|\(\?P<(\w+)>")
_PURE = {
    "int",
    "str",
    "float",
    "bool",
    "min",
    "max",
    "len",
    "strip",
    "lower",
    "upper",
    "dict",
    "list",
    "split",
    "Query",
}


class Given(Struct):
    """The parameters of a handler, sorted by who chooses their value."""

    inputs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)


def path_names(route: str | None) -> list[str]:
    """Return the names of the variable parts of a route: `{x}`, `<int:x>`, `<x:int>`, `(?P<x>…)`."""
    return [first or second for first, second in _PATH_NAME.findall(route or "")]


class Parameters:
    """Sorts parameters by their annotations, defaults and names."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings

    def injected(self, module: Module, function: Function) -> Given:
        """Sort the parameters of a handler whose framework fills them by type (FastAPI, Litestar, Ninja)."""
        given = Given()
        for param in function.params:
            if param.kind != "plain":
                continue
            target = self.dependency(module, param)
            kind = self._type_name(module, param.annotation)
            if target is not None:
                self._add_dependency(given, *target)
                if self._is_extractor(*target):
                    given.inputs.append(param.name)
            elif kind in _REQUESTS or (not kind and param.name in _REQUEST_NAMES):
                given.requests.append(param.name)
            elif kind not in _GIVEN:
                given.inputs.append(param.name)
        return given

    def by_route(self, function: Function, route: str | None, *, all_named: bool = False) -> Given:
        """Sort the parameters of a handler that gets the parts of its route, and maybe the request."""
        given = Given()
        names = path_names(route)
        for param in function.params:
            if param.kind == "plain" and param.name in _REQUEST_NAMES and param.name not in names:
                given.requests.append(param.name)
            elif param.kind == "plain" and (all_named or param.name in names):
                given.inputs.append(param.name)
        return given

    def dependency(self, module: Module, param: Param) -> tuple[Module, Expr] | None:
        """Return what fills a parameter: the callable of `Depends(…)`, and where it is named."""
        if isinstance(param.default, Call):
            found = self.unwrapped(module, param.default, param.annotation)
            if found is not None:
                return found
        home, annotation = self._annotated(module, param.annotation)
        if annotation is None:
            return None
        parts = annotation.key.items if isinstance(annotation.key, Items) else [annotation.key]
        for part in parts[1:]:
            found = self.unwrapped(home, part, parts[0])
            if found is not None:
                return found
        return None

    def unwrapped(
        self, module: Module, expr: Expr, annotation: Expr | None = None
    ) -> tuple[Module, Expr] | None:
        """Return the callable inside `Depends(…)`, also of one kept in a variable; None for anything else."""
        if not isinstance(expr, Call):
            made = self._bindings.definition(module, expr)
            if not isinstance(made.value, Call):
                return None
            module, expr = made.module, made.value
        name = self._bindings.project.origin(module, expr.callee).rpartition(".")[2]
        if name not in _DEPENDS:
            return None
        target = argument(expr, 0, "dependency", "use_cache_of") or annotation
        return None if target is None else (module, target)

    def dependencies(self, module: Module, listed: Expr | None) -> list[Applied]:
        """Return what a list of `Depends(…)` runs, in order, the dependencies of each before it."""
        given = Given()
        for home, item in self._bindings.items(module, listed):
            found = self.unwrapped(home, item)
            if found is not None:
                self._add_dependency(given, *found)
            else:
                given.applied.append((home.path, item))
        return given.applied

    def _add_dependency(self, given: Given, module: Module, target: Expr, depth: int = 0) -> None:
        """Add a dependency, those that it needs itself first."""
        if depth < DEPENDENCY_DEPTH_MAX and not _holds(given.applied, module, target):
            home, function = self._function_of(module, target)
            for param in function.params if function is not None else ():
                inner = self.dependency(home, param)
                if inner is not None:
                    self._add_dependency(given, *inner, depth + 1)
            given.applied.append((module.path, target))

    def _function_of(self, module: Module, target: Expr) -> tuple[Module, Function | None]:
        made = self._bindings.definition(module, target)
        value = made.value
        if isinstance(value, Function):
            return made.module, value
        wanted = "__init__"
        if isinstance(value, Call):
            wanted = "__call__"
            made = self._bindings.definition(made.module, value.callee)
            value = made.value
        if isinstance(value, Class):
            return self._bindings.methods(made.module, value).get(wanted, (made.module, None))
        # `Depends(require("admin"))`: the factory's own function, defined inside it.
        if isinstance(value, Function):
            inner = [stmt.function for stmt in statements(value.body) if isinstance(stmt, Def)]
            return made.module, inner[-1] if inner else None
        return made.module, None

    def _is_extractor(self, module: Module, target: Expr) -> bool:
        """Say whether a dependency only hands on what the caller sent, such as page and size of a list."""
        made = self._bindings.definition(module, target)
        if isinstance(made.value, Class):
            init = self._bindings.methods(made.module, made.value).get("__init__")
            if init is None:
                return True
            home, function = init
        elif isinstance(made.value, Function):
            home, function = made.module, made.value
        else:
            return False
        given = self.injected_plain(home, function)
        if not given or not all(isinstance(s, Assign | Do | If | Return) for s in statements(function.body)):
            return False
        return all(self._is_pure(home, call) for call in calls_in(function.body))

    def injected_plain(self, module: Module, function: Function) -> bool:
        """Say whether all parameters are plain values of the caller: no dependency, no credentials."""
        for param in function.params:
            marker = (
                self._bindings.project.origin(module, param.default.callee)
                if isinstance(param.default, Call)
                else ""
            )
            if marker.endswith(("Header", "Cookie")) or self.dependency(module, param) is not None:
                return False
            if self._type_name(module, param.annotation) in _REQUESTS | _GIVEN:
                return False
        return bool(function.params)

    def _is_pure(self, module: Module, call: Call) -> bool:
        return last_name(call) in _PURE or isinstance(
            self._bindings.definition(module, call.callee).value, Class
        )

    def _annotated(self, module: Module, annotation: Expr | None) -> tuple[Module, Index | None]:
        """Return the `Annotated[…]` that an annotation is, or stands for."""
        for option in _options(annotation):
            found = self._bindings.definition(module, option)
            if isinstance(found.value, Index):
                name = self._bindings.project.origin(found.module, found.value.base)
                if name.rpartition(".")[2] == "Annotated":
                    return found.module, found.value
        return module, None

    def _type_name(self, module: Module, annotation: Expr | None) -> str:
        """Return the last part of a type's name: `Request` of `fastapi.Request | None`; "" for none."""
        home, wrapped = self._annotated(module, annotation)
        if wrapped is not None:
            annotation = (
                wrapped.key.items[0] if isinstance(wrapped.key, Items) and wrapped.key.items else None
            )
        for option in _options(annotation):
            plain = option.base if isinstance(option, Index) else option
            if not isinstance(plain, Name | Attr):
                continue
            found = self._bindings.definition(home, plain)
            if isinstance(found.value, Class):
                return next(
                    (
                        n
                        for n in (
                            o.rpartition(".")[2] for o in self._bindings.ancestors(found.module, found.value)
                        )
                        if n in _REQUESTS
                    ),
                    "own",
                )
            name = self._bindings.project.origin(home, plain).rpartition(".")[2]
            if name:
                return name
        return ""


def _options(annotation: Expr | None) -> list[Expr]:
    """Return the types that `X | None`, `Optional[X]` and `Union[X, Y]` allow, without None."""
    if annotation is None:
        return []
    if isinstance(annotation, Op) and annotation.op == "|":
        options = annotation.operands
    elif isinstance(annotation, Choice):
        options = annotation.options
    elif isinstance(annotation, Index) and last_name(annotation.base) in {"Optional", "Union"}:
        options = annotation.key.items if isinstance(annotation.key, Items) else [annotation.key]
    else:
        options = [annotation]
    return [option for option in options if not (isinstance(option, Literal) and option.value is None)]


def _holds(applied: list[Applied], module: Module, target: Expr) -> bool:
    return any(path == module.path and expr is target for path, expr in applied)
