"""Walks through conditions, loops and attempts: all ways are taken, and joined afterwards."""

from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from seawall.check.code import calls, checks
from seawall.check.code.events import Asked, Checked, Looped
from seawall.check.code.fitting import ROUTE, fit
from seawall.check.code.ir import Attr, Call, Do, Expr, Function, If, Loop, Name, Raise, Return, Try
from seawall.check.code.loops import is_bounded, is_fed, is_paced, unbounded
from seawall.check.code.refusals import AUTH, is_swallowed, leaves_at_once, refusal
from seawall.check.code.telling import may_tell, told
from seawall.check.code.values import (
    ERROR,
    IDENTITY,
    INPUT,
    MODEL,
    Closure,
    Env,
    Instance,
    Taint,
    Value,
    join,
    part_of,
)
from seawall.check.code.walking import statements

if TYPE_CHECKING:
    from seawall.check.code.walker import Walker

_ENDS = frozenset(
    [
        *(
            "flask.abort",
            "quart.abort",
            "bottle.abort",
            "werkzeug.exceptions.abort",
            "abort",
            "sanic.exceptions.abort",
        ),
        *("sys.exit", "exit", "quit", "os._exit", "process.exit", "Deno.exit", "streamlit.stop", "ctx.throw"),
        *("@sveltejs/kit.error", "@sveltejs/kit.redirect"),
    ]
)
_LEAVES_PAGE = frozenset(["redirect", "permanentRedirect", "notFound", "unauthorized", "forbidden"])


def walk_if(stmt: If, env: Env, walker: "Walker") -> bool:
    """Walk both ways of a condition; returns whether both leave the function."""
    test = walker.value(stmt.test, env)
    if walker.route:
        comes_to = checks.known(stmt.test, env, walker, ROUTE, refuses=bool(refusal(stmt.then)))
        if comes_to is not None:
            return walker.run(stmt.then if comes_to else stmt.otherwise, env)
    status = walker.refusal_of(stmt)
    if status is not None and checks.is_about_caller(stmt.test, test, status):
        kind = "auth" if status in AUTH else "limit"
        walker.note(Checked(env.module.path, stmt.line, kind=kind, name=f"answers {status}"))
    elif status is None and test.has(IDENTITY) and leaves_at_once(stmt):
        walker.note(Checked(env.module.path, stmt.line, kind="auth", name="goes on for known callers only"))
    names_in = walker.names_in(stmt.test)
    is_checked = any(_is_foreign(walker.lookup(name, env)) for name in names_in)
    inside, outside = checks.passed(stmt.test, env, walker) if is_checked else (frozenset(), frozenset())
    tells = may_tell(stmt.test, env, walker)
    if tells is not None:
        inside, outside = (inside | told(env), outside) if tells else (inside, outside | told(env))
    before, names = walker.checked, dict(env.names)
    walker.checked = before | inside
    walker.branches += 1
    start = len(walker.events)
    then_leaves = walker.run(stmt.then, env)
    sends_away = status is None and then_leaves and test.has(IDENTITY) and checks.is_absence(stmt.test)
    if sends_away and not any(isinstance(event, Asked) for event in walker.events[start:]):
        walker.note(Checked(env.module.path, stmt.line, kind="auth", name="sends strangers away"))
    if inside:
        fit_names(names_in, env, walker)
    then_names, then_checked = env.names, walker.checked
    env.names, walker.checked = names, before | outside
    else_leaves = walker.run(stmt.otherwise, env)
    if outside:
        fit_names(names_in, env, walker)
    walker.branches -= 1
    if then_leaves and not else_leaves:
        walker.checked |= outside
    elif else_leaves and not then_leaves:
        env.names, walker.checked = then_names, then_checked | inside
    else:
        walker.checked = before | (then_checked & walker.checked)
        env.names = joined(then_names, env.names)
    for measured in checks.measured(stmt.test):
        calls.end_growth(measured, env, walker)
    return then_leaves and else_leaves


def fit_names(names: tuple[str, ...], env: Env, walker: "Walker") -> None:
    """Keep what a condition said about the names in it, also where the two ways meet again."""
    for name in names:
        value = env.names.get(name)
        if value is not None and value.taints:
            env.names[name] = fit(value, walker)


def _is_foreign(value: Value) -> bool:
    """Say whether a stranger or a model may have had a hand in a value."""
    return bool(value.ref) or any(taint.kind in {INPUT, MODEL} for taint in value.taints)


