"""Which calls of whom a daily budget on each user would have refused, by the rules of `core/ledger.py`."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from seawall.advice.amounts import counted, dollars
from seawall.advice.numbers import Rates
from seawall.advice.replaying.recorded import DAY_MS, Recorded
from seawall.advice.replays import Replay
from seawall.advice.words import Figure, Replayed
from seawall.core.ledger import DECLARED_FLOOR, UNDECLARED_FLOOR, UNDECLARED_SHARE
from seawall.core.money import NANO, PER_MILLION, Money
from seawall.core.traffic import Asked

ERROR = "At most 5 % off in a test that makes the same calls again with the budget on."


class BudgetReplay(Struct, frozen=True):
    """What a budget a day on each end user would have done; money in nano-dollars.

    `refused` calls of `users` would not have been made, `shortened` answers would have been cut at what was
    left. `saved` is what both cost. `days` counts how often somebody used the budget up. `dearest` is the
    most that anybody spent in a day.
    """

    daily: Money
    calls: int
    refused: int
    shortened: int
    users: int
    days: int
    saved: Money
    dearest: Money

    def told(self, recorded: Recorded) -> Replay:
        """Return what people read of it."""
        query = (
            "SELECT end_user, date(at_ms / 1000, 'unixepoch') AS day, sum(cost + listed_cost) FROM calls"
            " WHERE end_user IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC"
        )
        refused = f"{counted(self.refused, 'call')} of {counted(self.users, 'user')} refused"
        if not self.refused:
            refused = "nobody refused"
        told = Replayed(
            title=f"A budget of {dollars(self.daily)} a day for each user",
            calls=self.calls,
            days=recorded.days,
            figures=(
                Figure(
                    f"{refused}, {counted(self.shortened, 'answer') if self.shortened else 'no answer'} cut",
                    query,
                    self.refused,
                ),
                Figure(f"{dollars(self.saved)} saved", query, self.saved / NANO),
                Figure(
                    f"{dollars(self.dearest)} at most for one user in a day",
                    query,
                    self.dearest / NANO,
                ),
            ),
            assumptions=recorded.assumed(
                "Days are UTC days.",
                "The last answer of a day is cut at what is left; what can buy no answer is refused.",
                "Who is refused does not try again on that day.",
            ),
            error=ERROR,
        )
        return Replay(
            told,
            touched=self.refused,
            saved=self.saved,
            users=self.users,
            limit=f"{dollars(self.daily)} a day",
        )


class _Sums(Struct):
    refused: int = 0
    shortened: int = 0
    saved: int = 0
    days: int = 0
    dearest: int = 0


def replay_budget(
    users: Mapping[str, Sequence[Asked]], daily: Money, rates: Mapping[str, Rates]
) -> BudgetReplay | None:
    """Replay a budget a day on each user's calls, the oldest first; `None` where no call names a user."""
    if not users:
        return None
    sums, concerned = _Sums(), 0
    for calls in users.values():
        before = sums.refused
        _spend(calls, daily, rates, sums)
        concerned += sums.refused > before
    return BudgetReplay(
        daily=daily,
        calls=sum(map(len, users.values())),
        refused=sums.refused,
        shortened=sums.shortened,
        users=concerned,
        days=sums.days,
        saved=Money(sums.saved),
        dearest=Money(sums.dearest),
    )


def _spend(calls: Sequence[Asked], daily: Money, rates: Mapping[str, Rates], sums: _Sums) -> None:
    """Spend one user's days."""
    ends_ms = spent = really = saved = refused = 0
    is_used_up = False
    for call in calls:
        if call.at_ms >= ends_ms:
            sums.dearest = max(sums.dearest, really)
            ends_ms, spent, really, is_used_up = (call.at_ms // DAY_MS + 1) * DAY_MS, 0, 0, False
        worth = call.cost or call.listed_cost
        if not worth:
            continue
        really += worth
        cost = worth if spent + worth * 9 < daily else _affordable(call, worth, daily - spent, rates)
        if cost:
            spent += cost
            saved += worth - cost
            sums.shortened += cost < worth
            continue
        refused += 1
        saved += worth
        sums.days += not is_used_up
        is_used_up = True
    sums.dearest = max(sums.dearest, really)
    sums.refused += refused
    sums.saved += saved


def _affordable(call: Asked, worth: int, left: int, rates: Mapping[str, Rates]) -> int:
    """Return what a call costs with so much left, 0 where that buys no answer."""
    usage, known = call.usage, rates.get(call.model)
    if usage is None or known is None:
        return max(0, min(worth, left))
    rate = known.output or 1
    can = (left * PER_MILLION - usage.input * known.input) // rate
    if can < DECLARED_FLOOR:
        return 0
    if call.shape is None or not call.shape.wanted_tokens:
        if can < UNDECLARED_FLOOR:
            return 0
        can = min(can, max(left // UNDECLARED_SHARE * PER_MILLION // rate, UNDECLARED_FLOOR))
    return worth - max(0, usage.output - can) * known.output // PER_MILLION
