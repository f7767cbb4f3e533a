"""Writes figures as Prometheus reads them, by its own library; imported when somebody first asks."""

from collections.abc import Iterator

from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from seawall.server.metrics.families import FAMILIES, Family
from seawall.server.metrics.values import Sample, Values


def write_page(values: Values) -> bytes:
    """Return the text that Prometheus reads, in its format 0.0.4."""
    return generate_latest(_Fixed(list(values)))


class _Fixed:
    """Figures in the form in which the library collects them."""

    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Metric]:
        """Yield each metric with its figures, in the order of the list of metrics."""
        by_name: dict[str, list[Sample]] = {}
        for sample in self._samples:
            by_name.setdefault(sample.name, []).append(sample)
        for family in FAMILIES:
            found = sorted(by_name.get(family.name, ()), key=lambda sample: sample.labels)
            if found:
                yield _metric(family, found)


def _metric(family: Family, samples: list[Sample]) -> Metric:
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for sample in samples:
            histogram.add_metric(sample.labels, _buckets(family, sample), sample.number)
        return histogram
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    plain = kind(family.name, family.help, labels=family.labels)
    for sample in samples:
        plain.add_metric(sample.labels, sample.number / family.per)
    return plain


def _buckets(family: Family, sample: Sample) -> list[tuple[str, float]]:
    """Return the bounds with how many values lie at or below each."""
    buckets: list[tuple[str, float]] = []
    seen = 0
    for bound, count in zip((*map(str, family.bounds), "+Inf"), sample.counts, strict=True):
        seen += count
        buckets.append((bound, seen))
    return buckets
