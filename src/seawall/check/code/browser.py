"""Which files of an app run in the browser of a stranger, and why.

A file runs there where it says so ("use client", a page's script, a component), or where one that does
imports it. Server code is never followed: what a page needs for `getServerSideProps` alone does not reach the
browser.
"""

import json
import posixpath
import re
from collections import deque
from collections.abc import Iterator
from functools import lru_cache

from seawall.check.code.imports import JS_SUFFIXES
from seawall.check.code.ir import (
    Assign,
    Call,
    ClassDef,
    Def,
    Expr,
    Imported,
    Lambda,
    Literal,
    Markup,
    Module,
    Name,
    Stmt,
)
from seawall.check.code.project import Project
from seawall.check.code.walking import blocks, expressions, walk

_MODULES_MAX = 5_000
_PAGES_MAX = 500
_SERVER_PATH = re.compile(
    r"(^|/)(server|backend|api-server|netlify|supabase|functions|lambda|scripts|bin|migrations|cli)/"
    r"|(^|/)pages/api/|(^|/)(app|src)/(.*/)?api/.*route\.[cm]?[jt]sx?$|(^|/)route\.[jt]sx?$"
    r"|\+(page|layout)?\.?server\.[jt]s$|\.server\.[cm]?[jt]sx?$|(^|/)hooks\.server\.|\+api\.[jt]sx?$"
    r"|(^|/)(server|middleware|proxy|instrumentation)\.[cm]?[jt]s$|\.config\.[cm]?[jt]s$"
)
_SERVER_LIBRARIES = re.compile(
    r"^(node:|server-only$|next/(headers|server|cache)$|express|fastify|@fastify/|koa|@koa/|hono|@hono/|@nestjs/"
    r"|(fs|http|https|net|tls|child_process|cluster|worker_threads|os|dgram|readline)(/promises)?$|dotenv"
    r"|puppeteer|playwright|jsdom|cheerio|pg$|mysql2?|mongoose|mongodb|@prisma/client|ioredis|bcrypt"
    r"|jsonwebtoken|nodemailer|discord\.js|telegraf|grammy|@slack/|commander|aws-lambda|firebase-functions"
    r"|firebase-admin|\$env/.*private|\$lib/server|better-sqlite3|drizzle-orm/(?!zod)|socket\.io$|ws$)"
)
_DOCUMENT = re.compile(
    r"\b(document\.(getElementById|querySelector|createElement|addEventListener|body)"
    r"|window\.(onload|location|addEventListener))"
)
_SERVER_EXPORTS = frozenset(
    {
        "getServerSideProps", "getStaticProps", "getStaticPaths", "getInitialProps", "loader", "action",
        "headers", "generateMetadata", "generateStaticParams",
    }
)  # fmt: skip
_PAGE_SCRIPT = re.compile(r"""<script\b[^>]{0,400}?\bsrc\s*=\s*["']?([^"'\s>]{1,300})""", re.IGNORECASE)
_CLIENT_BUILDERS = (
    "vite",
    "react-scripts",
    "@angular/core",
    "parcel",
    "@vue/cli-service",
    "preact-cli",
    "gatsby",
)
_WITH_BORDERS = (
    "next",
    "nuxt",
    "astro",
    "@sveltejs/kit",
    "@remix-run/react",
    "@remix-run/node",
    "@react-router/dev",
)
_NATIVE = ("react-native", "expo", "@ionic/react", "@ionic/vue", "@capacitor/core", "nativescript")
_ROOT_FILES = ("src/main", "src/index", "src/App", "src/app", "src/entry-client", "src/client")


def runs_in_browser(project: Project, module: Module, line: int | None = None) -> str | None:
    """Say in words why a file, or one line of it, runs in the browser; None where it runs on a server.

    A page's `getServerSideProps`, loaders and actions are server code: where a file has both and no line is
    given, the answer is None.
    """
    reason = _browser(project).get(module.path)
    if reason is None or (spans := _server_spans(project, module)) == []:
        return reason
    if line is None:
        return None
    return None if any(start <= line <= end for start, end in spans) else reason


@lru_cache(maxsize=1)
def _browser(project: Project) -> dict[str, str]:
    return _Browser(project).reasons


