"""How apps refuse a caller: the status that a block of code answers with."""

import re

from seawall.check.code.events import Asked, Event
from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Do,
    Expr,
    Handler,
    If,
    Literal,
    Name,
    Raise,
    Return,
    Stmt,
    Try,
)
from seawall.check.code.walking import calls_in, expressions, statements, walk

AUTH = frozenset({401, 403, 407})
LIMIT = frozenset({402, 429})

_NAMES = {
    "Unauthorized": 401,
    "UnauthorizedException": 401,
    "UnauthorizedError": 401,
    "Forbidden": 403,
    "ForbiddenException": 403,
    "ForbiddenError": 403,
    "PermissionDenied": 403,
    "PermissionError": 403,
    "NotAuthenticated": 401,
    "AuthenticationFailed": 401,
    "AuthenticationError": 401,
    "HttpResponseForbidden": 403,
    "HTTPUnauthorized": 401,
    "HTTPForbidden": 403,
    "HTTPTooManyRequests": 429,
    "TooManyRequests": 429,
    "TooManyRequestsException": 429,
    "ThrottlerException": 429,
    "Throttled": 429,
    "RateLimitExceeded": 429,
    "RateLimitError": 429,
    "HTTP_401_UNAUTHORIZED": 401,
    "HTTP_403_FORBIDDEN": 403,
    "HTTP_429_TOO_MANY_REQUESTS": 429,
    "HTTP_402_PAYMENT_REQUIRED": 402,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "TOO_MANY_REQUESTS": 429,
    "PAYMENT_REQUIRED": 402,
    "unauthenticated": 401,
    "permission-denied": 403,
    "resource-exhausted": 429,
    "unauthorized": 401,
    "forbidden": 403,
}
_NO_LOGIN = re.compile(
    r"(?i)\b(not authori[sz]ed|unauthori[sz]ed|forbidden|access denied|permission denied|login required"
    r"|(please|must|need to|have to) (be )?(log|sign|logged|signed)[ -]?in|not (logged|signed) in"
    r"|authentication required"
    r"|(invalid|missing|no|bad|wrong) (auth )?(token|credentials|session|password|signature))\b"
)
_TOO_OFTEN = re.compile(
    r"(?i)\b(too many (requests|messages|questions)|rate limit(ed)?|(quota|limit) (exceeded|reached)"
    r"|(out of|no|insufficient|not enough) (more )?(credits|quota)|slow down)\b"
)
WORDS_MAX = 200
_LOGIN = ("/login", "/signin", "/sign-in", "/auth", "/api/auth", "login", "signin")
_GOES = frozenset(
    {"redirect", "RedirectResponse", "redirectToSignIn", "permanentRedirect", "url_for", "switch_page"}
)
_GOES_ON = frozenset({"next", "call_next", "done", "cb", "callback", "reject"})
_STOPS = frozenset({"stop", "exit", "close", "disconnect", "notFound", "forbidden", "unauthorized"})


def refusal(body: list[Stmt]) -> int | None:
    """Return the status of the refusal in a block: 401, 403, 429, 402; None where there is none.

    A redirect to a login page and the closing of a socket or page are refusals for lack of a login.
    """
    for stmt in statements(body):
        if isinstance(stmt, (Return, Raise, Do, Assign)):
            leaves = isinstance(stmt, (Return, Raise))
            for expr in expressions(stmt):
                for part in walk(expr):
                    status = _status(part) or (_by_words(part) if leaves else None)
                    if status is not None:
                        return status
    return None


def _by_words(part: Expr) -> int | None:
    """Return what a sentence refuses for: `return {"error": "Please sign in"}`."""
    if not isinstance(part, Literal) or not isinstance(part.value, str) or len(part.value) > WORDS_MAX:
        return None
    if _NO_LOGIN.search(part.value):
        return 401
    return 429 if _TOO_OFTEN.search(part.value) else None


def closes(stmt: Do) -> bool:
    """Say whether a statement only gives back what was open: `db.close()`."""
    call = stmt.value
    return isinstance(call, Call) and isinstance(call.callee, Attr) and call.callee.name in _STOPS


def is_swallowed(stmt: Try, in_body: list[Event]) -> bool:
    """Say whether a check that fails inside stops nobody: who cannot be recognised goes on as a guest.

    A model that is called inside is only reached where the check has passed.
    """
    if not stmt.handlers or any(isinstance(event, Asked) for event in in_body):
        return False
    goes_on = any(_is_next(call) for call in calls_in(stmt.body))
    return all(_lets_through(handler, goes_on=goes_on) for handler in stmt.handlers)


def _lets_through(handler: Handler, *, goes_on: bool) -> bool:
    if refusal(handler.body) is not None:
        return False
    said = list(statements(handler.body))
    if any(isinstance(s, Raise) for s in said):
        return False
    nexts = [call for call in calls_in(handler.body) if _is_next(call)]
    if nexts or goes_on:
        return any(not call.args for call in nexts)
    returned = [s.value for s in said if isinstance(s, Return)]
    return all(value is None or (isinstance(value, Literal) and not value.value) for value in returned)


def _is_next(call: Call) -> bool:
    return isinstance(call.callee, Name) and call.callee.id in _GOES_ON


def _status(part: Expr) -> int | None:
    if isinstance(part, Literal):
        value = part.value
        if isinstance(value, int) and not isinstance(value, bool) and (value in AUTH or value in LIMIT):
            return value
        return _NAMES.get(value) if isinstance(value, str) else None
    if isinstance(part, Attr):
        return _NAMES.get(part.name)
    if isinstance(part, Name):
        return _NAMES.get(part.id)
    if isinstance(part, Call):
        name = part.callee.name if isinstance(part.callee, Attr) else getattr(part.callee, "id", "")
        if name in _GOES and any(_is_login(arg) for arg in (*part.args, *(v for _, v in part.named))):
            return 401
        if name in _STOPS and (not part.args or _is_policy_close(part)):
            return 401
    return None


def _is_login(arg: Expr) -> bool:
    return any(
        isinstance(part, Literal)
        and isinstance(part.value, str)
        and any(word in part.value.lower() for word in _LOGIN)
        for part in walk(arg)
    )


def _is_policy_close(call: Call) -> bool:
    """Say whether a socket is closed with a code for a broken policy (1008, or the app's own 4000s)."""
    codes = [
        part.value
        for arg in (*call.args, *(v for _, v in call.named))
        for part in walk(arg)
        if isinstance(part, Literal)
    ]
    return not isinstance(call.callee, Name) and any(
        isinstance(code, int) and (code == 1008 or 4000 <= code <= 4999) for code in codes
    )


def leaves_at_once(stmt: If) -> bool:
    """Say whether one branch of a condition does nothing but leave: `if (!session) throw …`."""
    return any(
        branch and isinstance(branch[-1], (Raise, Return)) and len(branch) <= 2
        for branch in (stmt.then, stmt.otherwise)
    )
