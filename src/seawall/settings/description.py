"""Every setting as a row: for the documentation, for `seawall doctor`, and to find names that are near.

The rows are read off the models of `schema.py` and `sections.py`, so they cannot drift from what is accepted.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from inspect import cleandoc
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from seawall.settings.credentials import ADMIN_KEY, NAMED_SECRETS, Secrets, secret_variable
from seawall.settings.problems import KeyPath
from seawall.settings.values import Kind, show_value

Origins = Mapping[KeyPath, str]

PREFIX = "SEAWALL_"
NAMED_BY = {
    "providers": "NAME",
    "models": "NAME",
    "prices": "MODEL",
    "model_limits": "MODEL",
    "tiers": "NAME",
    "issuers": "NAME",
    "guards": "NAME",
    "tasks": "NAME",
    "webhooks": "NAME",
    "facts": "NAME",
}
"""The sections of which there may be several, and what their second part is called in the documentation."""

_INHERITS = {"guards": "guard"}
"""Sections whose settings are, where not stated, those of another section."""

_UNITS = {
    "_percent": "percent",
    "_usd_per_mtok": "US dollars per million tokens",
    "_usd": "US dollars",
    "_s": "seconds",
    "_s_max": "seconds",
    "_mb_max": "MB",
    "_kb_max": "KB",
    "_days": "days",
    "_tokens": "tokens",
    "_tokens_max": "tokens",
}


class Described(NamedTuple):
    """One setting as the documentation shows it; `section` is empty at the top of the file."""

    section: str
    name: str
    type_text: str
    unit: str
    default_text: str
    env_names: tuple[str, ...]
    help: str


class Explained(NamedTuple):
    """One effective value, where it is from, and what it is for."""

    name: str
    value_text: str
    source: str
    help: str


class Row(NamedTuple):
    """A setting in the models: its path in the file (NAME or MODEL for any name) and its declaration."""

    path: KeyPath
    field: FieldInfo


def rows_of(settings: type[BaseModel]) -> Iterator[Row]:
    """Yield every setting, in the order in which it is declared."""
    for name, field in settings.model_fields.items():
        path = (field.alias or name,)
        if get_origin(field.annotation) is dict:
            yield from _rows_in((*path, NAMED_BY[name]), get_args(field.annotation)[1])
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _rows_in(path, field.annotation)
        else:
            yield Row(path, field)


def _rows_in(path: KeyPath, section: type[BaseModel]) -> Iterator[Row]:
    for name, field in section.model_fields.items():
        yield Row((*path, field.alias or name), field)


def describe(settings: type[BaseModel], by_stage: Mapping[str, Mapping[str, Any]]) -> list[Described]:
    """Describe every setting; `by_stage` holds the defaults of each stage, in the shape of the file."""
    return [
        Described(
            section=".".join(path[:-1]),
            name=path[-1],
            type_text=_type_text(field),
            unit=_unit(path[-1]),
            default_text=_default_text(path, field, by_stage),
            env_names=env_names(path),
            help=field.description or "",
        )
        for path, field in rows_of(settings)
    ]


def section_help(settings: type[BaseModel]) -> dict[str, str]:
    """Return the explanation of each section, by its name in the file."""
    texts = {}
    for name, field in settings.model_fields.items():
        is_many = name in NAMED_BY
        section = get_args(field.annotation)[1] if is_many else field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            texts[f"{name}.{NAMED_BY[name]}" if is_many else name] = cleandoc(section.__doc__ or "")
    return texts


def env_names(path: KeyPath) -> tuple[str, ...]:
    """Return the environment variables of a setting, the usual one first."""
    exact = PREFIX + "__".join(path).upper()
    short = PREFIX + "_".join(path).upper()
    return (exact,) if len(path) != 2 else (short, exact)


def explain(settings: BaseModel, origins: Origins, secrets: Secrets) -> list[Explained]:
    """List every effective value; of a secret only whether and where it is stated."""
    found = [
        Explained(
            ".".join(path),
            _shown(path, field, value, origins),
            _source(path, origins),
            field.description or "",
        )
        for path, field, value in _values(settings)
    ]
    found.append(
        _explain_secret(secrets, ADMIN_KEY, "The admin key; without it one is made in the data folder.")
    )
    for name, provider in getattr(settings, "providers", {}).items():
        found += [
            _explain_secret(secrets, variable, f"A key of the provider {name}.")
            for variable in provider.key_variables
        ]
    for section in NAMED_SECRETS:
        found += [
            _explain_secret(secrets, secret_variable(section, name), f"What {section}.{name} is signed with.")
            for name in getattr(settings, section, {})
        ]
    return found


def _shown(path: KeyPath, field: FieldInfo, value: object, origins: Origins) -> str:
    if path[0] in _INHERITS and path not in origins:
        return f"as under {_INHERITS[path[0]]}"
    return show_value(value, kind_of(field))


def kind_of(field: FieldInfo) -> Kind | None:
    """Return how a value is called and written, where its type says so."""
    return _kind_in([field.annotation, *field.metadata])


def _kind_in(parts: list[Any]) -> Kind | None:
    for part in reversed(parts):  # The outermost one is the most exact.
        if isinstance(part, Kind):
            return part
        if get_origin(part) in {Annotated, Union, UnionType} and (kind := _kind_in(list(get_args(part)))):
            return kind
    return None


def _values(settings: BaseModel) -> Iterator[tuple[KeyPath, FieldInfo, object]]:
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, dict):
            for key, section in value.items():
                yield from _values_in((name, key), section)
        elif isinstance(value, BaseModel):
            yield from _values_in((name,), value)
        else:
            yield (name,), field, value


def _values_in(path: KeyPath, section: BaseModel) -> Iterator[tuple[KeyPath, FieldInfo, object]]:
    for name, field in type(section).model_fields.items():
        yield (*path, field.alias or name), field, getattr(section, name)


def _source(path: KeyPath, origins: Origins) -> str:
    return origins.get(path, "default")


def _explain_secret(secrets: Secrets, name: str, text: str) -> Explained:
    where = secrets.where(name)
    return Explained(name, "not set" if where is None else "set (not shown)", where or "not stated", text)


def _type_text(field: FieldInfo) -> str:
    kind = kind_of(field)
    if kind is not None:
        return kind.text
    annotation = field.annotation
    if get_origin(annotation) in {Union, UnionType}:
        annotation = get_args(annotation)[0]
    if annotation is bool:
        return "true or false"
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _choices([member.value for member in annotation])
    assert get_origin(annotation) is Literal, f"{annotation} needs a Kind that says how it is called"
    return _choices(list(get_args(annotation)))


def _choices(values: list[str]) -> str:
    *most, last = [f'"{value}"' for value in values]
    return f"{', '.join(most)} or {last}" if most else last


def _default_text(path: KeyPath, field: FieldInfo, by_stage: Mapping[str, Mapping[str, Any]]) -> str:
    if path[0] in _INHERITS:
        return f"as under `{_INHERITS[path[0]]}`"
    staged = [_at(path, defaults) for defaults in by_stage.values()]
    if any(value is not None for value in staged):
        unset = show_value(None, kind_of(field))
        shown = [" and ".join(value) if isinstance(value, list) else value for value in staged]
        if len(set(shown)) == 1:
            return str(shown[0])
        return ", ".join(f"{stage} {value or unset}" for stage, value in zip(by_stage, shown, strict=True))
    if field.is_required():
        return "required"
    return show_value(field.default, kind_of(field))


def _at(path: KeyPath, tree: Mapping[str, Any]) -> Any:
    value: Any = tree
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _unit(name: str) -> str:
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")
