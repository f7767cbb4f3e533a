"""Routes of Python's web frameworks: decorated functions and classes, and handlers that a call registers."""

from collections.abc import Iterator

from msgspec import Struct

from seawall.check.code.bindings import Bindings, argument, dotted, last_name
from seawall.check.code.entries import Entry
from seawall.check.code.entries_params import Applied, Given, Parameters
from seawall.check.code.entries_sites import Sites
from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Class,
    Expr,
    Function,
    Literal,
    Module,
    Name,
)

FRAMEWORKS = {
    "fastapi": "fastapi", "fastapi_utils": "fastapi", "fastapi_restful": "fastapi", "starlette": "starlette",
    "litestar": "litestar", "starlite": "litestar", "esmerald": "litestar", "flask": "flask",
    "apiflask": "flask",
    "flask_openapi3": "flask", "flask_restful": "flask", "flask_restx": "flask", "flask_smorest": "flask",
    "flask_classful": "flask", "connexion": "flask", "quart": "quart", "sanic": "sanic", "bottle": "bottle",
    "aiohttp": "aiohttp", "falcon": "falcon", "chalice": "chalice", "ninja": "ninja", "ninja_extra": "ninja",
    "tornado": "tornado", "robyn": "robyn", "aws_lambda_powertools": "powertools", "nicegui": "nicegui",
    "microdot": "microdot", "blacksheep": "blacksheep", "modal": "modal",
}  # fmt: skip

_INJECTING = {"fastapi", "litestar", "ninja", "blacksheep", "modal"}
_METHODS = {"get", "post", "put", "patch", "delete", "head", "options"}
_VERBS = _METHODS | {
    "route", "api_route", "websocket", "websocket_route", "view", "api_operation", "add_route", "page", "any",
    "websocket_stream", "http_route", "query", "fastapi_endpoint", "web_endpoint",
}  # fmt: skip
_SOCKETS = {
    "websocket",
    "websocket_route",
    "websocket_stream",
    "WebSocketRoute",
    "add_websocket_route",
    "add_api_websocket_route",
}
_APP_WORDS = (
    "app",
    "api",
    "router",
    "route",
    "bp",
    "blueprint",
    "server",
    "web",
    "site",
    "ns",
    "blp",
    "application",
)
_REGISTERED = {
    # The method of an app or router, the place of the path and of the handler.
    "add_api_route": (0, 1), "add_route": (0, 1), "add_websocket_route": (0, 1),
    "add_api_websocket_route": (0, 1),
    "add_url_rule": (0, 2), "add_get": (0, 1), "add_post": (0, 1), "add_put": (0, 1), "add_patch": (0, 1),
    "add_delete": (0, 1), "add_view": (0, 1), "add_resource": (1, 0),
}  # fmt: skip
_ROUTE_CALLS = {"Route", "WebSocketRoute", "APIRoute", "APIWebSocketRoute"}
_CLASS_METHODS = (
    _METHODS
    | {f"on_{name}" for name in _METHODS}
    | {"dispatch_request", "on_receive", "on_connect", "websocket", "on_websocket"}
)
_FED_BY_DECORATOR = {
    "arguments",
    "use_args",
    "use_kwargs",
    "validate",
    "expects_json",
    "input",
    "parse_params",
    "spec",
}


class _Route(Struct):
    """A route as it was declared: on which app or router, and with which options."""

    verb: str
    path: str | None
    base: Expr | None
    framework: str
    options: Call | None
    methods: str | None


