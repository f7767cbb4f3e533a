"""Markup in an answer that would run, or carry data away, in a page that shows the answer.

Invariants:
- What stands in a fenced block or in inline code is shown, not run, and is no finding. Where Markdown and
  HTML disagree about what is code, it is not: a fence within an HTML block hides nothing.
- A tag is read as a browser would, and Markdown within it as well, since a tag that Markdown takes for a
  broken one is plain text to it.
- In pieces as in one: the same is found, before the last character of it leaves.
"""

import html
import re
from itertools import islice

from seawall.core.findings import Finding, digest_of
from seawall.guards.fences import BLANK, LONGEST_TAG, CodeRuns, Fence

FINDINGS_MAX = 64
"""So many findings are reported of one text; after them nothing is looked at."""
TAG_CHARS_MAX = 16_384
ATTRIBUTES_MAX = 256
NESTED_CHARS_MAX = 8_192
"""So much of a text is read a second time, as a tag within a tag that may be none."""
EFFORT_MAX = 4_000
"""A piece with more marks than that, or a third as many tags and links, is looked at coarsely from there."""
LABELS_MAX = 64
DATA_CHARS = 24
_CONTEXT = 1_024
"""So much of what has left is remembered: the longest label of a reference, and the start of its line."""

_EVENT = re.compile(r"`+|~~~+|<(?=[A-Za-z/!?])|\[(?<=!\[)|\((?<=\]\()|:(?<=\]:)")
_COARSE = re.compile(
    r"<(?:script|iframe|object|embed|base|meta|link|style|form)\b|[\s/\"']on[a-z]{3,20}\s*=|(?:java|vb)script:|"
    r"data:text/html|!\[[^\[\]\n]{0,256}\]\(\s*<?(?:https?:)?[/\\]",
    re.IGNORECASE,
)
_TAG = re.compile(r"""<(/?[A-Za-z][^\s/>]*)((?:[^>=]++|=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?)*+)(>?)""")
_VALUE = re.compile(r"""=\s*(?:"([^"]*)("?)|'([^']*)('?)|([^\s>]*))""")
_NAME_START = re.compile(r"""[\s/"'>]""")
_LABEL = re.compile(r"\[((?:[^\[\]\\\n]|\n(?!\n)|\\.|\[[^\[\]\n]*\])*+)\]")
_TARGET = re.compile(r"\(((?:[^()\\\n]|\n(?!\n)|\\.|\([^()\n]*\))*+)(\)?)")
_DEFINED = re.compile(r"[ \t>]*\[((?:[^\[\]\\]|\\.)+)\]", re.DOTALL)
_DEFINITION = re.compile(r":[ \t]*\n?[ \t]*(<[^<>\n]*>|\S+)")
_LEAD = re.compile(r"[ >]*")
_BLANK_BEFORE = re.compile(r"(?:\A|\n)[ \t\r>]*(?:\n[ >]*)?\Z")
_COMMENT_END = re.compile("-->")
_WHOLE_END = re.compile(r"</(?:script|pre|style|textarea)\s*>", re.IGNORECASE)

_ACTIVE = frozenset({"iframe", "object", "embed", "base", "frame", "frameset", "applet", "style", "portal"})
_ACTIVE_WITH = frozenset({("meta", "http-equiv"), ("link", "rel"), ("link", "href"), ("form", "action")})
_BLOCK = re.compile(
    "address|article|aside|base(?:font)?|blockquote|body|caption|center|col(?:group)?|d[dlt]|details|dialog|dir|"
    "div|fieldset|figcaption|figure|footer|form|frame(?:set)?|h[1-6r]|head(?:er)?|html|iframe|legend|li|link|main|"
    "menu(?:item)?|nav|noframes|ol|opt(?:group|ion)|p|param|search|section|summary|t[dhr]|table|tbody|tfoot|"
    "thead|title|track|ul"
)
"""What begins an HTML block (CommonMark 0.31.2, section 4.6, condition 6)."""
_LOADED = frozenset({"src", "srcset", "poster", "background", "data", "lowsrc", "imagesrcset", "dynsrc"})
_LOADED_BY_HREF = frozenset({"image", "use", "feimage", "link"})
_LOUD_STYLE = re.compile(
    r"url\s*\(|image-set\s*\(|expression\s*\(|@import|-moz-binding|behavior\s*:|\\", re.IGNORECASE
)

