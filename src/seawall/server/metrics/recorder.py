"""Counts what became of calls: one dictionary look-up a call, plain additions for the rest.

Prometheus's own counters take 8 µs for the same. Nothing here knows them; figures are put into their form
when somebody asks.
"""

import re
from collections.abc import Iterator

from seawall.core.call import Call, Try
from seawall.core.errors import SeawallError
from seawall.core.histograms import Histogram
from seawall.server.metrics import families
from seawall.server.metrics.families import SECONDS
from seawall.server.metrics.values import Values

OTHER = "other"
"""The label of a model that no provider here is known to serve: whatever a caller writes is no label."""
LEARNED_MAX = 200
"""How many names are learned that are on no list, as those with a date: a provider has answered to each."""
VENDOR = "vendor"
"""The label of a provider's own error code."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}", re.ASCII)
_GUARDS = ("guard_input", "guard_output")
_TOKENS = ("input", "output", "cached_read", "cached_write", "reasoning")


class Recorder:
    """Counts ended calls; `models` are the names that may be labels. Belongs to one event loop."""

    def __init__(self, models: frozenset[str]) -> None:
        self._models = {*models, ""}
        self._may_learn = LEARNED_MAX
        self._codes = frozenset(_codes(SeawallError))
        self._series: dict[tuple[str, str, str, str, str | None], _Series] = {}
        self._durations: dict[tuple[str, str], Histogram] = {}
        self._firsts: dict[tuple[str, str], Histogram] = {}
        self._spending: dict[tuple[str, str], _Spending] = {}
        self._attempts: dict[tuple[str, str], int] = {}
        self._attempt_times: dict[str, Histogram] = {}
        self._guard: dict[tuple[str, str], int] = {}
        self._cache: dict[str, int] = {}

    def __call__(self, call: Call, now: float) -> None:
        """Count a call that has ended; when that was does not matter here."""
        route, code = call.route, call.code
        if route is not None:
            provider, model = route.provider, route.model
        else:
            provider, model = "", call.request.model if call.request is not None else ""
        if model not in self._models and not self._learns(model, call):
            model = OTHER
        if code is not None and code not in self._codes:
            code = VENDOR
        key = (call.endpoint, provider, model, call.outcome, code)
        series = self._series.get(key)
        if series is None:
            series = self._open(key)
        series.calls += 1
        series.duration.observe(call.took_ms() / 1000)
        if call.first_event_at is not None:
            series.first.observe(call.first_event_at - call.began_at)
        if call.tries:
            self._note_tries(call, series.spending)
        if call.cache is not None:
            series.spending.saved += call.saved
            self._cache[call.cache.state] = self._cache.get(call.cache.state, 0) + 1
        if not call.is_clean:
            self._note_guard(call)

    def _learns(self, model: str, call: Call) -> bool:
        """Say whether a name that is on no list is one all the same, and remember it."""
        is_name = call.outcome == "ok" and call.route is not None and _NAME.fullmatch(model) is not None
        if not is_name or not self._may_learn:
            return False
        self._may_learn -= 1
        self._models.add(model)
        return True

    def _note_tries(self, call: Call, spending: "_Spending") -> None:
        spending.cost += call.cost
        spending.overage += call.overage
        usage = call.usage
        if usage is not None:
            spending.input += usage.input
            spending.output += usage.output
            spending.cached_read += usage.cached_read
            spending.cached_write += usage.cached_write
            spending.reasoning += usage.reasoning
        for each in call.tries:
            spending.held += each.held
            self._note_try(each)

    def _note_try(self, each: Try) -> None:
        key = (each.provider, each.ending)
        self._attempts[key] = self._attempts.get(key, 0) + 1
        times = self._attempt_times.get(each.provider)
        if times is None:
            times = self._attempt_times[each.provider] = Histogram(SECONDS)
        times.observe(max(0.0, each.took_ms / 1000))

    def _note_guard(self, call: Call) -> None:
        for decision in call.decisions:
            if decision.step in _GUARDS:
                key = (decision.step, decision.verdict)
                self._guard[key] = self._guard.get(key, 0) + 1

    def _open(self, key: tuple[str, str, str, str, str | None]) -> "_Series":
        endpoint, provider, model, outcome, _ = key
        series = self._series[key] = _Series(
            self._durations.setdefault((endpoint, outcome), Histogram(SECONDS)),
            self._firsts.setdefault((endpoint, provider), Histogram(SECONDS)),
            self._spending.setdefault((provider, model), _Spending()),
        )
        return series

    def put_into(self, values: Values) -> None:
        """Put everything that was counted among the figures."""
        for (*labels, code), series in self._series.items():
            values.put(families.CALLS, series.calls, *labels, code or "")
        for (endpoint, outcome), seen in self._durations.items():
            values.put_histogram(families.CALL_SECONDS, seen, endpoint, outcome)
        for (endpoint, provider), seen in self._firsts.items():
            values.put_histogram(families.FIRST_SECONDS, seen, endpoint, provider)
        saved: dict[str, int] = {}
        for (provider, model), spending in self._spending.items():
            saved[model] = saved.get(model, 0) + spending.saved
            if provider:
                spending.put_into(values, provider, model)
        for model, nanos in saved.items():
            values.put(families.SAVED, nanos, model)
        for (provider, ending), count in self._attempts.items():
            values.put(families.ATTEMPTS, count, provider, ending)
        for provider, seen in self._attempt_times.items():
            values.put_histogram(families.ATTEMPT_SECONDS, seen, provider)
        for (step, verdict), count in self._guard.items():
            values.put(families.GUARD, count, step, verdict)
        for state, count in self._cache.items():
            values.put(families.CACHE, count, state)


class _Series:
    """Calls that ended in the same way, and where their times and their money are added up."""

    __slots__ = ("calls", "duration", "first", "spending")

    def __init__(self, duration: Histogram, first: Histogram, spending: "_Spending") -> None:
        self.calls = 0
        self.duration, self.first, self.spending = duration, first, spending


class _Spending:
    """Tokens and nano-dollars of one model at one provider."""

    __slots__ = (*_TOKENS, "cost", "held", "overage", "saved")

    def __init__(self) -> None:
        self.input = self.output = self.cached_read = self.cached_write = self.reasoning = 0
        self.cost = self.held = self.overage = self.saved = 0

    def put_into(self, values: Values, provider: str, model: str) -> None:
        for kind in _TOKENS:
            values.put(families.TOKENS, getattr(self, kind), provider, model, kind)
        values.put(families.COST, self.cost, provider, model)
        values.put(families.HELD, self.held, provider, model)
        values.put(families.OVERAGE, self.overage, provider, model)


def _codes(error: type[SeawallError]) -> Iterator[str]:
    yield error.code
    for child in error.__subclasses__():
        yield from _codes(child)
