"""How jobs stand in all: questions that every database answers in the same words, and how it is read back.

How many wait and run is kept in `job_lanes`, how many have ended in `job_sums`: no question goes through all
jobs. The oldest that waits is found in an index of those that wait.
"""

from collections.abc import Sequence

from seawall.core.jobs import JobFailures, JobFigures, JobSums
from seawall.core.money import Money
from seawall.stores.jobs.lanes import Row

ALL = "SELECT waiting + handed, timed, running, held FROM job_lanes WHERE lane = ''"
OLDEST = "SELECT min(accepted_at) FROM jobs WHERE state = 'waiting' AND is_timed = 0"
OLDEST_HANDED = "SELECT min(accepted_at) FROM jobs WHERE carrier IS NOT NULL AND state = 'handed'"
FAILED = """
SELECT coalesce(code, ''), CASE WHEN kind = 'call' AND status BETWEEN 400 AND 499 THEN 1 ELSE 0 END, count(*)
FROM jobs WHERE state = 'failed' AND ended_at IS NOT NULL AND ended_at >= ?
GROUP BY 1, 2 ORDER BY 3 DESC, 1"""
SUMS = "SELECT kind, state, jobs, waited_s, ran_s FROM job_sums ORDER BY kind, state"


def figures_of(all_together: Sequence[Row], oldest: Sequence[Row], failed: Sequence[Row]) -> JobFigures:
    """Put answers together; `oldest` has a row with a moment or with none for each place where jobs wait."""
    waiting, timed, running, held = next(iter(all_together), (0, 0, 0, 0))
    return JobFigures(
        waiting=waiting,
        timed=timed,
        running=running,
        oldest_at=min((moment for (moment,) in oldest if moment is not None), default=None),
        held=Money(held),
        failed=tuple(JobFailures(code, bool(is_refusal), jobs) for code, is_refusal, jobs in failed),
    )


def sums_of(rows: Sequence[Row]) -> tuple[JobSums, ...]:
    """Read back how many jobs have ended."""
    return tuple(JobSums(*row) for row in rows)
