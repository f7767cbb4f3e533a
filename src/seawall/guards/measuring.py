"""Measures the guard on labelled rows, and explains what it makes of one text.

Recall is the share of attacks that count, a false positive a benign row that does; "at 1 %" means at the
threshold at which one benign row in a hundred of these very rows would count.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from seawall.core.findings import Finding, Verdict
from seawall.core.guarding import GuardPolicy, Head
from seawall.guards import scorer
from seawall.guards.guard import LocalGuard
from seawall.guards.redaction import mask, redact

RATES = (0.01, 0.001)
_DOCUMENT_KINDS = frozenset({"indirect"})


class Scored(Struct, frozen=True):
    """What the guard makes of one row: both scores, and what would become of it."""

    user: float
    document: float
    verdict: Verdict
    labels: tuple[str, ...]

    def shown(self) -> dict[str, Any]:
        """Return the line of a file of scores."""
        return {
            "user": round(self.user, 6),
            "document": round(self.document, 6),
            "verdict": self.verdict.name.lower(),
            "labels": list(self.labels),
        }


def head_of(row: dict[str, Any]) -> Head:
    """Say which head a row belongs to: what stands in documents is of kind `indirect`."""
    kind, source = str(row.get("kind", "")), str(row.get("source", ""))
    return "document" if kind in _DOCUMENT_KINDS or source.endswith("-docs") else "user"


def score_row(guard: LocalGuard, row: dict[str, Any], policy: GuardPolicy) -> Scored:
    """Score a row with both heads; the verdict is that of its own."""
    text: str = row["text"]
    found = guard.inspect(text, head_of(row), policy)
    verdict = max((policy.verdict(each, is_output=False) for each in found), default=Verdict.ALLOW)
    return Scored(
        user=guard.score(text, "user").score,
        document=guard.score(text, "document").score,
        verdict=verdict,
        labels=tuple(dict.fromkeys(f"{each.detector}:{each.label}" for each in found)),
    )


def measure(rows: Sequence[dict[str, Any]], scored: Sequence[Scored], policy: GuardPolicy) -> dict[str, Any]:
    """Return recall and false positives over all rows, and the share that counts of each source."""
    numbers = [
        (row["label"], each.user if head_of(row) == "user" else each.document, _threshold(row, policy))
        for row, each in zip(rows, scored, strict=True)
    ]
    benign = sorted((score for label, score, _ in numbers if not label), reverse=True)
    attacks = [score for label, score, _ in numbers if label]
    sources: dict[tuple[str, int], list[bool]] = defaultdict(list)
    for row, (label, score, threshold) in zip(rows, numbers, strict=True):
        sources[str(row.get("source", "")), label].append(score >= threshold)
    shipped = [(label, score >= threshold) for label, score, threshold in numbers]
    return {
        "rows": len(rows),
        "attacks": len(attacks),
        "recall": _share([counts for label, counts in shipped if label]),
        "false_positives": _share([counts for label, counts in shipped if not label]),
        "recall_at": {f"{rate:.1%}": _recall_at(benign, attacks, rate) for rate in RATES},
        "sources": [
            {"source": source, "label": label, "rows": len(counts), "counts": _share(counts)}
            for (source, label), counts in sorted(sources.items())
        ],
    }


def _threshold(row: dict[str, Any], policy: GuardPolicy) -> float:
    return policy.user_threshold if head_of(row) == "user" else policy.document_threshold


def _share(counts: Sequence[bool]) -> float | None:
    return round(sum(counts) / len(counts), 4) if counts else None


def _recall_at(benign: Sequence[float], attacks: Sequence[float], rate: float) -> float | None:
    if not benign or not attacks:
        return None
    threshold = benign[min(len(benign) - 1, int(len(benign) * rate))]
    return _share([score > threshold for score in attacks])


def explain(guard: LocalGuard, text: str, head: Head, policy: GuardPolicy) -> dict[str, Any]:
    """Say what the guard sees in a text, what would become of it, and which words made its score."""
    found = guard.inspect(text, head, policy)
    verdicts = [policy.verdict(each, is_output=False) for each in found]
    verdict = max(verdicts, default=Verdict.ALLOW)
    taken = [each for each, what in zip(found, verdicts, strict=True) if what is Verdict.REDACT]
    read = guard.score(text, head)
    words = scorer.load().explain(read.text, head)
    return {
        "verdict": verdict.name.lower(),
        "why": "; ".join(f"{each.detector} ({each.label.replace('_', ' ')})" for each in found)
        or "nothing was found",
        "head": head,
        "score": round(read.score, 4),
        "threshold": policy.user_threshold if head == "user" else policy.document_threshold,
        "read_as": "" if read.is_plain else read.text,
        "words": [(word, round(share, 3)) for word, share in words],
        "findings": [_shown(each, text) for each in found],
        "sent": redact(text, taken) if taken else text,
    }


def _shown(finding: Finding, text: str) -> dict[str, Any]:
    is_secret = finding.detector in ("secrets", "personal")
    return {
        "detector": finding.detector,
        "label": finding.label,
        "score": round(finding.score, 4),
        "start": finding.start,
        "end": finding.end,
        "found": mask(text[finding.start : finding.end]) if is_secret else None,
    }
