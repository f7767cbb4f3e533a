"""The signs of codes: what every text in a code has, told by a pass of C over the classes of its characters.

Invariants:
- Where a sign is missing, no expression for its code finds anything. Where it is there, one may.
- Texts come as bytes, one for each character, all above ASCII as `?`.
"""

from collections.abc import Iterable
from functools import cache
from itertools import product

from ahocorasick_rs import BytesAhoCorasick

SPACES = frozenset(code for code in range(128) if chr(code).isspace())
UPPER = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LETTERS = UPPER | frozenset(b"abcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset(b"0123456789")


def _table(**classes: Iterable[int]) -> bytes:
    """Return a table for `bytes.translate`: each class is the letter that names it, all else a hyphen."""
    table = bytearray(b"-" * 256)
    for name, codes in classes.items():
        for code in codes:
            table[code] = ord(name)
    return bytes(table)


_WORD = _table(r=frozenset(range(128)) - SPACES)
_BASE64, _ASCII85 = _table(r=[*_LETTERS, *_DIGITS, *b"+/_-"]), _table(r=range(33, 118))
_LONG_RUN, _ASCII85_RUN = b"r" * 16, b"r" * 20
_NUMBERS, _NUMBER_RUN = _table(n=[*_DIGITS, *b"abcdefABCDEF :,;xX\\"]), b"n" * 16
_LEET, _LEET_WORDS = _table(m=[*_DIGITS, *b"@$!|+"], l=_LETTERS), 2
_LINE, _LINE_BYTES = _table(u=range(32, 97), **{"\n": b"\n"}), 9
_DOTS, _DOTTED = _table(d=b".-", s=b" /"), (b"dsd", b"dssd", b"dsssd")
_LONE = _table(a=_LETTERS | _DIGITS, s=b" .-_*|/")


def may_be_long(data: bytes) -> bool:
    """Say whether a word may be base64, base32, ASCII85 or glued of others: by a run of 16, or of 20."""
    if _LONG_RUN not in data.translate(_WORD):
        return False
    return _LONG_RUN in data.translate(_BASE64) or _ASCII85_RUN in data.translate(_ASCII85)


def may_be_numbers(data: bytes) -> bool:
    """Say whether digits may be hexadecimal, binary or decimal codes: the shortest has eight pairs."""
    return _NUMBER_RUN in data.translate(_NUMBERS)


def may_be_leet(data: bytes) -> bool:
    """Say whether two words may have digits for letters: a mark with a letter after it is in each of them."""
    marked = data.translate(_LEET)
    return b"m" in marked and marked.count(b"ml") >= _LEET_WORDS


def may_be_uuencoded(data: bytes) -> bool:
    """Say whether a line may be uuencoded: nothing is in it but what stands before the small letters."""
    lines = data.translate(_LINE).split(b"\n")
    return any(len(line) >= _LINE_BYTES and b"-" not in line for line in lines)


def may_be_morse(data: bytes) -> bool:
    """Say whether dots and dashes may be morse: two with nothing but a gap between them are in it."""
    dotted = data.translate(_DOTS)
    return any(map(dotted.__contains__, _DOTTED))


def may_be_spaced(data: bytes) -> bool:
    """Say whether letters may stand one by one: six that do have four among them with gaps on both sides."""
    return bool(_lone().find_matches_as_indexes(data.translate(_LONE)))


@cache
def _lone() -> BytesAhoCorasick:
    gaps = (b"s", b"ss", b"sss")
    return BytesAhoCorasick([b"sa" + b"a".join(between) + b"as" for between in product(gaps, repeat=3)])
