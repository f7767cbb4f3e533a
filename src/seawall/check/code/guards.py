"""What stands before a handler: decorators, dependencies and middleware that ask or limit who calls."""

import re
from typing import TYPE_CHECKING

from seawall.check.code.entries import Entry
from seawall.check.code.events import Asked, Checked, Event
from seawall.check.code.ir import (
    Attr,
    Call,
    Class,
    Dict,
    Expr,
    Function,
    Items,
    Lambda,
    Literal,
    Module,
    Name,
    Raise,
    Return,
)
from seawall.check.code.readings import is_literal, options_of
from seawall.check.code.values import INPUT, Closure, Instance, Taint, Value
from seawall.check.code.walking import calls_in, functions_in, statements

if TYPE_CHECKING:
    from seawall.check.code.walker import Walker

_AUTH = re.compile(
    r"(?i)log_?in_?required|require|auth|jwt|token|permission|protect|session_required|current_?user|api_?key|clerk"
    r"|guard|ensure|verif|signed|admin|role|bearer|passport|member|credential|hmac|signature|is_?staff|logged|secur"
)
_LIMIT = re.compile(r"(?i)rate|limit|throttl|slow_?down|quota|captcha|turnstile|credit|budget")
_NEVER = re.compile(
    r"(?i)cors|csrf|helmet|urlencoded|static|compress|gzip|logg|morgan|cookie|body_?pars|AllowAny|ScopedRateThrottle|public|trusted_?host"
    r"|httpsredirect|initialize|SessionMiddleware|AuthenticationMiddleware$|optional|set_?user|attach|\.json$|\.text$"
    r"|generate|iterat|operat|integrat|^express\.|multipart|upload|validat|error|not_?found|prometheus|sentry|request_?id"
)
_MADE = re.compile(
    r"(?i)(bearer|basic)_?auth|clerk|auth0|passport|express_?jwt|rate_?limit|limiter|throttle|require_?auth|with_?auth"
)
"""Middleware of libraries that other middleware is made of."""
_METHODS = (
    "dispatch",
    "__call__",
    "process_request",
    "process_view",
    "has_permission",
    "canActivate",
    "use",
    "handle",
    "authenticate",
    "allow_request",
    "on_request",
    "before_request",
    "intercept",
    "test_func",
)


def guards_before(entry: Entry, walker: "Walker") -> list[Checked]:
    """Return the checks among what runs before a handler."""
    found: list[Checked] = []
    for path, expr in entry.applied:
        module = walker.project.module(path)
        if module is None:
            continue
        if _switches_off(expr):
            found.clear()
            continue
        owner = walker.project.scope(module).classes.get(entry.handler.owner or "")
        if (
            isinstance(expr, Attr)
            and isinstance(expr.base, Name)
            and expr.base.id == "self"
            and owner is not None
        ):
            hook = walker.method(module, owner, expr.name)
            if hook is not None:
                me = Value(ref=Instance(module, owner), origin=owner.name + "()")
                found.extend(_walked(hook[0], hook[1], walker, me))
        else:
            found.extend(_guards_of(module, expr, walker))
    return found


def _switches_off(expr: Expr) -> bool:
    """Say whether this stands for "nothing": `auth=None`, `permission_classes = []` of a route or router."""
    if isinstance(expr, Items):
        return not expr.items
    return isinstance(expr, Literal) and expr.value in (None, False)


def effective(events: list[Event]) -> tuple[list[Checked], list[Asked]]:
    """Return the checks before the first call of a model, and the calls of a model."""
    checks: list[Checked] = []
    asked: list[Asked] = []
    for event in events:
        if isinstance(event, Checked) and not asked:
            checks.append(event)
        elif isinstance(event, Asked):
            asked.append(event)
    return checks, asked


def _guards_of(module: Module, expr: Expr, walker: "Walker", depth: int = 4) -> list[Checked]:
    if depth == 0:
        return []
    if isinstance(expr, Items):
        return [guard for item in expr.items for guard in _guards_of(module, item, walker, depth - 1)]
    if isinstance(expr, Literal):
        return _by_text(module, str(expr.value), expr.line)
    if isinstance(expr, Lambda):
        return _in_function(module, expr.function, expr.line, walker)
    if isinstance(expr, Dict):  # Fastify's and tRPC's objects: the values are what runs.
        return [guard for _, value in expr.items for guard in _guards_of(module, value, walker, depth - 1)]
    found = walker.project.find(module, expr)
    if found is not None:
        own = _in_own(found.module, found.value, expr, walker, depth)
        if own is not None:
            return own
    if isinstance(expr, Call):
        return _of_call(module, expr, walker, depth)
    return _by_name(module, expr, walker)


