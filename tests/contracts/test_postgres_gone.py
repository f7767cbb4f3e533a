"""A database that is gone is said by every store in the same way, and is used again once it is back."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import pytest

from seawall.core.contracts import KeyRecord, UserRecord
from seawall.core.errors import Overloaded
from seawall.core.events import Event
from seawall.core.state import Owner, StoredResponse
from seawall.stores.postgres.connection import migrate
from seawall.stores.postgres.inspection import inspect
from seawall.stores.postgres.store import PostgresStore
from tests.fixtures.ledgers import ask
from tests.fixtures.mock_calls import LONGER
from tests.fixtures.servers import PostgresServer

ME = Owner("key_1", "ada")
RESPONSE = StoredResponse(id="resp_1", owner=ME, created_at=1.0, expires_at=9.0, body=b"{}")
KEY = KeyRecord(id="key_1", name="app", hash=b"hash", created_at=1.0)
USER = UserRecord(id="ada", created_at=1.0)
EVENT = Event("test", "one", "One.", {}, 1.0)

ASKED: dict[str, Callable[[PostgresStore], Awaitable[object]]] = {
    "ledger.check": lambda store: store.ledger.check(),
    "ledger.standings": lambda store: store.ledger.standings([]),
    "call_log.find": lambda store: store.call_log.find("call_1"),
    "call_log.trim": lambda store: store.call_log.trim(1, at_most=1),
    "directory.find_by_hash": lambda store: store.directory.find_by_hash(b"hash"),
    "directory.put": lambda store: store.directory.put(KEY),
    "directory.touch": lambda store: store.directory.touch({"key_1": 1.0}),
    "directory.find_user": lambda store: store.directory.find_user("ada"),
    "directory.change_user": lambda store: store.directory.change_user("ada", lambda before: USER),
    "directory.erase_user": lambda store: store.directory.erase_user("ada", "gone"),
    "directory.version": lambda store: store.directory.version(),
    "directory.salt": lambda store: store.directory.salt(),
    "conversations.put": lambda store: store.conversations.put(RESPONSE),
    "conversations.get": lambda store: store.conversations.get("resp_1", ME, 2.0),
    "conversations.history": lambda store: store.conversations.history("resp_1", ME, 2.0),
    "conversations.items": lambda store: store.conversations.items(("item",), ME, 2.0),
    "conversations.delete": lambda store: store.conversations.delete("resp_1", ME, 2.0),
    "conversations.forget": lambda store: store.conversations.forget(None, "ada"),
    "outbox.announce": lambda store: store.outbox.announce([EVENT], ["webhook"]),
    "outbox.take": lambda store: store.outbox.take(1.0, 1),
    "outbox.newest": lambda store: store.outbox.newest(),
    "receivers.failing": lambda store: store.receivers.failing(),
    "receivers.enable": lambda store: store.receivers.enable("webhook:app", 1.0),
    "watch.calls": lambda store: store.watch.calls(0),
    "ledger.hold": lambda store: store.ledger.hold(ask("call_1", 10)),
}


async def writes_again(store: PostgresStore) -> None:
    """Wait until the writer, which leaves a server alone for a moment, has tried once more."""
    async with asyncio.timeout(LONGER):
        while True:
            try:
                return await store.ledger.check()
            except Overloaded:
                await asyncio.sleep(0.01)


async def test_every_store_says_so_and_goes_on_afterwards(own_server: PostgresServer) -> None:
    store = PostgresStore(own_server.url("postgres"))
    for question in ASKED.values():
        await question(store)
    await store.ledger.void("call_1")
    own_server.stop(signal.SIGQUIT)
    answers = {}
    for name, question in ASKED.items():
        try:
            answers[name] = await question(store)
        except Overloaded as refused:
            answers[name] = (refused.wire_status, refused.retry_after_s)
    assert answers == dict.fromkeys(ASKED, (503, 1.0))
    own_server.start()
    await writes_again(store)
    for question in ASKED.values():
        await question(store)
    await store.ledger.void("call_1")
    assert await asyncio.to_thread(store.close)


def test_a_gateway_does_not_start_without_its_database(own_server: PostgresServer) -> None:
    own_server.stop()
    for start in (PostgresStore, inspect, migrate):
        with pytest.raises(OSError, match="Postgres cannot be used"):
            start(own_server.url("postgres"))


async def test_looking_at_a_database_changes_nothing_and_counts_who_lives(database_url: str) -> None:
    empty = inspect(database_url)
    assert (empty.schema, empty.living) == (0, 0)
    store = PostgresStore(database_url)
    await store.ledger.check()
    seen = inspect(database_url)
    assert (seen.schema >= 4, seen.living, seen.database_bytes > 10**6) == (True, 1, True)
    assert seen.server_version == empty.server_version != ""
    assert await asyncio.to_thread(store.close)
