"""What every home promises of the webhooks of apps: one that keeps failing is disabled, and loses nothing."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from seawall.core.events import Event
from seawall.core.receivers import FAILURES_MAX, ReceiverFailure, ReceiverState
from tests.fixtures.ledgers import Home, Process

APP, OTHER = "webhook:app", "webhook:other"
NOW = 1_795_262_400.0
HOUR_S, DAY_S = 3_600.0, 86_400.0
FAILURE = ReceiverFailure(APP, NOW, "status 500")
NOTHING = Event("webhook.disabled", "webhook.disabled app", "It was disabled.", {"webhook": "app"}, NOW)


@pytest.fixture
def other(home: Home, process: Process) -> Iterator[Process]:
    """Open the same home as another process."""
    opened = home.open()
    yield opened
    opened.store.close()


def event(number: int, at: float = NOW) -> Event:
    return Event("job.completed", f"job {number}", "", {"id": f"job_{number}"}, at)


async def fail(process: Process, *failures: ReceiverFailure) -> list[bool]:
    return [await process.store.receivers.failed(each, NOTHING, ("webhook",)) for each in failures]


async def disable(process: Process, at: float = NOW) -> None:
    assert await fail(process, replace(FAILURE, at=at, is_gone=True)) == [True]


async def test_one_that_works_is_not_listed(process: Process) -> None:
    assert await process.store.receivers.failing() == []
    assert not await process.store.receivers.enable(APP, NOW)


async def test_failures_are_counted_until_something_arrives(process: Process) -> None:
    receivers, outbox = process.store.receivers, process.store.outbox
    await outbox.announce([event(1)], (APP,))
    await fail(process, FAILURE, replace(FAILURE, at=NOW + 9, why="no answer in time"))
    assert await receivers.failing() == [ReceiverState(APP, 2, NOW, None, "no answer in time")]
    [taken] = await outbox.take(NOW, 10, (APP,))
    await outbox.done(taken.id, NOW + 10)
    assert await receivers.failing() == []


async def test_many_failures_over_hours_disable_it_and_that_is_told_once(process: Process) -> None:
    early = [replace(FAILURE, at=NOW + number) for number in range(FAILURES_MAX + 5)]
    assert await fail(process, *early) == [False] * (FAILURES_MAX + 5)
    late = replace(FAILURE, at=NOW + 5 * HOUR_S)
    assert await fail(process, late, late) == [True, False]
    [state] = await process.store.receivers.failing()
    assert (state.disabled_at, state.failing_since) == (late.at, NOW)
    [told] = await process.store.outbox.newest()
    assert (told.kind, told.channel) == ("webhook.disabled", "webhook")


async def test_few_failures_over_hours_do_not(process: Process) -> None:
    failures = [replace(FAILURE, at=NOW + number * HOUR_S) for number in range(FAILURES_MAX - 1)]
    assert not any(await fail(process, *failures))


async def test_of_processes_that_fail_at_once_one_disables_it(process: Process, other: Process) -> None:
    gone = replace(FAILURE, is_gone=True)
    told = await asyncio.gather(*(fail(one, gone) for one in (process, other) * 3))
    assert sum(each == [True] for each in told) == 1
    assert len(await process.store.outbox.newest()) == 1


async def test_nothing_is_due_for_one_that_is_disabled_and_all_of_it_once_it_is_enabled(
    process: Process,
) -> None:
    receivers, outbox = process.store.receivers, process.store.outbox
    await outbox.announce([event(1)], (APP, OTHER))
    await disable(process)
    await outbox.announce([event(2)], (APP,))
    taken = await outbox.take(NOW + HOUR_S, 10, (APP, OTHER))
    assert [delivery.channel for delivery in taken] == [OTHER]
    assert await receivers.enable(APP, NOW + HOUR_S)
    taken = await outbox.take(NOW + HOUR_S, 10, (APP, OTHER))
    assert sorted(json.loads(delivery.payload)["data"]["id"] for delivery in taken) == ["job_1", "job_2"]
    assert await receivers.failing() == []


async def test_what_is_tried_while_it_is_disabled_waits_as_well(process: Process) -> None:
    outbox = process.store.outbox
    await outbox.announce([event(1)], (APP,))
    [taken] = await outbox.take(NOW, 10, (APP,))
    await disable(process)
    await outbox.retry(taken.id, NOW + 5, "status 500")
    assert await outbox.take(NOW + HOUR_S, 10, (APP,)) == []
    [due] = await outbox.take(NOW + DAY_S, 10, (APP,))  # To be given up.
    assert due.id == taken.id


async def test_a_success_on_the_way_does_not_enable_it(process: Process) -> None:
    outbox = process.store.outbox
    await outbox.announce([event(1)], (APP,))
    [taken] = await outbox.take(NOW, 10, (APP,))
    await disable(process)
    await outbox.done(taken.id, NOW)
    [state] = await process.store.receivers.failing()
    assert state.disabled_at == NOW


async def test_an_app_gets_an_event_in_the_shape_of_openai(process: Process) -> None:
    await process.store.outbox.announce([event(1, at=NOW + 0.9)], (APP,))
    [taken] = await process.store.outbox.take(NOW + 1, 10, (APP,))
    assert json.loads(taken.payload) == {
        "id": taken.event_id,
        "object": "event",
        "type": "job.completed",
        "created_at": int(NOW),
        "data": {"id": "job_1"},
    }


async def test_each_channel_is_asked_for_by_itself(process: Process) -> None:
    outbox = process.store.outbox
    await outbox.announce([event(number) for number in range(30)], (APP,))
    await outbox.announce([event(99)], (OTHER,))
    taken = await outbox.take(NOW, 10, (APP, OTHER))
    assert sorted(delivery.channel for delivery in taken) == [APP] * 10 + [OTHER]
    assert await outbox.take(NOW, 10, (OTHER,)) == []


async def test_what_was_told_to_apps_is_forgotten_after_three_days_in_batches(process: Process) -> None:
    outbox = process.store.outbox
    await outbox.announce([event(number) for number in range(1_500)], (APP,))
    await outbox.announce([NOTHING], ("webhook",))
    later = NOW + 3 * DAY_S + 1
    assert [await outbox.trim(later) for _ in range(3)] == [True, False, False]
    assert await outbox.newest((APP,)) == []
    assert len(await outbox.newest()) == 1
    assert await outbox.announce([event(1)], (APP,)) == 1
    assert await outbox.announce([NOTHING], ("webhook",)) == 0
