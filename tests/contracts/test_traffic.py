"""What every home promises to advice: calls as a replay sees them, sums by hour, and who called."""

from typing import Any

import msgspec

from seawall.core.call import first_id_at
from seawall.core.ledger import CallRow
from seawall.core.money import Money, Usage
from seawall.core.traffic import Asked, Hour, ModelSums, Shape, UserFigures, UserUse
from tests.fixtures.jobs import DONE, NOW, RULES, accepted, started
from tests.fixtures.ledgers import AT_MS, Home, Process, ask, row_of, settlement

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
HOUR = AT_MS // HOUR_MS
SHAPE = Shape(b"\0" * 8, b"\xff" * 8, b"head", 10, b"whole", b"", 20, 5, 2, 100, is_cacheable=True)


def call_at(at_ms: int, number: int = 0, **fields: Any) -> CallRow:
    """Return the row of a call of a moment; ids sort by time."""
    return row_of(f"{first_id_at(at_ms)}{number:04}", **{"at_ms": at_ms, **fields})


async def settle(process: Process, at_ms: int, number: int, cost: int, **fields: Any) -> CallRow:
    """Settle a call of a moment."""
    row = call_at(at_ms, number, **fields)
    await process.store.ledger.hold(ask(row.id, cost, ("global", "life", 10**9), earlier=row))
    done = settlement(row.id, cost, earlier=row)
    await process.store.ledger.settle(type(done)(done.hold_id, done.cost, done.overage, done.usage, done.row))
    return done.row


async def test_rows_come_between_two_ids_the_oldest_first(process: Process) -> None:
    rows = [call_at(AT_MS + number, shape="[1]", end_user="ada") for number in range(5)]
    for row in rows[::-1]:
        process.store.call_log.write(row)
    traffic = process.store.traffic
    assert await traffic.rows(after=rows[0].id, before=rows[4].id, at_most=9) == rows[1:4]
    assert await traffic.rows(after=first_id_at(AT_MS), before=first_id_at(AT_MS + 4), at_most=2) == rows[:2]


async def test_a_replay_gets_the_newest_calls_of_a_span_the_oldest_of_them_first(process: Process) -> None:
    full = call_at(
        AT_MS, 1, end_user="ada", stream=True, took_ms=9.5, first_ms=2.5, usage=Usage(input=7, output=3),
        cost=Money(4), listed_cost=Money(5), saved=Money(6), shape=msgspec.json.encode(SHAPE).decode(),
        decisions=b'[{"step":"guard_input","verdict":"flag"},{"step":"recall","verdict":"hit"}]',
    )  # fmt: skip
    others = [call_at(AT_MS - 1), call_at(AT_MS, 2, outcome="refused", code="x"), call_at(AT_MS + 5)]
    for row in (full, *others):
        process.store.call_log.write(row)
    traffic = process.store.traffic
    found = await traffic.asked(since_ms=AT_MS, until_ms=AT_MS + 5, at_most=9)
    assert found == [
        Asked(
            full.id, AT_MS, "key_1", "ada", "fake-gpt", True, "ok", None, 9.5, 2.5, Usage(input=7, output=3),
            Money(4), Money(5), Money(6), True, SHAPE,
        ),
        Asked(
            others[1].id, AT_MS, "key_1", None, "fake-gpt", False, "refused", "x", 0.0, None, None, Money(0),
            Money(0), Money(0), False, None,
        ),
    ]  # fmt: skip
    assert await traffic.asked(since_ms=AT_MS, until_ms=AT_MS + 5, at_most=1) == found[1:]


async def test_only_an_answer_that_the_cache_gave_is_a_hit(process: Process) -> None:
    recalled = b'[{"step":"recall","verdict":"hit"}]'
    process.store.call_log.write(call_at(AT_MS, 1, decisions=recalled, outcome="refused"))
    process.store.call_log.write(call_at(AT_MS, 2, decisions=recalled))
    found = await process.store.traffic.asked(since_ms=AT_MS, until_ms=AT_MS + 1, at_most=9)
    assert [each.is_hit for each in found] == [False, True]


