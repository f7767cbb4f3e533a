"""A backup made under load, restored elsewhere: it knows what was billed, and the rest of the budget still holds."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import apsw
import pytest

from seawall.core.money import Money, parse_usd
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.loads import CALLERS, command, load_on
from tests.fixtures.mock_calls import o200k, until
from tests.fixtures.processes import configure, served

BUDGET = "4.00"


@dataclass
class Drill:
    """A gateway that was backed up under load, and the folder that the backup was restored into."""

    folder: Path
    key: str
    answered_before: set[str]

    def calls(self) -> dict[str, tuple[str, int]]:
        """Return outcome and cost of every call that the restored ledger knows, by its marker."""
        connection = apsw.Connection(str(self.folder / ".seawall" / "seawall.db"))
        rows = connection.execute("SELECT end_user, outcome, cost FROM calls").fetchall()
        connection.close()
        return {str(marker): (str(outcome), int(cost)) for marker, outcome, cost in rows}


@pytest.fixture
async def mock() -> AsyncIterator[MockProvider]:
    async with MockProvider(count=o200k()) as provider:
        yield provider


@pytest.fixture
async def drill(tmp_path: Path, mock: MockProvider) -> Drill:
    """Back a gateway up while it is called, let it go on, stop it, and restore the backup into another folder."""
    there = tmp_path / "there"
    there.mkdir()
    configure(tmp_path, mock, budget=BUDGET)
    configure(there, mock, budget=BUDGET)
    async with served(tmp_path) as process:
        assert process.key is not None
        load, callers = load_on(process, process.key, count())
        await until(lambda: len(load.answered) > CALLERS)
        answered_before = {marker for marker, status in load.answered.items() if status == 200}
        made = await command(tmp_path, "backup")
        more = len(load.answered)
        await until(lambda: len(load.answered) > more + CALLERS)
        load.is_over = True
        await asyncio.gather(*callers)
        await until(lambda: mock.open_calls == 0)
        assert await process.stop() == 0
    await command(there, "restore", made["path"])
    return Drill(there, process.key, answered_before)


async def test_a_restored_ledger_knows_what_was_billed_up_to_the_backup(
    mock: MockProvider, drill: Drill
) -> None:
    bills = {seen.body["user"]: seen.cost for seen in mock.requests}
    async with served(drill.folder) as process:
        spend = await process.spend()
        calls = drill.calls()
        assert drill.answered_before <= calls.keys()
        assert len(calls) < len(bills)
        assert spend["lifetime_usd"] == sum(cost for _, cost in calls.values())
        assert spend["held_usd"] == 0
        assert [marker for marker, (_, cost) in calls.items() if cost < bills.get(marker, 0)] == []
        assert any(outcome == "crashed" for outcome, _ in calls.values())
        assert process.key is None


async def test_a_restored_ledger_and_new_calls_never_overspend_what_is_left(
    mock: MockProvider, drill: Drill
) -> None:
    async with served(drill.folder) as process:
        at_start = (await process.spend())["lifetime_usd"]
        billed_before = mock.bill
        load, callers = load_on(process, drill.key, count(10**6))
        await asyncio.gather(*callers)
        await until(lambda: mock.open_calls == 0)
        billed = Money(mock.bill - billed_before)
        assert 402 in load.answered.values()
        assert 0 < billed <= parse_usd(BUDGET) - at_start
        assert (await process.spend())["lifetime_usd"] <= parse_usd(BUDGET)
