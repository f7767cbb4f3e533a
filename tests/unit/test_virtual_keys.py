"""Who a caller is: what is remembered of a key, and when it is read again."""

import asyncio

import pytest

from seawall.core.contracts import KeyRecord
from seawall.core.errors import Unauthenticated
from seawall.core.money import Money
from seawall.core.policy import Budget
from seawall.core.terms import HouseTerms
from seawall.identity.keys import VirtualKeys, new_secret
from seawall.identity.policies import Policies
from seawall.identity.records import revoke

KEY, KEY_HASH = new_secret()
RECORD = KeyRecord(id="key_1", name="app", hash=KEY_HASH, created_at=0.0)


class Directory:
    """Knows one key; answers with what it was when asked, once the door is open."""

    def __init__(self) -> None:
        self.record = RECORD
        self.reads = 0
        self.door = asyncio.Event()
        self.door.set()

    async def find_by_hash(self, key_hash: bytes) -> KeyRecord | None:
        found = self.record if key_hash in (self.record.hash, self.record.previous_hash) else None
        self.reads += 1
        await self.door.wait()
        return found


def keys_of(directory: Directory) -> VirtualKeys:
    return VirtualKeys(directory, Policies(HouseTerms(Budget(daily=Money(1)))), lambda: 100.0)  # type: ignore[arg-type] # one method is enough


async def test_a_known_key_is_read_once() -> None:
    directory = Directory()
    keys = keys_of(directory)
    first, second = [await keys.find(KEY) for _ in range(2)]
    assert directory.reads == 1
    assert first is second


async def test_a_strangers_key_is_never_remembered() -> None:
    directory = Directory()
    keys = keys_of(directory)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await keys.find("sw-" + "x" * 43)
    assert directory.reads == 3


async def test_a_key_that_is_revoked_while_it_is_read_is_not_remembered() -> None:
    """The old record is on its way when the revocation comes; the next call must not be let in by it."""
    directory = Directory()
    keys = keys_of(directory)
    directory.door.clear()
    overtaken = asyncio.create_task(keys.find(KEY))
    await asyncio.sleep(0)
    directory.record = revoke(RECORD, 100.0)
    keys.forget()
    directory.door.set()
    await overtaken
    with pytest.raises(Unauthenticated):
        await keys.find(KEY)
