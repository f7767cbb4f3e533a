"""Tasks: the app's own slow work, delivered to targets that only the operator names."""

from datetime import datetime, timedelta, tzinfo

from msgspec import Raw, Struct

from seawall.core.jobs import Job
from seawall.core.policy import Principal

TASKS_PATH = "/v1/tasks"
MADE_UP_S = 7_200.0
"""A moment that passed while no worker ran is made up for within so long, as with the daily digest."""
DAY = timedelta(days=1)


class TaskSchedule(Struct, frozen=True):
    """When a task is made that nobody asked for: every so many seconds, or at a time of day in a zone.

    Seconds are counted from the first midnight of 1970 (UTC), so that an hour is a full hour, and several
    processes agree. A time of day that the clocks skip comes right after the gap, one that they repeat the
    first time.
    """

    zone: tzinfo
    every_s: float | None = None
    at: tuple[int, int] | None = None
    body: bytes = b"{}"

    def last(self, now: float) -> float:
        """Return its newest moment up to `now`, in Unix seconds."""
        if self.every_s is not None:
            return now // self.every_s * self.every_s
        today = datetime.fromtimestamp(now, self.zone)
        moments = (self._on(today + days * DAY) for days in (1, 0, -1))  # A gap may move one past midnight.
        return next(moment for moment in moments if moment <= now)

    def next(self, now: float) -> float:
        """Return its first moment after `now`, in Unix seconds."""
        if self.every_s is not None:
            return (now // self.every_s + 1) * self.every_s
        today = datetime.fromtimestamp(now, self.zone)
        moments = (self._on(today + days * DAY) for days in (-1, 0, 1, 2))
        return next(moment for moment in moments if moment > now)

    def due(self, now: float) -> float | None:
        """Return the moment for which a task should be there by now; of several that passed only the last."""
        last = self.last(now)
        return last if now - last < MADE_UP_S else None

    def _on(self, day: datetime) -> float:
        assert self.at is not None
        hour, minute = self.at
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone).timestamp()


class TaskTarget(Struct, frozen=True, kw_only=True):
    """A target as the operator has named it; where it is and how it is signed for is known to the worker.

    `keys` are names or ids of the virtual keys that may use it, `None` for all. `attempts` and `give_up_s`
    say when a task is given up, `at_once` how many a process delivers at one time.
    """

    name: str
    attempts: int = 10
    give_up_s: float = 86_400.0
    at_once: int = 10
    keys: frozenset[str] | None = None
    schedule: TaskSchedule | None = None

    def admits(self, principal: Principal) -> bool:
        """Say whether a key may use it."""
        return self.keys is None or not self.keys.isdisjoint((principal.key_id, principal.key_name))


class TaskRequest(Struct, frozen=True):
    """What a worker needs of a task: the body as it was given, and when it was first to be delivered."""

    body: Raw
    due_at: float


def first_due(job: Job, request: TaskRequest) -> float:
    """Return since when a task is tried, in Unix seconds; one that was taken up again begins anew."""
    return max(request.due_at, job.accepted_at)
