"""A file that an earlier version wrote is brought up to date, with everything in it."""

from importlib import resources
from pathlib import Path

import apsw
import msgspec

from seawall.core.money import Money
from seawall.core.state import Owner
from seawall.stores.sqlite.connection import open_file
from tests.fixtures.ledgers import AT_MS, LIFE, Books, Home, Sums

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


async def test_a_file_of_the_first_version_goes_on(home: Home) -> None:
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
