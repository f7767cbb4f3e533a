"""Makes planned calls through the whole pipeline of a gateway, without sockets and without waiting.

Invariants:
- Each call is the one that the server would make: the same reading, steps, ledger and reply.
- A call begins when those before have their answers, and their settlements have been handed to the ledger. So
  the ledger writes them in their order, and the same seed gives the same figures.
- Calls are made at once only where that changes nothing for any of them: all fit into what is left of the
  budget with much room, or none does. Else threads would decide who comes first.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from itertools import accumulate, islice, takewhile
from typing import Any

import msgspec
from msgspec import Struct

from seawall.app import Seawall
from seawall.core.call import Attempt, Call, Request
from seawall.core.errors import SeawallError
from seawall.core.ledger import DECLARED_FLOOR, UNDECLARED_FLOOR
from seawall.core.money import Usage
from seawall.core.periods import DAY_S
from seawall.core.policy import Credentials, Principal
from seawall.pipeline.answer import answer
from seawall.proving.simulating.asking import Asked
from seawall.proving.simulating.profiles import Crowd
from seawall.proving.simulating.provider import BillingProvider
from seawall.proving.simulating.tally import Tally
from seawall.server.endpoints import ENDPOINTS
from seawall.server.replies import CallReply
from seawall.settings import Settings

ENDPOINT = ENDPOINTS["/v1/chat/completions"]
AT_ONCE_MAX = 100
SETTLING_MAX = 200
KNOWN_MAX = 10_000
MESSAGES_MAX = 1_000
ROOM = 16
"""Calls at once take at most one part in this many of what is left, so that no hold lowers another's cap."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Clock:
    """The time of the simulation, in Unix seconds: each call has its own, whatever is made beside it."""

    def __init__(self, begin: float) -> None:
        self._at = ContextVar("at", default=begin)

    def __call__(self) -> float:
        """Return the time of the call that asks."""
        return self._at.get()

    def set(self, at: float) -> None:
        """Let the present task live at this moment."""
        self._at.set(at)