class Routes:
    """Finds the routes of a module."""

    def __init__(self, bindings: Bindings, parameters: Parameters, sites: Sites) -> None:
        self._bindings = bindings
        self._parameters = parameters
        self._sites = sites

    def of(self, module: Module) -> Iterator[Entry]:
        """Yield the routes that a module declares; a handler may stand in another file."""
        guess = self._framework_of_file(module)
        seen: set[int] = set()
        classes = self._bindings.classes(module)
        for function in self._bindings.functions(module):
            route = self._decorated(module, function.decorators, guess)
            if route is not None and id(function) not in seen:
                seen.add(id(function))
                yield self._entry(
                    module, function, route, self._class_options(module, _owner(classes, function))
                )
        for cls in classes:
            route = self._decorated(module, cls.decorators, guess)
            if route is not None:
                yield from self._class_entries(module, cls, route)
        for call in self._bindings.calls(module):
            yield from self._registered(module, call, guess)

    def _framework_of_file(self, module: Module) -> str:
        roots = [
            imported.module.partition(".")[0] for imported in module.imports.values() if not imported.level
        ]
        return next((FRAMEWORKS[root] for root in roots if root in FRAMEWORKS), "")

    def _decorated(self, module: Module, decorators: list[Expr], guess: str) -> _Route | None:
        for decorator in decorators:
            route = self._declared(module, decorator, guess)
            if route is not None:
                return route
        return None

    def _declared(self, module: Module, decorator: Expr, guess: str) -> _Route | None:
        """Read a decorator as a route, None if it is something else."""
        call = decorator if isinstance(decorator, Call) else None
        callee = call.callee if call is not None else decorator
        if isinstance(callee, Attr) and callee.name not in _VERBS:
            return None
        origin = self._bindings.origin(module, callee)
        root = origin.partition(".")[0]
        if isinstance(callee, Name):
            # Litestar's `@get("/x")`, Bottle's `@route("/x")`, Modal's `@web_endpoint()`.
            name = origin.rpartition(".")[2]
            if root not in {"litestar", "starlite", "bottle", "modal", "blacksheep"} or name not in _VERBS:
                return None
            return self._route(module, name, None, FRAMEWORKS[root], call)
        if not isinstance(callee, Attr):
            return None
        base = self._bindings.origin(module, callee.base)
        framework = FRAMEWORKS.get(base.partition(".")[0], "")
        if framework == "modal" and callee.name in {"fastapi_endpoint", "web_endpoint"}:
            return self._route(module, callee.name, None, framework, call)
        if not framework or framework == "modal":
            if call is None or not self._looks_like_app(module, callee.base, call):
                return None
            framework = guess if guess != "modal" else ""
        if call is None and callee.name not in {"get", "post"}:
            return None
        return self._route(module, callee.name, callee.base, framework, call)

    def _looks_like_app(self, module: Module, base: Expr, call: Call) -> bool:
        """Say whether a name is one that people give to apps and routers, and the call declares a path."""
        names = dotted(base)
        if not names or names[0] in {"requests", "httpx", "responses", "respx", "mock", "client"}:
            return False
        last = names[-1].lower().strip("_")
        path = self._bindings.text(module, argument(call, 0, "path", "rule", "uri"))
        is_named = any(
            last == word or last.endswith("_" + word) or last.startswith(word) for word in _APP_WORDS
        )
        return is_named and path is not None and (path == "" or path.startswith(("/", "^", "<")))

    def _route(
        self, module: Module, verb: str, base: Expr | None, framework: str, call: Call | None
    ) -> _Route:
        path = (
            None
            if call is None
            else self._bindings.text(module, argument(call, 0, "path", "rule", "uri", "url"))
        )
        methods = None if call is None else self._methods(module, call)
        if verb in _METHODS:
            methods = verb.upper()
        return _Route(verb, path, base, framework, call, methods)

    def _methods(self, module: Module, call: Call) -> str | None:
        listed = argument(call, -1, "methods", "method", "http_method", "allowed_methods")
        named = [
            text
            for _, item in self._bindings.items(module, listed)
            if (text := self._bindings.text(module, item))
        ]
        single = self._bindings.text(module, listed)
        if single:
            named.append(single)
        # What changes something is what matters of `methods=["GET", "POST"]`.
        return next(
            (name.upper() for name in named if name.upper() != "GET"), named[0].upper() if named else None
        )

    def _entry(
        self,
        module: Module,
        function: Function,
        route: _Route,
        outside: list[Applied],
        home: Module | None = None,
    ) -> Entry:
        home = home or module
        key = None if route.base is None else self._sites.key(module, route.base)
        prefix, applied = self._sites.chain(key or (module.path, ""), route.framework)
        given = self._given(home, function, route)
        options = [] if route.options is None else list(self._sites.options(module, route.options))
        own = [
            (home.path, decorator)
            for decorator in function.decorators
            if self._declared(home, decorator, route.framework) is None
        ]
        path = None if route.path is None else (prefix + route.path).replace("//", "/")
        return Entry(
            kind="websocket" if route.verb in _SOCKETS else "http",
            path=home.path,
            method=route.methods,
            route=path,
            line=function.line,
            handler=function,
            inputs=given.inputs,
            requests=given.requests,
            applied=[*applied, *outside, *options, *own, *given.applied],
            framework=route.framework,
        )

    def _given(self, module: Module, function: Function, route: _Route) -> Given:
        if route.framework in _INJECTING or (
            not route.framework and self._framework_of_file(module) in _INJECTING
        ):
            return self._parameters.injected(module, function)
        names = {last_name(decorator) for decorator in function.decorators}
        is_fed = bool(names & _FED_BY_DECORATOR)
        given = self._parameters.by_route(function, route.path, all_named=is_fed)
        takes_request = route.framework in {"starlette", "sanic", "aiohttp", "robyn", "microdot", "falcon"}
        if takes_request and function.params and not given.requests:
            given.requests.append(function.params[0].name)
            given.inputs = [name for name in given.inputs if name != function.params[0].name]
        return given

    def _class_options(self, module: Module, cls: Class | None) -> list[Applied]:
        """Return what a class's attributes put before its methods."""
        found: list[Applied] = []
        for stmt in () if cls is None else cls.body:
            if isinstance(stmt, Assign) and stmt.value is not None:
                names = {target.id for target in stmt.targets if isinstance(target, Name)}
                if names & {"decorators", "method_decorators", "guards", "middleware", "dependencies"}:
                    listed = self._bindings.items(module, stmt.value)
                    found += [(home.path, item) for home, item in listed] or [(module.path, stmt.value)]
        if cls is not None:
            found += [(module.path, decorator) for decorator in cls.decorators if not _is_route(decorator)]
        return found

    def _class_entries(
        self, module: Module, cls: Class, route: _Route, home: Module | None = None
    ) -> Iterator[Entry]:
        """Yield an entry for each HTTP method of a class-based view or resource."""
        home = home or module
        outside = self._class_options(home, cls)
        for name, (place, method) in self._bindings.methods(home, cls).items():
            if name not in _CLASS_METHODS:
                continue
            verb = name.removeprefix("on_")
            is_socket = verb in {"receive", "connect", "websocket"}
            own = _Route(
                "websocket" if is_socket else route.verb,
                route.path,
                route.base,
                route.framework,
                route.options,
                verb.upper() if verb in _METHODS else None,
            )
            entry = self._entry(module, method, own, outside, place)
            if is_socket:
                entry.inputs = [
                    param.name for param in method.params if param.name not in {"websocket", "ws"}
                ]
            yield entry

    def _registered(self, module: Module, call: Call, guess: str) -> Iterator[Entry]:
        """Yield the handlers that a call registers: `app.add_url_rule(…)`, `Route(…)`, `web.post(…)`."""
        place = self._place(module, call, guess)
        if place is None:
            return
        verb, base, (path_at, handler_at) = place
        handler = argument(call, handler_at, "endpoint", "view_func", "handler", "resource")
        if verb == "add_url_rule":
            handler = argument(call, handler_at, "view_func")
        route = self._route(module, verb, base, guess, call)
        route.path = self._bindings.text(module, argument(call, path_at, "path", "rule", "uri", "url"))
        if handler is None or (base is not None and route.path is None and not guess):
            return
        if verb == "add_route" and (guess == "sanic" or isinstance(handler, Literal)):
            # Sanic gives the handler first.
            handler, route.path = call.args[0], self._bindings.text(module, handler)
        if verb.startswith("add_") and verb[4:] in _METHODS:
            route.methods = verb[4:].upper()
        if isinstance(handler, Call):
            as_view = handler.callee
            is_view = isinstance(as_view, Attr) and as_view.name in {"as_view", "as_asgi", "as_resource"}
            # `View.as_view("name")`, `Resource()`, and a decorator written as a call: `login_required(view)`.
            handler = (
                as_view.base
                if is_view and isinstance(as_view, Attr)
                else self._inner_handler(module, handler)
            )
        found = self._bindings.definition(module, handler)
        if isinstance(found.value, Class):
            yield from self._class_entries(module, found.value, route, found.module)
        elif isinstance(found.value, Function):
            entry = self._entry(module, found.value, route, [], found.module)
            wrapped = argument(call, handler_at, "endpoint", "view_func", "handler")
            if isinstance(wrapped, Call):
                entry.applied.append((module.path, wrapped.callee))
            yield entry

    def _inner_handler(self, module: Module, call: Call) -> Expr:
        made = self._bindings.definition(module, call.callee)
        return call.callee if isinstance(made.value, Class) or not call.args else call.args[0]

    def _place(
        self, module: Module, call: Call, guess: str
    ) -> tuple[str, Expr | None, tuple[int, int]] | None:
        callee = call.callee
        if not isinstance(callee, Name | Attr) or len(call.args) + len(call.named) < 2:
            return None
        name = callee.name if isinstance(callee, Attr) else callee.id
        if isinstance(callee, Attr) and name in _REGISTERED:
            if name in {"add_route", "add_view", "add_resource"} and not guess:
                return None
            base = callee.base
            if isinstance(base, Attr) and base.name == "router":
                base = base.base
            return name, base, _REGISTERED[name]
        if name in _ROUTE_CALLS and guess in {"starlette", "fastapi"}:
            return name, None, (0, 1)
        if name in _METHODS | {"view"} and self._bindings.project.origin(module, callee).startswith(
            "aiohttp.web."
        ):
            return name, None, (0, 1)
        return None


def _owner(classes: list[Class], function: Function) -> Class | None:
    return next((cls for cls in classes if cls.name == function.owner), None)


def _is_route(decorator: Expr) -> bool:
    return isinstance(decorator, Call) and last_name(decorator) in _VERBS