class _Browser:
    """Follows the imports from all client files of a project, breadth first, so that reasons are short."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._packages = dict(_packages(project))
        self.reasons: dict[str, str] = {}
        waiting: deque[tuple[str, str]] = deque()
        for path, reason in self._roots():
            if path not in self.reasons:
                self.reasons[path] = reason
                waiting.append((path, reason))
        while waiting and len(self.reasons) < _MODULES_MAX:
            path, _ = waiting.popleft()
            module = project.module(path)
            for imported in self._imported_by(module) if module is not None else ():
                if imported not in self.reasons and not self._is_server(imported):
                    self.reasons[imported] = f"imported by {path}, which runs in the browser"
                    waiting.append((imported, path))

    def _roots(self) -> Iterator[tuple[str, str]]:
        paths = self._project.paths
        known = set(paths)
        for module in self._project.modules("use client"):
            if "use client" in module.directives:
                yield module.path, 'it is marked "use client"'
        yield from self._scripts_of_pages(known)
        for path in paths:
            if path.endswith((*JS_SUFFIXES, ".html", ".htm", ".astro")) and not self._is_server_path(path):
                reason = self._by_place(path)
                if reason is not None and not self._is_server(path):
                    yield path, reason

    def _by_place(self, path: str) -> str | None:
        """Say why a file is sent to the browser by where it stands."""
        name = posixpath.basename(path)
        package, libraries = self._package(path)
        inner = path[len(package) + 1 :] if package else path
        if path.endswith((".html", ".htm")):
            return "a script of a page"
        if path.endswith((".vue", ".svelte")):
            return "a component that is shown in the browser"
        if path.endswith(".astro"):
            return "a script of a page"
        if re.match(r"(.*/)?(public|static|www|wwwroot)/", inner) and path.endswith((".js", ".mjs")):
            return f"{inner.split('/')[0]}/ is sent to browsers as it is"
        if any(library in libraries for library in _NATIVE):
            return "it is part of an app that is installed on phones"
        if "next" in libraries and re.match(r"(src/)?pages/(?!api/).*\.[jt]sx?$", inner):
            return None if name.startswith("_document") else "a page of Next.js"
        if _is_remix(libraries) and re.match(
            r"(app|src)/(routes/.*|root|entry\.client)\.?[\w]*\.?[jt]sx?$", inner
        ):
            return "a route's component"
        if "@sveltejs/kit" in libraries and re.match(r"\+(page|layout)\.[jt]s$", name):
            return "SvelteKit runs it in the browser too"
        is_client = any(b in libraries for b in _CLIENT_BUILDERS) and "next" not in libraries
        if is_client and not _is_remix(libraries) and posixpath.splitext(inner)[0] in _ROOT_FILES:
            return "the entry of a browser app"
        return None if any(border in libraries for border in _WITH_BORDERS) else self._by_document(path)

    def _by_document(self, path: str) -> str | None:
        if not path.endswith((".js", ".mjs", ".ts")):
            return None
        text = self._project.text(path) or ""
        if (
            len(text) > 300_000
            or not _DOCUMENT.search(text)
            or "require(" in text
            or "module.exports" in text
        ):
            return None
        return "it works on the page's document"

    def _scripts_of_pages(self, known: set[str]) -> Iterator[tuple[str, str]]:
        """Yield the scripts that HTML pages and manifests of browser extensions load."""
        pages = [
            p for p in self._project.paths if p.endswith((".html", ".htm", ".ejs", ".hbs", "manifest.json"))
        ]
        for page in pages[:_PAGES_MAX]:
            text = (self._project.text(page) or "")[:500_000]
            if page.endswith("manifest.json"):
                if "manifest_version" not in text:
                    continue
                found = re.findall(r'"([^"]{1,200}\.m?js)"', text)
            else:
                found = _PAGE_SCRIPT.findall(text)
            for source in found[:100]:
                for path in self._behind(page, source.split("?")[0]):
                    if path in known:
                        yield path, f"loaded by {page}"
                        break

    def _behind(self, page: str, source: str) -> Iterator[str]:
        home = posixpath.dirname(page)
        if "//" in source:
            return
        if not source.startswith("/"):
            yield posixpath.normpath(posixpath.join(home, source))
        bare = source.lstrip("/.")
        while True:
            yield from (posixpath.join(home, folder, bare) for folder in ("", "public", "static", "src"))
            if not home:
                return
            home = posixpath.dirname(home)

    def _imported_by(self, module: Module) -> Iterator[str]:
        """Yield the app's files that the client part of a file imports."""
        used = _client_names(module)
        for local, source in module.imports.items():
            if used is None or local in used:
                home = self._project.imported(module, source)
                if home is not None:
                    yield home.path
        for _, source in module.reexports:
            home = self._project.imported(module, source)
            if home is not None:
                yield home.path
        for expr in _client_expressions(module):
            if (
                isinstance(expr, Call)
                and isinstance(expr.callee, Name)
                and expr.callee.id in ("import", "require")
            ):
                path = expr.args[0].value if expr.args and isinstance(expr.args[0], Literal) else None
                home = self._project.imported(module, Imported(path)) if isinstance(path, str) else None
                if home is not None:
                    yield home.path

    def _is_server_path(self, path: str) -> bool:
        package, _ = self._package(path)
        inner = path[len(package) + 1 :] if package else path
        return _SERVER_PATH.search(inner) is not None

    def _is_server(self, path: str) -> bool:
        """Tell whether a file cannot run in the browser, by its place, its marks or what it imports."""
        if self._is_server_path(path):
            return True
        module = self._project.module(path)
        if module is None or "use server" in module.directives:
            return True
        if path.endswith((".vue", ".svelte", ".astro", ".html", ".htm")) or "use client" in module.directives:
            return False
        used = _client_names(module)
        return any(
            _SERVER_LIBRARIES.match(source.module) is not None
            for local, source in module.imports.items()
            if used is None or local in used
        )

    def _package(self, path: str) -> tuple[str, frozenset[str]]:
        """Return the folder of the nearest package.json above a file, and the libraries it names."""
        folder = posixpath.dirname(path)
        while folder and folder not in self._packages:
            folder = posixpath.dirname(folder)
        return folder, self._packages.get(folder, frozenset())


