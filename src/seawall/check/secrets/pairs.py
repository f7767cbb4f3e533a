"""Finds names and the values written next to them, in any language.

A value may be a secret because of its name. Five shapes are one here: assignment, entry of a dict or of
JSON and YAML, keyword argument, header, and environment file; and calls that take both (`getenv("NAME",
"value")`), XML, and name/value pairs of deployment files. All expressions are anchored where a word such as
`key` or `token` ends and look at a bounded stretch, so that the time is proportional to the number of those
words.
"""

import re
from collections.abc import Iterator
from functools import cache

from ahocorasick_rs import AhoCorasick, Implementation
from msgspec import Struct

from seawall.check.secrets.names import Category, classify
from seawall.check.secrets.places import Place

VALUE_CHARS_MAX = 2000
_NAME_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.$"
_NAME_CHARS_MAX = 60
_CHUNK_CHARS = 1 << 17
_ATTEMPTS_MAX = 40_000
"""No text that somebody wrote has as many names; one made to keep the search busy ends here."""

_HINTS = (
    *("key", "token", "secret", "pass", "pwd", "cred", "auth", "jwt", "salt", "senha", "sessionid", "ticket"),
    *("_pat", "aipat", "hubpat", "labpat", "appid"),
)

_AFTER = re.compile(
    r"""(?P<close>\\{0,3}["'`]?\)?\]?)
    (?:
      (?P<entry>,?\s{1,60}\\{0,3}["']?[Vv]alue\\{0,3}["']?[ \t]{0,4}[=:])
     |[ \t]{0,20}[!?]?(?P<op>=>|:=|[=!]==?|\|\|=?|\?\?=?|=|:(?!:)|,|or(?=[ \t])|(?:\s[^<>\n]{0,100})?>)
     |(?P<space>[ \t]{1,4}(?=\S))
    )""",
    re.VERBOSE,
)
_TAIL = re.compile(r"[\w$-]{0,60}")
_ANNOTATION = re.compile(r"[ \t]{0,4}&?'?[A-Za-z_][\w.\[\]<>|, ]{0,60}?[ \t]{0,4}=(?![=>])")
_SCHEME = re.compile(
    r"[ \t]{0,4}(?P<scheme>[Bb]earer|BEARER|[Bb]asic|[Tt]oken|[Aa]pi-?[Kk]ey|[Kk]ey|OAuth)[ \t]{1,4}"
)
_OPEN = re.compile(
    r"""[\s(\[]{0,40}
    (?:(?:await|new|return)[ ])?
    (?:(?:cast\s?=\s?\w{1,20},\s{0,3})?(?:default|fallback|default_value|defaultValue)\s{0,2}=\s{0,2})?
    (?:z\.[\w.()]{1,60}\.default\(\s{0,4})?
    (?P<wrap>(?:[A-Za-z_][\w.]{0,50}\(\s{0,20}){0,3})
    (?P<pre>[rRbBuUfFL@$]{0,2})
    (?P<quote>\\{0,3}(?:\"{3}|'{3}|["'`]))""",
    re.VERBOSE,
)
_OPEN_HERE = re.compile(_OPEN.pattern.replace(r"[\s(\[]{0,40}", r"[ \t(\[]{0,40}", 1), re.VERBOSE)
_BARE = re.compile(r"[ \t]{0,40}([^\s\"'`,;<>(){}\[\]|&]{1,2000})")
_LINE = re.compile(r"[ \t]{0,40}([^\r\n]{1,1600})")
_STRICT = re.compile(r"[ \t]{0,2}([A-Za-z0-9_\-+/=.%~!@^*#$]{6,500})(?=[\"'`\s&;,)\\]|$)")
_ELEMENT = re.compile(r"\s{0,20}([^<>\r\n]{1,400})\s{0,20}<")
_SHELL_DEFAULT = re.compile(r":?-([^{}$\n]{1,200})\}")
_COMMENT = re.compile(r"\s+#.*$|\s+//.*$")
_LINE_START = re.compile(
    r"[ \t]{0,40}(?:-[ ]{1,3})?(?:export[ ]+|set[ ]+|setx[ ]+|ENV[ ]+|ARG[ ]+|declare[ ]+(?:-x[ ]+)?)?$"
)
_SQL = re.compile(r"(?i)\b(?:role|user|login|identified|encrypted)\b[^\n]{0,80}$")
_QUIET = re.compile(r"(?:^|[\s\"'])--?$")


