"""What a condition says about the values in it: who calls, and what a value is fit for afterwards."""

import re

from seawall.check.code.ir import Attr, Call, Choice, Expr, Handler, Literal, Op
from seawall.check.code.refusals import LIMIT
from seawall.check.code.values import ENV, IDENTITY, INPUT, MODEL, SECRET, Env, Value
from seawall.check.code.walking import walk

ALL_USES = frozenset(
    {"code", "shell", "sql", "nosql", "path", "url", "model", "html", "base_url", "program", "length", "type"}
)
PLACES = frozenset({"path", "url", "base_url"})

_SETTING = re.compile(
    r"(?i)^(get|getenv|env|config|getConfig|useRuntimeConfig|getKey|getApiKey|getSecret)$|api_?key$"
)
_WHO = re.compile(
    r"(?i)user|auth|session|login|logged|anonym|principal|member|account|tenant|token|owner|role|admin"
)
_ANSWERED = re.compile(r"[a-z]\w*\(\)(\.\w+)*$")
"""The name of what a function gave back, or a part of it; not of an object that was made."""
_DENY = ("block", "deny", "denied", "forbid", "ban", "bad", "black", "exclude", "danger")
_GOOD = (
    "is_safe",
    "issafe",
    "is_valid",
    "isvalid",
    "is_allowed",
    "isallowed",
    "validate",
    "allowed",
    "safe",
    "permitted",
    "whitelist",
    "allowlist",
    "valid",
)
_MEMBER = frozenset({"includes", "has", "contains", "__contains__", "hasOwnProperty", "indexOf", "some"})
_WHOLE = frozenset(
    {"match", "fullmatch", "test", "isdigit", "isalnum", "isidentifier", "isalpha", "isnumeric", "isDigit"}
)
_LENGTHS = frozenset(
    {
        "len",
        "length",
        "size",
        "count",
        "byteLength",
        "countTokens",
        "count_tokens",
        "num_tokens",
        "content_length",
    }
)
_HOST_PARTS = frozenset({"hostname", "host", "netloc", "origin"})
_BROAD = frozenset({"Exception", "BaseException", "Throwable", "Error"})

Passed = frozenset[tuple[str, str]]


def is_about_caller(test: Expr, value: Value, status: int) -> bool:
    """Say whether a refusal depends on the caller, and not on the app's own settings alone."""
    if status in LIMIT:
        return not (value.has(ENV) and len(value.taints) == 1)
    if value.has(INPUT) or value.has(IDENTITY):
        return True
    if value.has(ENV) or value.has(SECRET):
        return False
    if _ANSWERED.search(value.origin):
        return True
    return any(
        _WHO.search(_word(part)) or (isinstance(part, Call) and not _SETTING.search(_last(part)))
        for part in walk(test)
    )


def _word(part: Expr) -> str:
    if isinstance(part, Attr):
        return part.name
    if isinstance(part, Literal):
        return part.value if isinstance(part.value, str) else ""
    return getattr(part, "id", "")


def is_absence(test: Expr) -> bool:
    """Say whether a condition holds where something is missing: `not user`, `session === null`."""
    if isinstance(test, Op) and test.op in {"not", "!"}:
        return True
    if isinstance(test, Op) and test.op in {"==", "===", "is"}:
        return any(isinstance(side, Literal) and side.value in (None, False, "") for side in test.operands)
    return isinstance(test, Choice) and any(is_absence(option) for option in test.options)


def is_broad(handler: Handler) -> bool:
    """Say whether a handler catches whatever may happen."""
    names = [t.name if isinstance(t, Attr) else getattr(t, "id", "") for t in handler.types]
    return not names or any(name in _BROAD for name in names)


def passed(test: Expr, env: Env, walker: object) -> tuple[Passed, Passed]:
    """Return the (source, use) pairs that are fit where the condition holds, and where it does not."""
    if isinstance(test, Op) and test.op in {"not", "!"} and test.operands:
        inside, outside = passed(test.operands[0], env, walker)
        return outside, inside
    if isinstance(test, Choice):
        both = [passed(option, env, walker) for option in test.options]
        none: Passed = frozenset()
        return none.union(*(one for one, _ in both)), none.union(*(other for _, other in both))
    if isinstance(test, Op):
        return _compared(test, env, walker)
    if isinstance(test, Call):
        return _asked(test, env, walker), frozenset()
    return frozenset(), frozenset()


