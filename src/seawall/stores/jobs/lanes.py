"""How many jobs of each lane stand where: counted when they move, so that nobody ever counts the jobs.

Invariants:
- A lane says what its jobs say: it is changed in the transaction that moves a job, and nowhere else.
- The lane `ALL` is the sum of the others.
- A lane is read once in a transaction and written once, however many of its jobs move.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from seawall.core.jobs import JobRules

ALL = ""
"""The lane that counts all jobs."""
RUNS_REMEMBERED = 100
"""About so many runs make the mean of how long one takes; it is an exponential mean, which needs no list."""

Row = tuple[Any, ...]
Ask = Callable[[str, Sequence[object]], list[Row]]

Place = Literal["timed", "waiting", "handed", "running"]
PLACES: tuple[Place, ...] = ("timed", "waiting", "handed", "running")
"""Where a job that is not at its end is counted; a job that waits for its time is `timed`."""

_READ = "SELECT lane, timed, waiting, handed, running, held, took_s FROM job_lanes WHERE lane IN ({})"
WRITE = (
    "INSERT INTO job_lanes (lane, timed, waiting, handed, running, held, took_s) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (lane) DO UPDATE SET timed = excluded.timed, waiting = excluded.waiting,"
    " handed = excluded.handed, running = excluded.running, held = excluded.held, took_s = excluded.took_s"
)
ALL_TOGETHER = "SELECT waiting + handed, running, took_s FROM job_lanes WHERE lane = ''"
DROP_EMPTY = (
    "DELETE FROM job_lanes WHERE lane <> '' AND timed = 0 AND waiting = 0 AND handed = 0 AND running = 0"
)


class Lane:
    """How many jobs of one lane stand where, and the nano-dollars held for those that have not begun."""

    __slots__ = ("counts", "held", "took_s")

    def __init__(self, counts: Sequence[int] = (0, 0, 0, 0), held: int = 0, took_s: float | None = None):
        self.counts: dict[Place, int] = dict(zip(PLACES, counts, strict=True))
        self.held, self.took_s = held, took_s

    @property
    def queued(self) -> int:
        """Return how many jobs have not begun."""
        return self.counts["timed"] + self.counts["waiting"] + self.counts["handed"]

    def room(self, rules: JobRules) -> int:
        """Return how many more jobs of the lane may be with the engine."""
        return max(0, rules.per_lane_at_once - self.counts["handed"] - self.counts["running"])


class Lanes:
    """The lanes that a transaction looks at and changes; `rows` are those to be written."""

    __slots__ = ("_ask", "_changed", "_lanes")

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._lanes: dict[str, Lane] = {}
        self._changed: set[str] = set()

    def read(self, names: Iterable[str]) -> None:
        """Read lanes that are about to be asked for, together."""
        missing = sorted({ALL, *names} - self._lanes.keys())
        if not missing:
            return
        self._lanes |= {name: Lane() for name in missing}
        for name, *counts, held, took_s in self._ask(_READ.format(", ".join("?" * len(missing))), missing):
            self._lanes[name] = Lane(counts, held, took_s)

    def of(self, name: str) -> Lane:
        """Return a lane as of this transaction."""
        self.read((name,))
        return self._lanes[name]

    def move(self, name: str, before: Place | None, after: Place | None, *, held: int = 0) -> None:
        """Count a job elsewhere than before, and so much more money for jobs that have not begun."""
        self.read((name,))
        for one in (name, ALL):
            lane = self._lanes[one]
            if before is not None:
                lane.counts[before] -= 1
            if after is not None:
                lane.counts[after] += 1
            lane.held += held
            self._changed.add(one)

    def note_run(self, took_s: float) -> None:
        """Take a run that came to its end into the mean."""
        lane = self.of(ALL)
        share = 2 / RUNS_REMEMBERED
        lane.took_s = took_s if lane.took_s is None else lane.took_s * (1 - share) + took_s * share
        self._changed.add(ALL)

    def rows(self) -> list[Row]:
        """Return every lane that was changed, for `WRITE`, and leave it to the caller to write it."""
        changed, self._changed = sorted(self._changed), set()
        return [(name, *lane.counts.values(), lane.held, lane.took_s)
                for name in changed for lane in (self._lanes[name],)]  # fmt: skip
