"""Turns a text into the features that the scorer weighs: numbers of hashed pieces, in the order of the text.

Three families, all of a lower-case text in its plain form (`normal.py`):
- words: single ones, pairs, triples, and pairs with one word between them
- characters: every run of three and five, spaces included, so that misspelling costs little
- concepts (`lexicon.py`): what a word means whatever its language, alone and in ordered pairs and triples

All arithmetic is of unsigned 32-bit numbers that wrap around. A text of n characters has fewer than 12 n
features; nothing here grows faster.
"""

import re
import threading
import unicodedata
from functools import cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from seawall.guards.lexicon import Lexicon

BITS = 20
"""A feature is a number below 2 to this power."""

U32 = NDArray[np.uint32]
Places = NDArray[np.intp]
_SPACE, _LETTER, _SINGLE = 0, 1, 2
_BASE = np.uint32(0x01000193)
_MIX = np.uint32(0x9E3779B1)
_SPREAD = np.uint32(0x85EBCA6B)
CONCEPT_WEIGHT = 2
"""A concept counts so much more than a word or a run: it tells more than the letters it is written with."""
_NEAR_WORDS = 12
"""Concepts further apart than this are not read together."""


class Features(Struct, frozen=True):
    """The features of one text, one after the other: of words, of characters, of concepts.

    `index` are the features; `words` and `runs` say how many there are of each kind of the first two
    families: the n-th of a kind begins at the n-th word or character. Those of concepts begin at the words
    `concepts_at`. `starts` are the characters of `text` at which words begin. `is_first` says of each feature
    whether it is new: what is said again says no more.
    """

    text: str
    index: U32
    words: tuple[int, ...]
    runs: tuple[int, ...]
    concepts_at: Places
    starts: Places
    is_first: NDArray[np.bool_]


_NOWHERE = np.zeros(0, np.intp)
_NOTHING = Features("", np.zeros(0, np.uint32), (), (), _NOWHERE, _NOWHERE, np.zeros(0, bool))


