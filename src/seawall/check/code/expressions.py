"""What an expression comes to."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from seawall.check.code import branches, calls, checks
from seawall.check.code.events import Checked
from seawall.check.code.fitting import ROUTE, fit
from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Choice,
    Class,
    Def,
    Dict,
    Each,
    Expr,
    Index,
    Items,
    Lambda,
    Literal,
    Markup,
    Module,
    Name,
    Op,
    Other,
    Spread,
    Text,
    Yield,
)
from seawall.check.code.readings import path_of
from seawall.check.code.telling import may_tell
from seawall.check.code.typing import field_of, of_type
from seawall.check.code.values import (
    ERROR,
    IDENTITY,
    INPUT,
    MODEL,
    NONE,
    SECRET,
    TRACE,
    UNKNOWN,
    Closure,
    Env,
    Instance,
    Shared,
    Taint,
    Value,
    clear,
    derived,
    join,
    part_of,
    setting,
)

if TYPE_CHECKING:
    from seawall.check.code.walker import Walker

ELEMENTS_MAX = 64
ORIGIN_MAX = 300
"""Letters of a name that is made of names; a longer chain begins anew."""

_HOST = re.compile(r"^[a-z][a-z0-9+.-]*://[^/?#]+[/?#]|^/|^\w[\w.-]*/", re.IGNORECASE)
_TAG = re.compile(r"<[a-zA-Z!/]")
_SECRET_FIELD = re.compile(
    r"(?i)(^|_)(api_?key|secret_?key|client_?secret|password|passwd|access_?token|private_?key)$"
)
_IDENTITY = frozenset(
    {"user", "auth", "session", "locals", "state", "current_user", "jwt", "principal", "userId"}
)
_OWN = frozenset(
    {"app", "env", "method", "ip", "hostname", "protocol", "client", "log", "logger", "platform", "waitUntil"}
)
_NO_TEXT = frozenset(
    {
        "usage",
        "id",
        "model",
        "created",
        "total_tokens",
        "finish_reason",
        "stop_reason",
        "finishReason",
        "usageMetadata",
        "status_code",
        "status",
        "ok",
    }
)
_PATHS = frozenset({"path", "path_info", "originalUrl", "pathname"})
_URLS = frozenset({"url", "nextUrl", "URL"})
_TEXTUAL = frozenset(
    [
        "params",
        "param",
        "path_params",
        "query_params",
        "args",
        "form",
        "GET",
        "POST",
        "headers",
        "searchParams",
    ]
)
"""Parts of a request that hold texts only, never objects."""
_PUT_THERE = frozenset({"filepath", "tempFilePath", "temporary_file_path"})
"""Where the library that takes uploads has put a file: a name of its own."""
_PLATFORM = frozenset(
    [
        "id",
        "url",
        "proxy_url",
        "avatar",
        "file_id",
        "file_path",
        "guild",
        "channel",
        "chat",
        "created_at",
        "guild_id",
        "channel_id",
        "user_id",
        "avatar_url",
    ]
)
"""What a chat platform says of a message, and not the person who writes it."""
_APPS = frozenset({"app", "config_dict", "server", "application"})
_STATE = frozenset({"state", "locals", "ctx", "extensions"})
_ASKED_ABOUT = frozenset({"not", "!", "==", "===", "!=", "!==", "is", "is not"})
_FILE_PARTS = frozenset({"name", "stem", "suffix", "suffixes", "base", "ext"})
_ENVIRONMENTS = frozenset(
    ("process.env", "os.environ", "import.meta.env", "$env/dynamic/private.env", "Deno.env", "Bun.env", "env")
)


def value_of(expr: Expr, env: Env, walker: "Walker") -> Value:
    """Return the value of an expression, noting on the walker what happens while it is made."""
    return _KINDS[type(expr)](expr, env, walker)


def attribute(base: Value, name: str, env: Env, walker: "Walker") -> Value:
    """Return `base.name`."""
    own = _own_attribute(base, name, walker)
    if own is not None:
        return own
    origin = f"{base.origin}.{name}" if base.origin and len(base.origin) < ORIGIN_MAX else name
    if base.origin in _ENVIRONMENTS:
        return setting(name, env.module.path, 0)
    if base.origin in {"flask.current_app", "quart.current_app"}:
        return walker.state(name)
    if base.items is not None and name in base.items:
        return base.items[name]
    if base.shape == "app":
        return Value(shape="app", origin="app.state") if name in _STATE else walker.state(name)
    if base.shape == "request" and name in _APPS:
        return Value(shape="app", origin="app")
    if name in {"validated_data", "cleaned_data"}:
        return clear(part_of(base, name), "length", "nosql", "type")
    if base.shape == "dict" and base.items and not {"*", "**"} & base.items.keys():
        return Value(origin=origin)  # All its entries are known, and this is none of them.
    if not base.taints and _SECRET_FIELD.search(name):
        return Value(taints=frozenset({Taint(SECRET, name, env.module.path, 0)}), origin=origin)
    if not base.taints:
        client = base.client or (base if base.items else None)
        return Value(origin=origin, client=client, shared=None, grows=False)
    taints = part_of(base, name).taints
    if walker.route and (base.shape in {"request", "url"}) and name in _PATHS:
        return Value(literal=walker.route, shape="text", origin=ROUTE)
    if base.shape == "request" and name in _URLS:
        return Value(taints=part_of(base, name).taints, origin=origin, shape="url")
    if base.shape == "request":
        if name in _IDENTITY:
            taints = frozenset({Taint(IDENTITY, name, env.module.path, 0)})
        elif name in _OWN:
            taints = frozenset()
        elif name in _TEXTUAL:
            taints = frozenset(t._replace(cleared=t.cleared | {"nosql", "type"}) for t in taints)
    if name == "authorizer" and base.has(INPUT):  # A cloud's gateway has checked the token before.
        walker.note(Checked(env.module.path, 0, kind="auth", name="the authorizer of the gateway"))
    if name in _PUT_THERE or (name == "path" and base.origin.endswith((".file", "file[]"))):
        taints = frozenset(t._replace(cleared=t.cleared | {"path"}) for t in taints)
    if walker.kind == "chat" and name in _PLATFORM:
        taints = frozenset(t for t in taints if t.kind != INPUT)
    if base.has(MODEL) and name in _NO_TEXT:
        taints = frozenset(t for t in taints if t.kind != MODEL)
    if name == "stack":
        taints = frozenset(t._replace(kind=TRACE) if t.kind == ERROR else t for t in taints)
    value = Value(
        taints=taints, origin=origin, client=base.client or (base if base.items else None), shape=base.shape
    )
    return (
        clear(value, "path")
        if name in _FILE_PARTS and ("Path()" in base.origin or "parse()" in base.origin)
        else value
    )


def store(target: Attr | Index, value: Value, env: Env, walker: "Walker") -> None:
    """Keep what is put into an attribute or an element."""
    base = walker.value(target.base, env)
    name = target.name if isinstance(target, Attr) else _key_of(target, env, walker)
    if isinstance(base.ref, Instance) and name is not None:
        known = base.ref.fields.get(name)
        base.ref.fields[name] = value if known is None else join((known, value))
        return
    path, held_at = path_of(target), path_of(target.base)
    if path is not None:
        env.names[path] = value
        if base.items is not None and base.shape == "dict" and base.shared is None and held_at in env.names:
            items = {**base.items, str(name): value}  # `options["max_tokens"] = 99`
            env.names[held_at] = replace(base, items=items, taints=base.taints | value.taints)
    elif isinstance(target.base, Name) and base.taints != value.taints:  # `prompts[kind] = …`
        held = replace(base, taints=base.taints | value.taints)
        if base.shared is None:
            env.names[target.base.id] = held


def _own_attribute(base: Value, name: str, walker: "Walker") -> Value | None:
    ref = base.ref
    if isinstance(ref, Module):
        return walker.exported_value(ref, name)
    if isinstance(ref, Instance):
        if name in ref.fields:
            return _shared_field(ref, name)
        return _member(ref.module, ref.cls, name, base, walker)
    if isinstance(ref, Class) and base.home is not None:
        if base.taints:
            return field_of(base, ref, name, walker)
        return _member(base.home, ref, name, None, walker)
    return None


def _shared_field(instance: Instance, name: str) -> Value:
    """Return a field; a list in an object that was made once is one list for all callers."""
    value = instance.fields[name]
    if not instance.is_shared or value.shared is not None or value.shape != "list":
        return value
    path, line = value.at or (instance.module.path, instance.cls.line)
    return replace(value, shared=Shared(path, line, f"{instance.cls.name}.{name}"))


def _member(
    module: Module, cls: Class, name: str, me: Value | None, walker: "Walker", depth: int = 4
) -> Value | None:
    for stmt in cls.body:
        if isinstance(stmt, Def) and stmt.function.name == name:
            closure = Closure(module, stmt.function, walker.module_env(module), me)
            is_property = any(isinstance(d, Name) and d.id == "property" for d in stmt.function.decorators)
            return walker.invoke(closure, [], {}) if is_property else Value(ref=closure, origin=name)
        if isinstance(stmt, Assign) and any(isinstance(t, Name) and t.id == name for t in stmt.targets):
            if stmt.value is not None:
                return walker.value(stmt.value, walker.module_env(module))
            if stmt.annotation is not None:
                return of_type(stmt.annotation, module, walker)
    for base in cls.bases if depth else ():
        parent = walker.project.find(module, base)
        if parent is not None and isinstance(parent.value, Class) and parent.value is not cls:
            found = _member(parent.module, parent.value, name, me, walker, depth - 1)
            if found is not None:
                return found
    return None


def _literal(expr: Literal, env: Env, walker: "Walker") -> Value:
    if isinstance(expr.value, str):
        shape = "html" if _TAG.search(expr.value) else "text"
        return Value(literal=expr.value, shape=shape, prefix=expr.value, at=(env.module.path, expr.line))
    return Value(literal=expr.value)


def _name(expr: Name, env: Env, walker: "Walker") -> Value:
    if expr.id == "self" and env.me is not None:
        return env.me
    return fit(walker.lookup(expr.id, env), walker)


def _attr(expr: Attr, env: Env, walker: "Walker") -> Value:
    path = path_of(expr)
    kept = env.get(path) if path is not None else None
    if kept is not None:
        return fit(kept, walker)
    return fit(attribute(walker.value(expr.base, env), expr.name, env, walker), walker)


def with_base(expr: Expr, env: Env, walker: "Walker") -> tuple[Value, Value]:
    """Return what a callee is called on, and the callee; what it is called on is walked through once only."""
    if not isinstance(expr, Attr):
        return NONE, walker.value(expr, env)
    base = walker.value(expr.base, env)
    path = path_of(expr)
    if path is not None and path in env.names:
        return base, fit(env.names[path], walker)
    return base, fit(attribute(base, expr.name, env, walker), walker)


def _index(expr: Index, env: Env, walker: "Walker") -> Value:
    path = path_of(expr)
    kept = env.get(path) if path is not None else None
    if kept is not None:
        return fit(kept, walker)
    base = walker.value(expr.base, env)
    if isinstance(expr.key, Op) and expr.key.op == "slice":
        return clear(replace(base, grows=False, copied=base.shared is not None, literal=UNKNOWN), "length")
    key = _key_of(expr, env, walker)
    if key is not None:
        return fit(attribute(base, key, env, walker), walker)
    if base.elements and not base.taints:
        return join(base.elements)
    walker.value(expr.key, env)
    if base.items:  # A constant table: what comes out is one of its values, whatever the key.
        return join([item for item in base.items.values() if not item.has(SECRET)])
    held = part_of(base, "[]")
    return replace(
        held, origin=base.origin + "[]" if base.origin else "", grows=base.shared is not None or held.grows
    )


def _key_of(expr: Index, env: Env, walker: "Walker") -> str | None:
    if isinstance(expr.key, Literal):
        return str(expr.key.value)
    literal = walker.value(expr.key, env).literal
    return literal if isinstance(literal, str) else None


def _text(expr: Text, env: Env, walker: "Walker") -> Value:
    values = [walker.value(part, env) for part in expr.parts]
    literals = [v.literal for v in values]
    prefix = ""
    for literal in literals:
        if not isinstance(literal, str):
            break
        prefix += literal
    is_html = any(v.shape == "html" for v in values)
    value = derived(values, shape="html" if is_html else "text")
    value = replace(value, prefix=prefix, at=(env.module.path, expr.line))
    if all(isinstance(literal, str) for literal in literals):
        value = replace(value, literal=prefix)
    return clear(value, "url", "base_url") if _names_host(values) else value


def _names_host(values: list[Value]) -> bool:
    """Say whether the server of an address stands before the first part that a stranger or a model chose."""
    before = ""
    for value in values:
        if value.has(INPUT, "url") or value.has(MODEL, "url"):
            break
        before += value.literal if isinstance(value.literal, str) else "\0"
    return before.startswith("\0") or "?" in before or bool(_HOST.match(before))


def _dict(expr: Dict, env: Env, walker: "Walker") -> Value:
    items: dict[str, Value] = {}
    for key, part in expr.items:
        value = walker.value(part, env)
        if key is None:
            items |= value.items if value.items is not None else {"**": value}
        elif isinstance(key, Literal):
            items[str(key.value)] = value
        else:
            name = walker.value(key, env).literal
            items[name if isinstance(name, str) else "*"] = value
    whole = derived(items.values(), shape="dict")
    return replace(whole, items=items, shared=None, grows=False, at=(env.module.path, expr.line))


def _items(expr: Items, env: Env, walker: "Walker") -> Value:
    elements: list[Value] = []
    spread: list[Value] = []
    for part in expr.items:
        value = walker.value(part, env)
        if isinstance(part, Spread):
            spread.append(value)
            elements.extend(value.elements if value.elements is not None else [value])
        else:
            elements.append(value)
    whole = derived(elements, shape="list")
    shared = next((v.shared for v in spread if v.shared is not None), None)
    grows = any(v.grows for v in spread)
    elements = elements[:ELEMENTS_MAX]
    return replace(whole, elements=tuple(elements), shared=shared, grows=grows, copied=shared is not None)


def _choice(expr: Choice, env: Env, walker: "Walker") -> Value:
    if expr.test is None:
        values = [walker.value(option, env) for option in expr.options]
        branches.refused(expr.options[0], values[0], expr.options[1:], env, walker)  # `user or abort(401)`
        if any(may_tell(option, env, walker) for option in expr.options):  # `isDev && error.stack`
            return clear(join(values), "reply")
        return join(values)
    tells = may_tell(expr.test, env, walker)
    test = walker.value(expr.test, env)
    branches.refused(expr.test, test, expr.options, env, walker)  # `user ? next() : res.sendStatus(401)`
    inside, outside = checks.passed(expr.test, env, walker)
    before, values = walker.checked, []
    for option, pairs, side in zip(expr.options, (inside, outside), (True, False), strict=False):
        walker.checked = before | pairs
        value = walker.value(option, env)
        values.append(clear(value, "reply") if tells is side else value)
    walker.checked = before
    return join(values)


def _op(expr: Op, env: Env, walker: "Walker") -> Value:
    values = [walker.value(operand, env) for operand in expr.operands]
    if expr.op in {"+", "|"} and values:
        elements = [e for v in values if v.elements is not None for e in v.elements]
        whole = derived(values, origin=values[0].origin, shape=values[0].shape)
        if _names_host(values):
            whole = clear(whole, "url", "base_url")
        return replace(whole, elements=tuple(elements[:ELEMENTS_MAX])) if elements else whole
    if expr.op == "/" and values and "Path()" in values[0].origin:
        return derived(values, origin=values[0].origin)
    if expr.op not in _ASKED_ABOUT:
        return derived(values)
    whole = derived(values, origin=values[0].origin if values else "")
    taints = frozenset(
        t._replace(cleared=t.cleared | {"length"}) if t.kind == SECRET else t for t in whole.taints
    )
    return replace(whole, taints=taints)  # Whether there is a key tells nothing of the key.


def _each(expr: Each, env: Env, walker: "Walker") -> Value:
    inner = Env(env.module, env)
    over = []
    for target, iterable in expr.loops:
        value = walker.value(iterable, inner)
        over.append(value)
        element = join(value.elements) if value.elements else part_of(value, "[]")
        walker.assign(target, replace(element, shared=None), inner, is_new=True)
    for condition in expr.conditions:
        walker.value(condition, inner)
    made = [walker.value(element, inner) for element in expr.elements]
    whole = derived([*made], shape="list")
    shared = next((v.shared for v in over if v.shared is not None), None)
    grows = any(v.grows for v in over)
    return replace(whole, elements=tuple(made), shared=shared, grows=grows, copied=shared is not None)


def _lambda(expr: Lambda, env: Env, walker: "Walker") -> Value:
    return Value(ref=Closure(env.module, expr.function, env))


def _yield(expr: Yield, env: Env, walker: "Walker") -> Value:
    if expr.value is None:
        return NONE
    value = walker.value(expr.value, env)
    walker.yielded(value)
    return value


def _markup(expr: Markup, env: Env, walker: "Walker") -> Value:
    values = []
    for name, part in expr.attributes:
        value = walker.value(part, env)
        values.append(value)
        if name == "dangerouslySetInnerHTML":
            inner = (value.items or {}).get("__html", value)
            calls.shown_as_html(env, part, "dangerouslySetInnerHTML", inner, walker)
        if isinstance(value.ref, Closure):
            walker.invoke(value.ref, [], {})
    values.extend(walker.value(child, env) for child in expr.children)
    return derived([v for v in values if v.ref is None])


def _other(expr: Other, env: Env, walker: "Walker") -> Value:
    return derived([walker.value(part, env) for part in expr.parts])


_KINDS: dict[type[Expr], Callable[[Any, Env, "Walker"], Value]] = {
    Literal: _literal,
    Name: _name,
    Attr: _attr,
    Index: _index,
    Call: calls.call_value,
    Text: _text,
    Dict: _dict,
    Items: _items,
    Spread: lambda expr, env, walker: walker.value(expr.value, env),
    Choice: _choice,
    Op: _op,
    Each: _each,
    Lambda: _lambda,
    Yield: _yield,
    Markup: _markup,
    Other: _other,
}
