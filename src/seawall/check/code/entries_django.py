"""Where requests enter a Django app: what its `urls.py` names, REST framework's views, consumers."""

from collections.abc import Iterator

from msgspec import Struct, field

from seawall.check.code.bindings import Bindings, argument, last_name
from seawall.check.code.entries import Entry
from seawall.check.code.entries_params import Applied, path_names
from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Class,
    ClassDef,
    Def,
    Dict,
    Expr,
    Function,
    Imported,
    Literal,
    Module,
    Name,
)
from seawall.check.code.walking import statements

DJANGO_WORDS = ("django", "rest_framework", "urlpatterns", "MIDDLEWARE", "REST_FRAMEWORK", "channels")

_PATHS = {"path", "re_path", "url"}
_HTTP = {"get", "post", "put", "patch", "delete", "head", "options", "handle"}
_VIEWSET = {
    "list": "GET",
    "retrieve": "GET",
    "create": "POST",
    "update": "PUT",
    "partial_update": "PATCH",
    "destroy": "DELETE",
}
_BEFORE = ("setup", "initial", "initialize_request", "dispatch", "check_permissions")
_HOOKS = {
    "perform_create": "POST",
    "perform_update": "PUT",
    "perform_destroy": "DELETE",
    "form_valid": "POST",
    "get_queryset": "GET",
    "get_context_data": "GET",
}
_SOCKET = {"receive", "receive_json", "websocket_receive"}
_VIEW_BASES = (
    "rest_framework.views",
    "rest_framework.viewsets",
    "rest_framework.generics",
    "django.views.",
    "adrf.views",
    "adrf.viewsets",
    "adrf.generics",
    "channels.generic",
)
_HARMLESS = (
    "django.middleware.",
    "django.contrib.sessions.",
    "django.contrib.messages.",
    "django.contrib.sites.",
)
_CHAIN_MAX = 8


class _Settings(Struct):
    """What the settings put before every view."""

    middleware: list[Applied] = field(default_factory=list)
    defaults: dict[str, list[Applied]] = field(default_factory=dict)


class _View(Struct):
    """A place in a `urls.py`: its route, what wraps the view there, and arguments of `as_view`."""

    route: str
    wrappers: list[Applied]
    options: Call | None = None
    methods: dict[str, str] = field(default_factory=dict)


