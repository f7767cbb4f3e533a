"""When the text of an error may be told: to developers, and where the error is one that the app knows."""

import re
from typing import TYPE_CHECKING

from seawall.check.code.ir import Attr, Call, Choice, Expr, Literal, Name, Op
from seawall.check.code.values import ERROR, TRACE, Env
from seawall.check.code.walking import walk

if TYPE_CHECKING:
    from seawall.check.code.walker import Walker

_STAGE = re.compile(r"(?i)env$|environment|^mode$|^stage$|settings|config")
_DEVELOPS = re.compile(
    r"(?i)(^|is_?|in_?)(debug|dev|development|local|develop)$|^app_debug$|^flask_debug$|^__DEV__$"
)
_PRODUCES = re.compile(r"(?i)(^|is_?|in_?)(prod|production)$")
_OF_KNOWN = frozenset(
    [
        *("validation", "status", "statusCode", "status_code", "expose", "isOperational", "code", "name"),
        *("errors", "issues", "detail", "isBoom", "isJoi", "publicMessage"),
    ]
)
"""What only errors have that somebody has thought of."""
_SAME = {"==": True, "===": True, "!=": False, "!==": False}


def may_tell(test: Expr, env: Env, walker: "Walker") -> bool | None:
    """Say where errors may be told: where a condition holds (True), where it does not (False), nowhere."""
    if isinstance(test, Op) and test.op in {"not", "!"} and test.operands:
        inner = may_tell(test.operands[0], env, walker)
        return None if inner is None else not inner
    if isinstance(test, Choice) and test.test is None:
        found = (may_tell(option, env, walker) for option in test.options)
        return next((one for one in found if one is not None), None)
    develops = _in_development(test)
    return develops if develops is not None else _is_known_error(test, env, walker)


def told(env: Env) -> frozenset[tuple[str, str]]:
    """Return that the errors at hand may be told, as what a condition lets through."""
    kept = (taint for value in env.names.values() for taint in value.taints)
    return frozenset((t.source, "reply") for t in kept if t.kind in {ERROR, TRACE}) | {("traceback", "reply")}


def _in_development(test: Expr) -> bool | None:
    if isinstance(test, Op) and test.op in _SAME and len(test.operands) == 2:
        return _compared(test)
    if isinstance(test, (Name, Attr)):
        return _of_word(test.name if isinstance(test, Attr) else test.id)
    if isinstance(test, Call):  # `os.environ.get("DEBUG")`
        words = [str(part.value) for arg in test.args for part in walk(arg) if isinstance(part, Literal)]
        return next((one for one in map(_of_word, words) if one is not None), None)
    return None


def _is_known_error(test: Expr, env: Env, walker: "Walker") -> bool | None:
    """Say whether a condition picks out errors that the app knows, such as `err instanceof AppError`."""
    subject = test
    if isinstance(test, Op) and test.operands:
        if test.op == "instanceof":
            return True if walker.value(test.operands[0], env).has(ERROR) else None
        subject = test.operands[0]
    if isinstance(test, Call) and getattr(test.callee, "id", "") == "isinstance" and test.args:
        return True if walker.value(test.args[0], env).has(ERROR) else None
    if not isinstance(subject, Attr) or subject.name not in _OF_KNOWN:
        return None
    if not walker.value(subject.base, env).has(ERROR):
        return None
    numbers = [o.value for o in test.operands if isinstance(o, Literal)] if isinstance(test, Op) else []
    is_failure = any(isinstance(n, int) and n >= 500 for n in numbers)
    return not is_failure or (isinstance(test, Op) and test.op in {"<", "<=", "!=", "!=="})


def _compared(test: Op) -> bool | None:
    is_same = _SAME[test.op]
    for one, other in (test.operands, test.operands[::-1]):
        if not isinstance(other, Literal):
            continue
        said = _of_word(str(other.value)) if isinstance(other.value, str) else None
        if said is not None and any(_STAGE.search(_word(part)) for part in walk(one)):
            return said == is_same
        inner = _in_development(one)
        if inner is not None and str(other.value).lower() in {"true", "1", "yes"}:
            return inner == is_same
    return None


def _of_word(word: str) -> bool | None:
    if _DEVELOPS.search(word):
        return True
    return False if _PRODUCES.search(word) else None


def _word(part: Expr) -> str:
    if isinstance(part, Literal):
        return str(part.value)
    return part.name if isinstance(part, Attr) else getattr(part, "id", "")
