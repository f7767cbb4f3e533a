"""Findings about what other web pages and scripts may do: open origins, readable cookies."""

import re
from collections.abc import Iterator

from seawall.check.code.ir import Attr, Call, Dict, Expr, Name
from seawall.check.code.readings import (
    Found,
    echoes,
    entries_of,
    error,
    holds_star,
    is_literal,
    is_star,
    keys_in,
    last_name,
    line_at,
    named_inside,
    text_of,
    warning,
    words_in,
)
from seawall.check.code.walking import walk
from seawall.check.findings import Confidence

_SESSION_COOKIE = re.compile(r"(?i)sess|token|auth|jwt|sid\b|login|user|remember|refresh|access")
_ALL_ORIGINS = frozenset({"CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"})
_COOKIE_SETTINGS = frozenset(
    ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "REMEMBER_COOKIE_SECURE"]
)


def of_call(name: str, call: Call, options: dict[str, Expr]) -> Iterator[Found]:
    """Yield the findings of a call."""
    yield from _cors(name, call, options)
    yield from _cookie(name, call, options)


def of_assignment(name: str, target: Expr, value: Expr, line: int) -> Iterator[Found]:
    """Yield the findings of a setting."""
    if name in _COOKIE_SETTINGS and is_literal(value, False):
        yield warning(
            "insecure-cookie",
            line,
            f"{name} is off: the cookie travels without HTTPS, or scripts can read it.",
        )
    if name in _ALL_ORIGINS and is_literal(value, True):
        yield warning("cors-open", line, f"{name} lets every web page call this API.")
    if name.lower() == "access-control-allow-origin" and text_of(value) == "*":
        yield _cors_found(line, with_credentials=False)
    is_document = isinstance(target, Attr) and getattr(target.base, "id", "") == "document"
    if name == "cookie" and is_document and _SESSION_COOKIE.search(words_in(value)):
        message = "A cookie set by a script can be read by every script of the page."
        yield warning("insecure-cookie", line, message, Confidence.MEDIUM)


def of_expression(expr: Expr) -> Iterator[Found]:
    """Yield the findings of headers that are written down as an object."""
    yield from _headers(expr)


def _cors(name: str, call: Call, options: dict[str, Expr]) -> Iterator[Found]:
    last = name.rpartition(".")[2].replace("()", "")
    adds = last == "add_middleware" and any(last_name(a) == "CORSMiddleware" for a in call.args)
    if (
        adds
        or last == "CORSMiddleware"
        or (last == "Middleware" and any(last_name(a) == "CORSMiddleware" for a in call.args))
    ):
        star = is_star(options.get("allow_origins")) or is_star(options.get("allow_origin_regex"))
        if star:
            yield _cors_found(
                line_at(options.get("allow_origins"), call),
                with_credentials=is_literal(options.get("allow_credentials"), True),
            )
    elif last == "CORS" and "flask" in name.lower():
        origins = options.get("origins")
        resources = options.get("resources")
        star = is_star(origins) or (
            origins is None
            and (resources is None or "origins" not in keys_in(resources) or holds_star(resources))
        )
        if star:
            yield _cors_found(
                call.line, with_credentials=is_literal(options.get("supports_credentials"), True)
            )
    elif name == "aiohttp_cors.setup" and "*" in keys_in(options.get("defaults", call)):
        yield _cors_found(call.line, with_credentials="allow_credentials" in named_inside(call))
    elif last == "cross_origin" and (not options or is_star(options.get("origins"))):
        yield _cors_found(call.line, with_credentials=is_literal(options.get("supports_credentials"), True))
    elif (
        last == "cors"
        and name in {"cors", "hono/cors.cors", "@koa/cors", "@elysiajs/cors.cors"}
        and not any(isinstance(a, Name) for a in call.args)
    ):
        origin = options.get("origin")
        with_credentials = is_literal(options.get("credentials"), True)
        if origin is None or is_star(origin) or is_literal(origin, True) or echoes(origin):
            yield _cors_found(call.line, with_credentials=with_credentials)
    elif last == "register" and any(last_name(a) in {"cors", "fastifyCors"} for a in call.args):
        origin = options.get("origin")
        if is_star(origin) or is_literal(origin, True):
            yield _cors_found(call.line, with_credentials=is_literal(options.get("credentials"), True))
    elif last == "Server" and "socket.io" in name and isinstance(options.get("cors"), Dict):
        inner = entries_of(options["cors"])
        if is_star(inner.get("origin")) or is_literal(inner.get("origin"), True):
            yield _cors_found(call.line, with_credentials=is_literal(inner.get("credentials"), True))
    elif last in {"onRequest", "onCall"} and is_literal(options.get("cors"), True):
        yield _cors_found(call.line, with_credentials=False)
    elif last == "enableCors" and (
        not call.args or is_star(options.get("origin")) or is_literal(options.get("origin"), True)
    ):
        yield _cors_found(call.line, with_credentials=is_literal(options.get("credentials"), True))
    elif (
        last in {"setHeader", "header", "set", "append"}
        and len(call.args) > 1
        and text_of(call.args[0]).lower() == "access-control-allow-origin"
        and text_of(call.args[1]) == "*"
    ):
        yield _cors_found(call.line, with_credentials=False)


