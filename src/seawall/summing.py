"""Sums up the hours of the call log that are over, for advice.

An hour is summed up once nothing of it can change any more: it has been over for longer than a call takes,
and nothing that came in it, or before it, is still to be settled, be it a call that runs, one that a stopped
gateway left, or a job. Whatever waits so long that the log would be trimmed meanwhile is not waited for.

Invariants:
- An hour is written when it is whole, and never again; calls that are trimmed from the log stay in it.
- Several gateways may sum up the same hours at once: each writes the same, or what another has done is seen.
"""

import asyncio
import logging
from collections.abc import Callable

from seawall.advice.folding import HOUR_MS, Folding, came_ms
from seawall.core.call import first_id_at, moment_of
from seawall.core.ending import end
from seawall.core.errors import SeawallError
from seawall.core.ledger import CallRow
from seawall.core.traffic import Hour, Traffic
from seawall.homes import Store

log = logging.getLogger("seawall.app")

HOUR_S = 3_600
OVER_FOR_S = 900
"""A call takes less, if it holds no money: such a one is found by nothing else. See timeouts.call_s."""
SPARE_HOURS = 4
"""So long before the log is trimmed an hour is summed up, whatever is still to be settled in it."""
LOG_KEPT_DAYS = 7
STEP_ROWS = 2_000
ROWS_BESIDE_CALLS = 500
"""A gateway that answers calls meanwhile takes smaller steps, and rests between them."""
ROWS_A_TURN = 250
REST_S = 0.2
LOOK_S = 60
STEPS_A_LOOK = 60
"""So a schedule has its turn back in time; it is enough for 500 calls a second."""


class Summing:
    """Goes through the calls in the order in which they came, a step at a time."""

    def __init__(self, traffic: Traffic, *, keep_days: int = LOG_KEPT_DAYS, rows: int = STEP_ROWS) -> None:
        self._traffic, self._keep_days, self._rows = traffic, keep_days, rows
        self._folding = Folding()
        self._from = -1
        self._after = ""

    async def step(self, now: float) -> bool:
        """Read some calls; says whether there are more. Raises Overloaded where the store is down."""
        traffic = self._traffic
        start = await traffic.summed_until()
        if start != self._from:  # It is the first step, or another gateway is further on.
            self._folding, self._from, self._after = Folding(), start, first_id_at(start * HOUR_MS)
        end = await self._over_at(now)
        if start >= end:
            return False
        rows = await traffic.rows(after=self._after, before=first_id_at(end * HOUR_MS), at_most=self._rows)
        await _add(rows, self._folding)
        is_more = len(rows) == self._rows
        done = came_ms(rows[-1]) // HOUR_MS if is_more else end
        if rows:
            self._after = rows[-1].id
        if done > start:
            await traffic.put(self._folding.take(done), done)
            self._from = done
        return is_more

    async def _over_at(self, now: float) -> int:
        """Return the first hour that is not over yet."""
        end = int(now - OVER_FOR_S) // HOUR_S
        first = await self._traffic.first_open()
        came = None if first is None else moment_of(first)
        if came is None:
            return end
        patience = self._keep_days * 24 - SPARE_HOURS
        return min(end, max(came // HOUR_MS, end - patience))


async def catch_up(store: Store, now: float, keep_days: int = LOG_KEPT_DAYS) -> None:
    """Sum up every hour that is over; `keep_days` is how long the log keeps calls.

    Raises Overloaded where the store is down.
    """
    summing = Summing(store.traffic, keep_days=keep_days)
    while await summing.step(now):
        pass


async def hours_until_now(store: Store, first: int, now: float) -> list[Hour]:
    """Return sums from an hour on, those of hours that are not summed up made from the calls themselves.

    Catch up before: what is not summed up is read call by call. Raises Overloaded where the store is down.
    """
    until = await store.traffic.summed_until()
    hours = await store.traffic.hours(first, until)
    end = first_id_at(int(now * 1000) + 1)
    after, folding = first_id_at(max(first, until) * HOUR_MS), Folding()
    while True:
        rows = await store.traffic.rows(after=after, before=end, at_most=STEP_ROWS)
        await _add(rows, folding)
        if len(rows) < STEP_ROWS:
            return hours + folding.hours()
        after = rows[-1].id


async def _add(rows: list[CallRow], folding: Folding) -> None:
    """Count calls, and let others have their turn."""
    for start in range(0, len(rows), ROWS_A_TURN):
        for row in rows[start : start + ROWS_A_TURN]:
            folding.add(row)
        await asyncio.sleep(0)


class HourlySums:
    """Sums up beside a gateway, in small steps; trouble with the store is logged and tried again."""

    def __init__(self, store: Store, keep_days: int, now: Callable[[], float]) -> None:
        self._summing = Summing(store.traffic, keep_days=keep_days, rows=ROWS_BESIDE_CALLS)
        self._now = now
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look by oneself: for a process that no schedule reaches."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; an hour that is half read is read again next time."""
        await end(self._task)

    async def catch_up(self) -> None:
        """Take some steps: for a schedule, by which one process of all does it."""
        try:
            for _ in range(STEPS_A_LOOK):
                if not await self._summing.step(self._now()):
                    return
                await asyncio.sleep(REST_S)
        except SeawallError as error:
            log.error("hours cannot be summed up", extra={"fields": {"why": error.private}})

    async def _run(self) -> None:
        while True:
            await self.catch_up()
            await asyncio.sleep(LOOK_S)
