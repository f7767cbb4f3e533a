"""Findings that need no way through the code: a switch in the wrong position, at one line."""

import re
from collections.abc import Iterator

from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Dict,
    Expr,
    Function,
    Index,
    Items,
    Lambda,
    Literal,
    Module,
    Name,
    Return,
)
from seawall.check.code.project import Project
from seawall.check.code.walking import calls_in, expressions, functions_in, statements, walk
from seawall.check.findings import Confidence, Finding, Severity

_LOCAL_SETTINGS = re.compile(
    r"(?i)(^|[/_.-])(dev|develop|development|local|test|tests|testing|ci|sample|example)[/_.-]"
)
_PLAIN_HTTP = re.compile(r"^http://(?P<host>[^/:?#\s\"'{}$]+)")
_NAMESPACE = re.compile(
    r"(?i)w3\.org|xmlns|schema|purl\.org|openxml|example\.(com|org|net)|ns\.adobe|\.local$|\.internal$|\.test$|\.localhost$|^10\.|^192\.168|^172\.(1[6-9]|2\d|3[01])\.|^127\.|^0\.0\.0\.0|^localhost|^\[|^169\.254|^metadata|json-schema|sitemaps|xml\.org|apache\.org/licenses|gnu\.org|fonts\."
)
_SESSION_COOKIE = re.compile(r"(?i)sess|token|auth|jwt|sid\b|login|user|remember|refresh|access")
_FETCHES = re.compile(
    r"(?i)(^|[.-])(get|post|put|delete|patch|request|fetch|axios|urlopen|\$fetch|create|OpenAI|Client|AsyncClient|AsyncOpenAI|goto|connect)$"
)
_VERIFY_CALLS = frozenset(
    {
        "jwt.decode",
        "jose.jwt.decode",
        "jose.decodeJwt",
        "jsonwebtoken.decode",
        "jwt_decode",
        "jwt-decode",
        "jwt-decode.jwtDecode",
        "jose.jwt.get_unverified_claims",
        "jwt.get_unverified_claims",
        "decodeJwt",
    }
)

ERROR_NAMES = frozenset({"err", "error", "e", "ex", "exc", "exception", "_err", "cause"})
_ERROR_HANDLERS = frozenset({"error", "onError", "onerror", "errorFormatter", "errorHandler", "handleError", "error_handler", "handle_error", "onErrorHandler"})
_REGISTERS = frozenset({"onError", "setErrorHandler", "add_exception_handler", "register_error_handler", "onUncaughtException", "onAppError"})
Found = tuple[str, int, str, Severity, Confidence]


def static_findings(project: Project, module: Module, *, in_browser: bool) -> Iterator[Finding]:
    """Yield the findings of a file's single lines."""
    for rule, line, message, severity, confidence in _found(project, module, in_browser=in_browser):
        yield Finding(
            rule=rule, path=module.path, line=line, message=message, severity=severity, confidence=confidence
        )


def _found(project: Project, module: Module, *, in_browser: bool) -> Iterator[Found]:
    for call in calls_in(module.body):
        name = project.origin(module, call.callee).replace(".default", "")
        options = _options(call)
        yield from _debug_call(name, call, options)
        yield from _tls(call, options, name)
        yield from _cors(name, call, options)
        yield from _cookie(name, call, options)
        yield from _unverified(name, call, options, in_browser=in_browser)
        yield from _plain_http(name, call, options)
    bodies = [module.body, *(f.body for f in functions_in(module.body))]
    for body in bodies:
        for stmt in statements(body):
            if isinstance(stmt, Assign) and stmt.value is not None:
                for target in stmt.targets:
                    yield from _assigned(module, target, stmt.value, stmt.line)
            for expr in expressions(stmt):
                yield from _headers(expr)


