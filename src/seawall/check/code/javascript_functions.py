"""Lower JavaScript's functions, parameters, patterns and classes."""

from tree_sitter import Node

from seawall.check.code.ir import (
    Assign,
    Attr,
    Class,
    ClassDef,
    Def,
    Dict,
    Expr,
    Function,
    Items,
    Lambda,
    Literal,
    Name,
    Other,
    Param,
    Return,
    Spread,
    Stmt,
)
from seawall.check.code.javascript_reader import DEPTH_MAX, FUNCTIONS, Reader, bare, first, has, lines, text


def function_value(reader: Reader, node: Node) -> Expr:
    """Lower a function that is a value."""
    return Lambda(*lines(node), function(reader, node, reader.take_hint()))


def function(reader: Reader, node: Node, name: str = "") -> Function:
    """Lower a function of any kind; `name` is for one without its own."""
    line, end = lines(node)
    own = node.child_by_field_name("name")
    params: list[Param] = []
    defaults: list[Stmt] = []
    single = node.child_by_field_name("parameter")
    if single is not None:
        params.append(Param(text(single)))
    for child in _children(node.child_by_field_name("parameters")):
        param = _param(reader, child)
        if param is not None:
            params.append(param)
            defaults += _pattern_defaults(reader, child)
    made = Function(_name_of(own) or name, line, end, params, [], is_async=has(node, "async"))
    body = node.child_by_field_name("body")
    if body is None:
        return made
    outer, reader.in_switch = (reader.in_switch, reader.hint), False
    reader.hint = ""
    if body.type == "statement_block":
        made.directives, statements = directives(body)
        made.body = defaults + reader.block(statements)
    else:
        hoisted, reader.hoisted = reader.hoisted, []
        value = reader.value(body)
        made.body = [*defaults, *reader.hoisted, Return(*lines(body), value)]
        reader.hoisted = hoisted
    reader.in_switch, reader.hint = outer
    return made


def _name_of(node: Node | None) -> str:
    return text(node).strip("'\"`") if node is not None and node.type != "computed_property_name" else ""


def _children(node: Node | None) -> list[Node]:
    return [] if node is None else [child for child in node.named_children if child.type != "comment"]


def directives(body: Node) -> tuple[list[str], list[Node]]:
    """Split a program or a function's body into its directives ("use client") and its statements."""
    found: list[str] = []
    nodes = _children(body)
    for at, node in enumerate(nodes):
        if node.type == "hash_bang_line":
            continue
        inner = first(node) if node.type == "expression_statement" else None
        if inner is None or inner.type != "string":
            return found, nodes[at:]
        found.append(text(inner)[1:-1])
    return found, []


def _param(reader: Reader, node: Node) -> Param | None:
    """Lower a parameter. A decorator (`@Body() dto: Dto`) is its default, as FastAPI writes it in Python."""
    target = node.child_by_field_name("pattern") or node
    default = node.child_by_field_name("value")
    if target.type == "assignment_pattern":
        default = target.child_by_field_name("right")
        target = target.child_by_field_name("left") or target
    if target.type == "this":
        return None
    param = Param("")
    if target.type == "rest_pattern":
        param.kind = "rest"
        target = first(target) or target
    if target.type in ("identifier", "undefined"):
        param.name = text(target)
    else:
        param.pattern = pattern(reader, target)
    param.annotation = named_type(node)
    decorated = node.child_by_field_name("decorator")
    if decorated is not None:
        default = first(decorated)
    if default is not None:
        param.default = reader.named_value(default, param.name)
    return param


def named_type(node: Node) -> Expr | None:
    """Return the type that a parameter or field is declared with, where it is a plain name."""
    annotation = node.child_by_field_name("type")
    kind = None if annotation is None else first(annotation)
    if kind is not None and kind.type == "generic_type":
        kind = kind.child_by_field_name("name")
    if kind is None or kind.type not in ("type_identifier", "nested_type_identifier"):
        return None
    line, end = lines(kind)
    head, *rest = text(kind).split(".")[:8]
    value: Expr = Name(line, end, head)
    for name in rest:
        value = Attr(line, end, value, name)
    return value


def pattern(reader: Reader, node: Node) -> Expr:
    """Lower what is assigned to: a name, a place, or a pattern without its defaults."""
    kind = node.type
    if kind in ("identifier", "shorthand_property_identifier_pattern"):
        return Name(*lines(node), text(node))
    if kind in ("assignment_pattern", "object_assignment_pattern"):
        left = node.child_by_field_name("left")
        return Name(*lines(node), "") if left is None else pattern(reader, left)
    if reader.depth >= DEPTH_MAX:
        return Name(*lines(node), "")
    reader.depth += 1
    try:
        if kind in ("object_pattern", "object"):
            return Dict(*lines(node), [item for child in _children(node) for item in _entry(reader, child)])
        if kind in ("array_pattern", "array"):
            return Items(*lines(node), _elements(reader, node))
        if kind in ("rest_pattern", "spread_element"):
            inner = first(node)
            return Name(*lines(node), "") if inner is None else pattern(reader, inner)
    finally:
        reader.depth -= 1
    return reader.value(bare(node))


def _elements(reader: Reader, node: Node) -> list[Expr]:
    """Lower the elements of `[a, , ...b]`; a hole has a name that nothing reads."""
    out: list[Expr] = []
    expects = True
    for child in node.children[1:-1]:
        if child.type == ",":
            if expects:
                out.append(Name(*lines(child), ""))
            expects = True
        elif child.type != "comment":
            made = pattern(reader, child)
            out.append(Spread(made.line, made.end, made) if child.type == "rest_pattern" else made)
            expects = False
    return out


