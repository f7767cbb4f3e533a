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
Bytes = NDArray[np.uint8]
Places = NDArray[np.intp]
_SPACE, _LETTER, _SINGLE = 0, 1, 2
_IS_LETTER = np.uint8(1)
_BASE = 0x01000193
_MIX, _SPREAD = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B)
_DROPPED = np.uint32(32 - BITS)
_SHIFT_13, _SHIFT_15, _SHIFT_16 = np.uint32(13), np.uint32(15), np.uint32(16)
_PAIR, _GAP, _GAP_SALT, _TRIPLE = map(np.uint32, (0x0000ACED, 0x00C0FFEF, 77, 0x0000BEEF))
_THREE = tuple(map(np.uint32, (31, 0x65D, 0x10F2D)))
_FIVE = tuple(map(np.uint32, (77, 0x9E3779, 0x7FEB352D)))
_THREE_SALT, _FIVE_SALT = np.uint32(0x3C6EF372), np.uint32(0x165667B1)
_ONE, _TWO, _THIRD = map(np.uint32, (31, 0x27D4EB2F, 961))
_ALONE_SALT, _PAIR_SALT, _TRIPLE_SALT = map(np.uint32, (0x5BD1E995, 0x1B873593, 0x2545F491))
CONCEPT_WEIGHT = 2
"""A concept counts so much more than a word or a run: it tells more than the letters it is written with."""
_NEAR_WORDS = 12
"""Concepts further apart than this are not read together."""
_PLACES_MAX = 1 << 16
"""A text with more features than this, of 6,000 characters at the least, is looked through another way."""


class Features(Struct, frozen=True):
    """The features of one text, one after the other: of words, of characters, of concepts.

    `index` are the features; `words` and `runs` say how many there are of each kind of the first two
    families: the n-th of a kind begins at the n-th word or character. Those of concepts begin at the words
    `concepts_at`. `starts` are the characters of `text` at which words begin. `is_first` says of each feature
    whether it is new: what is said again says no more. It and `index` lie in memory from the last to the
    first, so that to read them backwards costs nothing.
    """

    text: str
    index: Places
    words: tuple[int, int, int, int]
    runs: tuple[int, int]
    concepts_at: Places
    starts: Places
    is_first: NDArray[np.bool_]


_NOWHERE = np.zeros(0, np.intp)
_NO_CONCEPTS = np.zeros(0, np.uint32), _NOWHERE
_NOTHING = Features("", _NOWHERE, (0, 0, 0, 0), (0, 0), _NOWHERE, _NOWHERE, np.zeros(0, bool))


