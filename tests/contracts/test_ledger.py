"""What every ledger promises, one claim at a time."""

import asyncio
import shutil
import tempfile

import pytest

from seawall.core.errors import Overloaded
from seawall.core.ledger import Busy, Exhausted, Held, HoldAnswer
from seawall.core.money import Money
from tests.fixtures.ledgers import (
    AT_MS,
    LIFE,
    Books,
    Hold,
    Home,
    Process,
    SqliteHome,
    SqliteProcess,
    Sums,
    ask,
    settlement,
)

DAY = ("global", "2026-11-21")


async def test_a_hold_is_on_disk_when_it_is_answered(home: Home, process: Process) -> None:
    answer = await process.store.ledger.hold(ask("call_1", 400, input_tokens=100))
    assert answer == Held(Money(500), 400)
    assert await home.books() == Books({LIFE: Sums(held=500)}, {"call_1": Hold(500, (LIFE,), tokens=500)})


async def test_settling_replaces_the_hold_by_the_cost(home: Home, process: Process) -> None:
    ledger = process.store.ledger
    await ledger.hold(ask("call_1", 500))
    await ledger.settle(settlement("call_1", 120))
    calls = {"call_1": ("ok", 120, 0)}
    assert await home.books() == Books({LIFE: Sums(spent=120)}, {}, calls, hours=(1, 120, 0))


async def test_what_is_above_the_hold_is_overage(home: Home, process: Process) -> None:
    ledger = process.store.ledger
    await ledger.hold(ask("call_1", 500))
    await ledger.settle(settlement("call_1", 700, held=500))
    calls = {"call_1": ("ok", 700, 200)}
    assert await home.books() == Books({LIFE: Sums(spent=500, overage=200)}, {}, calls, hours=(1, 700, 200))


async def test_overage_counts_against_the_cap(process: Process) -> None:
    ledger = process.store.ledger
    await ledger.hold(ask("call_1", 500))
    await ledger.settle(settlement("call_1", 990, held=500))
    answer = await ledger.hold(ask("call_2", 500))
    assert isinstance(answer, Exhausted)
    assert (answer.standing.spent, answer.standing.held) == (990, 0)


async def test_settling_twice_counts_once(home: Home, process: Process) -> None:
    ledger = process.store.ledger
    await ledger.hold(ask("call_1", 500))
    await asyncio.gather(ledger.settle(settlement("call_1", 120)), ledger.settle(settlement("call_1", 300)))
    await ledger.settle(settlement("call_1", 400))
    calls = {"call_1": ("ok", 120, 0)}
    assert await home.books() == Books({LIFE: Sums(spent=120)}, {}, calls, hours=(1, 120, 0))


async def test_settling_what_was_never_held_does_nothing(home: Home, process: Process) -> None:
    await process.store.ledger.settle(settlement("call_9", 120))
    assert await home.books() == Books()


async def test_a_void_hold_leaves_nothing_behind(home: Home, process: Process) -> None:
    ledger = process.store.ledger
    await ledger.hold(ask("call_1", 500))
    await ledger.void("call_1")
    await ledger.settle(settlement("call_1", 120))
    assert await home.books() == Books({LIFE: Sums()})


async def test_a_hold_lies_on_all_accounts_or_on_none(home: Home, process: Process) -> None:
    answer = await process.store.ledger.hold(ask("call_1", 500, (*LIFE, 1_000), (*DAY, 10)))
    assert isinstance(answer, Exhausted)
    assert answer.standing.account.period == DAY[1]
    assert await home.books() == Books()


async def test_an_account_without_a_cap_is_kept_too(home: Home, process: Process) -> None:
    await process.store.ledger.hold(ask("call_1", 500, (*LIFE, None), (*DAY, 1_000)))
    assert (await home.books()).accounts == {LIFE: Sums(held=500), DAY: Sums(held=500)}


async def test_calls_at_once_never_get_more_than_there_is(home: Home, process: Process) -> None:
    other = home.open()
    ledgers = (process.store.ledger, other.store.ledger)
    answers = await asyncio.gather(*(ledgers[i % 2].hold(ask(f"call_{i}", 100)) for i in range(64)))
    assert sum(isinstance(answer, Held) for answer in answers) == 10
    assert sum(isinstance(answer, Busy) for answer in answers) == 54
    assert await home.sums() == Sums(held=1_000)
    other.store.close()


