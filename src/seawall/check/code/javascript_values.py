"""Lower JavaScript's expressions: literals, names, calls, operators, objects and JSX."""

from tree_sitter import Node

from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Choice,
    Dict,
    Expr,
    Index,
    Items,
    Lambda,
    Literal,
    Name,
    Op,
    Other,
    Spread,
    Text,
    Yield,
)
from seawall.check.code.javascript_functions import class_value, function, function_value, pattern
from seawall.check.code.javascript_literals import (
    add_literal,
    number,
    regex,
    string_value,
    template,
    template_parts,
)
from seawall.check.code.javascript_markup import element
from seawall.check.code.javascript_reader import Reader, Values, bare, first, lines, text

_BRANCHES_MAX = 10_000


def _name(reader: Reader, node: Node) -> Expr:
    return Name(*lines(node), text(node))


def _self(reader: Reader, node: Node) -> Expr:
    return Name(*lines(node), "self")


def _true(reader: Reader, node: Node) -> Expr:
    return Literal(*lines(node), True)


def _false(reader: Reader, node: Node) -> Expr:
    return Literal(*lines(node), False)


def _nothing(reader: Reader, node: Node) -> Expr:
    return Literal(*lines(node), None)


def _meta(reader: Reader, node: Node) -> Expr:
    line, end = lines(node)
    base, _, name = text(node).partition(".")
    return Attr(line, end, Name(line, end, base), name)


def _inner(reader: Reader, node: Node) -> Expr:
    inner = bare(node)
    return Other(*lines(node), []) if inner.id == node.id else reader.value(inner)


def _await(reader: Reader, node: Node) -> Expr:
    inner = first(node)
    if inner is None:
        return Other(*lines(node), [])
    value = reader.value(inner)
    if isinstance(value, Call):
        value.awaited = True
    return value


def _member(reader: Reader, node: Node) -> Expr:
    base = node.child_by_field_name("object")
    name = text(node.child_by_field_name("property"))
    return Other(*lines(node), []) if base is None else Attr(*lines(node), reader.value(base), name)


def _nested_name(reader: Reader, node: Node) -> Expr:
    line, end = lines(node)
    head, *rest = text(node).split(".")
    value: Expr = Name(line, end, head.strip())
    for name in rest[:20]:
        value = Attr(line, end, value, name.strip())
    return value


def _subscript(reader: Reader, node: Node) -> Expr:
    base, key = node.child_by_field_name("object"), node.child_by_field_name("index")
    if base is None or key is None:
        return Other(*lines(node), reader.all_values(node.named_children))
    return Index(*lines(node), reader.value(base), reader.value(key))


def _call(reader: Reader, node: Node) -> Expr:
    name = reader.take_hint()
    line, end = lines(node)
    callee = node.child_by_field_name("function")
    if callee is None:
        return Other(line, end, reader.all_values(node.named_children))
    call = Call(line, end, reader.value(bare(callee)))
    arguments = node.child_by_field_name("arguments")
    if arguments is None:
        return call
    if arguments.type == "template_string":
        call.is_tagged = True
        call.args = [Text(*lines(arguments), template_parts(reader, arguments))]
        return call
    call.args = _arguments(reader, arguments, name)
    return call


def _arguments(reader: Reader, node: Node, name: str = "") -> list[Expr]:
    out = []
    for child in node.named_children:
        if child.type != "comment":
            value = reader.named_value(child, name) if name else reader.value(child)
            assert value is not None
            out.append(value)
    return out


def _new(reader: Reader, node: Node) -> Expr:
    line, end = lines(node)
    callee = node.child_by_field_name("constructor")
    arguments = node.child_by_field_name("arguments")
    if callee is None:
        return Other(line, end, reader.all_values(node.named_children))
    args = [] if arguments is None else _arguments(reader, arguments)
    return Call(line, end, reader.value(bare(callee)), args, is_new=True)


def _import(reader: Reader, node: Node) -> Expr:
    return Name(*lines(node), "import")


_SAME_AS_PYTHON = {"===": "==", "!==": "!="}


