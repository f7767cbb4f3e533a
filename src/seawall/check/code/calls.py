"""What a call does: into the app's own code, to a model, to a place where a value does harm."""

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from seawall.check.code import asking, schemas
from seawall.check.code.events import Checked, Harm, Mutated, Slow
from seawall.check.code.fitting import fit
from seawall.check.code.harm import harms
from seawall.check.code.ir import Attr, Call, Class, Expr, Index, Name, Spread
from seawall.check.code.project import RESOLVES
from seawall.check.code.site import Site
from seawall.check.code.tools import walk_tools
from seawall.check.code.values import (
    ENGINE,
    ENV,
    IDENTITY,
    INPUT,
    MODEL,
    NONE,
    SECRET,
    TRACE,
    Closure,
    Env,
    Instance,
    Taint,
    Value,
    clear,
    derived,
    few,
    fields_of,
    join,
    part_of,
    setting,
)
from seawall.check.code.walking import walk

if TYPE_CHECKING:
    from seawall.check.code.walker import Walker

ELEMENTS_MAX = 64

_ADDS = frozenset(
    [
        "append",
        "push",
        "extend",
        "insert",
        "unshift",
        "add",
        "appendleft",
        "add_message",
        "addMessage",
        "add_user_message",
    ]
)
_CUTS = frozenset(
    [
        "slice",
        "splice",
        "substring",
        "substr",
        "truncate",
        "shorten",
        "trim_messages",
        "trimMessages",
        "tail",
        "takeLast",
        "take",
    ]
)
_LATER = frozenset(
    [
        "add_task",
        "delay",
        "apply_async",
        "waitUntil",
        "after",
        "enqueue",
        "create_task",
        "send_task",
        "ensure_future",
        "unstable_after",
        "defer",
        "submit",
        "start_soon",
        "run_later",
    ]
)
_PER_ELEMENT = frozenset(["map", "forEach", "filter", "flatMap", "some", "every", "find", "findIndex"])
"""Array methods whose function gets the element first, then its number."""
_OUTSIDE = frozenset({"url", "path", "sql", "shell"})
"""Uses of which nothing of the caller's comes back: files, other servers, databases, programs."""
_ENV_READS = frozenset(
    ["os.getenv", "os.environ.get", "os.environ", "decouple.config", "Deno.env.get", "environ.get", "getenv"]
)
_COPIES = frozenset(
    [
        "list",
        "tuple",
        "copy",
        "deepcopy",
        "sorted",
        "reversed",
        "Array.from",
        "structuredClone",
        "concat",
        "reverse",
    ]
)
_KEY = re.compile(r"[\w.\[\]-]{1,64}")
_GETS = frozenset(["get", "getlist", "getAll", "pop"])
_BODIES = frozenset(["json", "get_json", "formData", "body", "parseBody"])
_READS = frozenset(["query", "queries", "param", "header"])
_SAYS_TYPE = frozenset(["type", "contentType", "header", "setHeader", "set"])
_PLAIN_TYPES = ("text/plain", "application/json", "json", "txt", "text")
_TEXTS = frozenset(
    [
        "str",
        "format",
        "strip",
        "join",
        "lower",
        "upper",
        "trim",
        "toString",
        "replace",
        "String",
        "decode",
        "repr",
    ]
)
_HOLDERS = frozenset(
    [
        "dict",
        "list",
        "deque",
        "collections.deque",
        "collections.defaultdict",
        "Map",
        "Array",
        "Set",
        "set",
        "defaultdict",
    ]
)


