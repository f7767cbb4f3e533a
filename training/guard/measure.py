"""Measures heads the way a gateway uses them, views included: recall where the false positives are few."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from rows import Row

from seawall.guards.features import Hashing
from seawall.guards.normal import normalise
from seawall.guards.scorer import Head, Scorer
from seawall.guards.views import views

Scores = NDArray[np.float64]


class Measured(Struct):
    """Recall of attacks, and which share of each source counts, at a threshold."""

    threshold: float
    recall: float
    false_positives: float
    by_source: dict[str, float]


def totals(hashing: Hashing, head: Head, texts: Sequence[str], vocabulary: frozenset[str]) -> Scores:
    """Return the sums of texts: for each the highest of all its views and windows."""
    scorer = Scorer(hashing, {"one": head}, vocabulary)
    return np.array(
        [max(scorer.total(each, "one") for each in views(normalise(text), vocabulary)) for text in texts]
    )


def at_rate(rows: Sequence[Row], sums: Scores, rate: float) -> Measured:
    """Choose the threshold at which this share of the benign rows counts, and measure there."""
    benign = np.sort(sums[np.array([row.label == 0 for row in rows])])[::-1]
    threshold = float(benign[int(len(benign) * rate)]) if len(benign) else 0.0
    return at_threshold(rows, sums, threshold)


def at_threshold(rows: Sequence[Row], sums: Scores, threshold: float) -> Measured:
    """Measure at a threshold."""
    counts = sums > threshold
    labels = np.array([row.label for row in rows])
    by_source: dict[str, list[bool]] = defaultdict(list)
    for row, counted in zip(rows, counts, strict=True):
        by_source[f"{row.source} {row.label}"].append(bool(counted))
    return Measured(
        threshold,
        float(counts[labels == 1].mean()) if (labels == 1).any() else float("nan"),
        float(counts[labels == 0].mean()) if (labels == 0).any() else float("nan"),
        {name: round(float(np.mean(each)), 4) for name, each in sorted(by_source.items())},
    )
