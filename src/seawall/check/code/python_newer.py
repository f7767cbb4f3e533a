"""Rewrites syntax that is newer than this interpreter, so that a current file can still be read.

Python 3.12 to 3.14: quotes, backslashes and line ends inside f-strings, template strings, `type X = …`, type
parameters, `except A, B:`. Lines keep their numbers; what older syntax cannot say is only said roughly,
as the code is read and never run.
"""

import re

_TOKEN = re.compile(
    r"#[^\n]*|(?:\b(?P<prefix>[rR]?[fFtTbB]|[fFtTbB][rR]|[rRuU]))?(?P<quote>\"\"\"|'''|\"|')",
)
_EXCEPT = re.compile(r"^([ \t]*except\*?[ \t]+)([\w.]+(?:[ \t]*,[ \t]*[\w.]+)+)([ \t]*:)", re.MULTILINE)
_TYPE = re.compile(r"^([ \t]*)type[ \t]+(\w+)[ \t]*(?:\[[^\n=]*\])?[ \t]*=(?!=)", re.MULTILINE)
_PARAMETERS = re.compile(
    r"^([ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+\w+)\[((?:[^\[\]]|\[[^\[\]]*\])*)\](?=[ \t]*[(:])",
    re.MULTILINE,
)
_STRING = re.compile(r"\\.|[\"']", re.DOTALL)
_ENDS = {
    quote: re.compile(rf"(?:[^\\{line_end}]|\\.)*?{quote}", re.DOTALL)
    for quote, line_end in (("'", "\n"), ('"', "\n"), ("'''", ""), ('"""', ""))
}
_DEPTH_MAX = 10
_OPENING, _CLOSING = "([{", ")]}"


class _Unreadable(Exception):
    """The text is not Python of any version."""


def in_older_syntax(source: str) -> str | None:
    """Return a file in the syntax of Python 3.11; None if nothing in it is newer, or it is not Python."""
    try:
        written = "".join(_pieces(source))
    except _Unreadable:
        return None
    return written if written != source else None


def _pieces(source: str) -> list[str]:
    pieces: list[str] = []
    at = 0
    while (token := _TOKEN.search(source, at)) is not None:
        pieces.append(_older_code(source[at : token.start()]))
        if token["quote"] is None:
            pieces.append(token[0])
            at = token.end()
            continue
        prefix = token["prefix"] or ""
        if set(prefix) & set("fFtT"):
            text, _, at = _formatted(source, token, 0)
        else:
            at = _string_end(source, token.end(), token["quote"])
            text = source[token.start() : at]
        pieces.append(text)
    return [*pieces, _older_code(source[at:])]


def _older_code(code: str) -> str:
    if "except" in code:
        code = _EXCEPT.sub(r"\1(\2)\3", code)
    if "type" in code:
        code = _TYPE.sub(r"\1\2 =", code)
    if "[" in code:
        code = _PARAMETERS.sub(lambda found: found[1] + "\\\n" * found[2].count("\n"), code)
    return code


def _string_end(source: str, at: int, quote: str) -> int:
    """Return where a plain string ends."""
    found = _ENDS[quote].match(source, at)
    if found is None:
        raise _Unreadable
    return found.end()


def _formatted(source: str, token: re.Match[str], depth: int) -> tuple[str, list[str], int]:
    """Read an f-string: its older form, the expressions in it, and where it ends."""
    quote = token["quote"]
    expressions: list[str] = []
    written: list[str] = []
    at = token.end()
    if depth > _DEPTH_MAX:
        raise _Unreadable
    while not source.startswith(quote, at):
        if at >= len(source) or (len(quote) == 1 and source[at] == "\n"):
            raise _Unreadable
        if source[at] == "\\" or source.startswith(("{{", "}}"), at):
            written.append(source[at : at + 2])
            at += 2
        elif source[at] == "{":
            text, inner, at = _field(source, at, quote, depth)
            expressions += inner
            written.append(text)
        else:
            written.append(source[at])
            at += 1
    body = "".join(written)
    outer = quote * 3 if len(quote) == 1 and "\n" in body else quote
    prefix = (token["prefix"] or "").replace("t", "f").replace("T", "f")
    return f"{prefix}{outer}{body}{outer}", expressions, at + len(quote)


def _field(source: str, at: int, quote: str, depth: int) -> tuple[str, list[str], int]:
    """Read `{expression!r:spec}`: its older form, the expressions in it, and where it ends."""
    written: list[str] = []
    inner: list[str] = []
    level = 0
    at += 1
    in_spec = False
    if depth > _DEPTH_MAX:
        raise _Unreadable
    while at < len(source):
        letter = source[at]
        if letter == "}" and level == 0:
            text = "".join(written)
            return "{" + text + "}", inner or [_bare(text)], at + 1
        if in_spec and letter == "{":
            text, more, at = _field(source, at, quote, depth + 1)
            inner += more
            written.append(text)
            continue
        token = _TOKEN.match(source, at)
        if not in_spec and token is not None and token["quote"] is not None:
            text, at = _inside(source, token, quote, depth)
            written.append(text)
            continue
        if letter == ":" and level == 0 and not in_spec:
            inner.append(_bare("".join(written)))
            in_spec = True
        level += letter in _OPENING
        level -= letter in _CLOSING
        written.append(letter)
        at += 1
    raise _Unreadable


def _inside(source: str, token: re.Match[str], quote: str, depth: int) -> tuple[str, int]:
    """Read a string inside a field, and write it so that it does not end the string around it."""
    if set(token["prefix"] or "") & set("fFtT"):
        _, expressions, end = _formatted(source, token, depth + 1)
        values = "".join(f"({expression})," for expression in expressions if expression.strip())
        return f"({values or '0'})", end
    end = _string_end(source, token.end(), token["quote"])
    text = source[token.start() : end]
    if "\\" not in text and token["quote"][0] != quote[0]:
        return text, end
    other = "'" if quote[0] == '"' else '"'
    content = source[token.end() : end - len(token["quote"])]
    return other + _STRING.sub("_", content).replace("\n", " ") + other, end


def _bare(expression: str) -> str:
    """Take the conversion and the `=` off an expression."""
    return re.sub(r"(?:![rsa])?\s*$", "", expression).removesuffix("=").strip() or "0"
