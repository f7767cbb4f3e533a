"""Rate limits in the memory of one process.

Invariants:
- Never more than `count` in any window of the period, whatever the schedule: each use is kept until it is a
  whole period old. Up to 1,000 a window the moments themselves are kept. Above that, and for tokens, uses
  share slots of a thousandth of the period, and a slot is kept until its end is a period old.
- A refusal takes nothing from any limit, and neither from those that would have admitted the call.
- Time is whole microseconds, so that the wait that is told is exact.
- Each limit that is new has two of the others looked at, and what has nothing in its window is forgotten. So
  there are at most about twice as many as are in use, and no call waits for a great clearing out. Beyond
  `STATES_MAX` each new one takes the place of the one, of sixteen, that was used longest ago.
- Nothing is forgotten between the look at a limit and the use of it.
"""

from bisect import bisect_right
from collections import deque
from functools import partial
from typing import Protocol

from seawall.core.limits import Admitted, CountersState, Mark, Refused
from seawall.core.policy import Limit

EXACT_MAX = 1_000
SLOTS = 1_000
STATES_MAX = 200_000
LOOKED_AT = 2
COMPARED = 16
AT_ONCE_WAIT_S = 1.0
US = 1_000_000


class _State(Protocol):
    """What is used of one limit; all times in microseconds."""

    def wait(self, limit: Limit, now: int, amount: int) -> int:
        """Return how long until so much more is admitted; 0 where it is now. Takes nothing."""

    def take(self, limit: Limit, now: int, amount: int) -> object:
        """Take so much; returns what has to be known of it later, `None` where nothing."""

    def mark(self, limit: Limit, now: int) -> Mark:
        """Say how the limit stands."""

    def last_use(self, period: int, now: int) -> int | None:
        """Return when it was used last, `None` where nothing of it counts any more."""


