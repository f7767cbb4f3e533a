"""The figures of one gateway: gathered when somebody asks, and told to the workers beside it."""

import asyncio
from contextlib import suppress

from seawall.core.contracts import Gateway
from seawall.core.ending import end
from seawall.core.errors import SeawallError
from seawall.server.metrics import families
from seawall.server.metrics.gauges import Parts, put_budget, put_jobs, put_parts
from seawall.server.metrics.process import ProcessFigures
from seawall.server.metrics.recorder import Recorder
from seawall.server.metrics.sharing import EVERY_S, Sharing
from seawall.server.metrics.values import Values
from seawall.server.readiness import PATIENCE_S, Readiness


class Metrics:
    """Answers scrapes; with `sharing` for all workers of this machine. Belongs to one event loop."""

    def __init__(
        self,
        gateway: Gateway,
        recorder: Recorder,
        parts: Parts,
        *,
        worker: str = "",
        sharing: Sharing | None = None,
    ) -> None:
        self._gateway, self._recorder, self._parts, self._sharing = gateway, recorder, parts, sharing
        self._process = ProcessFigures(worker)
        self._turn = asyncio.Lock()  # What is told first must be written first: counters never go back.
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to tell the other workers."""
        if self._sharing is not None:
            self._task = asyncio.create_task(self._tell_on())

    async def stop(self) -> None:
        """Tell them a last time."""
        if self._task is not None:
            await end(self._task)
            await self._tell()

    async def scrape(self, readiness: Readiness) -> bytes:
        """Return all figures as Prometheus reads them; those of a store that is down are left out."""
        trouble = await readiness.ledger_trouble()
        is_ready = not await readiness.reasons()
        gateway = self._gateway
        async with self._turn:
            now, values = gateway.now(), self._gather()
            values.put(families.STORE_UP, int(trouble is None))
            values.put(families.READY, int(is_ready))
            if trouble is None:
                with suppress(SeawallError, TimeoutError):
                    async with asyncio.timeout(PATIENCE_S):
                        spend = await gateway.call_log.spend("global", now)
                        figures = await gateway.jobs.figures(now, gateway.job_rules)
                    put_budget(values, self._parts.budget, spend)
                    put_jobs(values, figures, now)
            return await asyncio.to_thread(self._finish, values, now)

    def _gather(self) -> Values:
        values = Values()
        self._recorder.put_into(values)
        put_parts(values, self._gateway, self._parts)
        self._process.put_into(values)
        return values

    def _finish(self, values: Values, now: float) -> bytes:
        if self._sharing is not None:
            self._sharing.tell(values, now)
            self._sharing.gather(values, now)
        from seawall.server.metrics.exposition import write_page  # noqa: PLC0415 - 50 ms for those who never ask

        return write_page(values)

    async def _tell_on(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self._tell()

    async def _tell(self) -> None:
        assert self._sharing is not None
        async with self._turn:
            await asyncio.to_thread(self._sharing.tell, self._gather(), self._gateway.now())
