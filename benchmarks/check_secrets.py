"""Measures the search for secrets on public sets: recall and precision by line, and the time it takes.

    python benchmarks/check_secrets.py creddata META_FOLDER DATA_FOLDER
    python benchmarks/check_secrets.py leaky FOLDER
    python benchmarks/check_secrets.py speed FOLDER
    python benchmarks/check_secrets.py history REPOSITORY

CredData (github.com/Samsung/CredData) is built by its own `download_data.py`, which replaces real values;
rows that are only passwords or UUIDs do not count, every other finding on a line without a true row is
wrong. leaky-repo (github.com/Plazmaz/leaky-repo) counts per file as many hits as its list of risks has.
Neither is part of this repository.
"""

import csv
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from seawall.check.files import decode, walk
from seawall.check.secrets import scan_history, scan_tree
from seawall.check.secrets.scan import find_secrets

LEFT_OUT = {"Password", "UUID"}


def main(arguments: list[str]) -> int:
    """Run one measurement and print it."""
    what, *paths = arguments
    folders = [Path(path).resolve() for path in paths]
    if what == "creddata":
        creddata(*folders)
    else:
        {"leaky": leaky, "speed": speed, "history": history}[what](folders[0])
    return 0


def creddata(meta: Path, data: Path) -> None:
    """Print recall and precision on CredData."""
    true, passed = _rows(meta)
    hits: set[tuple[str, int]] = set()
    wrong: Counter[str] = Counter()
    for path in sorted(data.rglob("*")):
        name = f"data/{path.relative_to(data).as_posix()}"
        if not path.is_file() or "LICEN" in path.name or "COPYING" in path.name:
            continue
        text = decode(path.read_bytes())
        for line, kind in _lines(name.split("/", 2)[2], text or ""):
            if (name, line) in true:
                hits.add((name, line))
            elif (name, line) not in passed:
                wrong[kind] += 1
    there = {row for row in true if (data.parent / row[0]).exists()}
    right = len(hits & there)
    print(f"recall {right}/{len(there)} = {right / len(there):.3f}")
    print(
        f"precision {right}/{right + wrong.total()} = {right / (right + wrong.total()):.3f}; wrong: {wrong}"
    )


def leaky(folder: Path) -> None:
    """Print how many of the risks that leaky-repo lists were found."""
    found = total = 0
    for row in (folder / ".leaky-meta" / "secrets.csv").read_text().splitlines():
        if not row or row.startswith("#"):
            continue
        path, risks, _ = row.rsplit(",", 2)
        text = decode((folder / path).read_bytes()) or ""
        total += int(risks)
        found += min(int(risks), len({line for line, _ in _lines(path, text)}))
    print(f"{found} of {total}")


def speed(folder: Path) -> None:
    """Print how long a tree takes."""
    started = time.perf_counter()
    files = walk(folder)
    walked = time.perf_counter()
    found = scan_tree(files)
    ended = time.perf_counter()
    size = sum(len(files.read(path) or b"") for path in files.paths) / 1e6
    took = f"walk {walked - started:.2f} s, search {ended - walked:.2f} s"
    print(f"{len(files.paths)} files, {size:.1f} MB: {took}")
    print(f"{len(found)} findings, {_memory_mb()} MB, {time.process_time():.2f} s of CPU since the start")


def history(repository: Path) -> None:
    """Print how long a history takes."""
    files = walk(repository)
    started = time.perf_counter()
    past = scan_history(files)
    took = time.perf_counter() - started
    print(f"{past.commits} commits: {took:.2f} s, {len(past.findings)} findings, {past.notices}")
    print(f"{_memory_mb()} MB")


def _rows(meta: Path) -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
    true: set[tuple[str, int]] = set()
    passed: set[tuple[str, int]] = set()
    for path in meta.glob("*.csv"):
        with path.open() as file:
            for row in csv.DictReader(file):
                first, last = int(row["LineStart"]), int(row["LineEnd"])
                lines = {(row["FilePath"], line) for line in range(first, last + 1)}
                if not set(row["Category"].split(":")) - LEFT_OUT:
                    passed |= lines
                elif row["GroundTruth"] == "T":
                    true.add((row["FilePath"], first))
                    passed |= lines
    return true, passed


def _lines(path: str, text: str) -> Iterator[tuple[int, str]]:
    lines: dict[int, str] = {}
    for secret in find_secrets(path, text):
        lines.setdefault(text.count("\n", 0, secret.start) + 1, secret.kind)
    yield from lines.items()


def _memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
