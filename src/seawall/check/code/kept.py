"""What an app keeps under a name for all of its handlers: `app["db"]`, `app.state.db`, `app.locals.db`."""

from seawall.check.code.ir import Assign, Attr, Expr, Index, Literal, Module, Name
from seawall.check.code.project import Project
from seawall.check.code.walking import calls_of, functions_of, statements

_DECORATES = frozenset({"decorate", "decorateRequest", "set"})


def kept_state(project: Project) -> dict[str, tuple[Module, Expr]]:
    """Return what apps keep for their handlers, by key."""
    known = project.kept.get("state")
    if isinstance(known, dict):
        return known
    found: dict[str, tuple[Module, Expr]] = {}
    project.kept["state"] = found
    for module in project.modules(".state.", ".locals.", 'app["', "app['", ".decorate(", ".extensions"):
        bodies = [module.body, *(f.body for f in functions_of(module))]
        for stmt in (stmt for body in bodies for stmt in statements(body)):
            if isinstance(stmt, Assign) and stmt.value is not None:
                for target in stmt.targets:
                    key = _state_key(target)
                    if key is not None:
                        found.setdefault(key, (module, stmt.value))
        for call in calls_of(module):  # Fastify's `app.decorate("db", pool)`
            is_decorate = isinstance(call.callee, Attr) and call.callee.name in _DECORATES
            if is_decorate and len(call.args) > 1 and isinstance(call.args[0], Literal):
                found.setdefault(str(call.args[0].value), (module, call.args[1]))
    return found


def _state_key(target: Expr) -> str | None:
    if (
        isinstance(target, Index)
        and isinstance(target.key, Literal)
        and isinstance(target.base, (Name, Attr))
    ):
        return target.key.value if isinstance(target.key.value, str) else None
    if (
        isinstance(target, Attr)
        and isinstance(target.base, Attr)
        and target.base.name in {"state", "locals", "ctx"}
    ):
        return target.name
    return None
