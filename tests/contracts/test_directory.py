"""What every home of keys and users promises: what is written comes back, nothing is lost between processes."""

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from seawall.core.contracts import KeyRecord, UserRecord
from seawall.core.errors import Conflict
from seawall.core.events import Channel, Event
from seawall.core.ledger import Account, Held
from seawall.core.money import Money
from seawall.core.policy import Budget, Quota, StatedLimit
from seawall.core.state import Owner, StoredResponse
from tests.fixtures.ledgers import AT_MS, LIFE, Home, Process, Sums, ask, call_of, row_of, settlement

BOTH: tuple[Channel, ...] = ("webhook", "mail")


def key(key_id: str = "key_1", **fields: Any) -> KeyRecord:
    return KeyRecord(**{"id": key_id, "name": "app", "hash": key_id.encode(), "created_at": 1.0, **fields})


def user(name: str = "ada", **fields: Any) -> UserRecord:
    return UserRecord(**{"id": name, "created_at": 1.0, **fields})


def tier_changed(name: str = "ada", subject: str = "1") -> Event:
    return Event("user.tier_changed", f"tier user:{name} {subject}", "A tier.", {"user": name}, 5.0)


@pytest.fixture
def other(home: Home, process: Process) -> Iterator[Process]:
    """Open the same home as another process."""
    opened = home.open()
    yield opened
    opened.store.close()


FULL_KEY = key(
    name="Ada's app, 100 % 'quoted' ? :name",
    hash=bytes(range(32)),
    created_at=1_795_262_400.123456,
    models=("gpt", "claude"),
    budget=Budget(Money(1), Money(2**53 + 1), Money(9 * 10**18)),
    expires_at=2.5,
    revoked_at=3.5,
    last_used_at=4.5,
    previous_hash=b"\x00" * 32,
    previous_until=5.5,
    kind="publishable",
    owner="acme",
    tier="gold",
    limits=(StatedLimit("requests", 5, 10), StatedLimit("tokens", 10**12, 60)),
    trial=Quota(tokens_daily=10, requests_monthly=3),
    origins=("https://app.example",),
    guard="strict",
)
FULL_USER = user(
    created_at=1_795_262_400.123456,
    tier="gold",
    blocked_at=2.5,
    note="says 'é' and\nmore",
    limits=(),
    quota=Quota(tokens_monthly=5),
    budget=Budget(daily=Money(7)),
)


@pytest.mark.parametrize("record", [key(), FULL_KEY], ids=["bare", "full"])
async def test_a_key_comes_back_as_it_was_put(process: Process, other: Process, record: KeyRecord) -> None:
    await process.store.directory.put(record)
    assert await other.store.directory.get("key_1") == record
    assert await other.store.directory.find_by_hash(record.hash) == record
    assert await other.store.directory.keys() == [record]


@pytest.mark.parametrize("record", [user(), FULL_USER], ids=["bare", "full"])
async def test_a_user_comes_back_as_it_was_put(process: Process, other: Process, record: UserRecord) -> None:
    assert await process.store.directory.change_user("ada", lambda before: record) == record
    assert await other.store.directory.find_user("ada") == record
    assert await other.store.directory.users() == [record]


async def test_what_is_not_there_is_none(process: Process) -> None:
    directory = process.store.directory
    assert await directory.get("key_1") is None
    assert await directory.find_by_hash(b"nothing") is None
    assert await directory.find_user("ada") is None
    assert await directory.change("key_1", lambda record: record) is None


async def test_a_key_in_rotation_is_found_by_both_hashes(process: Process) -> None:
    record = key(hash=b"new", previous_hash=b"old", previous_until=9.0)
    await process.store.directory.put(record)
    assert await process.store.directory.find_by_hash(b"old") == record


async def test_keys_are_listed_by_age_and_users_by_id(process: Process) -> None:
    directory = process.store.directory
    for name, created_at in (("key_b", 2.0), ("key_c", 1.0), ("key_a", 2.0)):
        await directory.put(key(name, created_at=created_at))
    for name in ("ä", "a", "Z", "a b", "_"):
        await directory.change_user(name, lambda before, name=name: user(name))
    assert [record.id for record in await directory.keys()] == ["key_c", "key_a", "key_b"]
    assert [record.id for record in await directory.users()] == ["Z", "_", "a", "a b", "ä"]


async def test_a_change_that_fails_changes_nothing(process: Process) -> None:
    directory = process.store.directory

    def refuse(record: KeyRecord | UserRecord | None) -> Any:
        raise Conflict("no")

    await directory.put(key())
    await directory.change_user("ada", lambda before: user())
    with pytest.raises(Conflict):
        await directory.change("key_1", refuse)
    with pytest.raises(Conflict):
        await directory.change_user("ada", refuse, tier_changed(), BOTH)
    assert await directory.get("key_1") == key()
    assert await directory.find_user("ada") == user()
    assert await process.store.outbox.newest() == []


