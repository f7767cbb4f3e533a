"""The lexicon: which concept a word stands for, whatever its language.

`lexicon.toml` lists stems by concept and language. A stem counts where a word begins with it; one that ends
in "$" is a whole word. In scripts without spaces a stem counts anywhere.
"""

import tomllib
from functools import cache
from importlib import resources

import numpy as np
from ahocorasick_rs import AhoCorasick, MatchKind
from numpy.typing import NDArray

_UNSPACED = ("zh", "ja", "ko", "th")
_SPREAD = 0xC2B2AE35
_NOTHING = np.zeros(0, np.uint32), np.zeros(0, np.intp)


class Lexicon:
    """Finds concepts in lower-case texts in one pass, longer stems before shorter ones."""

    def __init__(self, concepts: dict[str, dict[str, list[str]]]) -> None:
        self.names = tuple(concepts)
        stems: dict[str, tuple[int, bool, bool]] = {}
        for number, languages in enumerate(concepts.values()):
            for language, words in languages.items():
                for word in words:
                    stem = word.removesuffix("$").casefold()
                    stems.setdefault(stem, (number, language not in _UNSPACED, word.endswith("$")))
        concept, at_border, is_whole = zip(*stems.values(), strict=True)
        self._hashes = [(each + 1) * _SPREAD & 0xFFFFFFFF for each in concept]
        self._at_border, self._is_whole = bytes(at_border), bytes(is_whole)
        self._machine = AhoCorasick(list(stems), matchkind=MatchKind.LeftmostLongest)

    def find(self, text: str, is_letter: bytes) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
        """Return concepts in order, each as a number that is spread, and the characters at which they begin.

        `is_letter` says 1 of each letter (see `features.py`), and has a 0 before the first character and one
        after the last.
        """
        border, whole, hashes = self._at_border, self._is_whole, self._hashes
        meant = [
            (hashes[stem], start)
            for stem, start, end in self._machine.find_matches_as_indexes(text)
            if not ((is_letter[start] and border[stem]) or (is_letter[end + 1] and whole[stem]))
        ]
        if not meant:
            return _NOTHING
        concepts, starts = zip(*meant, strict=True)
        return np.array(concepts, np.uint32), np.array(starts, np.intp)


@cache
def load() -> Lexicon:
    """Read the lexicon that comes with the package; once for the process."""
    text = resources.files("seawall.guards").joinpath("lexicon.toml").read_text("utf-8")
    return Lexicon(tomllib.loads(text))
