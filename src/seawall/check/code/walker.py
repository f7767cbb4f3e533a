"""Walks through the app's code as a request would, and notes what happens on the way.

Every branch is taken, every loop twice, so that what is appended in one round is seen in the next. Functions
of the app are entered with the values they are given, at most `DEPTH_MAX` deep; all work is bounded by
`STEPS_MAX`.
"""

from msgspec.structs import replace

from seawall.check.code import branches, calls, expressions
from seawall.check.code.events import Checked, Event, Returned
from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Class,
    ClassDef,
    Def,
    Dict,
    Do,
    Expr,
    Function,
    If,
    Imported,
    Index,
    Items,
    Jump,
    Literal,
    Loop,
    Module,
    Name,
    Op,
    Param,
    Raise,
    Return,
    Spread,
    Stmt,
    Try,
    With,
)
from seawall.check.code.kept import kept_state
from seawall.check.code.knowledge import Knowledge, knowledge
from seawall.check.code.project import Project
from seawall.check.code.refusals import AUTH, closes, refusal
from seawall.check.code.typing import typed
from seawall.check.code.values import (
    INPUT,
    NONE,
    Closure,
    Env,
    Instance,
    Shared,
    Taint,
    Value,
    derived,
    join,
    part_of,
)
from seawall.check.code.walking import walk

DEPTH_MAX = 8
STEPS_MAX = 30_000
STEPS_UNREACHED_MAX = 4_000
STEPS_IN_ALL_MAX = 1_000_000
STEPS_AT_LEAST = 300
"""Expressions that are looked at: for one handler, for what no handler of a file reaches, for the whole
app, and for each handler of a huge app."""
EVENTS_MAX = 400


