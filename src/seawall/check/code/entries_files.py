"""Entries of frameworks where a file's place is its route: Next.js, SvelteKit, Nuxt, Astro, Remix, others."""

import posixpath
import re
from collections.abc import Iterator

from seawall.check.code.entries import Entry
from seawall.check.code.ir import Dict, Module
from seawall.check.code.javascript_handlers import (
    Applied,
    Site,
    entry,
    exported,
    exported_expr,
    given,
    handled,
    keyed,
)
from seawall.check.code.javascript_middleware import applies, next_middleware
from seawall.check.code.project import Project

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ALL")
_CODE = r"\.(?:[cm]?[jt]sx?)$"
_NEXT_ROUTE = re.compile(r"^(?P<root>(?:.*/)?)app/(?P<route>(?:.*/)?)(?:route|\+api)" + _CODE)
_NEXT_PAGE = re.compile(r"^(?P<root>(?:.*/)?)app/(?P<route>(?:.*/)?)(?:page|layout|default)" + _CODE)
_NEXT_API = re.compile(r"^(?P<root>(?:.*/)?)pages/(?P<route>api/.*)" + _CODE)
_NEXT_PAGES = re.compile(r"^(?P<root>(?:.*/)?)pages/(?P<route>(?!api/).*)" + _CODE)
_EXPO = re.compile(r"^(?P<root>(?:.*/)?)app/(?P<route>.*)\+api" + _CODE)
_SVELTE = re.compile(
    r"^(?P<root>(?:.*/)?)routes/(?P<route>(?:.*/)?)\+(?P<kind>server|page\.server|layout\.server)" + _CODE
)
_NITRO = re.compile(
    r"^(?P<root>(?:.*/)?)server/(?P<folder>api|routes)/(?P<route>.*?)(?:\.(?P<method>get|post|put|patch|delete))?"
    + _CODE
)
_ASTRO = re.compile(r"^(?P<root>(?:.*/)?)src/pages/(?P<route>.*)\.(?:ts|js|mjs)$")
_REMIX = re.compile(r"^(?P<root>(?:.*/)?)(?:app|src)/(?:routes/)(?P<route>.*)" + _CODE)
_PAGES_FUNCTION = re.compile(r"^(?P<root>(?:.*/)?)functions/(?P<route>.*)" + _CODE)
_NETLIFY = re.compile(r"(?:^|/)netlify/(?:edge-)?functions/(?P<route>.*)" + _CODE)
_VERCEL = re.compile(r"^(?P<root>(?:.*/)?)api/(?P<route>.*)" + _CODE)
_GROUP = re.compile(r"(^|/)\([^/()]*\)(?=/|$)|(^|/)@[^/]+(?=/|$)")