class Django:
    """Finds the entries of a Django project; settings and urls are read once."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._parents: dict[str, list[tuple[str, str, list[Applied]]]] = {}
        self._settings = _Settings()
        self._routed: set[int] = set()
        self._views: dict[str, list[Entry]] = {}
        modules = [m for m in bindings.project.modules(*DJANGO_WORDS) if m.language == "python"]
        for module in modules:
            self._read_settings(module)
            self._read_includes(module)
        for module in modules:
            self._views[module.path] = list(self._routed_by(module))
            self._routed.update(id(entry.handler) for entry in self._views[module.path])

    @property
    def middleware(self) -> list[Applied]:
        """What the settings put before every view of the project."""
        return self._settings.middleware

    def of(self, module: Module) -> Iterator[Entry]:
        """Yield the views that a file's routes name, and REST framework's views in it that no route names."""
        yield from self._views.get(module.path, ())
        for stmt in statements(module.body):
            if isinstance(stmt, Def) and any(last_name(d) == "api_view" for d in stmt.function.decorators):
                if id(stmt.function) not in self._routed:
                    yield self._function(module, stmt.function, _View("", []))
            elif isinstance(stmt, ClassDef) and self._is_view(module, stmt.cls):
                for entry in self._class(module, stmt.cls, _View("", [])):
                    if id(entry.handler) not in self._routed:
                        yield entry

    def _routed_by(self, module: Module) -> Iterator[Entry]:
        """Yield the views that `path(…)` and `router.register(…)` of a file name."""
        for call in self._bindings.calls(module):
            written = last_name(call)
            if len(call.args) + len(call.named) < 2 or (
                written not in module.imports and written not in {*_PATHS, "register"}
            ):
                continue
            origin = self._bindings.origin(module, call.callee)
            name = origin.rpartition(".")[2]
            if name in _PATHS and origin.startswith("django."):
                target = argument(call, 1, "view")
                if target is not None:
                    prefix, wrappers = self._prefix(module.path)
                    route = prefix + (self._bindings.text(module, argument(call, 0, "route", "regex")) or "")
                    yield from self._view(module, target, _View(route, list(wrappers)))
            elif (
                name == "register"
                and origin.startswith(("rest_framework", "drf_", "adrf"))
                and len(call.args) > 1
            ):
                found = self._bindings.definition(module, call.args[1])
                if isinstance(found.value, Class):
                    prefix, wrappers = self._prefix(module.path)
                    route = prefix + (self._bindings.text(module, call.args[0]) or "")
                    yield from self._class(found.module, found.value, _View(route, list(wrappers)))

    def _view(self, module: Module, target: Expr, view: _View, depth: int = 0) -> Iterator[Entry]:
        """Follow a view through `as_view()` and the decorators that are written as calls around it."""
        if isinstance(target, Call) and depth < 6:
            callee = target.callee
            if isinstance(callee, Attr) and callee.name in {"as_view", "as_asgi"}:
                view.options = target
                mapping = target.args[0] if target.args else None
                for key, value in mapping.items if isinstance(mapping, Dict) else ():
                    verb, method = self._bindings.text(module, key), self._bindings.text(module, value)
                    if verb and method:
                        view.methods[method] = verb.upper()
                target = callee.base
            elif last_name(callee) == "include" or not target.args:
                return
            else:
                view.wrappers.append((module.path, callee))
                yield from self._view(module, target.args[0], view, depth + 1)
                return
        found = self._bindings.definition(module, target)
        if isinstance(found.value, Function):
            yield self._function(found.module, found.value, view)
        elif isinstance(found.value, Class):
            if view.options is not None:
                view.wrappers += self._view_options(module, view.options)
            yield from self._class(found.module, found.value, view)
        elif isinstance(found.value, Call) and depth < 6:
            # `index = login_required(Index.as_view())` at the end of a views.py.
            yield from self._view(found.module, found.value, view, depth + 1)

    def _function(self, module: Module, function: Function, view: _View) -> Entry:
        names = [param.name for param in function.params if param.kind == "plain"]
        in_path = path_names(view.route)
        is_rest = any(last_name(decorator) == "api_view" for decorator in function.decorators)
        own = [(module.path, decorator) for decorator in function.decorators]
        method = self._api_method(module, function)
        return Entry(
            kind="http",
            path=module.path,
            method=method,
            route="/" + view.route.lstrip("^/") if view.route else None,
            line=function.line,
            handler=function,
            inputs=[name for name in names[1:] if not in_path or name in in_path],
            requests=names[:1],
            applied=[
                *self._before(own),
                *view.wrappers,
                *(self._unless_own(own, []) if is_rest else []),
                *own,
            ],
            framework="django",
        )

    def _class(self, module: Module, cls: Class, view: _View) -> Iterator[Entry]:
        bases = list(self._bindings.ancestors(module, cls))
        is_rest = any(base.startswith(("rest_framework", "adrf")) for base in bases)
        is_socket = any("onsumer" in base and "." in base for base in bases)
        outside = self._class_options(module, cls)
        methods = self._bindings.methods(module, cls)
        if is_socket and "connect" in methods:
            # A consumer refuses strangers when they connect.
            outside.append(
                (module.path, Attr(cls.line, cls.line, Name(cls.line, cls.line, "self"), "connect"))
            )
        for name in _BEFORE:
            if name in methods:
                # What a class runs before any of its methods, and may refuse there.
                this = Name(cls.line, cls.line, "self")
                outside.append((methods[name][0].path, Attr(cls.line, cls.line, this, name)))
        for name, (home, method) in methods.items():
            verb = self._verb(home, name, method, view, is_socket=is_socket)
            if verb is None:
                continue
            own = [(home.path, decorator) for decorator in method.decorators]
            defaults = self._unless_own(own, outside) if is_rest else []
            names = [param.name for param in method.params if param.kind == "plain"]
            yield Entry(
                kind="websocket" if is_socket else "http",
                path=home.path,
                method=verb or None,
                route="/" + view.route.lstrip("^/") if view.route else None,
                line=method.line,
                handler=method,
                inputs=[n for n in names if n != "request"],
                requests=[n for n in names if n == "request"],
                applied=[*self._before(own), *view.wrappers, *defaults, *outside, *own],
                framework="channels" if is_socket else "django",
            )

    def _verb(
        self, module: Module, name: str, method: Function, view: _View, *, is_socket: bool
    ) -> str | None:
        """Return the HTTP method of a class's method, "" if it takes several; None if no request runs it."""
        if is_socket:
            return "" if name in _SOCKET else None
        if view.methods and name in view.methods:
            return view.methods[name]
        if name in _HTTP:
            return name.upper() if name != "handle" else ""
        if name in _VIEWSET:
            return _VIEWSET[name]
        if name in _HOOKS:
            return _HOOKS[name]
        if any(last_name(decorator) == "action" for decorator in method.decorators):
            return self._api_method(module, method) or "GET"
        return None

    def _api_method(self, module: Module, function: Function) -> str | None:
        """Return the method of `@api_view(["POST"])`, `@require_POST` and `@action(methods=["post"])`."""
        for decorator in function.decorators:
            name = last_name(decorator)
            if name in {"require_POST", "require_GET"}:
                return name[8:]
            if isinstance(decorator, Call) and name in {"api_view", "action", "require_http_methods"}:
                listed = argument(decorator, 0 if name != "action" else -1, "http_method_names", "methods")
                named = [
                    self._bindings.text(home, item) for home, item in self._bindings.items(module, listed)
                ]
                methods = [text.upper() for text in named if text]
                return next((text for text in methods if text != "GET"), methods[0] if methods else None)
        return None

    def _class_options(self, module: Module, cls: Class, depth: int = 0) -> list[Applied]:
        """Return the decorators, mixins and class attributes that guard a view; its app's bases first."""
        found: list[Applied] = []
        for base in cls.bases:
            parent = self._bindings.definition(module, base)
            if isinstance(parent.value, Class) and parent.value is not cls and depth < 4:
                found += self._class_options(parent.module, parent.value, depth + 1)
            if last_name(base).endswith("Mixin"):
                found.append((module.path, base))
        for stmt in cls.body:
            if isinstance(stmt, Assign) and stmt.value is not None:
                names = {target.id for target in stmt.targets if isinstance(target, Name)}
                if names & {"permission_classes", "throttle_classes"}:
                    kind = "permission" if "permission_classes" in names else "throttle"
                    # A class's own list replaces that of its base.
                    found = [each for each in found if not self._is_kind(each, kind)]
                    found += [(home.path, item) for home, item in self._bindings.items(module, stmt.value)]
            elif isinstance(stmt, Def) and stmt.function.name in {"get_permissions", "get_throttles"}:
                this = Name(stmt.line, stmt.line, "self")
                found.append((module.path, Attr(stmt.line, stmt.line, this, stmt.function.name)))
        return found + [(module.path, decorator) for decorator in cls.decorators]

    def _view_options(self, module: Module, call: Call) -> list[Applied]:
        return [
            (home.path, item)
            for name, value in call.named
            if name in {"permission_classes", "throttle_classes"}
            for home, item in self._bindings.items(module, value)
        ]

    def _unless_own(self, own: list[Applied], outside: list[Applied]) -> list[Applied]:
        """Return the defaults of the settings for what a view does not say itself."""
        found: list[Applied] = []
        for kind, applied in self._settings.defaults.items():
            if not any(self._is_kind(each, kind) for each in [*own, *outside]):
                found += applied
        return found

    def _is_kind(self, applied: Applied, kind: str) -> bool:
        """Say whether something applied is a permission or a throttle of REST framework."""
        path, expr = applied
        module = self._bindings.project.module(path)
        plain = expr.callee if isinstance(expr, Call) else expr
        name = last_name(plain)
        if name in {f"{kind}_classes", f"get_{kind}s"} or (
            isinstance(expr, Call) and argument(expr, -1, f"{kind}_classes")
        ):
            return True
        if module is None:
            return False
        found = self._bindings.definition(module, plain)
        bases = (
            list(self._bindings.ancestors(found.module, found.value))
            if isinstance(found.value, Class)
            else []
        )
        needle = "permission" if kind == "permission" else "throttl"
        return any(
            needle in origin.lower() for origin in [self._bindings.project.origin(module, plain), *bases]
        )

    def _before(self, own: list[Applied]) -> list[Applied]:
        """Return the middleware; a view that says so needs no login in spite of Django's own."""
        is_open = any(last_name(expr) == "login_not_required" for _, expr in own)
        return [each for each in self._settings.middleware if not (is_open and _is_login(each[1]))]

    def _is_view(self, module: Module, cls: Class) -> bool:
        return any(base.startswith(_VIEW_BASES) for base in self._bindings.ancestors(module, cls))

    def _prefix(self, path: str, depth: int = 0) -> tuple[str, list[Applied]]:
        """Return where a `urls.py` is included first, and what wraps it there; nothing, if nothing says."""
        for parent, prefix, wrappers in self._parents.get(path, ()):
            if depth < _CHAIN_MAX and parent != path:
                above, outer = self._prefix(parent, depth + 1)
                return above + prefix, [*outer, *wrappers]
        return "", []

    def _read_includes(self, module: Module) -> None:
        for call in self._bindings.calls(module):
            if last_name(call.callee) not in _PATHS or len(call.args) < 2:
                continue
            inner, wrappers = call.args[1], list[Applied]()
            while isinstance(inner, Call) and last_name(inner.callee) != "include" and inner.args:
                wrappers.append((module.path, inner.callee))
                inner = inner.args[0]
            if not isinstance(inner, Call) or not inner.args:
                continue
            target = inner.args[0]
            pair = self._bindings.items(module, target)
            home = self._included(module, pair[0][1] if pair else target)
            if home is not None:
                prefix = self._bindings.text(module, call.args[0]) or ""
                self._parents.setdefault(home.path, []).append((module.path, prefix, wrappers))

    def _included(self, module: Module, target: Expr) -> Module | None:
        if isinstance(target, Literal) and isinstance(target.value, str):
            return self._bindings.project.imported(module, Imported(target.value))
        home = self._bindings.module_at(module, target)
        if home is None and isinstance(target, Attr):
            # `include(router.urls)` of a router in another file.
            bound = self._bindings.binding(module, target.base)
            home = None if bound is None or bound[0] is module else bound[0]
        return home

    def _read_settings(self, module: Module) -> None:
        for stmt in statements(module.body):
            if not isinstance(stmt, Assign) or stmt.value is None:
                continue
            names = {target.id for target in stmt.targets if isinstance(target, Name)}
            if names & {"MIDDLEWARE", "MIDDLEWARE_CLASSES"}:
                for home, item in self._bindings.items(module, stmt.value):
                    named = self._bindings.text(home, item)
                    if named and not named.startswith(_HARMLESS) and not _only_identifies(named):
                        self._settings.middleware.append(self._named(home, item, named))
            elif "REST_FRAMEWORK" in names and isinstance(stmt.value, Dict):
                for key, value in stmt.value.items:
                    name = key.value if isinstance(key, Literal) else None
                    for kind in ("permission", "throttle"):
                        if name == f"DEFAULT_{kind.upper()}_CLASSES":
                            self._settings.defaults[kind] = [
                                self._named(home, item, self._bindings.text(home, item) or "")
                                for home, item in self._bindings.items(module, value)
                            ]

    def _named(self, module: Module, item: Expr, named: str) -> Applied:
        """Turn the app's own `"app.middleware.Guard"` into a name in its file; others stay as written."""
        folder, _, name = named.rpartition(".")
        home = self._bindings.project.imported(module, Imported(folder)) if folder else None
        return (module.path, item) if home is None else (home.path, Name(item.line, item.end, name))


def _only_identifies(named: str) -> bool:
    """Say whether a middleware of Django looks up the user and lets everybody through."""
    return named.startswith("django.contrib.auth.") and not named.endswith("LoginRequiredMiddleware")


def _is_login(expr: Expr) -> bool:
    return isinstance(expr, Literal) and str(expr.value).endswith("LoginRequiredMiddleware")
