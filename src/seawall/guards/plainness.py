"""Proves at little cost that a text is in no code or cipher, so that none has to be tried.

Invariants:
- A proof is never wrong: what `decode` or `decipher` would change is not plain. Plain text that looks like
  more may fail to be proven so; it is then read the long way.
"""

import re
from functools import cache

from ahocorasick_rs import BytesAhoCorasick

from seawall.guards import signs
from seawall.guards.ciphers import telling_words
from seawall.guards.normal import beyond_ascii

_LOUD = re.compile("[\\s\\d\u20ac\u00a3\u2800-\u28ff]")
"""Above ASCII these alone have a part in a code, or stand between two words."""
_FOLDED = bytes(
    32 if code in signs.SPACES else code + 32 if code in signs.UPPER else code for code in range(256)
)


def is_plain(text: str, cased: str) -> bool:
    """Say whether a text surely says what it says; `text` is `cased` in small letters, or it is not known."""
    if "\\" in cased:
        return False
    if not cased.isascii() and (text != cased.lower() or _LOUD.search(beyond_ascii(cased)) is not None):
        return False
    data = cased.encode("ascii", "replace")  # One byte a character: what stands apart stays apart.
    if signs.may_be_long(data) or signs.may_be_numbers(data) or signs.may_be_leet(data):
        return False
    if (b"%" in data and data.count(b"%") >= 3) or (b"=" in data and data.count(b"=") >= 3):
        return False
    if (b"\n" in data or b"`" in data) and signs.may_be_uuencoded(data):
        return False
    if b"-" in data and signs.may_be_morse(data):
        return False
    if signs.may_be_spaced(data):
        return False
    return not _telling().find_matches_as_indexes(b" %b " % data.translate(_FOLDED))


@cache
def _telling() -> BytesAhoCorasick:
    """Return what finds words by which a cipher is known, between spaces, and two signs more."""
    return BytesAhoCorasick([*(f" {word} ".encode() for word in telling_words()), b"&#", b". ."])
