"""The scheduler of alerts: looks at the books every few seconds, and announces what there is to tell.

Invariants:
- What was announced is in the database: several processes on one store announce an event once. The digest is
  made by one process of all, as the engine says, or where no jobs are done by each for itself. Only which
  provider was down is known to the process alone: its recovery is not told by another.
- Whatever fails here is logged and tried again; no call ever waits for it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, datetime, timedelta, tzinfo

from msgspec import Struct

from seawall.core.contracts import Outbox
from seawall.core.ending import end
from seawall.core.events import Channel, Event
from seawall.core.jobs import JobRules, Jobs
from seawall.core.ledger import Account, Standing
from seawall.core.periods import LIFETIME, day_of, month_of, names_in
from seawall.core.watching import AlertRules, Watch
from seawall.jobs import detecting
from seawall.jobs.digest import digest

log = logging.getLogger("seawall.alerts")

LOOK_S = 15.0
DIGEST_S = 60
"""How often somebody asks whether the digest is due."""
WINDOW_S = 900.0
HISTORY_DAYS = 14

Cap = Callable[[str, str], int | None]
"""Returns the cap of an account, by scope and period; `None` where it has none."""
TOLD_MAX = 100_000
AT_A_TIME = 500
"""After so many accounts others are let in: a look at many may not hold up calls."""


class AlertTerms(Struct, frozen=True):
    """What is told to whom: `kinds` by channel (`None` for every kind), and when the digest goes out.

    `digests_itself` says that no schedule asks for the digest: each look does.
    """

    rules: AlertRules
    kinds: dict[Channel, frozenset[str] | None]
    digest_at: tuple[int, int] | None
    zone: tzinfo
    digests_itself: bool = False


class AlertSources(Struct, frozen=True):
    """What the scheduler looks at: `used_up` returns quotas that calls have found used up."""

    outbox: Outbox
    watch: Watch
    jobs: Jobs
    caps: Callable[[], Awaitable[Cap]]
    used_up: Callable[[], list[Standing]]
    key_names: Callable[[], Awaitable[dict[str, str]]]


class Alerting:
    """Looks until it is stopped."""

    def __init__(self, terms: AlertTerms, sources: AlertSources, now: Callable[[], float]) -> None:
        self._terms = terms
        self._outbox, self._watch, self._jobs = sources.outbox, sources.watch, sources.jobs
        self._caps, self._used_up, self._key_names = sources.caps, sources.used_up, sources.key_names
        self._told: set[str] = set()
        self._now = now
        self._lowest = min(terms.rules.thresholds)
        self._down: set[str] = set()
        self._digested: date | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End."""
        await end(self._task)

    async def look(self) -> int:
        """Look once at all but the digest; returns how many events were announced."""
        events = [event async for event in self._events(self._now()) if event.subject not in self._told]
        if len(self._told) > TOLD_MAX:
            self._told.clear()  # The database knows all of them.
        return sum([await self._announce(event) for event in events])

    async def tell_digest(self) -> None:
        """Announce the digest of yesterday where it is due; trouble is logged, and for the next time."""
        now = self._now()
        today = datetime.fromtimestamp(now, self._terms.zone).date()
        if today == self._digested or not self._is_digest_due(now):
            return
        try:
            await self._announce(await digest(self._watch, await self._key_names(), now, self._terms.zone))
            self._digested = today
        except Exception:
            log.exception("the digest could not be made; this is tried again")

    async def _announce(self, event: Event) -> int:
        """Announce one to whom it concerns; returns to how many it was new."""
        channels: list[Channel] = [
            channel for channel, kinds in self._terms.kinds.items() if kinds is None or event.kind in kinds
        ]
        announced = await self._outbox.announce([event], channels)
        self._told.add(event.subject)
        return announced

    async def _run(self) -> None:
        while True:
            if self._terms.digests_itself:
                await self.tell_digest()
            try:
                await self.look()
            except Exception:
                log.exception("alerts could not be looked for; this is tried again")
            await asyncio.sleep(LOOK_S)

    async def _events(self, now: float) -> AsyncIterator[Event]:
        rules = self._terms.rules
        passed = detecting.thresholds(await self._standings(now), rules, now)
        for number, event in enumerate(passed):
            yield event
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)
        for event in detecting.exhausted_quotas(self._used_up(), now):
            yield event
        first = day_of(now - HISTORY_DAYS * 86_400)
        days = await self._watch.days(first, day_of(now))
        for event in detecting.unusual(days, day_of(now), rules, now):
            yield event
        calls = await self._watch.calls(int((now - WINDOW_S) * 1000))
        for event in detecting.recovered(calls, self._down, now):
            self._down.discard(event.data["provider"])
            yield event
        for event in detecting.health(calls, rules, now):
            if event.kind == "provider.outage":
                self._down.add(event.data["provider"])
            yield event
        for event in detecting.surprises(calls, now):
            yield event
        figures = await self._jobs.figures(now - WINDOW_S, JobRules())
        for event in detecting.failing_jobs(figures.failed, now):
            yield event

    async def _standings(self, now: float) -> list[Standing]:
        """Return every account of the present periods of which as much is used as the lowest threshold."""
        day, month = names_in(now, self._terms.zone)
        quotas = [f"{unit}:{period}" for unit in ("tokens", "requests") for period in (day, month)]
        cap_of, found = await self._caps(), []
        for period in (day_of(now), month_of(now), LIFETIME, *quotas):
            for number, (scope, spent, held) in enumerate(await self._watch.used(period)):
                cap = cap_of(scope, period)
                if cap is not None and spent * 100 >= cap * self._lowest:
                    found.append(Standing(Account(scope, period, cap), spent, held))
                if number % AT_A_TIME == AT_A_TIME - 1:
                    await asyncio.sleep(0)
        return found

    def _is_digest_due(self, now: float) -> bool:
        """Say whether it is time, for two hours: a gateway that is stopped so long skips a day."""
        if self._terms.digest_at is None:
            return False
        hour, minute = self._terms.digest_at
        local = datetime.fromtimestamp(now, self._terms.zone)
        due = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return due <= local < due + timedelta(hours=2)
