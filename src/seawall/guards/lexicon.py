"""The lexicon: which concept a word stands for, whatever its language.

`lexicon.toml` lists stems by concept and language. A stem counts where a word begins with it; one that ends
in "$" is a whole word. In scripts without spaces a stem counts anywhere.
"""

import tomllib
from functools import cache
from importlib import resources
from itertools import chain

import numpy as np
from ahocorasick_rs import AhoCorasick, MatchKind
from numpy.typing import NDArray

_UNSPACED = ("zh", "ja", "ko", "th")
_SPREAD = np.uint32(0xC2B2AE35)
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
        self._hashes = (np.array(concept, np.uint32) + np.uint32(1)) * _SPREAD
        self._at_border, self._is_whole = np.array(at_border, np.uint8), np.array(is_whole, np.uint8)
        self._machine = AhoCorasick(list(stems), matchkind=MatchKind.LeftmostLongest)

    def find(self, text: str, is_letter: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
        """Return concepts in order, each as a number that is spread, and the characters at which they begin.

        `is_letter` says 1 of each letter (see `features.py`), and has a 0 before the first character and one
        after the last.
        """
        found = self._machine.find_matches_as_indexes(text)
        if not found:
            return _NOTHING
        flat = np.fromiter(chain.from_iterable(found), np.intp, 3 * len(found))
        stems, starts, ends = flat[::3], flat[1::3], flat[2::3]
        is_inside = is_letter.take(starts) & self._at_border.take(stems)
        goes_on = is_letter[1:].take(ends) & self._is_whole.take(stems)
        is_meant = (is_inside | goes_on) == 0
        return self._hashes.take(stems[is_meant]), starts[is_meant]


@cache
def load() -> Lexicon:
    """Read the lexicon that comes with the package; once for the process."""
    text = resources.files("seawall.guards").joinpath("lexicon.toml").read_text("utf-8")
    return Lexicon(tomllib.loads(text))