def _cors_found(line: int, *, with_credentials: bool) -> Found:
    if with_credentials:
        return error("cors-open", line, "Every web page may call this API with the visitor's own login.")
    return warning("cors-open", line, "Every web page may call this API from its visitors' browsers.")


def _headers(expr: Expr) -> Iterator[Found]:
    for part in walk(expr):
        if isinstance(part, Dict):
            for key, value in part.items:
                if (
                    key is not None
                    and text_of(key).lower() == "access-control-allow-origin"
                    and text_of(value) == "*"
                ):
                    credentials = {text_of(k).lower(): text_of(v) for k, v in part.items if k is not None}
                    with_credentials = credentials.get("access-control-allow-credentials") == "true"
                    yield _cors_found(value.line, with_credentials=with_credentials)


def _cookie(name: str, call: Call, options: dict[str, Expr]) -> Iterator[Found]:
    last = name.rpartition(".")[2]
    if last == "set_cookie" or (last in {"cookie", "setCookie", "set"} and _is_cookie_call(name, call)):
        what = text_of(call.args[0]) if call.args else text_of(options.get("key"))
        keys = {key.lower().replace("_", "") for key in options}
        off = [key for key in ("httponly", "secure", "httpOnly") if is_literal(options.get(key), False)]
        missing = (
            {"httponly", "secure"} - keys
            if not any(isinstance(a, Name) for a in call.args[2:])
            and not any(n is None for n, _ in call.named)
            else set()
        )
        if off:
            yield warning(
                "insecure-cookie",
                line_at(options.get(off[0]), call),
                f"The cookie {what} is set with {off[0]} off.",
            )
        elif missing and _SESSION_COOKIE.search(what):
            lacks = " and ".join(sorted(missing))
            message = f"The cookie {what} is set without {lacks}."
            yield warning("insecure-cookie", call.line, message, Confidence.MEDIUM)
    elif last in {"session", "express-session", "cookieSession", "cookie-session"} and "secret" in options:
        inner = entries_of(options.get("cookie"))
        for key in ("secure", "httpOnly"):
            if is_literal(inner.get(key), False):
                yield warning(
                    "insecure-cookie", inner[key].line, f"The session's cookie is set with {key} off."
                )
    elif (
        last in {"add_middleware", "Middleware"}
        and any(last_name(a) == "SessionMiddleware" for a in call.args)
        and is_literal(options.get("https_only"), False)
    ):
        yield warning("insecure-cookie", call.line, "The session's cookie travels without HTTPS.")


def _is_cookie_call(name: str, call: Call) -> bool:
    if name.endswith((".cookie", "setCookie")):
        return len(call.args) >= 2
    return "cookies" in name and len(call.args) >= 1
