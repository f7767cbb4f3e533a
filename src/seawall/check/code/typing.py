"""What a type says about a value from outside: a number cannot hold a path."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from seawall.check.code.checks import ALL_USES
from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Class,
    Def,
    Expr,
    Index,
    Items,
    Literal,
    Name,
    Op,
    Other,
    Param,
)
from seawall.check.code.values import ENGINE, IDENTITY, INPUT, Closure, Instance, Taint, Value, clear, part_of
from seawall.check.code.walking import walk

if TYPE_CHECKING:
    from seawall.check.code.ir import Module
    from seawall.check.code.walker import Walker

_HARMLESS = frozenset(
    {
        *(
            "int",
            "float",
            "bool",
            "Decimal",
            "UUID",
            "UUID1",
            "UUID4",
            "date",
            "datetime",
            "time",
            "timedelta",
            "Literal",
        ),
        *(
            "PositiveInt",
            "NonNegativeInt",
            "PositiveFloat",
            "conint",
            "confloat",
            "number",
            "boolean",
            "Date",
            "IntEnum",
        ),
        *(
            "EmailStr",
            "HttpUrl",
            "StrictInt",
            "StrictBool",
            "Enum",
            "StrEnum",
            "ObjectId",
            "PydanticObjectId",
        ),
    }
)
_EXCEPT_URL = frozenset({"HttpUrl", "EmailStr", "AnyHttpUrl"})
_LENGTH_CALLS = frozenset({"MaxLength", "Length", "ArrayMaxSize", "MaxLen", "StringConstraints"})
_CLOSED_CALLS = frozenset(
    {"IsInt", "IsNumber", "IsEnum", "IsIn", "IsUUID", "IsBoolean", "IsDate", "IsMongoId", "IsPositive"}
)
_PATTERN_CALLS = frozenset({"Matches", "IsAlphanumeric", "IsNumberString"})
_STRING_CALLS = frozenset({"IsString", "IsEmail", "IsUrl"})
_PATTERNS = frozenset({"pattern", "regex"})
_LENGTHS = frozenset({"max_length", "maxLength", "max_items", "le", "lt", "max"})
_HOLDERS = frozenset({"dict", "Dict", "list", "List", "Any", "Mapping", "object"})
_STRINGS = frozenset({"str", "string", "constr", "StrictStr", "Str", "CharField"})


def typed(value: Value, param: Param, module: "Module", walker: "Walker") -> Value:
    """Return a parameter's value as its type and its default limit it; dependencies are followed."""
    given = _dependency(param, module, walker)
    if given is not None:
        return given
    value = narrowed(value, param.annotation, module, walker)
    return value if param.default is None else _limited(value, param.default)


def narrowed(value: Value, annotation: Expr | None, module: "Module", walker: "Walker") -> Value:
    """Return a value as an annotation limits it."""
    if annotation is None:
        return value
    if module.language == "javascript" and value.taints:
        return _decorated(value, annotation, module, walker)
    spelled = [annotation, *_aliases(annotation, module, walker)]
    parts = [part for one in spelled for part in walk(one)]
    names = {part.id for part in parts if isinstance(part, Name)}
    names |= {part.name for part in parts if isinstance(part, Attr)}
    found = None if not value.taints else _class_in(annotation, module, walker)
    if found is not None:
        home, cls = found
        if _is_enum(cls):
            return replace(value, taints=frozenset())
        return replace(value, ref=cls, home=home)
    if not value.taints:
        return value if value.origin or value.ref is not None else of_type(annotation, module, walker)
    if names & _EXCEPT_URL:
        return clear(value, "nosql", "type", "length", "path", "shell", "sql", "code")
    if names & _HARMLESS and not names & _STRINGS:
        return replace(value, taints=frozenset(t for t in value.taints if t.kind != INPUT))
    for one in spelled:
        value = _limited(value, one)
    if names & _STRINGS and not names & _HOLDERS:
        value = clear(value, "nosql", "type")
    return value


