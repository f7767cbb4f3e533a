"""Lower JSX."""

import html

from tree_sitter import Node

from seawall.check.code.ir import Expr, Literal, Markup, Spread
from seawall.check.code.javascript_reader import Reader, first, lines, text


def element(reader: Reader, node: Node) -> Expr:
    """Lower an element or fragment with its attributes and children."""
    opening = node.child_by_field_name("open_tag") or node
    name = opening.child_by_field_name("name")
    attributes: list[tuple[str | None, Expr]] = []
    children: list[Expr] = []
    for child in opening.named_children:
        if child.type == "jsx_attribute":
            attributes.append(_attribute(reader, child))
        elif child.type == "jsx_expression":
            attributes.extend((None, _unspread(value)) for value in reader.all_values(child.named_children))
    if node.type != "jsx_self_closing_element":
        children = _children(reader, node)
    return Markup(*lines(node), text(name), attributes, children)


def _unspread(value: Expr) -> Expr:
    return value.value if isinstance(value, Spread) else value


def _attribute(reader: Reader, node: Node) -> tuple[str, Expr]:
    children = [child for child in node.named_children if child.type != "comment"]
    name = text(children[0]) if children else ""
    if len(children) < 2:
        return name, Literal(*lines(node), True)
    value = children[1]
    if value.type == "string":
        return name, Literal(*lines(value), html.unescape(text(value)[1:-1]))
    reader.hint = ""
    inner = first(value) if value.type == "jsx_expression" else value
    return name, (Literal(*lines(value), None) if inner is None else reader.value(inner))


def _children(reader: Reader, node: Node) -> list[Expr]:
    out: list[Expr] = []
    for child in node.named_children:
        if child.type in ("jsx_text", "html_character_reference"):
            shown = html.unescape(text(child))
            if shown.strip():
                out.append(Literal(*lines(child), shown.strip()))
        elif child.type == "jsx_expression":
            out.extend(_unspread(value) for value in reader.all_values(child.named_children))
        elif child.type in ("jsx_element", "jsx_self_closing_element", "jsx_fragment"):
            out.append(reader.value(child))
    return out