class Walker:
    """One walk from one place; `events` is what happened, in order."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.known: Knowledge = knowledge()
        self.events: list[Event] = []
        self.checked: frozenset[tuple[str, str]] = frozenset()
        self.in_background = False
        self.in_dialogue = False
        self.entered: set[int] = set()
        self.imported: set[str] = set()
        self.schema: Value | None = None
        self.handlers: set[int] = set()
        self.route = ""
        self.kind = ""
        self._steps = self._steps_before = 0
        self._steps_max = STEPS_MAX
        self.cut_short = 0
        self.branches = 0
        self._passed: dict[str, frozenset[str]] = {}
        self._passed_of: frozenset[tuple[str, str]] | None = None
        self._names_in: dict[int, tuple[str, ...]] = {}
        self._refusals: dict[int, int | None] = {}
        self._envs: dict[str, Env] = {}
        self._busy: set[tuple[str, str]] = set()
        self._running: list[Function] = []
        self._handler: Function | None = None
        self._done: dict[tuple[object, ...], tuple[Value, list[Event], frozenset[tuple[str, str]]]] = {}
        self._returns: list[list[Value]] = []

    # --- where a walk begins

    def handle(
        self, module: Module, function: Function, given: dict[str, Value], me: Value | None = None
    ) -> None:
        """Walk through a handler, its parameters given by name."""
        self._handler = function
        self.imported = {name.module.split(".")[0] for name in module.imports.values()}
        closure = Closure(module, function, self.module_env(module), me)
        self.invoke(closure, [], given)
        self._handler = None

    def top(self, module: Module) -> None:
        """Walk through what a module does when it is run."""
        self.run(module.body, Env(module))

    def restart(self, steps_max: int = STEPS_MAX) -> None:
        """Begin a new walk; what is known of modules and of functions already walked is kept."""
        self.events = []
        self.checked = frozenset()
        self._steps_before += self._steps
        self.cut_short += self._steps > self._steps_max
        self._steps = 0
        left = STEPS_IN_ALL_MAX - self._steps_before
        self._steps_max = max(STEPS_AT_LEAST, min(steps_max, left))

    def instance(self, module: Module, cls: Class, *, is_shared: bool = True) -> Value:
        """Return an object of a class, made as a framework would: from the types of its parameters."""
        value = Value(ref=Instance(module, cls, is_shared=is_shared), origin=cls.name + "()")
        for name in ("__init__", "constructor"):
            found = self.method(module, cls, name)
            if found is not None:
                self.invoke(Closure(found[0], found[1], self.module_env(found[0]), value), [], {})
        return value

    # --- names

    def module_env(self, module: Module) -> Env:
        """Return the names of a module, which are looked up when they are asked for."""
        if module.path not in self._envs:
            self._envs[module.path] = Env(module)
        return self._envs[module.path]

    def lookup(self, name: str, env: Env) -> Value:
        """Return the value of a name."""
        known = env.get(name)
        return known if known is not None else self.module_value(env.module, name)

    def module_value(self, module: Module, name: str) -> Value:
        """Return the value of a name at the top of a module; an unknown one is its own origin."""
        env = self.module_env(module)
        if name in env.names:
            return env.names[name]
        if (module.path, name) in self._busy:
            return Value(origin=name)
        self._busy.add((module.path, name))
        try:
            value = self._module_value(module, name)
        finally:
            self._busy.discard((module.path, name))
        env.names[name] = value
        return value

    def _module_value(self, module: Module, name: str) -> Value:
        scope = self.project.scope(module)
        bound = scope.top.get(name)
        if bound is None and name not in module.imports:
            bound = scope.inner.get(
                name
            )  # A handler inside a function that makes the app sees that one's names.
        if bound is None:
            imported = module.imports.get(name)
            if imported is not None:
                return self.imported_value(module, imported)
            given = self.project.auto_imported(module, name)
            return Value(origin=name) if given is None else self.exported_value(given, name)
        if isinstance(bound, Function):
            return Value(ref=Closure(module, bound, self.module_env(module)), origin=name)
        if isinstance(bound, Class):
            return Value(ref=bound, origin=name, home=module)
        events, self.events = self.events, []  # What a module does at import is not part of this walk.
        value = self.value(bound, self.module_env(module))
        if isinstance(bound, Literal) and bound.value is None and name in scope.inner:
            inner = scope.inner[name]  # `chain = None` is filled by a function that says `global chain`.
            if isinstance(inner, Expr):
                value = self.value(inner, self.module_env(module))
        self.events = events
        if isinstance(value.ref, Instance):
            value.ref.is_shared = True
        if value.shape in {"list", "dict"} and value.shared is None:
            value = replace(value, shared=Shared(module.path, bound.line, name))
        return value

    def imported_value(self, module: Module, imported: Imported, steps: int = 8) -> Value:
        """Return what an import brings: something of the app's own, or a name of a library."""
        home = self.project.module_behind(module, imported)
        if home is not None:
            return Value(ref=home, origin=imported.module)
        home = self.project.imported(module, imported)
        if home is None:
            whole = f"{imported.module}.{imported.name}" if imported.name else imported.module
            if self.known.sources.first(whole):
                taint = Taint(INPUT, whole.rpartition(".")[2], module.path, 0)
                return Value(taints=frozenset({taint}), origin=whole, shape="request")
            return Value(origin=whole)
        return self.exported_value(home, imported.name or "", steps)

    def exported_value(self, home: Module, name: str, steps: int = 8) -> Value:
        """Return what another file gets from a module under a name."""
        there = self.project.exported_by(home, name)
        if isinstance(there, Imported):
            return self.imported_value(home, there, steps - 1) if steps > 0 else NONE
        local = home.exports.get(name, name) if home.language == "javascript" else name
        if there is None or self.project.scope(home).top.get(local) is there:
            return self.module_value(home, local)
        if isinstance(there, Expr):
            return self.value(there, self.module_env(home))
        return NONE

    # --- expressions and functions

    def value(self, expr: Expr, env: Env) -> Value:
        """Return the value of an expression, noting what happens while it is made."""
        self._steps += 1
        if self._steps > self._steps_max:
            return NONE
        return expressions.value_of(expr, env, self)

    def passed(self) -> dict[str, frozenset[str]]:
        """Return what each source has been let through for, by the conditions on the way."""
        if self._passed_of is not self.checked:
            self._passed = {}
            for source, use in self.checked:
                self._passed[source] = self._passed.get(source, frozenset()) | {use}
            self._passed_of = self.checked
        return self._passed

    def callee(self, expr: Expr, env: Env) -> tuple[Value, Value]:
        """Return what a callee is called on, and the callee itself."""
        return expressions.with_base(expr, env, self)

    def names_in(self, expr: Expr) -> tuple[str, ...]:
        """Return the names in an expression."""
        key = id(expr)
        if key not in self._names_in:
            self._names_in[key] = tuple({part.id for part in walk(expr) if isinstance(part, Name)})
        return self._names_in[key]

    def refusal_of(self, stmt: If) -> int | None:
        """Return the status of the refusal in one of the branches of a condition."""
        key = id(stmt)
        if key not in self._refusals:
            self._refusals[key] = refusal(stmt.then) or refusal(stmt.otherwise)
        return self._refusals[key]

    def note(self, event: Event) -> None:
        """Note that something happens here."""
        if len(self.events) < EVENTS_MAX:
            self.events.append(event)

    def invoke(
        self, closure: Closure, given: list[Value], named: dict[str, Value], at: tuple[str, int] | None = None
    ) -> Value:
        """Walk through a function of the app that is called at a place; return what it returns."""
        function = closure.function
        if function in self._running or len(self._running) >= DEPTH_MAX:
            return derived([*given, *named.values()])
        me = closure.me if closure.me is not None else (closure.env.me if closure.env else None)
        key = self._key(closure, given, named, me)
        if key in self._done:
            value, events, checked = self._done[key]
            self._take_over(events, function, at)
            self.checked |= checked
            return value
        self.entered.add(id(function))
        self.imported |= {name.module.split(".")[0] for name in closure.module.imports.values()}
        outer_loop, self.in_dialogue = self.in_dialogue, False
        branches, self.branches = self.branches, 0
        env = Env(closure.module, closure.env)
        env.me = me
        outer, before, self.events = self.events, self.checked, []
        self._running.append(function)
        self._returns.append([])
        self._bind(function.params, given, named, env)
        self.run(function.body, env)
        value = join(self._returns.pop())
        self.in_dialogue, self.branches = outer_loop, branches
        self._running.pop()
        done, self.events = self.events, outer
        self._take_over(done, function, at)
        self._done[key] = (value, done, self.checked - before)
        return value

    def _take_over(self, events: list[Event], function: Function, at: tuple[str, int] | None) -> None:
        """Add what happened inside a function, seen from its caller."""
        for event in events[: EVENTS_MAX - len(self.events)]:
            trail = (at, *event.trail) if at is not None else event.trail
            name = function.name or "a function"
            self.events.append(replace(event, way=(name, *event.way), trail=trail))

    def yielded(self, value: Value) -> None:
        """Note that a generator hands a value out."""
        if self._returns:
            self._returns[-1].append(value)

    def state(self, key: str) -> Value:
        """Return what the app keeps under a key: `app["db"] = …`, `app.state.db = …`, `app.locals.db = …`."""
        found = kept_state(self.project).get(key)
        if found is None or ("app", key) in self._busy:
            return NONE
        self._busy.add(("app", key))
        module, expr = found
        events, self.events = self.events, []
        value = self.value(expr, self.module_env(module))
        self.events = events
        self._busy.discard(("app", key))
        if isinstance(value.ref, Instance):
            value.ref.is_shared = True
        return value

    def method(self, module: Module, cls: Class, name: str, depth: int = 4) -> tuple[Module, Function] | None:
        """Return a method of a class or of those it inherits from."""
        for stmt in cls.body:
            if isinstance(stmt, Def) and stmt.function.name == name:
                return module, stmt.function
        for base in cls.bases if depth else ():
            parent = self.project.find(module, base)
            if parent is not None and isinstance(parent.value, Class) and parent.value is not cls:
                found = self.method(parent.module, parent.value, name, depth - 1)
                if found is not None:
                    return found
        return None

    def _key(
        self, closure: Closure, given: list[Value], named: dict[str, Value], me: Value | None
    ) -> tuple[object, ...]:
        """Return what a walk through a function depends on; its objects are held, so that they stay."""

        def of(value: Value) -> object:
            literal = value.literal if isinstance(value.literal, (str, int, bool)) else None
            held = (value.shape, tuple(value.items or ()), value.shared, value.grows, value.copied)
            return (value.all_taints(), value.origin, value.ref, literal, held)

        values = (*map(of, given), *((name, of(value)) for name, value in named.items()))
        return (
            self.route,
            closure.function,
            closure.env,
            me.ref if me else None,
            self.checked,
            self.in_background,
            values,
        )

    def _bind(self, params: list[Param], given: list[Value], named: dict[str, Value], env: Env) -> None:
        left = dict(named)
        for place, param in enumerate(params):
            if param.kind == "rest":
                value = Value(
                    elements=tuple(given[place:]), taints=derived(given[place:]).taints, shape="list"
                )
            elif param.kind == "keywords":
                value = Value(items=left, taints=derived(left.values()).taints, shape="dict")
            elif param.name in left:
                value = left.pop(param.name)
            elif place < len(given):
                value = given[place]
            elif "**" in left and left["**"].taints:  # `run(**arguments)`
                value = part_of(left["**"], param.name)
            else:
                value = (
                    self.value(param.default, env) if param.default is not None else Value(origin=param.name)
                )
            if param.annotation is not None or param.default is not None:
                value = typed(value, param, env.module, self)
            if param.name:
                env.names[param.name] = value
            if param.pattern is not None:
                self.assign(param.pattern, value, env, is_new=True)
        env.names.update({name: value for name, value in left.items() if name in env.names})

    # --- statements

    def run(self, body: list[Stmt], env: Env) -> bool:
        """Walk through statements; say whether they always leave the block."""
        for stmt in body:
            self._steps += 1
            if self._steps > self._steps_max:
                return True
            if self._statement(stmt, env):
                return True
        return False

    def _statement(self, stmt: Stmt, env: Env) -> bool:
        if isinstance(stmt, Assign):
            self._assign(stmt, env)
        elif isinstance(stmt, Do):
            self._refuse_at_last(stmt, env)
            self.value(stmt.value, env)
            return branches.never_returns(stmt.value, env, self)
        elif isinstance(stmt, Return):
            self._refuse_at_last(stmt, env)
            self._return(stmt, env)
            return True
        elif isinstance(stmt, Raise):
            self._refuse_at_last(stmt, env)
            if stmt.value is not None:
                self.value(stmt.value, env)
            return True
        elif isinstance(stmt, If):
            return branches.walk_if(stmt, env, self)
        elif isinstance(stmt, Loop):
            branches.walk_loop(stmt, env, self)
        elif isinstance(stmt, Try):
            return branches.walk_try(stmt, env, self)
        elif isinstance(stmt, With):
            for item, target in stmt.items:
                value = self.value(item, env)
                if target is not None:
                    self.assign(target, value, env)
            return self.run(stmt.body, env)
        elif isinstance(stmt, Def):
            env.names[stmt.function.name] = Value(
                ref=Closure(env.module, stmt.function, env), origin=stmt.function.name
            )
        elif isinstance(stmt, ClassDef):
            env.names[stmt.cls.name] = Value(ref=stmt.cls, origin=stmt.cls.name, home=env.module)
        return isinstance(stmt, Jump)

    def _refuse_at_last(self, stmt: Do | Return | Raise, env: Env) -> None:
        """Note the refusal at the end of a check that has let others through before."""
        if self._returns and self._returns[-1] and not self.branches:
            status = refusal([stmt])
            if status is not None and not (isinstance(stmt, Do) and closes(stmt)):
                kind = "auth" if status in AUTH else "limit"
                self.note(Checked(env.module.path, stmt.line, kind=kind, name=f"answers {status}"))

    def _assign(self, stmt: Assign, env: Env) -> None:
        value = self.value(stmt.value, env) if stmt.value is not None else NONE
        if isinstance(stmt.value, (Items, Dict)) and not self._running and len(stmt.targets) == 1:
            value = self._shared_at_top(stmt, value, env)
        for target in stmt.targets:
            if stmt.augmented:
                calls.assign_harm(target, stmt.value, value, env, self)
                calls.append_to(target, [value], env, self, line=stmt.line)
            else:
                if isinstance(stmt.value, (Items, Op, Call)) and isinstance(target, Name):
                    value = calls.remade(target.id, value, env, self, line=stmt.line)
                calls.assign_harm(target, stmt.value, value, env, self)
                self.assign(target, value, env)

    def _shared_at_top(self, stmt: Assign, value: Value, env: Env) -> Value:
        target = stmt.targets[0]
        name = target.id if isinstance(target, Name) else ""
        return replace(value, shared=Shared(env.module.path, stmt.line, name)) if name else value

    def assign(self, target: Expr, value: Value, env: Env, *, is_new: bool = False) -> None:
        """Give a target a value: a name, an attribute, an element, or a pattern of them."""
        if isinstance(target, Name):
            if is_new or self._running:
                env.names[target.id] = value
            else:
                env.set(target.id, value)
        elif isinstance(target, Spread):
            self.assign(target.value, value, env, is_new=is_new)
        elif isinstance(target, Dict):
            for key, to in target.items:
                name = key.value if isinstance(key, Literal) else None
                part = expressions.attribute(value, str(name), env, self) if name is not None else value
                self.assign(to, part, env, is_new=is_new)
        elif isinstance(target, Items):
            for place, to in enumerate(target.items):
                known = value.elements
                part = (
                    known[place] if known is not None and place < len(known) else part_of(value, str(place))
                )
                self.assign(to, part, env, is_new=is_new)
        elif isinstance(target, (Attr, Index)):
            expressions.store(target, value, env, self)

    def _return(self, stmt: Return, env: Env) -> None:
        value = self.value(stmt.value, env) if stmt.value is not None else NONE
        if self._returns:
            self._returns[-1].append(value)
        if self._running and self._running[-1] is self._handler:
            self.note(Returned(env.module.path, stmt.line, value=value))
