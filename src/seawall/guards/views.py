"""The views of a text that are looked at: as it stands, or where it is in code, what it says.

Invariants:
- That a text is in code is no evidence. Where it can be read, what it says is looked at in its place.
- There are at most `VIEWS_MAX` views for every `CHUNK_CHARS` of a text, none of them longer than that.
- Ordinary text has one view, itself: what could be code is known by signs that cost next to nothing.
"""

from seawall.guards.ciphers import decipher
from seawall.guards.decoding import decode
from seawall.guards.normal import Normal, normalise
from seawall.guards.plainness import is_plain

VIEWS_MAX = 3
CHUNK_CHARS = 8_192
OVERLAP_CHARS = 256


def views(normal: Normal, vocabulary: frozenset[str]) -> list[str]:
    """Return everything to score for a text, in lower case; the text itself is first where it is plain."""
    text, cased = normal.text, normal.cased
    if len(text) <= CHUNK_CHARS:
        found = _read(text, cased, vocabulary) or [text]
    else:
        found = []
        for start in range(0, len(text) - OVERLAP_CHARS, CHUNK_CHARS - OVERLAP_CHARS):
            piece = text[start : start + CHUNK_CHARS]
            found += _read(piece, cased[start : start + CHUNK_CHARS], vocabulary) or [piece]
    if normal.hidden:
        found.append(normalise(normal.hidden[:CHUNK_CHARS]).text)
    return found


def _read(text: str, cased: str, vocabulary: frozenset[str]) -> list[str]:
    """Return what a piece of text says that is in code; nothing for one that is written plainly."""
    if is_plain(text, cased):
        return []
    found: list[str] = []
    words = text.split()
    lengths = list(map(len, words))
    longest = max(lengths, default=0)
    decoded = decode(cased, words, longest)
    if decoded is not None:
        inner = normalise(decoded[:CHUNK_CHARS]).text
        found.append(inner)
        inner_words = inner.split()
        inner_lengths = list(map(len, inner_words))
        meant = decipher(inner, inner_words, inner_lengths, vocabulary)
        if meant is not None:
            found.append(meant[:CHUNK_CHARS])
    meant = decipher(text, words, lengths, vocabulary)
    if meant is not None:
        found.append(meant[:CHUNK_CHARS])
    return found[:VIEWS_MAX]