def _packages(project: Project) -> Iterator[tuple[str, frozenset[str]]]:
    for path in project.paths:
        if posixpath.basename(path) != "package.json":
            continue
        try:
            read = json.loads((project.text(path) or "")[:1_000_000])
        except (ValueError, RecursionError):
            read = {}
        parts = (
            [read.get(part) for part in ("dependencies", "devDependencies")] if isinstance(read, dict) else []
        )
        yield posixpath.dirname(path), frozenset(n for part in parts if isinstance(part, dict) for n in part)


def _is_remix(libraries: frozenset[str]) -> bool:
    return any(library.startswith(("@remix-run/", "@react-router/")) for library in libraries)


def _server_parts(module: Module) -> list[Stmt]:
    """Return the statements of a page that only the server runs."""
    out: list[Stmt] = []
    for statement in module.body:
        if isinstance(statement, Def) and statement.function.name in _SERVER_EXPORTS:
            out.append(statement)
        elif isinstance(statement, Assign):
            names = [target.id for target in statement.targets if isinstance(target, Name)]
            if any(name in _SERVER_EXPORTS and name in module.exports for name in names):
                out.append(statement)
        elif isinstance(statement, Def) and "use server" in statement.function.directives:
            out.append(statement)
    return out


def _server_spans(project: Project, module: Module) -> list[tuple[int, int]]:
    """Return the lines that only a server runs: first and last of each part."""
    if module.path.endswith(".astro"):
        lines = (project.text(module.path) or "").splitlines()
        marks = [at for at, line in enumerate(lines, 1) if line.strip() == "---"]
        return [(marks[0], marks[1])] if len(marks) > 1 else []
    return [(part.line, part.end) for part in _server_parts(module)]


def _client_body(module: Module) -> list[Stmt]:
    if module.path.endswith(".astro"):
        return []
    server = {id(part) for part in _server_parts(module)}
    return [statement for statement in module.body if id(statement) not in server]


def _client_names(module: Module) -> set[str] | None:
    """Return the names that the client part of a page uses; None where all of the file is client."""
    if module.path.endswith(".astro"):
        return set()
    if not _server_parts(module):
        return None
    names: set[str] = set()
    for expr in _client_expressions(module):
        if isinstance(expr, Name):
            names.add(expr.id)
        elif isinstance(expr, Markup):
            names.add(expr.tag.split(".")[0])
    return names


def _client_expressions(module: Module) -> Iterator[Expr]:
    waiting = [_client_body(module)]
    while waiting:
        for statement in waiting.pop():
            waiting.extend(blocks(statement))
            if isinstance(statement, Def):
                waiting.append(statement.function.body)
            elif isinstance(statement, ClassDef):
                waiting.append(statement.cls.body)
            for expr in expressions(statement):
                for part in walk(expr):
                    yield part
                    if isinstance(part, Lambda):
                        waiting.append(part.function.body)
