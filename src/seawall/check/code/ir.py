"""The code of an app in one form for both languages, so that every rule is written once.

`python.py` and `javascript.py` lower a file into a `Module`; what they cannot say becomes `Other`, whose
parts are kept, so that a value is never lost on its way. Lines count from 1. `self` and `this` are both
`Name("self")`. `await x`, `x!`, `x as T`, `(x)` and `<T>x` are x itself.
"""

from typing import Literal as OneOf

from msgspec import Struct, field


class Expr(Struct, gc=False):
    """Anything with a value, from line to end."""

    line: int
    end: int


class Literal(Expr, gc=False):
    """A string, number, boolean or nothing (`None`, `null`, `undefined`)."""

    value: str | int | float | bool | None


class Name(Expr, gc=False):
    """A name as it stands."""

    id: str


class Attr(Expr, gc=False):
    """`base.name` and `base?.name`."""

    base: Expr
    name: str


class Index(Expr, gc=False):
    """`base[key]`; a slice `base[a:b]` has an `Op("slice", …)` with its bounds as key."""

    base: Expr
    key: Expr


class Call(Expr, gc=False):
    """`callee(*args, **named)`; `new X()` and a tagged template (whose only argument is a `Text`) too.

    A named argument without a name is a spread (`**options`). JavaScript's options are a `Dict` among `args`.
    """

    callee: Expr
    args: list[Expr] = field(default_factory=list)
    named: list[tuple[str | None, Expr]] = field(default_factory=list)
    is_new: bool = False
    is_tagged: bool = False
    awaited: bool = False


class Text(Expr, gc=False):
    """A string put together: f-string, template, `+` with a string in it, `%` and `.format`; parts in order.

    Constant parts are `Literal`. What `format` was given by name stands where it is named, or at the end.
    """

    parts: list[Expr]


class Dict(Expr, gc=False):
    """`{key: value}`; a missing key is a spread. Shorthand and methods have their name as `Literal` key."""

    items: list[tuple[Expr | None, Expr]]


class Items(Expr, gc=False):
    """A list, tuple or set."""

    items: list[Expr]


class Spread(Expr, gc=False):
    """`*value` or `...value` in a list or among arguments."""

    value: Expr


class Choice(Expr, gc=False):
    """One of several values: ternary (with its test), `or`, `and`, `||`, `&&`, `??` (without)."""

    options: list[Expr]
    test: Expr | None = None


class Op(Expr, gc=False):
    """Any other operator and its operands: comparisons (`==`, `in`, `not in`), `not`, arithmetic, `slice`."""

    op: str
    operands: list[Expr]


class Each(Expr, gc=False):
    """A comprehension or generator expression: elements, (target, iterable) pairs, conditions."""

    elements: list[Expr]
    loops: list[tuple[Expr, Expr]]
    conditions: list[Expr] = field(default_factory=list)


class Lambda(Expr, gc=False):
    """A function as a value."""

    function: "Function"


class Yield(Expr, gc=False):
    """`yield value`, `yield from value`, `yield* value`."""

    value: Expr | None


class Markup(Expr, gc=False):
    """A JSX element; an attribute without a name is a spread, one without a value is `Literal(True)`."""

    tag: str
    attributes: list[tuple[str | None, Expr]]
    children: list[Expr]


class Other(Expr, gc=False):
    """Anything else; its value is made of its parts."""

    parts: list[Expr]


class Stmt(Struct, gc=False):
    """A statement, from line to end."""

    line: int
    end: int


class Assign(Stmt, gc=False):
    """`targets = value`. Targets are Name, Attr, Index, Items or Dict (a pattern: key to target), Spread.

    `augmented` is `+=` and its like. A declaration without a value has none. `annotation` is Python's.
    """

    targets: list[Expr]
    value: Expr | None
    augmented: bool = False
    annotation: Expr | None = None


class Do(Stmt, gc=False):
    """An expression for its effect."""

    value: Expr


