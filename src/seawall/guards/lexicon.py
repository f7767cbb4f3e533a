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

_LETTER = 1
_UNSPACED = ("zh", "ja", "ko", "th")


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
        self._concept, self._at_border, self._whole = (
            np.array([each[column] for each in stems.values()], dtype)
            for column, dtype in enumerate((np.uint8, bool, bool))
        )
        self._machine = AhoCorasick(list(stems), matchkind=MatchKind.LeftmostLongest)

    def find(self, text: str, padded: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
        """Return concepts in order, and the characters at which they begin.

        `padded` says of each character what it is (see `features.py`), and has a 0 after the last.
        """
        found = self._machine.find_matches_as_indexes(text)
        if not found:
            return np.zeros(0, np.uint8), np.zeros(0, np.intp)
        stems, starts, ends = (
            np.fromiter(chain.from_iterable(found), np.intp, 3 * len(found)).reshape(-1, 3).T
        )
        is_inside = (starts > 0) & (padded[starts - 1] == _LETTER) & self._at_border[stems]
        goes_on = (padded[ends] == _LETTER) & self._whole[stems]
        is_meant = ~(is_inside | goes_on)
        return self._concept[stems[is_meant]], starts[is_meant]


@cache
def load() -> Lexicon:
    """Read the lexicon that comes with the package; once for the process."""
    text = resources.files("seawall.guards").joinpath("lexicon.toml").read_text("utf-8")
    return Lexicon(tomllib.loads(text))