def _binary(reader: Reader, node: Node) -> Expr:
    """Lower a chain of one operator at once: `a + b + … + z` is one value, however long."""
    operator = text(node.child_by_field_name("operator"))
    chain: list[Node] = []
    current: Node | None = node
    while current is not None:
        inner = bare(current) if chain else current
        if inner.type != "binary_expression" or text(inner.child_by_field_name("operator")) != operator:
            chain.append(current)
            break
        right = inner.child_by_field_name("right")
        if right is not None:
            chain.append(right)
        current = inner.child_by_field_name("left")
        if operator not in _CHAINED and current is not None:
            chain.append(current)
            break
    operands = [reader.value(part) for part in reversed(chain)]
    if operator in ("&&", "||", "??"):
        return Choice(*lines(node), _flat_options(operands))
    if operator == "+":
        return _sum(node, operands)
    return Op(*lines(node), _SAME_AS_PYTHON.get(operator, operator), operands)


_CHAINED = frozenset({"+", "&&", "||", "??", "*", "|", "&"})


def _flat_options(operands: list[Expr]) -> list[Expr]:
    flat: list[Expr] = []
    for operand in operands:
        flat.extend(operand.options if isinstance(operand, Choice) and operand.test is None else [operand])
    return flat


def _sum(node: Node, operands: list[Expr]) -> Expr:
    if not any(_is_text(operand) for operand in operands):
        return Op(*lines(node), "+", operands)
    parts: list[Expr] = []
    for operand in operands:
        for part in operand.parts if isinstance(operand, Text) else [operand]:
            if isinstance(part, Literal):
                add_literal(parts, part)
            else:
                parts.append(part)
    line, end = lines(node)
    if len(parts) == 1 and isinstance(parts[0], Literal):
        return Literal(line, end, parts[0].value)
    return Text(line, end, parts)


def _is_text(value: Expr) -> bool:
    return isinstance(value, Text) or (isinstance(value, Literal) and isinstance(value.value, str))


def _unary(reader: Reader, node: Node) -> Expr:
    line, end = lines(node)
    operator = text(node.child_by_field_name("operator"))
    argument = node.child_by_field_name("argument")
    if argument is None:
        return Other(line, end, [])
    value = reader.value(argument)
    if operator == "void" and isinstance(value, Literal):
        return Literal(line, end, None)
    if operator == "-" and isinstance(value, Literal) and isinstance(value.value, int | float):
        return Literal(line, end, -value.value)
    return Op(line, end, "not" if operator == "!" else operator, [value])


def _ternary(reader: Reader, node: Node) -> Expr:
    """Lower `test ? a : b`."""
    parts = [node.child_by_field_name(name) for name in ("condition", "consequence", "alternative")]
    values = [reader.value(part) for part in parts if part is not None]
    if len(values) != 3:
        return Other(*lines(node), values)
    return Choice(*lines(node), values[1:], values[0])


def _sequence(reader: Reader, node: Node) -> Expr:
    return Other(*lines(node), [reader.value(part) for part in sequence(node)])


def sequence(node: Node) -> list[Node]:
    """Return the parts of `a, b, c`, however the grammar nests them."""
    waiting = [node]
    parts: list[Node] = []
    while waiting and len(parts) < _BRANCHES_MAX:
        current = waiting.pop()
        if current.type == "sequence_expression":
            waiting.extend(reversed(current.named_children))
        elif current.type != "comment":
            parts.append(current)
    return parts


def _assigned(reader: Reader, node: Node) -> Expr:
    """Keep an assignment inside a value as a statement before it, and go on with its target."""
    made = assignment(reader, node)
    if made is None:
        return Other(*lines(node), reader.all_values(node.named_children))
    reader.hoisted.append(made)
    return made.targets[0]


