"""Lower JavaScript's statements."""

from tree_sitter import Node

from seawall.check.code.ir import (
    Assign,
    Choice,
    ClassDef,
    Def,
    Dict,
    Do,
    Expr,
    Handler,
    If,
    Jump,
    Literal,
    Loop,
    Name,
    Op,
    Other,
    Raise,
    Return,
    Stmt,
    Try,
)
from seawall.check.code.javascript_functions import class_, function, pattern, pattern_defaults
from seawall.check.code.javascript_modules import (
    export_assigned,
    export_statement,
    import_alias,
    import_statement,
    required,
)
from seawall.check.code.javascript_reader import Reader, Statements, first, lines, text
from seawall.check.code.javascript_values import assignment, sequence

_CHAIN_MAX = 50


def _expression(reader: Reader, node: Node) -> list[Stmt]:
    inner = first(node) if node.type == "expression_statement" else node
    out: list[Stmt] = []
    for part in [] if inner is None else sequence(inner):
        made = _effect(reader, part)
        out += reader.hoisted
        reader.hoisted = []
        out += made
    return out


def _effect(reader: Reader, node: Node) -> list[Stmt]:
    kind = node.type
    if kind in ("assignment_expression", "augmented_assignment_expression"):
        made = assignment(reader, node)
        if made is not None:
            export_assigned(reader, made)
            left = node.child_by_field_name("left")
            return [made, *([] if left is None else pattern_defaults(reader, left))]
    if kind == "update_expression":
        argument = node.child_by_field_name("argument")
        if argument is not None:
            line, end = lines(node)
            return [Assign(line, end, [reader.value(argument)], Literal(line, end, 1), augmented=True)]
    if kind == "internal_module":
        return _namespace(reader, node)
    return [Do(*lines(node), reader.value(node))]


def _inner_block(reader: Reader, node: Node | None) -> list[Stmt]:
    """Lower the statement or block under another statement."""
    if node is None:
        return []
    return reader.block(node.named_children if node.type == "statement_block" else [node])


def _declaration(reader: Reader, node: Node) -> list[Stmt]:
    out: list[Stmt] = []
    for child in node.named_children:
        if child.type != "variable_declarator":
            continue
        made = _declared(reader, child)
        out += reader.hoisted
        reader.hoisted = []
        out += made
    return out


def _declared(reader: Reader, node: Node) -> list[Stmt]:
    target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if target is None:
        return []
    if value is not None and required(reader, target, value):
        return []
    name = text(target) if target.type == "identifier" else ""
    made = reader.named_value(value, name)
    if isinstance(made, Name) and made.id == name and value is not None and value.type == "class":
        return []  # `const A = class {}` is the class itself, which stands before by that name.
    out: list[Stmt] = [Assign(*lines(node), [pattern(reader, target)], made)]
    if target.type != "identifier":
        out += pattern_defaults(reader, target)
    return out


def _function(reader: Reader, node: Node) -> list[Stmt]:
    return [Def(*lines(node), function(reader, node))]


def _class(reader: Reader, node: Node) -> list[Stmt]:
    return [ClassDef(*lines(node), class_(reader, node))]


def _return(reader: Reader, node: Node) -> list[Stmt]:
    inner = first(node)
    return [Return(*lines(node), None if inner is None else reader.value(inner))]


def _throw(reader: Reader, node: Node) -> list[Stmt]:
    inner = first(node)
    return [Raise(*lines(node), None if inner is None else reader.value(inner))]


def _if(reader: Reader, node: Node) -> list[Stmt]:
    """Lower a chain of `else if` at once; one of hundreds goes on beside itself, to bound its depth."""
    top: list[Stmt] = []
    into = top
    current: Node | None = node
    count = 0
    while current is not None and current.type == "if_statement":
        if count % _CHAIN_MAX == 0:
            into = top
        count += 1
        condition = current.child_by_field_name("condition")
        line, end = lines(current)
        test = Other(line, end, []) if condition is None else reader.value(condition)
        then = _inner_block(reader, current.child_by_field_name("consequence"))
        made = If(line, end, test, then, [])
        into.append(made)
        into = made.otherwise
        clause = current.child_by_field_name("alternative")
        current = None if clause is None else first(clause)
    if current is not None:
        into.extend(_inner_block(reader, current))
    return top


def _switch(reader: Reader, node: Node) -> list[Stmt]:
    """Lower to a chain of `If`; a case without statements shares those of the next one."""
    subject_node, body = node.child_by_field_name("value"), node.child_by_field_name("body")
    if subject_node is None or body is None:
        return []
    subject = reader.value(subject_node)
    outer, reader.in_switch = reader.in_switch, True
    branches: list[tuple[list[Expr], list[Stmt], Node]] = []
    default: list[Stmt] = []
    tests: list[Expr] = []
    for case in body.named_children:
        if case.type not in ("switch_case", "switch_default"):
            continue
        value = case.child_by_field_name("value")
        if value is not None:
            tests.append(Op(*lines(value), "==", [subject, reader.value(value)]))
        statements = reader.block(case.children_by_field_name("body"))
        if case.type == "switch_default":
            default, tests = statements, []
        elif statements:
            branches.append((tests, statements, case))
            tests = []
    reader.in_switch = outer
    return _chain(branches, default)


def _chain(branches: list[tuple[list[Expr], list[Stmt], Node]], default: list[Stmt]) -> list[Stmt]:
    top: list[Stmt] = []
    into = top
    for at, (tests, statements, case) in enumerate(branches):
        if at % _CHAIN_MAX == 0:
            into = top  # Bounded as in `_if`.
        line, end = lines(case)
        test = tests[0] if len(tests) == 1 else Choice(line, end, tests)
        made = If(line, end, test, statements, [])
        into.append(made)
        into = made.otherwise
    into.extend(default)
    return top


