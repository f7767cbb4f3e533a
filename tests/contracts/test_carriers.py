"""What puts jobs into the hands of the engine, on both homes: with the transaction that they belong to."""

import pytest

from seawall.stores.carriers import ToCarry
from tests.fixtures.carriers import Undone, calls, drop, put
from tests.fixtures.ledgers import Home, Process

ALL = "SELECT lock, queue_name, priority, task_name FROM procrastinate_jobs ORDER BY id"


async def test_jobs_are_handed_over_in_order(home: Home, process: Process) -> None:
    names = [f"{number:03}" for number in range(200)]
    assert await put(process.store) == []
    first = await put(process.store, ToCarry("job_task", "tasks", 9))
    carriers = await put(process.store, *calls(*names))
    assert carriers == sorted(set(carriers)) and first < carriers
    expected = [("job_task", "tasks", 9, "run"), *((f"job_{name}", "calls", 0, "run") for name in names)]
    assert await home.ask(ALL) == expected


async def test_what_is_rolled_back_is_handed_to_nobody(home: Home, process: Process) -> None:
    with pytest.raises(Undone):
        await put(process.store, *calls("one"), fails=True)
    assert await home.count("procrastinate_jobs") == 0


async def test_a_carrier_is_dropped_once_and_its_number_never_given_again(
    home: Home, process: Process
) -> None:
    one, two = await put(process.store, *calls("one", "two"))
    await drop(process.store, [two])
    await drop(process.store, [two, 4711])
    await drop(process.store, [])
    assert await home.ask("SELECT id, lock FROM procrastinate_jobs") == [(one, "job_one")]
    [three] = await put(process.store, *calls("three"))
    assert three > two