def call_value(call: Call, env: Env, walker: "Walker") -> Value:
    """Return what a call gives back."""
    base, callee = walker.callee(call.callee, env)
    if isinstance(call.callee, Attr) and call.callee.name in _ADDS and (call.args or call.named):
        values = [walker.value(arg, env) for arg in call.args]
        append_to(call.callee.base, values[-1:], env, walker, line=call.line)
        if not isinstance(callee.ref, Closure):
            return NONE
    given: list[Value] = []
    for arg in call.args:
        value = walker.value(arg, env)
        given.extend(value.elements if isinstance(arg, Spread) and value.elements else [value])
    named: dict[str, Value] = {}
    for name, part in call.named:
        value = walker.value(part, env)
        if name is not None:
            named[name] = value
        else:
            named |= value.items if value.items is not None else {"**": value}
    if isinstance(callee.ref, Closure):
        if call.args and isinstance(call.args[-1], Spread) and given and given[-1].shared is None:
            given += [given[-1]] * (len(callee.ref.function.params) - len(given))  # `run(*arguments)`
        return _any_of(callee, given, named, (env.module.path, call.line), walker)
    if isinstance(base.ref, Closure) and isinstance(call.callee, Attr):  # `task.delay(…)`, `handler.bind(…)`
        return _later(base.ref, given, named, walker)
    if callee.ref is None and isinstance(call.callee, Attr) and call.callee.name in RESOLVES and given:
        wanted = given[0]
        if isinstance(wanted.ref, Class) and wanted.home is not None and not wanted.taints:
            return walker.instance(wanted.home, wanted.ref)
    if isinstance(callee.ref, Class) and callee.home is not None:
        site = Site(call, env, base, callee, given, named, {})
        return _made(site, walker)
    site = Site(call, env, base, callee, given, named, asking.options_of(given, named))
    return _outside(site, walker)


def _any_of(
    callee: Value, given: list[Value], named: dict[str, Value], at: tuple[str, int], walker: "Walker"
) -> Value:
    """Walk through each function that may be meant; what one has checked, the others have not."""
    before, checked, back = walker.checked, [], []
    for one in (callee.ref, *callee.also):
        walker.checked = before
        back.append(walker.invoke(one, given, named, at) if isinstance(one, Closure) else NONE)
        checked.append(walker.checked)
    walker.checked = frozenset.intersection(*checked)
    return join(back)


def append_to(target: Expr, values: list[Value], env: Env, walker: "Walker", *, line: int) -> None:
    """Note that something is added to a list or text."""
    old = walker.value(target, env)
    is_list = old.elements is not None or old.shape in {"list", "bounded", ""}
    if not is_list:
        walker.assign(target, derived([old, *values], shape=old.shape), env)
        return
    if isinstance(target, Name) and old.origin and old.origin.startswith("st.") and not old.elements:
        return
    grows = old.grows or old.shared is not None or not isinstance(target, Name) or walker.in_dialogue
    flat = [e for v in values for e in (v.elements if v.elements is not None and v.shape == "list" else [v])]
    elements = tuple(dict.fromkeys([*(old.elements or ()), *flat]))[:ELEMENTS_MAX]
    taints = few(old.taints.union(*(v.taints for v in values)))
    shape = old.shape if old.shape == "bounded" else "list"
    grows = grows and shape != "bounded"
    new = replace(old, elements=elements, taints=taints, grows=grows, shape=shape, at=(env.module.path, line))
    if old.shared is not None and not old.copied:
        texts = tuple(sorted(t for v in values for t in v.taints if t.kind in {INPUT, MODEL}))
        walker.note(Mutated(env.module.path, line, shared=old.shared, taints=texts))
        home = walker.project.module(old.shared.path)
        if home is not None and not isinstance(_owner(target, env, walker), Instance):
            walker.module_env(home).names[old.shared.name] = new
            return
    if isinstance(target, (Name, Attr, Index)):
        walker.assign(target, new, env)


def remade(name: str, value: Value, env: Env, walker: "Walker", *, line: int) -> Value:
    """Note that a list that all callers see is made anew with something added: `turns = [...turns, one]`."""
    shared = value.shared
    if shared is None or not value.copied or shared.name != name or value.shape != "list":
        return value
    texts = tuple(sorted(t for t in value.all_taints() if t.kind in {INPUT, MODEL}))
    walker.note(Mutated(env.module.path, line, shared=shared, taints=texts))
    value = replace(value, copied=False, grows=True)
    home = walker.project.module(shared.path)
    if home is not None:
        walker.module_env(home).names[name] = value
    return value


