"""A copy of the database is whole, sound and of one moment, or it is not there; only our own copies are deleted."""

import asyncio
import os
import resource
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from seawall.stores.sqlite.backups import (
    BackupRunning,
    list_backups,
    make_folder,
    only_one,
    place_for,
    rotate,
)
from seawall.stores.sqlite.connection import open_file
from seawall.stores.sqlite.copying import CopyFailed, Course, Stopped, Tell, copy_database, tell_nobody
from seawall.stores.sqlite.summary import summarise
from tests.fixtures.ledgers import (
    LIFE,
    Books,
    SqliteHome,
    SqliteProcess,
    Sums,
    ask,
    call_of,
    read_books,
    settlement,
)
from tests.fixtures.mock_calls import until

pytestmark = pytest.mark.files

NOON = 1_795_262_400.0


def books_of(path: Path) -> Books:
    """Read the ledger of a copy."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return read_books(connection)
    finally:
        connection.close()


def copied(home: SqliteHome, name: str = "copy.db", tell: Tell = tell_nobody) -> Path:
    """Copy the database of a folder."""
    target = home.folder / name
    assert copy_database(home.database, target, {}, Course(tell)) == target.stat().st_size
    return target


def fill(home: SqliteHome, megabytes: int) -> None:
    """Make the file large enough for several steps of copying."""
    connection = open_file(home.database)
    connection.execute("CREATE TABLE filling (data BLOB)")
    connection.executemany("INSERT INTO filling VALUES (randomblob(1000000))", [()] * megabytes)
    connection.close()


def names_in(folder: Path) -> set[str]:
    """Return what is called like a copy, finished or not."""
    return {path.name for path in folder.iterdir() if ".db." in path.name or path.name.startswith("copy")}


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes, as on a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_copies_made_under_load_are_each_of_one_moment(
    home: SqliteHome, process: SqliteProcess
) -> None:
    ledger, is_over, settled = process.store.ledger, False, 0

    async def call_on_and_on(caller: int) -> None:
        nonlocal settled
        number = 0
        while not is_over:
            number += 1
            hold_id = f"call_{caller}_{number}"
            await ledger.hold(ask(hold_id, 10, (*LIFE, None)))
            await ledger.settle(settlement(hold_id, 7, held=10))
            settled += 1

    async def copy_once_more(number: int) -> Path:
        path = await asyncio.to_thread(copied, home, f"copy{number}.db")
        before = settled
        await until(lambda: settled > before)
        return path

    callers = [asyncio.create_task(call_on_and_on(caller)) for caller in range(16)]
    paths = [await copy_once_more(number) for number in range(8)]
    is_over = True
    await asyncio.gather(*callers)
    found = [books_of(path) for path in paths]
    for books in found:
        spent = sum(cost for _, cost, _ in books.calls.values())
        assert books.accounts.get(LIFE, Sums()) == Sums(spent=spent, held=10 * len(books.holds))
        assert books.calls.keys().isdisjoint(map(call_of, books.holds))
    sizes = [len(books.calls) for books in found]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


async def test_a_copy_comes_to_its_end_however_often_others_write_meanwhile(
    home: SqliteHome, process: SqliteProcess
) -> None:
    fill(home, 8)
    writer = open_file(home.database)
    written = 0

    def write_one_more(what: str, done: int, total: int) -> None:
        nonlocal written
        written += 1
        writer.execute("INSERT INTO announced VALUES (?, 0)", (f"{what} {done} {written}",))

    target = copied(home, tell=write_one_more)
    writer.close()
    assert written > 8
    connection = apsw.Connection(str(target))
    assert connection.execute("SELECT count(*) FROM announced").fetchall() == [(0,)]
    connection.close()


async def test_a_copy_is_its_owners_alone_and_needs_no_file_beside_it(
    home: SqliteHome, process: SqliteProcess
) -> None:
    await process.store.ledger.hold(ask("call_1", 100))
    target = copied(home)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert books_of(target).accounts == {LIFE: Sums(held=100)}
    assert names_in(home.folder) == {"copy.db"}


async def test_a_copy_that_is_stopped_leaves_nothing(home: SqliteHome, process: SqliteProcess) -> None:
    fill(home, 8)
    stop = threading.Event()

    def stop_in_the_middle(what: str, done: int, total: int) -> None:
        if done > total // 2:
            stop.set()

    with pytest.raises(Stopped):
        copy_database(home.database, home.folder / "copy.db", {}, Course(stop_in_the_middle, stop))
    assert names_in(home.folder) == set()


async def test_a_full_disk_leaves_no_half_file(home: SqliteHome, process: SqliteProcess) -> None:
    fill(home, 8)
    with no_file_above(3_000_000), pytest.raises(CopyFailed):
        copied(home)
    assert names_in(home.folder) == set()
    assert summarise(copied(home)).calls == 0


def test_a_copy_for_which_there_is_no_room_is_not_begun(tmp_path: Path) -> None:
    with (tmp_path / "large.db").open("wb") as large:
        large.truncate(10**13)
    with pytest.raises(CopyFailed, match=r"^it takes 10,000,016 MB, and [\d,]+ MB are free$"):
        copy_database(tmp_path / "large.db", tmp_path / "copy.db", {}, Course())
    assert names_in(tmp_path) == set()


async def test_a_damaged_database_makes_no_copy(home: SqliteHome) -> None:
    process = home.open()
    fill(home, 1)
    process.store.close()
    with home.database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(CopyFailed):
        copied(home)
    assert names_in(home.folder) == set()


async def test_a_ledger_that_does_not_add_up_makes_no_copy(home: SqliteHome, process: SqliteProcess) -> None:
    await process.store.ledger.hold(ask("call_1", 100))
    connection = open_file(home.database)
    connection.execute("UPDATE accounts SET held = 99")
    connection.close()
    why = (
        r"^the copy was read again and its ledger does not add up: 99 is held on global life, but .* are 100$"
    )
    with pytest.raises(CopyFailed, match=why):
        copied(home)


async def test_a_copy_takes_nobodys_place(home: SqliteHome, process: SqliteProcess) -> None:
    (home.folder / "copy.db").write_text("mine")
    with pytest.raises(CopyFailed, match=r"^there is a file of this name already$"):
        copied(home)
    assert (home.folder / "copy.db").read_text() == "mine"


async def test_what_lies_beside_the_tables_is_read_back(home: SqliteHome, process: SqliteProcess) -> None:
    contents = {"made_at": b"12.5", "file:prices.json": b"{}"}
    copy_database(home.database, home.folder / "first.db", contents, Course())
    first = summarise(home.folder / "first.db")
    assert (first.made_at, first.files) == (12.5, {"prices.json": b"{}"})
    copy_database(home.folder / "first.db", home.folder / "second.db", {}, Course())
    second = summarise(home.folder / "second.db")
    assert (second.made_at, second.files) == (None, {})


def test_only_scheduled_backups_are_deleted_and_the_newest_stay(tmp_path: Path) -> None:
    scheduled = [place_for(tmp_path, "scheduled", NOON + day * 86_400) for day in range(5)]
    others = [
        place_for(tmp_path, "seawall", NOON),
        place_for(tmp_path, "before-0007", NOON),
        tmp_path / "scheduled-by-me.db",
        tmp_path / "scheduled-20261121T120000Z.db.bak",
        tmp_path / ".scheduled-20261121T120000Z.db.0a1b2c3d.part",
        tmp_path / ".mine.part",
    ]
    for path in (*scheduled, *others):
        path.touch()
    (place_for(tmp_path, "scheduled", NOON - 86_400)).symlink_to(others[0])
    assert rotate(tmp_path, 2) == scheduled[:3]
    assert all(path.exists() for path in (*scheduled[3:], *others))
    assert [each.path for each in list_backups(tmp_path)] == [others[1], others[0], *scheduled[3:]]


def test_what_was_left_half_done_is_deleted_after_an_hour(tmp_path: Path) -> None:
    left = tmp_path / ".scheduled-20261121T120000Z.db.0a1b2c3d.part"
    fresh = tmp_path / ".scheduled-20261122T120000Z.db.0a1b2c3d.part"
    for path in (left, fresh):
        path.touch()
    an_hour_ago = time.time() - 3_601
    os.utime(left, (an_hour_ago, an_hour_ago))
    assert rotate(tmp_path, 1) == [left]
    assert fresh.exists()


def test_only_one_process_copies_a_database_at_a_time(tmp_path: Path) -> None:
    with only_one(tmp_path):
        for _ in range(2):
            with pytest.raises(BackupRunning), only_one(tmp_path):
                raise AssertionError("two at once")
    with only_one(tmp_path):
        pass


def test_where_a_disk_is_not_mounted_no_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(CopyFailed):
        make_folder(tmp_path / "not-mounted" / "backups")
    make_folder(tmp_path / "backups")
    assert stat.S_IMODE((tmp_path / "backups").stat().st_mode) == 0o700
