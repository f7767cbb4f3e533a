"""Entries that a client calls like functions: server actions, tRPC, Convex, GraphQL resolvers."""

import re
from collections.abc import Iterator

from seawall.check.code.entries import Entry
from seawall.check.code.ir import Attr, Call, Dict, Expr, Function, Module, Name
from seawall.check.code.javascript_handlers import (
    Given,
    Handled,
    Site,
    all_given,
    entry,
    entry_of,
    exported,
    given,
    handled,
    keyed,
    names_in,
)
from seawall.check.code.project import Project
from seawall.check.code.walking import calls_of, expressions, functions_of, statements, walk

ACTION_WORDS = re.compile(
    r"use server|rocedure|\bProc\.|createServerFn|_generated/server|\.(?:state)?[aA]ction\("
    r"|(?:server|Action|Loader)\$|\bMutation\b|\bQuery\b"
)
_PROCEDURE_ENDS = {"query": "GET", "mutation": "POST", "subscription": "GET"}
_CONVEX = frozenset({"query", "mutation", "action", "httpAction"})
_ACTION_MAKERS = (
    "createServerFn",
    "createSafeActionClient",
    "createServerAction",
    "createServerActionProcedure",
)
_QWIK = frozenset({"server$", "routeAction$", "routeLoader$", "globalAction$"})


class Actions:
    """Finds functions that a client calls by name."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def of(self, module: Module) -> Iterator[Entry]:
        """Yield the functions of a file that clients call."""
        yield from self._server_actions(module)
        yield from self._called(module)
        if any("graphql" in s.module or "apollo" in s.module for s in module.imports.values()) or (
            "resolver" in module.path.lower()
        ):
            yield from self._resolvers(module)

    def _server_actions(self, module: Module) -> Iterator[Entry]:
        found: list[Handled] = []
        if "use server" in module.directives:
            names = [*module.exports, *module.exported]
            found = [f for name in names if (f := exported(self._project, module, name)) is not None]
        marked = "use server" in (self._project.text(module.path) or "")
        inline = [f for f in functions_of(module) if "use server" in f.directives] if marked else []
        found += [Handled(module, function, []) for function in inline]
        for one in found:
            site = Site("action", "next", module, one.function.line, "POST")
            yield entry(site, one, all_given(one.function))

    def _called(self, module: Module) -> Iterator[Entry]:
        for call in calls_of(module):
            callee = call.callee
            if isinstance(callee, Attr) and call.args:
                yield from self._chain_end(module, call, callee)
            elif isinstance(callee, Name) and callee.id in _CONVEX and call.args:
                source = module.imports.get(callee.id)
                if source is not None and "_generated/server" in source.module:
                    yield from self._convex(module, call, callee.id)
            elif isinstance(callee, Name) and callee.id in _QWIK and call.args:
                yield from self._made(module, call, "qwik", None)

    def _chain_end(self, module: Module, call: Call, callee: Attr) -> Iterator[Entry]:
        """Yield `procedure.input(x).mutation(f)`, `schema(x).action(f)`, `createServerFn().handler(f)`."""
        names = list(_chain_names(callee.base))
        if callee.name in _PROCEDURE_ENDS and any(name.endswith(("rocedure", "Proc")) for name in names):
            yield from self._made(module, call, "trpc", _PROCEDURE_ENDS[callee.name])
        elif callee.name in ("action", "stateAction", "handler") and names:
            origin = self._project.origin(module, callee.base)
            is_action = any(maker in origin or maker in names for maker in _ACTION_MAKERS)
            if is_action or (callee.name != "handler" and "ction" in names[-1]):
                yield from self._made(module, call, "action", "POST")

    def _made(self, module: Module, call: Call, framework: str, method: str | None) -> Iterator[Entry]:
        found = handled(self._project, module, call)
        if found is None:
            return
        kind = "http" if framework == "trpc" else "action"
        site = Site("action", framework, module, call.line, method)
        if kind == "http":
            site.kind = "http"
            site.line = found.function.line
        yield entry(site, found, given(found.function))

    def _convex(self, module: Module, call: Call, name: str) -> Iterator[Entry]:
        found = handled(self._project, module, call)
        if found is not None:
            site = Site("function", "convex", module, found.function.line, None)
            is_http = name == "httpAction"
            chosen = _second(found.function, is_request=is_http)
            yield entry(site, found, chosen)

    def _resolvers(self, module: Module) -> Iterator[Entry]:
        """Yield the functions of `{ Query: { … }, Mutation: { … } }`."""
        for statement in statements(module.body):
            for expr in expressions(statement):
                for part in walk(expr):
                    for root in ("Query", "Mutation", "Subscription"):
                        for name, value in keyed(self._fields(module, entry_of(part, root))):
                            found = handled(self._project, module, value)
                            if found is not None:
                                site = Site("http", "graphql", module, value.line, "POST", f"{root}.{name}")
                                yield entry(site, found, _second(found.function, is_request=False))

    def _fields(self, module: Module, expr: Expr | None) -> Dict | None:
        if isinstance(expr, Name):
            found = self._project.find(module, expr)
            expr = found.value if found is not None and isinstance(found.value, Dict) else None
        return expr if isinstance(expr, Dict) else None


def _second(function: Function, *, is_request: bool) -> Given:
    """Return what is chosen in the second parameter, as in `(ctx, args)` and `(parent, args, ctx)`."""
    if len(function.params) < 2:
        return Given([], [])
    param = function.params[1]
    if param.pattern is not None:
        return Given(names_in(param.pattern), [])
    return Given([], [param.name]) if is_request else Given([param.name], [])


def _chain_names(expr: Expr) -> Iterator[str]:
    """Yield the names of a chain, from its end to its start."""
    for _ in range(60):
        if isinstance(expr, Call):
            expr = expr.callee
        if isinstance(expr, Attr):
            yield expr.name
            expr = expr.base
        elif isinstance(expr, Name):
            yield expr.id
            return
        else:
            return
