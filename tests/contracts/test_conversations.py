"""What every home of stored responses promises: above all that nobody else can tell what is there."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import psycopg
import pytest

from seawall.core.errors import Overloaded, TooLarge
from seawall.core.ledger import Held
from seawall.core.state import Owner, StoredItem, StoredResponse
from seawall.stores import stored
from seawall.stores.packing import PART_BYTES
from seawall.stores.postgres.conversations import PostgresConversations
from seawall.stores.sqlite.conversations import SqliteConversations
from seawall.stores.writer import Operation, Writer
from tests.fixtures.ledgers import Home, Process, SqliteHome, ask, full_disk
from tests.fixtures.mock_calls import LONGER, until

Kept = SqliteConversations | PostgresConversations

ME = Owner("key_1", "ada")
OTHERS = (
    Owner("key_2", "ada"),  # the same end user of another key
    Owner("key_1", "bob"),  # another end user of the same key
    Owner("key_1"),  # the key itself, where it names nobody
    Owner("key_1", "ADA"),
    Owner("key_1", "ada "),
    Owner("key_1\x00ada"),
    Owner("", "key_1ada"),
    Owner("%", "%"),
    Owner("key_1' OR '1'='1", "ada"),
)
NOW = 1_000.0
LATER = 2_000.0
WAITING = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'parts'::regclass"
ODD_IDS = ("' OR '1'='1", '"; DROP TABLE responses; --', "%", "_", "resp_*", "[]", '["resp_1"]', "null", "0")


def item(name: str, text: str = "") -> StoredItem:
    return StoredItem(name, f'{{"id":"{name}","text":"{text}"}}'.encode())


def response(name: str = "resp_1", owner: Owner = ME, **fields: Any) -> StoredResponse:
    """Make a response that expires at `LATER`, with one item before and one after it."""
    number = name.removeprefix("resp_")
    return StoredResponse(
        **{
            "id": name,
            "owner": owner,
            "created_at": NOW,
            "expires_at": LATER,
            "body": f'{{"id":"{name}"}}'.encode(),
            "input": (item(f"in_{number}"),),
            "output": (item(f"out_{number}"),),
            **fields,
        }
    )


@pytest.fixture
def kept(process: Process) -> Kept:
    return process.store.conversations


class Halting:
    """Hands the first operation on to a writer, and the others once they may go on."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._has_begun = False
        self.stands, self.may_go_on = asyncio.Event(), asyncio.Event()

    def submit(self, operation: Operation) -> Awaitable[Any]:
        if self._has_begun:
            return self._submit_later(operation)
        self._has_begun = True
        return self._writer.submit(operation)

    async def _submit_later(self, operation: Operation) -> Any:
        self.stands.set()
        await self.may_go_on.wait()
        return await self._writer.submit(operation)


Halfway = Callable[[StoredResponse], AbstractAsyncContextManager[asyncio.Task[None]]]


@pytest.fixture
def halfway(request: pytest.FixtureRequest, kept: Kept) -> Halfway:
    """Return what keeps a large response, and stands still in the middle of it while its block runs."""

    @asynccontextmanager
    async def by_its_commits(response: StoredResponse) -> AsyncIterator[asyncio.Task[None]]:
        assert isinstance(kept, SqliteConversations)
        halting = Halting(kept._writer)
        keeping = SqliteConversations(cast(Writer, halting), kept._reader)
        putting = asyncio.create_task(keeping.put(response))
        await asyncio.wait_for(halting.stands.wait(), LONGER)
        yield putting
        halting.may_go_on.set()

    @asynccontextmanager
    async def by_a_lock(response: StoredResponse) -> AsyncIterator[asyncio.Task[None]]:
        with psycopg.connect(request.getfixturevalue("database_url")) as holder:
            holder.execute("LOCK TABLE parts IN SHARE MODE")
            putting = asyncio.create_task(kept.put(response))
            await until(lambda: holder.execute(WAITING).fetchall() == [(True,)])
            yield putting

    return by_its_commits if isinstance(kept, SqliteConversations) else by_a_lock


@pytest.mark.parametrize("other", OTHERS)
async def test_nobody_else_can_tell_that_a_response_is_there(kept: Kept, other: Owner) -> None:
    await kept.put(response())
    assert await kept.get("resp_1", other, NOW) is None
    assert await kept.history("resp_1", other, NOW) is None
    assert await kept.items(("in_1", "out_1"), other, NOW) == {}
    assert not await kept.delete("resp_1", other, NOW)
    assert await kept.get("resp_1", ME, NOW) == response()


async def test_who_names_an_end_user_does_not_see_what_was_stored_without_one(
    kept: Kept,
) -> None:
    await kept.put(response(owner=Owner("key_1")))
    assert await kept.get("resp_1", ME, NOW) is None
    assert await kept.history("resp_1", ME, NOW) is None
    assert await kept.items(("in_1",), ME, NOW) == {}


