"""The operator's own phrases, found however they are spelled."""

import re
import unicodedata
from collections.abc import Sequence

from seawall.core.findings import Finding
from seawall.guards.normal import Normal, normalise

FEW = 32
"""So many beginnings are looked for one by one; more of them by the expression for all."""
_GAP_MAX = 8
_GAP = rf"[\W_]{{0,{_GAP_MAX}}}"
"""What may stand between two words of a phrase."""
_WORD_START = re.compile(r"(?<!\w)\w")
_WORD = re.compile(r"[^\W_]+")
_MARKS = re.compile("[\u0300-\u036f]")


def fold(text: str, normal: Normal | None = None) -> str:
    """Return a text without accents, capitals, lookalikes and what cannot be seen."""
    plain = (normal or normalise(text)).text
    return plain if plain.isascii() else _MARKS.sub("", unicodedata.normalize("NFD", plain))


class Phrases:
    """Phrases in one expression; none of them finds nothing."""

    def __init__(self, phrases: Sequence[str]) -> None:
        folded = sorted({" ".join(_WORD.findall(fold(each))) for each in phrases} - {""}, key=len)
        joined = "|".join(_GAP.join(map(re.escape, each.split())) for each in reversed(folded))
        self._pattern = re.compile(rf"(?<!\w)(?:{joined})(?!\w)") if folded else None
        self._starts = frozenset(
            each.replace(" ", "")[:size] for each in folded for size in range(1, len(each) + 1)
        )
        firsts = {each.partition(" ")[0] for each in folded}
        self._firsts = tuple(firsts) if len(firsts) <= FEW else ()
        self._longest = max((len(each) + _GAP_MAX * (each.count(" ") + 1) for each in folded), default=0)

    def __bool__(self) -> bool:
        return self._pattern is not None

    def find(self, text: str, normal: Normal | None = None) -> list[Finding]:
        """Return every place where a phrase stands; in a text that had to be folded, the whole of it.

        `normal` is the plain form of the text, where it is known already.
        """
        if self._pattern is None:
            return []
        plain = fold(text, normal)
        if self._firsts and not any(first in plain for first in self._firsts):
            return []
        is_same = len(plain) == len(text)
        return [
            Finding.at(text, "phrases", "phrase", found.span() if is_same else (0, len(text)))
            for found in self._pattern.finditer(plain)
        ]

    def may_continue(self, tail: str) -> int:
        """Return how many characters at the end of a text may be the beginning of a phrase."""
        if self._pattern is None:
            return 0
        tail = tail[-self._longest :]
        for found in _WORD_START.finditer(tail):
            begun = "".join(_WORD.findall(fold(tail[found.start() :])))
            if begun in self._starts:
                return len(tail) - found.start()
        return 0
