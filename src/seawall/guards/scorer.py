"""Scores how much a text reads like an attempt to change a model's instructions.

A linear model over hashed features (`features.py`), one set of weights for what people write and one for
documents. The score of a text is that of its worst part: the whole of it, or a window of words. Weights are
made by `training/guard`; 0.5 is the threshold that they were shipped with.

Invariants:
- The work grows with the length of the text and no faster; any text has a score.
- A window is scored as if it stood alone, so that a page of harmless text cannot hide a sentence.
"""

import math
from functools import cache, lru_cache
from importlib import resources
from io import BytesIO

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from seawall.guards import lexicon
from seawall.guards.features import BITS, CONCEPT_WEIGHT, Features, Hashing

WEIGHTS = "weights.npz"
_STEPS = 4
"""Windows overlap: each begins a quarter of its size after the one before."""


class Head(Struct, frozen=True):
    """The weights of one head: a feature's weight is `scale` times its place in `table`.

    A text is scored by the sum of its weights over the root of their number, plus `bias`. `windows` are the
    sizes in words of the parts that are scored by themselves. `centre` and `slope` turn that into a score.
    """

    table: NDArray[np.int8] | NDArray[np.int16]
    scale: float
    bias: float
    centre: float
    slope: float
    windows: tuple[int, ...]

    def worst(self, found: Features) -> float:
        """Return the sum of the part that has the highest, minus infinity for an empty text."""
        count = len(found.starts)
        if not count:
            return -math.inf
        weights = self.weights(found)
        root = math.sqrt(np.count_nonzero(found.is_first))
        if count <= min(self.windows, default=count):
            return self.scale * (int(weights.sum(dtype=np.int64)) / root) + self.bias
        by_word, by_character, edges = running(found, weights)
        best = int(by_word[-1] + by_character[-1]) / root
        parts = _parts(count, self.windows)
        at = edges.take(parts.edges)
        sums = by_word.take(parts.edges)
        sums += by_character.take(at)
        half = len(parts.by_word)
        numbers = at[half:] - at[:half]
        numbers *= len(found.runs)
        numbers += parts.by_word
        of_part = (sums[half:] - sums[:half]) / np.sqrt(numbers)
        return self.scale * max(best, float(of_part.max())) + self.bias

    def weights(self, found: Features) -> NDArray[np.int16]:
        """Return the weight of each feature; 0 of those that were there before."""
        backwards = self.table.take(found.index[::-1])
        backwards *= found.is_first[::-1]
        weights = backwards[::-1].astype(np.int16)
        if len(found.concepts_at):
            weights[-len(found.concepts_at) :] *= CONCEPT_WEIGHT
        return weights

    def score(self, total: float) -> float:
        """Turn a sum into a score from 0 to 1."""
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, self.slope * (total - self.centre)))))


def running(
    found: Features, weights: NDArray[np.int16]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.intp]]:
    """Return the sums of weights before each word and after the last, and before each character likewise.

    The third are the characters at which words begin, the first from 0 on, and where the text ends. `weights`
    are used up.
    """
    count, length = len(found.starts), found.runs[0] + 2
    by_word, at = _laid_over(weights, found.words, 0)
    by_character, at = _laid_over(weights, found.runs, at)
    if len(found.concepts_at):
        by_word += np.bincount(found.concepts_at, weights[at:], count).astype(np.int16)
    edges = np.empty(count + 1, np.intp)
    edges[:-1] = found.starts
    edges[0], edges[-1] = 0, length
    return _before(by_word, count), _before(by_character, length), edges


def _laid_over(weights: NDArray[np.int16], sizes: tuple[int, ...], at: int) -> tuple[NDArray[np.int16], int]:
    """Add up the weights of several kinds that begin at the same places; returns where they end as well."""
    most = sizes[0]
    added = weights[at : at + most]  # Never more than four times 127.
    at += most
    for size in sizes[1:]:
        added[:size] += weights[at : at + size]
        at += size
    return added, at


def _before(values: NDArray[np.int16], count: int) -> NDArray[np.int64]:
    """Return the sum before each value, and of so many values as there should be: what is missing is 0."""
    sums = np.empty(count + 1, np.int64)
    sums[0] = 0
    np.add.accumulate(values, dtype=np.int64, out=sums[1 : len(values) + 1])
    sums[len(values) + 1 :] = sums[len(values)]
    return sums


class _Parts(Struct, frozen=True):
    """The windows of a text: at `edges` the words with which they begin, then those before which they end.

    `by_word` is how many features each of them has that begin with words.
    """

    edges: NDArray[np.intp]
    by_word: NDArray[np.intp]


@lru_cache(maxsize=512)
def _parts(count: int, sizes: tuple[int, ...]) -> _Parts:
    """Return the windows of a text of so many words."""
    sizes = tuple(size for size in sizes if size < count)
    firsts = [_beginnings(count, size) for size in sizes]
    lasts = [first + size for first, size in zip(firsts, sizes, strict=True)]
    by_word = np.repeat(4 * np.array(sizes), list(map(len, firsts)))
    return _Parts(np.concatenate((*firsts, *lasts)), by_word)


def _beginnings(count: int, size: int) -> NDArray[np.intp]:
    first = np.arange(0, count - size + 1, max(1, size // _STEPS))
    return first if first[-1] == count - size else np.append(first, count - size)


class Scorer:
    """Scores texts; `vocabulary` are the words that glued letters are taken apart into."""

    def __init__(self, hashing: Hashing, heads: dict[str, Head], vocabulary: frozenset[str]) -> None:
        self._hashing = hashing
        self.heads = heads
        self.vocabulary = vocabulary

    def score(self, text: str, head: str) -> float:
        """Score a lower-case text in its plain form."""
        return self.heads[head].score(self.total(text, head))

    def total(self, text: str, head: str) -> float:
        """Return the sum of the worst part of a text, which its score is made of."""
        return self.heads[head].worst(self._hashing.features(text))

    def explain(self, text: str, head: str, most: int = 12) -> list[tuple[str, float]]:
        """Return the words that raised the score of a text most, each with its share of it."""
        found = self._hashing.features(text)
        count = len(found.starts)
        if not count:
            return []
        chosen = self.heads[head]
        weights = chosen.weights(found)
        by_word, by_character, edges = running(found, weights)
        sums = by_word + by_character.take(edges)
        shares = np.diff(sums) * chosen.scale / math.sqrt(len(found.index))
        ends = [*found.starts[1:], len(found.text)]
        order = np.argsort(-shares)[:most]
        return [
            (found.text[found.starts[place] : ends[place]].strip(), float(shares[place]))
            for place in sorted(order)
            if shares[place] > 0
        ]


@cache
def load() -> Scorer:
    """Read the weights that come with the package; once for the process."""
    data = resources.files("seawall.guards").joinpath(WEIGHTS).read_bytes()
    with np.load(BytesIO(data), allow_pickle=False) as stored:
        heads = {name: _head(stored, name) for name in ("user", "document")}
        words = bytes(stored["vocabulary"]).decode().split()
    return Scorer(Hashing(lexicon.load()), heads, frozenset(words))


def _head(stored: "np.lib.npyio.NpzFile", name: str) -> Head:
    scale, bias, centre, slope = map(float, stored[f"{name}_numbers"])
    table = stored[f"{name}_table"]
    assert table.dtype == np.int8 and table.shape == (1 << BITS,)
    return Head(table, scale, bias, centre, slope, tuple(map(int, stored[f"{name}_windows"])))