def _for(reader: Reader, node: Node) -> list[Stmt]:
    initial = node.child_by_field_name("initializer")
    condition = node.child_by_field_name("condition")
    increment = node.child_by_field_name("increment")
    before = [] if initial is None else reader.block([initial])
    loop = _while_loop(reader, node, condition)
    if increment is not None:
        loop.body += reader.block([increment])
    return [*before, loop]


def _while(reader: Reader, node: Node) -> list[Stmt]:
    return [_while_loop(reader, node, node.child_by_field_name("condition"))]


def _while_loop(reader: Reader, node: Node, condition: Node | None) -> Loop:
    """Lower a loop; what its test assigns happens in each round, so it stands in the body."""
    outer, reader.hoisted = reader.hoisted, []
    switch, reader.in_switch = reader.in_switch, False
    inner = None
    if condition is not None and condition.type != "empty_statement":
        inner = first(condition) if condition.type == "expression_statement" else condition
    test = None if inner is None else reader.value(inner)
    body = [*reader.hoisted, *_inner_block(reader, node.child_by_field_name("body"))]
    reader.hoisted, reader.in_switch = outer, switch
    return Loop(*lines(node), "while", body, test=test)


def _for_in(reader: Reader, node: Node) -> list[Stmt]:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    target = None if left is None else pattern(reader, left)
    iterable = None if right is None else reader.value(right)
    switch, reader.in_switch = reader.in_switch, False
    body = _inner_block(reader, node.child_by_field_name("body"))
    reader.in_switch = switch
    return [Loop(*lines(node), "for", body, target=target, iterable=iterable)]


def _try(reader: Reader, node: Node) -> list[Stmt]:
    body = _inner_block(reader, node.child_by_field_name("body"))
    handlers: list[Handler] = []
    clause = node.child_by_field_name("handler")
    if clause is not None:
        parameter = clause.child_by_field_name("parameter")
        caught = _inner_block(reader, clause.child_by_field_name("body"))
        name = None
        if parameter is not None and parameter.type == "identifier":
            name = text(parameter)
        elif parameter is not None:
            # `catch ({ message })` reads the error's fields as a pattern does.
            name = "error"
            line, end = lines(parameter)
            caught = [Assign(line, end, [pattern(reader, parameter)], Name(line, end, name)), *caught]
        handlers.append(Handler(lines(clause)[0], [], name, caught))
    final = node.child_by_field_name("finalizer")
    after = [] if final is None else _inner_block(reader, final.child_by_field_name("body"))
    return [Try(*lines(node), body, handlers, [], after)]


def _block(reader: Reader, node: Node) -> list[Stmt]:
    return reader.block(node.named_children)


def _labeled(reader: Reader, node: Node) -> list[Stmt]:
    return _inner_block(reader, node.child_by_field_name("body"))


def _break(reader: Reader, node: Node) -> list[Stmt]:
    if reader.in_switch and node.child_by_field_name("label") is None:
        return []
    return [Jump(*lines(node), "break")]


def _continue(reader: Reader, node: Node) -> list[Stmt]:
    return [Jump(*lines(node), "continue")]


def _enum(reader: Reader, node: Node) -> list[Stmt]:
    """Lower an enum to a dict of its members."""
    line, end = lines(node)
    items: list[tuple[Expr | None, Expr]] = []
    body = node.child_by_field_name("body")
    for at, child in enumerate([] if body is None else body.named_children):
        if child.type == "comment":
            continue
        name = text(child.child_by_field_name("name") or child).strip("'\"")
        value = child.child_by_field_name("value") if child.type == "enum_assignment" else None
        made = Literal(*lines(child), at) if value is None else reader.value(value)
        items.append((Literal(*lines(child), name), made))
    name = text(node.child_by_field_name("name"))
    return [Assign(line, end, [Name(line, end, name)], Dict(line, end, items))]


def _namespace(reader: Reader, node: Node) -> list[Stmt]:
    """Lower what a namespace holds; its exports are not the module's."""
    exports = dict(reader.exports)
    made = _inner_block(reader, node.child_by_field_name("body"))
    reader.exports = exports
    return made


def _nothing(reader: Reader, node: Node) -> list[Stmt]:
    return []


def _error(reader: Reader, node: Node) -> list[Stmt]:
    return reader.block(node.named_children)


STATEMENTS: Statements = {
    "expression_statement": _expression,
    "lexical_declaration": _declaration,
    "variable_declaration": _declaration,
    "using_declaration": _declaration,
    "function_declaration": _function,
    "generator_function_declaration": _function,
    "class_declaration": _class,
    "abstract_class_declaration": _class,
    "return_statement": _return,
    "throw_statement": _throw,
    "if_statement": _if,
    "switch_statement": _switch,
    "for_statement": _for,
    "for_in_statement": _for_in,
    "while_statement": _while,
    "do_statement": _while,
    "with_statement": _labeled,
    "try_statement": _try,
    "statement_block": _block,
    "labeled_statement": _labeled,
    "break_statement": _break,
    "continue_statement": _continue,
    "enum_declaration": _enum,
    "internal_module": _namespace,
    "module": _namespace,
    "import_statement": import_statement,
    "import_alias": import_alias,
    "export_statement": export_statement,
    "comment": _nothing,
    "ERROR": _error,
}