def _debug_call(name: str, call: Call, options: dict[str, Expr]) -> Iterator[Found]:
    last = name.rpartition(".")[2]
    is_server = last in {
        "run",
        "run_app",
        "Flask",
        "FastAPI",
        "Starlette",
        "Sanic",
        "Quart",
        "Litestar",
        "Application",
        "Bottle",
        "run_simple",
        "listen",
    }
    if (
        is_server
        and "subprocess" not in name
        and (_is(options.get("debug"), True) or _is(options.get("use_debugger"), True))
    ):
        yield (
            "debug-on",
            _at(options.get("debug"), call),
            "Debug mode is on: an error shows the code, and a console, to whoever caused it.",
            Severity.ERROR,
            Confidence.HIGH,
        )
    if name == "errorhandler" or name == "errorhandler()":
        yield (
            "debug-on",
            call.line,
            "errorhandler() sends tracebacks to whoever caused the error.",
            Severity.ERROR,
            Confidence.MEDIUM,
        )


def _assigned(module: Module, target: Expr, value: Expr, line: int) -> Iterator[Found]:
    name = (
        target.id if isinstance(target, Name) else target.name if isinstance(target, Attr) else _key(target)
    )
    if name in {"DEBUG", "debug"} and _is(value, True) and not _LOCAL_SETTINGS.search("/" + module.path):
        is_setting = name == "DEBUG" and (
            "settings" in module.path or "config" in module.path or isinstance(target, Index)
        )
        is_app = isinstance(target, Attr) and getattr(target.base, "id", "") in {
            "app",
            "application",
            "server",
        }
        if is_setting or is_app:
            yield (
                "debug-on",
                line,
                f"{name} is on: an error shows the code and the settings to whoever caused it.",
                Severity.ERROR,
                Confidence.HIGH,
            )
    if name in {
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SESSION_COOKIE_HTTPONLY",
        "REMEMBER_COOKIE_SECURE",
    } and _is(value, False):
        yield (
            "insecure-cookie",
            line,
            f"{name} is off: the cookie travels without HTTPS, or scripts can read it.",
            Severity.WARNING,
            Confidence.HIGH,
        )
    if name in {"CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"} and _is(value, True):
        yield (
            "cors-open",
            line,
            f"{name} lets every web page call this API.",
            Severity.WARNING,
            Confidence.HIGH,
        )
    if name == "NODE_TLS_REJECT_UNAUTHORIZED" and isinstance(value, Literal) and str(value.value) == "0":
        yield (
            "tls-off",
            line,
            "Certificates are not checked: anybody on the way can read and change what is sent.",
            Severity.ERROR,
            Confidence.HIGH,
        )
    if (
        name == "_create_default_https_context"
        or (name == "check_hostname" and _is(value, False))
        or (name == "verify_mode" and _last(value) == "CERT_NONE")
    ):
        yield (
            "tls-off",
            line,
            "Certificates are not checked: anybody on the way can read and change what is sent.",
            Severity.ERROR,
            Confidence.HIGH,
        )
    if name == "verify" and isinstance(target, Attr) and _is(value, False):
        yield (
            "tls-off",
            line,
            "Certificates are not checked: anybody on the way can read and change what is sent.",
            Severity.ERROR,
            Confidence.HIGH,
        )
    if (
        name == "cookie"
        and isinstance(target, Attr)
        and getattr(target.base, "id", "") == "document"
        and _SESSION_COOKIE.search(_words(value))
    ):
        yield (
            "insecure-cookie",
            line,
            "A cookie set by a script can be read by every script of the page.",
            Severity.WARNING,
            Confidence.MEDIUM,
        )