def end_growth(target: Expr, env: Env, walker: "Walker") -> None:
    """Note that a list has an end: its length is compared, and what is too long is dropped or refused."""
    old = walker.value(target, env)
    if not old.grows and old.shared is None and old.shape != "list":
        return
    new = replace(old, grows=False, shape="bounded")
    instance = _owner(target, env, walker)
    if isinstance(instance, Instance) and isinstance(target, Attr):
        instance.fields[target.name] = new
        return
    home = walker.project.module(old.shared.path) if old.shared is not None and not old.copied else None
    if home is not None and old.shared is not None:
        walker.module_env(home).names[old.shared.name] = new
    walker.assign(target, new, env)


def _owner(target: Expr, env: Env, walker: "Walker") -> object:
    """Return the object of the app whose field a target is, None for any other target."""
    return walker.value(target.base, env).ref if isinstance(target, Attr) else None


def assign_harm(target: Expr, expr: Expr | None, value: Value, env: Env, walker: "Walker") -> None:
    """Note the harm of giving a target a value: `element.innerHTML = …`."""
    if isinstance(target, Attr) and target.name in {"innerHTML", "outerHTML", "srcdoc"} and expr is not None:
        shown_as_html(env, expr, target.name, value, walker)


def shown_as_html(env: Env, expr: Expr, name: str, value: Value, walker: "Walker") -> None:
    """Note that something is shown as HTML, with the words it is made of, which may tell who wrote it."""
    if isinstance(value.literal, str):
        return
    words = tuple(sorted({_word(part) for part in walk(expr)} - {""}))
    taints = tuple(sorted(t for t in value.taints if "html" not in t.cleared and t.kind in {INPUT, MODEL}))
    note = Harm(env.module.path, expr.line, use="html", name=name, taints=taints, value=value, words=words)
    walker.note(note)


def _word(part: Expr) -> str:
    return part.id if isinstance(part, Name) else part.name if isinstance(part, Attr) else ""


def harm_at(env: Env, line: int, use: str, name: str, value: Value, walker: "Walker") -> None:
    """Note that a value reaches a place where it does harm, if it is not fit for it."""
    taints = tuple(
        sorted(
            t for t in value.all_taints() if use not in t.cleared and t.kind not in {ENV, IDENTITY, ENGINE}
        )
    )
    if taints:
        walker.note(Harm(env.module.path, line, use=use, name=name, taints=taints, value=value))


def _later(closure: Closure, given: list[Value], named: dict[str, Value], walker: "Walker") -> Value:
    before, walker.in_background = walker.in_background, True
    walker.invoke(closure, given, named)
    walker.in_background = before
    return NONE


def _made(site: Site, walker: "Walker") -> Value:
    """Make an object of one of the app's own classes."""
    cls, home = site.callee.ref, site.callee.home
    assert isinstance(cls, Class) and home is not None
    instance = Instance(home, cls, site.call)
    value = Value(ref=instance, origin=cls.name + "()")
    for name in ("__init__", "constructor"):
        found = walker.method(home, cls, name)
        if found is not None:
            closure = Closure(found[0], found[1], walker.module_env(found[0]), value)
            walker.invoke(closure, site.given, site.named, site.place)
            return value
    instance.fields.update(zip(fields_of(cls), site.given, strict=False))  # A dataclass or model.
    instance.fields.update(site.named)
    return value


