"""Lowers Python's statements.

`match` becomes a chain of `If`, `assert` an `If` that raises, the `else` of a loop what comes after it.
`del`, `global`, `nonlocal` and `pass` say nothing here.
"""

import ast
from collections.abc import Callable
from typing import Any

from seawall.check.code.ir import (
    Assign,
    Call,
    Choice,
    Class,
    ClassDef,
    Def,
    Dict,
    Do,
    Expr,
    Function,
    Handler,
    If,
    Imported,
    Index,
    Items,
    Jump,
    Literal,
    Loop,
    Name,
    Op,
    Other,
    Raise,
    Return,
    Spread,
    Stmt,
    Try,
    With,
)
from seawall.check.code.python_expr import DEPTH_MAX, Expressions

CHAIN_MAX = 40
"""Links of an `elif` or `match` chain that nest; the rest of a longer one stands side by side at the end."""

_Link = tuple[int, int, list[Stmt], Expr | None, list[Stmt]]


class Statements:
    """Lowers statements, and collects the imports and star imports of the file."""

    def __init__(self) -> None:
        self.imports: dict[str, Imported] = {}
        self.stars: list[tuple[str, Imported]] = []
        self._nested_imports: dict[str, Imported] = {}
        self._expressions = Expressions()
        self._functions = 0
        self._depth = 0
        self._forms: dict[type[ast.AST], Callable[[Any], list[Stmt]]] = {
            ast.AnnAssign: self._annotated,
            ast.Assert: self._assert,
            ast.Assign: self._assign,
            ast.AsyncFor: self._for,
            ast.AsyncFunctionDef: self._function,
            ast.AsyncWith: self._with,
            ast.AugAssign: self._augmented,
            ast.Break: lambda n: [Jump(n.lineno, n.end_lineno, "break")],
            ast.ClassDef: self._class,
            ast.Continue: lambda n: [Jump(n.lineno, n.end_lineno, "continue")],
            ast.Expr: lambda n: [Do(n.lineno, n.end_lineno, self._expressions.expr(n.value))],
            ast.For: self._for,
            ast.FunctionDef: self._function,
            ast.If: self._if,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Match: self._match,
            ast.Raise: lambda n: [Raise(n.lineno, n.end_lineno, self._expressions.maybe(n.exc))],
            ast.Return: lambda n: [Return(n.lineno, n.end_lineno, self._expressions.maybe(n.value))],
            ast.Try: self._try,
            ast.TryStar: self._try,
            ast.While: self._while,
            ast.With: self._with,
        }
        if alias := getattr(ast, "TypeAlias", None):
            self._forms[alias] = self._type_alias

    def module(self, tree: ast.Module) -> list[Stmt]:
        """Lower a file's statements."""
        body = self._block(tree.body)
        for name, imported in self._nested_imports.items():
            self.imports.setdefault(name, imported)
        return body

    def _block(self, nodes: list[ast.stmt], owner: str | None = None) -> list[Stmt]:
        found: list[Stmt] = []
        if self._depth >= DEPTH_MAX:
            return found
        self._depth += 1
        for node in nodes:
            form = self._forms.get(type(node))
            if form is None:
                continue
            statements = form(node) if owner is None else self._member(node, form, owner)
            found += self._expressions.take()
            found += statements
        self._depth -= 1
        return found

    def _member(self, node: ast.stmt, form: Callable[[Any], list[Stmt]], owner: str) -> list[Stmt]:
        """Lower what stands in a class; a method may be defined under a condition."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return self._function(node, owner)
        if isinstance(node, ast.If):
            test = self._expressions.expr(node.test)
            then, otherwise = self._block(node.body, owner), self._block(node.orelse, owner)
            return [If(node.lineno, node.end_lineno or node.lineno, test, then, otherwise)]
        return form(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str | None = None) -> list[Stmt]:
        line, end = node.lineno, node.end_lineno or node.lineno
        values = self._expressions
        decorators = values.all(node.decorator_list)
        plain = [*node.args.posonlyargs, *node.args.args]
        is_static = any(isinstance(each, Name) and each.id == "staticmethod" for each in decorators)
        has_receiver = owner is not None and bool(plain) and not is_static
        params = values.params(node.args, without_first=has_receiver)
        hoisted = values.take()
        outside = values.receiver
        if has_receiver:
            values.receiver = plain[0].arg
        elif any(param.name == outside for param in params):
            values.receiver = None
        self._functions += 1
        body = self._block(node.body)
        self._functions -= 1
        values.receiver = outside
        is_async = isinstance(node, ast.AsyncFunctionDef)
        function = Function(node.name, line, end, params, body, decorators, is_async, owner)
        return [*hoisted, Def(line, end, function)]

    def _class(self, node: ast.ClassDef) -> list[Stmt]:
        line, end = node.lineno, node.end_lineno or node.lineno
        decorators = self._expressions.all(node.decorator_list)
        bases = self._expressions.all(node.bases)
        hoisted = self._expressions.take()
        body = self._block(node.body, node.name)
        return [*hoisted, ClassDef(line, end, Class(node.name, line, end, bases, body, decorators))]

    def _assign(self, node: ast.Assign) -> list[Stmt]:
        value = self._expressions.expr(node.value)
        return [
            Assign(node.lineno, node.end_lineno or node.lineno, self._expressions.all(node.targets), value)
        ]

    def _augmented(self, node: ast.AugAssign) -> list[Stmt]:
        value = self._expressions.expr(node.value)
        if not isinstance(node.op, ast.Add):
            # What is not a plain sum keeps its old value visible: `query %= x` is a text, `n *= 2` is not.
            combined = ast.BinOp(
                node.target, node.op, node.value, lineno=node.lineno, end_lineno=node.end_lineno
            )
            value = self._expressions.expr(combined)
        target = self._expressions.expr(node.target)
        return [Assign(node.lineno, node.end_lineno or node.lineno, [target], value, augmented=True)]

    def _annotated(self, node: ast.AnnAssign) -> list[Stmt]:
        values = self._expressions
        value, target = values.maybe(node.value), values.expr(node.target)
        annotation = values.annotation(node.annotation)
        return [Assign(node.lineno, node.end_lineno or node.lineno, [target], value, annotation=annotation)]

    def _type_alias(self, node: Any) -> list[Stmt]:
        value = self._expressions.expr(node.value)
        return [Assign(node.lineno, node.end_lineno, [self._expressions.expr(node.name)], value)]

    def _assert(self, node: ast.Assert) -> list[Stmt]:
        line, end = node.lineno, node.end_lineno or node.lineno
        test = self._expressions.expr(node.test)
        message = [] if node.msg is None else [self._expressions.expr(node.msg)]
        error = Call(line, end, Name(line, end, "AssertionError"), message)
        return [If(line, end, Op(line, end, "not", [test]), [Raise(line, end, error)], [])]

    def _if(self, node: ast.If) -> list[Stmt]:
        links: list[_Link] = []
        last: list[Stmt] = []
        while True:
            test = self._expressions.expr(node.test)
            before = self._expressions.take()
            end = node.end_lineno or node.lineno
            links.append((node.lineno, end, before, test, self._block(node.body)))
            rest = node.orelse
            if len(rest) != 1 or not isinstance(rest[0], ast.If):
                last = self._block(rest)
                break
            node = rest[0]
        return _chain(links, last)

    def _match(self, node: ast.Match) -> list[Stmt]:
        line, end = node.lineno, node.end_lineno or node.lineno
        subject = self._expressions.expr(node.subject)
        opening = self._expressions.take()
        if not isinstance(subject, Name):
            # Evaluated once, so that a call in it is not read as one call a case.
            name = Name(line, line, f"match@{line}")
            opening.append(Assign(line, line, [name], subject))
            subject = name
        links: list[_Link] = []
        last: list[Stmt] = []
        for case in node.cases:
            bindings: list[Stmt] = []
            test = _Pattern(self._expressions, subject, bindings).test(case.pattern)
            guard = None if case.guard is None else self._expressions.expr(case.guard)
            before = self._expressions.take()
            body = [*bindings, *self._block(case.body)]
            if guard is not None:
                # The guard may use what the pattern has bound.
                before, body = [*bindings, *before], body[len(bindings) :]
                test = guard if test is None else Choice(guard.line, guard.end, [test, guard])
            stop = case.body[-1].end_lineno or end
            if test is None:
                last = body
                break
            links.append((case.pattern.lineno, stop, before, test, body))
        return [*opening, *(_chain(links, last) if links else last)]

    def _for(self, node: ast.For | ast.AsyncFor) -> list[Stmt]:
        iterable, target = self._expressions.expr(node.iter), self._expressions.expr(node.target)
        before = self._expressions.take()
        body = self._block(node.body)
        loop = Loop(
            node.lineno, node.end_lineno or node.lineno, "for", body, target=target, iterable=iterable
        )
        return [*before, loop, *self._unless_left(node)]

    def _while(self, node: ast.While) -> list[Stmt]:
        test = self._expressions.expr(node.test)
        # A walrus in the test runs once a round, so it opens the body.
        body = [*self._expressions.take(), *self._block(node.body)]
        loop = Loop(node.lineno, node.end_lineno or node.lineno, "while", body, test=test)
        return [loop, *self._unless_left(node)]

    def _unless_left(self, node: ast.For | ast.AsyncFor | ast.While) -> list[Stmt]:
        """Return the `else` of a loop: it may run, since a `break` passes it over."""
        if not node.orelse:
            return []
        otherwise = self._block(node.orelse)
        first, last = otherwise[0].line, otherwise[-1].end
        return [If(first, last, Other(first, first, []), otherwise, [])]

    def _try(self, node: ast.Try | ast.TryStar) -> list[Stmt]:
        body = self._block(node.body)
        handlers = [self._handler(handler) for handler in node.handlers]
        otherwise, final = self._block(node.orelse), self._block(node.finalbody)
        return [Try(node.lineno, node.end_lineno or node.lineno, body, handlers, otherwise, final)]

    def _handler(self, node: ast.ExceptHandler) -> Handler:
        caught = self._expressions.maybe(node.type)
        types = caught.items if isinstance(caught, Items) else [] if caught is None else [caught]
        return Handler(node.lineno, types, node.name, self._block(node.body))

    def _with(self, node: ast.With | ast.AsyncWith) -> list[Stmt]:
        values = self._expressions
        items = [(values.expr(item.context_expr), values.maybe(item.optional_vars)) for item in node.items]
        before = values.take()
        return [*before, With(node.lineno, node.end_lineno or node.lineno, items, self._block(node.body))]

    def _import(self, node: ast.Import) -> list[Stmt]:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            local, module = (alias.asname, alias.name) if alias.asname else (top, top)
            self._remember(local, Imported(module))
        return []

    def _import_from(self, node: ast.ImportFrom) -> list[Stmt]:
        module = node.module or ""
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(("*", Imported(module, None, node.level)))
            else:
                self._remember(alias.asname or alias.name, Imported(module, alias.name, node.level))
        return []

    def _remember(self, local: str, imported: Imported) -> None:
        # The first of two alternatives counts; one at the top of the file before one inside a function.
        known = self._nested_imports if self._functions else self.imports
        known.setdefault(local, imported)


def _chain(links: list[_Link], last: list[Stmt]) -> list[Stmt]:
    """Nest the links of an `elif` chain, `CHAIN_MAX` deep at most."""
    result = last
    for at in range(len(links) - 1, -1, -1):
        line, end, before, test, body = links[at]
        assert test is not None
        if at >= CHAIN_MAX:
            result = [*before, If(line, end, test, body, []), *result]
        else:
            result = [*before, If(line, end, test, body, result)]
    return result


class _Pattern:
    """Reads one case's pattern as a test of the subject, and the names that it binds as assignments."""

    def __init__(self, expressions: Expressions, subject: Expr, bindings: list[Stmt]) -> None:
        self._expressions = expressions
        self._subject = subject
        self._bindings = bindings

    def test(self, pattern: ast.pattern) -> Expr | None:
        """Tell what is compared; None for a pattern that takes everything."""
        line, end = pattern.lineno, pattern.end_lineno
        if isinstance(pattern, ast.MatchAs) and pattern.pattern is not None:
            if pattern.name:
                self._bind(Name(line, end, pattern.name), line)
            return self.test(pattern.pattern)
        if isinstance(pattern, ast.MatchAs):
            if pattern.name:
                self._bind(Name(line, end, pattern.name), line)
            return None
        if isinstance(pattern, ast.MatchOr):
            tests = [self.test(each) for each in pattern.patterns]
            known = [test for test in tests if test is not None]
            return Choice(line, end, known) if len(known) == len(tests) else None
        value, targets = self._value(pattern, 0)
        if targets is not None:
            self._bind(targets, line)
        return Op(line, end, "==", [self._subject, value])

    def _bind(self, target: Expr, line: int) -> None:
        self._bindings.append(Assign(line, line, [target], self._subject))

    def _value(self, pattern: ast.pattern, depth: int) -> tuple[Expr, Expr | None]:
        """Read a pattern as a value to compare with, and as a target of the same shape if it binds names."""
        line, end = pattern.lineno, pattern.end_lineno
        nothing = Other(line, end, [])
        if depth > 20:
            return nothing, None
        if isinstance(pattern, ast.MatchValue):
            return self._expressions.expr(pattern.value), None
        if isinstance(pattern, ast.MatchSingleton):
            return Literal(line, end, pattern.value), None
        if isinstance(pattern, ast.MatchStar):
            return nothing, Spread(line, end, Name(line, end, pattern.name)) if pattern.name else None
        if isinstance(pattern, ast.MatchAs):
            target = Name(line, end, pattern.name) if pattern.name else None
            return (self._value(pattern.pattern, depth + 1)[0] if pattern.pattern else nothing), target
        if isinstance(pattern, ast.MatchSequence):
            pairs = [self._value(each, depth + 1) for each in pattern.patterns]
            targets = [target or nothing for _, target in pairs]
            is_bound = any(target is not None for _, target in pairs)
            return Items(line, end, [value for value, _ in pairs]), Items(
                line, end, targets
            ) if is_bound else None
        if isinstance(pattern, ast.MatchMapping):
            return self._mapping(pattern, depth)
        if isinstance(pattern, ast.MatchClass):
            # What an object pattern binds comes out of the subject by attribute; it is kept as one target.
            inner = [self._value(each, depth + 1)[1] for each in [*pattern.patterns, *pattern.kwd_patterns]]
            bound = [target for target in inner if target is not None]
            return self._expressions.expr(pattern.cls), Items(line, end, bound) if bound else None
        return nothing, None

    def _mapping(self, pattern: ast.MatchMapping, depth: int) -> tuple[Expr, Expr | None]:
        line, end = pattern.lineno, pattern.end_lineno
        values: list[tuple[Expr | None, Expr]] = []
        for key, inner in zip(pattern.keys, pattern.patterns, strict=True):
            value, target = self._value(inner, depth + 1)
            name = self._expressions.expr(key)
            values.append((name, value))
            if target is not None:
                item = Index(line, end, self._subject, name)
                self._bindings.append(Assign(line, line, [target], item))
        return Dict(line, end, values), Name(line, end, pattern.rest) if pattern.rest else None