@pytest.mark.parametrize("other", OTHERS)
async def test_two_owners_may_use_the_same_ids_and_never_meet(kept: Kept, other: Owner) -> None:
    mine = response(input=(item("msg_1", "mine"),), output=(item("msg_2", "mine"),))
    theirs = response(owner=other, input=(item("msg_1", "theirs"),), output=(item("msg_2", "theirs"),))
    await kept.put(mine)
    await kept.put(theirs)
    assert await kept.get("resp_1", ME, NOW) == mine
    assert await kept.get("resp_1", other, NOW) == theirs
    assert await kept.items(("msg_1", "msg_2"), ME, NOW) == {
        "msg_1": item("msg_1", "mine"),
        "msg_2": item("msg_2", "mine"),
    }
    assert await kept.delete("resp_1", other, NOW)
    assert await kept.get("resp_1", ME, NOW) == mine
    assert await kept.history("resp_1", other, NOW) is None


async def test_a_chain_does_not_go_on_into_what_another_owns(kept: Kept) -> None:
    await kept.put(response("resp_1", OTHERS[0]))
    await kept.put(response("resp_2", ME, previous_id="resp_1"))
    assert await kept.history("resp_2", ME, NOW) is None
    await kept.put(response("resp_1", ME))
    assert await kept.history("resp_2", ME, NOW) == (
        item("in_1"), item("out_1"), item("in_2"), item("out_2"),
    )  # fmt: skip


@pytest.mark.parametrize("odd", ODD_IDS)
async def test_an_id_is_nothing_but_an_id(kept: Kept, odd: str) -> None:
    await kept.put(response("resp_1"))
    assert await kept.get(odd, ME, NOW) is None
    assert await kept.history(odd, ME, NOW) is None
    assert await kept.items((odd,), ME, NOW) == {}
    assert not await kept.delete(odd, ME, NOW)
    own = response(odd, input=(item(odd),), output=())
    await kept.put(own)
    assert await kept.get(odd, ME, NOW) == own
    assert await kept.items((odd, "in_1"), ME, NOW) == {odd: item(odd), "in_1": item("in_1")}
    assert await kept.delete(odd, ME, NOW)
    assert await kept.get("resp_1", ME, NOW) == response("resp_1")


@pytest.mark.parametrize("odd", ["", "x" * 257, "x" * 1_000_000, "resp\x001", "resp_1\n", "resp_é"])
async def test_what_can_be_no_id_is_not_there(kept: Kept, odd: str) -> None:
    await kept.put(response(input=(item("x" * 256), StoredItem(odd, b"{}"))))
    assert await kept.get(odd, ME, NOW) is None
    assert await kept.history(odd, ME, NOW) is None
    assert not await kept.delete(odd, ME, NOW)
    assert await kept.items((odd, "x" * 256), ME, NOW) == {"x" * 256: item("x" * 256)}


async def test_text_that_is_no_text_is_not_there(kept: Kept) -> None:
    assert await kept.get("\ud800", ME, NOW) is None
    assert await kept.items(("\ud800",), ME, NOW) == {}


async def test_a_very_long_end_user_is_an_end_user(kept: Kept, home: Home) -> None:
    owner = Owner("key_1", "ä" * 100_000)
    await kept.put(response(owner=owner))
    assert await kept.get("resp_1", owner, NOW) == response(owner=owner)
    assert await kept.get("resp_1", Owner("key_1", "ä" * 99_999), NOW) is None


async def test_what_has_expired_is_not_there(kept: Kept) -> None:
    await kept.put(response())
    await kept.put(response("resp_2", previous_id="resp_1", expires_at=LATER + 100))
    assert await kept.get("resp_1", ME, LATER - 0.001) == response()
    assert await kept.get("resp_1", ME, LATER) is None
    assert await kept.items(("out_1", "out_2"), ME, LATER) == {"out_2": item("out_2")}
    assert await kept.history("resp_1", ME, LATER) is None
    assert await kept.history("resp_2", ME, LATER) is None
    assert not await kept.delete("resp_1", ME, LATER)


async def test_what_was_deleted_is_gone_with_its_items(kept: Kept, home: Home) -> None:
    await kept.put(response("resp_1", frames=b"data: {}\n\n"))
    await kept.put(response("resp_2", previous_id="resp_1"))
    assert await kept.delete("resp_1", ME, NOW)
    assert not await kept.delete("resp_1", ME, NOW)
    assert await kept.get("resp_1", ME, NOW) is None
    assert await kept.items(("in_1", "out_1", "out_2"), ME, NOW) == {"out_2": item("out_2")}
    assert await kept.history("resp_2", ME, NOW) is None
    assert [await home.count(table) for table in ("responses", "parts", "items")] == [1, 1, 2]