async def test_no_change_of_a_key_is_lost_between_processes(process: Process, other: Process) -> None:
    await process.store.directory.put(key(origins=()))

    def add(name: str) -> Any:
        return lambda record: msgspec.structs.replace(record, origins=(*record.origins, name))

    directories = (process.store.directory, other.store.directory)
    await asyncio.gather(*(directories[n % 2].change("key_1", add(f"app {n}")) for n in range(20)))
    record = await process.store.directory.get("key_1")
    assert record is not None
    assert sorted(record.origins) == sorted(f"app {n}" for n in range(20))


async def test_no_change_of_a_new_user_is_lost_between_processes(process: Process, other: Process) -> None:
    def add(number: int) -> Any:
        return lambda before: user(note=f"{before.note if before else ''}{number} ")

    directories = (process.store.directory, other.store.directory)
    await asyncio.gather(*(directories[n % 2].change_user("ada", add(n)) for n in range(10)))
    record = await process.store.directory.find_user("ada")
    assert record is not None and record.note is not None
    assert sorted(record.note.split()) == [str(n) for n in range(10)]


async def test_when_a_key_was_last_used_only_moves_on(process: Process, other: Process) -> None:
    for name in ("key_1", "key_2", "key_3"):
        await process.store.directory.put(key(name))
    await process.store.directory.touch({"key_1": 5.0, "key_2": 5.0, "no such key": 5.0})
    await other.store.directory.touch({"key_1": 4.0, "key_2": 6.0})
    used = {record.id: record.last_used_at for record in await other.store.directory.keys()}
    assert used == {"key_1": 5.0, "key_2": 6.0, "key_3": None}


async def test_gateways_that_note_the_same_keys_at_once_never_fail(process: Process, other: Process) -> None:
    names = [f"key_{number}" for number in range(20)]
    for name in names:
        await process.store.directory.put(key(name))
    forwards, backwards = dict.fromkeys(names, 1.0), dict.fromkeys(names[::-1], 2.0)

    async def touch() -> None:
        await asyncio.gather(process.store.directory.touch(forwards), other.store.directory.touch(backwards))

    for _ in range(10):
        await touch()
    assert {record.last_used_at for record in await process.store.directory.keys()} == {2.0}


async def test_every_process_notices_a_change(process: Process, other: Process) -> None:
    directory, seen = process.store.directory, await other.store.directory.version()

    async def is_noticed() -> bool:
        nonlocal seen
        before, seen = seen, await other.store.directory.version()
        return seen != before

    assert not await is_noticed()
    await directory.put(key())
    assert await is_noticed()
    await directory.change("key_1", lambda record: msgspec.structs.replace(record, revoked_at=2.0))
    assert await is_noticed()
    await directory.change_user("ada", lambda before: user(blocked_at=3.0))
    assert await is_noticed()
    await process.store.ledger.reset([Account("user:ada", "tokens:2026-11-21")])
    assert await is_noticed()
    await directory.erase_user("ada", "gone")
    assert await is_noticed()
    assert not await is_noticed()


async def test_calls_of_others_and_the_use_of_keys_are_no_change(process: Process, other: Process) -> None:
    """Whoever notices a change forgets every caller: many gateways would forget them with every call."""
    await process.store.directory.put(key())
    seen = await other.store.directory.version()
    await process.store.ledger.hold(ask("call_1", 500))
    await process.store.ledger.settle(settlement("call_1", 120))
    await process.store.ledger.check()
    await process.store.directory.touch({"key_1": 5.0})
    assert await other.store.directory.version() == seen


async def test_another_tier_is_announced_with_the_change_and_once(process: Process) -> None:
    directory, outbox = process.store.directory, process.store.outbox
    await directory.change_user("ada", lambda before: user(tier="gold"), tier_changed(), BOTH)
    await directory.change_user(
        "ada", lambda before: user(tier="gold", note="x"), tier_changed(subject="2"), BOTH
    )
    assert sorted(delivery.channel for delivery in await outbox.newest()) == ["mail", "webhook"]
    await directory.change_user("ada", lambda before: user(tier=None), tier_changed(subject="3"), BOTH)
    assert len(await outbox.newest()) == 4


async def test_the_salt_is_random_and_the_same_for_every_process(process: Process, other: Process) -> None:
    salt = await process.store.directory.salt()
    assert len(salt) == 32 and len(set(salt)) > 8
    assert await other.store.directory.salt() == salt


