"""Fits a logistic regression on hashed features, and writes its weights as whole numbers of one byte."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from seawall.guards.features import BITS, CONCEPT_WEIGHT, Hashing
from seawall.guards.normal import normalise
from seawall.guards.scorer import Head
from seawall.guards.views import views

LEVELS = 127


def matrix(hashing: Hashing, texts: Sequence[str], vocabulary: frozenset[str]) -> csr_matrix:
    """Return a row for each text: one over the root of how many features it has, for each of them."""
    indices, values, ends = [], [], [0]
    for text in texts:
        found = hashing.features("\n".join(views(normalise(text), vocabulary)))
        different = found.index[found.is_first]
        count = len(different)
        factors = np.ones(len(found.index), np.float32)
        factors[len(factors) - len(found.concepts_at) :] = CONCEPT_WEIGHT
        indices.append(different.astype(np.int32))
        values.append(factors[found.is_first] / np.sqrt(np.float32(max(1, count))))
        ends.append(ends[-1] + count)
    made = csr_matrix(
        (np.concatenate(values), np.concatenate(indices), np.array(ends)), (len(texts), 1 << BITS)
    )
    return made


def fit(
    rows: csr_matrix, labels: NDArray[np.int64], weights: NDArray[np.float64], c: float
) -> LogisticRegression:
    """Fit until it stands still; the same rows give the same weights."""
    return LogisticRegression(C=c, max_iter=1000, tol=1e-5).fit(rows, labels, sample_weight=weights)


def head_of(model: LogisticRegression, windows: tuple[int, ...]) -> Head:
    """Return the head of a fitted model; `centre` and `slope` are set once thresholds are known."""
    weights = model.coef_[0]
    most = np.quantile(np.abs(weights[weights != 0]), 0.9999)
    scale = float(most) / LEVELS
    table = np.clip(np.rint(weights / scale), -LEVELS, LEVELS).astype(np.int16)
    return Head(table, scale, float(model.intercept_[0]), 0.0, 1.0, windows)
