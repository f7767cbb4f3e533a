"""What a gateway is doing right now, read from its parts when somebody asks."""

import platform
from collections.abc import Callable, Iterable

from msgspec import Struct

from seawall import __version__
from seawall.core.contracts import Gateway, Spend
from seawall.core.histograms import Commits
from seawall.core.jobs import JobFigures
from seawall.core.policy import Budget
from seawall.server.metrics import families
from seawall.server.metrics.values import Values


class Parts(Struct, frozen=True):
    """Where the figures of a gateway are read that its contracts do not tell."""

    commits: Commits
    open_holds: Callable[[], int]
    provider_states: Callable[[], Iterable[tuple[str, bool]]]
    running: Callable[[], int]
    budget: Budget


def put_parts(values: Values, gateway: Gateway, parts: Parts) -> None:
    """Put among the figures what can be read without waiting."""
    values.put(families.WORKERS, 1)
    values.put(families.BUILD, 1, __version__, platform.python_version())
    values.put(families.RUNNING, parts.running())
    values.put(families.WAITING, len(gateway.lines))
    values.put(families.HOLDS, parts.open_holds())
    values.put_histogram(families.COMMIT_TIME, parts.commits.seconds)
    values.put_histogram(families.COMMIT_SIZE, parts.commits.operations)
    values.put(families.COMMITS_FAILED, parts.commits.failed)
    for account, is_ready in parts.provider_states():
        values.put(families.PROVIDER_READY, int(is_ready), account)
    counting = gateway.counters.state()
    if counting.home != "memory":
        values.put(families.LIMITS_SHARED, int(counting.home == "shared"))
        values.put(families.LIMITS_ALONE, counting.fallbacks)
    if gateway.answers is not None:
        stats = gateway.answers.stats()
        values.put(families.CACHE_ENTRIES, stats.entries)
        values.put(families.CACHE_BYTES, stats.memory_bytes, "memory")
        values.put(families.CACHE_BYTES, stats.disk_bytes, "disk")


def put_budget(values: Values, budget: Budget, spend: Spend) -> None:
    """Put the budget of the whole gateway among the figures; a period without a cap has none."""
    for period, cap, spent in (
        ("day", budget.daily, spend.daily),
        ("month", budget.monthly, spend.monthly),
        ("lifetime", budget.lifetime, spend.lifetime),
    ):
        if cap is not None:
            values.put(families.BUDGET, cap, period, "cap")
        values.put(families.BUDGET, spent, period, "spent")
    values.put(families.BUDGET, spend.held, "lifetime", "held")


def put_jobs(values: Values, figures: JobFigures, now: float) -> None:
    """Put the jobs of all gateways and workers that share a store among the figures."""
    values.put(families.JOBS_WAITING, figures.waiting)
    values.put(families.JOBS_TIMED, figures.timed)
    values.put(families.JOBS_RUNNING, figures.running)
    values.put(families.JOBS_HELD, figures.held)
    for kind in {sums.kind for sums in figures.sums}:
        ended = [sums for sums in figures.sums if sums.kind == kind]
        for sums in ended:
            values.put(families.JOBS_ENDED, sums.jobs, kind, sums.state)
        values.put(families.JOBS_WAITED, round(sum(sums.waited_s for sums in ended), 3), kind)
        values.put(families.JOBS_RAN, round(sum(sums.ran_s for sums in ended), 3), kind)
    waits_s = 0.0 if figures.oldest_at is None else max(0.0, now - figures.oldest_at)
    values.put(families.JOBS_OLDEST, round(waits_s, 3))
    values.put(families.JOB_WORKERS, figures.workers)
