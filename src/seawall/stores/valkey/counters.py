"""Rate limits that many gateways share, counted by one script in one round trip for all limits of a call.

The promises are those of `stores.memory.counters`, over all gateways together, as long as the server answers.
Invariants:
- One clock counts: that of the server, read by the script itself. Scripts run one after the other, so a
  window is exact however many gateways there are and however their own clocks differ. The wait that is told
  is exact at the server; what the answer takes on its way comes on top.
- Whatever the server admits is counted in memory as well, at this gateway's share: so a gateway that is left
  alone goes on from what it has used, and its share is `count / gateways`, at least 1. It never refuses
  because the server is down.
- Calls at once are counted by gateway, under a lease that the gateway renews every second. One that is killed
  loses its places when the lease is over. After every interruption a gateway takes a new name and claims what
  really runs, so nothing that was lost on the way stays counted.
- Every key has an end: the period of its limit, or an hour for calls at once.
- A limit whose count crosses 1,000 begins anew, because it is counted in another way from there on.
"""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from seawall.core.ending import end
from seawall.core.limits import Admitted, CountersState, Mark, Refused
from seawall.core.policy import Limit
from seawall.stores.memory.counters import EXACT_MAX, US, MemoryCounters
from seawall.stores.valkey.connection import Link, Reply, Unreachable, Word
from seawall.stores.valkey.names import Names
from seawall.stores.valkey.scripts import read_scripts

LEASE_S = 5.0
BEATS = 5
"""So often a lease is renewed before it would be over."""
CLAIMED_AT_ONCE = 500

Clock = Literal["server", "caller"]


class _Held(Struct):
    """What a call holds: in memory, its places among those that run at once, and slots of tokens.

    A slot is (name, period in microseconds, slot) as the script takes them.
    """

    local: Admitted
    places: list[str]
    slots: list[tuple[str, str]]


