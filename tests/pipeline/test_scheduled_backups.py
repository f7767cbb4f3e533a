"""Backups by the schedule: in time, one for all processes, the oldest deleted, and a failure is told."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from seawall.core.events import Channel, Delivery
from seawall.jobs.backing_up import BackupTerms, ScheduledBackups
from seawall.stores.sqlite.backups import list_backups, only_one
from seawall.stores.sqlite.connection import open_file
from seawall.stores.sqlite.summary import summarise
from tests.fixtures.gateways import NOON, Start, marked, running
from tests.fixtures.ledgers import SqliteHome, SqliteProcess
from tests.fixtures.mock_calls import until
from tests.fixtures.receivers import receiving

pytestmark = pytest.mark.files

HOUR_S = 3_600.0
WEBHOOK: tuple[Channel, ...] = ("webhook",)


@dataclass
class Schedule:
    """The schedule of one process, by a clock that the test sets."""

    process: SqliteProcess
    folder: Path
    keep: int = 3
    now: float = NOON
    backups: ScheduledBackups = field(init=False)

    def __post_init__(self) -> None:
        terms = BackupTerms(self.process.lock.parents[1] / "seawall.db", self.folder, HOUR_S, self.keep)
        self.backups = ScheduledBackups(terms, self.process.store.outbox, WEBHOOK, lambda: self.now)

    async def look_after(self, seconds: float) -> str | None:
        """Let time go by, and look; returns the name of the backup that is made."""
        self.now += seconds
        made = await self.backups.look()
        return None if made is None else made.path.name

    async def told(self) -> list[Delivery]:
        """Return what is on its way to the operator."""
        return await self.process.store.outbox.newest()


@pytest.fixture
def schedule(home: SqliteHome, process: SqliteProcess) -> Schedule:
    return Schedule(process, home.folder / "backups")


async def test_a_backup_is_made_at_the_first_look_and_then_whenever_one_is_due(schedule: Schedule) -> None:
    waits = [0, 15, HOUR_S - 16, 1, HOUR_S / 2, HOUR_S / 2]
    assert [await schedule.look_after(wait) for wait in waits] == [
        "scheduled-20261121T120000Z.db",
        None,
        None,
        "scheduled-20261121T130000Z.db",
        None,
        "scheduled-20261121T140000Z.db",
    ]
    assert await schedule.told() == []


async def test_a_restart_makes_no_backup_before_its_time(schedule: Schedule) -> None:
    assert await schedule.look_after(0) is not None
    again = Schedule(schedule.process, schedule.folder, now=schedule.now)
    assert await again.look_after(60) is None
    assert await again.look_after(HOUR_S) is not None


async def test_so_many_are_kept_as_is_stated(schedule: Schedule) -> None:
    for _ in range(5):
        await schedule.look_after(HOUR_S)
    hours = [each.path.name[19:21] for each in list_backups(schedule.folder)]
    assert hours == ["15", "16", "17"]


async def test_two_processes_on_one_file_make_one_backup(home: SqliteHome, schedule: Schedule) -> None:
    other = home.open()
    second = Schedule(other, schedule.folder)
    made = await asyncio.gather(*(each.look_after(0) for each in (schedule, second) for _ in range(4)))
    assert len([name for name in made if name is not None]) == 1
    assert len(list_backups(schedule.folder)) == 1
    other.store.close()


async def test_a_backup_by_hand_is_waited_for(home: SqliteHome, schedule: Schedule) -> None:
    with only_one(home.folder):
        assert await schedule.look_after(0) is None
    assert await schedule.look_after(15) is not None
    assert await schedule.told() == []


async def test_a_failure_is_told_once_and_tried_again_later(schedule: Schedule) -> None:
    schedule.folder.write_text("in the way")
    assert [await schedule.look_after(wait) for wait in (0, 15, 900)] == [None, None, None]
    [told] = await schedule.told()
    assert told.kind == "backup.failed"
    assert b"The scheduled backup failed: the folder " in told.payload
    schedule.folder.unlink()
    assert await schedule.look_after(15) is None
    assert await schedule.look_after(900) is not None


async def test_a_clock_that_was_wrong_does_not_put_off_backups(schedule: Schedule) -> None:
    schedule.now += 1000 * HOUR_S
    assert await schedule.look_after(0) is not None
    schedule.now = NOON
    waits = [0, 15, HOUR_S]
    assert [await schedule.look_after(wait) is not None for wait in waits] == [True, False, True]


async def test_a_gateway_makes_backups_while_it_serves(start: Start, tmp_path: Path) -> None:
    app = await start(backup__every="1h", backup__to=str(tmp_path / "copies"))
    await until(lambda: len(list_backups(tmp_path / "copies")) == 1)
    assert (await app.chat(marked("ada", max_tokens=16))).status_code == 200
    [made] = list_backups(tmp_path / "copies")
    assert [*summarise(made.path).keys.values()] == ["default"]


async def test_a_gateway_that_cannot_make_backups_serves_and_tells(start: Start, tmp_path: Path) -> None:
    async with receiving() as receiver:
        app = await start(
            alerts__webhook_url=receiver.url,
            alerts__allow_private=True,
            backup__every="1h",
            backup__to=str(tmp_path / "not-mounted" / "copies"),
        )
        assert app.seawall.alerting is not None
        while not receiver.bodies:
            await app.seawall.dispatcher.deliver()
        assert (await app.chat(marked("ada", max_tokens=16))).status_code == 200
    told = json.loads(receiver.bodies[0])
    assert told["type"] == "backup.failed"
    assert told["data"]["why"].startswith("the folder ")


async def test_a_gateway_that_stops_leaves_no_half_backup(tmp_path: Path) -> None:
    async with running(tmp_path) as app:
        folder = app.seawall.settings.data_dir
    connection = open_file(folder / "seawall.db")
    connection.execute("CREATE TABLE filling (data BLOB)")
    connection.executemany("INSERT INTO filling VALUES (randomblob(1000000))", [()] * 64)
    connection.close()
    async with running(tmp_path, backup__every="1h"):
        await until(lambda: any((folder / "backups").glob("*.db*")))
    assert list((folder / "backups").glob(".*")) == []
