"""What every home of events and deliveries promises: announced once, delivered by one process at a time."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from seawall.core.events import Channel, Delivery, Event
from tests.fixtures.ledgers import Home, Process

HOOK: tuple[Channel, ...] = ("webhook",)
BOTH: tuple[Channel, ...] = ("webhook", "mail")
NOW = 1_795_262_400.0
DAY_S = 86_400.0


def event(subject: str = "one", at: float = NOW, **fields: Any) -> Event:
    return Event(
        **{"kind": "test", "subject": subject, "text": f"{subject}.", "data": {"n": 1}, "at": at, **fields}
    )


@pytest.fixture
def other(home: Home, process: Process) -> Iterator[Process]:
    """Open the same home as another process."""
    opened = home.open()
    yield opened
    opened.store.close()


def texts(deliveries: list[Delivery]) -> list[str]:
    return [json.loads(delivery.payload)["text"] for delivery in deliveries]


async def test_a_subject_is_announced_once(process: Process) -> None:
    outbox = process.store.outbox
    assert await outbox.announce([event("one"), event("two"), event("one", at=NOW + 1)], HOOK) == 2
    assert await outbox.announce([event("two"), event("three")], HOOK) == 1
    assert await outbox.announce([], HOOK) == 0
    assert sorted(texts(await outbox.newest())) == ["one.", "three.", "two."]


async def test_processes_that_see_the_same_announce_it_once(process: Process, other: Process) -> None:
    events = [event(f"subject {number}") for number in range(20)]
    counts = await asyncio.gather(
        *(process.store.outbox.announce(events, HOOK) for _ in range(3)),
        *(other.store.outbox.announce(events[::-1], HOOK) for _ in range(3)),
    )
    assert sum(counts) == 20
    assert len(await process.store.outbox.newest()) == 20


async def test_an_event_that_nobody_is_told_of_is_announced_too(process: Process) -> None:
    assert await process.store.outbox.announce([event()], ()) == 1
    assert await process.store.outbox.announce([event()], HOOK) == 0
    assert await process.store.outbox.newest() == []


async def test_each_channel_gets_a_delivery_of_its_own(process: Process) -> None:
    await process.store.outbox.announce([event(data={"user": "ä"}, body="Dear operator")], BOTH)
    webhook, mail = await process.store.outbox.take(NOW, 10)
    assert (mail.event_id, mail.payload) == (webhook.event_id, b"Dear operator")
    assert json.loads(webhook.payload) == {
        "type": "test", "timestamp": "2026-11-21T12:00:00Z", "text": "one.", "data": {"user": "ä"},
    }  # fmt: skip
    assert webhook == Delivery(
        f"{webhook.event_id}.webhook", webhook.event_id, "test", "webhook", webhook.payload, 0, NOW
    )


async def test_what_is_due_first_is_taken_first_and_what_is_not_due_stays(process: Process) -> None:
    outbox = process.store.outbox
    await outbox.announce(
        [event("late", at=NOW + 5), event("third", at=NOW), event("first", at=NOW - 9)], HOOK
    )
    await outbox.announce([event("second", at=NOW - 5)], HOOK)
    assert texts(await outbox.take(NOW, 2)) == ["first.", "second."]
    assert texts(await outbox.take(NOW, 2)) == ["third."]
    assert texts(await outbox.take(NOW + 5, 2)) == ["late."]


async def test_what_somebody_took_is_nobody_elses_for_a_minute(process: Process, other: Process) -> None:
    await process.store.outbox.announce([event()], HOOK)
    [taken] = await process.store.outbox.take(NOW, 10)
    assert await other.store.outbox.take(NOW + 59.9, 10) == []
    assert await other.store.outbox.take(NOW + 60, 10) == [taken]
    assert await process.store.outbox.take(NOW + 60, 10) == []


async def test_processes_that_take_at_once_share_and_miss_nothing(process: Process, other: Process) -> None:
    await process.store.outbox.announce([event(f"subject {number}") for number in range(50)], HOOK)
    outboxes = (process.store.outbox, other.store.outbox)
    shares = await asyncio.gather(*(outboxes[n % 2].take(NOW, 7) for n in range(10)))
    taken = [delivery.id for share in shares for delivery in share]
    taken += [delivery.id for delivery in await process.store.outbox.take(NOW, 50)]
    assert len(taken) == len(set(taken)) == 50


async def test_what_has_arrived_is_kept_without_its_text(process: Process) -> None:
    outbox = process.store.outbox
    await outbox.announce([event()], HOOK)
    [taken] = await outbox.take(NOW, 10)
    await outbox.done(taken.id, NOW + 1)
    [kept] = await outbox.newest()
    assert (kept.state, kept.tries, kept.payload, kept.why) == ("sent", 1, b"", None)
    assert await outbox.take(NOW + DAY_S, 10) == []


async def test_what_failed_is_due_again_when_it_was_said(process: Process) -> None:
    outbox = process.store.outbox
    await outbox.announce([event()], HOOK)
    [taken] = await outbox.take(NOW, 10)
    await outbox.retry(taken.id, NOW + 5, "refused: 100 %s")
    assert await outbox.take(NOW + 4.9, 10) == []
    [again] = await outbox.take(NOW + 5, 10)
    assert (again.id, again.tries, again.payload) == (taken.id, 1, taken.payload)
    [listed] = await outbox.newest()
    assert (listed.state, listed.why) == ("waiting", "refused: 100 %s")


async def test_what_was_given_up_is_tried_no_more(process: Process) -> None:
    outbox = process.store.outbox
    await outbox.announce([event()], HOOK)
    [taken] = await outbox.take(NOW, 10)
    await outbox.give_up(taken.id, NOW + 1, "gone")
    [kept] = await outbox.newest()
    assert (kept.state, kept.tries, kept.payload, kept.why) == ("given up", 1, b"", "gone")
    assert await outbox.take(NOW + DAY_S, 10) == []


async def test_the_newest_two_hundred_are_listed(process: Process) -> None:
    events = [event(f"subject {number:03}", at=NOW + number) for number in range(250)]
    await process.store.outbox.announce(events, HOOK)
    listed = texts(await process.store.outbox.newest())
    assert listed == [f"subject {number:03}." for number in range(249, 49, -1)]


async def test_what_is_older_than_a_month_is_forgotten_and_announced_again_after_a_year(
    home: Home, process: Process
) -> None:
    outbox = process.store.outbox
    await outbox.announce([event("old", at=NOW), event("new", at=NOW + DAY_S)], HOOK)
    await outbox.trim(NOW + 30 * DAY_S + 1)
    assert texts(await outbox.newest()) == ["new."]
    assert await outbox.announce([event("old")], HOOK) == 0
    await outbox.trim(NOW + 390 * DAY_S + 1)
    assert await outbox.announce([event("old")], HOOK) == 1
    assert await home.count("announced") == 2


async def test_a_delivery_by_hand_is_written_down_and_never_sent_again(process: Process) -> None:
    outbox = process.store.outbox
    by_hand = [Delivery(f"evt_{n}", f"evt_{n}", "test", "mail", b"{}", 0, NOW + n) for n in range(2)]
    await outbox.note(by_hand[0], NOW + 5)
    await outbox.note(by_hand[1], NOW + 6, "nobody listens")
    listed = [(each.id, each.state, each.tries, each.why) for each in await outbox.newest()]
    assert listed == [("evt_1", "given up", 1, "nobody listens"), ("evt_0", "sent", 1, None)]
    assert await outbox.take(NOW + DAY_S, 10) == []
