"""A ledger that cannot write refuses; what it already owes it writes as soon as it can."""

import asyncio

import pytest

from seawall.core.errors import Overloaded
from seawall.core.ledger import Held
from seawall.core.money import Money
from seawall.stores.sqlite.connection import open_file
from tests.fixtures.ledgers import Books, SqliteHome, SqliteProcess, Sums, ask, full_disk, settlement

pytestmark = pytest.mark.files


async def test_a_full_disk_refuses_holds_and_keeps_what_it_owes(
    home: SqliteHome, process: SqliteProcess
) -> None:
    ledger = process.store.ledger
    await ledger.hold(ask("call_1", 500))
    with full_disk(home.database):
        with pytest.raises(Overloaded):
            await ledger.hold(ask("call_2", 100))
        with pytest.raises(Overloaded):
            await ledger.check()
        owed = ledger.settle(settlement("call_1", 120))
        with pytest.raises(Overloaded):
            await ledger.hold(ask("call_3", 100))
        assert not owed.done()
    await owed
    calls = {"call_1": ("ok", 120, 0)}
    assert await home.books() == Books({("global", "life"): Sums(spent=120)}, {}, calls, hours=(1, 120, 0))
    assert await ledger.hold(ask("call_4", 880)) == Held(Money(880), 880)


async def test_a_locked_file_refuses_holds_and_keeps_what_it_owes(
    home: SqliteHome, process: SqliteProcess
) -> None:
    ledger = process.store.ledger
    await ledger.hold(ask("call_1", 500))
    other = open_file(home.database)
    other.execute("BEGIN IMMEDIATE")
    owed = ledger.settle(settlement("call_1", 120))
    with pytest.raises(Overloaded) as refused:
        await ledger.hold(ask("call_2", 100))
    assert refused.value.wire_status == 503
    assert refused.value.retry_after_s == 1.0
    assert await home.sums() == Sums(held=500)
    other.execute("ROLLBACK")
    other.close()
    await owed
    assert await home.sums() == Sums(spent=120)


async def test_a_file_that_is_locked_for_a_moment_is_waited_for(
    home: SqliteHome, process: SqliteProcess
) -> None:
    other = open_file(home.database)
    other.execute("BEGIN IMMEDIATE")
    held = asyncio.ensure_future(process.store.ledger.hold(ask("call_1", 500)))
    await asyncio.to_thread(lambda: None)
    assert not held.done()
    other.execute("ROLLBACK")
    other.close()
    assert await held == Held(Money(500), 500)


async def test_a_full_disk_does_not_stop_the_store_from_closing(home: SqliteHome) -> None:
    process = home.open()
    await process.store.ledger.hold(ask("call_1", 500))
    with full_disk(home.database):
        owed = process.store.ledger.settle(settlement("call_1", 120))
        assert not await asyncio.to_thread(process.store.close)
        with pytest.raises(Overloaded):
            await owed
    process.crash()
    after = home.open()
    assert await after.store.ledger.reap() == 1
    assert await home.sums() == Sums(spent=500)
    after.store.close()