async def test_a_response_comes_back_as_it_was_put(kept: Kept) -> None:
    whole = response(
        previous_id="resp_0", frames=b"event: x\ndata: {}\n\n", input=(), output=(item("a"), item("b"))
    )
    await kept.put(whole)
    assert await kept.get("resp_1", ME, NOW) == whole
    bare = response("resp_2", body=b"", input=(), output=())
    await kept.put(bare)
    assert await kept.get("resp_2", ME, NOW) == bare


async def test_a_response_that_is_put_again_replaces_the_first(kept: Kept, home: Home) -> None:
    await kept.put(response())
    again = response(body=b'{"again":true}', output=(item("out_9"),))
    await kept.put(again)
    assert await kept.get("resp_1", ME, NOW) == again
    assert await kept.items(("out_1", "out_9"), ME, NOW) == {"out_9": item("out_9")}
    assert await home.count("responses") == 1


async def test_the_newest_of_several_items_with_one_id_is_found(kept: Kept) -> None:
    await kept.put(response("resp_1", output=(item("msg", "old"),)))
    await kept.put(response("resp_2", output=(item("msg", "new"),)))
    assert await kept.items(("msg",), ME, NOW) == {"msg": item("msg", "new")}
    assert await kept.delete("resp_2", ME, NOW)
    assert await kept.items(("msg",), ME, NOW) == {"msg": item("msg", "old")}


async def test_history_runs_from_the_oldest_to_the_named_response(kept: Kept) -> None:
    previous: str | None = None
    for number in range(5):
        await kept.put(response(f"resp_{number}", previous_id=previous))
        previous = f"resp_{number}"
    await kept.put(response("resp_9", previous_id="resp_1"))  # A fork.
    names = [found.id for found in await kept.history("resp_3", ME, NOW) or ()]
    assert names == ["in_0", "out_0", "in_1", "out_1", "in_2", "out_2", "in_3", "out_3"]
    forked = [found.id for found in await kept.history("resp_9", ME, NOW) or ()]
    assert forked == ["in_0", "out_0", "in_1", "out_1", "in_9", "out_9"]


async def test_a_conversation_has_a_longest_length(kept: Kept) -> None:
    previous: str | None = None
    for number in range(1_001):
        await kept.put(response(f"resp_{number}", previous_id=previous, input=(), output=()))
        previous = f"resp_{number}"
    assert await kept.history("resp_999", ME, NOW) == ()
    with pytest.raises(TooLarge) as refused:
        await kept.history("resp_1000", ME, NOW)
    assert refused.value.param == "previous_response_id"


async def test_a_chain_that_bites_its_tail_ends(kept: Kept) -> None:
    await kept.put(response("resp_1", previous_id="resp_2"))
    await kept.put(response("resp_2", previous_id="resp_1"))
    with pytest.raises(TooLarge):
        await kept.history("resp_1", ME, NOW)


async def test_no_more_than_fits_is_put_together_however_well_it_packs(kept: Kept) -> None:
    size = stored.HISTORY_BYTES_MAX // 4 + 1
    previous: str | None = None
    for number in range(4):
        big = StoredItem(f"in_{number}", b" " * size)
        await kept.put(response(f"resp_{number}", previous_id=previous, input=(big,)))
        previous = f"resp_{number}"
    assert len(await kept.history("resp_2", ME, NOW) or ()) == 6
    with pytest.raises(TooLarge):
        await kept.history("resp_3", ME, NOW)
    assert len(await kept.items(("in_0", "out_1", "out_2"), ME, NOW)) == 3
    with pytest.raises(TooLarge):
        await kept.items(("in_0", "out_1", "out_2", "out_3"), ME, NOW)


@pytest.mark.parametrize("size", [4_096, 4_097, PART_BYTES - 1, PART_BYTES, 3 * PART_BYTES + 1])
async def test_anything_from_small_to_large_comes_back(kept: Kept, size: int) -> None:
    noise = os.urandom(size)
    large = response(body=noise, frames=noise[::-1], input=(StoredItem("in", noise),))
    await kept.put(large)
    assert await kept.get("resp_1", ME, NOW) == large
    assert await kept.history("resp_1", ME, NOW) == (*large.input, *large.output)


