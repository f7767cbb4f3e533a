"""Read what JavaScript registers at routers: routes, middleware, mounts, plugins."""

from collections.abc import Iterator
from typing import Literal as OneOf

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
    Index,
    Items,
    Lambda,
    Literal,
    Module,
    Name,
    Return,
    Stmt,
    Text,
)
from seawall.check.code.javascript_handlers import definition, entry_of, flat, handled, said
from seawall.check.code.javascript_routers import Key, Routers, Step
from seawall.check.code.project import Project
from seawall.check.code.walking import blocks, expressions, walk

ROUTER_WORDS = (
    "express", "fastify", "Fastify", "koa", "Koa", "hono", "Hono", "lysia", "polka", "restify", "outer",
    "app.use", "app.get", "app.post", "app.all", "server.get", "server.post", ".register(", "next-connect",
    "app:", ".use(", ".post(", ".get(", ".route(",
)  # fmt: skip
VERBS = frozenset(
    {
        "get", "post", "put", "patch", "delete", "del", "options", "head", "all", "on", "openapi", "ws",
        "method", "add",
    }
)  # fmt: skip
_ORIGINS = (
    ("fastify", "fastify"),
    ("hono", "hono"),
    ("OpenAPIHono", "hono"),
    ("koa", "koa"),
    ("lysia", "elysia"),
    ("express", "express"),
    ("restify", "restify"),
    ("polka", "polka"),
    ("next-connect", "next-connect"),
    ("itty-router", "itty"),
    ("h3.", "h3"),
)
_MAKERS = frozenset({"Router", "express", "fastify", "Fastify", "Hono", "createServer", "Application"})
_NO_ROUTERS = frozenset(
    {"$", "jQuery", "axios", "http", "https", "rest", "cy", "nock", "client", "ky", "got", "self"}
)
_USUAL_NAMES = frozenset(
    {"app", "router", "server", "fastify", "api", "instance", "express", "f", "r", "apiRouter", "application"}
)
_HOOKS = frozenset({"onRequest", "preParsing", "preValidation", "preHandler"})
_PROTECTING_PLUGINS = ("rate-limit", "ratelimit", "bearer-auth", "throttl")


def read_routers(project: Project) -> Routers:
    """Read the routers of all files, and tell each what framework it is of from where it is mounted."""
    routers = Routers(project)
    for module in project.modules(*ROUTER_WORDS):
        if module.language == "javascript":
            _Reading(routers, module).body(module.body)
    routers.inherit()
    return routers