class Return(Stmt, gc=False):
    """`return value`; an arrow function's expression body is one."""

    value: Expr | None


class Raise(Stmt, gc=False):
    """`raise` or `throw`."""

    value: Expr | None


class If(Stmt, gc=False):
    """`if`; `match` and `switch` are a chain of these with the subject compared by `==`."""

    test: Expr
    then: list[Stmt]
    otherwise: list[Stmt]


class Loop(Stmt, gc=False):
    """`while test` (and `do … while`, `for (;;)`), or `for target in iterable` (of, in, async)."""

    kind: OneOf["while", "for"]
    body: list[Stmt]
    test: Expr | None = None
    target: Expr | None = None
    iterable: Expr | None = None


class Handler(Struct, gc=False):
    """An `except` or `catch` clause; no types: everything."""

    line: int
    types: list[Expr]
    name: str | None
    body: list[Stmt]


class Try(Stmt, gc=False):
    """`try`; what runs without an error comes after the body."""

    body: list[Stmt]
    handlers: list[Handler]
    otherwise: list[Stmt]
    final: list[Stmt]


class With(Stmt, gc=False):
    """`with item as target`."""

    items: list[tuple[Expr, Expr | None]]
    body: list[Stmt]


class Jump(Stmt, gc=False):
    """`break` or `continue`."""

    kind: OneOf["break", "continue"]


class Def(Stmt, gc=False):
    """A function where it is defined."""

    function: "Function"


class ClassDef(Stmt, gc=False):
    """A class where it is defined."""

    cls: "Class"


class Param(Struct, gc=False):
    """A parameter. A destructured one has a pattern (see `Assign`) and an empty name; `self` is left out."""

    name: str
    annotation: Expr | None = None
    default: Expr | None = None
    kind: OneOf["plain", "rest", "keywords"] = "plain"
    pattern: Expr | None = None


class Function(Struct, gc=False, eq=False):
    """A function, method, arrow function or lambda; `owner` is the name of its class.

    Compared by identity: two functions of the same text are two.
    """

    name: str
    line: int
    end: int
    params: list[Param]
    body: list[Stmt]
    decorators: list[Expr] = field(default_factory=list)
    is_async: bool = False
    owner: str | None = None
    directives: list[str] = field(default_factory=list)


class Class(Struct, gc=False, eq=False):
    """A class: its methods are `Def`, its fields `Assign`."""

    name: str
    line: int
    end: int
    bases: list[Expr]
    body: list[Stmt]
    decorators: list[Expr] = field(default_factory=list)


class Imported(Struct, gc=False):
    """Where a local name comes from.

    Python: `from ..a.b import c` is module "a.b", name "c", level 2; `import a.b as x` is module "a.b", no
    name; `import a.b` binds "a" to module "a". JavaScript: `import X from "m"` is name "default", `import *
    as X` and `const X = require("m")` no name, `import {a as b}` and `const {a: b} = require("m")` name "a";
    level 0.
    """

    module: str
    name: str | None = None
    level: int = 0


class Module(Struct, gc=False, eq=False):
    """A file. `path` is relative to the root of the audit, with slashes.

    `exports` maps what other files can import to the local name; an exported expression (`export default …`,
    `module.exports = …`) is kept under its exported name in `exported`. Python exports everything.
    `reexports` are `export … from "m"`; `export *` is under "*". `all_functions` and `all_calls` are filled
    by `walking` when they are first asked for.
    """

    path: str
    language: OneOf["python", "javascript"]
    body: list[Stmt]
    imports: dict[str, Imported]
    exports: dict[str, str] = field(default_factory=dict)
    exported: dict[str, Expr] = field(default_factory=dict)
    reexports: list[tuple[str, Imported]] = field(default_factory=list)
    directives: list[str] = field(default_factory=list)
    all_functions: list[Function] | None = None
    all_calls: list[Call] | None = None