async def test_the_first_call_that_is_not_settled_is_found(process: Process) -> None:
    traffic = process.store.traffic
    assert await traffic.first_open() is None
    for number in (6, 5):
        await process.store.ledger.hold(ask(f"call_{number}", 5))
    assert await traffic.first_open() == "call_5"
    await process.store.ledger.settle(settlement("call_5", 5))
    assert await traffic.first_open() == "call_6"


async def test_a_call_that_waits_as_a_job_is_not_settled(home: Home, process: Process) -> None:
    """It may have no money while it waits for another run; a task is no call."""
    await accepted(process, "0", kind="task")
    traffic = process.store.traffic
    assert await traffic.first_open() is None
    await accepted(process, "4", due_at=NOW + 60)
    assert await traffic.first_open() == "call_4"
    await accepted(process, "3")
    assert await traffic.first_open() == "call_3"
    run = await started(process, home, "3")
    assert await traffic.first_open() == "call_3"
    await process.store.jobs.finish(run.id, run.run, DONE, NOW + 1, RULES)
    assert await traffic.first_open() == "call_4"


async def test_sums_are_kept_as_they_were_written_and_the_newest_count(process: Process) -> None:
    traffic = process.store.traffic
    assert (await traffic.hours(0, 2**40), await traffic.summed_until()) == ([], 0)
    hours = [
        Hour(HOUR + number, calls=number, refused={"ä": 1}, models={"m": ModelSums(input=2**53)})
        for number in range(4)
    ]
    await traffic.put(hours[2:], HOUR + 4)
    await traffic.put(hours[:3], HOUR + 3)
    await traffic.put([Hour(HOUR, calls=9)], HOUR + 1)
    assert await traffic.hours(HOUR, HOUR + 3) == [Hour(HOUR, calls=9), *hours[1:3]]
    assert await traffic.summed_until() == HOUR + 4, "what is summed up stays so"
    await traffic.put([], HOUR + 8)
    assert await traffic.summed_until() == HOUR + 8


async def test_the_oldest_sums_are_trimmed_in_batches(process: Process) -> None:
    traffic = process.store.traffic
    await traffic.put([Hour(HOUR + number) for number in range(5)], HOUR + 5)
    assert [await traffic.trim(HOUR + 3, at_most=2) for _ in range(3)] == [2, 1, 0]
    assert [hour.hour for hour in await traffic.hours(0, 2**40)] == [HOUR + 3, HOUR + 4]


async def test_users_are_counted_by_day_and_the_dearest_come_first(process: Process) -> None:
    midnight = AT_MS // DAY_MS * DAY_MS
    for number, (day, user, cost) in enumerate(
        [
            (0, "ada", 10),
            (0, "ada", 5),
            (1, "ada", 1),
            (1, "bob", 20),
            (1, None, 7),
            (2, None, 7),
            (-9, "old", 3),
        ]
    ):
        key = "key_2" if user == "bob" else "key_1"
        await settle(process, midnight + day * DAY_MS, number, cost, end_user=user, key_id=key)
    hour = midnight // HOUR_MS
    assert await process.store.traffic.users(hour, hour + 72) == UserFigures(
        users=2,
        returning=1,
        by_day=(("2026-11-21", 1), ("2026-11-22", 2), ("2026-11-23", 0)),
        dearest=(UserUse("bob", 1, Money(20), 1), UserUse("ada", 3, Money(16), 2)),
        unnamed=2,
        keys=2,
        first_hour=hour - 9 * 24,
    )


async def test_ten_of_many_users_are_the_dearest(process: Process) -> None:
    for number in range(12):
        await settle(process, AT_MS, number, 10 + number, end_user=f"user {number}")
    found = await process.store.traffic.users(HOUR, HOUR + 1)
    assert (found.users, [use.cost for use in found.dearest]) == (12, list(range(21, 11, -1)))


async def test_where_nobody_has_called_there_is_nobody(process: Process) -> None:
    assert await process.store.traffic.users(0, 2**40) == UserFigures(0, 0, (), (), 0, 0, None)
