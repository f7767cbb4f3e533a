"""What came out of a simulation: calls, refusals and money, by day and by caller."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from seawall.core.call import Call
from seawall.core.errors import SeawallError
from seawall.core.money import Money
from seawall.core.periods import DAY_S, day_of, month_of
from seawall.core.policy import Budget
from seawall.proving.simulating.profiles import Profile

DEAREST = 5


class Sums(Struct):
    """Sums of some calls: money in nano-dollars, `without` is what they cost with nothing in the way."""

    asked: int = 0
    answered: int = 0
    cached: int = 0
    refused: int = 0
    failed: int = 0
    cost: int = 0
    without: int = 0
    tokens: int = 0


class Day(Struct):
    """One day (UTC); `ended_s` is when the budget first stood against a call, in seconds of the day."""

    date: str
    sums: Sums
    ended_s: int | None = None


class Refused(Struct, frozen=True):
    """How many calls one setting refused, and by which error."""

    rule: str
    code: str
    calls: int


class Simulated(Struct, frozen=True, kw_only=True):
    """Everything that a simulation found out.

    `bill` is the provider's, `ledger` what the gateway has booked, `held` what it still holds, all in
    nano-dollars. `damage` are the callers who are what goes wrong, `dearest` those who would cost most,
    `crowds` says how many callers there were of each kind, `hours` from when until when they were there.
    """

    profile: Profile
    users: int
    users_wanted: int
    seed: int
    models: tuple[str, ...]
    whole: Sums
    days: tuple[Day, ...]
    refused: tuple[Refused, ...]
    dearest: tuple[tuple[str, Sums], ...]
    damage: dict[str, Sums]
    crowds: dict[str, int]
    hours: dict[str, tuple[float, float]]
    bill: Money
    ledger: Money
    held: Money
    overage: Money
    took_s: float
    cpu_s: float


class Tally:
    """Adds calls up, in the order in which they came."""

    def __init__(self, begin: float, days: int) -> None:
        self.whole = Sums()
        self.days = [Day(day_of(begin + day * DAY_S), Sums()) for day in range(days)]
        self.by_user: dict[str, Sums] = defaultdict(Sums)
        self.by_crowd: dict[str, Sums] = defaultdict(Sums)
        self._begin = begin
        self._refused: Counter[tuple[str, str]] = Counter()
        self._spent: Counter[str] = Counter()

    def add(self, call: Call, error: SeawallError | None, who: tuple[str, str], without: Money) -> None:
        """Count one call that is over; `who` are its crowd and its caller."""
        day = self.days[int((call.received_at - self._begin) // DAY_S)]
        is_hit = call.cache is not None and call.cache.state in ("hit", "follow")
        crowd, user = who
        for sums in (self.whole, day.sums, self.by_user[user], self.by_crowd[crowd]):
            sums.asked += 1
            sums.without += without
            sums.cost += call.cost
            if call.outcome == "ok":
                sums.answered += not is_hit
                sums.cached += is_hit
            elif call.outcome == "refused":
                sums.refused += 1
            else:
                sums.failed += 1
            if call.usage is not None:
                sums.tokens += call.usage.output
        for period in (day_of(call.received_at), month_of(call.received_at), "lifetime"):
            self._spent[period] += call.cost
        if error is not None:
            self._note_refusal(call, error, day)

    def _note_refusal(self, call: Call, error: SeawallError, day: Day) -> None:
        code = call.code or error.wire_code
        rule = error.facts.rule if error.facts is not None else code
        self._refused[rule, code] += 1
        if rule.startswith("budget.") and day.ended_s is None:
            day.ended_s = int(call.received_at % DAY_S)

    def left_of(self, budget: Budget, at: float) -> int:
        """Return what is left of a budget of everybody; nano-dollars."""
        caps = ((budget.daily, day_of(at)), (budget.monthly, month_of(at)), (budget.lifetime, "lifetime"))
        return min(cap - self._spent[period] for cap, period in caps if cap is not None)

    def refusals(self) -> tuple[Refused, ...]:
        """Return what was refused, the most frequent first."""
        found = sorted(self._refused.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Refused(rule, code, calls) for (rule, code), calls in found)

    def dearest(self) -> tuple[tuple[str, Sums], ...]:
        """Return the callers who would have cost most."""
        found: Sequence[tuple[str, Sums]] = sorted(
            self.by_user.items(), key=lambda item: (-item[1].without, item[0])
        )
        return tuple(found[:DEAREST])


def weekday(date: str) -> str:
    """Return the three letters of the weekday of an ISO date."""
    return f"{datetime.fromisoformat(date).replace(tzinfo=UTC):%a}"