def _entry(reader: Reader, node: Node) -> list[tuple[Expr | None, Expr]]:
    kind = node.type
    if kind in ("rest_pattern", "spread_element"):
        return [(None, pattern(reader, node))]
    if kind in ("pair_pattern", "pair"):
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        if key is None or value is None:
            return []
        computed = first(key) if key.type == "computed_property_name" else None
        name: Expr = Literal(*lines(key), _name_of(key)) if computed is None else reader.value(computed)
        return [(name, pattern(reader, value))]
    if kind == "object_assignment_pattern":
        node = node.child_by_field_name("left") or node
    target = text(node)
    return [(Literal(*lines(node), target), Name(*lines(node), target))]


def pattern_defaults(reader: Reader, node: Node) -> list[Stmt]:
    """Return the defaults in a pattern as assignments that add to their names: `{ model = "x" }`."""
    return _pattern_defaults(reader, node) if "=" in text(node) else []


def _pattern_defaults(reader: Reader, node: Node) -> list[Stmt]:
    out: list[Stmt] = []
    waiting = [node.child_by_field_name("pattern") or node]
    while waiting and len(out) < 100:
        current = waiting.pop()
        if current.type in ("object_assignment_pattern", "assignment_pattern"):
            left, right = current.child_by_field_name("left"), current.child_by_field_name("right")
            is_inner = current.id != node.id
            if left is not None and right is not None and is_inner:
                value = reader.named_value(right, text(left))
                out.append(Assign(*lines(current), [pattern(reader, left)], value, augmented=True))
            if left is not None:
                waiting.append(left)
        elif current.type in ("object_pattern", "array_pattern", "pair_pattern"):
            waiting.extend(reversed(_children(current)))
    return out


def class_value(reader: Reader, node: Node) -> Expr:
    """Lower a class that is a value: it is defined before, and the value is its name."""
    made = class_(reader, node, reader.take_hint() or "default")
    reader.hoisted.append(ClassDef(*lines(node), made))
    return Name(*lines(node), made.name)


def class_(reader: Reader, node: Node, name: str = "", decorators: list[Expr] | None = None) -> Class:
    """Lower a class; `decorators` are those before `export`."""
    line, end = lines(node)
    name = text(node.child_by_field_name("name")) or name
    own = _decorators(reader, node.children_by_field_name("decorator"))
    made = Class(name, line, end, _bases(reader, node), [], [*(decorators or []), *own])
    waiting: list[Expr] = []
    for child in _children(node.child_by_field_name("body")):
        if child.type == "decorator":
            waiting += _decorators(reader, [child])
            continue
        made.body += _part(reader, child, name, waiting)
        waiting = []
    return made


def _decorators(reader: Reader, nodes: list[Node]) -> list[Expr]:
    return [reader.value(inner) for node in nodes if (inner := first(node)) is not None]


def _bases(reader: Reader, node: Node) -> list[Expr]:
    heritage = next((child for child in node.named_children if child.type == "class_heritage"), None)
    if heritage is None:
        return []
    bases: list[Expr] = []
    for clause in heritage.named_children:
        value = clause.child_by_field_name("value") if clause.type == "extends_clause" else None
        if value is not None:
            bases.append(reader.value(value))
        if (
            clause.type == "implements_clause"
        ):  # What is asked for by this name may be an object of this class.
            kinds = [child for child in clause.named_children if child.type == "type_identifier"]
            bases += [Name(*lines(kind), text(kind)) for kind in kinds]
    if bases:
        return bases
    return [reader.value(child) for child in heritage.named_children if child.type in reader.values]


def _part(reader: Reader, node: Node, owner: str, decorators: list[Expr]) -> list[Stmt]:
    if node.type == "class_static_block":
        return reader.block(_children(node.child_by_field_name("body")))
    own = [*decorators, *_decorators(reader, node.children_by_field_name("decorator"))]
    if node.type == "method_definition":
        made = function(reader, node)
        made.owner, made.decorators = owner, own
        fields = _constructor_fields(reader, node) if made.name == "constructor" else []
        return [*fields, Def(*lines(node), made)]
    if node.type not in ("field_definition", "public_field_definition"):
        return []
    name_node = node.child_by_field_name("name") or node.child_by_field_name("property")
    name = _name_of(name_node)
    outer, reader.hoisted = reader.hoisted, []
    value = _field_value(reader, node.child_by_field_name("value"), name, owner)
    before, reader.hoisted = reader.hoisted, outer
    annotation = named_type(node)
    if own:  # `@MaxLength(1000) text: string` says what the field may hold, as a type does.
        annotation = Other(*lines(node), [*([annotation] if annotation is not None else []), *own])
    return [*before, Assign(*lines(node), [Name(*lines(node), name)], value, annotation=annotation)]


def _field_value(reader: Reader, node: Node | None, name: str, owner: str) -> Expr | None:
    value = reader.named_value(node, name)
    if isinstance(value, Lambda) and node is not None and bare(node).type in FUNCTIONS:
        value.function.owner = owner
    return value


def _constructor_fields(reader: Reader, node: Node) -> list[Stmt]:
    """Return the fields that TypeScript makes of `constructor(private readonly service: Service)`."""
    out: list[Stmt] = []
    for child in _children(node.child_by_field_name("parameters")):
        if any(part.type in ("accessibility_modifier", "readonly") for part in child.children):
            line, end = lines(child)
            name = text(child.child_by_field_name("pattern"))
            out.append(Assign(line, end, [Name(line, end, name)], None, annotation=named_type(child)))
    return out
