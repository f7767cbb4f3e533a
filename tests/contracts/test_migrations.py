"""A file that an earlier version wrote is brought up to date, with everything in it."""

from importlib import resources
from pathlib import Path

import apsw
import msgspec
import pytest

from seawall.core.money import Money
from seawall.core.state import Owner
from seawall.stores.sqlite.backups import list_backups
from seawall.stores.sqlite.connection import newest_schema, open_file
from seawall.stores.sqlite.summary import summarise
from tests.fixtures.ledgers import AT_MS, LIFE, Books, SqliteHome, Sums

pytestmark = pytest.mark.files

OLD_CALL = (
    "call_0",
    AT_MS,
    "/v1/chat/completions",
    "key_1",
    None,
    "m",
    "mock",
    0,
    200,
    "ok",
    None,
    1.5,
    None,
)
OLD_SUMS = ('{"input":3}', 20, 10, 0, 0, '[{"step":"settle"}]')
OLD_ROW = {"id": "call_1", "at_ms": AT_MS, "key_id": "key_1", "model": "m", "decisions": "W10="}


def write_first_version(path: Path) -> None:
    """Write a file as the first version left it: one call, one hold of a process that is gone."""
    schema = resources.files("seawall.stores.sqlite") / "schema" / "0001_ledger.sql"
    connection: apsw.Connection = open_file(path)
    connection.execute(schema.read_text(encoding="utf-8"))
    connection.pragma("user_version", 1)
    places = ", ".join("?" * 19)
    connection.execute(f"INSERT INTO calls VALUES ({places})", (*OLD_CALL, *OLD_SUMS))
    connection.execute("INSERT INTO accounts VALUES (?, ?, 10, 500, 0)", LIFE)
    connection.execute(
        "INSERT INTO holds VALUES ('call_1', 'gone', 500, ?, ?)",
        (msgspec.json.encode([LIFE]).decode(), msgspec.json.encode(OLD_ROW).decode()),
    )
    connection.close()


async def test_a_file_of_the_first_version_goes_on(home: SqliteHome) -> None:
    write_first_version(home.database)
    (home.folder / "processes").mkdir()
    (home.folder / "processes" / "gone").touch()
    process = home.open()
    found = await process.store.call_log.find("call_0")
    assert found is not None
    assert (found.cost, found.attempts, found.decisions) == (Money(10), b"[]", b'[{"step":"settle"}]')
    assert await process.store.ledger.reap() == 1
    calls = {"call_0": ("ok", 10, 0), "call_1": ("crashed", 500, 0)}
    assert await home.books() == Books({LIFE: Sums(spent=510)}, {}, calls, hours=(1, 500, 0))
    assert await process.store.conversations.get("resp_1", Owner("key_1"), 0.0) is None
    assert process.store.close()


def test_what_an_earlier_version_wrote_is_copied_before_it_is_changed(home: SqliteHome) -> None:
    write_first_version(home.database)
    home.open().store.close()
    home.open().store.close()
    [copy] = list_backups(home.folder / "backups")
    assert copy.kind == "before-0002"
    kept, now = summarise(copy.path), summarise(home.database)
    assert (kept.schema, now.schema) == (1, newest_schema())
    assert (
        (kept.calls, kept.holds, kept.committed)
        == (now.calls, now.holds, now.committed)
        == (1, 1, Money(510))
    )


def test_a_new_database_is_not_copied(home: SqliteHome) -> None:
    home.open().store.close()
    assert not (home.folder / "backups").exists()


def test_where_the_copy_fails_nothing_is_changed(home: SqliteHome) -> None:
    write_first_version(home.database)
    (home.folder / "backups").write_text("in the way")
    with pytest.raises(
        OSError, match=r"and the copy that is made before failed: the folder .* cannot be made"
    ):
        home.open()
    assert summarise(home.database).schema == 1


def test_a_file_of_a_newer_version_is_left_alone(home: SqliteHome) -> None:
    home.open().store.close()
    connection = open_file(home.database)
    connection.pragma("user_version", newest_schema() + 1)
    connection.close()
    with pytest.raises(OSError, match=r"^seawall\.db was written by a newer Seawall: its schema is \d+, and"):
        home.open()
    assert summarise(home.database).schema == newest_schema() + 1
    assert not (home.folder / "backups").exists()
