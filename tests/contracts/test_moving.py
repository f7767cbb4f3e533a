"""What is moved to another home arrives in every row, whatever breaks on the way, and there are never two ledgers."""

import asyncio
from pathlib import Path

import apsw
import psycopg
import pytest

from seawall.stores.accounting import OpenHold
from seawall.stores.moving.mover import move
from seawall.stores.moving.postgres_end import PostgresEnd
from seawall.stores.moving.tables import TABLES, MoveRefused
from seawall.stores.postgres.connection import migrate
from seawall.stores.postgres.engine import PostgresEngine
from seawall.stores.postgres.ledger import PostgresLedger
from seawall.stores.postgres.process import ProcessNames
from seawall.stores.sqlite.connection import open_file
from seawall.stores.sqlite.copying import CopyFailed, Course, copy_database, tell_nobody
from seawall.stores.sqlite.restoring import bring_in, put_in_place
from seawall.stores.writer import Writer
from tests.fixtures.jobs import DONE, NOW, RULES, accepted, check_jobs, started, states
from tests.fixtures.ledgers import LIFE, PostgresHome, SqliteHome, Sums, ask
from tests.fixtures.moves import at, everything, fill, in_postgres, moved

pytestmark = pytest.mark.files

LEFT_OUT = {
    "carrier_schema", "certificate_answers", "certificates", "checked", "directory_version", "procrastinate_events",
    "procrastinate_jobs", "procrastinate_periodic_defers", "procrastinate_workers", "schema_version",
    "sqlite_sequence", "sqlite_stat1",
}  # fmt: skip
"""What every home makes or gets for itself; jobs that were handed over are handed over anew."""


class BrokenOff(Exception):
    """Stands for whatever ends a move in the middle."""


def break_off_at(part: str) -> "BreakOff":
    return BreakOff(part)


class BreakOff:
    """Ends a move after the first rows of one table."""

    def __init__(self, part: str) -> None:
        self._part = f"moving {part}"

    def __call__(self, part: str, done: int, whole: int) -> None:
        if part == self._part:
            raise BrokenOff


async def test_everything_arrives_and_comes_back_as_it_was(
    home: SqliteHome, tmp_path: Path, database_url: str
) -> None:
    await fill(home)
    before = everything(at(home.folder))
    assert all(before.values())
    (tmp_path / "back").mkdir()
    there = moved(at(home.folder), in_postgres(database_url))
    assert everything(in_postgres(database_url)) == before
    back = moved(in_postgres(database_url), at(tmp_path / "back"))
    assert (there.agrees, back.agrees) == (True, True)
    assert everything(at(tmp_path / "back")) == before
    assert there.before == back.after
    assert there.before.rows["calls"] == 40
    assert there.before.cost_by_month == {"2026-11": sum(60 + number for number in range(40))}
    assert there.before.sums == {
        "spent": 3 * there.before.cost_by_month["2026-11"],
        "held": 3 * 700,
        "overage": 0,
    }


async def test_no_table_and_no_column_is_forgotten(home: SqliteHome, database_url: str) -> None:
    listed = {table.name: set(table.columns) for table in TABLES}
    home.open().store.close()
    connection = open_file(home.database)
    tables = [
        str(name) for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    ]
    in_sqlite = {
        name: {str(row[1]) for row in connection.execute(f"PRAGMA table_info({name})")} for name in tables
    }
    connection.close()
    assert {name: columns for name, columns in in_sqlite.items() if name not in LEFT_OUT} == listed
    migrate(database_url)
    in_there: dict[str, set[str]] = {}
    with psycopg.connect(database_url) as database:
        for name, column in database.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        ):
            in_there.setdefault(name, set()).add(column)
    in_there["holds"].remove("placed_at")
    assert {name: columns for name, columns in in_there.items() if name not in LEFT_OUT} == listed


async def test_what_was_held_is_settled_in_full_by_the_next_start(
    home: SqliteHome, database_url: str
) -> None:
    await fill(home, range(1))
    moved(at(home.folder), in_postgres(database_url))
    processes, holds = ProcessNames(), dict[str, OpenHold]()
    writer = Writer(PostgresEngine(database_url, processes, holds))
    writer.start()
    ledger = PostgresLedger(writer, processes)
    assert await ledger.reap() == 1
    [standing] = await ledger.standings([ask("x", 1, (*LIFE, 10**9)).accounts.accounts[0]])
    assert (standing.spent, standing.held) == (760, 0)
    await asyncio.to_thread(writer.stop, 5)