def assignment(reader: Reader, node: Node) -> Assign | None:
    """Lower `a = b = value` and `a += value`; None where a side is missing."""
    targets: list[Expr] = []
    current = node
    while current.type == node.type and len(targets) < 50:
        left, right = current.child_by_field_name("left"), current.child_by_field_name("right")
        if left is None or right is None:
            return None
        targets.append(pattern(reader, left))
        current = bare(right) if node.type == "assignment_expression" else right
        if node.type != "assignment_expression":
            break
    last = targets[-1]
    name = last.id if isinstance(last, Name) else last.name if isinstance(last, Attr) else ""
    value = reader.named_value(current, "default" if name == "exports" else name)
    return Assign(*lines(node), targets, value, augmented=node.type != "assignment_expression")


def _update(reader: Reader, node: Node) -> Expr:
    argument = node.child_by_field_name("argument")
    return Op(*lines(node), "++", [] if argument is None else [reader.value(argument)])


def _object(reader: Reader, node: Node) -> Expr:
    items: list[tuple[Expr | None, Expr]] = []
    for child in node.named_children:
        kind = child.type
        if kind == "pair":
            key = _key(reader, child.child_by_field_name("key"))
            name = key.value if isinstance(key, Literal) and isinstance(key.value, str) else ""
            value = reader.named_value(child.child_by_field_name("value"), name)
            if value is not None:
                items.append((key, value))
        elif kind == "shorthand_property_identifier":
            line, end = lines(child)
            name = text(child)
            items.append((Literal(line, end, name), Name(line, end, name)))
        elif kind == "spread_element":
            items.extend((None, value) for value in reader.all_values(child.named_children))
        elif kind == "method_definition":
            key = _key(reader, child.child_by_field_name("name"))
            items.append((key, Lambda(*lines(child), function(reader, child))))
        elif kind != "comment":
            items.append((None, reader.value(child)))
    return Dict(*lines(node), items)


def _key(reader: Reader, node: Node | None) -> Expr:
    if node is None:
        return Literal(0, 0, "")
    if node.type in ("property_identifier", "private_property_identifier"):
        return Literal(*lines(node), text(node))
    if node.type == "computed_property_name":
        inner = first(node)
        return Literal(*lines(node), "") if inner is None else reader.value(inner)
    return reader.value(node)


def _array(reader: Reader, node: Node) -> Expr:
    return Items(*lines(node), reader.all_values(node.named_children))


def _spread(reader: Reader, node: Node) -> Expr:
    inner = first(node)
    return Other(*lines(node), []) if inner is None else Spread(*lines(node), reader.value(inner))


def _yield(reader: Reader, node: Node) -> Expr:
    inner = first(node)
    return Yield(*lines(node), None if inner is None else reader.value(inner))


VALUES: Values = {
    "string": string_value,
    "template_string": template,
    "number": number,
    "regex": regex,
    "identifier": _name,
    "shorthand_property_identifier": _name,
    "private_property_identifier": _name,
    "property_identifier": _name,
    "type_identifier": _name,
    "nested_identifier": _nested_name,
    "this": _self,
    "super": lambda reader, node: Name(*lines(node), "super"),
    "true": _true,
    "false": _false,
    "null": _nothing,
    "undefined": _nothing,
    "meta_property": _meta,
    "import": _import,
    "parenthesized_expression": _inner,
    "as_expression": _inner,
    "satisfies_expression": _inner,
    "non_null_expression": _inner,
    "instantiation_expression": _inner,
    "type_assertion": _inner,
    "await_expression": _await,
    "member_expression": _member,
    "subscript_expression": _subscript,
    "call_expression": _call,
    "new_expression": _new,
    "binary_expression": _binary,
    "unary_expression": _unary,
    "ternary_expression": _ternary,
    "sequence_expression": _sequence,
    "assignment_expression": _assigned,
    "augmented_assignment_expression": _assigned,
    "update_expression": _update,
    "object": _object,
    "array": _array,
    "spread_element": _spread,
    "yield_expression": _yield,
    "arrow_function": function_value,
    "function_expression": function_value,
    "generator_function": function_value,
    "class": class_value,
    "jsx_element": element,
    "jsx_self_closing_element": element,
    "jsx_fragment": element,
}
