"""The lines in which calls wait, in order, for money that is only held."""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

from seawall.core.ledger import Account

POLL_S = 0.1
"""How often the first in a line looks by itself: money is also freed by other processes."""


class Lines:
    """One line per account. The first in a line asks again whenever money may have been freed.

    Whoever waits holds a place; a newcomer goes behind those who wait for any of its accounts.
    """

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], deque[asyncio.Event]] = {}

    def __len__(self) -> int:
        """Return how many places are held in all lines."""
        return sum(map(len, self._lines.values()))

    def blocking(self, accounts: Iterable[Account]) -> Account | None:
        """Return the first of these accounts that somebody waits for."""
        if not self._lines:
            return None
        return next((a for a in accounts if (a.scope, a.period) in self._lines), None)

    def freed(self) -> None:
        """Wake the first in every line: a hold was settled, a cap was raised, a place was given up."""
        for line in self._lines.values():
            line[0].set()

    def join(self, account: Account) -> "Place":
        """Go to the end of the line of this account; leave it on every exit."""
        return Place(self._lines, (account.scope, account.period))


class Place:
    """A place in a line, held while its `with` block runs."""

    def __init__(self, lines: dict[tuple[str, str], deque[asyncio.Event]], key: tuple[str, str]) -> None:
        self._lines, self._key, self._woken = lines, key, asyncio.Event()

    def __enter__(self) -> "Place":
        self._lines.setdefault(self._key, deque()).append(self._woken)
        return self

    def __exit__(self, *_: object) -> None:
        line = self._lines[self._key]
        line.remove(self._woken)
        if line:
            line[0].set()
        else:
            del self._lines[self._key]

    async def turn(self, timeout_s: float) -> bool:
        """Wait until it is worth asking again: first in line, and woken or a poll interval later.

        Returns false when the time is over.
        """
        if timeout_s <= 0:
            return False
        line = self._lines[self._key]
        try:
            async with asyncio.timeout(timeout_s):
                while line[0] is not self._woken:
                    self._woken.clear()
                    await self._woken.wait()
                if not self._woken.is_set():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(POLL_S):
                            await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True