def _tls(call: Call, options: dict[str, Expr], name: str) -> Iterator[Found]:
    off = None
    if _is(options.get("verify"), False) and not name.endswith(("jwt.decode", "decode")):
        off = options["verify"]
    elif (
        _is(options.get("verify_ssl"), False)
        or _is(options.get("ssl_verify"), False)
        or _is(options.get("verify_certs"), False)
    ):
        off = options.get("verify_ssl") or options.get("ssl_verify") or options.get("verify_certs")
    elif _is(options.get("ssl"), False) and (
        "aiohttp" in name or name.rpartition(".")[2] in {"get", "post", "TCPConnector", "request"}
    ):
        off = options["ssl"]
    elif _is(options.get("rejectUnauthorized"), False):
        off = options["rejectUnauthorized"]
    elif _is(options.get("strictSSL"), False):
        off = options["strictSSL"]
    elif name.endswith("_create_unverified_context"):
        off = call
    elif _last(options.get("cert_reqs")) == "CERT_NONE":
        off = options["cert_reqs"]
    if off is not None:
        yield (
            "tls-off",
            off.line,
            "Certificates are not checked: anybody on the way can read and change what is sent.",
            Severity.ERROR,
            Confidence.HIGH,
        )


def _cors(name: str, call: Call, options: dict[str, Expr]) -> Iterator[Found]:
    last = name.rpartition(".")[2].replace("()", "")
    adds = last == "add_middleware" and any(_last(a) == "CORSMiddleware" for a in call.args)
    if (
        adds
        or last == "CORSMiddleware"
        or (last == "Middleware" and any(_last(a) == "CORSMiddleware" for a in call.args))
    ):
        star = _is_star(options.get("allow_origins")) or _is_star(options.get("allow_origin_regex"))
        if star:
            yield _cors_found(
                _at(options.get("allow_origins"), call),
                with_credentials=_is(options.get("allow_credentials"), True),
            )
    elif last == "CORS" and "flask" in name.lower():
        origins = options.get("origins")
        resources = options.get("resources")
        star = _is_star(origins) or (
            origins is None
            and (resources is None or "origins" not in _keys(resources) or _holds_star(resources))
        )
        if star:
            yield _cors_found(call.line, with_credentials=_is(options.get("supports_credentials"), True))
    elif name == "aiohttp_cors.setup" and "*" in _keys(options.get("defaults", call)):
        yield _cors_found(call.line, with_credentials="allow_credentials" in _named_inside(call))
    elif last == "cross_origin" and (not options or _is_star(options.get("origins"))):
        yield _cors_found(call.line, with_credentials=_is(options.get("supports_credentials"), True))
    elif (
        last == "cors"
        and name in {"cors", "hono/cors.cors", "@koa/cors", "@elysiajs/cors.cors"}
        and not any(isinstance(a, Name) for a in call.args)
    ):
        origin = options.get("origin")
        with_credentials = _is(options.get("credentials"), True)
        if origin is None or _is_star(origin) or _is(origin, True) or _echoes(origin):
            yield _cors_found(call.line, with_credentials=with_credentials)
    elif last in {"register"} and any(_last(a) in {"cors", "fastifyCors"} for a in call.args):
        origin = options.get("origin")
        if _is_star(origin) or _is(origin, True):
            yield _cors_found(call.line, with_credentials=_is(options.get("credentials"), True))
    elif last == "Server" and "socket.io" in name and isinstance(options.get("cors"), Dict):
        inner = _dict_options(options["cors"])
        if _is_star(inner.get("origin")) or _is(inner.get("origin"), True):
            yield _cors_found(call.line, with_credentials=_is(inner.get("credentials"), True))
    elif last in {"enableCors"} and (
        not call.args or _is_star(options.get("origin")) or _is(options.get("origin"), True)
    ):
        yield _cors_found(call.line, with_credentials=_is(options.get("credentials"), True))
    elif (
        last in {"setHeader", "header", "set", "append"}
        and len(call.args) > 1
        and _text(call.args[0]).lower() == "access-control-allow-origin"
        and _text(call.args[1]) == "*"
    ):
        yield _cors_found(call.line, with_credentials=False)


def _cors_found(line: int, *, with_credentials: bool) -> Found:
    if with_credentials:
        return (
            "cors-open",
            line,
            "Every web page may call this API with the visitor's own login.",
            Severity.ERROR,
            Confidence.HIGH,
        )
    return (
        "cors-open",
        line,
        "Every web page may call this API from its visitors' browsers.",
        Severity.WARNING,
        Confidence.HIGH,
    )


