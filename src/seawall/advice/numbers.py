"""Everything that advice is made from: the app's numbers of some days, its setup, facts and the machine."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from seawall.advice.sums import Sums, sum_up
from seawall.core.facts import Fact, FactValue
from seawall.core.stages import Stage
from seawall.core.traffic import Hour, UserFigures

__all__ = ["Fact", "FactValue", "JobNumbers", "Liked", "Machine", "Numbers", "Rates", "Setup"]


class Machine(Struct, frozen=True):
    """The machine that asks: cores, memory, and how busy it is; `None` where that cannot be seen."""

    cores: int
    memory_mb: int | None = None
    free_mb: int | None = None
    load: float | None = None
    disk_free_mb: int | None = None


class Setup(Struct, frozen=True):
    """What is switched on now, as the configuration says."""

    stage: Stage
    has_cache: bool = False
    cache_keep_days: float = 0.0
    log_keep_days: float = 7.0
    guard_mode: str = "flag"
    user_limits: tuple[str, ...] = ()
    tiers: int = 0
    has_daily_budget: bool = False
    has_monthly_budget: bool = False
    has_user_budget: bool = False
    providers: tuple[str, ...] = ()
    has_fallback: bool = False
    workers: int = 1
    has_postgres: bool = False
    has_valkey: bool = False
    gateways: int = 1
    job_concurrency: int = 0
    tasks: int = 0
    has_alerts: bool = False
    has_backups: bool = False
    has_tls: bool = False
    undeclared_output_tokens: int = 16_384


class JobNumbers(Struct, frozen=True):
    """Jobs of the span: those that ended, by their end, and how long they ran at the median."""

    completed: int = 0
    failed: int = 0
    waiting: int = 0
    mean_run_s: float | None = None


class Rates(Struct, frozen=True):
    """The price of a model in nano-dollars per million tokens."""

    input: int
    output: int
    cached_read: int | None = None
    cached_write: int | None = None


class Liked(Struct, frozen=True):
    """What people said of the answers: how many up and down, and the newest complaints."""

    up: int = 0
    down: int = 0
    complaints: tuple[str, ...] = ()
    praise: tuple[str, ...] = ()


class Numbers(Struct, frozen=True, dict=True):
    """The app in numbers, over `days` days that end at `until_hour`; money in nano-dollars.

    `hours` are those with calls, oldest first. `days_seen` is how long the ledger knows the app, at most
    `days`, so that a rate is per day that was there. `rates` are of models by name. `unshaped` says that
    requests were not kept in a form that can be replayed.
    """

    days: int
    days_seen: float
    until_hour: int
    hours: Sequence[Hour]
    users: UserFigures
    setup: Setup
    facts: Mapping[str, Fact]
    machine: Machine
    jobs: JobNumbers = JobNumbers()
    liked: Liked = Liked()
    rates: Mapping[str, Rates] = {}
    unshaped: bool = False

    @cached_property
    def sums(self) -> Sums:
        """Return all hours as one; added up once."""
        return sum_up(self.hours)

    @property
    def span_days(self) -> float:
        """Return the days that a rate is per: those on record, at least one."""
        return max(1.0, min(float(self.days), self.days_seen))

    def a_day(self, count: float) -> float:
        """Return how much of a count of the span comes in one day."""
        return count / self.span_days

    def a_month(self, amount: float) -> int:
        """Return how much of an amount of the span comes in 30 days; whole, as money is."""
        return round(amount / self.span_days * 30)
