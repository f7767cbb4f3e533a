"""Small questions about expressions that the rules of single lines ask."""

from seawall.check.code.ir import Attr, Call, Dict, Expr, Index, Items, Lambda, Literal, Name, Return
from seawall.check.code.walking import walk
from seawall.check.findings import Confidence, Severity

Found = tuple[str, int, str, Severity, Confidence]
"""Rule, line, message, severity, confidence."""


def error(rule: str, line: int, message: str, confidence: Confidence = Confidence.HIGH) -> Found:
    """Return an error at a line."""
    return rule, line, message, Severity.ERROR, confidence


def warning(rule: str, line: int, message: str, confidence: Confidence = Confidence.HIGH) -> Found:
    """Return a warning at a line."""
    return rule, line, message, Severity.WARNING, confidence


def options_of(call: Call) -> dict[str, Expr]:
    """Return what a call is told by name: named arguments, and the entries of objects among the others."""
    options = {name: value for name, value in call.named if name is not None}
    for arg in call.args:
        if isinstance(arg, Dict):
            for key, value in entries_of(arg).items():
                options.setdefault(key, value)
                if isinstance(value, Dict) and key in {"ssl", "tls", "agent", "httpsAgent", "cookie"}:
                    for inner, deeper in entries_of(value).items():
                        options.setdefault(inner, deeper)
    return options


def entries_of(value: Expr | None) -> dict[str, Expr]:
    """Return the entries of an object by their constant keys."""
    if not isinstance(value, Dict):
        return {}
    return {str(k.value): v for k, v in value.items if isinstance(k, Literal)}


def keys_in(value: Expr) -> set[str]:
    """Return the constant keys of all objects inside."""
    return {
        str(k.value)
        for part in walk(value)
        if isinstance(part, Dict)
        for k, _ in part.items
        if isinstance(k, Literal)
    }


def named_inside(value: Expr) -> set[str]:
    """Return the named arguments inside that are true."""
    return {
        name
        for part in walk(value)
        if isinstance(part, Call)
        for name, v in part.named
        if name and is_literal(v, True)
    }


def is_literal(value: Expr | None, want: bool) -> bool:
    """Say whether an expression is this constant."""
    return isinstance(value, Literal) and value.value is want


def is_star(value: Expr | None) -> bool:
    """Say whether it stands for every origin."""
    if isinstance(value, Items):
        return any(is_star(item) for item in value.items)
    return isinstance(value, Literal) and value.value in {"*", ".*", "https?://.*"}


def echoes(value: Expr | None) -> bool:
    """Say whether a function of the origin gives back what it is given: any page is let in."""
    if not isinstance(value, Lambda):
        return False
    given = {param.name for param in value.function.params[:1]}
    said = [s.value for s in value.function.body if isinstance(s, Return)]
    return any(isinstance(one, Name) and one.id in given for one in said)


def holds_star(value: Expr) -> bool:
    """Say whether something inside stands for every origin."""
    return any(is_star(part) for part in walk(value))


def text_of(value: Expr | None) -> str:
    """Return a constant text, else ""."""
    return value.value if isinstance(value, Literal) and isinstance(value.value, str) else ""


def words_in(value: Expr | None) -> str:
    """Return the constants inside, as one text."""
    return " ".join(str(p.value) for p in walk(value) if isinstance(p, Literal)) if value is not None else ""


def start_of(value: Expr) -> str:
    """Return the constant that a text begins with, else ""."""
    parts = getattr(value, "parts", None)
    return text_of(parts[0]) if parts else text_of(value)


def key_of(target: Expr) -> str:
    """Return the constant key of an element, else ""."""
    return text_of(target.key) if isinstance(target, Index) else ""


def last_name(value: Expr | None) -> str:
    """Return the last name of a name, attribute or call."""
    if isinstance(value, Call):
        return last_name(value.callee)
    return value.name if isinstance(value, Attr) else getattr(value, "id", "")


def line_at(value: Expr | None, call: Call) -> int:
    """Return the line of a value, else that of the call."""
    return value.line if value is not None else call.line


def path_of(expr: Expr) -> str | None:
    """Return a path such as `st.session_state.messages`, None where a part of it is not constant."""
    if isinstance(expr, Name):
        return expr.id
    if isinstance(expr, Attr):
        base = path_of(expr.base)
        return None if base is None else f"{base}.{expr.name}"
    if isinstance(expr, Index) and isinstance(expr.key, Literal) and isinstance(expr.key.value, str):
        base = path_of(expr.base)
        return None if base is None else f"{base}.{expr.key.value}"
    return None
