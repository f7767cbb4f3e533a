"""Apps, routers and blueprints: what runs before their routes, and where they are mounted.

Order does not matter in these frameworks: middleware that is added after a route still runs before it.
"""

import re
from collections.abc import Iterator
from itertools import takewhile

from msgspec import Struct, field

from seawall.check.code.bindings import Bindings, argument, everywhere, last_name
from seawall.check.code.entries_params import Applied, Parameters
from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Def,
    Dict,
    Expr,
    Function,
    Imported,
    Literal,
    Module,
    Name,
)

Key = tuple[str, str]
"""A file and the variable in it."""

WEB_WORDS = (
    "fastapi", "starlette", "litestar", "flask", "quart", "sanic", "bottle", "aiohttp", "falcon", "chalice",
    "ninja",
    "django", "rest_framework", "tornado", "http.server", "router", "Router", "blueprint", "Blueprint",
    "@app.", "middleware", "MethodView", "Depends", "nicegui", "robyn", "powertools", "_bp", "add_url_rule",
    "add_route",
)  # fmt: skip

_APPS = {
    "FastAPI",
    "Flask",
    "Quart",
    "Sanic",
    "Starlette",
    "Litestar",
    "Bottle",
    "Application",
    "NinjaAPI",
    "Chalice",
    "APIFlask",
    "OpenAPI",
}
_MAKERS = _APPS | {"APIRouter", "Blueprint", "Router", "Api", "Namespace", "RouteTableDef", "APIBlueprint"}
_MOUNTS = {
    "include_router": 0, "register_blueprint": 0, "blueprint": 0, "add_namespace": 0, "register_api": 0,
    "mount": 1, "add_subapp": 1, "add_router": 1, "add_routes": 0, "register_router": 0, "nest_blueprint": 0,
}  # fmt: skip
_BEFORE = {
    "before_request",
    "before_app_request",
    "on_request",
    "middleware",
    "before_websocket",
    "before_serving_request",
}
_OPTIONS = (
    "guards",
    "middleware",
    "middlewares",
    "auth",
    "authorizer",
    "throttle",
    "permissions",
    "method_decorators",
    "decorators",
    "route_class",
    "plugins",
)
_LIMITS = {"limit", "shared_limit", "rate_limit"}
_TEST = re.compile(r"(?:^|/)(?:tests?/|test_[^/]*$|conftest\.py$)|_test\.py$")
_CHAIN_MAX = 6
_MOUNTS_MAX = 5


class Mount(Struct):
    """A router's place in its parent; no parent: one that is not known."""

    parent: Key | None
    prefix: str
    applied: list[Applied]


class Site(Struct):
    """What was said about one app or router."""

    applied: list[Applied] = field(default_factory=list)
    mounts: list[Mount] = field(default_factory=list)