def _decorated(value: Value, annotation: Expr, module: "Module", walker: "Walker") -> Value:
    """Return a value as validators of a class limit it; TypeScript's own types prove nothing at run time."""
    if isinstance(annotation, Other):
        return _limited(value, annotation)
    found = _class_in(annotation, module, walker)
    if found is None:
        return value
    checked = any(isinstance(s, Assign) and isinstance(s.annotation, Other) for s in found[1].body)
    return replace(value, ref=found[1], home=found[0]) if checked else value


def field_of(body: Value, cls: Class, name: str, walker: "Walker") -> Value:
    """Return a field of a body that has a type of the app's own."""
    value = part_of(body, name)
    for stmt in cls.body:
        if isinstance(stmt, Assign) and any(isinstance(t, Name) and t.id == name for t in stmt.targets):
            home = body.home
            assert home is not None
            value = narrowed(value, stmt.annotation, home, walker)
            value = value if stmt.value is None else _limited(value, stmt.value)
            return _validated(value, home, cls, name, walker)
    for base in cls.bases:
        parent = walker.project.find(body.home, base) if body.home is not None else None
        if parent is not None and isinstance(parent.value, Class) and parent.value is not cls:
            return field_of(replace(body, ref=parent.value, home=parent.module), parent.value, name, walker)
    return value


def _validated(value: Value, home: "Module", cls: Class, name: str, walker: "Walker") -> Value:
    """Return a field as the model's own validators let it through: `@field_validator("text")`."""
    for stmt in cls.body:
        if not isinstance(stmt, Def) or not any(_is_validator(d, name) for d in stmt.function.decorators):
            continue
        given = [value] * len([p for p in stmt.function.params if p.name != "cls"])
        given = given if len(given) == len(stmt.function.params) else [Value(), *given]
        events, walker.events = walker.events, []
        passed = walker.invoke(Closure(home, stmt.function, walker.module_env(home)), given, {})
        walker.events = events
        value = passed if passed.taints else value
    return value


def _is_validator(decorator: Expr, name: str) -> bool:
    if not isinstance(decorator, Call) or _last(decorator.callee) not in {"field_validator", "validator"}:
        return False
    return any(isinstance(arg, Literal) and arg.value in {name, "*"} for arg in decorator.args)


def _aliases(annotation: Expr, module: "Module", walker: "Walker") -> list[Expr]:
    """Return what the app's own names of types stand for: `Short = Annotated[str, Field(max_length=99)]`."""
    found: list[Expr] = []
    for part in walk(annotation):
        if isinstance(part, Name) and part.id not in _STRINGS:
            alias = _stands_for(part, module, walker)
            if alias is not None and isinstance(alias[1], (Index, Call)):
                found.append(alias[1])
    return found


def _stands_for(name: Name, module: "Module", walker: "Walker") -> "tuple[Module, Expr] | None":
    """Return the expression behind a name at the top of this file, or of the one that it is imported from."""
    value, home = walker.project.scope(module).top.get(name.id), module
    imported = module.imports.get(name.id)
    if value is None and imported is not None and imported.name is not None:
        behind = walker.project.imported(module, imported)
        if behind is not None:
            value, home = walker.project.scope(behind).top.get(imported.name), behind
    return (home, value) if isinstance(value, Expr) else None


def _dependency(param: Param, module: "Module", walker: "Walker") -> Value | None:
    """Return what `Depends(f)` gives: f is walked through, and what it returns is not the caller's choice."""
    for expr in (param.default, param.annotation):
        if expr is None:
            continue
        home, found = module, expr
        if isinstance(expr, (Name, Attr)):  # `CurrentUser = Annotated[User, Depends(get_user)]`
            alias = _stands_for(expr, module, walker) if isinstance(expr, Name) else None
            if alias is None:
                continue
            home, found = alias
        for part in walk(found):
            if isinstance(part, Call) and _last(part.callee) in {"Depends", "Security", "Provide"}:
                return _provided(part, home, walker)
    return None


