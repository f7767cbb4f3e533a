"""The schedule of backups: makes one when it is due, and deletes the oldest.

Invariants:
- Whether one is due is told by the names in the folder: it holds over restarts, and for several processes
  on one file, of which only one makes it.
- Copying runs in a thread and stops with the gateway; no call waits for it.
- A backup that fails is logged, announced once an hour at most, and tried again.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from seawall.core.contracts import Outbox
from seawall.core.ending import end
from seawall.core.errors import SeawallError
from seawall.core.events import Channel, Event
from seawall.providers import price_table
from seawall.stores.sqlite.backups import (
    SCHEDULED,
    Backup,
    BackupRunning,
    list_backups,
    make_backup,
    make_folder,
    only_one,
    place_for,
    rotate,
)
from seawall.stores.sqlite.copying import CopyFailed, Course, Stopped

log = logging.getLogger("seawall.backups")

LOOK_S = 15.0
RETRY_S = 900.0
"""After a failure nothing is tried for so long, or for as long as lies between two backups."""
AHEAD_S = 60.0
"""A backup whose name is further ahead is of a clock that was wrong: it does not put the next one off."""
HOUR_S = 3_600


class BackupTerms(Struct, frozen=True):
    """Which database is backed up, how often, where to, and how many are kept."""

    database: Path
    folder: Path
    every_s: float
    keep: int


class ScheduledBackups:
    """Makes backups until it is stopped; `now` is in Unix seconds."""

    def __init__(
        self,
        terms: BackupTerms,
        outbox: Outbox,
        channels: Sequence[Channel],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._terms, self._outbox, self._channels, self._now = terms, outbox, channels, now
        self._course = Course()
        self._next_try = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; a backup that is being made is broken off, and nothing of it stays."""
        self._course.stop.set()
        await end(self._task)

    async def look(self) -> Backup | None:
        """Make a backup if one is due and nobody makes one; returns it."""
        now = self._now()
        if now < self._next_try:
            return None
        try:
            return await self._in_thread(now)
        except (BackupRunning, Stopped):
            return None
        except (CopyFailed, OSError) as error:
            self._next_try = now + min(RETRY_S, self._terms.every_s)
            why = error.why if isinstance(error, CopyFailed) else error.strerror or str(error)
            log.error("a scheduled backup failed; it is tried again", extra={"fields": {"why": why}})
            await self._outbox.announce([_failed(why, now)], self._channels)
        return None

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except SeawallError as error:
                log.error(
                    "nobody could be told that a backup failed", extra={"fields": {"why": error.private}}
                )
            await asyncio.sleep(LOOK_S)

    async def _in_thread(self, now: float) -> Backup | None:
        """Wait for the thread even where this is cancelled: it has been told to stop, and cleans up."""
        made = asyncio.ensure_future(asyncio.to_thread(self._make, now))
        try:
            return await asyncio.shield(made)
        except asyncio.CancelledError:
            await asyncio.wait([made])
            made.exception()  # Nobody asks any more how it ended.
            raise

    def _make(self, now: float) -> Backup | None:
        """Make a backup if one is due; the work of the thread."""
        terms, database = self._terms, self._terms.database
        make_folder(terms.folder)
        with only_one(database.parent):
            if not is_due(list_backups(terms.folder), terms.every_s, now):
                return None
            target = place_for(terms.folder, SCHEDULED, now)
            made = make_backup(database, target, files_of(database.parent), now, self._course)
            gone = rotate(terms.folder, terms.keep)
        fields = {"bytes": made.bytes, "took_s": round(self._now() - now, 1), "deleted": len(gone)}
        log.info("a backup was made", extra={"fields": fields})
        return made


def is_due(backups: Sequence[Backup], every_s: float, now: float) -> bool:
    """Say whether the last scheduled backup is so old that another is due."""
    made = [each.at_s for each in backups if each.kind == SCHEDULED and each.at_s <= now + AHEAD_S]
    return not made or now - max(made) >= every_s


def files_of(folder: Path) -> dict[str, bytes]:
    """Return what of a data folder goes into a backup beside the database.

    That is the table of prices, without which the next calls would be priced by another. The admin key is
    left out: whoever has a backup would be the admin; where it is missing a new one is made. The cache of
    answers is left out, since answers can be made again.
    """
    try:
        return {price_table.FILE_NAME: (folder / price_table.FILE_NAME).read_bytes()}
    except FileNotFoundError:
        return {}


def _failed(why: str, now: float) -> Event:
    kind = "backup.failed"
    text = f"The scheduled backup failed: {why}."
    return Event(kind, f"{kind} {int(now) // HOUR_S}", text, {"why": why}, now)