async def test_a_caller_who_leaves_while_its_hold_is_written_holds_nothing(
    home: Home, process: Process
) -> None:
    ledger = process.store.ledger
    task = asyncio.create_task(ledger.hold(ask("call_1", 500)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await ledger.hold(ask("call_2", 300))
    assert (await home.books()).holds == {"call_2": Hold(300, (LIFE,), tokens=300)}


async def test_a_caller_who_leaves_while_it_settles_has_settled(home: Home, process: Process) -> None:
    ledger = process.store.ledger
    await ledger.hold(ask("call_1", 500))
    ledger.settle(settlement("call_1", 120)).cancel()
    await ledger.check()
    assert await home.sums() == Sums(spent=120)


async def test_one_bad_operation_does_not_fail_its_neighbours(home: Home, process: Process) -> None:
    ledger = process.store.ledger
    await ledger.hold(ask("call_1", 100))
    asks = [ask(name, 50) for name in ("call_2", "call_1", "call_3", "call_1", "call_4")]
    answers = await asyncio.gather(*(ledger.hold(one) for one in asks), return_exceptions=True)
    assert [type(answer) for answer in answers if not isinstance(answer, Overloaded)] == [Held] * 3
    assert [isinstance(answer, Overloaded) for answer in answers] == [False, True, False, True, False]
    assert set((await home.books()).holds) == {"call_1", "call_2", "call_3", "call_4"}
    assert await home.sums() == Sums(held=250)


async def test_a_dead_process_has_its_holds_settled_in_full(home: Home, process: Process) -> None:
    await process.store.ledger.hold(ask("call_1", 400, input_tokens=100))
    await process.store.ledger.hold(ask("call_2", 200))
    await process.store.ledger.settle(settlement("call_2", 50))
    process.crash()
    other = home.open()
    assert await other.reap() == 1
    books = await home.books()
    calls = {"call_1": ("crashed", 500, 0), "call_2": ("ok", 50, 0)}
    assert books == Books({LIFE: Sums(spent=550)}, {}, calls, hours=(2, 550, 0))
    assert await other.reap() == 0
    other.store.close()


async def test_a_later_attempt_adds_money_and_tokens_and_is_no_second_call(
    home: Home, process: Process
) -> None:
    store = process.store
    await store.ledger.hold(ask("call_1", 500))
    first = settlement("call_1", 120, held=500)
    await store.ledger.settle(first)
    await store.ledger.hold(ask("call_1.2", 300, earlier=first.row))
    second = settlement("call_1.2", 350, held=300, earlier=first.row)
    await store.ledger.settle(second)
    calls = {"call_1": ("ok", 470, 50)}
    assert await home.books() == Books({LIFE: Sums(spent=420, overage=50)}, {}, calls, hours=(1, 470, 50))
    assert await store.call_log.find("call_1") == second.row
    [sums] = await store.call_log.usage(by="key", since_ms=0, until_ms=AT_MS + 1)
    assert (sums["calls"], sums["input_tokens"], sums["output_tokens"]) == (1, 2, 470)


async def test_an_attempt_that_followed_a_void_one_is_the_first_that_counts(
    home: Home, process: Process
) -> None:
    ledger = process.store.ledger
    await ledger.hold(ask("call_1", 500))
    await ledger.void("call_1")
    await ledger.hold(ask("call_1.2", 500))
    process.crash()
    other = home.open()
    assert await other.reap() == 1
    assert (await home.books()).hours == (1, 500, 0)
    other.store.close()


async def test_a_crash_in_a_later_attempt_keeps_what_the_earlier_ones_cost(
    home: Home, process: Process
) -> None:
    ledger = process.store.ledger
    await ledger.hold(ask("call_1", 500))
    first = settlement("call_1", 600, held=500)
    await ledger.settle(first)
    await ledger.hold(ask("call_1.2", 300, earlier=first.row))
    process.crash()
    other = home.open()
    assert await other.reap() == 1
    calls = {"call_1": ("crashed", 900, 100)}
    assert await home.books() == Books({LIFE: Sums(spent=800, overage=100)}, {}, calls, hours=(1, 900, 100))
    row = await other.store.call_log.find("call_1")
    assert row is not None
    assert (row.held, row.attempts, row.status) == (800, first.row.attempts, 500)
    [sums] = await other.store.call_log.usage(by="key", since_ms=0, until_ms=AT_MS + 1)
    assert sums["output_tokens"] == 600
    other.store.close()


async def test_a_living_process_keeps_its_holds(home: Home, process: Process) -> None:
    await process.store.ledger.hold(ask("call_1", 500))
    other = home.open()
    assert await other.reap() == 0
    await process.store.ledger.settle(settlement("call_1", 120))
    assert await home.sums() == Sums(spent=120)
    other.store.close()


async def test_a_process_that_was_taken_for_dead_settles_nothing_twice_and_goes_on(
    home: Home, process: Process
) -> None:
    ledger = process.store.ledger
    await asyncio.gather(ledger.hold(ask("call_1", 500)), ledger.hold(ask("call_2", 300)))
    process.crash()
    other = home.open()
    assert await other.reap() == 2
    await process.come_back()
    await ledger.hold(ask("call_3", 100))
    await asyncio.gather(
        ledger.settle(settlement("call_1", 120)),
        ledger.void("call_2"),
        ledger.settle(settlement("call_3", 7)),
    )
    assert await home.sums() == Sums(spent=807)
    assert (await home.books()).calls == {
        "call_1": ("crashed", 500, 0),
        "call_2": ("crashed", 300, 0),
        "call_3": ("ok", 7, 0),
    }
    assert process.store.close()
    other.store.close()


@pytest.mark.files
async def test_a_lock_that_was_deleted_by_hand_is_put_back_before_anybody_is_taken_for_dead(
    home: SqliteHome, process: SqliteProcess
) -> None:
    other = home.open()
    await process.store.ledger.hold(ask("call_1", 500))
    process.lock.unlink()
    assert await other.reap() == 0
    process.store.check_place()
    assert await other.reap() == 0
    shutil.rmtree(process.lock.parent)
    process.store.check_place()
    other.store.check_place()
    assert sorted(process.lock.parent.iterdir()) == sorted([process.lock, other.lock])
    assert await other.reap() == 0
    assert await home.sums() == Sums(held=500)
    await process.store.ledger.void("call_1")
    other.store.close()


@pytest.mark.files
async def test_closing_twice_closes_nothing_of_others(home: SqliteHome) -> None:
    process = home.open()
    assert process.store.close()
    with tempfile.TemporaryFile() as file:  # It gets the number that the lock's file had.
        assert process.store.close()
        file.write(b"still open")
        file.flush()
    process.store.check_place()
    assert not process.lock.exists()


async def test_a_store_that_still_holds_money_says_so_and_loses_nothing(home: Home) -> None:
    first = home.open()
    await first.store.ledger.hold(ask("call_1", 500))
    assert not first.store.close()
    first.crash()
    second = home.open()
    assert await second.reap() == 1
    assert await home.sums() == Sums(spent=500)
    assert second.store.close()


async def test_a_settlement_on_its_way_is_written_before_the_store_closes(home: Home) -> None:
    process = home.open()
    await process.store.ledger.hold(ask("call_1", 500))
    settled = process.store.ledger.settle(settlement("call_1", 120))
    assert await asyncio.to_thread(process.store.close)
    await settled
    assert await home.sums() == Sums(spent=120)


async def test_what_another_process_spends_is_seen_at_once(home: Home, process: Process) -> None:
    other = home.open()

    async def spend(one: Process, hold_id: str) -> HoldAnswer:
        answer = await one.store.ledger.hold(ask(hold_id, 400))
        await one.store.ledger.settle(settlement(hold_id, 400))
        return answer

    answers = [await spend(one, f"call_{i}") for i, one in enumerate((process, other, process, other))]
    assert answers[:3] == [Held(Money(400), 400), Held(Money(400), 400), Held(Money(200), 200)]
    assert isinstance(answers[3], Exhausted)
    other.store.close()


@pytest.mark.parametrize("calls", [1, 64, 65, 1_500])
async def test_any_number_of_calls_goes_into_one_commit(home: Home, process: Process, calls: int) -> None:
    ledger = process.store.ledger
    names = [f"call_{number}" for number in range(calls)]
    await asyncio.gather(*(ledger.hold(ask(name, 10, (*LIFE, 10**9))) for name in names))
    assert await home.sums() == Sums(held=10 * calls)
    await asyncio.gather(*(ledger.settle(settlement(name, 3)) for name in names))
    assert await home.sums() == Sums(spent=3 * calls)
    assert (await home.books()).hours == (calls, 3 * calls, 0)
