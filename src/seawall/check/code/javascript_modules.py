"""Lower JavaScript's imports and exports, of ES modules and CommonJS."""

from tree_sitter import Node

from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    ClassDef,
    Def,
    Dict,
    Do,
    Expr,
    Imported,
    Index,
    Items,
    Lambda,
    Literal,
    Name,
    Stmt,
)
from seawall.check.code.javascript_functions import class_, function
from seawall.check.code.javascript_reader import Reader, bare, first, has, lines, text


def import_statement(reader: Reader, node: Node) -> list[Stmt]:
    """Keep what an `import` brings; types bring nothing, and an import for its effect is an `import("…")`."""
    if has(node, "type"):
        return []
    required_clause = _child(node, "import_require_clause")
    if required_clause is not None:
        source = required_clause.child_by_field_name("source")
        reader.imports[text(first(required_clause))] = Imported(text(source)[1:-1])
        return []
    source = node.child_by_field_name("source")
    module = text(source)[1:-1]
    clause = _child(node, "import_clause")
    if clause is None:
        line, end = lines(node)
        call = Call(line, end, Name(line, end, "import"), [Literal(line, end, module)])
        return [Do(line, end, call)] if module else []
    for child in clause.named_children:
        if child.type == "identifier":
            reader.imports[text(child)] = Imported(module, "default")
        elif child.type == "namespace_import":
            reader.imports[text(first(child))] = Imported(module)
        elif child.type == "named_imports":
            for local, name in _specifiers(child):
                reader.imports[local] = Imported(module, name)
    return []


def _child(node: Node, kind: str) -> Node | None:
    return next((child for child in node.named_children if child.type == kind), None)


def _specifiers(node: Node) -> list[tuple[str, str]]:
    """Return (after, before) of each `{ before as after }` that is no type."""
    out = []
    for child in node.named_children:
        if child.type in ("import_specifier", "export_specifier") and not has(child, "type"):
            name = text(child.child_by_field_name("name")).strip("'\"")
            alias = text(child.child_by_field_name("alias")).strip("'\"")
            out.append((alias or name, name))
    return out


def import_alias(reader: Reader, node: Node) -> list[Stmt]:
    """Lower `import A = B.C`."""
    parts = [child for child in node.named_children if child.type != "comment"]
    if len(parts) != 2:
        return []
    return [Assign(*lines(node), [Name(*lines(node), text(parts[0]))], reader.value(parts[1]))]


def required(reader: Reader, target: Node, value: Node) -> bool:
    """Keep `const x = require("m")` and `const { a: b } = await import("m")`; tell if it was one."""
    call = bare(value)
    if call.type == "await_expression":
        call = bare(first(call) or call)
    if call.type != "call_expression":
        return False
    callee, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if callee is None or text(callee) not in ("require", "import") or arguments is None:
        return False
    source = first(arguments)
    if source is None or source.type not in ("string", "template_string"):
        return False
    module = text(source)[1:-1]
    bound = _bound(target, module)
    if not bound or any(reader.imports.get(name, made) != made for name, made in bound):
        return False
    reader.imports.update(bound)
    return True


def _bound(target: Node, module: str) -> list[tuple[str, Imported]]:
    """Return the names that a plain name or a flat pattern binds; [] where a pattern is more than that."""
    if target.type == "identifier":
        return [(text(target), Imported(module))]
    out: list[tuple[str, Imported]] = []
    for child in target.named_children if target.type == "object_pattern" else []:
        if child.type == "shorthand_property_identifier_pattern":
            out.append((text(child), Imported(module, text(child))))
        elif child.type == "pair_pattern":
            value = child.child_by_field_name("value")
            if value is None or value.type != "identifier":
                return []
            out.append((text(value), Imported(module, text(child.child_by_field_name("key")).strip("'\""))))
        elif child.type != "comment":
            return []
    return out


def export_statement(reader: Reader, node: Node) -> list[Stmt]:
    """Lower an export: what it declares stays where it is, and the module knows its name."""
    if has(node, "type"):
        return []
    source = node.child_by_field_name("source")
    if source is not None:
        _reexport(reader, node, text(source)[1:-1])
        return []
    clause = _child(node, "export_clause")
    if clause is not None:
        for name, local in _specifiers(clause):
            reader.exports[name] = local
        return []
    declaration, value = node.child_by_field_name("declaration"), node.child_by_field_name("value")
    if value is None and has(node, "="):
        value = first(node)
    is_default = has(node, "default") or value is not None
    if declaration is not None and is_default:
        return _default_declared(reader, node, declaration)
    if declaration is not None:
        return _declared(reader, node, declaration)
    return [] if value is None else _default_value(reader, node, value)