class Hashing:
    """Makes features; holds the tables that every text needs."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._classes = _classes()
        self._ascii_classes = self._classes[:128].tobytes() + bytes(128)
        self._powers, self._inverse = _powers(1 << 12)
        self._backwards = np.arange(_PLACES_MAX, dtype=np.uint16)[::-1].copy()
        self._local = threading.local()

    def features(self, text: str) -> Features:
        """Return the features of a text."""
        text, codes, padded = self._read(text)
        is_letter = padded & _IS_LETTER
        starts = (padded[1:-1] > is_letter[:-2]).nonzero()[0]
        if not len(starts):
            return _NOTHING
        lasts = (padded[1:-1] > is_letter[2:]).nonzero()[0]
        concepts, at = self._concepts(text, is_letter.tobytes(), starts)
        words, runs = _sizes(len(starts)), (max(0, len(codes) - 2), max(0, len(codes) - 4))
        by_word, by_run = sum(words), sum(words) + sum(runs)
        hashed = np.empty(by_run + len(concepts), np.uint32)
        mixed = codes * _MIX
        mixed ^= mixed >> _SHIFT_15
        self._hash_words(mixed, starts, lasts, hashed[: words[0]])
        _hash_word_runs(hashed[:by_word])
        _hash_character_runs(mixed, hashed[by_word:by_run])
        hashed[by_run:] = concepts
        hashed *= _SPREAD
        hashed >>= _DROPPED
        backwards = hashed[::-1].astype(np.intp)
        is_first = self._is_first(backwards)
        return Features(text, backwards[::-1], words, runs, at, starts, is_first[::-1])

    def _read(self, text: str) -> tuple[str, U32, Bytes]:
        """Return a text without what tells nothing, its characters as numbers, and what each of them is.

        What they are has a 0, a space, before the first and after the last.
        """
        text = tidy(text)
        if text.isascii():
            data = text.encode().translate(_DIGITS)
            classes = b"\0%b\0" % data.translate(self._ascii_classes)
            codes = np.frombuffer(data, np.uint8).astype(np.uint32)
            return data.decode(), codes, np.frombuffer(classes, np.uint8)
        data = text.encode("utf-8", "surrogatepass").translate(_DIGITS)
        text = data.decode("utf-8", "surrogatepass")
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        padded = np.zeros(len(codes) + 2, np.uint8)
        self._classes.take(codes, mode="clip", out=padded[1:-1])
        return text, codes, padded

    def _is_first(self, backwards: Places) -> NDArray[np.bool_]:
        """Say which features are new: each writes its place into a table, the first last, and looks again."""
        if len(backwards) > _PLACES_MAX:
            is_first = np.zeros(len(backwards), bool)
            is_first[np.unique(backwards[::-1], return_index=True)[1]] = True
            return is_first[::-1]
        table = getattr(self._local, "table", None)
        if table is None:
            table = self._local.table = np.zeros(1 << BITS, np.uint16)
        places = self._backwards[_PLACES_MAX - len(backwards) :]
        table[backwards] = places
        first: NDArray[np.bool_] = table.take(backwards) == places
        return first

    def _hash_words(self, mixed: U32, starts: Places, lasts: Places, out: U32) -> None:
        """Hash each word: a polynomial over its characters, from differences of running sums."""
        powers, inverse = self._powers, self._inverse
        if len(mixed) > len(powers):
            powers, inverse = self._powers, self._inverse = _powers(2 * len(mixed))
        sums = np.empty(len(mixed) + 1, np.uint32)
        sums[0] = 0
        np.add.accumulate(mixed * powers[: len(mixed)], out=sums[1:])
        np.subtract(sums[1:].take(lasts), sums.take(starts), out=out)
        out *= inverse.take(starts)
        out ^= out >> _SHIFT_13

    def _concepts(self, text: str, is_letter: bytes, starts: Places) -> tuple[U32, Places]:
        """Return the concepts, alone and in runs, and the words at which they begin."""
        hashed, places = self._lexicon.find(text, is_letter)
        count = len(hashed)
        if not count:
            return _NO_CONCEPTS
        at = starts.searchsorted(places, side="right") - 1
        alone = hashed ^ _ALONE_SALT
        if count == 1:
            return alone, at
        first, second = hashed * _ONE, hashed * _TWO
        pairs, gaps = first[:-1] + second[1:], first[:-2] + second[2:]
        triples = hashed[:-2] * _THIRD
        triples += first[1:-1]
        triples += hashed[2:]
        pairs ^= _PAIR_SALT
        gaps ^= _PAIR_SALT
        triples ^= _TRIPLE_SALT
        runs = np.concatenate((alone, pairs, gaps, triples))
        places_of = np.concatenate((at, at[:-1], at[:-2], at[:-2]))
        far = at[2:] - at[:-2] > _NEAR_WORDS
        if len(far) and not far.any():  # Nor are two that follow one another.
            return runs, places_of
        is_near = np.ones(len(runs), bool)
        np.less_equal(at[1:] - at[:-1], _NEAR_WORDS, out=is_near[count : 2 * count - 1])
        np.logical_not(far, out=is_near[2 * count - 1 : 3 * count - 3])
        np.logical_not(far, out=is_near[3 * count - 3 :])
        return runs[is_near], places_of[is_near]


def tidy(text: str) -> str:
    """Return a text without what tells nothing: which number, whose address, how long a line is drawn.

    Digits are still what they are.
    """
    if "@" in text:
        text = _MAIL.sub("a@b", text)
    if "://" in text:
        text = _URL.sub("http://a", text)
    if text.isascii() and not _may_be_drawn(text.encode()):
        return text
    if "--" in text or "==" in text or "**" in text or ".." in text or "##" in text or "  " in text:
        text = _RUN.sub(r"\1\1", text)
    return text


def _may_be_drawn(data: bytes) -> bool:
    """Say whether a line is drawn in a text: a character that lines are made of, three times."""
    if b"---" not in data.translate(_ANY_LINE):
        return False
    drawn = np.frombuffer(data.translate(_LINES), np.uint8)
    is_twice = drawn[1:] == drawn[:-1]
    is_thrice = is_twice[1:] & is_twice[:-1]
    return bool((drawn[2:][is_thrice] < 128).any())


_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w.-]{1,255}")
_URL = re.compile(r"(?<![a-z])[a-z]{2,10}://[^\s\"'<>)\]}]{1,2048}")
_RUN = re.compile(r"([^\w<>|\[\]`])\1{2,}")
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_DRAWS = frozenset(code for code in range(128) if _RUN.fullmatch(chr(code) * 3))
_LINES = bytes(code if code in _DRAWS else 255 for code in range(256))
_ANY_LINE = bytes(45 if code in _DRAWS else 97 for code in range(256))
"""Tables that keep what a line can be drawn of, and that make a hyphen of it."""


def _sizes(count: int) -> tuple[int, int, int, int]:
    """Return how many words, pairs, pairs with a gap, and triples so many words make."""
    return count, max(0, count - 1), max(0, count - 2), max(0, count - 2)


def _hash_word_runs(hashed: U32) -> None:
    """Hash pairs, pairs with a gap, and triples of the words that come first, into the rest."""
    count = (len(hashed) + 5) // 4 if len(hashed) > 1 else 1
    words, pairs = hashed[:count], hashed[count : 2 * count - 1]
    np.multiply(words[:-1], _PAIR, out=pairs)
    pairs += words[1:]
    if count < 3:
        return
    gaps, triples = hashed[2 * count - 1 : 3 * count - 3], hashed[3 * count - 3 :]
    np.multiply(words[:-2], _GAP, out=gaps)
    gaps += words[2:]
    gaps += _GAP_SALT
    np.multiply(pairs[:-1], _TRIPLE, out=triples)
    triples += words[2:]


def _hash_character_runs(mixed: U32, hashed: U32) -> None:
    """Hash every run of three characters, and after them every one of five."""
    count = max(0, len(mixed) - 2)
    three, five = hashed[:count], hashed[count:]
    np.multiply(mixed[:-2], _THREE[0], out=three)
    three += mixed[1:-1] * _THREE[1]
    three += mixed[2:] * _THREE[2]
    if len(five):
        np.multiply(three[:-2], _FIVE[0], out=five)
        five += mixed[3:-1] * _FIVE[1]
        five += mixed[4:] * _FIVE[2]
    hashed ^= hashed >> _SHIFT_16
    three += _THREE_SALT
    five += _FIVE_SALT


@cache
def _classes() -> Bytes:
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
    powers, inverses = np.ones(count, np.uint32), np.ones(count, np.uint32)
    for table, factor in ((powers, _BASE), (inverses, pow(_BASE, -1, 1 << 32))):
        np.cumprod(np.full(count - 1, factor, np.uint32), dtype=np.uint32, out=table[1:])
    return powers, inverses
