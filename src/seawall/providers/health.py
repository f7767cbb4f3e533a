"""Health: a circuit breaker for each provider account, in memory; it decides nothing, it only knows.

Closed: calls go through. After `failures` failures in a row it opens: no call goes there until the
cooldown is over. Then one call may probe; its success closes the breaker, its failure opens it for twice as
long. Refused credentials and a vendor's `Retry-After` to a 429 never close a door: the route is spared while
others are left, because one caller's request alone can bring either about.

Invariants:
- Only failures that are the provider's fault count. A request that was refused is an answer.
- While a breaker is open and nobody probes, ends of attempts are from before it opened: they do not count.
"""

from msgspec import Struct

from seawall.core.call import Route
from seawall.core.routing import READY, HealthRules, Kind, Outcome, Readiness, State

RETRY_AFTER_S_MAX = 3_600.0
BUSY_MAX = 1_000

_FAILING = "it failed several times in a row"
_REFUSED = "it did not accept our account"
_BUSY = "it asked to be left alone for a moment"
_PROBE = "one call may find out whether it answers again"


class Condition(Struct, frozen=True):
    """What is known against an account, or against one model of it where `model` is not empty."""

    account: str
    model: str
    state: State
    because: str
    wait_s: float
    failures: int = 0


class _Breaker:
    """What is known of one account. `rounds` is how often in a row it opened, `until` when that is over.

    `probed_until` is set while the end of a probe is awaited: until then there is no other one.
    """

    __slots__ = ("failures", "is_refused", "probed_until", "rounds", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.rounds = 0
        self.until = 0.0
        self.probed_until = 0.0
        self.is_refused = False


class Health:
    """Remembers how each account has answered; every `now_s` is in monotonic seconds.

    It belongs to one event loop and does not survive a restart.
    """

    def __init__(self, rules: HealthRules | None = None) -> None:
        self._rules = rules or HealthRules()
        self._breakers: dict[str, _Breaker] = {}
        self._busy: dict[tuple[str, str], float] = {}

    def readiness(self, route: Route, now_s: float) -> Readiness:
        """Return whether a route can be tried now."""
        if not self._breakers and not self._busy:
            return READY
        breaker = self._breakers.get(route.account)
        if breaker is not None and breaker.rounds:
            return self._readiness_of(breaker, now_s)
        until = self._busy.get((route.account, route.model), 0.0)
        return Readiness(State.SPARED, _BUSY, until - now_s) if until > now_s else READY

    def admit(self, route: Route, now_s: float) -> bool:
        """Say whether an attempt may begin right now, and take the place of the probe where it is one.

        Ask this immediately before each attempt, and `note` its end whatever it is. The place of a probe
        that is never heard of again is free after a cooldown.
        """
        breaker = self._breakers.get(route.account)
        if breaker is None or not breaker.rounds:
            return True
        state = self._readiness_of(breaker, now_s).state
        if state is State.PROBE:
            breaker.probed_until = now_s + self._cooldown_s(breaker.rounds)
        return state is not State.OPEN

    def note(self, route: Route, outcome: Outcome, now_s: float) -> None:
        """Note how an attempt ended."""
        if outcome.kind is Kind.ANSWERED and not self._breakers and not self._busy:
            return
        breaker = self._breakers.get(route.account)
        if outcome.kind is Kind.FAILED:
            self._note_failure(route.account, breaker, outcome.retry_after_s, now_s)
        elif outcome.kind is Kind.CREDENTIALS:
            self._note_refused(route.account, breaker, now_s)
        elif outcome.kind is Kind.UNKNOWN:
            if breaker is not None:
                breaker.probed_until = 0.0
        else:
            self._note_answer(route, breaker, outcome, now_s)

    def snapshot(self, now_s: float) -> list[Condition]:
        """List what stands against accounts and models, in the order of their names."""
        found = []
        for account, breaker in self._breakers.items():
            now = self._readiness_of(breaker, now_s) if breaker.rounds else READY
            found.append(Condition(account, "", now.state, now.because, now.wait_s, breaker.failures))
        for (account, model), until in self._busy.items():
            if until > now_s:
                found.append(Condition(account, model, State.SPARED, _BUSY, until - now_s))
        return sorted(found, key=lambda condition: (condition.account, condition.model))

    def _readiness_of(self, breaker: _Breaker, now_s: float) -> Readiness:
        """Return the readiness of an account whose breaker has opened."""
        until = max(breaker.until, breaker.probed_until)
        if until <= now_s:
            return Readiness(State.PROBE, _PROBE)
        if breaker.is_refused:
            return Readiness(State.SPARED, _REFUSED, until - now_s)
        return Readiness(State.OPEN, _FAILING, until - now_s)

    def _cooldown_s(self, rounds: int) -> float:
        return float(min(self._rules.cooldown_s_max, self._rules.cooldown_s * 2.0 ** min(rounds - 1, 32)))

    def _note_answer(self, route: Route, breaker: _Breaker | None, outcome: Outcome, now_s: float) -> None:
        if breaker is not None and not _is_from_before(breaker):
            del self._breakers[route.account]
        place = (route.account, route.model)
        if outcome.kind is Kind.ANSWERED:
            self._busy.pop(place, None)
        elif outcome.retry_after_s > 0:
            if len(self._busy) >= BUSY_MAX:
                self._busy = {place: until for place, until in self._busy.items() if until > now_s}
            if len(self._busy) < BUSY_MAX:
                self._busy[place] = now_s + min(outcome.retry_after_s, RETRY_AFTER_S_MAX)

    def _note_failure(
        self, account: str, breaker: _Breaker | None, retry_after_s: float, now_s: float
    ) -> None:
        if not self._rules.failures:
            return
        if breaker is None:
            breaker = self._breakers[account] = _Breaker()
        asked_until = now_s + min(retry_after_s, RETRY_AFTER_S_MAX)
        if _is_from_before(breaker):
            breaker.until = max(breaker.until, asked_until)
            return
        is_probe = breaker.rounds > 0 and not breaker.is_refused
        breaker.failures += 1
        breaker.probed_until = 0.0
        if is_probe or breaker.failures >= self._rules.failures:
            self._open(breaker, now_s, is_refused=False)
            breaker.until = max(breaker.until, asked_until)

    def _note_refused(self, account: str, breaker: _Breaker | None, now_s: float) -> None:
        if breaker is None:
            breaker = self._breakers[account] = _Breaker()
        if breaker.until <= now_s and not _is_from_before(breaker):
            self._open(breaker, now_s, is_refused=True)

    def _open(self, breaker: _Breaker, now_s: float, *, is_refused: bool) -> None:
        breaker.rounds += 1
        breaker.until = now_s + self._cooldown_s(breaker.rounds)
        breaker.probed_until = 0.0
        breaker.is_refused = is_refused


def _is_from_before(breaker: _Breaker) -> bool:
    """Say whether an end of an attempt can only be one that began before this breaker opened.

    Spared accounts are called meanwhile, so there every end counts.
    """
    return breaker.rounds > 0 and not breaker.is_refused and not breaker.probed_until
