"""Entries of Express, Koa, Fastify, Hono, Elysia and their like: routes, and all that runs before them.

Order matters, as it does there: what is used after a route does not run before it. Fastify's hooks are the
exception: they hold for every route of their plugin.
"""

import re
from collections.abc import Iterator

from seawall.check.code.entries import Entry
from seawall.check.code.ir import Dict, Expr, Lambda, Literal, Module
from seawall.check.code.javascript_handlers import Applied, Handled, entry_of, flat, given, handled, keyed
from seawall.check.code.javascript_routers import Key, Router, Routers, Step

_MOUNTS_MAX = 8
_DEPTH_MAX = 6
_OPTIONS = frozenset(
    {
        "onRequest",
        "preParsing",
        "preValidation",
        "preHandler",
        "beforeHandle",
        "middleware",
        "use",
        "preMiddleware",
    }
)
_PARAMETER = re.compile(r":\w+\??|\{[^}]*\}|\*\w*")


class Express:
    """Finds the routes that are registered by calls."""

    def __init__(self, routers: Routers) -> None:
        self._routers = routers
        self._project = routers.project
        self._parents: dict[Key, list[tuple[Router, int, int]]] | None = None
        self._by_file: dict[str, list[tuple[Router, int]]] = {}
        for router in list(routers.all.values()):
            for at, step in enumerate(router.steps):
                if step.kind == "route":
                    self._by_file.setdefault(step.module.path, []).append((router, at))

    def of(self, module: Module) -> Iterator[Entry]:
        """Yield an entry of each route that a file registers; its handler may stand in another."""
        for router, at in self._by_file.get(module.path, ()):
            step = router.steps[at]
            found = self._handler(step)
            if found is None:
                continue
            handler, own = found
            if _is_middleware(step, handler):
                continue
            ways = list(self._ways(router, at, step.path, _DEPTH_MAX))
            path, before = min(ways, key=lambda way: len(way[1]))
            line = (
                step.line if handler.module is module and not handler.function.name else handler.function.line
            )
            chosen = given(handler.function)
            yield Entry(
                kind="websocket" if step.method == "WS" else "http",
                path=handler.module.path,
                method=None if step.method == "WS" else step.method,
                route=path,
                line=line,
                handler=handler.function,
                inputs=chosen.inputs,
                requests=chosen.requests,
                applied=[*before, *own, *handler.around],
                framework=router.framework or "express",
            )

    def _handler(self, step: Step) -> tuple[Handled, Applied] | None:
        """Return the last function of a route, and what stands before it there."""
        own: Applied = []
        exprs = flat(step.handlers)
        for at in reversed(range(len(exprs))):
            found = handled(self._project, step.module, exprs[at])
            if found is None:
                continue
            options = [e for e in exprs if isinstance(e, Dict)]
            for option in options:
                own += _of_options(step.module, option)
            own += [(step.module.path, e) for e in exprs[:at] if not isinstance(e, Dict | Literal)]
            return found, own
        return None

    def _ways(
        self, router: Router, at: int | None, path: str | None, depth: int
    ) -> Iterator[tuple[str | None, Applied]]:
        """Yield (path, what runs before) for each way on which a request reaches a step of a router."""
        whole = None if path is None else _joined(router.prefix, path)
        before = list(self._before(router, at, whole, depth))
        count = 0
        for parent, index, last in self._mounted(router.key):
            if depth <= 0 or count >= _MOUNTS_MAX:
                break
            count += 1
            step = parent.steps[index]
            inner = whole if step.kind == "inline" else _joined(step.path or "", whole or "")
            beside: Applied = [(step.module.path, e) for e in step.handlers[:last]]
            for outer, above in self._ways(parent, index, inner, depth - 1):
                yield outer, [*above, *beside, *before]
        if not count:
            yield whole, before

    def _before(
        self, router: Router, at: int | None, path: str | None, depth: int
    ) -> Iterator[tuple[str, Expr]]:
        steps = router.steps if router.framework == "fastify" else router.steps[:at]
        for step in steps:
            if step.kind == "inline" and step.child is not None and depth > 0:
                inner = self._routers.all.get(step.child)
                if inner is not None:
                    yield from self._before(inner, None, path, depth - 1)
            elif step.kind == "use" and covers(step.path or "", path):
                for expr in step.handlers:
                    if not self._leads_to_a_router(step.module, expr):
                        yield step.module.path, expr
            elif step.kind == "route" and step.method is None and covers(step.path or "", path):
                found = self._handler(step)
                if found is not None and _is_middleware(step, found[0]):
                    yield from ((step.module.path, expr) for expr in flat(step.handlers))

    def _leads_to_a_router(self, module: Module, expr: Expr) -> bool:
        if isinstance(expr, Lambda | Literal):
            return False
        key = self._routers.key_of(module, expr)
        return key is not None and self._has_routes(key)

    def _has_routes(self, key: Key) -> bool:
        router = self._routers.all.get(self._routers.aliases.get(key, key))
        return router is not None and any(step.kind != "use" or step.handlers for step in router.steps)

    def _mounted(self, key: Key) -> list[tuple[Router, int, int]]:
        """Return (parent, step, place among the step's handlers) of each place where a router is mounted."""
        if self._parents is None:
            self._parents = {}
            for router in list(self._routers.all.values()):
                for at, step in enumerate(router.steps):
                    for child, place in self._children(step):
                        if child != router.key:
                            self._parents.setdefault(child, []).append((router, at, place))
        return self._parents.get(key, [])

    def _children(self, step: Step) -> Iterator[tuple[Key, int]]:
        if step.child is not None:
            yield self._routers.aliases.get(step.child, step.child), len(step.handlers)
        elif step.kind == "use":
            for place, expr in enumerate(step.handlers):
                key = None if isinstance(expr, Lambda | Literal) else self._routers.key_of(step.module, expr)
                if key is not None and self._has_routes(key):
                    yield self._routers.aliases.get(key, key), place


def _of_options(module: Module, options: Dict) -> Applied:
    """Return what the options of a route put before it."""
    out: Applied = []
    for name, value in keyed(options):
        if name in _OPTIONS:
            out += [(module.path, expr) for expr in flat([value])]
    limit = entry_of(entry_of(options, "config"), "rateLimit")
    if limit is not None and getattr(limit, "value", None) is not False:
        out.append((module.path, Literal(limit.line, limit.end, "rateLimit")))
    return out


def _is_middleware(step: Step, handler: Handled) -> bool:
    """Tell whether a function for all methods goes on to the next one, as middleware does."""
    names = [param.name for param in handler.function.params]
    return step.method is None and any(name in ("next", "_next", "done") for name in names[1:])


def covers(used: str, path: str | None) -> bool:
    """Tell whether what is used at a path runs for a route; an unknown route is taken as covered."""
    used = re.sub(r"(/?\*\w*|/?\(\.\*\))$", "", used).rstrip("/")
    if not used or path is None:
        return True
    wanted, parts = used.strip("/").split("/"), path.strip("/").split("/")
    if len(parts) < len(wanted):
        return False
    return all(
        a == b or _PARAMETER.fullmatch(a) or _PARAMETER.fullmatch(b)
        for a, b in zip(wanted, parts, strict=False)
    )


def _joined(prefix: str, path: str) -> str:
    if not prefix or prefix == "/":
        return path or "/"
    return prefix.rstrip("/") + ("/" + path.lstrip("/") if path.strip("/") else "")
