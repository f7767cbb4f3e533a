"""What `seawall doctor` says of jobs: how many wait, run and failed, and whether anybody does them."""

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seawall.core.jobs import JobFigures
    from seawall.settings import Settings

DAY_S = 86_400.0

Json = dict[str, Any]


def job_values(settings: "Settings", figures: "JobFigures") -> Json:
    """Return what is known of jobs, as plain values."""
    oldest_at = figures.oldest_at
    return {
        "waiting": figures.waiting,
        "timed": figures.timed,
        "running": figures.running,
        "oldest_waiting_s": None if oldest_at is None else round(max(0.0, time.time() - oldest_at)),
        "failed_in_a_day": {each.code: each.jobs for each in figures.failed},
        "workers": figures.workers,
        "concurrency": settings.jobs.concurrency,
    }


def job_facts(values: Json) -> list[tuple[str, str]]:
    """Write the same for people."""
    from seawall.cli.printing import ago, count, printable

    waiting, failed = count(values["waiting"]), values["failed_in_a_day"]
    if values["oldest_waiting_s"] is not None:
        waiting = f"{waiting}; the oldest came {ago(values['oldest_waiting_s'])}"
    if values["timed"]:
        waiting = f"{waiting}; {count(values['timed'])} more wait for their time"
    reasons = ", ".join(f"{printable(code)} {count(jobs)}" for code, jobs in failed.items())
    at_once = values["concurrency"]
    here = f"{at_once} jobs at once in each gateway" if at_once else "none in the gateways (jobs.concurrency)"
    return [
        ("waiting", waiting),
        ("running", count(values["running"])),
        ("failed", f"{count(sum(failed.values()))} in the last day" + (f": {reasons}" if reasons else "")),
        ("workers", f"{count(values['workers'])} alive; {here}"),
    ]


def job_problems(values: Json) -> list[str]:
    """Say where jobs wait for nobody."""
    if not values["waiting"] or values["workers"]:
        return []
    advice = "start the gateway" if values["concurrency"] else "jobs.concurrency is 0; start `seawall worker`"
    jobs = "1 job waits" if values["waiting"] == 1 else f"{values['waiting']} jobs wait"
    return [f"{jobs} and no worker is alive: {advice}"]
