"""Whether the middleware of a file-based framework runs for a route: its matcher, the paths it lets pass."""

import posixpath
import re

from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Choice,
    Dict,
    Do,
    Expr,
    Function,
    If,
    Items,
    Lambda,
    Literal,
    Module,
    Name,
    Op,
    Return,
    Stmt,
)
from seawall.check.code.javascript_handlers import (
    Applied,
    definition,
    entry_of,
    exported,
    exported_expr,
    flat,
    keyed,
    said,
)
from seawall.check.code.project import Project

_NESTED_REPEAT = re.compile(r"[*+]\)?[*+{]|[*+][^()]*\)[*+{]")
_PARAMETER = re.compile(r":\w+(\([^()]*\))?([*+?]?)")
_PATTERN_MAX = 300
_HOPS_MAX = 5
_LISTS = frozenset({"some", "includes", "find", "every", "has", "findIndex", "indexOf"})


def next_middleware(project: Project, root: str, route: str) -> Applied:
    """Return what runs before a route of Next.js; `root` is the folder that holds `app` or `pages`."""
    for folder in (root, posixpath.dirname(root.rstrip("/")) if root.rstrip("/").endswith("src") else root):
        for name in ("middleware", "proxy"):
            for suffix in (".ts", ".js", ".mjs"):
                path = posixpath.join(folder, name + suffix)
                module = project.module(path) if path in project.paths else None
                if module is not None:
                    return _of_file(project, module, route)
    return []


def _of_file(project: Project, module: Module, route: str) -> Applied:
    if not _matches(project, module, route):
        return []
    for name in ("middleware", "proxy", "default"):
        for exported_name, source in module.reexports:
            if exported_name == name:
                return [(module.path, Literal(1, 1, f"{source.module}.{source.name or 'default'}"))]
        expr = exported_expr(module, name)
        if expr is not None:
            return [(module.path, expr)] if applies(project, module, name, route) else []
    return []


def _matches(project: Project, module: Module, route: str) -> bool:
    """Tell whether `config.matcher` lets the middleware run for a route; without one it runs for all."""
    config = project.scope(module).top.get("config")
    matcher = entry_of(config, "matcher") if isinstance(config, Dict) else None
    if matcher is None:
        return True
    patterns = _texts(project, module, matcher)
    return not patterns or any(_matched(pattern, route) for pattern in patterns)


def applies(project: Project, module: Module, name: str, route: str) -> bool:
    """Tell whether an exported middleware does anything for a route, as its own tests of the path say."""
    expr = exported_expr(module, name)
    if isinstance(expr, Name):
        there = definition(project, module, expr)
        expr = there[1] if there is not None and isinstance(there[1], Expr) else expr
    if isinstance(expr, Call):
        last = project.origin(module, expr.callee).rpartition(".")[2]
        if last == "clerkMiddleware" and not any(not isinstance(arg, Dict) for arg in expr.args):
            return False  # It only reads the session.
        options = expr.args[0] if expr.args else None
        if last == "authMiddleware" and isinstance(options, Dict):
            listed = [v for k, v in keyed(options) if k in ("publicRoutes", "ignoredRoutes")]
            return not any(_matched(p, route) for v in listed for p in _texts(project, module, v))
    found = exported(project, module, name)
    return found is None or _acts(project, found.module, found.function, route)


def _acts(project: Project, module: Module, function: Function, route: str) -> bool:
    """Tell whether a middleware's statements do more for a route than let it pass."""
    skipped = False
    for statement in function.body:
        if isinstance(statement, If):
            runs = _holds(project, module, statement.test, route, _HOPS_MAX)
            if runs is True and _passes(statement.then):
                return False
            if runs is False:
                skipped = True
                if not statement.otherwise or _passes(statement.otherwise):
                    continue
            return True
        if isinstance(statement, Assign) or _passes([statement]):
            continue
        return True
    return not skipped


def _passes(body: list[Stmt]) -> bool:
    """Tell whether all that a block does is to let the request through."""
    if len(body) != 1 or not isinstance(body[0], Return | Do):
        return False
    value = body[0].value
    if not isinstance(value, Call):
        return isinstance(body[0], Return)
    callee = value.callee
    name = callee.name if isinstance(callee, Attr) else callee.id if isinstance(callee, Name) else ""
    return name in ("next", "resolve") and not any(isinstance(arg, Lambda) for arg in value.args)


