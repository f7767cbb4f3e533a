"""Which arguments of a call do harm, by the tables of `knowledge.toml`."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from seawall.check.code.knowledge import Sink
from seawall.check.code.site import Site
from seawall.check.code.values import INPUT, MODEL, NONE, Value

if TYPE_CHECKING:
    from seawall.check.code.walker import Walker

_SHELLS = frozenset({"sh", "bash", "zsh", "cmd", "cmd.exe", "powershell", "pwsh", "/bin/sh", "/bin/bash"})
_INTERPRETERS = frozenset({"python", "python3", "node", "deno", "ruby", "perl", "php", "bun"})
_CODE_FLAGS = frozenset({"-c", "-e", "--eval", "-p", "/c", "-Command", "eval", "-lc"})
_SQL = re.compile(
    r"(?is)^\s*(select\s.+\sfrom\s|insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s|(drop|alter|create)\s+(table|view|index)\s)"
)
_MONGO_CLEAN = ("mongo-sanitize", "mongoose-sanitize")
_FROM_BODY = re.compile(r"(^|\.)(body|query|json|data|get_json)(\.|$)")
_MONGO = ("pymongo", "motor", "mongoose", "mongodb", "beanie", "mongoengine", "mongo")


def harms(site: Site, walker: "Walker") -> Iterator[tuple[str, Value]]:
    """Yield (use, value) for each argument that reaches a place where it could do harm."""
    name, given, named, options = site.name, site.given, site.named, site.options
    seen: set[str] = set()
    if (
        given
        and given[0].shape in {"text", "html"}
        and _SQL.match(given[0].prefix)
        and not site.call.is_tagged
    ):
        known = walker.known.sinks.first(name)
        if known is None or known.use not in {"log", "reply"}:
            seen.add("sql")
            yield "sql", given[0]
    if site.last in {"save", "mv"} and given and any("file" in t.source for t in site.base.of(INPUT)):
        yield "path", given[0]  # An upload is put where its sender says.
    for sink in walker.known.sinks.all(name):
        if sink.markup and site.base.shape == "plain":
            continue
        if (
            sink.use in seen
            or (sink.use == "sql" and name.startswith("pandas.") and ".read_sql" not in name)
            or not _applies(sink, options, given)
        ):
            continue
        if sink.program:
            yield from _program(given, named, options)
            continue
        if site.call.is_tagged and sink.use == "sql":
            continue  # A tagged template sends its values apart from the statement.
        for value in _arguments(sink, site.base, given, named):
            use = _use(sink, value, walker)
            if use is not None:
                seen.add(sink.use)
                yield use, value


def _arguments(sink: Sink, base: Value, given: list[Value], named: dict[str, Value]) -> Iterator[Value]:
    for arg in sink.args:
        if arg == "*":
            yield from given
            yield from named.values()
        elif arg == "self":
            yield base
        elif arg.isdigit():
            if int(arg) < len(given):
                yield given[int(arg)]
        elif arg in named:
            yield named[arg]


def _applies(sink: Sink, options: dict[str, Value], given: list[Value]) -> bool:
    for key, want in sink.needs.items():
        if options.get(key, NONE).literal is not want:
            return False
    for word in sink.unless:
        if word in options or any(word in value.origin for value in (*given, *options.values())):
            return False
    return True


def _use(sink: Sink, value: Value, walker: "Walker") -> str | None:
    if sink.text and value.shape in {"list", "dict"}:
        return None
    if sink.filter:
        return _filter(value, walker)
    if sink.markup:
        if value.shape == "html":
            return "html"
        direct = any(".query." in t.source or ".params." in t.source for t in value.of(INPUT, "html"))
        return "html" if direct and value.shape in {"", "text"} and not value.has(MODEL) else None
    return sink.use


def _filter(value: Value, walker: "Walker") -> str | None:
    """A filter of a document store is in danger where a whole object of the caller can stand for a value."""
    if not walker.project.uses(_MONGO) or walker.project.uses(_MONGO_CLEAN):
        return None
    if value.items is not None:
        return "nosql"
    whole = any(_FROM_BODY.search(t.source) for t in value.of(INPUT, "nosql"))
    return "nosql" if whole and value.shape not in {"text", "html"} else None


def _program(
    given: list[Value], named: dict[str, Value], options: dict[str, Value]
) -> Iterator[tuple[str, Value]]:
    """Judge a program that is started without a shell, or with one."""
    first = given[0] if given else named.get("args", NONE)
    is_list = first.elements is not None
    parts = list(first.elements or ()) if is_list else [first]
    if not is_list and len(given) > 1 and given[1].elements is not None:
        parts += given[1].elements
    elif not is_list:
        parts += [v for v in given[1:] if v.shape in {"text", ""} and v.items is None]
    with_shell = options.get("shell", NONE).literal
    if with_shell is True or isinstance(with_shell, str):
        yield "shell", first
        for part in parts[1:]:
            yield "shell", part
        return
    if not parts:
        yield "shell", first
        return
    program = parts[0].literal
    if not isinstance(program, str):
        yield "shell", parts[0]
        return
    flags = [place for place, part in enumerate(parts) if part.literal in _CODE_FLAGS]
    short = program.rpartition("/")[2]
    if flags and (short in _SHELLS or short.rstrip("0123456789.") in _INTERPRETERS):
        use = "shell" if short in _SHELLS else "code"
        for part in parts[flags[0] + 1 :]:
            yield use, part
