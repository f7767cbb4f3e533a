"""All that one server of Valkey or Redis holds for a gateway, opened and closed together."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from seawall.stores.memory.answers import MemoryAnswers
from seawall.stores.valkey.answers import CLEARED, FORGOTTEN, ValkeyAnswers
from seawall.stores.valkey.connection import Link, Unreachable
from seawall.stores.valkey.counters import ValkeyCounters
from seawall.stores.valkey.names import Names
from seawall.stores.valkey.wakes import Wakes

__all__ = ["Unreachable", "ValkeyStore", "shared_answers"]

CHANGED = "changed"
COMMAND_TIMEOUT_S = 5.0


class ValkeyStore:
    """Counters, kept answers and messages. Raises ValueError for an address that cannot be used."""

    def __init__(self, url: str, *, timeout_s: float, gateways: int) -> None:
        self._names = Names()
        self._link = Link(url, timeout_s=timeout_s)
        self.counters = ValkeyCounters(self._link, self._names, gateways=gateways)
        self.wakes = Wakes(url, self._link, self._names)
        self._answers: ValkeyAnswers | None = None

    def open_answers(
        self, *, bytes_max: int, keep_s: float, answer_bytes_max: int, now: Callable[[], float]
    ) -> MemoryAnswers:
        """Return the cache of answers: so many bytes of it in memory, in front of what all share."""
        self._answers = shared = ValkeyAnswers(
            self._link, self._names, self.wakes, keep_s=keep_s, answer_bytes_max=answer_bytes_max
        )
        answers = MemoryAnswers(bytes_max=bytes_max, keep_s=keep_s, file=shared, now=now)
        self.wakes.on(CLEARED, lambda _: answers.drop())
        self.wakes.on(FORGOTTEN, lambda user: answers.drop_user(bytes.fromhex(user)))
        self.wakes.on_missed(answers.drop)
        return answers

    def on_change(self, changed: Callable[[], None]) -> None:
        """Call this when another gateway has changed keys, users or tiers, or may have."""
        self.wakes.on(CHANGED, lambda _: changed())
        self.wakes.on_missed(changed)

    def tell_others(self) -> None:
        """Say to all other gateways that keys, users or tiers have changed."""
        self.wakes.tell(CHANGED)

    async def start(self, salt: bytes) -> None:
        """Reach the server, under the names of the store with this salt; it may as well be down."""
        self._names.use_salt(salt)
        await asyncio.gather(self._link.start(), self.wakes.start())
        self.counters.start()

    async def stop(self) -> None:
        """Give back what others may have, and let go of the server."""
        await self.wakes.stop()
        if self._answers is not None:
            await self._answers.stop()
        await self.counters.stop()
        await self._link.stop()


@asynccontextmanager
async def shared_answers(url: str, salt: bytes) -> AsyncIterator[ValkeyAnswers]:
    """Reach the kept answers alone, for a command: it counts no limits and is no gateway.

    Raises Unreachable, and ValueError for an address that cannot be used.
    """
    names, link = Names(salt), Link(url, timeout_s=COMMAND_TIMEOUT_S)
    answers = ValkeyAnswers(link, names, Wakes(url, link, names), keep_s=1, answer_bytes_max=0)
    await link.start()
    try:
        if not link.is_up:
            raise Unreachable("it is out of reach")
        yield answers
        await link.ask("PING")  # By then the others have been told.
    finally:
        await answers.stop()
        await link.stop()