def _holds(project: Project, module: Module, test: Expr, route: str, hops: int) -> bool | None:
    """Tell what a test of the path says for a route; None where it tests something else."""
    if hops <= 0:
        return None
    if isinstance(test, Op) and test.op == "not":
        inner = _holds(project, module, test.operands[0], route, hops - 1)
        return None if inner is None else not inner
    if isinstance(test, Op) and test.op in ("==", "!="):
        paths = [path for operand in test.operands if (path := said(operand)) and path.startswith("/")]
        return None if not paths else (paths[0] == route) is (test.op == "==")
    if isinstance(test, Choice) and test.test is None:
        answers = {_holds(project, module, option, route, hops - 1) for option in test.options}
        if False in answers and True not in answers:
            return False
        return True if True in answers and None not in answers else None
    if isinstance(test, Name):
        there = definition(project, module, test)
        if there is None or not isinstance(there[1], Expr):
            return None
        return _holds(project, there[0], there[1], route, hops - 1)
    return _called(project, module, test, route) if isinstance(test, Call) else None


def _called(project: Project, module: Module, call: Call, route: str) -> bool | None:
    callee = call.callee
    if isinstance(callee, Name):  # Clerk's `const isPublic = createRouteMatcher([…])`.
        there = definition(project, module, callee)
        made = there[1] if there is not None else None
        is_matcher = isinstance(made, Call) and made.args
        if there is None or not is_matcher or not isinstance(made, Call):
            return None
        patterns = _texts(project, there[0], made.args[0])
        return any(_matched(pattern, route) for pattern in patterns) if patterns else None
    if not isinstance(callee, Attr):
        return None
    if callee.name == "startsWith":
        prefix = said(call.args[0]) if call.args else None
        return None if not prefix or not prefix.startswith("/") else route.startswith(prefix)
    if callee.name in _LISTS:
        paths = [path for path in _texts(project, module, callee.base) if path.startswith("/")]
        if paths:
            return any(route == p or (len(p) > 1 and route.startswith(p.rstrip("/") + "/")) for p in paths)
        part = said(call.args[0]) if call.args else None
        return part in route if part and part.startswith("/") else None
    if callee.name == "test" and isinstance(callee.base, Call) and callee.base.args:
        pattern = said(callee.base.args[0])
        return None if pattern is None else _found(pattern, route)
    return None


def _texts(project: Project, module: Module, expr: Expr) -> list[str]:
    """Return the constant strings of a list, of objects with a `source`, or of a name for either."""
    if isinstance(expr, Name):
        there = definition(project, module, expr)
        if there is None or not isinstance(there[1], Items | Literal | Call):
            return []
        module, expr = there[0], there[1]
    if isinstance(expr, Call):  # `new Set([…])`
        expr = expr.args[0] if expr.args else expr
    out: list[str] = []
    for item in flat([expr]):
        source = entry_of(item, "source") if isinstance(item, Dict) else item
        text = said(source)
        if text is not None:
            out.append(text)
    return out


def _matched(pattern: str, route: str) -> bool:
    """Tell whether a path pattern (`/api/:path*`, `/((?!api).*)`, `/admin(.*)`) covers a route."""
    if len(pattern) > _PATTERN_MAX or _NESTED_REPEAT.search(pattern):
        return True
    repeated = {"*": "(?:.*)", "+": "(?:.+)", "?": "(?:[^/]*)", "": "[^/]+"}
    regex = _PARAMETER.sub(lambda found: repeated[found[2]], pattern.replace(".", r"\."))
    regex = regex.replace(r"(\.*)", "(.*)").replace(r"\\.", r"\.").replace(r"\.*", ".*").replace(r"\.+", ".+")
    try:
        return re.fullmatch(regex.replace("/(?:.*)", "(?:/.*)?") + "/?", route) is not None
    except re.error:
        return True


def _found(pattern: str, route: str) -> bool | None:
    if len(pattern) > _PATTERN_MAX or _NESTED_REPEAT.search(pattern):
        return None
    try:
        return re.search(pattern, route) is not None
    except re.error:
        return None
