"""A backup made under load, restored elsewhere: it knows what was billed, and the rest of the budget still holds."""

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest

from seawall.core.money import Money, parse_usd
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import marked
from tests.fixtures.mock_calls import LONGER, o200k, until
from tests.fixtures.processes import Process, configure, served

CALLERS = 24
BUDGET = "4.00"
WAYS = ["full-d5", "full-g2", "full-d20", "full-nousage", "full-reset5", "full-g1-greedy"]


@dataclass
class Load:
    """Callers that go on until they are told to stop; `answered` are the calls whose answer has arrived."""

    port: int
    key: str
    numbers: Iterator[int]
    dice: random.Random
    answered: dict[str, int] = field(default_factory=dict)
    is_over: bool = False

    async def call_on_and_on(self) -> None:
        """Make calls of all kinds, one after the other, until the budget is spent or the load is over."""
        async with httpx.AsyncClient(trust_env=False, timeout=LONGER * 2) as http:
            while not self.is_over:
                marker = f"call{next(self.numbers)}"
                body = marked(marker, self.dice.choice(WAYS), max_tokens=200, stream=self.dice.random() < 0.5)
                try:
                    answer = await http.post(
                        f"http://127.0.0.1:{self.port}/v1/chat/completions",
                        json=body,
                        headers={"authorization": f"Bearer {self.key}"},
                    )
                except httpx.HTTPError:
                    continue
                self.answered[marker] = answer.status_code
                if answer.status_code == 402:
                    return


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


async def command(folder: Path, *words: str) -> Any:
    """Run a command that prints JSON, as a process of its own."""
    inherited = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from seawall.cli.main import main; main()", *words, "--json",
        cwd=folder, env=inherited | {"HOME": str(folder)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output
    return json.loads(output)


async def load_on(
    process: Process, key: str, numbers: Iterator[int]
) -> tuple[Load, list[asyncio.Task[None]]]:
    load = Load(process.port, key, numbers, random.Random(1))
    return load, [asyncio.create_task(load.call_on_and_on()) for _ in range(CALLERS)]


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
        load, callers = await load_on(process, process.key, count())
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
        load, callers = await load_on(process, drill.key, count(10**6))
        await asyncio.gather(*callers)
        await until(lambda: mock.open_calls == 0)
        billed = Money(mock.bill - billed_before)
        assert 402 in load.answered.values()
        assert 0 < billed <= parse_usd(BUDGET) - at_start
        assert (await process.spend())["lifetime_usd"] <= parse_usd(BUDGET)
