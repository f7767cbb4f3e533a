"""A backup takes the place of a database in one step, nothing is lost, and nobody comes in between."""

import shutil
from pathlib import Path

import pytest

from seawall.stores.sqlite.copying import CopyFailed, Course, copy_database
from seawall.stores.sqlite.gate import InUse, closed
from seawall.stores.sqlite.restoring import bring_in, put_in_place
from seawall.stores.sqlite.summary import summarise
from tests.fixtures.ledgers import LIFE, SqliteHome, Sums, ask, settlement

pytestmark = pytest.mark.files

NOON = 1_795_262_400.0
REPLACED = "replaced-20261121T120000Z.db"


async def backed_up(home: SqliteHome) -> Path:
    """Make a ledger with one call that is settled and one that runs, and a backup of it; the process dies."""
    process = home.open()
    await process.store.ledger.hold(ask("call_1", 100))
    await process.store.ledger.settle(settlement("call_1", 70, held=100))
    await process.store.ledger.hold(ask("call_2", 200))
    target = home.folder / "copy.db"
    copy_database(home.database, target, {}, Course())
    process.crash()
    return target


def restored(backup: Path, folder: Path) -> tuple[SqliteHome, Path | None]:
    """Restore a backup into a folder."""
    folder.mkdir(exist_ok=True)
    return SqliteHome(folder), put_in_place(bring_in(backup, folder, Course()), folder, NOON)


async def test_what_ran_when_the_backup_was_made_is_settled_in_full_by_the_first_who_starts(
    home: SqliteHome, tmp_path: Path
) -> None:
    there, kept = restored(await backed_up(home), tmp_path / "elsewhere")
    assert kept is None
    assert await there.sums() == Sums(spent=70, held=200)
    process = there.open()
    assert await process.store.ledger.reap() == 1
    assert await there.sums() == Sums(spent=270)
    assert process.store.close()


async def test_the_database_that_was_there_is_kept_with_what_only_its_log_has(
    home: SqliteHome, tmp_path: Path
) -> None:
    backup = await backed_up(home)
    living = SqliteHome(tmp_path / "living")
    living.folder.mkdir()
    process = living.open()
    await process.store.ledger.hold(ask("call_9", 900))
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("seawall.db", "seawall.db-wal"):  # As a kill leaves them.
        shutil.copy(living.folder / name, crashed / name)
    assert summarise(crashed / "seawall.db").held == 900

    there, kept = restored(backup, crashed)
    assert kept == crashed / REPLACED
    assert summarise(kept).held == 900
    assert await there.sums() == Sums(spent=70, held=200)
    process.store.close()


async def test_a_damaged_database_is_kept_as_it_lies_and_its_log_spoils_nothing(
    home: SqliteHome, tmp_path: Path
) -> None:
    backup = await backed_up(home)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "seawall.db").write_bytes(b"no database " * 1000)
    (damaged / "seawall.db-wal").write_bytes(b"no log " * 1000)
    there, kept = restored(backup, damaged)
    assert kept is not None
    assert kept.read_bytes() == b"no database " * 1000
    assert (damaged / f"{REPLACED}-wal").read_bytes() == b"no log " * 1000
    assert await there.sums() == Sums(spent=70, held=200)


async def test_nothing_is_restored_under_a_process_that_has_the_folder_open(
    home: SqliteHome, tmp_path: Path
) -> None:
    backup = await backed_up(home)
    there = SqliteHome(tmp_path / "open")
    there.folder.mkdir()
    process = there.open()
    await process.store.ledger.hold(ask("call_9", 900))
    waiting = bring_in(backup, there.folder, Course())
    with pytest.raises(InUse) as refused:
        put_in_place(waiting, there.folder, NOON)
    assert refused.value.living == 1
    assert await there.sums() == Sums(held=900)
    process.store.close()


def test_nobody_opens_a_folder_whose_database_is_being_replaced(home: SqliteHome) -> None:
    with closed(home.folder), pytest.raises(OSError, match="is being restored or moved"):
        home.open()
    assert home.open().store.close()


async def test_what_cannot_be_relied_on_is_not_brought_in(home: SqliteHome) -> None:
    backup = await backed_up(home)
    whole = backup.read_bytes()
    for name, data in {
        "cut.db": whole[: len(whole) // 2],
        "text.db": b"text " * 2000,
        "empty.db": b"",
    }.items():
        broken = home.folder / name
        broken.write_bytes(data)
        with pytest.raises(CopyFailed):
            bring_in(broken, home.folder, Course())
    assert not (home.folder / ".restoring.db").exists()
    assert await home.sums(*LIFE) == Sums(spent=70, held=200)
