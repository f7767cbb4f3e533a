"""Trains the injection scorer: `python training/guard/train.py`, from the root of the repository.

Reads the public rows (`--data`), makes rows from the project's banks, fits a head for users and one for
documents, chooses thresholds on benign rows of sources that were not trained on, and writes the weights and a
report. The same data, seed and versions of the libraries give the same bytes.
"""

import argparse
import hashlib
import io
import os
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

SAME = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""The order of sets and of sums is part of the result."""
if not SAME.items() <= os.environ.items():
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | SAME)  # noqa: S606 - this very command
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src"), str(Path(__file__).parent)]

import numpy as np
import rows as made
from fit import fit, head_of, matrix
from measure import at_rate, at_threshold, totals
from msgspec.structs import replace
from rows import Row
from scipy.sparse import csr_matrix, vstack

from seawall.guards.features import Hashing
from seawall.guards.lexicon import load as load_lexicon
from seawall.guards.scorer import Head

SEED = 20261127
TEXT_CHARS = 3_000
WINDOWS = {"user": (32, 96), "document": (28, 64)}
COST = {"user": 1.5, "document": 1.5}
RATE = 0.001
"""False positives from which the shipped threshold is reckoned, on benign rows of sources not trained on."""
MARGIN = {"user": 0.65, "document": 0.9}
"""What is added to that, in units of the sum. The rows of val_ood are short and tame: without it 1.7 % of the
prompts of real users, and 12 % of real mails, of public sets that were not trained on counted (2026-11)."""
VOCABULARY = 4_000


def main() -> None:
    """Train, write the weights and the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "guard")
    parser.add_argument("--out", type=Path, default=ROOT / "src/seawall/guards/weights.npz")
    parser.add_argument("--report", type=Path, default=Path(__file__).parent / "report.md")
    parser.add_argument("--quick", action="store_true", help="leave out what only the report needs")
    args = parser.parse_args()
    began = time.time()
    hashing = Hashing(load_lexicon())
    train = made.read(args.data / "train.jsonl.gz")
    unseen, same = made.read(args.data / "val_ood.jsonl.gz"), made.read(args.data / "val.jsonl.gz")
    words = vocabulary(train)
    heads: dict[str, Head] = {}
    report = Report()
    for name in ("user", "document"):
        taught = made.for_head(name, train, Random(SEED))
        report.say(
            f"{name} head: {len(taught):,} rows, {sum(row.label for row in taught):,} of them attacks."
        )
        head = train_head(name, taught, hashing, words, Random(SEED + 1))
        sums = totals(hashing, head, [row.text for row in unseen], words)
        is_benign = np.array([row.label == 0 for row in unseen])
        heads[name] = calibrated(name, head, [row for row in unseen if row.label == 0], sums[is_benign])
        report.table(f"{name} head on sources not trained on (val_ood)", unseen, sums, heads[name].centre)
        sums = totals(hashing, head, [row.text for row in same], words)
        report.table(f"{name} head on the sources it was trained on (val)", same, sums, heads[name].centre)
        if not args.quick:
            report.left_out(name, leave_one_out(name, taught, unseen, hashing, words))
    write(args.out, heads, words)
    report.say(f"Weights: {args.out.stat().st_size:,} bytes, SHA-256 {digest_of(args.out)}.")
    args.report.write_text(report.text, "utf-8")
    print(f"{time.time() - began:.0f} s")


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def leave_one_out(
    name: str, taught: Sequence[Row], unseen: Sequence[Row], hashing: Hashing, words: frozenset[str]
) -> dict[str, tuple[float, float]]:
    """Return for each public source of attacks how many of its rows count, at 1 and 0.1 % false positives,
    where it was not trained on; without windows, and without a second fit.
    """
    features, labels, weights = _arrays(taught, hashing, words)
    sources = np.array([row.source for row in taught])
    benign, _, _ = _arrays([row for row in unseen if row.label == 0], hashing, words)
    found = {}
    for source in sorted(set(sources[labels == 1])):
        if source.startswith(("bank", "paired", "carriers", "encoded")):
            continue
        kept = (sources != source) & (sources != f"encoded {source}")
        model = fit(features[kept], labels[kept], weights[kept], COST[name])
        ordered = np.sort(model.decision_function(benign))[::-1]
        sums = model.decision_function(features[(sources == source) & (labels == 1)])
        shares = [float((sums > ordered[int(len(ordered) * rate)]).mean()) for rate in (0.01, 0.001)]
        found[source] = (shares[0], shares[1])
    return found