_URL_CHARS = 2_048
_SCRIPT_URL = re.compile(
    r"(?:view-source:|feed:)*(?:javascript|vbscript|livescript|data:(?:text/(?:html|xml)|application/xhtml))\b",
    re.IGNORECASE,
)
_SKIPPED = re.compile(r"[\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]+")
_SKIPPED_ENTITY = re.compile(r"&#0*(?:9|10|13|32)\b;?|&#x0*(?:9|a|d|20)\b;?|&(?:tab|newline);", re.IGNORECASE)
_PADDING = re.compile(r"(?<=&#)0+(?=[0-9])|(?<=&#x)0+(?=[0-9a-f])", re.IGNORECASE)
_REMOTE = re.compile(r"(?:https?:/*|//+)([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_SIZING = re.compile(
    r"(?:w|h|q|s|v|width|height|quality|size|dpr|ver|version|rev)=[0-9.x]{1,10}|"
    r"(?:fit|crop|auto|format|fm|cs)=[a-z,-]{1,16}"
)
_PARTS = re.compile(r"[-_.~:,]")
_WORDY = re.compile(r"[A-Z]?[a-z]{0,20}|[A-Z]{1,12}|[0-9x]{1,14}|[a-z]{1,20}[0-9]{1,4}|[0-9]{1,4}[a-z]{1,6}")


def find_markup(text: str, allowed_hosts: frozenset[str] = frozenset()) -> list[Finding]:
    """Return what would run, or load a picture that carries data, in the order of the text.

    Pictures from `allowed_hosts` (names in small letters) may carry what they like.
    """
    scan = MarkupScan(allowed_hosts)
    return scan.feed(text) + scan.end()


def may_continue(tail: str) -> int:
    """Return how many characters at the end could be the beginning of a finding; at most `LONGEST_TAG`."""
    scan = MarkupScan()
    scan.feed(tail)
    return scan.held()


def may_hold(text: str) -> bool:
    """Say whether anything may be found in a text: a tag, a picture, a link, an address under a label.

    Of a long one yes: what has too many marks is looked at coarsely.
    """
    return len(text) > EFFORT_MAX or "<" in text or "![" in text or "](" in text or "]:" in text


