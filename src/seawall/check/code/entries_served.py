"""Entries of servers and functions without a framework: Workers, Deno, Bun, http, Lambda, Firebase, Azure."""

import posixpath
import re
from collections.abc import Iterator

from seawall.check.code.entries import Entry
from seawall.check.code.ir import Call, ClassDef, Def, Dict, Expr, Function, Literal, Module, Name
from seawall.check.code.javascript_handlers import (
    Applied,
    Given,
    Handled,
    Site,
    entry,
    entry_of,
    exported,
    given,
    handled,
    keyed,
    said,
)
from seawall.check.code.project import Project
from seawall.check.code.walking import calls_of

SERVED_WORDS = re.compile(
    r"\bfetch\b|[hH]andler|module\.exports|serve\(|create(?:Secure)?Server|onRequest|onCall|\.http\("
)
_CALLED = re.compile(
    r"serve\(|create(?:Secure)?Server|onRequest|onCall|\.http\(|addEventListener\(\s*[\"']fetch"
)
_SERVERS = re.compile(
    r"(^|\.)(Deno\.serve|Bun\.serve|https?\.createServer|http2\.createSecureServer)$|^serve$|/server\.ts\.serve$"
)
_FIREBASE = re.compile(r"(firebase-functions|(^|\.)https|functions.*)\.(onRequest|onCall|onCallGenkit)$")
_EVENTS = frozenset({"event", "evt", "_event", "e", "request", "req", "awsEvent", "apiEvent", "lambdaEvent"})
_NOT_FROM_OUTSIDE = re.compile(r"\.Records\b|detail-type|EventBridge|SQSEvent|S3Event|ScheduledEvent")


class Served:
    """Finds the handlers that a file gives to a server or a cloud."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def of(self, module: Module) -> Iterator[Entry]:
        """Yield what a file hands to a server of its own, or exports to a cloud."""
        yield from self._worker(module)
        yield from self._lambda(module)
        if not _CALLED.search(self._project.text(module.path) or ""):
            return
        for call in calls_of(module):
            origin = self._project.origin(module, call.callee)
            if _SERVERS.search(origin):
                yield from self._server(module, call)
            elif _FIREBASE.search(origin):
                yield from self._firebase(module, call, origin)
            elif (
                origin.endswith(("app.http", ".http"))
                and len(call.args) == 2
                and isinstance(call.args[1], Dict)
            ):
                yield from self._azure(module, call, call.args[1])
            elif origin == "addEventListener" and call.args and said(call.args[0]) == "fetch":
                yield from self._handler(module, call.args[-1], "worker", call.line)

    def _handler(
        self, module: Module, expr: Expr | None, framework: str, line: int, route: str | None = None
    ) -> Iterator[Entry]:
        found = None if expr is None else handled(self._project, module, expr)
        if found is not None:
            site = Site("http", framework, module, line, None, route)
            yield entry(site, found, given(found.function))

    def _worker(self, module: Module) -> Iterator[Entry]:
        """Yield `export default { fetch }`, and the `fetch` of a class that is a Worker's entry."""
        default = module.exported.get("default")
        local = module.exports.get("default")
        if local is not None:
            bound = self._project.scope(module).top.get(local)
            default = bound if isinstance(bound, Dict) else None
        if isinstance(default, Dict):
            value = entry_of(default, "fetch")
            yield from self._handler(module, value, "worker", value.line if value is not None else 0)
        for statement in module.body:
            if isinstance(statement, ClassDef) and any(
                isinstance(base, Name) and base.id == "WorkerEntrypoint" for base in statement.cls.bases
            ):
                for part in statement.cls.body:
                    if isinstance(part, Def) and part.function.name == "fetch":
                        site = Site("http", "worker", module, part.function.line)
                        yield entry(site, Handled(module, part.function, []), given(part.function))

    def _server(self, module: Module, call: Call) -> Iterator[Entry]:
        framework = "supabase" if "supabase/functions/" in module.path else "http"
        for arg in call.args:
            if isinstance(arg, Dict):
                yield from self._handler(module, entry_of(arg, "fetch"), framework, call.line)
                for route, value in keyed(entry_of(arg, "routes")):
                    methods = list(keyed(value)) or [("", value)]
                    for _, one in methods:
                        yield from self._handler(module, one, framework, one.line, route)
            else:
                yield from self._handler(module, arg, framework, call.line)

    def _firebase(self, module: Module, call: Call, origin: str) -> Iterator[Entry]:
        found = handled(self._project, module, call)
        if found is None:
            return
        function = found.function
        first = function.params[0].name if function.params else ""
        is_call = not origin.endswith("onRequest")
        chosen = Given([first], []) if is_call and first in ("data", "payload") else given(function)
        found.around = [one for one in found.around if not isinstance(one[1], Call)]
        yield entry(Site("function", "firebase", module, call.line), found, chosen, _checked(module, call))

    def _azure(self, module: Module, call: Call, options: Dict) -> Iterator[Entry]:
        found = handled(self._project, module, options)
        if found is None:
            return
        level = said(entry_of(options, "authLevel")) or "anonymous"
        before: Applied = []
        if level in ("function", "admin"):
            before = [(module.path, Literal(call.line, call.end, "function_api_key"))]
        site = Site("function", "azure", module, call.line, None, said(entry_of(options, "route")))
        yield entry(site, found, given(found.function), before)

    def _lambda(self, module: Module) -> Iterator[Entry]:
        """Yield an exported `handler(event)`, and Azure's exported function beside its function.json."""
        if "netlify/" in module.path:
            return
        folder = posixpath.dirname(module.path)
        if posixpath.join(folder, "function.json") in self._project.paths:
            found = exported(self._project, module, "default")
            if found is not None and len(found.function.params) > 1:
                chosen = Given([], [found.function.params[1].name])
                yield entry(Site("function", "azure", module, found.function.line), found, chosen)
        for name in ("handler", "lambdaHandler"):
            value = module.exported.get(name)
            if isinstance(value, Dict):  # Fresh: one function for each method.
                for method, one in keyed(value):
                    if method.isupper():
                        yield from self._handler(module, one, "fresh", one.line)
                continue
            found = exported(self._project, module, name) if _exports(module, name) else None
            if found is not None and self._takes_an_event(found):
                site = Site("function", "lambda", module, found.function.line)
                yield entry(site, found, given(found.function))

    def _takes_an_event(self, found: Handled) -> bool:
        function: Function = found.function
        if not function.params or len(function.params) > 3:
            return False
        first = function.params[0]
        if first.pattern is None and first.name not in _EVENTS:
            return False
        return not _NOT_FROM_OUTSIDE.search(self._project.text(found.module.path) or "")


def _exports(module: Module, name: str) -> bool:
    return name in module.exports or name in module.exported


def _checked(module: Module, call: Call) -> Applied:
    """Return what Firebase itself checks before a function: that the app is genuine."""
    options = call.args[0] if len(call.args) > 1 else None
    value = entry_of(options, "enforceAppCheck")
    is_on = getattr(value, "value", None) is True
    return [(module.path, Literal(call.line, call.end, "verifyAppCheck"))] if is_on else []