def never_returns(value: Expr, env: Env, walker: "Walker") -> bool:
    """Say whether a call ends what calls it: `abort(400)`, `sys.exit()`, a function that only raises."""
    if not isinstance(value, Call):
        return False
    function = _own(walker, env, value)
    if function is not None:
        gives_up = any(isinstance(stmt, Return) for stmt in statements(function.body))
        return bool(function.body) and isinstance(function.body[-1], Raise) and not gives_up
    name = walker.project.origin(env.module, value.callee)
    return name in _ENDS or (name.startswith("next/navigation.") and name.rpartition(".")[2] in _LEAVES_PAGE)


def refused(test: Expr, value: Value, options: list[Expr], env: Env, walker: "Walker") -> None:
    """Note the refusal in one of the values that a condition chooses from."""
    for option in options:
        status = refusal([Do(option.line, option.end, option)]) if isinstance(option, Call) else None
        if status is not None and checks.is_about_caller(test, value, status):
            kind = "auth" if status in AUTH else "limit"
            walker.note(Checked(env.module.path, option.line, kind=kind, name=f"answers {status}"))


def walk_loop(stmt: Loop, env: Env, walker: "Walker") -> None:
    """Walk a loop twice, so that what one round leaves is there in the next; note one without an end."""
    start, by_model = len(walker.events), False
    own = partial(_own, walker, env)
    outer, walker.in_dialogue = (
        walker.in_dialogue,
        stmt.kind == "while" and not is_bounded(stmt) and is_paced(stmt, own),
    )
    for _ in range(2):
        if stmt.test is not None:
            by_model = walker.value(stmt.test, env).has(MODEL)
        if stmt.iterable is not None:
            over = walker.value(stmt.iterable, env)
            if stmt.target is not None:
                element = join(over.elements) if over.elements else part_of(over, "[]")
                walker.assign(stmt.target, replace(element, shared=None), env)
        before, names = walker.checked, dict(env.names)
        walker.run(stmt.body, env)
        walker.checked, env.names = before, joined(names, env.names)
    walker.in_dialogue = outer
    for measured in checks.measured(stmt.test) if stmt.test is not None else ():
        calls.end_growth(measured, env, walker)
    asked = next((e for e in walker.events[start:] if isinstance(e, Asked)), None)
    how = unbounded(stmt, own) if asked is not None else None
    if how is not None and not by_model and is_fed(stmt):
        return
    if how is not None and not any(isinstance(e, Looped) for e in walker.events[start:]):
        walker.note(Looped(env.module.path, stmt.line, asked=asked, how=how))


def _own(walker: "Walker", env: Env, call: Call) -> Function | None:
    """Return the app's own function that is called; None for anybody else's."""
    callee = call.callee
    if isinstance(callee, Name):
        ref = walker.lookup(callee.id, env).ref
        return ref.function if isinstance(ref, Closure) else None
    if isinstance(callee, Attr) and isinstance(callee.base, Name) and callee.base.id == "self":
        me = env.me.ref if env.me is not None else None
        found = walker.method(me.module, me.cls, callee.name) if isinstance(me, Instance) else None
        return found[1] if found is not None else None
    there = walker.project.find(env.module, callee)
    return there.value if there is not None and isinstance(there.value, Function) else None


def walk_try(stmt: Try, env: Env, walker: "Walker") -> bool:
    """Walk an attempt with its handlers; returns whether all of its ways leave the function."""
    start, names = len(walker.events), dict(env.names)
    body_leaves = walker.run(stmt.body, env)
    in_body = walker.events[start:]
    if any(isinstance(event, Checked) for event in in_body) and is_swallowed(stmt, in_body):
        walker.events[start:] = [event for event in in_body if not isinstance(event, Checked)]
    after = env.names
    leaves = body_leaves
    for handler in stmt.handlers:
        status = refusal(handler.body)
        if status is not None and not any(isinstance(event, Asked) for event in in_body):
            kind = "auth" if status in AUTH else "limit"
            walker.note(Checked(env.module.path, handler.line, kind=kind, name=f"answers {status}"))
        env.names = joined(names, after)
        if handler.name:
            is_broad = checks.is_broad(handler)
            source = handler.name if is_broad else "known error"
            env.names[handler.name] = Value(
                taints=frozenset({Taint(ERROR, source, env.module.path, handler.line)}),
                origin=handler.name,
            )
        if not walker.run(handler.body, env):
            after = joined(after, env.names)
            leaves = False
    env.names = after
    if stmt.otherwise:
        leaves = walker.run(stmt.otherwise, env) and leaves
    return walker.run(stmt.final, env) or leaves


def joined(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    """Return the names after two ways: what they may be."""
    names = dict(other)
    for name, value in one.items():
        there = names.get(name)
        names[name] = value if there is None or there is value else join((value, there))
    return names
