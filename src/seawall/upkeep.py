"""What a gateway does beside its calls: it notices changes of others, settles what the dead left, trims.

Where jobs are done here, the engine says when to trim, so that one process of all does it; a process that
does none trims by itself, or nobody might.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from seawall.alerts import channels_of
from seawall.core.contracts import Gateway
from seawall.core.ending import end
from seawall.core.errors import SeawallError
from seawall.homes import Cache, Store
from seawall.identity.callers import Callers
from seawall.jobs.backing_up import BackupTerms, ScheduledBackups
from seawall.providers.price_table import BadPriceTable
from seawall.providers.prices import PriceBook
from seawall.settings import Settings
from seawall.stores.sqlite.inspection import DATABASE_FILE
from seawall.summing import HourlySums
from seawall.trimming import Keep, Trimming

log = logging.getLogger("seawall.app")

WATCH_S = 0.5
REAP_S = 10.0
TRIM_S = 60
TRIM_STEPS = 10
"""How many in a row: where much is to be trimmed, changes of others are still noticed in time."""


def backups_of(settings: Settings, store: Store, now: Callable[[], float]) -> ScheduledBackups | None:
    """Return the schedule of backups, `None` where there is none: Postgres has programs of its own."""
    stated, folder = settings.backup, settings.data_dir
    if stated.every is None or settings.database_url is not None:
        return None
    terms = BackupTerms(folder / DATABASE_FILE, stated.folder(folder), stated.every, stated.keep)
    return ScheduledBackups(terms, store.outbox, channels_of(settings, "backup.failed"), now)


class Upkeep:
    """Looks after one gateway from `start` to `stop`; trouble with the store is logged and tried again."""

    def __init__(
        self,
        gateway: Gateway,
        store: Store,
        *,
        identity: Callers,
        prices: PriceBook,
        cache: Cache,
        settings: Settings,
    ) -> None:
        self._gateway, self._store, self._identity = gateway, store, identity
        self._prices, self._cache = prices, cache
        self._trimming = Trimming(store, Keep(settings.log.keep_days, settings.log.sums_days), gateway.now)
        self._looks_itself = settings.jobs.concurrency == 0
        self.sums = HourlySums(store, settings.log.keep_days, gateway.now)
        self._backups = backups_of(settings, store, gateway.now)
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()

    def look(self) -> None:
        """Look at once whether others have changed anything: somebody has said so."""
        self._woken.set()

    def start(self) -> None:
        """Begin to look after it."""
        self._task = asyncio.create_task(self._watch())
        if self._looks_itself:
            self.sums.start()
        if self._backups is not None:
            self._backups.start()

    async def stop(self) -> None:
        """Stop; what was begun is broken off."""
        await self.sums.stop()
        if self._backups is not None:
            await self._backups.stop()
        await end(self._task)

    async def _watch(self) -> None:
        version, next_reap, next_trim = -1, 0.0, 0.0
        while True:
            try:
                self._store.check_place()
                was_woken = self._woken.is_set()
                self._woken.clear()
                seen = await self._gateway.directory.version()
                if seen != version or was_woken:
                    version = seen
                    self._identity.forget()
                    self._gateway.lockouts.forget()
                await self._cache.look()
                now = time.monotonic()
                if now >= next_reap:
                    next_reap = now + REAP_S
                    await self._every_ten_seconds()
                if self._looks_itself and now >= next_trim and not await self._trim():
                    next_trim = now + TRIM_S
            except (SeawallError, OSError) as error:
                why = getattr(error, "private", None) or type(error).__name__
                log.error("the store is down", extra={"fields": {"why": why}})
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_S):
                    await self._woken.wait()

    async def _every_ten_seconds(self) -> None:
        if await self._gateway.ledger.reap():
            self._gateway.lines.freed()
        try:
            if self._prices.reload():
                log.info("the table of prices was read anew")
        except BadPriceTable as error:
            log.error(
                "the table of prices is damaged; the old one stays", extra={"fields": {"why": str(error)}}
            )
        await self.note_use()

    async def note_use(self) -> None:
        """Write down when keys were last used; raises Overloaded where the store is down."""
        used = self._identity.keys.take_last_used()
        if used:
            await self._gateway.directory.touch(used)

    async def trim(self) -> None:
        """Trim what is due: for a schedule, by which one process of all does it. Trouble is for the next."""
        try:
            while await self._trim():
                pass
        except SeawallError as error:
            log.error("nothing could be trimmed", extra={"fields": {"why": error.private}})

    async def _trim(self) -> bool:
        """Take a few steps of trimming; says whether more is to be done after a look at everything else."""
        for _ in range(TRIM_STEPS):
            if not await self._trimming.step():
                return False
        return True
