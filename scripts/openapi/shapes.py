"""The words that schemas are written in: short names for the parts of JSON Schema that the file uses."""

from typing import Any

Json = dict[str, Any]


def text(help_text: str = "", **more: object) -> Json:
    """Describe a text."""
    return _described({"type": "string", **more}, help_text)


def whole(help_text: str = "", **more: object) -> Json:
    """Describe a whole number."""
    return _described({"type": "integer", **more}, help_text)


def number(help_text: str = "", **more: object) -> Json:
    """Describe a number."""
    return _described({"type": "number", **more}, help_text)


def boolean(help_text: str = "", **more: object) -> Json:
    """Describe true or false."""
    return _described({"type": "boolean", **more}, help_text)


def choice(*values: str, help_text: str = "") -> Json:
    """Describe a text out of a few."""
    return _described({"type": "string", "enum": list(values)}, help_text)


def money(help_text: str = "") -> Json:
    """Describe an amount in US dollars, exact to the nano-dollar."""
    return text(help_text, pattern=r"^-?[0-9]+\.[0-9]{2,9}$", examples=["2.50"])


def stated_money(help_text: str = "") -> Json:
    """Describe an amount as it may be stated: whole dollars, or with at most nine decimals as text."""
    schema: Json = {"type": ["string", "integer"], "pattern": r"^[0-9]{1,9}(\.[0-9]{1,9})?$", "minimum": 0}
    return _described({**schema, "maximum": 10**9, "examples": ["2.50"]}, help_text)


def moment(help_text: str = "") -> Json:
    """Describe a moment, ISO 8601 in UTC."""
    return text(help_text, format="date-time", examples=["2026-11-21T12:00:00.000Z"])


def many(of: Json, help_text: str = "", **more: object) -> Json:
    """Describe a list."""
    return _described({"type": "array", "items": of, **more}, help_text)


def maybe(schema: Json) -> Json:
    """Let a value be null as well."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    kind = schema["type"]
    widened = {**schema, "type": [*kind, "null"] if isinstance(kind, list) else [kind, "null"]}
    return {**widened, "enum": [*schema["enum"], None]} if "enum" in schema else widened


def closed(fields: Json, *, needs: tuple[str, ...] = (), help_text: str = "") -> Json:
    """Describe an object that has no other fields than these; an answer always has those that it `needs`."""
    return _object(fields, needs, help_text, is_open=False)


def opened(fields: Json, *, needs: tuple[str, ...] = (), help_text: str = "") -> Json:
    """Describe an object that may have other fields than these."""
    return _object(fields, needs, help_text, is_open=True)


def whole_of(fields: Json, help_text: str = "") -> Json:
    """Describe an object that has exactly these fields."""
    return closed(fields, needs=tuple(fields), help_text=help_text)


def ref(name: str) -> Json:
    """Point at a schema of the file."""
    return {"$ref": f"#/components/schemas/{name}"}


def body(schema: Json, *, is_needed: bool = True) -> Json:
    """Describe the body of a request."""
    return {"required": is_needed, "content": {"application/json": {"schema": schema}}}


def answer(help_text: str, schema: Json | None = None, **more: object) -> Json:
    """Describe an answer."""
    content = {} if schema is None else {"content": {"application/json": {"schema": schema}}}
    return {"description": help_text, **content, **more}


def query(name: str, schema: Json, help_text: str) -> Json:
    """Describe a parameter of the address."""
    return {"name": name, "in": "query", "description": help_text, "schema": schema}


def in_path(name: str, help_text: str, **more: int) -> Json:
    """Describe a part of the address."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": help_text,
        "schema": {**text(), **more},
    }


def _object(fields: Json, needs: tuple[str, ...], help_text: str, *, is_open: bool) -> Json:
    required = {"required": list(needs)} if needs else {}
    schema = {"type": "object", "properties": fields, **required, "additionalProperties": is_open}
    return _described(schema, help_text)


def _described(schema: Json, help_text: str) -> Json:
    return {**schema, "description": help_text} if help_text else schema