def _compared(test: Op, env: Env, walker: object) -> tuple[Passed, Passed]:
    if len(test.operands) < 2:
        return frozenset(), frozenset()
    left, right = test.operands[0], test.operands[-1]
    if test.op in {"in", "not in"}:
        if isinstance(left, Literal) or not _of(
            left, ALL_USES, env, walker
        ):  # `".." in name`, `ROOT in path.parents`
            of = right.base if isinstance(right, Attr) and right.name in {"parents", "parent"} else right
            found = _of(of, PLACES, env, walker)
            return (found, found)
        if _denies(right):
            return frozenset(), frozenset()
        found = _of(left, ALL_USES, env, walker)
        return (found, frozenset()) if test.op == "in" else (frozenset(), found)
    if test.op in {"<", ">", "<=", ">="}:
        found = frozenset[tuple[str, str]]()
        for side in test.operands:
            measured = _measured(side)
            if measured is not None:
                found |= _of(measured, frozenset({"length"}), env, walker)
        return found, found
    if test.op in {"==", "===", "!=", "!=="}:
        return _equal(test.op, left, right, env, walker)
    if test.op == "instanceof":
        return frozenset(), frozenset()
    return frozenset(), frozenset()


def _equal(op: str, left: Expr, right: Expr, env: Env, walker: object) -> tuple[Passed, Passed]:
    if _is_last_part(left) or _is_last_part(right):  # `path.name != name`
        found = _of(left, PLACES, env, walker) | _of(right, PLACES, env, walker)
        return found, found
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Op) and one.op == "typeof":
            found = _of(one.operands[0], frozenset({"nosql", "type"}), env, walker)
            return found, found
        if isinstance(other, Literal) and other.value not in (None, "", True, False):
            if isinstance(one, Call) and _last(one) == "indexOf":
                found = _asked(one, env, walker)
                return (found, found)
            found = _of(one, ALL_USES, env, walker)
            return (found, frozenset()) if op in {"==", "==="} else (frozenset(), found)
    return frozenset(), frozenset()


def _asked(call: Call, env: Env, walker: object) -> Passed:
    name = _last(call)
    base = call.callee.base if isinstance(call.callee, Attr) else None
    if name == "isinstance" and call.args:
        return _of(call.args[0], frozenset({"nosql", "type"}), env, walker)
    if name in _MEMBER and base is not None:
        if any(isinstance(arg, Literal) for arg in call.args):  # `name.includes("..")`
            return _of(base, PLACES, env, walker)
        if _denies(base):
            return frozenset()
        return _of_all(call.args, ALL_USES, env, walker)
    if name in _WHOLE:
        subject = [*call.args, *([base] if base is not None else [])]
        return _of_all(subject, ALL_USES, env, walker)
    if name in {"startswith", "startsWith", "is_relative_to", "endswith", "endsWith"} and base is not None:
        return _of(base, PLACES, env, walker)
    if any(word in name.lower() for word in _GOOD):
        return _of_all([*call.args, *([base] if base is not None else [])], ALL_USES, env, walker)
    return frozenset()


def _of_all(exprs: list[Expr], uses: frozenset[str], env: Env, walker: object) -> Passed:
    return frozenset[tuple[str, str]]().union(*(_of(expr, uses, env, walker) for expr in exprs))


def _of(expr: Expr, uses: frozenset[str], env: Env, walker: object) -> Passed:
    """Return the pairs of what a stranger or a model chose in an expression."""
    value = walker.value(expr, env)  # type: ignore[attr-defined] # the walker cannot be imported from below it
    sources = {taint.source for taint in value.all_taints() if taint.kind in {INPUT, MODEL}}
    found = {(source, use) for source in sources for use in uses}
    for source in sources:
        whole, _, part = source.rpartition(".")
        if part in _HOST_PARTS and whole:  # `urlparse(url).hostname in HOSTS` is said of the address.
            found |= {(whole, use) for use in uses & PLACES}
    return frozenset(found)


