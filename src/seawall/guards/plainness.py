"""Proves at little cost that a text is in no code or cipher, so that none has to be tried.

Invariants:
- A proof is never wrong: what `decode` or `decipher` would change is not plain. Plain text that looks like
  more may fail to be proven so; it is then read the long way.
- Each step is a pass of C over the text: characters become classes, and what every match needs is looked for
  among them.
"""

from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import product

from ahocorasick_rs import BytesAhoCorasick
from msgspec import Struct

from seawall.guards.ciphers import GLUED_LETTERS, telling_words
from seawall.guards.decoding import TOKEN_CHARS
from seawall.guards.normal import beyond_ascii

_SPACES = {code for code in range(128) if chr(code).isspace()}
_LOWER, _UPPER = set(b"abcdefghijklmnopqrstuvwxyz"), set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS = set(b"0123456789")
_ALNUM = _LOWER | _UPPER | _DIGITS


def _table(**classes: Iterable[int]) -> bytes:
    """Return a table for `bytes.translate`: each class is the letter that names it, all else a hyphen."""
    table = bytearray(b"-" * 256)
    for name, codes in classes.items():
        for code in codes:
            table[code] = ord(name)
    return bytes(table)


_WORD = _table(r=set(range(128)) - _SPACES)
_BASE64, _ASCII85 = _table(r=[*_ALNUM, *b"+/_-"]), _table(r=range(33, 118))
"""Base64, base32 and glued letters are runs of the first, ASCII85 is one of the second."""
_NUMBERS = _table(n=[*_DIGITS, *b"abcdefABCDEF :,;xX\\"])
"""Hexadecimal, binary and decimal codes are runs of these; the shortest has eight pairs."""
_LEET = _table(m=[*_DIGITS, *b"@$!|+"], l=[*_LOWER, *_UPPER])
"""What stands for letters, and letters: a mark with a letter after it is in every such word."""
_LINE = _table(u=range(32, 97), **{"\n": b"\n"})
"""A line of uuencode has nothing but these; small letters are not among them."""
_DOTS = _table(d=b".-", s=b" /")
_LONE = _table(a=_ALNUM, s=b" .-_*|/")
_FOLDED = bytes(32 if code in _SPACES else code + 32 if code in _UPPER else code for code in range(256))

_LONG_RUN, _ASCII85_RUN, _NUMBER_RUN = b"r" * min(TOKEN_CHARS, GLUED_LETTERS), b"r" * 20, b"n" * 16
_LEET_WORDS = 2
_LINE_BYTES = 9
_DOTTED = (b"dsd", b"dssd", b"dsssd")


class _Telling(Struct, frozen=True):
    """What finds letters that stand one by one, and words by which a cipher is known, between spaces."""

    lone: BytesAhoCorasick
    words: BytesAhoCorasick


@cache
def _telling() -> _Telling:
    gaps = (b"s", b"ss", b"sss")
    lone = [b"sa" + b"a".join(between) + b"as" for between in product(gaps, repeat=3)]
    words = [f" {word} ".encode() for word in telling_words()]
    return _Telling(BytesAhoCorasick(lone), BytesAhoCorasick([*words, b". .", b"&#"]))


def is_plain(text: str, cased: str) -> bool:
    """Say whether a text surely says what it says; `text` is `cased` in small letters, or it is not known."""
    if "\\" in cased:
        return False
    if not cased.isascii() and not (text == cased.lower() and all(map(_is_mute, beyond_ascii(cased)))):
        return False
    data = cased.encode("ascii", "replace")  # One byte a character: what stands apart stays apart.
    if _LONG_RUN in data.translate(_WORD) and (
        _LONG_RUN in data.translate(_BASE64) or _ASCII85_RUN in data.translate(_ASCII85)
    ):
        return False
    if _NUMBER_RUN in data.translate(_NUMBERS) or (b"%" in data and data.count(b"%") >= 3):
        return False
    marked = data.translate(_LEET)
    if b"m" in marked and marked.count(b"ml") >= _LEET_WORDS:
        return False
    if b"=" in data and data.count(b"=") >= 3:
        return False
    if (b"\n" in data or b"`" in data) and _has_line(data):
        return False
    if b"-" in data and any(map(data.translate(_DOTS).__contains__, _DOTTED)):
        return False
    telling = _telling()
    if telling.lone.find_matches_as_indexes(data.translate(_LONE)):
        return False
    return not telling.words.find_matches_as_indexes(b" %b " % data.translate(_FOLDED))


@lru_cache(maxsize=4096)
def _is_mute(char: str) -> bool:
    """Say whether a character above ASCII has no part in any code, and stands between no two words."""
    return not (char.isspace() or char.isdigit() or char in "€£" or "\u2800" <= char <= "\u28ff")


def _has_line(data: bytes) -> bool:
    """Say whether a line may be one of uuencode."""
    lines = data.translate(_LINE).split(b"\n")
    return any(len(line) >= _LINE_BYTES and b"-" not in line for line in lines)
