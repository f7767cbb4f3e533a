"""Stored responses against a model of them in plain Python: three owners, the same few ids, in any order."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from seawall.core.state import Owner, StoredItem, StoredResponse
from seawall.stores.postgres.conversations import PostgresConversations
from seawall.stores.sqlite.conversations import SqliteConversations
from tests.fixtures.ledgers import Home, PostgresHome, SqliteHome

T = TypeVar("T")

OWNERS = (Owner("key_1", "ada"), Owner("key_1"), Owner("key_2", "ada"))
RESPONSES = ("resp_1", "resp_2", "resp_3", "resp_4")
ITEMS = ("msg_1", "msg_2", "msg_3", "msg_4")
owners, responses = st.sampled_from(OWNERS), st.sampled_from(RESPONSES)
sizes = st.sampled_from([0, 10, 5_000, 300_000])


class ConversationsMachine(RuleBasedStateMachine):
    """Every rule does the same to the store and to the model; after each step every owner sees its own."""

    def __init__(self, home: Home) -> None:
        super().__init__()
        self.home = home
        self.model: dict[tuple[Owner, str], StoredResponse] = {}
        self.now, self.made = 1_000.0, 0
        self.loop: asyncio.AbstractEventLoop | None = None

    def run(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        assert self.loop is not None
        return self.loop.run_until_complete(asyncio.wait_for(wait(), 20))

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.home = self.home.fresh()
        self.store = self.home.open().store

    @property
    def kept(self) -> SqliteConversations | PostgresConversations:
        return self.store.conversations

    def item(self, name: str, size: int) -> StoredItem:
        self.made += 1
        return StoredItem(name, b"%d" % self.made + b" " * size)

    @rule(
        owner=owners,
        name=responses,
        previous_id=st.none() | responses,
        ids=st.lists(st.sampled_from(ITEMS), unique=True),
        inputs=st.integers(0, 3),
        keep_s=st.integers(1, 4),
        size=sizes,
    )
    def put(
        self,
        owner: Owner,
        name: str,
        previous_id: str | None,
        ids: list[str],
        inputs: int,
        keep_s: int,
        size: int,
    ) -> None:
        items = tuple(self.item(item_id, size) for item_id in ids)
        one = StoredResponse(
            id=name,
            owner=owner,
            created_at=self.now,
            expires_at=self.now + keep_s,
            body=b"{}",
            previous_id=previous_id,
            input=items[:inputs],
            output=items[inputs:],
            frames=b"x" * size,
        )
        self.run(self.kept.put(one))
        self.model.pop((owner, name), None)  # The newest comes last.
        self.model[owner, name] = one

    @rule(owner=owners, name=responses)
    def delete(self, owner: Owner, name: str) -> None:
        found = self.there(owner, name)
        assert self.run(self.kept.delete(name, owner, self.now)) == (found is not None)
        if found is not None:
            del self.model[owner, name]

    @rule(key_id=st.sampled_from([None, "key_1", "key_2"]), end_user=st.sampled_from([None, "", "ada"]))
    def forget(self, key_id: str | None, end_user: str | None) -> None:
        if key_id is None and end_user is None:
            return
        gone = [
            (owner, name)
            for owner, name in self.model
            if key_id in (None, owner.key_id) and end_user in (None, owner.end_user)
        ]
        assert self.run(self.kept.forget(key_id, end_user)) == len(gone)
        for key in gone:
            del self.model[key]

    @rule(at_most=st.integers(1, 3))
    def trim(self, at_most: int) -> None:
        """Delete a batch; which of several that expired is open, and none of them is seen any more."""
        expired = [key for key, one in self.model.items() if one.expires_at <= self.now]
        total = 0
        while count := self.run(self.kept.trim(self.now, at_most=at_most)):
            assert count <= at_most
            total += count
        assert total == len(expired)
        for key in expired:
            del self.model[key]

    @precondition(lambda self: self.model)
    @rule(seconds=st.integers(1, 2))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def start_again(self) -> None:
        assert self.store.close()
        self.store = self.home.open().store

    def there(self, owner: Owner, name: str) -> StoredResponse | None:
        one = self.model.get((owner, name))
        return one if one is not None and one.expires_at > self.now else None

    def history(self, owner: Owner, name: str) -> tuple[StoredItem, ...] | None:
        items: tuple[StoredItem, ...] = ()
        wanted: str | None = name
        while wanted is not None:
            one = self.there(owner, wanted)
            if one is None:
                return None
            items = (*one.input, *one.output, *items)
            wanted = one.previous_id
        return items

    def is_circle(self, owner: Owner, name: str) -> bool:
        seen: set[str] = set()
        wanted: str | None = name
        while wanted is not None and wanted not in seen:
            seen.add(wanted)
            one = self.there(owner, wanted)
            wanted = one.previous_id if one else None
        return wanted is not None

    @invariant()
    def every_owner_sees_its_own(self) -> None:
        if self.loop is None:
            return
        for owner in OWNERS:
            for name in RESPONSES:
                assert self.run(self.kept.get(name, owner, self.now)) == self.there(owner, name)
                if not self.is_circle(owner, name):
                    assert self.run(self.kept.history(name, owner, self.now)) == self.history(owner, name)
            newest = {
                item.id: item
                for (whose, _), one in self.model.items()
                if whose == owner and one.expires_at > self.now
                for item in (*one.input, *one.output)
            }
            assert self.run(self.kept.items(ITEMS, owner, self.now)) == newest

    def teardown(self) -> None:
        if self.loop is None:
            return
        self.store.close()
        self.loop.close()


EXAMPLES = {SqliteHome: 20, PostgresHome: 6}


@pytest.mark.timeout(300)
def test_stored_responses_are_what_the_model_says(home: Home) -> None:
    examples = EXAMPLES[type(home)]
    run_state_machine_as_test(
        lambda: ConversationsMachine(home),
        settings=settings(derandomize=True, deadline=None, max_examples=examples, stateful_step_count=25),
    )
