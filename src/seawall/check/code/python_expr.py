"""Lowers Python's expressions.

A walrus becomes its target's name; the assignment is hoisted before the statement, in a lambda into its body.
In a comprehension it is one more loop over a list of one value, as it may use what the comprehension loops
over.
Expressions nested deeper than `DEPTH_MAX` become `Other` with the names and strings in them.
"""

import ast
import re
import string
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Choice,
    Dict,
    Each,
    Expr,
    Function,
    Index,
    Items,
    Lambda,
    Literal,
    Name,
    Op,
    Other,
    Param,
    Return,
    Spread,
    Stmt,
    Text,
    Yield,
)

DEPTH_MAX = 150
"""Levels of nesting; rules walk what comes out of here recursively, under Python's limit of 1,000 frames."""

FLAT_PARTS_MAX = 1_000

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.MatMult: "@",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.BitAnd: "&",
    ast.Not: "not",
    ast.USub: "-",
    ast.UAdd: "+",
    ast.Invert: "~",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}

_CHAINED = (ast.Add, ast.BitOr, ast.Mult)
_PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?([a-zA-Z%])")


def literal(line: int, end: int, value: object) -> Expr:
    """Build a constant: bytes as text, complex numbers and `...` as `Other`."""
    if value is None or isinstance(value, str | int | float):
        return Literal(line, end, value)
    if isinstance(value, bytes):
        return Literal(line, end, value.decode("utf-8", "replace"))
    return Other(line, end, [])


