"""Delivers what was announced, by each way on its own: one that is slow keeps no other waiting.

Invariants:
- Of several processes one takes a delivery; a crash between sending and noting sends it again under the same
  id, so that receivers can tell.
- A delivery arrives, is given up, or waits for its next try; whatever fails here is logged and tried again.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from seawall.core.contracts import Outbox
from seawall.core.ending import end
from seawall.core.events import APP, APP_KEPT_S, Channel, Delivery, Event
from seawall.core.receivers import ReceiverFailure, Receivers
from seawall.jobs.webhook import Undelivered

log = logging.getLogger("seawall.notify")

DELIVER_S = 1.0
STOP_S = 2.0
TRIM_S = 60.0
TAKEN_MAX = 10
"""So many deliveries by one way are begun together; twice as many may be under way."""
OPERATOR_PAUSES_S = (5.0, 30.0, 120.0, 600.0, 3_600.0, 21_600.0, 86_400.0)
"""Pauses before an alert is tried again; after the last one it is given up."""
APP_PAUSES_S = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 21_600.0, 28_800.0)
"""The same for what apps and users are told: a day in all, with every pause up to a tenth longer."""
JITTER = 0.1
RETRY_AFTER_S_MAX = 6 * 3_600.0

Send = Callable[[Delivery, float], Awaitable[None]]


class Way(Struct, frozen=True):
    """How deliveries of one channel go out; raises Undelivered where one does not arrive.

    What is older than `kept_s` is given up, and `is_watched` says that a receiver which keeps failing is
    disabled.
    """

    send: Send
    pauses_s: tuple[float, ...] = OPERATOR_PAUSES_S
    kept_s: float | None = None
    is_watched: bool = False

    def next_at(self, delivery: Delivery, now: float, error: Undelivered) -> float | None:
        """Return when a delivery that failed is tried again, `None` where it is given up.

        A receiver that says how long to leave it alone is left alone for so long, six hours at most.
        """
        is_hopeless = error.is_final and not (error.is_gone and self.is_watched)  # Kept for who enables it.
        if is_hopeless or delivery.tries >= len(self.pauses_s):
            return None
        pause_s = self.pauses_s[delivery.tries] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
        asked_s = min(error.retry_after_s or 0.0, RETRY_AFTER_S_MAX)
        next_at = now + max(pause_s, asked_s)
        return None if self.is_too_old(delivery, next_at) else next_at

    def is_too_old(self, delivery: Delivery, now: float) -> bool:
        """Say whether nobody wants to hear of it any more."""
        return self.kept_s is not None and now - delivery.at >= self.kept_s


class Dispatcher:
    """Delivers until it is stopped. `alerts` are the channels that hear of a webhook that was disabled."""

    def __init__(
        self,
        ways: Mapping[Channel, Way],
        outbox: Outbox,
        receivers: Receivers,
        alerts: Sequence[Channel],
        now: Callable[[], float],
    ) -> None:
        self._ways, self._outbox, self._receivers = ways, outbox, receivers
        self._alerts, self._now = alerts, now
        self._under_way: Counter[Channel] = Counter()
        self._is_stopping = False
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, where there is anybody to tell."""
        if self._ways:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End after what is being sent; what takes too long is left to the next process."""
        self._is_stopping = True
        self._woken.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=STOP_S)
            await end(self._task)

    async def deliver(self) -> int:
        """Deliver what is due, and wait for the end of that; returns how many arrived."""
        return sum(await asyncio.gather(*(self._deliver(delivery) for delivery in await self._take())))

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        next_trim = clock()
        async with asyncio.TaskGroup() as group:
            while not self._is_stopping:
                self._woken.clear()
                pause_s = DELIVER_S
                try:
                    for delivery in await self._take():
                        self._under_way[delivery.channel] += 1
                        group.create_task(self._send_apart(delivery))
                        pause_s = 0.0
                    if clock() >= next_trim and not await self._outbox.trim(self._now()):
                        next_trim = clock() + TRIM_S
                except Exception:
                    log.exception("what is due could not be looked for; this is tried again")
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._woken.wait()

    async def _take(self) -> list[Delivery]:
        free = [channel for channel in self._ways if self._under_way[channel] < TAKEN_MAX]
        return await self._outbox.take(self._now(), TAKEN_MAX, free)

    async def _send_apart(self, delivery: Delivery) -> None:
        try:
            await self._deliver(delivery)
        except Exception:
            log.exception("a delivery could not be noted; it is sent again")
        finally:
            self._under_way[delivery.channel] -= 1
            if self._under_way[delivery.channel] == TAKEN_MAX - 1:
                self._woken.set()  # There is room again.

    async def _deliver(self, delivery: Delivery) -> bool:
        way, now = self._ways[delivery.channel], self._now()
        try:
            if way.is_too_old(delivery, now):
                raise Undelivered("it waited for too long", is_final=True)
            await way.send(delivery, now)
        except Undelivered as error:
            await self._failed(delivery, way, error)
            return False
        await self._outbox.done(delivery.id, self._now())
        return True

    async def _failed(self, delivery: Delivery, way: Way, error: Undelivered) -> None:
        now = self._now()
        next_at = way.next_at(delivery, now, error)
        if next_at is None:
            fields = {"kind": delivery.kind, "why": error.why}
            log.error("an event could not be delivered", extra={"fields": fields})
            await self._outbox.give_up(delivery.id, now, error.why)
        else:
            await self._outbox.retry(delivery.id, next_at, error.why)
        if way.is_watched and not way.is_too_old(delivery, now):
            failure = ReceiverFailure(delivery.channel, now, error.why, error.is_gone)
            if await self._receivers.failed(failure, disabled_event(failure), self._alerts):
                log.error("a webhook was disabled", extra={"fields": {"why": error.why}})


def app_way(send: Send, *, is_watched: bool) -> Way:
    """Return the way of what apps and users are told."""
    return Way(send, APP_PAUSES_S, APP_KEPT_S, is_watched)


def disabled_event(failure: ReceiverFailure) -> Event:
    """Return what the operator hears of a webhook that was disabled."""
    name = failure.channel.removeprefix(APP)
    text = f"The webhook {name} was disabled: {failure.why}. Enable it with: seawall webhooks enable {name}"
    data = {"webhook": name, "why": failure.why}
    return Event("webhook.disabled", f"webhook.disabled {name} {failure.at}", text, data, failure.at)