async def test_a_large_response_is_seen_whole_or_not_at_all(
    kept: Kept, process: Process, home: Home, halfway: Halfway
) -> None:
    large = response(body=os.urandom(20 * PART_BYTES))
    async with halfway(large) as putting:
        for number in range(3):  # The ledger has its turn between the commits.
            assert isinstance(await process.store.ledger.hold(ask(f"call_{number}", 0)), Held)
        assert await kept.get("resp_1", ME, NOW) is None
        assert not putting.done()
    seen: list[StoredResponse | None] = []
    while not putting.done():
        seen.append(await kept.get("resp_1", ME, NOW))
    await putting
    assert set(map(type, seen)) <= {type(None), StoredResponse}
    assert {found for found in seen if found} <= {large}
    assert await kept.get("resp_1", ME, NOW) == large
    assert await home.count("parts") == 21


@pytest.mark.files
async def test_a_response_that_is_deleted_while_it_is_written_does_not_come_back(
    kept: Kept, home: Home, halfway: Halfway
) -> None:
    async with halfway(response(body=os.urandom(20 * PART_BYTES))) as putting:
        assert await home.count("responses") == 1
        await kept.forget("key_1", None)
    with pytest.raises(Overloaded):
        await putting
    assert [await home.count(table) for table in ("owners", "responses", "parts", "items")] == [0] * 4


@pytest.mark.files
async def test_a_response_whose_writer_leaves_is_never_seen_and_goes_after_an_hour(
    kept: Kept, home: Home, halfway: Halfway
) -> None:
    async with halfway(response(body=os.urandom(20 * PART_BYTES), expires_at=NOW + 9**9)) as putting:
        assert await home.count("responses") == 1
        putting.cancel()
        await asyncio.wait([putting])
    assert await kept.get("resp_1", ME, NOW) is None
    assert await kept.items(("in_1",), ME, NOW) == {}
    assert await kept.trim(NOW + 3_599, at_most=10) == 0
    assert await kept.trim(NOW + 3_601, at_most=10) == 1
    assert await home.count("parts") == 0


async def test_what_was_put_is_there_for_every_process_after_a_crash(home: Home, process: Process) -> None:
    await process.store.conversations.put(response())
    process.crash()
    other = home.open()
    assert await other.store.conversations.get("resp_1", ME, NOW) == response()
    other.store.close()


@pytest.mark.files
async def test_a_full_disk_is_an_error_and_keeps_nothing_half(kept: Kept, home: SqliteHome) -> None:
    await kept.put(response())
    with full_disk(home.database), pytest.raises(Overloaded):
        await kept.put(response("resp_2", body=os.urandom(2 * PART_BYTES)))
    assert await kept.get("resp_2", ME, NOW) is None
    assert await kept.get("resp_1", ME, NOW) == response()


async def test_trimming_deletes_what_has_expired_in_batches(kept: Kept, home: Home) -> None:
    for number in range(5):
        await kept.put(response(f"resp_{number}", expires_at=NOW + number))
    await kept.put(response("resp_9", OTHERS[0], expires_at=NOW))
    assert [await kept.trim(NOW + 3, at_most=2) for _ in range(4)] == [2, 2, 1, 0]
    assert await kept.get("resp_4", ME, NOW) == response("resp_4", expires_at=NOW + 4)
    assert [await home.count(table) for table in ("owners", "responses", "parts", "items")] == [
        1,
        1,
        1,
        2,
    ]


@pytest.mark.parametrize(
    ("key_id", "end_user", "gone"),
    [
        ("key_1", None, {0, 1, 2}),
        (None, "ada", {0, 3}),
        ("key_1", "ada", {0}),
        ("key_1", "", {2}),
        ("key_3", None, set()),
        (None, "%", set()),
    ],
)
async def test_forgetting_takes_what_is_named_and_nothing_else(
    kept: Kept, key_id: str | None, end_user: str | None, gone: set[int]
) -> None:
    owners = (ME, Owner("key_1", "bob"), Owner("key_1"), Owner("key_2", "ada"), Owner("key_2"))
    for owner in owners:
        await kept.put(response(owner=owner))
    assert await kept.forget(key_id, end_user) == len(gone)
    left = {n for n, owner in enumerate(owners) if await kept.get("resp_1", owner, NOW) is not None}
    assert left == set(range(5)) - gone


async def test_forgetting_goes_on_until_nothing_is_left(kept: Kept, home: Home) -> None:
    for number in range(120):
        await kept.put(response(f"resp_{number}"))
    assert await kept.forget(None, "ada") == 120
    assert [await home.count(table) for table in ("owners", "responses", "parts", "items")] == [0] * 4


async def test_numbers_are_never_given_twice(kept: Kept, home: Home) -> None:
    await kept.put(response())
    await kept.forget("key_1", None)
    await kept.put(response(owner=OTHERS[0]))
    assert await home.ask("SELECT number, owner FROM responses") == [(2, 2)]


async def test_what_may_not_be_forgotten_at_once_is_everything(kept: Kept) -> None:
    with pytest.raises(AssertionError):
        await kept.forget(None, None)
