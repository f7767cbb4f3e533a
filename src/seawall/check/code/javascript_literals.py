"""Lower JavaScript's literals: strings, templates, numbers and regular expressions."""

import re

from tree_sitter import Node

from seawall.check.code.ir import Call, Expr, Literal, Name, Text
from seawall.check.code.javascript_reader import Reader, lines, text

_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def string_value(reader: Reader, node: Node) -> Expr:
    """Lower a quoted string."""
    return Literal(*lines(node), _unescape(text(node)[1:-1]))


def _unescape(inner: str) -> str:
    return _ESCAPE.sub(_unescape_one, inner) if "\\" in inner else inner


def _unescape_one(match: re.Match[str]) -> str:
    mark = match[1]
    if mark[0] in "ux" and len(mark) > 1:
        code = int(mark[1:].strip("{}"), 16)
        # Half of a surrogate pair is no character of its own: it could not be written to a report.
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "�"
    if mark in ("\n", "\r\n"):
        return ""
    return _ESCAPED.get(mark, mark)


def template(reader: Reader, node: Node) -> Expr:
    """Lower a template: a string where nothing is put in."""
    parts = template_parts(reader, node)
    if not parts:
        return Literal(*lines(node), "")
    if len(parts) == 1 and isinstance(parts[0], Literal):
        return parts[0]
    return Text(*lines(node), parts)


def template_parts(reader: Reader, node: Node) -> list[Expr]:
    """Lower the constant parts and the values of a template, in order."""
    parts: list[Expr] = []
    for child in node.named_children:
        if child.type == "template_substitution":
            parts.extend(reader.all_values(child.named_children))
        elif child.type in ("string_fragment", "escape_sequence"):
            add_literal(parts, Literal(*lines(child), _unescape(text(child))))
    return parts


def add_literal(parts: list[Expr], literal: Literal) -> None:
    """Append a literal, joined with a string before it."""
    last = parts[-1] if parts else None
    if isinstance(last, Literal) and isinstance(last.value, str) and isinstance(literal.value, str):
        parts[-1] = Literal(last.line, literal.end, last.value + literal.value)
    else:
        parts.append(literal)


def number(reader: Reader, node: Node) -> Expr:
    """Lower a number; one that Python cannot read stays as it is written."""
    written = text(node).replace("_", "").rstrip("n")
    value: int | float | str
    try:
        value = int(written, 0) if len(written) < 40 else float(written)
    except ValueError:
        try:
            value = float(written)
        except ValueError:
            value = written
    return Literal(*lines(node), value)


def regex(reader: Reader, node: Node) -> Expr:
    """Lower `/pattern/` to `new RegExp("pattern")`."""
    line, end = lines(node)
    pattern_text = Literal(line, end, text(node.child_by_field_name("pattern")))
    return Call(line, end, Name(line, end, "RegExp"), [pattern_text], is_new=True)
