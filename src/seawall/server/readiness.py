"""Whether calls can be taken: asked often, answered from a look that is a second old at most."""

import asyncio
import time
from collections.abc import Callable

from seawall.core.contracts import Gateway
from seawall.core.errors import Overloaded

LOOK_S = 1.0
"""A look writes to the ledger: however often strangers ask, it writes once a second."""
PATIENCE_S = 2.0
"""A ledger that does not answer within this time takes no calls."""
STARTING = "the gateway is starting"
DRAINING = "the gateway is stopping: it ends the calls that run"


class Readiness:
    """Ready from `started` to `drain`, while the ledger can be written. Belongs to one event loop."""

    def __init__(
        self, gateway: Gateway, *, clock: Callable[[], float] = time.monotonic, patience_s: float = PATIENCE_S
    ) -> None:
        self._gateway, self._clock, self._patience_s = gateway, clock, patience_s
        self._is_started = self._is_draining = False
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")
        self._good_until = float("-inf")
        self._trouble: str | None = None

    def started(self) -> None:
        """Take calls from now on."""
        self._is_started = True

    def drain(self) -> None:
        """Let nobody send new calls here; those that come all the same are still served."""
        self._is_draining = True

    async def reasons(self) -> list[str]:
        """Return why no calls should come here; nothing where they may."""
        found = [] if self._is_started else [STARTING]
        if self._is_draining:
            found.append(DRAINING)
        trouble = await self.ledger_trouble()
        return found if trouble is None else [*found, trouble]

    async def ledger_trouble(self) -> str | None:
        """Return why the ledger cannot be written; `None` where it can be.

        All who ask while somebody looks share the next look: nobody waits for more than two.
        """
        asked_at = self._clock()
        async with self._looking:
            now = self._clock()
            if now >= self._good_until and self._looked_at < asked_at:
                self._looked_at = now
                self._trouble = await self._look()
                self._good_until = self._clock() + LOOK_S if self._trouble is None else now
            return self._trouble

    async def _look(self) -> str | None:
        try:
            async with asyncio.timeout(self._patience_s):
                await self._gateway.ledger.check()
        except Overloaded as error:
            return error.private or error.message
        except TimeoutError:
            return f"the ledger did not answer within {self._patience_s:g} s"
        return None