def _reexport(reader: Reader, node: Node, module: str) -> None:
    clause, whole = _child(node, "export_clause"), _child(node, "namespace_export")
    if clause is not None:
        reader.reexports.extend((name, Imported(module, local)) for name, local in _specifiers(clause))
    elif whole is not None:
        reader.reexports.append((text(first(whole)), Imported(module)))
    else:
        reader.reexports.append(("*", Imported(module)))


def _decorators(reader: Reader, node: Node) -> list[Expr]:
    nodes = node.children_by_field_name("decorator")
    return [reader.value(inner) for child in nodes if (inner := first(child)) is not None]


_CLASSES = ("class_declaration", "abstract_class_declaration", "class")
_FUNCTIONS = ("function_declaration", "generator_function_declaration")


def _default_declared(reader: Reader, node: Node, declaration: Node) -> list[Stmt]:
    line, end = lines(declaration)
    if declaration.type in _CLASSES:
        made = class_(reader, declaration, "default", _decorators(reader, node))
        reader.exports["default"] = made.name
        return [ClassDef(line, end, made)]
    if declaration.type in _FUNCTIONS:
        defined = function(reader, declaration, "default")
        reader.exports["default"] = defined.name
        return [Def(line, end, defined)]
    return []


def _declared(reader: Reader, node: Node, declaration: Node) -> list[Stmt]:
    decorators = _decorators(reader, node)
    if decorators and declaration.type in _CLASSES:
        cls = class_(reader, declaration, "", decorators)
        reader.exports[cls.name] = cls.name
        return [ClassDef(*lines(declaration), cls)]
    if declaration.type in ("variable_declaration", "lexical_declaration"):
        known = set(reader.imports)
        made = reader.block([declaration])
        names = [name for name in reader.imports if name not in known]
    else:
        made, names = reader.block([declaration]), []
    for statement in made:
        if isinstance(statement, Def):
            names.append(statement.function.name)
        elif isinstance(statement, ClassDef):
            names.append(statement.cls.name)
        elif isinstance(statement, Assign) and not statement.augmented:
            names.extend(name for target in statement.targets for name in _names(target))
    reader.exports.update((name, name) for name in names if name)
    return made


def _names(target: Expr) -> list[str]:
    if isinstance(target, Name):
        return [target.id]
    if isinstance(target, Dict):
        return [name for _, value in target.items for name in _names(value)]
    if isinstance(target, Items):
        return [name for value in target.items for name in _names(value)]
    return []


def _default_value(reader: Reader, node: Node, value: Node) -> list[Stmt]:
    """Lower `export default value`: a name is exported as itself, a value is assigned to `default`."""
    line, end = lines(node)
    if value.type == "class":
        cls = class_(reader, value, "default", _decorators(reader, node))
        reader.exports["default"] = cls.name
        return [ClassDef(line, end, cls)]
    made = reader.named_value(value, "default")
    assert made is not None
    if isinstance(made, Name):
        reader.exports["default"] = made.id
        return []
    if isinstance(made, Lambda) and bare(value).type != "arrow_function":
        reader.exports["default"] = made.function.name
        return [Def(line, end, made.function)]
    reader.exported["default"] = made
    return [Assign(line, end, [Name(line, end, "default")], made)]


def export_assigned(reader: Reader, made: Assign) -> None:
    """Keep what `module.exports = …`, `module.exports.x = …` and `exports.x = …` export."""
    if made.augmented or made.value is None:
        return
    for target in made.targets:
        name = _exported_name(target)
        if name is None:
            continue
        if name == "default" and isinstance(made.value, Dict):
            _export_each(reader, made.value)
        if isinstance(made.value, Name):
            reader.exports[name] = made.value.id
        elif not (isinstance(made.value, Literal) and made.value.value is None):
            # A compiler's first `exports.x = void 0` says nothing.
            reader.exported[name] = made.value


def _export_each(reader: Reader, value: Dict) -> None:
    for key, item in value.items:
        if not isinstance(key, Literal) or not isinstance(key.value, str):
            continue
        if isinstance(item, Name):
            reader.exports[key.value] = item.id
        else:
            reader.exported[key.value] = item


def _exported_name(target: Expr) -> str | None:
    """Return the name that an assignment to this exports; "default" for all of `module.exports`."""
    if isinstance(target, Index) and isinstance(target.key, Literal) and isinstance(target.key.value, str):
        target = Attr(target.line, target.end, target.base, target.key.value)
    if not isinstance(target, Attr):
        return None
    base = target.base
    if isinstance(base, Name) and base.id == "module" and target.name == "exports":
        return "default"
    if isinstance(base, Name) and base.id == "exports":
        return target.name
    if isinstance(base, Attr) and base.name == "exports" and isinstance(base.base, Name):
        return target.name if base.base.id == "module" else None
    return None
