"""The judge of limits: by what is applied to calls, and never by what is only installed."""

import re
from collections.abc import Iterator

from seawall.check.checklist.shapes import APPLYING, RATE_LIMIT_MADE
from seawall.check.checklist.spending import seawall_address
from seawall.check.checklist.survey import Judgement, Spot, Survey, dotted, failed, passed, warned
from seawall.check.code.entries import Entry
from seawall.check.code.ir import Call, Class, Def, Expr, Function, Literal, Module, Raise, Return, Stmt, Try
from seawall.check.code.refusals import LIMIT, refusal
from seawall.check.code.walking import blocks, calls_in, functions_in, walk

CALLS_FOLLOWED_MAX = 40
"""So many calls of a handler are followed into the app's own functions."""
NAME_CHARS_SEEN = 300

_LIMITING = re.compile(
    r"rate[_-]?limit|ratelimit|throttl|slow_?down|(?:check|enforce|consume|require|assert|verify"
    r"|use)_?(?:quota|usage|budget|credits?|limit)"
    r"|(?:within|over|under|in|daily|user)_?(?:the_?)?quota|quota_?(?:check|guard|exceeded|left|ok)"
    r"|limiter|too_?many_?requests|^arcjet|\baj\.protect|with_?(?:quota|limit)",
    re.IGNORECASE,
)
_REFUSAL = re.compile(r"(?:Error|Exception|Exceeded)$")
_TOLD = re.compile(
    r"rate[_ -]?limit|too many (?:requests|messages)|(?:daily|hourly) limit|quota", re.IGNORECASE
)
_PROXIES = (
    r"(?:^|/)(?:nginx[\w.-]*|[\w.-]*\.nginx|default\.conf|[\w.-]+\.conf|Caddyfile|traefik[\w.-]*"
    r"|wrangler\.(?:toml|jsonc?)|kong\.ya?ml)$"
)
_PROXY_LIMITS = r"\blimit_req\s|\brate_limit\b|ratelimit|rate-limiting"


def rate_limits(survey: Survey) -> Judgement:
    """Judge whether limits are applied to routes, to the app, or in front of it."""
    limited = [each for each in survey.routes if any(_limits_in(survey, each))]
    if limited:
        first = limited[0]
        count = f"{len(limited)} of {len(survey.routes)} routes" if len(survey.routes) > 1 else "the route"
        return passed(f"A limit is applied to {count}.", Spot(first.path, first.line))
    spot = _applied_to_all(survey)
    if spot is not None:
        return passed(f"A limit is applied to the app ({spot.what}).", spot)
    spot = survey.search(survey.like(_PROXIES), _PROXY_LIMITS)
    if spot is not None:
        return passed(f"The proxy limits requests ({spot.what}).", spot)
    spot = survey.search(survey.own(r"settings[\w/]*\.py$"), r"DEFAULT_THROTTLE_(?:CLASSES|RATES)")
    if spot is not None:
        return passed("Django REST framework limits every view.", spot)
    spot = seawall_address(survey)
    if spot is not None:
        return passed("Model calls go through Seawall, which limits each user.", spot)
    spot = survey.called(RATE_LIMIT_MADE)
    if spot is not None:
        return warned(f"A limiter is made ({spot.what}), and no route was seen that uses it.", spot)
    package = survey.depends(
        "slowapi", "flask-limiter", "fastapi-limiter", "django-ratelimit", "express-rate-limit",
        "rate-limiter-flexible",
        "@upstash/ratelimit", "@fastify/rate-limit", "hono-rate-limiter", "@nestjs/throttler",
        "upstash-ratelimit",
    )  # fmt: skip
    if package is not None:
        return warned(f"{package.name} is installed, and nothing applies it.", package)
    return failed("No limiter was found on a route, in the app or in a proxy.")


def _limits_in(survey: Survey, entry: Entry) -> Iterator[bool]:
    """Look for limits before a handler, among its decorators, and in what it calls of the app's own code."""
    for path, expr in entry.applied:
        module = survey.module(path)
        for part in walk(expr):
            yield _is_limit(dotted(part))
        if module is not None:
            yield _is_limit(survey.origin(module, expr))
            yield _answers_429(survey, module, expr)
    yield _refuses_often(entry.handler.body)
    module = survey.module(entry.path)
    for call in list(_calls_of(entry.handler))[:CALLS_FOLLOWED_MAX]:
        yield _is_limit(dotted(call.callee))
        if module is not None:
            yield _answers_429(survey, module, call.callee)


def _calls_of(function: Function) -> Iterator[Call]:
    for decorator in function.decorators:
        yield from (part for part in walk(decorator) if isinstance(part, Call))
    yield from calls_in(function.body)


def _answers_429(survey: Survey, module: Module, expr: Expr) -> bool:
    """Say whether an expression is a function or class of the app that refuses who calls too often."""
    callee = expr.callee if isinstance(expr, Call) else expr
    found = survey.evidence.project.find(module, callee)
    if found is None:
        return False
    if isinstance(found.value, Function):
        return _function_refuses(found.value)
    if isinstance(found.value, Class):
        return any(_function_refuses(each.function) for each in found.value.body if isinstance(each, Def))
    return False


def _function_refuses(function: Function) -> bool:
    return _refuses_often(function.body) or any(
        _refuses_often(each.body) for each in functions_in(function.body)
    )


def _refuses_often(body: list[Stmt]) -> bool:
    """Say whether a body answers 429 or 402; not where it only passes on that a provider did."""
    for stmt in body:
        if isinstance(stmt, Try):
            if _refuses_often([*stmt.body, *stmt.otherwise, *stmt.final]):
                return True
            continue
        inner = list(blocks(stmt))
        if not inner and (refusal([stmt]) in LIMIT or _says_so(stmt)):
            return True
        if any(_refuses_often(block) for block in inner):
            return True
    return False


def _says_so(stmt: Stmt) -> bool:
    """Say whether an answer tells the caller that it was too often."""
    if not isinstance(stmt, (Return, Raise)) or stmt.value is None:
        return False
    words = (part.value for part in walk(stmt.value) if isinstance(part, Literal))
    return any(isinstance(word, str) and _TOLD.search(word) for word in words)


def _applied_to_all(survey: Survey) -> Spot | None:
    for name in sorted(APPLYING.names):
        for module, call in survey.calls_named(name):
            given: list[Expr] = [*call.args, *(value for _, value in call.named)]
            if name in ("forRoot", "forRootAsync", "init_app"):
                given.append(call.callee)
            for expr in given:
                for part in walk(expr):
                    word = dotted(part)
                    if _is_limit(word) or (word and _is_limit(survey.origin(module, part))):
                        return Spot(module.path, call.line, word.rpartition(".")[2] or "limit")
    for module, call in survey.calls_named("Limiter"):
        if any(option in ("default_limits", "application_limits") for option, _ in call.named):
            return Spot(module.path, call.line, "default_limits")
    return None


def _is_limit(name: str) -> bool:
    name = name[-NAME_CHARS_SEEN:]
    return bool(name) and bool(_LIMITING.search(name)) and not _REFUSAL.search(name.replace("()", ""))
