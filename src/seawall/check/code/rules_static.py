"""Findings that need no way through the code: a switch in the wrong position, at one line."""

import re
from collections.abc import Iterator

from seawall.check.code import rules_origins
from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Dict,
    Expr,
    Function,
    Index,
    Lambda,
    Module,
    Name,
)
from seawall.check.code.project import Project
from seawall.check.code.readings import (
    Found,
    entries_of,
    error,
    is_literal,
    key_of,
    last_name,
    line_at,
    options_of,
    start_of,
    warning,
    words_in,
)
from seawall.check.code.walking import calls_of, expressions, functions_of, statements
from seawall.check.findings import Confidence, Finding, Severity

_LOCAL_SETTINGS = re.compile(
    r"(?i)(^|[/_.-])(dev|develop|development|local|test|tests|testing|ci|sample|example)[/_.-]"
)
_PLAIN_HTTP = re.compile(r"^http://(?P<host>[^/:?#\s\"'{}$]+)")
_NAMESPACE = re.compile(
    r"(?i)w3\.org|xmlns|schema|purl\.org|openxml|example\.(com|org|net)|ns\.adobe|\.local$|\.internal$|\.test$|\.localhost$|^10\.|^192\.168|^172\.(1[6-9]|2\d|3[01])\.|^127\.|^0\.0\.0\.0|^localhost|^\[|^169\.254|^metadata|json-schema|sitemaps|xml\.org|apache\.org/licenses|gnu\.org|fonts\."
)
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

_NOT_CHECKED = "Certificates are not checked: anybody on the way can read and change what is sent."
_ASKED_NAMES = frozenset(
    [
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
        "decode",
        "verify",
        "jwtDecode",
        "decodeJwt",
        "get_unverified_claims",
        "_create_unverified_context",
        "add_middleware",
        "Middleware",
        "CORSMiddleware",
        "CORS",
        "cross_origin",
        "cors",
        "register",
        "enableCors",
        "setHeader",
        "header",
        "set",
        "append",
        "setup",
        "set_cookie",
        "cookie",
        "setCookie",
        "session",
        "cookieSession",
        "Server",
        "onRequest",
        "onCall",
        "errorhandler",
        "ApolloServer",
    ]
)
_ASKED_OPTIONS = frozenset(
    [
        "verify",
        "verify_ssl",
        "ssl_verify",
        "verify_certs",
        "ssl",
        "rejectUnauthorized",
        "strictSSL",
        "cert_reqs",
        "debug",
        "use_debugger",
        "url",
        "base_url",
        "baseURL",
        "endpoint",
        "host",
        "api_base",
        "includeStacktraceInErrorResponses",
        "baseUrl",
    ]
)
ERROR_NAMES = frozenset({"err", "error", "e", "ex", "exc", "exception", "_err", "cause"})
_ERROR_HANDLERS = frozenset(
    {
        "error",
        "onError",
        "onerror",
        "errorFormatter",
        "errorHandler",
        "handleError",
        "error_handler",
        "handle_error",
        "onErrorHandler",
    }
)
_REGISTERS = frozenset(
    {
        "onError",
        "setErrorHandler",
        "add_exception_handler",
        "register_error_handler",
        "onUncaughtException",
        "onAppError",
    }
)


def static_findings(project: Project, module: Module, *, in_browser: bool) -> Iterator[Finding]:
    """Yield the findings of a file's single lines."""
    for rule, line, message, severity, confidence in _found(project, module, in_browser=in_browser):
        yield Finding(
            rule=rule, path=module.path, line=line, message=message, severity=severity, confidence=confidence
        )


def _found(project: Project, module: Module, *, in_browser: bool) -> Iterator[Found]:
    for call in calls_of(module):
        options = options_of(call)
        if not _may_matter(call, options):
            continue
        name = project.origin(module, call.callee).replace(".default", "")
        yield from _debug_call(name, call, options)
        yield from _tls(call, options, name)
        yield from rules_origins.of_call(name, call, options)
        yield from _unverified(name, call, options, in_browser=in_browser)
        yield from _plain_http(name, call, options)
    bodies = [module.body, *(f.body for f in functions_of(module))]
    for body in bodies:
        for stmt in statements(body):
            if isinstance(stmt, Assign) and stmt.value is not None:
                for target in stmt.targets:
                    yield from _assigned(module, target, stmt.value, stmt.line)
            for expr in expressions(stmt):
                yield from rules_origins.of_expression(expr)


def _may_matter(call: Call, options: dict[str, Expr]) -> bool:
    """Say whether a call has a name or an option that a rule asks for; names that are imported may be any."""
    last = last_name(call.callee)
    if last in _ASKED_NAMES or not _ASKED_OPTIONS.isdisjoint(options):
        return True
    if isinstance(call.callee, Name):  # A name can stand for whatever was imported under it.
        return True
    first = call.args[0] if call.args else None
    return first is not None and start_of(first).startswith("http://")


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
        and (is_literal(options.get("debug"), True) or is_literal(options.get("use_debugger"), True))
    ):
        yield error(
            "debug-on",
            line_at(options.get("debug"), call),
            "Debug mode is on: an error shows the code, and a console, to whoever caused it.",
        )
    if is_literal(options.get("includeStacktraceInErrorResponses"), True):
        yield error("stack-trace-to-client", call.line, "Tracebacks are sent to the caller with every error.")
    if name in {"errorhandler", "errorhandler()"}:
        yield error(
            "debug-on",
            call.line,
            "errorhandler() sends tracebacks to whoever caused the error.",
            Confidence.MEDIUM,
        )