class ValkeyCounters:
    """See `core.contracts.Counters`.

    `gateways` is how many there are, 0 for as many as the server saw last. By the clock of the `caller` the
    moments are those that come with the questions: for tests that turn it, and for one gateway alone.
    """

    def __init__(
        self,
        link: Link,
        names: Names,
        *,
        gateways: int = 0,
        lease_s: float = LEASE_S,
        clock: Clock = "server",
    ) -> None:
        self._link, self._names, self._lease_s, self._clock = link, names, lease_s, clock
        self._stated, self._seen = gateways, 1
        self._local = MemoryCounters()
        self._running: dict[str, int] = {}
        self._process, self._lives = secrets.token_hex(8), 0
        self._name = self._former = ""
        self._fallbacks = 0
        self._beating: asyncio.Task[None] | None = None
        self._scripts = read_scripts()
        link.use(self._scripts.admit, self._scripts.settle, self._scripts.places, self._scripts.beat)
        link.greet(self._introduce)
        link.listen(self._note)

    def start(self) -> None:
        """Begin to renew the lease."""
        self._beating = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        """Give back every place at once; the server need not wait for the end of the lease."""
        await end(self._beating)
        with suppress(Unreachable):
            await self._link.ask("ZREM", self._names.of("gateways"), self._name)

    def state(self) -> CountersState:
        """Say whether limits are shared now, and how often this gateway has been left to itself."""
        return CountersState("shared" if self._link.is_up else "local", self._fallbacks, self.gateways)

    @property
    def gateways(self) -> int:
        """Return how many gateways share the limits: as stated, or as seen last."""
        return self._stated or self._seen

    async def admit(self, limits: tuple[Limit, ...], now_s: float, tokens: int) -> Admitted | Refused:
        """Take one call, and so many tokens of input, from all limits or from none."""
        try:
            numbers = await self._ask(limits, now_s, tokens, "take")
        except Unreachable:
            return await self._admit_alone(limits, now_s, tokens)
        marks = partial(_marks, limits, numbers)
        if numbers[0]:
            place = numbers[0] - 1
            return Refused(limits[place], numbers[2 + 4 * place], numbers[1] / US, marks)
        held = self._hold(self._local.take(self._shares(limits), now_s, tokens), limits)
        for place, limit in enumerate(limits):
            if limit.unit == "tokens":
                name = self._names.of_limit(limit.key, _kind(limit))
                held.slots.append((name, f"{limit.period_s * US} {numbers[5 + 4 * place]}"))
        return Admitted(marks, [held] if held.places or held.slots else [], tokens)

    async def peek(self, limits: tuple[Limit, ...], now_s: float) -> Refused | None:
        """Say what stands against a call now, without taking anything; of several the longest wait."""
        try:
            numbers = await self._ask(limits, now_s, 1, "look")
        except Unreachable:
            refused = await self._local.peek(self._shares(limits), now_s)
            return None if refused is None else replace(refused, is_local=True)
        if not numbers[0]:
            return None
        place = numbers[0] - 1
        marks = partial(_marks, (limits[place],), [0, 0, *numbers[2 + 4 * place : 6 + 4 * place]])
        return Refused(limits[place], numbers[2 + 4 * place], numbers[1] / US, marks)

    def leave(self, admitted: Admitted) -> None:
        """Free the place of a call among those that run at once; once, however often it is asked."""
        for held in admitted.taken:
            places, held.places = held.places, []
            if places:
                self._local.leave(held.local)
                self._give_back(places)
        admitted.taken = [held for held in admitted.taken if held.slots or held.local.taken]

    async def settle(self, admitted: Admitted, now_s: float, tokens: int) -> None:
        """Put the tokens that were billed in the place of the estimate; nobody waits for the server."""
        for held in admitted.taken:
            await self._local.settle(held.local, now_s, tokens)
            if held.slots:
                words: list[Word] = [self._moment(now_s), self._name, admitted.tokens, tokens]
                words += [slot for _, slot in held.slots]
                self._link.tell_script(self._scripts.settle, [name for name, _ in held.slots], words)

    async def _ask(
        self, limits: tuple[Limit, ...], now_s: float, tokens: int, what: Literal["take", "look"]
    ) -> list[int]:
        """Run the script; raises Unreachable. Returns its numbers, see `lua/admit.lua`."""
        keys: list[Word] = [self._names.of("gateways")]
        words: list[Word] = [self._moment(now_s), self._name, what]
        places = []
        for limit in limits:
            kind = _kind(limit)
            name = self._names.of_limit(limit.key, kind)
            keys.append(name)
            amount = tokens if limit.unit == "tokens" else 1
            words.append(f"{kind} {limit.count} {limit.period_s * US} {limit.burst or 0} {amount}")
            if limit.unit == "at_once":
                places.append(name)
        if what == "look" or not places:
            return _numbers(await self._link.run(self._scripts.admit, keys, words))
        forsake = partial(self._forsake, places)
        answer = self._link.run(self._scripts.admit, keys, words, forsake)
        try:
            return _numbers(await answer)
        except asyncio.CancelledError:
            if not answer.cancelled() and answer.exception() is None:  # It had come already.
                forsake(answer.result())
            raise

    async def _admit_alone(self, limits: tuple[Limit, ...], now_s: float, tokens: int) -> Admitted | Refused:
        answer = await self._local.admit(self._shares(limits), now_s, tokens)
        if isinstance(answer, Refused):
            return replace(answer, is_local=True)
        held = self._hold(answer, limits)
        return Admitted(answer.marks, [held] if answer.taken else [], tokens, is_local=True)

    def _shares(self, limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
        gateways = self.gateways
        return limits if gateways == 1 else tuple([share_of(limit, gateways) for limit in limits])

    def _hold(self, local: Admitted, limits: tuple[Limit, ...]) -> _Held:
        """Note the places that a call takes among those that run at once, wherever it was admitted."""
        places = [self._names.of_limit(limit.key, "at_once") for limit in limits if limit.unit == "at_once"]
        for name in places:
            self._running[name] = self._running.get(name, 0) + 1
        return _Held(local, places, [])

    def _give_back(self, places: Sequence[str]) -> None:
        for name in places:
            self._running[name] -= 1
            if not self._running[name]:
                del self._running[name]
        self._link.tell_script(self._scripts.places, places, ["leave", self._name])

    def _forsake(self, places: Sequence[str], reply: Reply) -> None:
        """Give back the places of a call that was admitted when it had left already."""
        if not _numbers(reply)[0]:
            self._link.tell_script(self._scripts.places, places, ["leave", self._name])

    def _moment(self, now_s: float) -> Word:
        return "" if self._clock == "server" else round(now_s * US)

    def _introduce(self) -> Sequence[tuple[Word, ...]]:
        """Take a new name on a new connection: what the old one held is over."""
        self._lives += 1
        self._name = f"{self._process}.{self._lives}"
        return [("EVALSHA", self._scripts.beat.sha, 1, *self._beat_words(self._former))]

    def _beat_words(self, former: str) -> tuple[Word, ...]:
        return self._names.of("gateways"), self._name, round(self._lease_s * 1000), former

    def _note(self, is_up: bool) -> None:
        """Claim what runs, where the server is there; else count that this gateway is alone."""
        if not is_up:
            self._fallbacks += 1
            return
        self._former = self._name
        running = [*self._running.items()]
        for start in range(0, len(running), CLAIMED_AT_ONCE):
            some = running[start : start + CLAIMED_AT_ONCE]
            words: list[Word] = ["claim", self._name, *(count for _, count in some)]
            self._link.tell_script(self._scripts.places, [name for name, _ in some], words)

    async def _beat(self) -> None:
        """Renew the lease; a server that does not know this gateway has lost what it counted."""
        while True:
            if self._link.is_up:
                with suppress(Unreachable):
                    registry, *words = self._beat_words("")
                    known, seen = _pair(await self._link.run(self._scripts.beat, [registry], words))
                    self._seen = max(1, seen)
                    if not known:
                        self._link.drop("it has forgotten this gateway")
            await asyncio.sleep(self._lease_s / BEATS)


def share_of(limit: Limit, gateways: int) -> Limit:
    """Return the part of a limit that is one gateway's while it is alone; at least 1."""
    burst = None if limit.burst is None else max(1, limit.burst // gateways)
    return replace(limit, count=max(1, limit.count // gateways), burst=burst)


def _kind(limit: Limit) -> str:
    """Say how a limit is counted, as the scripts call it."""
    if limit.unit == "at_once":
        return "at_once"
    if limit.unit == "tokens" or (limit.burst is None and limit.count > EXACT_MAX):
        return "slots"
    return "log" if limit.burst is None else "bucket"


def _numbers(reply: Reply) -> list[int]:
    assert isinstance(reply, bytes)
    return [*map(int, reply.split())]


def _pair(reply: Reply) -> tuple[int, int]:
    assert isinstance(reply, list)
    first, second = reply
    assert isinstance(first, int) and isinstance(second, int)
    return first, second


def _marks(limits: tuple[Limit, ...], numbers: list[int]) -> list[Mark]:
    """Read how limits stand, see `lua/admit.lua`; asked for only where somebody is told."""
    marks = []
    for place, limit in enumerate(limits):
        used, frees, empty, _ = numbers[2 + 4 * place : 6 + 4 * place]
        marks.append(Mark(limit, used, frees / US, empty / US))
    return marks