async def live_through(process: Process, name: str, *, calls: int = 2) -> None:
    """Let a user be decided about, call, be refused, store an answer and be announced."""
    store, scope = process.store, f"user:{name}"
    await store.directory.change_user(name, lambda before: user(name, tier="gold"), tier_changed(name), BOTH)
    for number in range(calls):
        hold_id = f"call_{name.encode().hex()}_{number}"
        await store.ledger.hold(ask(hold_id, 50, (*LIFE, 10_000), (scope, "life", 10_000)))
        await store.ledger.settle(settlement(hold_id, 20, earlier=row_of(call_of(hold_id), end_user=name)))
    refused = row_of(f"call_{name.encode().hex()}_refused", end_user=name, outcome="refused")
    store.call_log.write(refused)
    assert await store.call_log.find(refused.id) == refused
    response = StoredResponse(
        id="resp_1", owner=Owner("key_1", name), created_at=1.0, expires_at=9.0, body=b"{}"
    )
    await store.conversations.put(response)


@pytest.mark.parametrize("name", ["ada", "%", "a_a", "' OR '1'='1", "ä" * 256, 'a"b\\'])
async def test_an_erased_user_is_named_nowhere_and_the_sums_stay(
    home: Home, process: Process, name: str
) -> None:
    await live_through(process, name)
    await live_through(process, "bob")
    before = await home.books()
    assert await process.store.directory.erase_user(name, "gone") == 3
    books = await home.books()
    assert await process.store.directory.find_user(name) is None
    assert await process.store.conversations.get("resp_1", Owner("key_1", name), 2.0) is None
    assert books.account("user:gone", "life") == Sums(spent=40)
    assert {scope for scope, _ in books.accounts} == {"global", "user:gone", "user:bob"}
    assert (books.hours, books.account(*LIFE)) == (before.hours, before.account(*LIFE))
    rows = await process.store.call_log.newest(key_id=None, before=None, limit=99)
    assert sorted(str(row.end_user) for row in rows) == ["bob"] * 3 + ["gone"] * 3
    [sums] = [
        s
        for s in await process.store.call_log.usage(by="user", since_ms=0, until_ms=AT_MS + 1)
        if s["name"] == "gone"
    ]
    assert (sums["cost"], sums["output_tokens"]) == (40, 40)
    assert {delivery.payload.count(b'"bob"') for delivery in await process.store.outbox.newest()} == {1}
    assert await home.count("announced") == 1


async def test_what_another_has_stays_when_a_user_is_erased(process: Process) -> None:
    await live_through(process, "bob")
    await live_through(process, "ada")
    await process.store.directory.erase_user("ada", "gone")
    assert await process.store.directory.find_user("bob") == user("bob", tier="gold")
    assert await process.store.conversations.get("resp_1", Owner("key_1", "bob"), 2.0) is not None
    assert len(await process.store.outbox.newest()) == 2


async def test_a_user_with_a_call_that_runs_is_not_erased_and_keeps_everything(
    home: Home, process: Process, other: Process
) -> None:
    await live_through(process, "ada")
    await other.store.ledger.hold(ask("call_runs", 50, (*LIFE, 10_000), ("user:ada", "life", 10_000)))
    with pytest.raises(Conflict):
        await process.store.directory.erase_user("ada", "gone")
    assert await process.store.directory.find_user("ada") is not None
    assert await process.store.conversations.get("resp_1", Owner("key_1", "ada"), 2.0) is not None
    await other.store.ledger.settle(settlement("call_runs", 50))
    await process.store.directory.erase_user("ada", "gone")
    assert (await home.books()).account("user:gone", "life") == Sums(spent=90)


async def test_who_is_nowhere_is_erased_without_trouble(process: Process) -> None:
    assert await process.store.directory.erase_user("nobody", "gone") == 0


async def test_users_are_erased_while_others_call(home: Home, process: Process, other: Process) -> None:
    for number in range(5):
        await live_through(process, f"user_{number}", calls=1)

    async def call(gateway: Process, name: str) -> None:
        for number in range(20):
            hold_id = f"{name}_{number}"
            answer = await gateway.store.ledger.hold(
                ask(hold_id, 5, (*LIFE, 10**6), (f"user:{name}", "life", 10**6))
            )
            assert isinstance(answer, Held)
            await gateway.store.ledger.settle(settlement(hold_id, 5))

    async def erase(number: int) -> int:
        return await process.store.directory.erase_user(f"user_{number}", f"gone_{number}")

    done = await asyncio.gather(
        call(process, "eve"), call(other, "dan"), *(erase(number) for number in range(5))
    )
    books = await home.books()
    assert done[2:] == [2] * 5
    assert books.account(*LIFE) == Sums(spent=5 * 20 + 2 * 20 * 5)
    assert {scope for scope, _ in books.accounts} == {"global", "user:eve", "user:dan"} | {
        f"user:gone_{n}" for n in range(5)
    }