class Pair(Struct, frozen=True):
    """A name with the value next to it: `start` and `end` bound the value in the text.

    `op` is what stands between them ("or" for `||`, `??` and `or`, "default" for `${NAME:-value}`, "call" for
    two arguments, "entry" for name and value of an entry, "" for a space).
    `scheme` is what a header puts before the value, `wrap` the calls around it, `around` the text before it.
    """

    name: str
    category: Category
    value: str
    start: int
    end: int
    at: int
    op: str
    is_quoted: bool
    scheme: str = ""
    wrap: str = ""
    around: str = ""


def find_pairs(text: str, place: Place) -> Iterator[Pair]:
    """Yield the pairs of `text` whose name promises a secret."""
    lower = text.lower()
    if len(lower) != len(text):  # A letter whose small form has two characters moves everything after it.
        lower = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
    done = attempts = 0
    for start in range(0, len(lower), _CHUNK_CHARS):
        chunk = lower[start : start + _CHUNK_CHARS + 16]
        for _, _, at in _hints().find_matches_as_indexes(chunk):
            end = start + at
            if end <= done:
                continue
            attempts += 1
            if attempts > _ATTEMPTS_MAX:
                return
            tail = _TAIL.match(text, end)
            assert tail is not None
            done = tail.end()
            after = _AFTER.match(text, done)
            pair = None if after is None else _read(text, end, after, place)
            if pair is not None:
                yield pair


@cache
def _hints() -> AhoCorasick:
    return AhoCorasick(list(_HINTS), implementation=Implementation.DFA)


def _read(text: str, hint_end: int, after: re.Match[str], place: Place) -> Pair | None:
    left = text[max(0, hint_end - _NAME_CHARS_MAX) : hint_end]
    name_at = hint_end - len(left) + len(left.rstrip(_NAME_CHARS))
    name = text[name_at : after.start()]
    category = classify(name)
    if text[name_at - 2 : name_at] == "::":
        return None
    if category is None or (name.lower() == "pwd" and text[name_at - 1 : name_at] in ("`", "(", "$")):
        return None  # The command that prints the working folder is no password.
    if text[name_at - 2 : name_at] == "${":
        return _shell_default(text, name_at, after.start(), category)
    op = _op(text, name_at, after, place)
    if op is None:
        return None
    at = after.end()
    if op == ":" and place.is_code and (typed := _ANNOTATION.match(text, at)) is not None:
        at = typed.end()
    found = _value(text, at, op, place, name_at)
    if found is None:
        return None
    start, end, wrap, is_quoted = found
    scheme = ""
    if category == "auth" or name.lower().endswith("authorization"):
        named = _SCHEME.match(text, start, end)
        if named is not None:
            scheme = named["scheme"].lower()
            start = named.end()
    return Pair(
        name=name.strip("-.$"),
        category=category,
        value=text[start:end],
        start=start,
        end=end,
        at=name_at,
        op=op,
        is_quoted=is_quoted,
        scheme=scheme,
        wrap=wrap,
        around=text[max(0, name_at - 100) : name_at].rpartition("\n")[2] if category == "password" else "",
    )


def _shell_default(text: str, name_at: int, name_end: int, category: Category) -> Pair | None:
    """Return the pair of `${NAME:-value}`, what a shell or Compose takes where NAME is not set."""
    default = _SHELL_DEFAULT.match(text, name_end)
    if default is None:
        return None
    return Pair(
        name=text[name_at:name_end],
        category=category,
        value=default[1],
        start=default.start(1),
        end=default.end(1),
        at=name_at,
        op="default",
        is_quoted=True,
    )


