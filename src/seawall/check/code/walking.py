"""Ways through the code that need no state: all statements, all expressions, all calls."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

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
    Module,
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
    """Yield the statements of a body and of its blocks, in order; not of inner functions."""
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


def functions_of(module: Module) -> list[Function]:
    """Return all functions of a file; they are looked for once."""
    if module.all_functions is None:
        module.all_functions = list(functions_in(module.body))
    return module.all_functions


def calls_of(module: Module) -> list[Call]:
    """Return all calls of a file; they are looked for once."""
    if module.all_calls is None:
        module.all_calls = list(calls_in(module.body))
    return module.all_calls


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


def children(expr: Expr) -> list[Expr]:
    """Return the expressions directly inside an expression; not those of a lambda's body."""
    inside = _INSIDE.get(type(expr))
    return inside(expr) if inside is not None else []


def _of_dict(expr: Dict) -> list[Expr]:
    return [part for item in expr.items for part in item if part is not None]


def _of_choice(expr: Choice) -> list[Expr]:
    return expr.options if expr.test is None else [expr.test, *expr.options]


def _of_each(expr: Each) -> list[Expr]:
    return [*expr.elements, *(part for loop in expr.loops for part in loop), *expr.conditions]


_INSIDE: dict[type[Expr], Callable[[Any], list[Expr]]] = {
    Call: lambda e: [e.callee, *e.args, *(value for _, value in e.named)],
    Attr: lambda e: [e.base],
    Index: lambda e: [e.base, e.key],
    Text: lambda e: e.parts,
    Other: lambda e: e.parts,
    Dict: _of_dict,
    Items: lambda e: e.items,
    Spread: lambda e: [e.value],
    Choice: _of_choice,
    Op: lambda e: e.operands,
    Each: _of_each,
    Yield: lambda e: [] if e.value is None else [e.value],
    Markup: lambda e: [*(value for _, value in e.attributes), *e.children],
}


def walk(expr: Expr) -> Iterator[Expr]:
    """Yield an expression and all inside it, the outer ones first; not the bodies of lambdas."""
    waiting = [expr]
    while waiting:
        one = waiting.pop()
        yield one
        inside = _INSIDE.get(type(one))
        if inside is not None:
            waiting.extend(reversed(inside(one)))


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
