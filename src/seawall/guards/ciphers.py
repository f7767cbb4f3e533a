"""Reads words that are written otherwise: shifted, mirrored, with digits for letters, letter by letter.

As with codes, that a text is written so is no evidence: what it says is looked at.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import cache

from ahocorasick_rs import AhoCorasick

from seawall.guards.signs import may_be_spaced

GLUED_LETTERS = 18
RUN_LETTERS_MAX = 1_024
_WORD_LETTERS_MAX = 14
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

_LEET = re.compile(r"[a-z][0-9@$!|+€£]{1,3}[a-z]|[0-9@$€£](?<![a-z0-9].)[a-z]{2}")
_LEET_WORD = re.compile(r"((?![a-z]++(?![a-z0-9@$!|+€£]))[a-z0-9@$!|+€£]{2,40})")
"""A word, or a part of one, that is not of letters alone."""
_NUMBER = re.compile(r"[0-9$€£+@!|]+|(?=[a-f]*[0-9][a-f0-9]*[0-9])[a-f0-9]{7,}")
"""What is left as it is: amounts, and the like of a hash."""
_FIGURE = re.compile(r"[0-9]+[a-z]{1,2}|[a-f]*[0-9][a-f0-9]*")
"""Figures with a unit, and parts of identifiers; in a text that is full of such words they are words too."""
_SHORT_NUMBER = re.compile(r"[0134578](?<![\w.,:/-].)[0134578]?(?![\w:/-]|[.,]\d)")
_MARKS_OF_A_WORD = 6
"""Words have no more: what has is no text."""
_HEAVY = 5
"""With so many such words even short numbers are meant to be read."""
_LEET_CODE = str.maketrans("013456789@$+€£2", "oieasgtbgastelz")
_ONE = re.compile(r"(?<=[aeou])[1!|]+|[1|](?=l)")
_SPACED = re.compile(r"(?<![a-z0-9])(?:[a-z0-9][ .\-_*|/]{1,3}){5,}[a-z0-9](?![a-z0-9])")
_SEPARATOR = re.compile(r"[ .\-_*|/]{1,3}")
_GLUED = re.compile(r"(?<![a-z])[a-z]{18,200}(?![a-z])")

_COMMON = [
    "the",
    "and",
    "you",
    "your",
    "all",
    "are",
    "for",
    "this",
    "that",
    "what",
    "with",
    "not",
    "from",
    "have",
    "say",
    "tell",
    "system",
    "prompt",
    "previous",
    "ignore",
    "instructions",
    "instruction",
    "above",
    "rules",
    "password",
    "secret",
    "everything",
    "write",
    "answer",
    "now",
    "please",
    "how",
    "can",
    "will",
    "give",
    "about",
    "which",
    "when",
    "would",
    "there",
    "their",
    "is",
    "to",
    "of",
    "in",
    "me",
    "my",
    "it",
    "be",
    "do",
]


def _caesar(word: str, by: int) -> str:
    return word.translate(str.maketrans(_LETTERS, _LETTERS[by:] + _LETTERS[:by]))


def _atbash(word: str) -> str:
    return word.translate(str.maketrans(_LETTERS, _LETTERS[::-1]))


def _marks() -> dict[str, str]:
    """Return words by which a cipher is known, with its name; none of them is an English word itself."""
    marks: dict[str, str] = {}
    for word in (each for each in _COMMON if len(each) > 2):
        for by in range(1, 26):
            marks.setdefault(_caesar(word, 26 - by), f"caesar {by}")
        marks.setdefault(_atbash(word), "atbash")
        marks.setdefault(word[::-1], "mirror")
    plain = {
        *_COMMON,
        *[
            "own",
            "ton",
            "era",
            "won",
            "rat",
            "saw",
            "was",
            "tub",
            "bus",
            "not",
            "net",
            "ten",
            "now",
            "eth",
            "its",
            "fit",
        ],
    }
    return {word: name for word, name in marks.items() if word not in plain}


_MARKS = _marks()
_MARKED = frozenset(_MARKS)
_PLAIN = frozenset(_COMMON)
_NATO = {
    word: word[0]
    for word in [
        "alpha",
        "alfa",
        "bravo",
        "charlie",
        "delta",
        "echo",
        "foxtrot",
        "golf",
        "hotel",
        "india",
        "juliet",
        "juliett",
        "kilo",
        "lima",
        "mike",
        "november",
        "oscar",
        "papa",
        "quebec",
        "romeo",
        "sierra",
        "tango",
        "uniform",
        "victor",
        "whiskey",
        "whisky",
        "xray",
        "x-ray",
        "yankee",
        "zulu",
    ]
}

_NATO_WORDS = frozenset(_NATO)


def decipher(
    text: str, words: Sequence[str], lengths: Sequence[int], vocabulary: frozenset[str]
) -> str | None:
    """Return a lower-case text as it is meant to be read, `None` where it is written plainly.

    `words` are what stands between its spaces, with their lengths; `vocabulary` are the words that glued
    letters are taken apart into.
    """
    found = _unshift(text, words)
    if found is not None:
        return found
    spelled = _unspell(words)
    if spelled is not None:
        return split_words(spelled, vocabulary)
    odd = " ".join([word for word in words if not (word.isalpha() or word[:-1].isalpha())])
    changed = text
    marks = len(_LEET.findall(odd))
    if 2 <= marks <= _MARKS_OF_A_WORD * len(words):
        is_heavy = marks >= _HEAVY
        parts = _LEET_WORD.split(changed)
        known = {word: _read_leet(word, is_heavy=is_heavy) for word in set(parts[1::2])}
        parts[1::2] = map(known.__getitem__, parts[1::2])
        changed = "".join(parts)
        if is_heavy:
            changed = _SHORT_NUMBER.sub(lambda found: found[0].translate(_LEET_CODE), changed)
    is_spaced = lengths.count(1) >= 5 or _SPACED.search(odd) is not None
    if is_spaced and may_be_spaced(changed.encode("ascii", "replace")):
        changed = _SPACED.sub(lambda run: _join(run[0], vocabulary), changed)
    if max(lengths, default=0) >= GLUED_LETTERS:
        changed = _GLUED.sub(lambda run: split_words(run[0], vocabulary), changed)
    return None if changed == text else changed


def telling_words() -> frozenset[str]:
    """Return the words of which one at least is in every text that is shifted, mirrored or spelled."""
    return _MARKED | _NATO_WORDS


def _unshift(text: str, words: Sequence[str]) -> str | None:
    """Undo a cipher that moves letters about, known by how common words look in it."""
    if _MARKED.isdisjoint(words):
        return None
    names = Counter(_MARKS[word] for word in words if word in _MARKED)
    name, count = names.most_common(1)[0]
    if count < 2 and len(words) > 6:
        return None
    if count <= sum(word in _PLAIN for word in words):
        return _unshift_quoted(text, name) if count > 1 else None
    return _undo(text, name)


def _unshift_quoted(text: str, name: str) -> str:
    """Undo it as well where plain words stand around what is written so: both readings follow another."""
    return f"{text}\n{_undo(text, name)}"


def _undo(text: str, name: str) -> str:
    if name == "mirror":
        return f"{text[::-1]}\n{' '.join(word[::-1] for word in text.split(' '))}"
    return _atbash(text) if name == "atbash" else _caesar(text, int(name.partition(" ")[2]))


def _unspell(words: Sequence[str]) -> str | None:
    """Return what is spelled in the NATO alphabet."""
    if _NATO_WORDS.isdisjoint(words):
        return None
    letters = [_NATO.get(word.strip(".,;:-"), "") for word in words]
    return "".join(letters) if sum(map(bool, letters)) >= 8 else None


def _read_leet(word: str, *, is_heavy: bool) -> str:
    if word.isalpha() or _NUMBER.fullmatch(word) is not None:
        return word
    if not is_heavy and _FIGURE.fullmatch(word) is not None:
        return word
    ending = ""
    while word and word[-1] in "!+|":
        word, ending = word[:-1], word[-1] + ending
    if "1" in word or "!" in word or "|" in word:
        word = _ONE.sub(lambda run: "l" * len(run[0]), word)
        word = word.replace("1", "i").replace("!", "i").replace("|", "i")
    return word.translate(_LEET_CODE) + ending


def _join(run: str, vocabulary: frozenset[str]) -> str:
    """Join letters that stand one by one; wider gaps are between words, and where there are none we look."""
    run = run[: 4 * RUN_LETTERS_MAX]
    gaps = {len(gap) for gap in _SEPARATOR.findall(run)}
    if len(gaps) > 1:
        narrow = min(gaps)
        return _SEPARATOR.sub(lambda gap: "" if len(gap[0]) == narrow else " ", run)
    return split_words(_SEPARATOR.sub("", run), vocabulary)


@cache
def _finder(vocabulary: frozenset[str]) -> AhoCorasick:
    return AhoCorasick(sorted(word for word in vocabulary if len(word) <= _WORD_LETTERS_MAX))


def split_words(letters: str, vocabulary: frozenset[str]) -> str:
    """Take glued letters apart into known words, longer ones first where there is a choice."""
    letters = letters[:RUN_LETTERS_MAX]
    starts: dict[int, list[int]] = {}
    for _, start, end in _finder(vocabulary).find_matches_as_indexes(letters, overlapping=True):
        starts.setdefault(end, []).append(start)
    ends, most, cuts = (
        [0],
        [0],
        dict[int, int](),
    )  # `most` is what the letters before each of `ends` are worth.
    for end in sorted(starts):
        best = most[-1]
        for start in sorted(starts[end]) if len(starts[end]) > 1 else starts[end]:
            found = most[bisect_right(ends, start) - 1] + (end - start) ** 2
            if found > best:
                best, cuts[end] = found, start
        ends.append(end)
        most.append(best)
    parts: list[str] = []
    reached = len(letters)
    for end in reversed(cuts):
        if end <= reached:
            parts += (*reversed(letters[end:reached]), letters[cuts[end] : end])
            reached = cuts[end]
    parts += reversed(letters[:reached])
    return " ".join(reversed(parts))
