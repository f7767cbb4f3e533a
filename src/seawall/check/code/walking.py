"""Ways through the code that need no state: all statements, all expressions, all calls."""

from collections.abc import Iterable, Iterator

from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Choice,
    ClassDef,
    Def,
    Dict,
    Do,
    Each,
    Expr,
    Function,
    If,
    Index,
    Items,
    Lambda,
    Loop,
    Markup,
    Op,
    Other,
    Raise,
    Return,
    Spread,
    Stmt,
    Text,
    Try,
    With,
    Yield,
)


def statements(body: Iterable[Stmt]) -> Iterator[Stmt]:
    """Yield the statements of a body and of its blocks, in order; not those of inner functions and classes."""
    for stmt in body:
        yield stmt
        for block in blocks(stmt):
            yield from statements(block)


def blocks(stmt: Stmt) -> Iterator[list[Stmt]]:
    """Yield the blocks directly inside a statement."""
    if isinstance(stmt, If):
        yield stmt.then
        yield stmt.otherwise
    elif isinstance(stmt, (Loop, With)):
        yield stmt.body
    elif isinstance(stmt, Try):
        yield stmt.body
        yield from (handler.body for handler in stmt.handlers)
        yield stmt.otherwise
        yield stmt.final


def inner_bodies(body: Iterable[Stmt]) -> Iterator[list[Stmt]]:
    """Yield the bodies of all functions inside, methods and arrow functions at any depth included."""
    for function in functions_in(body):
        yield function.body


def functions_in(body: Iterable[Stmt]) -> Iterator[Function]:
    """Yield all functions inside a body, at any depth, the outer ones first."""
    for stmt in statements(body):
        if isinstance(stmt, Def):
            yield stmt.function
            yield from functions_in(stmt.function.body)
        elif isinstance(stmt, ClassDef):
            yield from functions_in(stmt.cls.body)
        for expr in expressions(stmt):
            for part in walk(expr):
                if isinstance(part, Lambda):
                    yield part.function
                    yield from functions_in(part.function.body)


def expressions(stmt: Stmt) -> Iterator[Expr]:
    """Yield the expressions directly in a statement; not those of its blocks."""
    if isinstance(stmt, Assign):
        yield from stmt.targets
        if stmt.value is not None:
            yield stmt.value
    elif isinstance(stmt, (Do, Return, Raise)):
        if stmt.value is not None:
            yield stmt.value
    elif isinstance(stmt, If):
        yield stmt.test
    elif isinstance(stmt, Loop):
        yield from (e for e in (stmt.test, stmt.target, stmt.iterable) if e is not None)
    elif isinstance(stmt, With):
        for item, target in stmt.items:
            yield item
            if target is not None:
                yield target
    elif isinstance(stmt, Def):
        yield from stmt.function.decorators
        yield from (p.default for p in stmt.function.params if p.default is not None)
    elif isinstance(stmt, ClassDef):
        yield from stmt.cls.decorators
        yield from stmt.cls.bases


def children(expr: Expr) -> Iterator[Expr]:
    """Yield the expressions directly inside an expression; not those of a lambda's body."""
    if isinstance(expr, Call):
        yield expr.callee
        yield from expr.args
        yield from (value for _, value in expr.named)
    elif isinstance(expr, Attr):
        yield expr.base
    elif isinstance(expr, Index):
        yield expr.base
        yield expr.key
    elif isinstance(expr, (Text, Other)):
        yield from expr.parts
    elif isinstance(expr, Dict):
        for key, value in expr.items:
            if key is not None:
                yield key
            yield value
    elif isinstance(expr, Items):
        yield from expr.items
    elif isinstance(expr, Spread):
        yield expr.value
    elif isinstance(expr, Choice):
        if expr.test is not None:
            yield expr.test
        yield from expr.options
    elif isinstance(expr, Op):
        yield from expr.operands
    elif isinstance(expr, Each):
        yield from expr.elements
        for target, iterable in expr.loops:
            yield target
            yield iterable
        yield from expr.conditions
    elif isinstance(expr, Yield):
        if expr.value is not None:
            yield expr.value
    elif isinstance(expr, Markup):
        yield from (value for _, value in expr.attributes)
        yield from expr.children


def walk(expr: Expr) -> Iterator[Expr]:
    """Yield an expression and all inside it, the outer ones first; not the bodies of lambdas."""
    waiting = [expr]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(list(children(one))))


def calls_in(body: Iterable[Stmt]) -> Iterator[Call]:
    """Yield all calls of a body, those of inner functions, classes and lambdas included."""
    for stmt in statements(body):
        yield from _calls_of(stmt)


def _calls_of(stmt: Stmt) -> Iterator[Call]:
    for expr in expressions(stmt):
        for part in walk(expr):
            if isinstance(part, Call):
                yield part
            elif isinstance(part, Lambda):
                yield from calls_in(part.function.body)
    if isinstance(stmt, Def):
        yield from calls_in(stmt.function.body)
    elif isinstance(stmt, ClassDef):
        yield from calls_in(stmt.cls.body)