def _of_call(module: Module, call: Call, walker: "Walker", depth: int) -> list[Checked]:
    if _is_optional(call):
        return []
    name = walker.project.origin(module, call.callee)
    last = name.rpartition(".")[2]
    if last in {
        "Depends",
        "Security",
        "Provide",
        "Middleware",
        "method_decorator",
        "UseGuards",
        "use",
        "preHandler",
        "onRequest",
        "before_request",
        "applyMiddleware",
        "createMiddleware",
        "defineMiddleware",
        "sequence",
        "defineEventHandler",
        "every",
        "some",
        "compose",
    }:
        parts = [*call.args, *(value for _, value in call.named)]
        return [guard for part in parts for guard in _guards_of(module, part, walker, depth - 1)]
    made = walker.project.find(module, call.callee)
    if made is not None and isinstance(made.value, Function):
        return _in_function(made.module, made.value, call.line, walker)
    named = _by_name(module, call.callee, walker)
    if named:
        return named
    return [
        g
        for arg in call.args
        if isinstance(arg, (Lambda, Name, Attr, Call))
        for g in _guards_of(module, arg, walker, depth - 1)
    ]


def _is_optional(call: Call) -> bool:
    """Say whether a check lets everybody through all the same: `passthrough: true`, `auto_error=False`."""
    options = options_of(call)
    lets = ("passthrough", "optional", "allow_anonymous")
    needs = ("credentialsRequired", "auto_error", "required")
    return any(is_literal(options.get(n), True) for n in lets) or any(
        is_literal(options.get(n), False) for n in needs
    )


def _in_own(module: Module, value: object, expr: Expr, walker: "Walker", depth: int) -> list[Checked] | None:
    if isinstance(value, Function):
        return _in_function(module, value, expr.line, walker)
    if isinstance(value, Class):
        return _in_class(module, value, expr, walker)
    if isinstance(value, Call) and isinstance(value.callee, Name):
        cls = walker.project.scope(module).classes.get(value.callee.id)
        if cls is not None:
            return _in_class(module, cls, expr, walker)
    if isinstance(value, (Items, Dict)):
        return _guards_of(module, value, walker, depth - 1)
    return None


def _in_class(module: Module, cls: Class, expr: Expr, walker: "Walker") -> list[Checked]:
    for name in _METHODS:
        found = walker.method(module, cls, name)
        if found is None:
            continue
        if name in {"has_permission", "canActivate", "allow_request", "test_func"}:
            said = [s.value for s in statements(found[1].body) if isinstance(s, Return)]
            raises = any(isinstance(s, Raise) for s in statements(found[1].body))
            if raises or any(getattr(value, "value", None) is not True for value in said) or not said:
                return [
                    Checked(
                        module.path,
                        expr.line,
                        kind="limit" if name == "allow_request" else "auth",
                        name=cls.name,
                    )
                ]
            return []
        me = Value(ref=Instance(module, cls), origin=cls.name + "()")
        checks = _walked(module, found[1], walker, me)
        if checks:
            return checks
    for base in cls.bases:
        named = _by_name(module, base, walker)
        if named:
            return named
    return []


def _in_function(module: Module, function: Function, line: int, walker: "Walker") -> list[Checked]:
    """Walk through a dependency, middleware or decorator, and through the functions that it makes."""
    checks = _walked(module, function, walker, None)
    for inner in functions_in(function.body):
        if checks:
            break
        checks = _walked(module, inner, walker, None)
    if not checks:
        for call in calls_in(function.body):
            name = walker.project.origin(module, call.callee)
            if _MADE.search(name.rpartition(".")[2]) and walker.project.find(module, call.callee) is None:
                return [
                    Checked(
                        module.path, call.line, kind="limit" if _LIMIT.search(name) else "auth", name=name
                    )
                ]
    return checks


def _walked(module: Module, function: Function, walker: "Walker", me: Value | None) -> list[Checked]:
    outer, walker.events = walker.events, []
    entered = set(walker.entered)
    before, walker.checked = walker.checked, frozenset()
    taint = Taint(INPUT, "request", module.path, function.line)
    request = Value(taints=frozenset({taint}), shape="request", origin="request")
    closure = Closure(module, function, walker.module_env(module), me)
    walker.invoke(closure, [request] * len(function.params), {})
    events, walker.events = walker.events, outer
    walker.checked, walker.entered = before, entered
    return effective(events)[0]


def _by_name(module: Module, expr: Expr, walker: "Walker") -> list[Checked]:
    made = walker.project.scope(module).top.get(expr.id) if isinstance(expr, Name) else None
    if isinstance(made, Call) and _is_optional(made):
        return []
    name = walker.project.origin(module, expr)
    if name.endswith("SlowAPIMiddleware"):  # It applies the limits that hold everywhere, if there are any.
        limits = any(True for _ in walker.project.modules("default_limits", "application_limits"))
        return [Checked(module.path, expr.line, kind="limit", name="default_limits")] if limits else []
    return _by_text(module, name, expr.line)


def _by_text(module: Module, name: str, line: int) -> list[Checked]:
    short = ".".join(name.replace("()", "").split(".")[-2:])
    if not short or _NEVER.search(short):
        return []
    kind = "limit" if _LIMIT.search(short) else "auth" if _AUTH.search(short) else ""
    return [Checked(module.path, line, kind=kind, name=short)] if kind else []