class Sites:
    """All apps and routers of the project, read once."""

    def __init__(self, bindings: Bindings, parameters: Parameters) -> None:
        self._bindings = bindings
        self._parameters = parameters
        self._sites: dict[Key, Site] = {}
        self._apps: list[Key] = []
        self._nearest: dict[str, Key | None] = {}
        self._unnamed: list[Applied] = []
        self._everywhere: dict[str, list[Applied]] = {}
        self._given: dict[Key, tuple[Module, Expr]] = {}
        # A test may mount a router in an app of its own, without what guards it in the real one.
        modules = [
            module
            for module in bindings.project.modules(*WEB_WORDS)
            if module.language == "python" and not _TEST.search(module.path)
        ]
        names = {name for module in modules for name in _made(module)}
        for module in modules:
            self._read_given(module, names)
        for module in modules:
            self._read(module)

    def key(self, module: Module, expr: Expr, depth: int = 0) -> Key | None:
        """Return which app or router an expression is."""
        bound = self._bindings.binding(module, expr)
        if bound is None and isinstance(expr, Name) and depth < _CHAIN_MAX:
            # The parameter of `def register(app)` is what that function is called with.
            caller = self._given.get((module.path, expr.id))
            return None if caller is None else self.key(*caller, depth + 1)
        return None if bound is None else (bound[0].path, bound[1])

    def chain(self, key: Key, framework: str, depth: int = 0) -> tuple[str, list[Applied]]:
        """Return the prefix of a router, and what runs before its routes, from the app inwards.

        A route of no router, such as Starlette's `Route(…)`, has the key of its file and an empty name.
        """
        prefix, own = self._constructed(key)
        site = self._sites.get(key, Site())
        own, mounts = own + site.applied, site.mounts
        if depth >= _CHAIN_MAX:
            return prefix, own
        options: list[tuple[str, list[Applied]]] = []
        for mount in mounts[:_MOUNTS_MAX]:
            parent = mount.parent if mount.parent is not None else self._nearest_app(key[0])
            above, outer = "", list[Applied]()
            if parent is not None and parent != key:
                above, outer = self.chain(parent, framework, depth + 1)
            options.append((above + mount.prefix + prefix, outer + mount.applied + own))
        if options:
            # One handler, several places: the least protected one is what a stranger takes.
            return min(options, key=lambda option: len(option[1]))
        if key not in self._apps and (app := self._nearest_app(key[0])) is not None:
            above, outer = self.chain(app, framework, depth + 1)
            return above + prefix, outer + own
        unnamed = [each for each in self._unnamed if self._nearest_app(each[0]) in {None, key}]
        everywhere = [
            each for each in self._everywhere.get(framework, []) if self._nearest_app(each[0]) in {None, key}
        ]
        return prefix, unnamed + everywhere + own

    def _nearest_app(self, path: str) -> Key | None:
        """Return the app to which something belongs that does not say where: the one that stands nearest.

        None where two are equally near: guessing wrong would hide what is unprotected.
        """
        if path not in self._nearest:
            near = sorted(((_shared(path, app[0]), app) for app in self._apps), reverse=True)
            is_tie = len(near) > 1 and near[0][0] == near[1][0]
            self._nearest[path] = None if is_tie or not near else near[0][1]
        return self._nearest[path]

    def _constructed(self, key: Key) -> tuple[str, list[Applied]]:
        """Return prefix and guards that the constructor was given."""
        module = self._bindings.project.module(key[0])
        value = None if module is None else self._bindings.value(module, key[1])
        if module is None or not isinstance(value, Call):
            return "", []
        prefix = self._bindings.text(module, argument(value, -1, "prefix", "url_prefix", "path")) or ""
        return prefix, list(self.options(module, value))

    def options(self, module: Module, call: Call) -> Iterator[Applied]:
        """Yield what the named arguments of an app, router, mount or route put before a handler."""
        listed = argument(call, -1, "dependencies")
        if isinstance(listed, Dict):
            yield from ((module.path, value) for _, value in listed.items)
        elif listed is not None:
            yield from self._parameters.dependencies(module, listed)
        for name, value in call.named:
            if name == "requires_proxy_auth" and isinstance(value, Literal) and value.value:
                yield module.path, call
            elif name in _OPTIONS:
                several = self._bindings.items(module, value)
                yield from [(home.path, _unwrapped(item)) for home, item in several] or [(module.path, value)]

    def _read_given(self, module: Module, names: set[str]) -> None:
        """Learn which apps and routers are handed to functions as arguments."""
        for call in self._bindings.calls(module):
            plain = [arg for arg in call.args if isinstance(arg, Name | Attr) and last_name(arg) in names]
            if not plain or not isinstance(call.callee, Name | Attr):
                continue
            found = self._bindings.definition(module, call.callee)
            if isinstance(found.value, Function):
                for param, arg in zip(found.value.params, call.args, strict=False):
                    if any(arg is each for each in plain):
                        self._given.setdefault((found.module.path, param.name), (module, arg))

    def _read(self, module: Module) -> None:
        for call in self._bindings.calls(module):
            self._read_call(module, call)
        for stmt in everywhere(module.body):
            if isinstance(stmt, Def):
                self._read_decorators(module, stmt.function)
            elif isinstance(stmt, Assign) and isinstance(stmt.value, Call):
                for target in stmt.targets:
                    self._read_assignment(module, target, stmt.value)

    def _read_call(self, module: Module, call: Call) -> None:
        callee = call.callee
        if isinstance(callee, Call) and isinstance(callee.callee, Attr) and call.args:
            # `limiter.limit("5/minute")(blueprint)` and `app.middleware("http")(check)`.
            if callee.callee.name in _LIMITS:
                self._apply(module, call.args[0], (module.path, callee))
            elif callee.callee.name in _BEFORE:
                self._apply(module, callee.callee.base, (module.path, call.args[0]))
            return
        if isinstance(callee, Name | Attr) and last_name(callee) == "Limiter":
            if argument(call, -1, "default_limits", "application_limits") is not None:
                for framework in ("flask", "quart"):
                    self._everywhere.setdefault(framework, []).append((module.path, call))
            return
        if isinstance(callee, Name | Attr):
            self._read_constructor(module, call)
        if not isinstance(callee, Attr):
            return
        if callee.name == "init_app" and call.args:
            self._belongs(module, callee.base, call.args[0])
        elif callee.name in _MOUNTS:
            self._read_mount(module, callee, call)
        elif callee.name == "add_middleware" and call.args:
            made = Call(call.line, call.end, call.args[0], call.args[1:], call.named)
            self._apply(module, callee.base, (module.path, made))
        elif callee.name in _BEFORE | {"register_middleware", "install"} and call.args:
            if not isinstance(call.args[0], Literal):
                self._before(module, callee, call.args[0])
        elif (
            callee.name == "append"
            and isinstance(callee.base, Attr)
            and callee.base.name == "middlewares"
            and call.args
        ):
            self._apply(module, callee.base.base, (module.path, call.args[0]))

    def _read_constructor(self, module: Module, call: Call) -> None:
        """Mount what a constructor lists: Starlette's `Mount(path, app=…)` in `routes`."""
        for home, item in self._bindings.items(
            module, argument(call, -1, "routes", "route_handlers", "registry")
        ):
            if isinstance(item, Call) and last_name(item.callee) == "Mount":
                path = self._bindings.text(home, argument(item, 0, "path")) or ""
                inner = argument(item, 1, "app", "routes")
                key = None if inner is None else self.key(home, inner)
                if key is not None:
                    self._site(key).mounts.append(Mount(None, path, list(self.options(home, item))))

    def _read_mount(self, module: Module, callee: Attr, call: Call) -> None:
        place = _MOUNTS[callee.name]
        child = argument(call, place, "router", "blueprint", "app", "subapp", "namespace")
        path = argument(call, 1 - place if place else -1, "prefix", "url_prefix", "path")
        if child is None:
            return
        if place == 0 and path is None and isinstance(child, Literal):
            return
        mount = Mount(
            self.key(module, callee.base),
            self._bindings.text(module, path) or "",
            list(self.options(module, call)),
        )
        for each in self._bindings.looped(module, child):
            key = self._dotted_key(module, each) if isinstance(each, Literal) else self.key(module, each)
            if key is not None and key != mount.parent:
                self._site(key).mounts.append(mount)

    def _dotted_key(self, module: Module, named: Literal) -> Key | None:
        """Read Ninja's `"app.api.router"`."""
        names = str(named.value).split(".")
        if len(names) < 2:
            return None
        expr: Expr = Name(named.line, named.end, names[-1])
        from_ = self._bindings.project.imported(module, Imported(".".join(names[:-1])))
        return None if from_ is None else self.key(from_, expr)

    def _read_decorators(self, module: Module, function: Function) -> None:
        for decorator in function.decorators:
            plain = decorator.callee if isinstance(decorator, Call) else decorator
            if isinstance(plain, Attr) and plain.name in _BEFORE:
                is_answer = isinstance(decorator, Call) and any(
                    isinstance(arg, Literal) and arg.value == "response" for arg in decorator.args
                )
                if not is_answer:
                    self._before(module, plain, Name(function.line, function.line, function.name))

    def _before(self, module: Module, callee: Attr, guard: Expr) -> None:
        if callee.name == "before_app_request":
            for framework in ("flask", "quart"):
                self._everywhere.setdefault(framework, []).append((module.path, guard))
        else:
            self._apply(module, callee.base, (module.path, guard))

    def _read_assignment(self, module: Module, target: Expr, value: Call) -> None:
        """Read what wraps an app: `app = Guard(app)`, `app.wsgi_app = Guard(…)`; and which apps exist."""
        if isinstance(target, Attr) and target.name in {"wsgi_app", "asgi_app"}:
            self._apply(module, target.base, (module.path, value))
        elif isinstance(target, Name) and any(isinstance(a, Name) and a.id == target.id for a in value.args):
            self._apply(module, target, (module.path, value))
        elif isinstance(target, Name | Attr) and self._is_app(module, value):
            key = self.key(module, target)
            if key is not None and key not in self._apps:
                self._apps.append(key)
        elif isinstance(target, Name | Attr) and last_name(value.callee) == "Api" and value.args:
            self._belongs(module, target, value.args[0])

    def _belongs(self, module: Module, extension: Expr, app: Expr) -> None:
        """Mount an extension such as Flask-RESTful's `Api(app)` in its app."""
        key, parent = self.key(module, extension), self.key(module, app)
        if key is not None and key != parent:
            self._site(key).mounts.append(Mount(parent, "", []))

    def _is_app(self, module: Module, value: Call) -> bool:
        if not last_name(value)[:1].isupper():
            return False
        origin = self._bindings.project.origin(module, value.callee)
        if "." in origin:
            return origin.rpartition(".")[2] in _APPS
        return any(name.rpartition(".")[2] in _APPS for name in self._own_bases(module, value))

    def _own_bases(self, module: Module, value: Call) -> Iterator[str]:
        made = self._bindings.definition(module, value.callee)
        if not isinstance(made.value, Expr | Function):
            yield from self._bindings.ancestors(made.module, made.value)

    def _apply(self, module: Module, target: Expr, applied: Applied) -> None:
        for each in self._bindings.looped(module, target):
            key = self.key(module, each)
            if key is not None:
                self._site(key).applied.append(applied)
            elif last_name(each).lower().endswith(("app", "application", "server")):
                # `def add_guards(app): app.add_middleware(…)`: which app it is stands elsewhere.
                self._unnamed.append(applied)

    def _site(self, key: Key) -> Site:
        return self._sites.setdefault(key, Site())


def _made(module: Module) -> Iterator[str]:
    """Yield the names that a file gives to apps and routers."""
    yield "app"
    for stmt in everywhere(module.body):
        if isinstance(stmt, Assign) and isinstance(stmt.value, Call) and last_name(stmt.value) in _MAKERS:
            yield from (last_name(target) for target in stmt.targets)


def _shared(one: str, other: str) -> int:
    """Count the folders that two paths have in common."""
    pairs = zip(one.split("/")[:-1], other.split("/")[:-1], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _unwrapped(item: Expr) -> Expr:
    """Take the class out of `Middleware(Guard, limit=3)` and call it instead."""
    if isinstance(item, Call) and last_name(item.callee) in {"Middleware", "DefineMiddleware"} and item.args:
        return Call(item.line, item.end, item.args[0], item.args[1:], item.named)
    return item