def _headers(expr: Expr) -> Iterator[Found]:
    for part in walk(expr):
        if isinstance(part, Dict):
            for key, value in part.items:
                if (
                    key is not None
                    and _text(key).lower() == "access-control-allow-origin"
                    and _text(value) == "*"
                ):
                    credentials = {_text(k).lower(): _text(v) for k, v in part.items if k is not None}
                    with_credentials = credentials.get("access-control-allow-credentials") == "true"
                    yield _cors_found(value.line, with_credentials=with_credentials)


def _cookie(name: str, call: Call, options: dict[str, Expr]) -> Iterator[Found]:
    last = name.rpartition(".")[2]
    if last == "set_cookie" or (last in {"cookie", "setCookie", "set"} and _is_cookie_call(name, call)):
        what = _text(call.args[0]) if call.args else _text(options.get("key"))
        keys = {key.lower().replace("_", "") for key in options}
        off = [key for key in ("httponly", "secure", "httpOnly") if _is(options.get(key), False)]
        missing = (
            {"httponly", "secure"} - keys
            if not any(isinstance(a, Name) for a in call.args[2:])
            and not any(n is None for n, _ in call.named)
            else set()
        )
        if off:
            yield (
                "insecure-cookie",
                _at(options.get(off[0]), call),
                f"The cookie {what} is set with {off[0]} off.",
                Severity.WARNING,
                Confidence.HIGH,
            )
        elif missing and _SESSION_COOKIE.search(what):
            yield (
                "insecure-cookie",
                call.line,
                f"The cookie {what} is set without {' and '.join(sorted(missing))}.",
                Severity.WARNING,
                Confidence.MEDIUM,
            )
    elif last in {"session", "express-session", "cookieSession", "cookie-session"} and "secret" in options:
        cookie = options.get("cookie")
        inner = _dict_options(cookie) if isinstance(cookie, Dict) else {}
        for key in ("secure", "httpOnly"):
            if _is(inner.get(key), False):
                yield (
                    "insecure-cookie",
                    inner[key].line,
                    f"The session's cookie is set with {key} off.",
                    Severity.WARNING,
                    Confidence.HIGH,
                )
    elif (
        last in {"add_middleware", "Middleware"}
        and any(_last(a) == "SessionMiddleware" for a in call.args)
        and _is(options.get("https_only"), False)
    ):
        yield (
            "insecure-cookie",
            call.line,
            "The session's cookie travels without HTTPS.",
            Severity.WARNING,
            Confidence.HIGH,
        )


def _is_cookie_call(name: str, call: Call) -> bool:
    if name.endswith((".cookie", "setCookie")):
        return len(call.args) >= 2
    return "cookies" in name and len(call.args) >= 1


def _unverified(name: str, call: Call, options: dict[str, Expr], *, in_browser: bool) -> Iterator[Found]:
    message = "The token is decoded without checking its signature: anybody can write one."
    if name in {"jwt.decode", "jose.jwt.decode", "jwt.PyJWT().decode"} or name.endswith(".jwt.decode"):
        inner = _dict_options(options["options"]) if isinstance(options.get("options"), Dict) else {}
        algorithms = options.get("algorithms")
        off = _is(inner.get("verify_signature"), False) or _is(options.get("verify"), False)
        if off or (algorithms is not None and "none" in _words(algorithms).lower().split()):
            yield "unverified-token", call.line, message, Severity.ERROR, Confidence.HIGH
        return
    if in_browser:
        return
    if name in _VERIFY_CALLS or name.endswith(("get_unverified_claims", "jwtDecode", "decodeJwt")):
        yield "unverified-token", call.line, message, Severity.ERROR, Confidence.MEDIUM
    if name.endswith(".verify") and "none" in _words(options.get("algorithms")).lower().split():
        yield "unverified-token", call.line, message, Severity.ERROR, Confidence.HIGH


