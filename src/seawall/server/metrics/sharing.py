"""What several workers on one machine tell one another: a file for each, which every scrape adds up.

Invariants:
- A scrape shows what lies in the files, its own written just before. So whichever worker is asked, no
  counter ever goes back, which Prometheus would take for a restart.
- A worker goes on from the file of the one whose place it took: what was counted before stays counted.
- What a dead process was doing is not shown: its gauges count for a few seconds only.
"""

import logging
import os
import threading
from pathlib import Path

import msgspec
from msgspec import Struct

from seawall.server.metrics.families import FAMILIES
from seawall.server.metrics.values import Sample, Values

log = logging.getLogger("seawall.metrics")

EVERY_S = 2.0
FRESH_S = 10.0
WORKERS_MAX = 1_000
_COUNTED = frozenset(family.name for family in FAMILIES if family.kind != "gauge" and family.across != "own")


class _Told(Struct, frozen=True):
    """One file: when it was written, in Unix seconds, and the figures."""

    at: float
    samples: list[Sample]


_decode = msgspec.json.Decoder(_Told).decode


class Sharing:
    """The files of all workers; `number` is the place of this one."""

    def __init__(self, folder: Path, number: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._path = folder, folder / f"{number}.json"
        before = self._read(self._path)
        self._writing = threading.Lock()
        self._before = [s for s in before.samples if s.name in _COUNTED] if before is not None else []

    def tell(self, values: Values, now: float) -> None:
        """Write this worker's figures with those of its predecessors; `now` in Unix seconds."""
        values.add(self._before)
        raw = msgspec.json.encode(_Told(now, list(values)))
        unfinished = self._path.with_suffix(".new")
        try:
            with self._writing:
                file = os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
                with os.fdopen(file, "wb") as out:
                    out.write(raw)
                unfinished.replace(self._path)
        except OSError as error:
            log.error("figures could not be told to the other workers", extra={"fields": {"why": str(error)}})

    def gather(self, values: Values, now: float) -> None:
        """Add the figures of all other workers to those that this one has told."""
        for path in sorted(self._folder.glob("*.json"))[:WORKERS_MAX]:
            if path == self._path:
                continue
            told = self._read(path)
            if told is not None:
                values.add(told.samples, only_counters=abs(now - told.at) > FRESH_S)

    def _read(self, path: Path) -> _Told | None:
        """Read a file; one that is not there, or damaged, says nothing."""
        try:
            return _decode(path.read_bytes())
        except (OSError, msgspec.MsgspecError):
            return None