class Expressions:
    """Lowers expressions, and keeps what has to run before the statement that they stand in."""

    def __init__(self) -> None:
        self.receiver: str | None = None
        self._hoisted: list[Stmt] = []
        self._depth = 0
        self._forms: dict[type[ast.AST], Callable[[Any], Expr]] = {
            ast.Attribute: self._attribute,
            ast.Await: self._await,
            ast.BinOp: self._binary,
            ast.BoolOp: lambda n: Choice(n.lineno, n.end_lineno, self.all(n.values)),
            ast.Call: self._call,
            ast.Compare: self._compare,
            ast.Constant: lambda n: literal(n.lineno, n.end_lineno, n.value),
            ast.Dict: self._dict,
            ast.DictComp: lambda n: self._each(n, [n.key, n.value]),
            ast.FormattedValue: lambda n: Text(n.lineno, n.end_lineno, self._formatted(n)),
            ast.GeneratorExp: lambda n: self._each(n, [n.elt]),
            ast.IfExp: self._ternary,
            ast.JoinedStr: self._joined,
            ast.Lambda: self._lambda,
            ast.List: lambda n: Items(n.lineno, n.end_lineno, self.all(n.elts)),
            ast.ListComp: lambda n: self._each(n, [n.elt]),
            ast.Name: self._name,
            ast.NamedExpr: self._walrus,
            ast.Set: lambda n: Items(n.lineno, n.end_lineno, self.all(n.elts)),
            ast.SetComp: lambda n: self._each(n, [n.elt]),
            ast.Slice: self._slice,
            ast.Starred: lambda n: Spread(n.lineno, n.end_lineno, self.expr(n.value)),
            ast.Subscript: self._subscript,
            ast.Tuple: lambda n: Items(n.lineno, n.end_lineno, self.all(n.elts)),
            ast.UnaryOp: self._unary,
            ast.Yield: lambda n: Yield(n.lineno, n.end_lineno, self.maybe(n.value)),
            ast.YieldFrom: lambda n: Yield(n.lineno, n.end_lineno, self.expr(n.value)),
        }

    def expr(self, node: ast.expr) -> Expr:
        """Lower one expression."""
        form = self._forms.get(type(node))
        if form is None or self._depth >= DEPTH_MAX:
            return self._flat(node)
        self._depth += 1
        value = form(node)
        self._depth -= 1
        return value

    def maybe(self, node: ast.expr | None) -> Expr | None:
        """Lower an expression that may be missing."""
        return None if node is None else self.expr(node)

    def all(self, nodes: list[ast.expr]) -> list[Expr]:
        """Lower expressions in order."""
        return [self.expr(node) for node in nodes]

    def take(self) -> list[Stmt]:
        """Hand over what must run before the statement whose expressions were lowered last."""
        if not self._hoisted:
            return []
        hoisted, self._hoisted = self._hoisted, []
        return hoisted

    def annotation(self, node: ast.expr | None) -> Expr | None:
        """Lower an annotation; one in quotes is read as the expression that it holds."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                inner = ast.parse(node.value.strip(), mode="eval").body
            except (SyntaxError, ValueError):
                return self.expr(node)
            for part in ast.walk(inner):
                if isinstance(part, ast.expr):
                    part.lineno, part.end_lineno = node.lineno, node.end_lineno
            return self.expr(inner)
        return self.maybe(node)

    def params(self, arguments: ast.arguments, *, without_first: bool = False) -> list[Param]:
        """Lower the parameters; the first one is left out where it is `self` or `cls`."""
        plain = [*arguments.posonlyargs, *arguments.args]
        missing: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults))
        found = [
            self._param(arg, default)
            for arg, default in zip(plain, [*missing, *arguments.defaults], strict=True)
        ]
        if without_first:
            del found[:1]
        if arguments.vararg:
            found.append(
                Param(arguments.vararg.arg, self.annotation(arguments.vararg.annotation), kind="rest")
            )
        found += [
            self._param(arg, default)
            for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        ]
        if arguments.kwarg:
            found.append(
                Param(arguments.kwarg.arg, self.annotation(arguments.kwarg.annotation), kind="keywords")
            )
        return found

    def _param(self, arg: ast.arg, default: ast.expr | None) -> Param:
        return Param(arg.arg, self.annotation(arg.annotation), self.maybe(default))

    def _name(self, node: ast.Name) -> Expr:
        name = "self" if node.id == self.receiver else node.id
        return Name(node.lineno, node.end_lineno or node.lineno, name)

    def _attribute(self, node: ast.Attribute) -> Expr:
        return Attr(node.lineno, node.end_lineno or node.lineno, self.expr(node.value), node.attr)

    def _subscript(self, node: ast.Subscript) -> Expr:
        return Index(
            node.lineno, node.end_lineno or node.lineno, self.expr(node.value), self.expr(node.slice)
        )

    def _slice(self, node: ast.Slice) -> Expr:
        line, end = node.lineno, node.end_lineno or node.lineno
        bounds = [node.lower, node.upper, *([node.step] if node.step else [])]
        return Op(line, end, "slice", [self.maybe(bound) or Literal(line, end, None) for bound in bounds])

    def _await(self, node: ast.Await) -> Expr:
        value = self.expr(node.value)
        if isinstance(value, Call):
            value.awaited = True
        return value

    def _call(self, node: ast.Call) -> Expr:
        line, end = node.lineno, node.end_lineno or node.lineno
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr == "format":
            receiver = self.expr(func.value)
            args, named = self.all(node.args), [(word.arg, self.expr(word.value)) for word in node.keywords]
            if isinstance(receiver, Text) or (
                isinstance(receiver, Literal) and isinstance(receiver.value, str)
            ):
                return Text(line, end, _format_parts(receiver, args, named))
            return Call(line, end, Attr(line, func.end_lineno or line, receiver, "format"), args, named)
        return Call(
            line,
            end,
            self.expr(func),
            self.all(node.args),
            [(word.arg, self.expr(word.value)) for word in node.keywords],
        )

    def _dict(self, node: ast.Dict) -> Expr:
        items = [
            (None if key is None else self.expr(key), self.expr(value))
            for key, value in zip(node.keys, node.values, strict=True)
        ]
        return Dict(node.lineno, node.end_lineno or node.lineno, items)

    def _ternary(self, node: ast.IfExp) -> Expr:
        test = self.expr(node.test)
        options = [self.expr(node.body), self.expr(node.orelse)]
        return Choice(node.lineno, node.end_lineno or node.lineno, options, test)

    def _unary(self, node: ast.UnaryOp) -> Expr:
        line, end = node.lineno, node.end_lineno or node.lineno
        operand = self.expr(node.operand)
        is_number = isinstance(operand, Literal) and isinstance(operand.value, int | float)
        if isinstance(node.op, ast.USub) and isinstance(operand, Literal) and is_number:
            assert isinstance(operand.value, int | float)
            return Literal(line, end, -operand.value)
        return Op(line, end, _OPERATORS[type(node.op)], [operand])

    def _compare(self, node: ast.Compare) -> Expr:
        line, end = node.lineno, node.end_lineno or node.lineno
        values = [self.expr(node.left), *self.all(node.comparators)]
        links: list[Expr] = [
            Op(line, end, _OPERATORS[type(op)], [values[at], values[at + 1]])
            for at, op in enumerate(node.ops)
        ]
        return links[0] if len(links) == 1 else Choice(line, end, links)

    def _binary(self, node: ast.BinOp) -> Expr:
        line, end = node.lineno, node.end_lineno or node.lineno
        kind = type(node.op)
        right = [node.right]
        left = node.left
        while isinstance(left, ast.BinOp) and type(left.op) is kind and kind in _CHAINED:
            # Long sums lean to the left; they are read without a level of recursion for each.
            right.append(left.right)
            left = left.left
        operands = [self.expr(left), *self.all(right[::-1])]
        if kind is ast.Add and any(_is_text(operand) for operand in operands):
            return Text(line, end, [part for operand in operands for part in _parts(operand)])
        if kind is ast.Mod and _is_text(operands[0]):
            return Text(line, end, _percent_parts(operands[0], operands[1]))
        return Op(line, end, _OPERATORS[kind], operands)

    def _joined(self, node: ast.JoinedStr) -> Expr:
        line, end = node.lineno, node.end_lineno or node.lineno
        parts: list[Expr] = []
        for value in node.values:
            parts += self._formatted(value) if isinstance(value, ast.FormattedValue) else [self.expr(value)]
        if all(isinstance(part, Literal) for part in parts):
            return Literal(line, end, "".join(str(part.value) for part in parts if isinstance(part, Literal)))
        return Text(line, end, parts)

    def _formatted(self, node: ast.FormattedValue) -> list[Expr]:
        spec = node.format_spec
        inner = (
            [v for v in spec.values if isinstance(v, ast.FormattedValue)]
            if isinstance(spec, ast.JoinedStr)
            else []
        )
        return [self.expr(node.value), *(self.expr(value.value) for value in inner)]

    def _walrus(self, node: ast.NamedExpr) -> Expr:
        line, end = node.lineno, node.end_lineno or node.lineno
        value = self.expr(node.value)
        self._hoisted.append(Assign(line, end, [self._name(node.target)], value))
        return self._name(node.target)

    def _lambda(self, node: ast.Lambda) -> Expr:
        line, end = node.lineno, node.end_lineno or node.lineno
        params = self.params(node.args)
        outside, self._hoisted = self._hoisted, []
        receiver = self.receiver
        if any(param.name == receiver for param in params):
            self.receiver = None
        value = self.expr(node.body)
        self.receiver = receiver
        body = [*self.take(), Return(line, end, value)]
        self._hoisted = outside
        return Lambda(line, end, Function("", line, end, params, body))

    def _each(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, elements: list[ast.expr]
    ) -> Expr:
        line, end = node.lineno, node.end_lineno or node.lineno
        outside, self._hoisted = self._hoisted, []
        loops = [(self.expr(each.target), self.expr(each.iter)) for each in node.generators]
        conditions = [self.expr(test) for each in node.generators for test in each.ifs]
        values = self.all(elements)
        loops += [
            (walrus.targets[0], Items(walrus.line, walrus.end, [walrus.value]))
            for walrus in self.take()
            if isinstance(walrus, Assign) and walrus.value is not None
        ]
        self._hoisted = outside
        return Each(line, end, values, loops, conditions)

    def _flat(self, node: ast.expr) -> Expr:
        parts: list[Expr] = []
        for inner in islice(ast.walk(node), 10 * FLAT_PARTS_MAX):
            if isinstance(inner, ast.Name):
                parts.append(self._name(inner))
            elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                parts.append(literal(inner.lineno, inner.end_lineno or inner.lineno, inner.value))
        return Other(node.lineno, node.end_lineno or node.lineno, parts[:FLAT_PARTS_MAX])


def _is_text(value: Expr) -> bool:
    return isinstance(value, Text) or (isinstance(value, Literal) and isinstance(value.value, str))


def _parts(value: Expr) -> list[Expr]:
    return value.parts if isinstance(value, Text) else [value]


def _percent_parts(template: Expr, values: Expr) -> list[Expr]:
    if not isinstance(template, Literal):
        return [*_parts(template), values]
    pieces, keys = _split_percent(template)
    if isinstance(values, Items):
        return _interleave(pieces, template, values.items)
    if isinstance(values, Dict):
        known = {key.value: value for key, value in values.items if isinstance(key, Literal)}
        spreads = [value for key, value in values.items if not isinstance(key, Literal)]
        placed = [known.get(key, Literal(template.line, template.end, "")) for key in keys]
        return _interleave(pieces, template, [*placed, *spreads])
    return _interleave(pieces, template, [values])


def _split_percent(template: Literal) -> tuple[list[str], list[str | None]]:
    pieces, keys, text, last = [""], [], str(template.value), 0
    for match in _PLACEHOLDER.finditer(text):
        pieces[-1] += text[last : match.start()]
        last = match.end()
        if match[2] == "%":
            pieces[-1] += "%"
            continue
        keys.append(match[1])
        pieces.append("")
    pieces[-1] += text[last:]
    return pieces, keys


def _format_parts(receiver: Expr, args: list[Expr], named: list[tuple[str | None, Expr]]) -> list[Expr]:
    if not isinstance(receiver, Literal):
        return [*_parts(receiver), *args, *(value for _, value in named)]
    try:
        fields = list(_fields(str(receiver.value)))
    except ValueError:
        return [receiver, *args, *(value for _, value in named)]
    parts: list[Expr] = []
    positional, used, at = dict(enumerate(args)), set[str | int](), 0
    by_name = {name: value for name, value in named if name is not None}
    for text, name in fields:
        if text:
            parts.append(Literal(receiver.line, receiver.end, text))
        if name is None:
            continue
        key: str | int = re.split(r"[.\[]", name, maxsplit=1)[0]
        if key == "":
            key, at = at, at + 1
        elif isinstance(key, str) and key.isdecimal():
            key = int(key)
        value = positional.get(key) if isinstance(key, int) else by_name.get(key)
        if value is not None:
            parts.append(value)
            used.add(key)
    parts += [value for key, value in positional.items() if key not in used]
    return parts + [value for name, value in named if name is None or name not in used]


def _fields(template: str) -> Iterator[tuple[str, str | None]]:
    for text, name, spec, _ in string.Formatter().parse(template):
        yield text, name
        if spec and "{" in spec:
            yield from (("", inner) for _, inner, _, _ in string.Formatter().parse(spec) if inner is not None)


def _interleave(pieces: list[str], template: Literal, values: list[Expr]) -> list[Expr]:
    """Put the values between the pieces of their template; those without a place come last."""
    parts: list[Expr] = []
    for at, piece in enumerate(pieces):
        if piece:
            parts.append(Literal(template.line, template.end, piece))
        if at < len(pieces) - 1 and at < len(values):
            parts.append(values[at])
    return [*parts, *values[len(pieces) - 1 :]]