def measured(test: Expr) -> list[Expr]:
    """Return what a condition compares the length of with more than nothing: `len(turns) > 20`."""
    found = []
    for part in walk(test):
        if isinstance(part, Op) and part.op in {"<", ">", "<=", ">="} and len(part.operands) == 2:
            left, right = part.operands
            for side, other in ((left, right), (right, left)):
                what = _measured(side)
                if what is not None and not (isinstance(other, Literal) and other.value in {0, 1}):
                    found.append(what)
    return found


def _is_last_part(expr: Expr) -> bool:
    if isinstance(expr, Call):
        return _last(expr) == "basename"
    return isinstance(expr, Attr) and expr.name in {"name", "base"} and not isinstance(expr.base, Call)


def _denies(expr: Expr) -> bool:
    name = expr.name if isinstance(expr, Attr) else getattr(expr, "id", "")
    return any(word in name.lower() for word in _DENY)


def _measured(expr: Expr) -> Expr | None:
    """Return what a length is taken of: `len(text)`, `text.length`, `count_tokens(text)`."""
    if isinstance(expr, Call) and _last(expr) in _LENGTHS:
        return expr.args[0] if expr.args else expr.callee.base if isinstance(expr.callee, Attr) else None
    return expr.base if isinstance(expr, Attr) and expr.name in _LENGTHS else None


def _last(call: Call) -> str:
    return call.callee.name if isinstance(call.callee, Attr) else getattr(call.callee, "id", "")


def known(test: Expr, env: Env, walker: object, route: str, *, refuses: bool = False) -> bool | None:
    """Return what a condition about the path of the route comes to, None where that is not known.

    So a check before all routes that lets some paths through is a check of the others only. Where the block
    `refuses`, more than the path is asked for (`and`); where it lets through, less (`or`).
    """
    if isinstance(test, Op) and test.op in {"not", "!"} and test.operands:
        inner = known(test.operands[0], env, walker, route, refuses=refuses)
        return None if inner is None else not inner
    if isinstance(test, Choice) and test.test is None:
        parts = [known(option, env, walker, route, refuses=refuses) for option in test.options]
        if None not in parts:
            return all(parts) if refuses else any(parts)
        return False if refuses and False in parts else True if not refuses and True in parts else None
    if (
        isinstance(test, Op)
        and test.op in {"in", "not in", "==", "===", "!=", "!=="}
        and len(test.operands) == 2
    ):
        left, right = (walker.value(side, env) for side in test.operands)  # type: ignore[attr-defined]
        if route not in (left.origin, right.origin):
            return None
        found = _same(left, right, test.op)
        return None if found is None else found != (test.op in {"not in", "!=", "!=="})
    if isinstance(test, Call) and isinstance(test.callee, Attr):
        return _known_call(test, env, walker, route)
    return None


def _same(left: Value, right: Value, op: str) -> bool | None:
    if op in {"in", "not in"}:
        held = [v.literal for v in right.elements or (right.items or {}).values()]
        return left.literal in held if held and all(isinstance(h, str) for h in held) else None
    if isinstance(left.literal, str) and isinstance(right.literal, str):
        return left.literal == right.literal
    return None


def _known_call(test: Call, env: Env, walker: object, route: str) -> bool | None:
    assert isinstance(test.callee, Attr)
    base = walker.value(test.callee.base, env)  # type: ignore[attr-defined]
    given = [walker.value(arg, env) for arg in test.args]  # type: ignore[attr-defined]
    if test.callee.name in {"startswith", "startsWith"} and base.origin == route and given:
        starts = [v.literal for v in given[0].elements or given]
        if all(isinstance(one, str) for one in starts):
            return any(str(base.literal).startswith(str(one)) for one in starts)
    if test.callee.name in {"includes", "has"} and given and given[0].origin == route:
        return _same(given[0], base, "in")
    return None