class Report:
    """What the training says of itself, in Markdown; printed as it grows."""

    def __init__(self) -> None:
        self.text = (
            "# Report of the training\n\nWritten by `train.py`. Shares of rows that count as attacks.\n"
        )

    def say(self, text: str) -> None:
        """Add a paragraph."""
        print(text, flush=True)
        self.text += f"\n{text}\n"

    def table(self, title: str, rows: Sequence[Row], sums: np.ndarray, shipped: float) -> None:
        """Add a table of sources: at the shipped threshold, at 1 and at 0.1 % false positives of all rows."""
        at = [at_threshold(rows, sums, shipped), at_rate(rows, sums, 0.01), at_rate(rows, sums, 0.001)]
        lines = [f"| {title} | shipped | 1 % | 0.1 % |", "|---|---|---|---|"]
        lines.append("| **attacks** | " + " | ".join(f"**{each.recall:.3f}**" for each in at) + " |")
        lines.append("| **benign** | " + " | ".join(f"**{each.false_positives:.4f}**" for each in at) + " |")
        for source in at[0].by_source:
            shares = " | ".join(f"{each.by_source[source]:.4f}" for each in at)
            lines.append(f"| {source.replace(' 1', ', attacks').replace(' 0', ', benign')} | {shares} |")
        self.say("\n".join(lines))

    def left_out(self, name: str, found: dict[str, tuple[float, float]]) -> None:
        """Add the table of sources that were left out in turn."""
        lines = [f"| {name} head, the source left out | 1 % | 0.1 % |", "|---|---|---|"]
        lines += [f"| {source} | {one:.3f} | {tenth:.3f} |" for source, (one, tenth) in found.items()]
        self.say("\n".join(lines))


def train_head(
    name: str, taught: Sequence[Row], hashing: Hashing, words: frozenset[str], random: Random
) -> Head:
    """Fit one head; then fit it again with those harmless texts that it took for attacks."""
    features, labels, weights = _arrays(taught, hashing, words)
    model = fit(features, labels, weights, COST[name])
    more = made.harmless(name, MINED_FROM, random)
    others, other_labels, other_weights = _arrays(more, hashing, words)
    sums = model.decision_function(others)
    worst = np.sort(np.argsort(-sums, kind="stable")[:MINED])
    print(f"{int((sums > 0).sum())} of {len(more)} harmless texts were taken for attacks", flush=True)
    features = vstack([features, others[worst]]).tocsr()
    labels = np.concatenate([labels, other_labels[worst]])
    weights = np.concatenate([weights, other_weights[worst]])
    return head_of(fit(features, labels, weights, COST[name]), WINDOWS[name])


MINED_FROM, MINED = 40_000, 4_000
"""How many harmless texts are looked at, and how many of the worst are learned from."""


def _arrays(
    rows: Sequence[Row], hashing: Hashing, words: frozenset[str]
) -> tuple[csr_matrix, np.ndarray, np.ndarray]:
    features = matrix(hashing, [row.text[:TEXT_CHARS] for row in rows], words)
    return features, np.array([row.label for row in rows]), np.array([row.weight for row in rows])


def calibrated(name: str, head: Head, benign: Sequence[Row], sums: np.ndarray) -> Head:
    """Put the score 0.5 where the shipped threshold lies: where one benign row in a thousand is, and a margin."""
    shipped = at_rate(benign, sums, RATE).threshold
    rare = at_rate(benign, sums, RATE / 2).threshold
    return replace(head, centre=shipped + MARGIN[name], slope=float(np.log(9) / max(0.5, rare - shipped)))


def vocabulary(rows: Sequence[Row]) -> frozenset[str]:
    """Return the commonest words, into which glued letters are taken apart."""
    counts = Counter(
        word for row in rows for word in row.text.lower().split() if word.isalpha() and word.isascii()
    )
    good = [word for word, _ in counts.most_common(2 * VOCABULARY) if len(word) > 2 or word in SHORT]
    return frozenset(good[:VOCABULARY])


SHORT = frozenset(
    [
        "a",
        "i",
        "am",
        "an",
        "as",
        "at",
        "be",
        "by",
        "do",
        "go",
        "he",
        "if",
        "in",
        "is",
        "it",
        "me",
        "my",
        "no",
        "of",
        "on",
        "or",
        "so",
        "to",
        "up",
        "us",
        "we",
    ]
)


def write(path: Path, heads: dict[str, Head], words: frozenset[str]) -> None:
    """Write the weights; the file holds no time, so that equal weights are equal bytes."""
    arrays = {"vocabulary": np.frombuffer(" ".join(sorted(words)).encode(), np.uint8)}
    for name, head in heads.items():
        arrays[f"{name}_table"] = head.table.astype(np.int8)
        arrays[f"{name}_numbers"] = np.array([head.scale, head.bias, head.centre, head.slope])
        arrays[f"{name}_windows"] = np.array(head.windows)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, array in sorted(arrays.items()):
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            out.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()