class Hashing:
    """Makes features; holds the tables that every text needs."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._classes = _classes()
        self._powers, self._inverse = _powers(1 << 12)
        self._local = threading.local()

    def features(self, text: str) -> Features:
        """Return the features of a text."""
        text, codes = tidy(text)
        padded = np.zeros(len(codes) + 1, np.uint8)
        classes = self._classes.take(codes, mode="clip", out=padded[:-1])
        starts, ends = _words(classes)
        if not len(starts):
            return _NOTHING
        mixed = codes * _MIX
        mixed ^= mixed >> np.uint32(15)
        words = _word_runs(self._hash_words(mixed, starts, ends))
        runs = _character_runs(mixed)
        concepts, at = self._concept_runs(text, padded, starts)
        index = np.concatenate((*words, *runs, *concepts))
        index *= _SPREAD
        index >>= np.uint32(32 - BITS)
        sizes = tuple(map(len, words)), tuple(map(len, runs))
        return Features(text, index, *sizes, at, starts, self._is_first(index))

    def _is_first(self, index: U32) -> NDArray[np.bool_]:
        """Say which features are new: each writes its place into a table, the first last, and looks again."""
        table = getattr(self._local, "table", None)
        if table is None:
            table = self._local.table = np.zeros(1 << BITS, np.uint32)
        places = np.arange(len(index), dtype=np.uint32)
        table[index[::-1]] = places[::-1]
        first: NDArray[np.bool_] = table[index] == places
        return first

    def _hash_words(self, mixed: U32, starts: Places, ends: Places) -> U32:
        """Hash each word: a polynomial over its characters, from differences of running sums."""
        powers, inverse = self._powers, self._inverse
        if len(mixed) > len(powers):
            powers, inverse = self._powers, self._inverse = _powers(2 * len(mixed))
        sums = np.zeros(len(mixed) + 1, np.uint32)
        np.cumsum(mixed * powers[: len(mixed)], dtype=np.uint32, out=sums[1:])
        hashed = (sums[ends] - sums[starts]) * inverse[starts]
        hashed ^= hashed >> np.uint32(13)
        return hashed

    def _concept_runs(self, text: str, padded: NDArray[np.uint8], starts: Places) -> tuple[list[U32], Places]:
        concepts, places = self._lexicon.find(text, padded)
        if not len(concepts):
            return [], _NOWHERE
        at = np.searchsorted(starts, places, side="right") - 1
        hashed = (concepts.astype(np.uint32) + np.uint32(1)) * np.uint32(0xC2B2AE35)
        runs, places_of = [hashed ^ np.uint32(0x5BD1E995)], [at]
        for step in (1, 2):
            near = at[step:] - at[:-step] <= _NEAR_WORDS
            pair = (hashed[:-step] * np.uint32(31) + hashed[step:] * np.uint32(0x27D4EB2F))[near]
            runs.append(pair ^ np.uint32(0x1B873593))
            places_of.append(at[:-step][near])
        near = at[2:] - at[:-2] <= _NEAR_WORDS
        triple = hashed[:-2] * np.uint32(961) + hashed[1:-1] * np.uint32(31) + hashed[2:]
        runs.append(triple[near] ^ np.uint32(0x2545F491))
        places_of.append(at[:-2][near])
        return runs, np.concatenate(places_of)


def tidy(text: str) -> tuple[str, U32]:
    """Return a text without what tells nothing: which number, whose address, how long a line is drawn.

    Its characters are returned beside it, as numbers.
    """
    if "@" in text:
        text = _MAIL.sub("a@b", text)
    if "://" in text:
        text = _URL.sub("http://a", text)
    if "--" in text or "==" in text or "**" in text or ".." in text or "##" in text or "  " in text:
        text = _RUN.sub(r"\1\1", text)
    if text.isascii():
        data = text.encode().translate(_ASCII_DIGITS)
        return data.decode(), np.frombuffer(data, np.uint8).astype(np.uint32)
    text = text.translate(_DIGITS)
    return text, np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w.-]{1,255}")
_URL = re.compile(r"(?<![a-z])[a-z]{2,10}://[^\s\"'<>)\]}]{1,2048}")
_RUN = re.compile(r"([^\w<>|\[\]`])\1{2,}")
_DIGITS = str.maketrans("123456789", "000000000")
_ASCII_DIGITS = bytes.maketrans(b"123456789", b"000000000")


def _words(classes: NDArray[np.uint8]) -> tuple[Places, Places]:
    """Return where words begin and end: runs of letters and digits, and every other visible character."""
    begins = classes == _SINGLE
    begins[:1] = True
    begins[1:] |= classes[1:] != classes[:-1]
    edges = np.flatnonzero(begins)
    is_word = classes[edges] != _SPACE
    ends = np.append(edges[1:], len(classes))
    return edges[is_word], ends[is_word]


def _word_runs(words: U32) -> list[U32]:
    pairs = words[:-1] * np.uint32(0x0000ACED) + words[1:]
    gaps = words[:-2] * np.uint32(0x00C0FFEF) + words[2:] + np.uint32(77)
    triples = pairs[:-1] * np.uint32(0x0000BEEF) + words[2:]
    return [words, pairs, gaps, triples]


def _character_runs(mixed: U32) -> list[U32]:
    three = mixed[:-2] * np.uint32(31) + mixed[1:-1] * np.uint32(0x65D) + mixed[2:] * np.uint32(0x10F2D)
    five = three[:-2] * np.uint32(77) + mixed[3:-1] * np.uint32(0x9E3779) + mixed[4:] * np.uint32(0x7FEB352D)
    return [
        (run ^ (run >> np.uint32(16))) + np.uint32(salt)
        for run, salt in ((three, 0x3C6EF372), (five, 0x165667B1))
    ]


@cache
def _classes() -> NDArray[np.uint8]:
    """Return what each character is; those of scripts without spaces are words of their own."""
    table = np.full(0x20000, _LETTER, np.uint8)
    for code in range(0x20000):
        kind = unicodedata.category(chr(code))
        if kind[0] in "ZC" or code in (9, 10, 13):
            table[code] = _SPACE
        elif kind[0] in "PS" or _stands_alone(code):
            table[code] = _SINGLE
    return table


def _stands_alone(code: int) -> bool:
    return 0x3040 <= code <= 0x30FF or 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF


def _powers(count: int) -> tuple[U32, U32]:
    """Return the powers of the base and their inverses modulo 2 to the 32nd."""
    inverse = np.uint32(pow(int(_BASE), -1, 1 << 32))
    powers, inverses = np.ones(count, np.uint32), np.ones(count, np.uint32)
    np.cumprod(np.full(count - 1, _BASE), dtype=np.uint32, out=powers[1:])
    np.cumprod(np.full(count - 1, inverse), dtype=np.uint32, out=inverses[1:])
    return powers, inverses
