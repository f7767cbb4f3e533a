"""What the lowering of JavaScript carries from node to node.

Invariants: `value` and `block` are the only ways down the tree, so that `DEPTH_MAX` bounds both Python's
stack and the depth of what is made; what a value does on its way (`a(b = c)`) is kept in `hoisted` until its
statement is out.
"""

from collections.abc import Callable, Mapping

from tree_sitter import Node

from seawall.check.code.ir import Expr, Imported, Other, Stmt

DEPTH_MAX = 160

Values = Mapping[str, Callable[["Reader", Node], Expr]]
Statements = Mapping[str, Callable[["Reader", Node], list[Stmt]]]


class Reader:
    """One file on its way into a `Module`."""

    __slots__ = (
        "depth",
        "exported",
        "exports",
        "hint",
        "hoisted",
        "imports",
        "in_switch",
        "reexports",
        "statements",
        "values",
    )

    def __init__(self, values: Values, statements: Statements) -> None:
        self.values = values
        self.statements = statements
        self.depth = 0
        self.hint = ""  # the name that the next function or class has from where it is put
        self.hoisted: list[Stmt] = []
        self.in_switch = False  # a `break` here leaves a switch, not a loop
        self.imports: dict[str, Imported] = {}
        self.exports: dict[str, str] = {}
        self.exported: dict[str, Expr] = {}
        self.reexports: list[tuple[str, Imported]] = []

    def value(self, node: Node) -> Expr:
        """Lower a node that has a value; what is too deep becomes an empty `Other`."""
        read = self.values.get(node.type)
        if self.depth >= DEPTH_MAX:
            return Other(*lines(node), [])
        self.depth += 1
        try:
            if read is not None:
                return read(self, node)
            return Other(*lines(node), self.all_values(node.named_children))
        finally:
            self.depth -= 1

    def all_values(self, nodes: list[Node]) -> list[Expr]:
        """Lower all nodes but comments."""
        return [self.value(node) for node in nodes if node.type != "comment"]

    def named_value(self, node: Node | None, name: str) -> Expr | None:
        """Lower what is put under `name`, which a function, a class or a function inside a call takes."""
        if node is None:
            return None
        inner = bare(node)
        if inner.type in _TAKE_A_NAME:
            self.hint = name
        return self.value(inner)

    def take_hint(self) -> str:
        """Return the name from where the function or class is put, once."""
        name, self.hint = self.hint, ""
        return name

    def block(self, nodes: list[Node]) -> list[Stmt]:
        """Lower statements in order; what is none (after a syntax error) is tried as a value."""
        if self.depth >= DEPTH_MAX:
            return []
        self.depth += 1
        outer, self.hoisted = self.hoisted, []
        out: list[Stmt] = []
        try:
            for node in nodes:
                run = self.statements.get(node.type, _unknown)
                made = run(self, node)
                if self.hoisted:
                    out += self.hoisted
                    self.hoisted = []
                out += made
        finally:
            self.hoisted = outer
            self.depth -= 1
        return out


def _unknown(reader: Reader, node: Node) -> list[Stmt]:
    expression = reader.statements["expression_statement"]
    return expression(reader, node) if node.type in reader.values else []


_WRAPPERS = frozenset(
    {
        "parenthesized_expression",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
        "instantiation_expression",
    }
)
FUNCTIONS = frozenset(
    {"arrow_function", "function_expression", "generator_function", "function", "method_definition"}
)
_TAKE_A_NAME = FUNCTIONS | {"call_expression", "class"}


def bare(node: Node) -> Node:
    """Take off what leaves a value what it is: parentheses, `as`, `satisfies`, `!`, type arguments."""
    while node.type in _WRAPPERS:
        inner = first(node)
        if inner is None:
            return node
        node = inner
    if node.type == "type_assertion" and node.named_children:
        return bare(node.named_children[-1])
    return node


def first(node: Node) -> Node | None:
    """Return the first named child that is no comment."""
    return next((child for child in node.named_children if child.type != "comment"), None)


def lines(node: Node) -> tuple[int, int]:
    """Return the first and the last line of a node, counted from 1."""
    return node.start_point.row + 1, node.end_point.row + 1


def text(node: Node | None) -> str:
    """Return a node's text as it stands; "" for no node."""
    return "" if node is None or node.text is None else node.text.decode("utf-8", "replace")


def has(node: Node, token: str) -> bool:
    """Tell whether a keyword or mark stands directly in a node, before its body."""
    return any(child.type == token for child in node.children[:6])
