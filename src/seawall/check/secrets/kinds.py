"""Loads the kinds of secret that are known (`kinds.toml`)."""

import re
import tomllib
from functools import cache, cached_property
from importlib.resources import files

from msgspec import Struct, field

_LEFT = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])|(?<=%[0-9A-F]{2}))"
"""A token begins after something foreign to it; `\\n` in a notebook and `%3D` in a URL are."""
_RIGHT = r"(?![A-Za-z0-9_-])"


class Provider(Struct, frozen=True):
    """Who issues a secret, and where it is replaced."""

    name: str
    words: tuple[str, ...]
    variable: str
    rotate: str
    ai: bool = False


class Kind(Struct, frozen=True, dict=True):
    """One form of secret; see the head of `kinds.toml`."""

    id: str
    provider: Provider
    starts: tuple[str, ...] = ()
    pattern: str = ""
    value: str = ""
    free: bool = False
    by_name: bool = False
    severity: str = "error"

    @cached_property
    def token(self) -> re.Pattern[str]:
        """The compiled pattern of a token in a text."""
        return re.compile(self.pattern if self.free else f"{_LEFT}(?:{self.pattern}){_RIGHT}")

    @cached_property
    def whole(self) -> re.Pattern[str]:
        """The compiled pattern of a whole value."""
        return re.compile(self.value or self.pattern)

    @cached_property
    def starts_inside(self) -> bool:
        """Whether what gives a token away stands within it and not at its beginning."""
        plain = self.pattern.replace("\\", "").removeprefix("(?:")
        return not any(plain.startswith(start) for start in self.starts)


class Catalog(Struct, frozen=True):
    """All kinds: those with a form of their own by what starts them, the others by their provider's words."""

    providers: tuple[Provider, ...]
    kinds: tuple[Kind, ...]
    starts: tuple[str, ...]
    by_start: tuple[tuple[Kind, ...], ...]
    by_provider: dict[str, tuple[Kind, ...]]
    words: dict[str, Provider]


class _KindRow(Struct, forbid_unknown_fields=True):
    id: str
    starts: tuple[str, ...] = ()
    pattern: str = ""
    value: str = ""
    free: bool = False
    by_name: bool = False
    severity: str = "error"


class _ProviderRow(Struct, forbid_unknown_fields=True):
    name: str
    words: tuple[str, ...]
    variable: str
    rotate: str
    ai: bool = False
    kinds: list[_KindRow] = field(default_factory=list)


@cache
def catalog() -> Catalog:
    """Return all kinds; read once."""
    import msgspec  # noqa: PLC0415 - `Struct` is all that the rest of the file needs

    rows = msgspec.convert(
        tomllib.loads(files(__package__).joinpath("kinds.toml").read_text("utf-8"))["provider"],
        list[_ProviderRow],
    )
    providers: list[Provider] = []
    kinds: list[Kind] = []
    by_provider: dict[str, tuple[Kind, ...]] = {}
    by_start: dict[str, list[Kind]] = {}
    words: dict[str, Provider] = {}
    for row in rows:
        provider = Provider(row.name, row.words, row.variable, row.rotate, row.ai)
        providers.append(provider)
        own = tuple(_kind(provider, kind) for kind in row.kinds)
        kinds.extend(own)
        by_provider[row.name] = tuple(kind for kind in own if kind.value or kind.by_name)
        for word in row.words:
            words.setdefault(word, provider)
        for kind in own:
            for start in kind.starts if not kind.by_name else ():
                by_start.setdefault(start, []).append(kind)
    return Catalog(
        providers=tuple(providers),
        kinds=tuple(kinds),
        starts=tuple(by_start),
        by_start=tuple(tuple(found) for found in by_start.values()),
        by_provider=by_provider,
        words=words,
    )


def _kind(provider: Provider, row: _KindRow) -> Kind:
    return Kind(
        id=row.id,
        provider=provider,
        starts=row.starts,
        pattern=row.pattern,
        value=row.value,
        free=row.free,
        by_name=row.by_name,
        severity=row.severity,
    )
