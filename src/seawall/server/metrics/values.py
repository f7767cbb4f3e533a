"""Figures by metric and labels: gathered, and added up over workers."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from seawall.core.histograms import Histogram
from seawall.server.metrics.families import FAMILIES, Family

Labels = tuple[str, ...]

_BY_NAME = {family.name: family for family in FAMILIES}


class Sample(Struct, frozen=True, array_like=True):
    """One figure: a number, or the counts of a histogram and their sum."""

    name: str
    labels: Labels
    number: float = 0.0
    counts: tuple[int, ...] = ()


class Values:
    """Figures by metric and labels."""

    def __init__(self, samples: Iterable[Sample] = ()) -> None:
        self._samples = {(sample.name, sample.labels): sample for sample in samples}

    def __iter__(self) -> Iterator[Sample]:
        """Go through all figures."""
        return iter(self._samples.values())

    def put(self, family: Family, number: float, *labels: str) -> None:
        """Set a figure."""
        assert len(labels) == len(family.labels)
        self._samples[family.name, labels] = Sample(family.name, labels, number)

    def put_histogram(self, family: Family, seen: Histogram, *labels: str) -> None:
        """Set the figures of a histogram."""
        assert seen.bounds == family.bounds
        sample = Sample(family.name, labels, seen.total, tuple(seen.counts))
        self._samples[family.name, labels] = sample

    def add(self, others: Iterable[Sample], *, only_counters: bool = False) -> None:
        """Add the figures of another process, each as its metric says; of a dead one only what it counted."""
        for sample in others:
            family = _BY_NAME.get(sample.name)
            if family is None or not _fits(sample, family):
                continue  # A file of another version.
            if family.across == "own" or (only_counters and family.kind == "gauge"):
                continue
            place = (sample.name, sample.labels)
            mine = self._samples.get(place)
            self._samples[place] = sample if mine is None else _both(mine, sample, family)


def _fits(sample: Sample, family: Family) -> bool:
    buckets = len(family.bounds) + 1 if family.kind == "histogram" else 0
    return len(sample.labels) == len(family.labels) and len(sample.counts) == buckets


def _both(one: Sample, other: Sample, family: Family) -> Sample:
    if family.across == "least":
        return min(one, other, key=lambda sample: sample.number)
    counts = tuple(a + b for a, b in zip(one.counts, other.counts, strict=True))
    return Sample(one.name, one.labels, one.number + other.number, counts)
