"""Entries of NestJS and other frameworks of decorated classes: controllers, resolvers, gateways."""

import re
from collections.abc import Iterator

from seawall.check.code.entries import Entry
from seawall.check.code.entries_express import covers
from seawall.check.code.ir import Attr, Call, Class, ClassDef, Def, Expr, Function, Literal, Module, Name
from seawall.check.code.javascript_handlers import (
    Applied,
    Given,
    Handled,
    Site,
    entry,
    entry_of,
    flat,
    names_in,
    said,
)
from seawall.check.code.project import Project
from seawall.check.code.walking import calls_of, expressions, statements, walk

NEST_WORDS = re.compile(r"@nestjs/|routing-controllers|\btsoa\b|type-graphql|@tsed/")
_CLASSES = {
    "Controller": "http",
    "RestController": "http",
    "JsonController": "http",
    "Resolver": "graphql",
    "WebSocketGateway": "websocket",
    "Route": "http",
}
_METHODS = {
    "Get": "GET", "Post": "POST", "Put": "PUT", "Patch": "PATCH", "Delete": "DELETE", "All": "ANY",
    "Head": "HEAD", "Options": "OPTIONS", "Sse": "GET", "Query": "POST", "Mutation": "POST",
    "Subscription": "POST", "SubscribeMessage": "", "MessagePattern": "", "ResolveField": "POST",
}  # fmt: skip
_CHOSEN = frozenset(
    {
        "Body", "Query", "Param", "Params", "Headers", "UploadedFile", "UploadedFiles", "MessageBody", "Args",
        "Arg", "RawBody", "QueryParam", "QueryParams", "BodyParam", "HeaderParam", "PathParams", "BodyParams",
        "Path", "Cookies",
    }
)  # fmt: skip
_WHOLE = frozenset({"Req", "Request"})
_EXACT_PIPES = frozenset(
    {"ParseIntPipe", "ParseUUIDPipe", "ParseBoolPipe", "ParseFloatPipe", "ParseEnumPipe"}
)
_OPEN = frozenset({"Public", "AllowAnonymous", "SkipAuth", "NoAuth", "IsPublic", "Anonymous", "Unprotected"})


class Nest:
    """Finds the routes of decorated classes; guards of the whole app are read once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._everywhere: Applied | None = None
        self._middleware: list[tuple[Module, list[Expr], list[Expr], list[Expr]]] = []

    def of(self, module: Module) -> Iterator[Entry]:
        """Yield the routes of a file's classes."""
        if not any(NEST_WORDS.match(source.module) for source in module.imports.values()):
            return
        for statement in statements(module.body):
            if isinstance(statement, ClassDef):
                kinds = [_CLASSES[name] for d in statement.cls.decorators if (name := _name(d)) in _CLASSES]
                if kinds:
                    yield from self._class(module, statement.cls, kinds[0])

    def _class(self, module: Module, cls: Class, kind: str) -> Iterator[Entry]:
        prefix = next((_first(d) for d in cls.decorators if _name(d) in _CLASSES), "")
        for part in cls.body:
            function = part.function if isinstance(part, Def) else None
            marks = [d for d in function.decorators if _name(d) in _METHODS] if function is not None else []
            if function is None or not marks:
                continue
            method = _METHODS[_name(marks[0])] or None
            route = "/" + "/".join(p.strip("/") for p in (prefix, _first(marks[0])) if p.strip("/"))
            is_socket = kind == "websocket" or method is None
            site = Site(
                "websocket" if is_socket else "http",
                "nest",
                module,
                function.line,
                method,
                None if is_socket else route,
            )
            found = Handled(module, function, [])
            yield entry(site, found, _given(function), self._before(module, cls, function, route))

    def _before(self, module: Module, cls: Class, function: Function, route: str) -> Applied:
        own = [d for d in (*cls.decorators, *function.decorators) if _name(d) not in {*_CLASSES, *_METHODS}]
        names = {_name(d) for d in own}
        before = self._app_wide(cls.name, route)
        if names & _OPEN:
            before = [one for one in before if "hrottl" in str(one[1])]
        if "SkipThrottle" in names:
            before = [one for one in before if "hrottl" not in str(one[1])]
        return [*before, *((module.path, d) for d in own if _name(d) not in _OPEN)]

    def _app_wide(self, controller: str, route: str) -> Applied:
        """Return the guards of the whole app, and the middleware that it applies to a controller or route."""
        if self._everywhere is None:
            self._everywhere = []
            for module in self._project.modules("APP_GUARD", "useGlobalGuards", "forRoutes", "app.use"):
                if module.language == "javascript":
                    self._read(module)
        out = list(self._everywhere)
        for module, applied, to, without in self._middleware:
            if any(_reaches(one, controller, route) for one in to) and not any(
                _reaches(one, controller, route) for one in without
            ):
                out += [(module.path, one) for one in applied]
        return out

    def _read(self, module: Module) -> None:
        assert self._everywhere is not None
        is_main = any(source.module == "@nestjs/core" for source in module.imports.values())
        for call in calls_of(module):
            name = call.callee.name if isinstance(call.callee, Attr) else ""
            if name == "useGlobalGuards" or (
                name == "use" and is_main and not isinstance(call.args[:1], Literal)
            ):
                self._everywhere += [(module.path, arg) for arg in call.args]
            elif name == "forRoutes":
                self._read_middleware(module, call)
        for statement in statements(module.body):
            parts = list(expressions(statement))
            if isinstance(statement, ClassDef):
                parts = statement.cls.decorators
            for expr in parts:
                for part in walk(expr):
                    if isinstance(entry_of(part, "provide"), Name) and "APP_GUARD" in str(
                        entry_of(part, "provide")
                    ):
                        guard = entry_of(part, "useClass") or entry_of(part, "useExisting")
                        if guard is not None:
                            self._everywhere.append((module.path, guard))

    def _read_middleware(self, module: Module, call: Call) -> None:
        """Read `consumer.apply(A, B).exclude(x).forRoutes(y)`."""
        applied: list[Expr] = []
        without: list[Expr] = []
        base = call.callee.base if isinstance(call.callee, Attr) else call.callee
        while isinstance(base, Call) and isinstance(base.callee, Attr):
            if base.callee.name == "apply":
                applied += flat(base.args)
            elif base.callee.name == "exclude":
                without += flat(base.args)
            base = base.callee.base
        self._middleware.append((module, applied, flat(call.args), without))


def _reaches(target: Expr, controller: str, route: str) -> bool:
    if isinstance(target, Name):
        return target.id == controller
    path = said(target) or said(entry_of(target, "path"))
    return path is not None and covers("/" + path.lstrip("/"), route)


def _name(decorator: Expr) -> str:
    callee = decorator.callee if isinstance(decorator, Call) else decorator
    return callee.id if isinstance(callee, Name) else callee.name if isinstance(callee, Attr) else ""


def _first(decorator: Expr) -> str:
    if not isinstance(decorator, Call) or not decorator.args:
        return ""
    return said(decorator.args[0]) or said(entry_of(decorator.args[0], "path")) or ""


def _given(function: Function) -> Given:
    out = Given([], [])
    for param in function.params:
        mark = _name(param.default) if param.default is not None else ""
        args = param.default.args if isinstance(param.default, Call) else []
        names = [param.name] if param.pattern is None else names_in(param.pattern)
        if mark in _WHOLE:
            out.requests += names
        elif mark in _CHOSEN and not any(_name(arg) in _EXACT_PIPES for arg in args):
            out.inputs += names
    return out
