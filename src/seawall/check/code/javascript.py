"""Read JavaScript and TypeScript into the one form of the rules, whatever file they stand in."""

import re
from functools import cache

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from seawall.check.code.ir import Do, Markup, Module
from seawall.check.code.javascript_functions import directives
from seawall.check.code.javascript_reader import Reader
from seawall.check.code.javascript_statements import STATEMENTS
from seawall.check.code.javascript_values import VALUES

_BYTES_MAX = 2_000_000
_GRAMMARS = {
    "js": "javascript",
    "jsx": "javascript",
    "mjs": "javascript",
    "cjs": "javascript",
    "ts": "typescript",
    "mts": "typescript",
    "cts": "typescript",
    "tsx": "tsx",
    "vue": "tsx",
    "svelte": "typescript",
    "astro": "tsx",
    "html": "javascript",
    "htm": "javascript",
}
EXTENSIONS = frozenset(_GRAMMARS)
# Every repetition is bounded: a page of broken tags must not take the square of its length.
_OPENING = re.compile(rb"""<script\b((?:[^<>"']|"[^"]{0,400}"|'[^']{0,400}'){0,400})>""", re.IGNORECASE)
_CLOSING = re.compile(rb"</script\s{0,9}>", re.IGNORECASE)
_DATA_SCRIPT = re.compile(rb"""\btype\s*=\s*["']?(?:application/(?:ld\+)?json|importmap|text/template)""")
_FRONT_MATTER = re.compile(rb"\A\s*---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_RAW_MARKUP = re.compile(
    rb"""(?<![\w-])(?P<name>v-html|set:html)\s*=\s*(?:"(?P<double>[^"]{0,500})"|\{(?P<braces>[^{}]{0,500})\})"""
    rb"""|\{@(?P<at>html)\s(?P<svelte>[^{}]{0,500})\}"""
)
_RAW_MAX = 200
_SCRIPTS_MAX = 100


def lower(path: str, source: bytes) -> Module | None:
    """Read a file into a `Module`; None where its name or size says that it is nothing to read.

    What a syntax error spoils is left out, the rest is read. Lines are those of the file, also for the script
    parts of Vue, Svelte, Astro and HTML files; raw HTML in these is `Markup` at the end of the body.
    """
    extension = path.rpartition(".")[2].lower()
    grammar = _GRAMMARS.get(extension)
    if grammar is None or path.endswith((".d.ts", ".d.mts", ".d.cts")):
        return None
    if len(source) > _BYTES_MAX or b"\0" in source:
        return None
    raw: list[tuple[str, int, bytes]] = []
    if extension in ("vue", "svelte", "astro", "html", "htm"):
        raw = _raw_markup(source)
        source = _scripts(source, extension)
    root = _parse(grammar, source)
    if grammar == "javascript" and root.has_error:
        # Flow's types and TypeScript in a .js file: that grammar reads both, where it reads all.
        typed = _parse("tsx", source)
        root = root if typed.has_error else typed
    reader = Reader(VALUES, STATEMENTS)
    found, statements = directives(root)
    module = Module(path, "javascript", reader.block(statements), reader.imports)
    for name, line, expression in raw:
        module.body += _raw_statements(reader, name, line, expression)
    module.exports, module.exported = reader.exports, reader.exported
    module.reexports, module.directives = reader.reexports, found
    return module


@cache
def _parser(grammar: str) -> Parser:
    if grammar == "javascript":
        return Parser(Language(tree_sitter_javascript.language()))
    if grammar == "tsx":
        return Parser(Language(tree_sitter_typescript.language_tsx()))
    return Parser(Language(tree_sitter_typescript.language_typescript()))


def _parse(grammar: str, source: bytes) -> Node:
    tree = _parser(grammar).parse(source)
    assert tree is not None
    return tree.root_node


def _scripts(source: bytes, extension: str) -> bytes:
    """Return the file with everything but its scripts blanked, so that lines stay what they are."""
    spans: list[tuple[int, int]] = []
    if extension == "astro":
        front = _FRONT_MATTER.match(source)
        if front is not None:
            spans.append(front.span(1))
    at = spans[-1][1] if spans else 0
    while (opening := _OPENING.search(source, at)) is not None and len(spans) < _SCRIPTS_MAX:
        closing = _CLOSING.search(source, opening.end())
        if closing is None:
            break
        if not _DATA_SCRIPT.search(opening[1]):
            spans.append((opening.end(), closing.start()))
        at = closing.end()
    out: list[bytes] = []
    at = 0
    for start, end in spans:
        # The mark ends the last script's final statement.
        out += [_blank(source[at:start]), source[start:end]]
        at = end
    out.append(_blank(source[at:]))
    return b"".join(out)


def _blank(outside: bytes) -> bytes:
    return b";" * (b"\n" not in outside and bool(outside)) + b"\n" * outside.count(b"\n")


def _raw_markup(source: bytes) -> list[tuple[str, int, bytes]]:
    found = []
    for match in _RAW_MARKUP.finditer(source):
        name = (match["name"] or b"@html").decode()
        expression = match["double"] or match["braces"] or match["svelte"] or b""
        found.append((name, source.count(b"\n", 0, match.start()) + 1, expression))
        if len(found) >= _RAW_MAX:
            break
    return found


def _raw_statements(reader: Reader, name: str, line: int, expression: bytes) -> list[Do]:
    root = _parse("tsx", b"\n" * (line - 1) + b"(" + expression + b")")
    made = [statement for statement in reader.block(root.named_children) if isinstance(statement, Do)]
    return [Do(s.line, s.end, Markup(s.line, s.end, "", [(name, s.value)], [])) for s in made[:1]]