class MemoryCounters:
    """See `core.contracts.Counters`. Nothing here can be down, and nothing waits."""

    def __init__(self, states_max: int = STATES_MAX) -> None:
        self._states_max = states_max
        self._states: dict[str, tuple[_State, int]] = {}
        self._turn: deque[str] = deque()
        self._made = 0

    async def admit(self, limits: tuple[Limit, ...], now_s: float, tokens: int) -> Admitted | Refused:
        """Take one call, and so many tokens of input, from all limits or from none."""
        now = round(now_s * US)
        if self._made:
            self._tidy(now)
        known = self._states
        states: list[_State] = []
        worst, longest = None, 0
        for limit in limits:
            found = known.get(limit.key)
            state = self._make(limit) if found is None else found[0]
            states.append(state)
            wait = state.wait(limit, now, tokens if limit.unit == "tokens" else 1)
            if wait > longest or (wait and worst is None):
                worst, longest = limit, wait
        if worst is not None:
            used = states[limits.index(worst)].mark(worst, now).used
            return Refused(worst, used, longest / US, partial(_marks, limits, states, now))
        return self._take(limits, states, now, tokens)

    def take(self, limits: tuple[Limit, ...], now_s: float, tokens: int) -> Admitted:
        """Take one call from all limits, whatever they admit: somebody else has decided it."""
        now = round(now_s * US)
        if self._made:
            self._tidy(now)
        known = self._states
        states = []
        for limit in limits:
            found = known.get(limit.key)
            states.append(self._make(limit) if found is None else found[0])
        return self._take(limits, states, now, tokens)

    def _take(self, limits: tuple[Limit, ...], states: list[_State], now: int, tokens: int) -> Admitted:
        taken = []
        for limit, state in zip(limits, states, strict=True):
            held = state.take(limit, now, tokens if limit.unit == "tokens" else 1)
            if held is not None and limit.unit != "requests":
                taken.append((state, limit, held))
        return Admitted(partial(_marks, limits, states, now), taken, tokens)

    async def peek(self, limits: tuple[Limit, ...], now_s: float) -> Refused | None:
        """Say what stands against a call now, without taking anything; of several the longest wait."""
        now = round(now_s * US)
        worst: Refused | None = None
        for limit in limits:
            found = self._states.get(limit.key)
            wait = 0 if found is None else found[0].wait(limit, now, 1)
            if found is not None and wait and (worst is None or wait / US > worst.wait_s):
                used = found[0].mark(limit, now).used
                worst = Refused(limit, used, wait / US, partial(_marks, (limit,), [found[0]], now))
        return worst

    def leave(self, admitted: Admitted) -> None:
        """Free the place of a call among those that run at once; once, however often it is asked."""
        rest = []
        for taken in admitted.taken:
            if isinstance(taken[0], _AtOnce):
                taken[0].running -= 1
            else:
                rest.append(taken)
        admitted.taken = rest

    async def settle(self, admitted: Admitted, now_s: float, tokens: int) -> None:
        """Put the tokens that were billed, input and output together, in the place of the estimate."""
        now = round(now_s * US)
        for state, limit, held in admitted.taken:
            if not isinstance(state, _Slots) or limit.unit != "tokens":
                continue
            found = self._states.get(limit.key)
            present = self._make(limit) if found is None else found[0]
            if present is state:
                state.settle(limit, now, held, admitted.tokens, tokens)
            elif tokens > admitted.tokens:  # The call outlived all that was counted with it.
                present.take(limit, now, tokens - admitted.tokens)

    def state(self) -> CountersState:
        """Say that all is in memory."""
        return CountersState()

    def _make(self, limit: Limit) -> _State:
        state: _State
        if limit.unit == "at_once":
            state = _AtOnce()
        elif limit.burst is not None and limit.unit == "requests":
            state = _Bucket()
        elif limit.unit == "requests" and limit.count <= EXACT_MAX:
            state = _Log()
        else:
            state = _Slots()
        self._states[limit.key] = (state, limit.period_s * US)
        self._turn.append(limit.key)
        self._made += 1
        return state

    def _tidy(self, now: int) -> None:
        """Forget what is empty, as far as its turn has come, and what is too much."""
        for _ in range(min(LOOKED_AT * self._made, len(self._turn))):
            key = self._turn.popleft()
            state, period = self._states[key]
            if state.last_use(period, now) is None:
                del self._states[key]
            else:
                self._turn.append(key)
        while len(self._states) > self._states_max:
            self._forget_oldest(now)
        self._made = 0

    def _forget_oldest(self, now: int) -> None:
        uses = []
        for place in range(min(COMPARED, len(self._turn))):
            state, period = self._states[self._turn[place]]
            uses.append((state.last_use(period, now) or 0, place))
        place = min(uses)[1]
        del self._states[self._turn[place]]
        del self._turn[place]
        self._turn.rotate(-COMPARED)


def _marks(limits: tuple[Limit, ...], states: list[_State], now: int) -> list[Mark]:
    """Say how limits stand; asked for only where somebody is told."""
    return [state.mark(limit, now) for limit, state in zip(limits, states, strict=True)]


class _Log:
    """The moments of the last uses, the oldest first."""

    __slots__ = ("times",)

    def __init__(self) -> None:
        self.times: list[int] = []

    def wait(self, limit: Limit, now: int, amount: int) -> int:
        times = self.times
        if len(times) < limit.count:
            return 0
        period = limit.period_s * US
        return max(0, times[-limit.count] + period - now)

    def take(self, limit: Limit, now: int, amount: int) -> None:
        times = self.times
        times.append(max(now, times[-1]) if times else now)  # A clock that goes back frees nothing early.
        if len(times) > limit.count:
            del times[: len(times) - limit.count]

    def mark(self, limit: Limit, now: int) -> Mark:
        times, period = self.times, limit.period_s * US
        start = bisect_right(times, now - period) if times and times[0] <= now - period else 0
        used = len(times) - start
        if not used:
            return Mark(limit, 0, 0.0, 0.0)
        return Mark(limit, used, (times[start] + period - now) / US, (times[-1] + period - now) / US)

    def last_use(self, period: int, now: int) -> int | None:
        return self.times[-1] if self.times and self.times[-1] > now - period else None


