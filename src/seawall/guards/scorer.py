"""Scores how much a text reads like an attempt to change a model's instructions.

A linear model over hashed features (`features.py`), one set of weights for what people write and one for
documents. The score of a text is that of its worst part: the whole of it, or a window of words. Weights are
made by `training/guard`; 0.5 is the threshold that they were shipped with.

Invariants:
- The work grows with the length of the text and no faster; any text has a score.
- A window is scored as if it stood alone, so that a page of harmless text cannot hide a sentence.
"""

import math
from functools import cache
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

    table: NDArray[np.int16]
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
        new = int(np.count_nonzero(found.is_first))
        best = int(weights.sum(dtype=np.int64)) / math.sqrt(new)
        sizes = [size for size in self.windows if size < count]
        if sizes:
            sums, numbers = self.running(found, weights)
            for size in sizes:
                first = _beginnings(count, size)
                last = first + size
                of_window = (sums[last] - sums[first]) / np.sqrt(
                    np.maximum(1, numbers[last] - numbers[first])
                )
                best = max(best, float(of_window.max()))
        return self.scale * best + self.bias

    def weights(self, found: Features) -> NDArray[np.int16]:
        """Return the weight of each feature; 0 of those that were there before."""
        weights = self.table.take(found.index)
        weights *= found.is_first
        weights[len(weights) - len(found.concepts_at) :] *= CONCEPT_WEIGHT
        return weights

    @staticmethod
    def running(found: Features, weights: NDArray[np.int16]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the sum of weights, and the number of features, before each word and after the last."""
        count, length = len(found.starts), found.runs[0] + 2
        by_word, at = _laid_over(weights, found.words, 0, count)
        by_character, at = _laid_over(weights, found.runs, at, length)
        if len(found.concepts_at):
            by_word += np.bincount(found.concepts_at, weights[at:], count).astype(np.int16)
        edges = np.append(found.starts, length)
        edges[0] = 0
        sums = _before(by_word) + _before(by_character)[edges]
        numbers = len(found.words) * np.arange(count + 1) + len(found.runs) * edges
        return sums, numbers

    def score(self, total: float) -> float:
        """Turn a sum into a score from 0 to 1."""
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, self.slope * (total - self.centre)))))


def _laid_over(
    weights: NDArray[np.int16], sizes: tuple[int, ...], at: int, count: int
) -> tuple[NDArray[np.int16], int]:
    """Add up the weights of several kinds that begin at the same places; returns where they end as well."""
    added = np.zeros(count, np.int16)  # Never more than four times 127.
    for size in sizes:
        added[:size] += weights[at : at + size]
        at += size
    return added, at


def _before(values: NDArray[np.int16]) -> NDArray[np.int64]:
    sums = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=sums[1:])
    return sums


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
        shares = np.diff(chosen.running(found, weights)[0]) * chosen.scale / math.sqrt(len(found.index))
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
    return Head(
        table.astype(np.int16), scale, bias, centre, slope, tuple(map(int, stored[f"{name}_windows"]))
    )