class _Reading:
    """Reads one file's registrations into the routers, statement by statement."""

    def __init__(self, routers: Routers, module: Module) -> None:
        self._routers = routers
        self._project = routers.project
        self._module = module
        self._scopes: list[Function] = []

    def body(self, body: list[Stmt]) -> None:
        """Read statements in their order, and the functions in them where they stand."""
        for statement in body:
            seen: set[int] = set()
            if isinstance(statement, Assign) and len(statement.targets) == 1 and statement.value is not None:
                key = self._routers.key_of(self._module, statement.targets[0], self._scopes)
                if isinstance(statement.value, Call) and key is not None:
                    self._chain(statement.value, seen, key)
            elif isinstance(statement, Return) and isinstance(statement.value, Call) and self._scopes:
                self._chain(statement.value, seen, (self._module.path, id(self._scopes[-1]), "return"))
            for expr in expressions(statement):
                self._expression(expr, seen)
            if isinstance(statement, Def):
                self._function(statement.function)
            elif isinstance(statement, ClassDef):
                self.body(statement.cls.body)
            for block in blocks(statement):
                self.body(block)

    def _function(self, function: Function) -> None:
        self._scopes.append(function)
        self.body(function.body)
        self._scopes.pop()

    def _expression(self, expr: Expr, seen: set[int]) -> None:
        for part in walk(expr):
            if isinstance(part, Lambda):
                self._function(part.function)
            elif isinstance(part, Call) and id(part) not in seen:
                self._chain(part, seen, None)

    def _chain(self, call: Call, seen: set[int], target: Key | None) -> None:
        """Read `root.a(…).b(…)` from its root on; `target` is the name that its value gets."""
        links: list[tuple[str, Call]] = []
        root: Expr = call
        while isinstance(root, Call) and isinstance(root.callee, Attr) and root.callee.name not in _MAKERS:
            links.append((root.callee.name, root))
            seen.add(id(root))
            root = root.callee.base
        if not links:
            seen.add(id(call))
            self._made_or_delegated(call, target)
            return
        is_made = isinstance(root, Call)
        made = target or (self._module.path, id(root), "made")
        key = made if is_made else self._routers.key_of(self._module, root, self._scopes)
        if key is None or (isinstance(root, Name) and root.id in _NO_ROUTERS):
            return
        if is_made:
            self._make(key, root)
        elif target is not None and target != key and links[-1][0] in (*VERBS, "use", "route", "group"):
            self._routers.aliases[target] = key
        self._links(links, key, target)

    def _made_or_delegated(self, call: Call, target: Key | None) -> None:
        """Read `app = express()` and `registerRoutes(app)`."""
        if target is not None:
            self._make(target, call)
        for at, arg in enumerate(call.args):
            key = (
                self._routers.key_of(self._module, arg, self._scopes)
                if isinstance(arg, Name | Attr)
                else None
            )
            if key is None or not (key in self._routers.all or key[2].split(".")[-1] in _USUAL_NAMES):
                continue
            there = self._called(call.callee)
            if there is not None and at < len(there[1].params):
                child = (there[0].path, id(there[1]), there[1].params[at].name)
                self._add(key, Step("inline", self._module, call.line, child=child))

    def _called(self, callee: Expr) -> tuple[Module, Function] | None:
        there = definition(self._project, self._module, callee)
        if there is None:
            found = handled(self._project, self._module, callee)
            return None if found is None else (found.module, found.function)
        home, value = there
        if isinstance(value, Lambda):
            return home, value.function
        if isinstance(value, Class):
            methods = [
                s.function for s in value.body if isinstance(s, Def) and s.function.name == "constructor"
            ]
            return (home, methods[0]) if methods else None
        return (home, value) if isinstance(value, Function) else None

    def _make(self, key: Key, call: Expr) -> None:
        origin = self._project.origin(self._module, call)
        framework = next((name for word, name in _ORIGINS if word in origin), "")
        if not framework and not origin.endswith(("Router()", "Router.Router()")):
            return
        router = self._routers.router(key)
        router.framework = router.framework or framework
        options = call.args[0] if isinstance(call, Call) and call.args else None
        router.prefix = said(entry_of(options, "prefix")) or router.prefix

    def _add(self, key: Key, step: Step) -> None:
        self._routers.router(key).steps.append(step)

    def _links(self, links: list[tuple[str, Call]], key: Key, target: Key | None) -> None:
        path: str | None = ""
        for name, call in reversed(links):
            if name == "basePath":
                given = said(call.args[0]) if call.args else ""
                if target is not None and target != key:
                    self._routers.aliases.pop(target, None)
                    self._add(key, Step("mount", self._module, call.line, path=given, child=target))
                    key = target
                else:
                    self._routers.router(key).prefix = given or ""
            elif name == "route" and len(call.args) == 1 and not isinstance(call.args[0], Dict):
                path = _path(call.args[0])
            else:
                self._link(name, call, key, path)

    def _link(self, name: str, call: Call, key: Key, path: str | None) -> None:
        module, line, args = self._module, call.line, call.args
        if name == "use":
            self._use(call, key)
        elif name in ("addHook", "onBeforeHandle", "beforeHandle", "onRequest", "guard") and args:
            if name != "addHook" or said(args[0]) in _HOOKS:
                rest = flat(args[1:] if name == "addHook" else args)
                self._add(key, Step("use", module, line, handlers=[*rest]))
        elif name in ("register", "group", "mount", "route") and args:
            self._mount(name, call, key)
        elif name in VERBS and args:
            self._route(name, call, key, path)

    def _use(self, call: Call, key: Key) -> None:
        args = flat(call.args)
        paths: list[str] = []
        while args and (isinstance(args[0], Text) or _is_path(args[0])):
            paths.append(_path(args.pop(0)) or "")
        for path in paths or [""]:
            self._add(key, Step("use", self._module, call.line, path=path, handlers=args))

    def _mount(self, name: str, call: Call, key: Key) -> None:
        """Read Fastify's `register(plugin, { prefix })` and `route({…})`, Hono's `route(path, app)`."""
        module, line, args = self._module, call.line, call.args
        if name == "route" and isinstance(args[0], Dict):
            method = entry_of(args[0], "method")
            verb = said(method) or ", ".join(filter(None, map(said, flat([method] if method else []))))
            path = _path(entry_of(args[0], "url") or entry_of(args[0], "path") or args[0])
            self._add(key, Step("route", module, line, path, verb.upper() or None, [args[0]]))
            return
        is_first = isinstance(args[0], Literal | Text)
        path = (
            _path(args[0]) if is_first else said(entry_of(args[1] if len(args) > 1 else None, "prefix")) or ""
        )
        inner = args[-1] if is_first else args[0]
        plugin = handled(self._project, module, inner)
        if plugin is not None and plugin.function.params and name != "route":
            is_inline = any("plugin" in self._project.origin(self._home(p), e) for p, e in plugin.around)
            child = (plugin.module.path, id(plugin.function), plugin.function.params[0].name)
            kind: OneOf["inline", "mount"] = "inline" if is_inline else "mount"
            self._add(
                key, Step(kind, module, line, path, handlers=args[1:-1] if is_first else [], child=child)
            )
        elif name == "register":
            self._external_plugin(call, key)
        else:
            self._add(key, Step("use", module, line, path, handlers=[inner]))

    def _home(self, path: str) -> Module:
        return self._project.module(path) or self._module

    def _external_plugin(self, call: Call, key: Key) -> None:
        plugin = call.args[0]
        is_loaded = isinstance(plugin, Call) and isinstance(plugin.callee, Name)
        origin = said(plugin.args[0]) if is_loaded and isinstance(plugin, Call) and plugin.args else None
        origin = origin or self._project.origin(self._module, plugin)
        options = call.args[1] if len(call.args) > 1 else None
        is_off = getattr(entry_of(options, "global"), "value", None) is False
        if any(word in origin for word in _PROTECTING_PLUGINS) and not is_off:
            name = Literal(call.line, call.end, origin)
            self._add(key, Step("use", self._module, call.line, handlers=[name]))
        elif "autoload" in origin:
            folder = _last_text(entry_of(options, "dir"))
            prefix = said(entry_of(entry_of(options, "options"), "prefix")) or ""
            for child in self._loaded(folder) if folder else ():
                self._add(key, Step("mount", self._module, call.line, path=prefix, child=child))

    def _loaded(self, folder: str) -> Iterator[Key]:
        """Yield the plugins in a folder beside this file, as `@fastify/autoload` finds them."""
        home = self._module.path.rpartition("/")[0]
        start = f"{home}/{folder}/" if home else f"{folder}/"
        for path in self._project.paths:
            module = self._project.module(path) if path.startswith(start) else None
            if module is not None and "default" in {*module.exports, *module.exported}:
                there = self._project.exported_by(module, "default")
                value = Lambda(1, 1, there) if isinstance(there, Function) else there
                plugin = handled(self._project, module, value) if isinstance(value, Expr) else None
                if plugin is not None and plugin.function.params:
                    yield (plugin.module.path, id(plugin.function), plugin.function.params[0].name)

    def _route(self, name: str, call: Call, key: Key, path: str | None) -> None:
        args = list(call.args)
        method: str | None = name.upper()
        if name in ("on", "method", "add") and len(args) >= 3:
            method = said(args.pop(0)) or None
        elif name in ("on", "method", "add"):
            return
        if name == "openapi":
            there = definition(self._project, self._module, args[0])
            options = there[1] if there is not None else args[0]
            if isinstance(options, Call) and options.args:
                options = options.args[0]
            chosen = options if isinstance(options, Dict) else None
            method = (said(entry_of(chosen, "method")) or "").upper() or None
            before = entry_of(chosen, "middleware")
            route = _path(entry_of(chosen, "path") or args[0])
            handlers = [*flat([before] if before is not None else []), *args[1:]]
            self._add(key, Step("route", self._module, call.line, route, method, handlers))
            return
        if path == "" and args and (_is_path(args[0]) or isinstance(args[0], Text | Index | Items)):
            path = _path(args.pop(0))
            if path is not None and not path.startswith("/") and args and _is_path(args[0]):
                path = _path(args.pop(0))  # Koa's `router.get("name", "/path", …)`.
        elif path == "" and args and isinstance(args[0], Name | Attr) and len(args) > 1:
            path = self._constant(args.pop(0))
            if path is None and not self._routers.router(key).framework and key[2] not in _USUAL_NAMES:
                return  # `https.get(url, callback)` is none either.
        elif path == "" and self._routers.router(key).framework != "next-connect":
            return
        if path and not path.startswith(("/", "*")) and not self._routers.router(key).framework:
            return  # `cache.get("key", load)` is no route.
        if args:
            method = None if method in ("ALL", "WS") else method
            step = Step("route", self._module, call.line, path, method, args)
            step.method = "WS" if name == "ws" else method
            self._add(key, step)

    def _constant(self, expr: Expr) -> str | None:
        there = definition(self._project, self._module, expr)
        return said(there[1]) if there is not None and isinstance(there[1], Expr) else None


def _is_path(expr: Expr) -> bool:
    if isinstance(expr, Call):  # A regular expression.
        return isinstance(expr.callee, Name) and expr.callee.id == "RegExp"
    return isinstance(expr, Literal) and isinstance(expr.value, str)


def _path(expr: Expr) -> str | None:
    """Return a route's path; None where it is not constant."""
    if isinstance(expr, Items):
        return _path(expr.items[0]) if expr.items else None
    if isinstance(expr, Text):
        return "".join(str(p.value) if isinstance(p, Literal) else ":x" for p in expr.parts)
    return said(expr)


def _last_text(expr: Expr | None) -> str | None:
    """Return the last constant of `join(__dirname, "routes")`."""
    texts = [said(part) for part in walk(expr) if said(part)] if expr is not None else []
    return texts[-1].strip("./") if texts and texts[-1] else None