async def test_what_was_held_is_settled_in_full_on_the_way_back_too(
    home: SqliteHome, tmp_path: Path, database_url: str
) -> None:
    await fill(home, range(1))
    moved(at(home.folder), in_postgres(database_url))
    there = SqliteHome(tmp_path / "back")
    there.folder.mkdir()
    moved(in_postgres(database_url), at(there.folder))
    process = there.open()
    assert await process.store.ledger.reap() == 1
    assert await there.sums() == Sums(spent=760)
    assert process.store.close()


@pytest.mark.parametrize("part", ["keys", "holds", "calls", "parts", "outbox"])
async def test_a_move_that_was_broken_off_goes_on_where_it_was(
    home: SqliteHome, database_url: str, part: str
) -> None:
    await fill(home, range(3))
    before = everything(at(home.folder))
    with pytest.raises(BrokenOff):
        moved(at(home.folder), in_postgres(database_url), break_off_at(part))
    with pytest.raises(OSError, match="data is being moved into it"):
        migrate(database_url)
    home.open().store.close()  # Here nothing has changed yet.
    outcome = moved(at(home.folder), in_postgres(database_url))
    assert outcome.agrees
    assert outcome.resumed_rows > 0
    migrate(database_url)
    assert everything(in_postgres(database_url)) == before


async def test_a_crash_just_before_the_end_leaves_both_ends_closed_until_the_move_has_ended(
    home: SqliteHome, database_url: str
) -> None:
    class CrashesAtTheEnd(PostgresEnd):
        """Crashes once everything has arrived."""

        def finish(self, highest: dict[str, int]) -> None:
            raise BrokenOff

    await fill(home, range(3))
    migrate(database_url)
    with (
        pytest.raises(BrokenOff),
        at(home.folder) as old,
        psycopg.connect(database_url, autocommit=True) as connection,
    ):
        move(old, CrashesAtTheEnd(connection, "the database"), tell_nobody)
    with pytest.raises(OSError, match="was moved to the database"):
        home.open()
    with pytest.raises(OSError, match="data is being moved into it"):
        migrate(database_url)
    assert moved(at(home.folder), in_postgres(database_url)).agrees
    migrate(database_url)


async def test_what_changed_after_a_move_was_broken_off_is_moved_too(
    home: SqliteHome, database_url: str
) -> None:
    await fill(home, range(3))
    with pytest.raises(BrokenOff):
        moved(at(home.folder), in_postgres(database_url), break_off_at("calls"))
    process = home.open()
    assert await process.store.ledger.reap() == 1
    process.store.close()
    before = everything(at(home.folder))
    outcome = moved(at(home.folder), in_postgres(database_url))
    assert (outcome.agrees, outcome.resumed_rows) == (True, 0)
    assert everything(in_postgres(database_url)) == before


async def test_a_row_that_arrives_as_another_is_found_and_nobody_uses_it(
    home: SqliteHome, database_url: str
) -> None:
    await fill(home, range(3))
    migrate(database_url)
    with psycopg.connect(database_url) as database:
        database.execute(
            "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN NEW.spent := NEW.spent / 2; RETURN NEW; END'"
        )
        database.execute(
            "CREATE TRIGGER forget BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION forget()"
        )
    outcome = moved(at(home.folder), in_postgres(database_url))
    assert not outcome.agrees
    assert outcome.before.sums["spent"] != outcome.after.sums["spent"]
    with pytest.raises(OSError, match="data is being moved into it"):
        migrate(database_url)
    assert home.open().store.close()


async def test_no_gateway_opens_what_was_moved_away_until_it_is_restored(
    home: SqliteHome, tmp_path: Path, database_url: str
) -> None:
    await fill(home, range(1))
    moved(at(home.folder), in_postgres(database_url))
    with pytest.raises(
        OSError, match="everything in it was moved to the database: state that as database_url"
    ):
        home.open()
    with pytest.raises(MoveRefused, match="everything in the folder was moved to the database already"):
        moved(at(home.folder), in_postgres(database_url))
    copy_database(home.database, tmp_path / "copy.db", {}, Course())
    put_in_place(bring_in(tmp_path / "copy.db", home.folder, Course()), home.folder, 0.0)
    home.open().store.close()