class _Slots:
    """Sums of uses by slots: [end of the slot, amount]; `total` is that of all slots that still count."""

    __slots__ = ("slots", "total")

    def __init__(self) -> None:
        self.slots: list[list[int]] = []
        self.total = 0

    def wait(self, limit: Limit, now: int, amount: int) -> int:
        period = limit.period_s * US
        self._expire(now - period)
        # One that is larger than the limit itself passes when nothing else counts, and overdraws it.
        over = self.total + min(amount, limit.count) - limit.count
        if over <= 0:
            return 0
        for end, held in self.slots:
            over -= held
            if over <= 0:
                return max(1, end + period - now)
        return period

    def take(self, limit: Limit, now: int, amount: int) -> list[int]:
        """Add to the slot of this moment, and return it."""
        size = max(1, limit.period_s * US // SLOTS)
        end = now - now % size + size - 1
        slots = self.slots
        if not slots or slots[-1][0] < end:
            slots.append([end, 0])
        slot = slots[-1]
        slot[1] += amount
        self.total += amount
        return slot

    def settle(self, limit: Limit, now: int, slot: list[int], estimated: int, used: int) -> None:
        """Put what was used in the place of the estimate: less lightens its slot, more counts from now on."""
        self._expire(now - limit.period_s * US)
        if used > estimated:
            self.take(limit, now, used - estimated)
        elif self.slots and slot[0] >= self.slots[0][0]:
            slot[1] -= estimated - used
            self.total -= estimated - used

    def mark(self, limit: Limit, now: int) -> Mark:
        period = limit.period_s * US
        self._expire(now - period)
        if not self.slots:
            return Mark(limit, 0, 0.0, 0.0)
        first, last = self.slots[0][0], self.slots[-1][0]
        return Mark(limit, self.total, (first + period - now) / US, (last + period - now) / US)

    def last_use(self, period: int, now: int) -> int | None:
        self._expire(now - period)
        return self.slots[-1][0] if self.slots else None

    def _expire(self, until: int) -> None:
        slots = self.slots
        if not slots or slots[0][0] > until:
            return
        gone = 0
        while gone < len(slots) and slots[gone][0] <= until:
            self.total -= slots[gone][1]
            gone += 1
        del slots[:gone]


class _Bucket:
    """A steady rate with a burst: the generic cell rate algorithm (ITU-T I.371), in whole numbers.

    `tat` is the theoretical arrival time of the next call, times `count`, so that nothing is rounded.
    """

    __slots__ = ("count", "tat", "until")

    def __init__(self) -> None:
        self.count, self.tat, self.until = 1, 0, 0

    def wait(self, limit: Limit, now: int, amount: int) -> int:
        assert limit.burst is not None
        if self.count != limit.count:
            self._change_to(limit.count, now)
        early = self.tat - now * limit.count - (limit.burst - 1) * limit.period_s * US
        return -(-early // limit.count) if early > 0 else 0

    def take(self, limit: Limit, now: int, amount: int) -> None:
        self.tat = max(self.tat, now * limit.count) + limit.period_s * US
        self.until = self.tat // limit.count + 1

    def mark(self, limit: Limit, now: int) -> Mark:
        assert limit.burst is not None
        ahead = max(0, self.tat - now * limit.count)
        used = -(-ahead // (limit.period_s * US))
        part = ahead % (limit.period_s * US) or limit.period_s * US
        frees = part / limit.count / US if ahead else 0.0
        return Mark(limit, max(0, limit.count - max(0, limit.burst - used)), frees, ahead / limit.count / US)

    def _change_to(self, count: int, now: int) -> None:
        """Go on at another rate: as many calls are ahead of it as were before."""
        self.tat = now * count + max(0, self.tat - now * self.count)
        self.count, self.until = count, self.tat // count + 1

    def last_use(self, period: int, now: int) -> int | None:
        return self.until if self.until > now else None


class _AtOnce:
    """How many calls run."""

    __slots__ = ("running",)

    def __init__(self) -> None:
        self.running = 0

    def wait(self, limit: Limit, now: int, amount: int) -> int:
        return int(AT_ONCE_WAIT_S * US) if self.running >= limit.count else 0

    def take(self, limit: Limit, now: int, amount: int) -> bool:
        self.running += 1
        return True

    def mark(self, limit: Limit, now: int) -> Mark:
        return Mark(limit, self.running, AT_ONCE_WAIT_S, AT_ONCE_WAIT_S)

    def last_use(self, period: int, now: int) -> int | None:
        return now if self.running else None