def _plain_http(name: str, call: Call, options: dict[str, Expr]) -> Iterator[Found]:
    for key, value in (("", call.args[0] if call.args else None), *options.items()):
        if value is None or (
            key and "url" not in key.lower() and key not in {"endpoint", "host", "api_base", "baseURL"}
        ):
            continue
        text = _start(value)
        found = _PLAIN_HTTP.match(text)
        if found is None or "." not in found["host"] or _NAMESPACE.search(found["host"]):
            continue
        if key or _FETCHES.search(name):
            yield (
                "http-endpoint",
                value.line,
                f"{found['host']} is asked over plain http: what is sent can be read on the way.",
                Severity.WARNING,
                Confidence.HIGH,
            )
            return


def _options(call: Call) -> dict[str, Expr]:
    options = {name: value for name, value in call.named if name is not None}
    for arg in call.args:
        if isinstance(arg, Dict):
            for key, value in _dict_options(arg).items():
                options.setdefault(key, value)
                if isinstance(value, Dict) and key in {"ssl", "tls", "agent", "httpsAgent", "cookie"}:
                    for inner, deeper in _dict_options(value).items():
                        options.setdefault(inner, deeper)
    return options


def _dict_options(value: Dict) -> dict[str, Expr]:
    return {str(k.value): v for k, v in value.items if isinstance(k, Literal)}


def _keys(value: Expr) -> set[str]:
    return {
        str(k.value)
        for part in walk(value)
        if isinstance(part, Dict)
        for k, _ in part.items
        if isinstance(k, Literal)
    }


def _named_inside(value: Expr) -> set[str]:
    return {name for part in walk(value) if isinstance(part, Call) for name, v in part.named if name and _is(v, True)}


def _is(value: Expr | None, want: bool) -> bool:
    return isinstance(value, Literal) and value.value is want


def _is_star(value: Expr | None) -> bool:
    if isinstance(value, Items):
        return any(_is_star(item) for item in value.items)
    return isinstance(value, Literal) and value.value in {"*", ".*", "https?://.*"}


def _echoes(value: Expr | None) -> bool:
    """Say whether a function of the origin gives back what it is given: any page is let in."""
    if not isinstance(value, Lambda):
        return False
    given = {param.name for param in value.function.params[:1]}
    said = [s.value for s in value.function.body if isinstance(s, Return)]
    return any(isinstance(one, Name) and one.id in given for one in said)


def _holds_star(value: Expr) -> bool:
    return any(_is_star(part) for part in walk(value))


def _text(value: Expr | None) -> str:
    return value.value if isinstance(value, Literal) and isinstance(value.value, str) else ""


def _words(value: Expr | None) -> str:
    return " ".join(str(p.value) for p in walk(value) if isinstance(p, Literal)) if value is not None else ""


def _start(value: Expr) -> str:
    parts = getattr(value, "parts", None)
    return _text(parts[0]) if parts else _text(value)


def _key(target: Expr) -> str:
    return _text(target.key) if isinstance(target, Index) else ""


def _last(value: Expr | None) -> str:
    if isinstance(value, Call):
        return _last(value.callee)
    return value.name if isinstance(value, Attr) else getattr(value, "id", "")


def _at(value: Expr | None, call: Call) -> int:
    return value.line if value is not None else call.line


def is_error_handler(function: Function) -> bool:
    """Say whether a function handles errors for the whole app: Express's four parameters, or a registered one."""
    names = [param.name for param in function.params]
    if len(names) == 4 and names[0].lower() in ERROR_NAMES:
        return True
    if function.name in _ERROR_HANDLERS and names and (names[0] == "" or names[0].lower() in ERROR_NAMES):
        return True
    return any(_last(d) in {"exception_handler", "errorhandler", "app_errorhandler"} for d in function.decorators)


def error_handlers(module: Module) -> set[int]:
    """Return the ids of the functions that are registered to handle errors: `app.onError(…)`, `setErrorHandler(…)`."""
    return {
        id(arg.function)
        for call in calls_in(module.body)
        if _last(call.callee) in _REGISTERS
        for arg in call.args
        if isinstance(arg, Lambda)
    }
