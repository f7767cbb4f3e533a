"""Every metric once: its name, what it counts, and its labels; docs/metrics.md has a heading for each.

Labels are bounded: they come from the configuration or from our own words. No key, user or address is one.
"""

from typing import Literal

from msgspec import Struct

from seawall.core.histograms import COMMIT_OPERATIONS, COMMIT_SECONDS

Kind = Literal["counter", "gauge", "histogram"]
Across = Literal["sum", "least", "own"]

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
NANOS = 1_000_000_000


class Family(Struct, frozen=True):
    """One metric. `across` says what several processes make of it: the sum, the least, or only one's own,
    where it is read from what they share. `per` is what a whole number is divided by when it is shown.
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kind: Kind = "counter"
    bounds: tuple[float, ...] = ()
    across: Across = "sum"
    per: int = 1


_MODEL = ("provider", "model")

CALLS = Family(
    "seawall_calls_total",
    "Calls that have ended, by how.",
    ("endpoint", "provider", "model", "outcome", "code"),
)
CALL_SECONDS = Family(
    "seawall_call_duration_seconds",
    "Time from the arrival of a call to its end.",
    ("endpoint", "outcome"),
    "histogram",
    SECONDS,
)
FIRST_SECONDS = Family(
    "seawall_call_first_event_seconds",
    "Time from the arrival of a call to the first piece of its answer.",
    ("endpoint", "provider"),
    "histogram",
    SECONDS,
)
TOKENS = Family("seawall_tokens_total", "Tokens that were billed.", (*_MODEL, "kind"))
COST = Family("seawall_cost_usd_total", "Money that was spent, in US dollars.", _MODEL, per=NANOS)
HELD = Family("seawall_held_usd_total", "Money that was held for attempts, in US dollars.", _MODEL, per=NANOS)
OVERAGE = Family("seawall_overage_usd_total", "Money spent beyond holds, in US dollars.", _MODEL, per=NANOS)
SAVED = Family("seawall_saved_usd_total", "What answers of the cache would have cost.", ("model",), per=NANOS)
CACHE = Family("seawall_cache_calls_total", "Calls that the cache was asked for, by what it did.", ("state",))
GUARD = Family(
    "seawall_guard_decisions_total", "What the guard decided where it found something.", ("step", "decision")
)
ATTEMPTS = Family(
    "seawall_provider_attempts_total", "Requests to providers, by how they ended.", ("provider", "ending")
)
ATTEMPT_SECONDS = Family(
    "seawall_provider_attempt_duration_seconds",
    "Time that an attempt took.",
    ("provider",),
    "histogram",
    SECONDS,
)
COMMIT_TIME = Family(
    "seawall_store_commit_seconds",
    "Time that a transaction of the ledger took.",
    (),
    "histogram",
    COMMIT_SECONDS,
)
COMMIT_SIZE = Family(
    "seawall_store_commit_operations",
    "Operations that shared a transaction.",
    (),
    "histogram",
    COMMIT_OPERATIONS,
)
COMMITS_FAILED = Family("seawall_store_commits_failed_total", "Transactions that could not be written.")
STORE_UP = Family("seawall_store_up", "1 where the ledger can be written.", kind="gauge", across="least")
READY = Family("seawall_ready", "1 where calls are taken, as /readyz says.", kind="gauge", across="least")
RUNNING = Family("seawall_calls_running", "Calls that are running.", kind="gauge")
WAITING = Family("seawall_calls_waiting", "Calls that wait for money that is only held.", kind="gauge")
HOLDS = Family("seawall_holds_open", "Holds that are on disk and not settled.", kind="gauge")
PROVIDER_READY = Family(
    "seawall_provider_ready",
    "1 where calls go to a provider; 0 while its breaker is open or it is spared.",
    ("provider",),
    "gauge",
    across="least",
)
BUDGET = Family(
    "seawall_budget_usd",
    "The budget of the whole gateway: its cap, what is spent and what is held, in US dollars.",
    ("period", "what"),
    "gauge",
    across="own",
    per=NANOS,
)
LIMITS_SHARED = Family(
    "seawall_limits_shared",
    "1 where all gateways count limits together; 0 while one counts its share by itself.",
    kind="gauge",
    across="least",
)
LIMITS_ALONE = Family(
    "seawall_limits_fallbacks_total", "How often a gateway was left to count limits by itself."
)
CACHE_ENTRIES = Family("seawall_cache_entries", "Answers that are kept.", kind="gauge", across="own")
CACHE_BYTES = Family("seawall_cache_bytes", "What kept answers take.", ("place",), "gauge", across="own")
JOBS_WAITING = Family("seawall_jobs_waiting", "Jobs that could begin.", kind="gauge", across="own")
JOBS_TIMED = Family("seawall_jobs_timed", "Jobs that wait for their time.", kind="gauge", across="own")
JOBS_RUNNING = Family("seawall_jobs_running", "Jobs that are being done.", kind="gauge", across="own")
JOBS_HELD = Family(
    "seawall_jobs_held_usd",
    "Money that is held for jobs that have not begun, in US dollars.",
    kind="gauge",
    across="own",
    per=NANOS,
)
JOBS_OLDEST = Family(
    "seawall_jobs_oldest_waiting_seconds",
    "How long the job waits that has waited longest.",
    kind="gauge",
    across="own",
)
JOBS_ENDED = Family("seawall_jobs_ended_total", "Jobs at their end.", ("kind", "state"), across="own")
JOBS_WAITED = Family(
    "seawall_jobs_waited_seconds_total",
    "Time that ended jobs waited for their turn.",
    ("kind",),
    across="own",
)
JOBS_RAN = Family(
    "seawall_jobs_ran_seconds_total", "Time that the last runs of ended jobs took.", ("kind",), across="own"
)
JOB_WORKERS = Family("seawall_job_workers", "Processes that do jobs and live.", kind="gauge", across="own")
WORKERS = Family("seawall_workers", "Worker processes that told their figures just now.", kind="gauge")
MEMORY = Family("seawall_process_resident_memory_bytes", "Memory of a process.", ("worker",), "gauge")
FILES = Family(
    "seawall_process_open_fds", "Files and connections that a process has open.", ("worker",), "gauge"
)
CPU = Family("seawall_process_cpu_seconds_total", "CPU time of a process.", ("worker",))
STARTED = Family(
    "seawall_process_start_time_seconds", "When a process started, in Unix seconds.", ("worker",), "gauge"
)
BUILD = Family("seawall_build_info", "1; says what runs.", ("version", "python"), "gauge", across="own")

FAMILIES = (
    CALLS, CALL_SECONDS, FIRST_SECONDS, TOKENS, COST, HELD, OVERAGE, SAVED, CACHE, GUARD,
    ATTEMPTS, ATTEMPT_SECONDS, PROVIDER_READY, READY, RUNNING, WAITING, HOLDS, BUDGET,
    STORE_UP, COMMIT_TIME, COMMIT_SIZE, COMMITS_FAILED, LIMITS_SHARED, LIMITS_ALONE,
    CACHE_ENTRIES, CACHE_BYTES,
    JOBS_WAITING, JOBS_TIMED, JOBS_RUNNING, JOBS_OLDEST, JOBS_HELD, JOBS_ENDED, JOBS_WAITED,
    JOBS_RAN, JOB_WORKERS,
    WORKERS, MEMORY, FILES, CPU, STARTED, BUILD,
)  # fmt: skip