def _provided(call: Call, module: "Module", walker: "Walker") -> Value:
    if not call.args:
        return Value(origin="Depends()")
    given = walker.value(call.args[0], walker.module_env(module))
    if isinstance(given.ref, Closure):
        request = Value(taints=frozenset({Taint(INPUT, "request", module.path, call.line)}))
        made = walker.invoke(given.ref, [request] * len(given.ref.function.params), {})
        return replace(made, taints=frozenset(t for t in made.taints if t.kind != INPUT))
    if isinstance(given.ref, Class) and given.home is not None:
        return Value(ref=Instance(given.home, given.ref), origin=given.ref.name + "()")
    if ".security" in given.origin:  # `Depends(HTTPBearer(auto_error=False))`: who calls, if anybody.
        taint = Taint(IDENTITY, given.origin.rpartition(".")[2], module.path, call.line)
        return Value(taints=frozenset({taint}), origin=given.origin + "()")
    return Value(origin=given.origin + "()" if given.origin else "")


def of_type(annotation: Expr, module: "Module", walker: "Walker") -> Value:
    """Return an object of the annotated class, which can be asked or walked through."""
    found = _class_in(annotation, module, walker)
    name = _last(annotation)
    if name and (found is None or _is_abstract(found[1])):
        found = walker.project.implementation(name) or found
    if found is not None and not _is_enum(found[1]):
        return Value(ref=Instance(*found), origin=found[1].name + "()")
    if isinstance(annotation, (Name, Attr)):
        origin = walker.project.origin(module, annotation)
        if walker.known.engines.first(origin) and _last(annotation) in walker.known.engine_words:
            return Value(
                origin=origin + "()", taints=frozenset({Taint(ENGINE, "", module.path, annotation.line)})
            )
        return Value(origin=origin + "()" if origin and "." in origin else "")
    return Value()


def _class_in(annotation: Expr, module: "Module", walker: "Walker") -> "tuple[Module, Class] | None":
    """Return the app's own class that an annotation names, also inside `X | None` and `Annotated[X, …]`."""
    if isinstance(annotation, (Name, Attr)):
        found = walker.project.find(module, annotation)
        return (found.module, found.value) if found is not None and isinstance(found.value, Class) else None
    if isinstance(annotation, Index):
        inner = (
            annotation.key.items[0]
            if isinstance(annotation.key, Items) and annotation.key.items
            else annotation.key
        )
        return (
            _class_in(inner, module, walker) if _last(annotation.base) in {"Optional", "Annotated"} else None
        )
    if isinstance(annotation, Op):
        return next(
            (f for f in (_class_in(o, module, walker) for o in annotation.operands) if f is not None), None
        )
    if isinstance(annotation, Literal) and isinstance(annotation.value, str):
        return _class_in(Name(annotation.line, annotation.end, annotation.value.strip()), module, walker)
    return None


def _is_abstract(cls: Class) -> bool:
    """Say whether a class only says what others do: a protocol, an abstract class."""
    return any(_last(base) in {"Protocol", "ABC", "ABCMeta"} for base in cls.bases)


def _is_enum(cls: Class) -> bool:
    return any(_last(base) in {"Enum", "StrEnum", "IntEnum", "TextChoices"} for base in cls.bases)


def _limited(value: Value, expr: Expr) -> Value:
    """Return a value as the arguments of `Field`, `Query` and their like limit it."""
    names = {name for part in walk(expr) if isinstance(part, Call) for name, _ in part.named}
    called = {_last(part.callee) for part in walk(expr) if isinstance(part, Call)}
    if called & _CLOSED_CALLS:
        return replace(value, taints=frozenset(t for t in value.taints if t.kind != INPUT))
    if names & _PATTERNS or called & _PATTERN_CALLS:
        return clear(value, *ALL_USES)
    if called & _STRING_CALLS:
        value = clear(value, "nosql", "type")
    return clear(value, "length") if names & _LENGTHS or called & _LENGTH_CALLS else value


def _last(expr: Expr) -> str:
    return expr.name if isinstance(expr, Attr) else getattr(expr, "id", "")