def _assigned(module: Module, target: Expr, value: Expr, line: int) -> Iterator[Found]:
    name = (
        target.id if isinstance(target, Name) else target.name if isinstance(target, Attr) else key_of(target)
    )
    yield from rules_origins.of_assignment(name, target, value, line)
    if (
        name in {"DEBUG", "debug"}
        and is_literal(value, True)
        and not _LOCAL_SETTINGS.search("/" + module.path)
    ):
        in_settings = "settings" in module.path or "config" in module.path or isinstance(target, Index)
        base = target.base if isinstance(target, Attr) else None
        is_app = getattr(base, "id", "") in {"app", "application", "server"}
        if is_app or (name == "DEBUG" and in_settings):
            message = f"{name} is on: an error shows the code and the settings to whoever caused it."
            yield error("debug-on", line, message)
    is_off = (
        (name == "NODE_TLS_REJECT_UNAUTHORIZED" and words_in(value) == "0")
        or name == "_create_default_https_context"
        or (name == "check_hostname" and is_literal(value, False))
        or (name == "verify_mode" and last_name(value) == "CERT_NONE")
        or (name == "verify" and isinstance(target, Attr) and is_literal(value, False))
    )
    if is_off:
        yield error("tls-off", line, _NOT_CHECKED)


def _tls(call: Call, options: dict[str, Expr], name: str) -> Iterator[Found]:
    off = None
    if is_literal(options.get("verify"), False) and not name.endswith(("jwt.decode", "decode")):
        off = options["verify"]
    elif (
        is_literal(options.get("verify_ssl"), False)
        or is_literal(options.get("ssl_verify"), False)
        or is_literal(options.get("verify_certs"), False)
    ):
        off = options.get("verify_ssl") or options.get("ssl_verify") or options.get("verify_certs")
    elif is_literal(options.get("ssl"), False) and (
        "aiohttp" in name or name.rpartition(".")[2] in {"get", "post", "TCPConnector", "request"}
    ):
        off = options["ssl"]
    elif is_literal(options.get("rejectUnauthorized"), False):
        off = options["rejectUnauthorized"]
    elif is_literal(options.get("strictSSL"), False):
        off = options["strictSSL"]
    elif name.endswith("_create_unverified_context"):
        off = call
    elif last_name(options.get("cert_reqs")) == "CERT_NONE":
        off = options["cert_reqs"]
    if off is not None:
        yield error("tls-off", off.line, _NOT_CHECKED)


def _unverified(name: str, call: Call, options: dict[str, Expr], *, in_browser: bool) -> Iterator[Found]:
    message = "The token is decoded without checking its signature: anybody can write one."
    if name in {"jwt.decode", "jose.jwt.decode", "jwt.PyJWT().decode"} or name.endswith(".jwt.decode"):
        inner = entries_of(options["options"]) if isinstance(options.get("options"), Dict) else {}
        algorithms = options.get("algorithms")
        off = is_literal(inner.get("verify_signature"), False) or is_literal(options.get("verify"), False)
        if off or (algorithms is not None and "none" in words_in(algorithms).lower().split()):
            yield "unverified-token", call.line, message, Severity.ERROR, Confidence.HIGH
        return
    if in_browser:
        return
    if name in _VERIFY_CALLS or name.endswith(("get_unverified_claims", "jwtDecode", "decodeJwt")):
        yield "unverified-token", call.line, message, Severity.ERROR, Confidence.MEDIUM
    if name.endswith(".verify") and "none" in words_in(options.get("algorithms")).lower().split():
        yield "unverified-token", call.line, message, Severity.ERROR, Confidence.HIGH


def _plain_http(name: str, call: Call, options: dict[str, Expr]) -> Iterator[Found]:
    for key, value in (("", call.args[0] if call.args else None), *options.items()):
        if value is None or (
            key and "url" not in key.lower() and key not in {"endpoint", "host", "api_base", "baseURL"}
        ):
            continue
        text = start_of(value)
        found = _PLAIN_HTTP.match(text)
        if found is None or "." not in found["host"] or _NAMESPACE.search(found["host"]):
            continue
        if key or _FETCHES.search(name):
            yield warning(
                "http-endpoint",
                value.line,
                f"{found['host']} is asked over plain http: what is sent can be read on the way.",
            )
            return


def is_error_handler(function: Function) -> bool:
    """Say whether a function handles errors for the whole app, by its parameters, name or decorator."""
    names = [param.name for param in function.params]
    if len(names) == 4 and names[0].lower() in ERROR_NAMES:
        return True
    if function.name in _ERROR_HANDLERS and names and (names[0] == "" or names[0].lower() in ERROR_NAMES):
        return True
    return any(
        last_name(d) in {"exception_handler", "errorhandler", "app_errorhandler"} for d in function.decorators
    )


def error_handlers(module: Module) -> set[int]:
    """Return the ids of the functions that are registered to handle errors, as by `app.onError`."""
    return {
        id(arg.function)
        for call in calls_of(module)
        if last_name(call.callee) in _REGISTERS
        for arg in call.args
        if isinstance(arg, Lambda)
    }