def _outside(site: Site, walker: "Walker") -> Value:
    """Return what a call outside the app's own code gives back, noting what it does there."""
    path, line = site.place
    name, known = site.name, walker.known
    told = _known_answer(site, walker)
    if told is not None:
        return told
    if known.slow.first(name):
        walker.note(Slow(path, line, name=name, in_background=walker.in_background))
    touches = {sink.use for sink in known.sinks.all(name)} & _OUTSIDE
    is_tool = walk_tools(site, walker)
    back = [] if is_tool else _callbacks(site, walker, comes_back=not touches)
    for base_url in asking.addresses(name, site.options):
        harm_at(site.env, line, "base_url", name, base_url, walker)
    answer = asking.ask(site, walker)
    if answer is not None:
        return answer
    uses = set()
    for use, value in harms(site, walker):
        harm_at(site.env, line, use, name, value, walker)
        uses.add(use)
    if site.last == "relative_to":  # It raises for what lies outside.
        walker.checked |= {(t.source, use) for t in site.base.taints for use in ("path", "url")}
    guard = known.guards.first(name)
    if guard is not None and guard[1]:
        walker.note(Checked(path, line, kind=guard[0], name=name))
    is_read = site.base.shape == "request"  # `c.req.query("q")` asks no database.
    if not is_read and (touches or uses & {"nosql", "sql"}) and name != "sqlalchemy.text":
        return Value(origin=name + "()")  # What comes back is the other side's, not the caller's.
    if guard is not None:
        return Value(taints=frozenset({Taint(IDENTITY, name, path, line)}), origin=name + "()")
    if known.neutral.first(name):
        return Value(origin=name + "()")
    return _result(site, back, walker)


def _known_answer(site: Site, walker: "Walker") -> Value | None:
    """Return what a call gives back that is known by its name or its base; None for any other."""
    path, line = site.place
    name, last, base, given = site.name, site.last, site.base, site.given
    parsed = schemas.parsed(last, base, given, walker)
    if parsed is not None:
        return parsed
    entry = _entry(site, walker)
    if entry is not None:
        return entry
    if last in {"get", "setdefault"} and base.shape == "dict" and given and (base.items or not base.taints):
        return _looked_up(base, given)
    if last == "setdefault" and len(given) > 1 and given[1].shape == "list":
        return replace(given[1], grows=True)  # The list stays where it was put, for the next message.
    if walker.known.source_calls.first(name):
        return Value(taints=frozenset({Taint(INPUT, last, path, line)}), origin=name + "()", shape="text")
    if name in _ENV_READS or name.endswith((".env.get", "environ.get")):
        variable = given[0].literal if given else None
        return setting(variable if isinstance(variable, str) else "", path, line)
    if name.startswith("traceback.") or name.endswith((".format_exc", ".print_exception")):
        return fit(Value(taints=frozenset({Taint(TRACE, "traceback", path, line)}), origin=name), walker)
    return given[0] if last == "promisify" and given else None


def _entry(site: Site, walker: "Walker") -> Value | None:
    """Return what is read by name from what a stranger sent or a model wrote; None for any other call."""
    last, base, given = site.last, site.base, site.given
    if not base.has(INPUT) and not base.has(MODEL):
        return None
    is_request = base.shape == "request"
    if is_request and last in _BODIES and not given:
        return fit(replace(site.callee, shape=""), walker)
    key = given[0].literal if given else None
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        return None
    if site.name in {"c.get", "ctx.get", "context.get"}:  # What the app's own middleware has kept.
        return Value(taints=frozenset({Taint(IDENTITY, key, *site.place)}), origin=site.name + "()")
    if last in _GETS:
        found = (base.items or {}).get(key) or replace(part_of(base, key), origin=site.name + "()")
        return join([fit(found, walker), *given[1:2]])
    if is_request and last in _READS:
        return fit(replace(part_of(site.callee, key), origin=site.name + "()"), walker)
    return None


def _looked_up(base: Value, given: list[Value]) -> Value:
    """Return an entry of a dict: the one that is named, or any that is no secret."""
    items = base.items or {}
    key = given[0].literal
    if isinstance(key, str) and key in items:
        return join([items[key], *given[1:]])
    known = [item for item in items.values() if not item.has(SECRET)] if not isinstance(key, str) else []
    held = join([*known, *([items["*"]] if "*" in items and isinstance(key, str) else []), *given[1:]])
    return replace(held, shared=None, grows=held.shape != "bounded") if base.shared is not None else held