class Files:
    """Finds handlers by the place and the exports of their file."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._paths = frozenset(project.paths)
        self._around: dict[str, list[str]] = {}

    def of(self, module: Module) -> Iterator[Entry]:
        """Yield the entries of a file; a file of no such place has none."""
        path = module.path
        if "use client" in module.directives:
            return
        if (at := _NEXT_ROUTE.match(path)) or (at := _EXPO.match(path)):
            yield from self._next(module, at, "next")
        elif (at := _ASTRO.match(path)) and _has(module, *_METHODS):
            yield from self._astro(module, at)
        elif at := _NEXT_API.match(path):
            yield from self._next_api(module, at)
        elif at := _SVELTE.match(path):
            yield from self._svelte(module, at)
        elif at := _NITRO.match(path):
            yield from self._nitro(module, at)
        elif (at := _NEXT_PAGE.match(path)) or (at := _NEXT_PAGES.match(path)):
            yield from self._next_page(module, at)
        elif at := _NETLIFY.search(path):
            yield from self._function(module, at, "netlify")
        elif (at := _PAGES_FUNCTION.match(path)) and any(
            name.startswith("onRequest") for name in _names(module)
        ):
            yield from self._pages_function(module, at)
        elif (at := _VERCEL.match(path)) and self._is_vercel(at["root"]):
            yield from self._function(module, at, "vercel")
        if (at := _REMIX.match(path)) and _has(module, "action", "loader"):
            yield from self._remix(module, at)
        if "/routes/api/" in "/" + path and "+" not in path and _has(module, *_METHODS):
            yield from self._methods(module, "/" + path.partition("routes/")[2], "solid", [])

    def _methods(self, module: Module, route: str, framework: str, before: Applied) -> Iterator[Entry]:
        for method in _METHODS:
            found = exported(self._project, module, method) if _has(module, method) else None
            if found is not None:
                site = Site(
                    "http", framework, module, found.function.line, None if method == "ALL" else method, route
                )
                yield entry(site, found, given(found.function, 2), before)

    def _next(self, module: Module, at: re.Match[str], framework: str) -> Iterator[Entry]:
        route = _route(at["route"])
        yield from self._methods(module, route, framework, next_middleware(self._project, at["root"], route))

    def _next_api(self, module: Module, at: re.Match[str]) -> Iterator[Entry]:
        route = _route(at["route"].removesuffix("/index"))
        found = exported(self._project, module, "default")
        if found is not None:
            site = Site("http", "next", module, found.function.line, None, route)
            before = next_middleware(self._project, at["root"], route)
            yield entry(site, found, given(found.function), before)

    def _next_page(self, module: Module, at: re.Match[str]) -> Iterator[Entry]:
        """Yield what a page does on the server: a server component, `getServerSideProps`."""
        route = _route(at["route"])
        in_app = _NEXT_PAGE.match(module.path) is not None
        for name in ("default", "generateMetadata") if in_app else ("getServerSideProps",):
            found = exported(self._project, module, name) if _has(module, name) else None
            if found is not None and (found.function.is_async or not in_app) and found.function.params:
                site = Site("http", "next", module, found.function.line, "GET", route)
                before = next_middleware(self._project, at["root"], route)
                yield entry(site, found, given(found.function), before)

    def _svelte(self, module: Module, at: re.Match[str]) -> Iterator[Entry]:
        route = _route(at["route"])
        before: Applied = []
        for name in ("hooks.server.ts", "hooks.server.js"):
            hooks = self._project.module(at["root"] + name) if at["root"] + name in self._paths else None
            expr = None if hooks is None else exported_expr(hooks, "handle")
            if hooks is not None and expr is not None and applies(self._project, hooks, "handle", route):
                before.append((hooks.path, expr))
        if at["kind"] == "server":
            yield from self._methods(module, route, "sveltekit", before)
            return
        load = exported(self._project, module, "load")
        if load is not None:
            yield entry(
                Site("http", "sveltekit", module, load.function.line, "GET", route),
                load,
                given(load.function),
                before,
            )
        actions = self._project.scope(module).top.get("actions")
        for name, value in keyed(actions) if isinstance(actions, Dict) else ():
            found = handled(self._project, module, value)
            if found is not None:
                site = Site("action", "sveltekit", module, value.line, "POST", f"{route}?/{name}")
                yield entry(site, found, given(found.function), before)

    def _nitro(self, module: Module, at: re.Match[str]) -> Iterator[Entry]:
        found = exported(self._project, module, "default")
        if found is None:
            return
        prefix = "api/" if at["folder"] == "api" else ""
        route = _route(prefix + at["route"].removesuffix("/index"))
        method = at["method"].upper() if at["method"] else None
        before = self._default_of(at["root"] + "server/middleware/", route)
        yield entry(
            Site("http", "nitro", module, found.function.line, method, route),
            found,
            given(found.function),
            before,
        )

    def _default_of(self, folder: str, route: str) -> Applied:
        """Return what the files of a middleware folder export, in the order of their names."""
        if folder not in self._around:
            self._around[folder] = sorted(path for path in self._paths if path.startswith(folder))
        out: Applied = []
        for path in self._around[folder]:
            module = self._project.module(path)
            expr = None if module is None else exported_expr(module, "default")
            if module is not None and expr is not None and applies(self._project, module, "default", route):
                out.append((path, expr))
        return out

    def _astro(self, module: Module, at: re.Match[str]) -> Iterator[Entry]:
        route = _route(at["route"])
        before: Applied = []
        for name in ("src/middleware.ts", "src/middleware.js", "src/middleware/index.ts"):
            path = at["root"] + name
            middleware = self._project.module(path) if path in self._paths else None
            expr = None if middleware is None else exported_expr(middleware, "onRequest")
            if (
                middleware is not None
                and expr is not None
                and applies(self._project, middleware, "onRequest", route)
            ):
                before.append((path, expr))
        yield from self._methods(module, route, "astro", before)

    def _remix(self, module: Module, at: re.Match[str]) -> Iterator[Entry]:
        for name, method in (("loader", "GET"), ("action", "POST")):
            found = exported(self._project, module, name) if _has(module, name) else None
            if found is not None:
                site = Site(
                    "http",
                    "remix",
                    module,
                    found.function.line,
                    method,
                    _route(at["route"].replace(".", "/")),
                )
                yield entry(site, found, given(found.function))

    def _function(self, module: Module, at: re.Match[str], framework: str) -> Iterator[Entry]:
        route = ("/api/" if framework == "vercel" else "/.netlify/functions/") + at["route"].removesuffix(
            "/index"
        )
        yield from self._methods(module, route, framework, [])
        for name in ("default", "handler"):
            found = exported(self._project, module, name) if _has(module, name) else None
            if found is not None:
                kind = "http" if framework == "vercel" else "function"
                site = Site("http", framework, module, found.function.line, None, route)
                site.kind = "http" if kind == "http" else "function"
                yield entry(site, found, given(found.function))

    def _is_vercel(self, root: str) -> bool:
        """Tell whether a folder `api` is one of functions: at the top of a package or of the repository."""
        names = ("package.json", "vercel.json")
        return not root or any(posixpath.join(root, name) in self._paths for name in names)

    def _pages_function(self, module: Module, at: re.Match[str]) -> Iterator[Entry]:
        """Yield Cloudflare's `onRequest…`; the `_middleware` files above run before them."""
        if at["route"].endswith("_middleware"):
            return
        route = _route(at["route"].removesuffix("/index"))
        before: Applied = []
        folder = at["root"] + "functions/"
        for part in ("", *at["route"].split("/")[:-1]):
            folder = posixpath.join(folder, part) if part else folder
            for suffix in (".ts", ".js"):
                path = posixpath.join(folder, "_middleware" + suffix)
                middleware = self._project.module(path) if path in self._paths else None
                expr = None if middleware is None else exported_expr(middleware, "onRequest")
                if expr is not None:
                    before.append((path, expr))
        for name in sorted(_names(module)):
            found = exported(self._project, module, name) if name.startswith("onRequest") else None
            if found is not None:
                method = name.removeprefix("onRequest").upper() or None
                site = Site("http", "cloudflare", module, found.function.line, method, route)
                yield entry(site, found, given(found.function), before)


def _names(module: Module) -> set[str]:
    return {*module.exports, *module.exported, *(name for name, _ in module.reexports)}


def _has(module: Module, *names: str) -> bool:
    known = _names(module)
    return any(name in known for name in names)


def _route(folder: str) -> str:
    """Return the route of a file's place: without groups (`(app)`) and slots (`@modal`)."""
    return "/" + _GROUP.sub("", "/" + folder.strip("/")).strip("/")