class MarkupScan:
    """Looks at an answer that comes in pieces. Findings count from the beginning of the answer."""

    def __init__(self, allowed_hosts: frozenset[str] = frozenset()) -> None:
        self._hosts = allowed_hosts
        self._text, self._offset, self._pos, self._held = "", 0, 0, 0
        self._found: list[Finding] = []
        self._fence: Fence | None = None
        self._raw: re.Pattern[str] | None = None
        self._raw_from = self._outer = 0
        self._is_last = self._is_in_tag = False
        self._pictured: set[str] = set()
        self._defined: set[str] = set()

    def feed(self, piece: str) -> list[Finding]:
        """Look at the next piece; returns what is complete with it."""
        return self._look(piece, is_last=False)

    def end(self) -> list[Finding]:
        """Return what is still to be found where nothing follows: a tag that the page would close."""
        return self._look("", is_last=True)

    def held(self) -> int:
        """Return how many characters at the end must not leave yet."""
        return self._held

    def _look(self, piece: str, *, is_last: bool) -> list[Finding]:
        self._text += piece
        self._found, self._nested, self._is_last = [], NESTED_CHARS_MAX, is_last
        if self._is_in_tag:
            self._go_on_with_tag()
        self._pos = self._walk()
        self._forget()
        return self._found

    def _walk(self) -> int:
        """Go through what is new, up to what is not yet known; returns where that is."""
        text, pos = self._text, self._pos
        self._held = 0
        code: CodeRuns | None = None
        left = EFFORT_MAX
        while left > 0:
            if len(self._found) >= FINDINGS_MAX:
                return len(text)
            if self._fence is not None:
                pos, self._held = self._fence.leave(text, pos, is_last=self._is_last)
                if not self._fence.is_left:
                    return pos
                self._fence = None
            event = _EVENT.search(text, pos)
            if event is None:
                self._held = 0 if self._is_last or text[-1:] != "<" else 1
                return max(pos, len(text[-LONGEST_TAG:].rstrip("~<")) + max(0, len(text) - LONGEST_TAG))
            start = event.start()
            kind = text[start]
            left -= 1 if kind in "`~:" else 3
            if kind in "`~":
                code = code or CodeRuns(text, start)
                after = self._code(code, event)
            elif kind == "<":
                after = self._open_tag(start)
            elif kind == "[":
                after = self._picture(start)
            elif kind == "(":
                after = self._link(start, start - 1, is_picture=False)
            else:
                after = self._define(start)
            if after is None:
                self._held = min(len(text) - start, LONGEST_TAG)
                return start
            pos = after
        # Nothing but marks: code hides nothing in the rest.
        for each in islice(_COARSE.finditer(text, pos), FINDINGS_MAX):
            self._report("coarse", *each.span())
        return len(text)

    def _forget(self) -> None:
        """Keep of the text what is not yet known and a little before it."""
        cut = self._pos - _CONTEXT
        if self._raw is not None and not self._is_raw(self._pos):
            self._raw = None
        if cut > 0:
            self._text = self._text[cut:]
            self._offset += cut
            self._pos -= cut
            self._raw_from = max(0, self._raw_from - cut)
            self._outer -= cut

    def _report(self, label: str, start: int, end: int) -> None:
        digest = digest_of(self._text[start:end])
        self._found.append(Finding("markup", label, self._offset + start, self._offset + end, 1.0, digest))

    def _is_early(self, start: int) -> bool:
        """Tell whether what begins at `start` may still become whole."""
        return not self._is_last and len(self._text) - start < LONGEST_TAG

    def _may_go_on(self, start: int) -> bool:
        return self._is_early(start) and "\n\n" not in self._text[start:]

    def _code(self, code: CodeRuns, event: re.Match[str]) -> int | None:
        text, (start, end) = self._text, event.span()
        is_early = self._is_early(start)
        if end == len(text) and is_early:
            return None
        if self._is_raw(start):
            return end
        if end - start >= 3:
            line_end = text.find("\n", end)
            if line_end < 0 and is_early:
                return None
            fence = Fence.opened(text, start, end, line_end if line_end >= 0 else len(text))
            if fence is not None:
                self._fence = fence
                return line_end if line_end >= 0 else len(text)
        close = code.close_of(start, end) if text[start] == "`" else end
        if close is not None:
            return None if close == len(text) and is_early else close
        return end if not is_early or code.blank_after(end) < len(text) else None

    def _is_raw(self, pos: int) -> bool:
        """Tell whether an HTML block that began earlier goes on here."""
        if self._raw is None:
            return False
        if self._raw.search(self._text, self._raw_from, pos) is not None:
            self._raw = None
            return False
        self._raw_from = max(self._raw_from, pos - 64)
        return True

    def _open_tag(self, start: int) -> int | None:
        text = self._text
        is_nested = start < self._outer
        if is_nested and self._nested <= 0:
            return start + 1
        tag = _TAG.match(
            text, start, start + (min(self._nested, LONGEST_TAG) if is_nested else TAG_CHARS_MAX)
        )
        if tag is None:
            if start + 2 == len(text) and self._is_early(start):
                return None
            if self._is_line_start(start):
                self._begin_block(start, "", start + 1)
            return start + 1
        name, is_open = tag[1].lower(), not tag[3]
        if is_open and self._is_early(start):
            return None
        is_line = self._is_line_start(start)
        rest = text[tag.end() : tag.end() + 64]
        if is_line and not self._is_last and len(rest) < 64 and not rest.strip(" \t\r"):
            return None
        self._nested -= tag.end() - start if is_nested else 0
        if not is_nested:
            self._outer = start + LONGEST_TAG if is_open else tag.end()
        label = self._judge(name, start, tag.end(2))
        if label:
            self._report(label, start, tag.end())
        elif is_open and not self._is_last and text[start + 1] != "/":
            self._is_in_tag = True
        if is_line:
            self._begin_block(start, name, tag.end())
        return tag.end() if label else tag.end(1)

    def _judge(self, name: str, start: int, end: int) -> str:
        text = self._text
        if name in {"script", "svg:script"}:
            return "script"
        if name in _ACTIVE:
            return "active_element"
        if ":" in name and _is_script_url(text[start + 1 : end]):
            return "script_url"
        begin = start + 1 + len(name)
        if text.find("=", begin, end) < 0:
            return ""
        label = self._judge_attributes(name, begin, end)
        is_address = name.endswith(":") and not re.search(r"\s", text[begin:end])
        return "" if is_address and label != "event_handler" else label

    def _judge_attributes(self, name: str, begin: int, end: int) -> str:
        text = self._text
        for count, each in enumerate(_VALUE.finditer(text, begin, end)):
            if count >= ATTRIBUTES_MAX:
                return "active_element"
            at = each.start()
            name_of = _NAME_START.split(text[max(begin, at - 32) : at].rstrip())[-1]
            value = each[1] or each[3] or each[5] or ""
            label = self._judge_attribute(name, name_of.lower(), value)
            if label:
                return label
        return ""

    def _judge_attribute(self, name: str, attribute: str, value: str) -> str:
        if attribute.startswith("on") and len(attribute) > 4 and attribute[2:].isalpha():
            return "event_handler"
        if _is_script_url(value):
            return "script_url"
        if attribute == "style":
            return "style" if _LOUD_STYLE.search(html.unescape(value[:LONGEST_TAG])) else ""
        if attribute in {"srcdoc", "formaction"} or (name, attribute) in _ACTIVE_WITH:
            return "active_element"
        if attribute not in _LOADED and not (name in _LOADED_BY_HREF and attribute.endswith("href")):
            return ""
        addresses = value[:LONGEST_TAG].replace(",", " ").split() if attribute.endswith("srcset") else [value]
        return "data_image" if any(_carries_data(each, self._hosts) for each in addresses) else ""

    def _is_line_start(self, start: int) -> bool:
        line = self._text.rfind("\n", max(0, start - 64), start) + 1
        return (line > 0 or start <= 64) and _LEAD.fullmatch(self._text, line, start) is not None

    def _begin_block(self, start: int, name: str, end: int) -> None:
        """Remember that an HTML block begins with this line, if one does: nothing in it is code."""
        text = self._text
        if self._is_raw(start):
            return
        if text[start + 1] in "!?":
            self._raw = _COMMENT_END
        elif name in {"script", "pre", "style", "textarea"}:
            self._raw = _WHOLE_END
        elif _BLOCK.fullmatch(name.lstrip("/")) or (
            text[end : end + 64].lstrip(" \t\r")[:1] in {"", "\n"}
            and _BLANK_BEFORE.search(text, max(0, start - 64), start)
        ):
            self._raw = BLANK
        self._raw_from = end if self._raw is not BLANK else max(start, end - 1)

    def _go_on_with_tag(self) -> None:
        """Look at what follows in a tag that was longer than anything is held back for."""
        end = self._text.find("\n\n", self._pos)
        loud = _COARSE.search(self._text, max(0, self._pos - 32), end if end >= 0 else len(self._text))
        if loud is not None:
            self._report("event_handler" if "=" in loud[0] else "coarse", *loud.span())
        self._is_in_tag = loud is None and end < 0

    def _picture(self, start: int) -> int | None:
        text = self._text
        alt = _LABEL.match(text, start)
        if alt is None:
            return None if self._may_go_on(start) else start + 1
        label_of, end = alt[1], alt.end()
        if end == len(text) and self._is_early(start):
            return None
        if text.startswith("(", end):
            return self._link(end, start - 1, is_picture=True)
        if text.startswith("[", end):
            named = _LABEL.match(text, end)
            if named is None and self._is_early(start):
                return None
            label_of, end = (named[1] or label_of, named.end()) if named is not None else (label_of, end)
        name = _folded(label_of)
        if name in self._defined:
            self._report("data_image", start - 1, end)
        elif len(self._pictured) < LABELS_MAX:
            self._pictured.add(name)
        return start + 1

    def _link(self, at: int, start: int, *, is_picture: bool) -> int | None:
        """Judge a link or a picture whose address stands in brackets from `at` on."""
        target = _TARGET.match(self._text, at)
        assert target is not None
        if not target[2] and self._may_go_on(start):
            return None
        address = target[1].strip().lstrip("<")
        label = "script_url" if _is_script_url(address) else ""
        if (
            is_picture
            and not label
            and _carries_data(re.split(r"[\s>]", address, maxsplit=1)[0], self._hosts)
        ):
            label = "data_image"
        if not label:
            return start + 2
        self._report(label, start, target.end())
        return target.end()

    def _define(self, start: int) -> int | None:
        text = self._text
        line = text.rfind("\n", max(0, start - _CONTEXT), start) + 1
        label = _DEFINED.fullmatch(text, line, start) if line or start <= _CONTEXT else None
        if label is None:
            return start + 1
        definition = _DEFINITION.match(text, start)
        is_whole = definition is not None and definition.end() < len(text)
        if not is_whole and self._is_early(start):
            return None
        if definition is None:
            return start + 1
        address, name = definition[1].strip("<>"), _folded(label[1])
        if _is_script_url(address):
            self._report("script_url", line, definition.end())
        elif _carries_data(address, self._hosts):
            if name in self._pictured:
                self._report("data_image", line, definition.end())
            elif len(self._defined) < LABELS_MAX:
                self._defined.add(name)
        return definition.end()