async def test_what_is_only_half_there_is_not_restored(
    home: SqliteHome, tmp_path: Path, database_url: str
) -> None:
    await fill(home, range(1))
    moved(at(home.folder), in_postgres(database_url))
    there = tmp_path / "back"
    there.mkdir()
    with pytest.raises(BrokenOff):
        moved(in_postgres(database_url), at(there), break_off_at("holds"))
    copy_database(there / "seawall.db", tmp_path / "half.db", {}, Course())
    with pytest.raises(CopyFailed, match="not all of it has arrived"):
        bring_in(tmp_path / "half.db", there, Course())


async def test_data_of_others_is_never_touched(home: SqliteHome, tmp_path: Path, database_url: str) -> None:
    await fill(home, range(1))
    other = SqliteHome(tmp_path / "other")
    other.folder.mkdir()
    await fill(other, range(2))
    moved(at(home.folder), in_postgres(database_url))
    before = everything(in_postgres(database_url))
    with pytest.raises(
        MoveRefused, match=r"^the database has data of its own \(1 keys, 1 users, 4 accounts,"
    ):
        moved(at(other.folder), in_postgres(database_url))
    assert everything(in_postgres(database_url)) == before


async def test_nothing_is_moved_while_a_gateway_has_either_end_open(
    home: SqliteHome, database_url: str
) -> None:
    process = home.open()
    with pytest.raises(MoveRefused, match="a process has the folder open: stop the gateway first"):
        moved(at(home.folder), in_postgres(database_url))
    process.store.close()
    with (
        psycopg.connect(database_url, application_name="seawall"),
        pytest.raises(MoveRefused, match="a gateway uses the database: stop it first"),
    ):
        moved(at(home.folder), in_postgres(database_url))


async def test_texts_that_postgres_cannot_keep_are_made_to_fit(home: SqliteHome, database_url: str) -> None:
    home.open().store.close()
    connection: apsw.Connection = open_file(home.database)
    connection.execute("INSERT INTO accounts VALUES (?, 'life', 1, 0, 0)", ("user:a\0b",))
    connection.close()
    assert moved(at(home.folder), in_postgres(database_url)).agrees
    assert everything(in_postgres(database_url))["accounts"] == [
        ("user:a\N{REPLACEMENT CHARACTER}b", "life", 1, 0, 0)
    ]


async def test_moved_jobs_are_done_in_their_new_home(home: SqliteHome, database_url: str) -> None:
    process = home.open()
    await accepted(process, "1", holds=60)
    await accepted(process, "2", holds=70)
    await accepted(process, "3")
    await started(process, home, "1")
    await asyncio.to_thread(process.store.close, timeout_s=1)
    process.crash()
    moved(at(home.folder), in_postgres(database_url))
    there = PostgresHome(database_url)
    other = there.open()
    assert await other.store.jobs.recover([], NOW, RULES) == 2
    assert await states(there) == {"1": "handed", "2": "handed", "3": "waiting"}
    assert await there.sums() == Sums(spent=60, held=70)
    await check_jobs(there)
    assert (await started(other, there, "2")).hold is not None
    await other.store.ledger.void("call_2")
    other.store.close()
    there.close()


async def test_a_restored_backup_goes_on_with_its_jobs(home: SqliteHome, tmp_path: Path) -> None:
    process = home.open()
    await accepted(process, "1", holds=60)
    await accepted(process, "2", holds=70)
    await started(process, home, "1")
    copy_database(home.database, tmp_path / "backup.db", {}, Course())
    await process.store.ledger.void("call_1")
    await process.store.jobs.finish("job_1", 1, DONE, NOW, RULES)
    process.store.close()
    put_in_place(bring_in(tmp_path / "backup.db", home.folder, Course()), home.folder, NOW)
    other = home.open()
    assert await other.reap() == 1
    assert await other.store.jobs.recover([], NOW, RULES) == 1
    assert await states(home) == {"1": "handed", "2": "handed"}
    assert await home.sums() == Sums(spent=60, held=70)
    await check_jobs(home)
    other.store.close()