def _op(text: str, name_at: int, after: re.Match[str], place: Place) -> str | None:
    """Return what connects a name to its value, None where it is no connection here."""
    if after["entry"] is not None:
        return "entry"
    if after["space"] is not None:
        if after["close"]:
            return None
        if place.spaced:
            return ""
        if text.startswith("-", name_at) and _QUIET.search(
            text[max(0, name_at - 3) : name_at + 2].rstrip("-") + "-"
        ):
            return ""
        if text[after.end()] == "'" and _SQL.search(text[max(0, name_at - 120) : name_at]):
            return ""
        return None
    op: str = after["op"]
    if after["close"].endswith(")") and op not in ("||", "??", "or", ","):
        return None  # The colon behind a function's parameters is followed by its documentation.
    if op.endswith(">") and op != "=>":
        is_element = (place.is_markup and text[name_at - 1 : name_at] == "<") or text[
            name_at - 2 : name_at
        ] == "<!"
        return ">" if is_element and not after["close"] else None
    if op in ("||", "||=", "??", "??=", "or"):
        return "or"
    if op == ",":
        is_selector = text[name_at - 1 : name_at] in ("#", "[", "=")
        return "call" if after["close"][:1] in ("\\", '"', "'", "`") and not is_selector else None
    return op


def _value(text: str, at: int, op: str, place: Place, name_at: int) -> tuple[int, int, str, bool] | None:
    """Return where the value after `at` starts and ends, the calls around it, and whether it is quoted."""
    if op == ">":
        inner = _ELEMENT.match(text, at)
        return None if inner is None else (inner.start(1), inner.start(1) + len(inner[1].rstrip()), "", False)
    opened = (_OPEN_HERE if place.lines and not place.is_code else _OPEN).match(text, at)
    if opened is not None:
        quoted = _quoted(text, opened, may_be_name=op in (":", "call", "=>"))
        if quoted is None:
            return None
        return (*quoted, opened["wrap"], True)
    if op in ("or", "call", "==", "===", "!=", "!=="):
        return None
    if place.lines and not place.is_code and _starts_line(text, name_at):
        line = _LINE.match(text, at)
        if line is None:
            return None
        value = _COMMENT.sub("", line[1]).rstrip()
        return line.start(1), line.start(1) + len(value), "", False
    if place.is_code or place.ending in ("json", "ipynb", "lock") or place.is_docs:
        strict = _STRICT.match(text, at) or _scheme_value(text, at)
        return (
            None
            if strict is None or op not in ("=", ":", "")
            else (strict.start(1), strict.end(1), "", False)
        )
    bare = _scheme_value(text, at) or _BARE.match(text, at)
    return None if bare is None else (bare.start(1), bare.end(1), "", False)


_SCHEMED = re.compile(rf"(?:{_SCHEME.pattern})([\w.~+/=-]{{8,2000}})".replace("?P<scheme>", "?:"))


def _scheme_value(text: str, at: int) -> re.Match[str] | None:
    return _SCHEMED.match(text, at)


def _starts_line(text: str, name_at: int) -> bool:
    start = text.rfind("\n", max(0, name_at - 120), name_at) + 1
    if start == 0 and name_at > 120:
        return False  # Far into a long line.
    return _LINE_START.match(text[start:name_at].rstrip("\"'").replace("\r", "")) is not None


def _quoted(text: str, opened: re.Match[str], *, may_be_name: bool) -> tuple[int, int] | None:
    """Return the bounds of a quoted value; None where it never closes or is the name of another entry."""
    quote = opened["quote"]
    start = opened.end()
    limit = start + VALUE_CHARS_MAX
    is_escaped = quote.startswith("\\")
    end = text.find(quote, start, limit)
    while end > 0 and not is_escaped and text[end - 1] == "\\" and (end < 2 or text[end - 2] != "\\"):
        end = text.find(quote, end + 1, limit)
    if end < 0:
        return None
    if len(quote.lstrip("\\")) == 1 and quote != "`" and "\n" in text[start:end]:
        return None
    rest = text[end + len(quote) : end + len(quote) + 4].lstrip(" ")
    if may_be_name and rest.startswith(":") and not rest.startswith("::"):
        return None
    return start, end