def _result(site: Site, back: list[Value], walker: "Walker") -> Value:
    """Return what a call makes of what goes in."""
    name, last, base, given, options = site.name, site.last, site.base, site.given, site.options
    origin = name + "()" if name else ""
    if last == "SystemMessage":
        content = options.get("content", options.get("0", NONE))
        said = {"role": Value(literal="system"), "content": content}
        return Value(items=said, taints=content.taints, origin=origin)
    whole = derived([*site.values, *back], origin=origin)
    if last not in _TEXTS and last not in {"dumps", "stringify", "encode", "b64encode", "concat"}:
        whole = replace(whole, taints=frozenset(t for t in whole.taints if t.kind != SECRET))
    engine = asking.engine(site, walker)
    if engine is not None:
        whole = replace(whole, taints=whole.taints | {engine})
    if last in _CUTS:
        return clear(replace(base if base is not NONE else whole, grows=False, origin=origin), "length")
    if last in {"dumps", "stringify"} and given:
        whole = replace(whole, items=given[0].items, shape="text", at=given[0].at)
    cleaned = walker.known.cleans.all(name)
    if cleaned:
        whole = clear(whole, *(use for clean in cleaned for use in clean.uses))
    if last in {"split", "rsplit"} and given and given[0].literal in {"/", "\\\\"}:
        whole = clear(whole, "path")
    if last in _COPIES:
        first = base if base.elements is not None or base.shape == "list" else (given[0] if given else NONE)
        return replace(whole, elements=first.elements, shape="list")
    if name == "dict" and site.named and not given:
        return replace(whole, items=dict(site.named), shape="dict")
    if name in _HOLDERS:
        return _holder(name, whole, [*site.values, *back], is_bounded="maxlen" in options)
    if last in _SAYS_TYPE and any(str(v.literal).startswith(_PLAIN_TYPES) for v in given):
        return replace(whole, shape="plain")
    if last in _TEXTS:
        whole = replace(whole, shape=base.shape or "text")
    if ".object()" in base.origin and base.items:
        return replace(whole, items=base.items)
    is_made = last[:1].isupper() or last.startswith(("create", "init", "from_", "object", "strictObject"))
    is_made = (is_made or site.call.is_new) and not cleaned
    items = (options or None) if is_made else whole.items
    return replace(whole, items=items, client=base.client)


def _holder(name: str, whole: Value, values: list[Value], *, is_bounded: bool) -> Value:
    """Return a new list or dict."""
    if "dict" not in name and name != "Map":
        return replace(whole, shape="bounded" if is_bounded else "list", elements=())
    made = [value for value in values if value.shape in {"list", "bounded"} and value.ref is None]
    items = {"*": replace(join(made), shared=None)} if made else None
    return replace(whole, shape="dict", items=items, elements=None)


def _callbacks(site: Site, walker: "Walker", *, comes_back: bool) -> list[Value]:
    """Walk through functions that are handed over, as they will be called; return what they return."""
    back = []
    before = walker.in_background
    walker.in_background = before or site.last in _LATER
    base, given = site.base, site.given
    inner = (part for value in given for part in (value.items or {}).values())  # `{ async start(c) {…} }`
    for place, value in enumerate((*given, *site.named.values(), *inner)):
        if not isinstance(value.ref, Closure) or id(value.ref.function) in walker.handlers:
            continue
        rest = [v for v in given[place + 1 :] if not isinstance(v.ref, Closure)]
        arguments = site.named.get("args")
        if arguments is not None and arguments.elements:
            rest = list(arguments.elements)
        if not rest or not value.ref.function.name:
            held = derived([base, *(v for v in given if v.ref is None)])
            element = join(base.elements) if base.elements else replace(held, shared=None, grows=False)
            count = 1 if site.last in _PER_ELEMENT else len(value.ref.function.params)
            rest = [element if comes_back else NONE] * count
        back.append(_any_of(value, rest, {}, site.place, walker))
    walker.in_background = before
    return back
