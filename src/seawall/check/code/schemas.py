"""What a schema of zod and its like says about what it lets through."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from seawall.check.code.checks import ALL_USES
from seawall.check.code.values import Value, clear, part_of

if TYPE_CHECKING:
    from seawall.check.code.walker import Walker

_PARSES = frozenset(
    {
        "parse",
        "safeParse",
        "parseAsync",
        "safeParseAsync",
        "validate",
        "validateSync",
        "validateAsync",
        "cast",
    }
)
_CLOSED = (
    "enum()",
    "nativeEnum()",
    "literal()",
    "number()",
    "boolean()",
    "uuid()",
    "int()",
    "date()",
    "cuid()",
    "oneOf()",
    "picklist()",
    "valid()",
)
_BOUNDED = ("max()", "length()", "maxLength()", "slice()", "email()", "refine()", "superRefine()")
_WHOLE = frozenset({"regex()", "pattern()", "matches()"})


def is_schema(value: Value) -> bool:
    """Say whether a value is a schema of an object."""
    return ".object()" in value.origin and value.items is not None


def parsed(last: str, base: Value, given: list[Value], walker: "Walker") -> Value | None:
    """Return what `schema.parse(value)` or `c.req.valid("json")` lets through; None for any other call."""
    if last in _PARSES and is_schema(base) and given:
        return _through(base, given[0], wrapped=last.startswith("safe"))
    if last == "valid" and walker.schema is not None and base.taints:
        return _through(walker.schema, base, wrapped=False)
    return None


def _through(schema: Value, value: Value, *, wrapped: bool) -> Value:
    assert schema.items is not None
    items = {}
    for name, field in schema.items.items():
        if not name.isdigit() and name != "**":
            items[name] = limited(part_of(value, name), field)
    taints = (
        frozenset[tuple[object, ...]]().union(*(item.taints for item in items.values()))
        if items
        else value.taints
    )
    whole = replace(value, items=items, taints=taints, shape="dict")
    return (
        Value(items={"data": whole, "success": Value(), "output": whole}, taints=whole.taints)
        if wrapped
        else whole
    )


def limited(value: Value, field: Value) -> Value:
    """Return a part of a parsed value as its field limits it."""
    parts = field.origin.split(".")
    if field.items is not None and ".object()" in field.origin:
        return _through(field, value, wrapped=False)
    if any(part in _CLOSED for part in parts):
        return replace(value, taints=frozenset())
    if any(part in _WHOLE for part in parts):
        return clear(value, *ALL_USES)
    if any(part in _BOUNDED for part in parts):
        value = clear(value, "length")
    return clear(value, "nosql", "type")