def _is_script_url(value: str) -> bool:
    value = value.strip()
    if ":" not in value[:_URL_CHARS] and "&" not in value[:_URL_CHARS]:
        return False
    return _SCRIPT_URL.match(_plain(value)) is not None


def _plain(value: str) -> str:
    """Return an address as a browser reads it: entities decoded, what it skips left out."""
    if "&" in value:
        value = html.unescape(_PADDING.sub("", _SKIPPED_ENTITY.sub("", value))[:_URL_CHARS])
    return _SKIPPED.sub("", value[:_URL_CHARS])


def _carries_data(value: str, allowed_hosts: frozenset[str]) -> bool:
    """Tell whether fetching this address tells its host something: in its query, its path or its name."""
    remote = _REMOTE.match(_plain(value).replace("\\", "/"))
    if remote is None:
        return False
    host = remote[1].rpartition("@")[2].partition(":")[0].lower().rstrip(".")
    if host in allowed_hosts:
        return False
    path, _, query = remote[2].partition("#")[0].partition("?")
    if len(query) > 64 or not all(_SIZING.fullmatch(each) for each in query.split("&") if each):
        return True
    odd = 0
    for segment in [*host.split("."), *path.split("/")]:
        if len(segment) > DATA_CHARS and (segment.count("%") >= 3 or segment.count("+") >= 3):
            return True
        odd += sum(len(each) for each in _PARTS.split(segment) if not _WORDY.fullmatch(each))
    return odd > DATA_CHARS or "@" in remote[1]


def _folded(label: str) -> str:
    return " ".join(label.casefold().split())