class Visit:
    """One call and its client: it begins at once, and `answered` is set when the client has its answer.

    `call` and `error` are there from then on; `task` ends when the money is settled as well.
    """

    def __init__(self, asking: "Asking", seawall: Seawall, shown: Credentials, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        self.asking = asking
        self.call: Call | None = None
        self.error: SeawallError | None = None
        self.answered: asyncio.Future[None] = loop.create_future()
        self.task = loop.create_task(self._make(seawall, shown, clock))

    async def _make(self, seawall: Seawall, shown: Credentials, clock: Clock) -> None:
        task, gateway = asyncio.current_task(), seawall.gateway
        assert task is not None
        now = self.asking.at
        clock.set(now)
        call = self.call = Call(
            gateway.new_id(now),
            task=task,
            endpoint=ENDPOINT.path,
            received_at=now,
            credentials=shown,
            read=partial(_read, self.asking.asked.body),
        )
        reply = CallReply(call, ENDPOINT, self._send, gateway.support_contact)
        try:
            await answer(call, gateway, reply)
        except SeawallError as error:
            self.error = error
            await reply.fail(error)
        finally:
            self._end()

    async def _send(self, message: dict[str, Any]) -> None:
        """Take one message of the reply."""
        assert self.call is not None
        if message["type"] == "http.response.start":
            if message["status"] == 200 and self.call.attempt is not None:
                self._age(self.call, self.call.attempt)
        elif not message["more_body"]:
            self._end()

    def _end(self) -> None:
        if not self.answered.done():
            self.answered.set_result(None)

    def _age(self, call: Call, attempt: Attempt) -> None:
        """Put the time that a model takes on the record of the call: nobody has waited for it."""
        talk = self.asking.crowd.talk
        took_s = talk.first_s + self.asking.asked.output / talk.tokens_s
        call.began_at -= took_s
        attempt.began_at -= took_s
        call.first_event_at = call.began_at + (talk.first_s if talk.stream else took_s)


class Asking(Struct, frozen=True):
    """What one caller asks, when, and of which model."""

    at: float
    crowd: Crowd
    model: str
    asked: Asked


class Driver:
    """Makes the calls of one profile; `shown` is the virtual key of the app, which all of them show."""

    def __init__(
        self, seawall: Seawall, shown: Credentials, provider: BillingProvider, clock: Clock, tally: Tally
    ) -> None:
        self._seawall, self._shown, self._budget = seawall, shown, seawall.settings.global_budget()
        self._provider, self._clock, self._tally = provider, clock, tally
        self._may_overlap = not counts_what_runs(seawall.settings)
        self._settling: list[asyncio.Task[None]] = []

    async def run(self, askings: Iterator[Asking], tell: Callable[[int], None]) -> None:
        """Make all calls, in order; raises what a call raises that a caller is never told."""
        waiting: deque[Asking] = deque(islice(askings, AT_ONCE_MAX))
        while waiting:
            count = self._how_many(waiting)
            visits = [self._begin(waiting.popleft()) for _ in range(count)]
            for visit in visits:
                await visit.answered
                self._note(visit)
            self._settling += [visit.task for visit in visits]
            if len(self._settling) > SETTLING_MAX:
                await self._settle()
                tell(self._tally.whole.asked)
            waiting.extend(islice(askings, count))
        await self._settle()

    async def introduce(self, users: Sequence[str]) -> None:
        """Have the gateway look users up before they call, so that no call waits for that and others pass."""
        identity = self._seawall.gateway.identity
        principal, policy = await identity.identify(self._shown)
        for user in users[:KNOWN_MAX]:
            await identity.know_user(principal, policy, user)

    def _begin(self, asking: Asking) -> Visit:
        return Visit(asking, self._seawall, self._shown, self._clock)

    def _how_many(self, waiting: Sequence[Asking]) -> int:
        """Return how many calls can be made at once, without one of them changing what becomes of another.

        Either all of them fit into what is left with much room, or not one does.
        """
        if not self._may_overlap:
            return 1
        left, until = self._tally.left_of(self._budget, waiting[0].at), waiting[0].at // DAY_S * DAY_S + DAY_S
        most = accumulate(self._most(each) for each in waiting if each.at < until)
        fitting = sum(1 for _ in takewhile(lambda together: ROOM * together <= left, most))
        refused = takewhile(lambda each: each.at < until and left < self._least(each), waiting)
        return max(1, fitting, sum(1 for _ in refused))

    def _most(self, asking: Asking) -> int:
        """Return what a call can be held for at most."""
        undeclared = self._seawall.settings.spending.undeclared_output_tokens
        usage = Usage(input=len(asking.asked.body), output=asking.crowd.talk.cap or undeclared)
        return self._provider.cost(asking.model, usage)

    def _least(self, asking: Asking) -> int:
        """Return what a call has to be held for at least."""
        floor = UNDECLARED_FLOOR if asking.crowd.talk.cap is None else DECLARED_FLOOR
        return self._provider.cost(asking.model, Usage(input=asking.asked.input, output=floor))

    def _note(self, visit: Visit) -> None:
        """Count a call whose answer is there: its cost is known, and on its way to the disk."""
        asking, call = visit.asking, visit.call
        assert call is not None and call.outcome != "open"
        usage = Usage(input=asking.asked.input, output=asking.asked.output)
        without = self._provider.cost(asking.model, usage)
        self._tally.add(call, visit.error, (asking.crowd.name, asking.asked.user), without)

    async def _settle(self) -> None:
        """Wait until all is on disk."""
        settling, self._settling = self._settling, []
        for task in settling:
            await task


def counts_what_runs(settings: Settings) -> bool:
    """Say whether a setting looks at what runs at the same time, or at one user's tokens or money."""
    stated = [settings.limits, *settings.model_limits.values()]
    counted = [value for limits in stated for name, value in limits if name.endswith(("_at_once", "_tokens"))]
    return bool(settings.tiers) or any(counted)


async def _read(body: bytes, caller: Principal) -> Request:
    """Read a request as the server does."""
    return ENDPOINT.read_request(_decode(body), raw_bytes=len(body), messages_max=MESSAGES_MAX, headers=())
