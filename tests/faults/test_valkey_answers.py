"""The shared cache when things go wrong, and what one gateway does to the memory of the others."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from seawall.stores.memory.answers import MemoryAnswers
from seawall.stores.valkey.answers import ValkeyAnswers
from seawall.stores.valkey.connection import Link
from seawall.stores.valkey.names import Names
from seawall.stores.valkey.wakes import Wakes
from tests.contracts.test_answers import ANSWER, KEEP_S, keep
from tests.fixtures.counting import PATIENT_S
from tests.fixtures.gateways import Clock
from tests.fixtures.mock_calls import until
from tests.fixtures.valkeys import SOON_S, OwnValkey

USER = ANSWER.user
IMPATIENT_S = 0.2


@dataclass
class Cache:
    """The cache of one gateway, and what it is made of."""

    answers: MemoryAnswers
    shared: ValkeyAnswers
    link: Link
    wakes: Wakes


async def open_cache(server: OwnValkey, salt: bytes = b"one store", timeout_s: float = PATIENT_S) -> Cache:
    names = Names(salt)
    link = Link(server.url, timeout_s=timeout_s, retry_s=SOON_S)
    wakes = Wakes(server.url, link, names, retry_s=SOON_S)
    shared = ValkeyAnswers(link, names, wakes, keep_s=KEEP_S, answer_bytes_max=1_000)
    answers = MemoryAnswers(bytes_max=1_000_000, keep_s=KEEP_S, file=shared, now=Clock())
    await link.start()
    return Cache(answers, shared, link, wakes)


@pytest.fixture
async def cache(own_valkey: OwnValkey) -> AsyncIterator[Cache]:
    """Return a cache on a server of this test alone."""
    made = await open_cache(own_valkey)
    yield made
    await made.shared.stop()
    await made.link.stop()


async def stored(cache: Cache, key: bytes) -> bool:
    """Say whether the server holds a key, whatever is in memory."""
    return await cache.shared.read(key) is not None


def lose_patience(link: Link) -> None:
    """Let a link whose questions have all been answered give up sooner from now on."""
    link._timeout_s = IMPATIENT_S
    if link._alarm is not None:
        link._alarm.cancel()
        link._alarm = None


async def test_gateways_share_answers_and_other_stores_see_none(cache: Cache, own_valkey: OwnValkey) -> None:
    await keep(cache.answers, b"key")
    other, stranger = await open_cache(own_valkey), await open_cache(own_valkey, b"another store")
    assert await other.answers.get(b"key") == ANSWER
    assert await stranger.answers.get(b"key") is None
    await other.link.stop()
    await stranger.link.stop()


async def test_answers_end_by_themselves_and_lie_under_names_that_say_nothing(
    cache: Cache, own_valkey: OwnValkey
) -> None:
    await keep(cache.answers, b"key")
    assert await stored(cache, b"key")
    [name] = [name for name in own_valkey.command("KEYS", "*") if b":answer:" in name]
    assert b"key" not in name
    assert 0 < own_valkey.command("PTTL", name) <= KEEP_S * 1000


async def test_an_answer_that_is_too_large_stays_in_memory(cache: Cache) -> None:
    large = replace(ANSWER, body=b"x" * 1_001)
    await keep(cache.answers, b"key", large)
    assert await cache.answers.get(b"key") == large
    assert not await stored(cache, b"key")


async def test_a_server_that_is_down_holds_nothing_and_memory_goes_on(
    cache: Cache, own_valkey: OwnValkey
) -> None:
    await keep(cache.answers, b"key")
    own_valkey.stop()
    await until(lambda: not cache.link.is_up)
    assert await cache.answers.get(b"key") == ANSWER
    assert await cache.answers.get(b"other") is None
    await keep(cache.answers, b"third")
    own_valkey.start()
    await until(lambda: cache.link.is_up)
    assert not await stored(cache, b"third")


async def test_a_server_that_hangs_is_a_miss(own_valkey: OwnValkey) -> None:
    cache = await open_cache(own_valkey, timeout_s=IMPATIENT_S)
    own_valkey.hang()
    assert await cache.answers.get(b"key") is None
    own_valkey.go_on()
    await cache.link.stop()


async def test_who_is_forgotten_while_the_server_hangs_leaves_it_when_it_is_back(
    own_valkey: OwnValkey,
) -> None:
    cache, other = await open_cache(own_valkey), await open_cache(own_valkey)
    await keep(cache.answers, b"hers")
    await keep(cache.answers, b"his", replace(ANSWER, user=b"b" * 32))
    assert [await stored(cache, key) for key in (b"hers", b"his")] == [True, True]
    lose_patience(cache.link)
    own_valkey.hang()
    assert await cache.answers.forget_user(USER) == 1  # From memory.
    own_valkey.go_on()
    await until(lambda: cache.shared.holds(b"hers"))
    assert [await stored(other, key) for key in (b"hers", b"his")] == [False, True]
    await cache.shared.stop()
    await cache.link.stop()
    await other.link.stop()


async def test_what_is_cleared_while_the_server_hangs_is_gone_when_it_is_back(own_valkey: OwnValkey) -> None:
    cache, other = await open_cache(own_valkey), await open_cache(own_valkey)
    await keep(cache.answers, b"key")
    assert await stored(cache, b"key")
    lose_patience(cache.link)
    own_valkey.hang()
    await cache.answers.clear()
    own_valkey.go_on()
    await until(lambda: cache.shared.holds(b"key"))
    assert not await stored(other, b"key")
    await cache.shared.stop()
    await cache.link.stop()
    await other.link.stop()


async def test_what_was_on_its_way_while_another_gateway_cleared_does_not_come_back(
    cache: Cache, own_valkey: OwnValkey
) -> None:
    other = await open_cache(own_valkey)
    assert await cache.answers.get(b"key") is None
    await other.answers.clear()
    cache.answers.put(b"key", ANSWER)  # Made before, kept after.
    assert await stored(cache, b"key") is False
    assert await stored(other, b"key") is False
    await other.link.stop()


async def test_a_wiped_server_is_filled_again(cache: Cache, own_valkey: OwnValkey) -> None:
    await keep(cache.answers, b"key")
    own_valkey.command("FLUSHALL")
    assert not await stored(cache, b"key")
    assert not await stored(cache, b"key")  # By now it is known that it begins anew.
    cache.answers.put(b"key", ANSWER)
    assert await stored(cache, b"key")


async def test_messages_reach_all_others_and_whoever_missed_some_is_told(
    cache: Cache, own_valkey: OwnValkey
) -> None:
    other = await open_cache(own_valkey)
    heard, missed = list[str](), list[str]()
    for each in (cache, other):
        each.wakes.on_missed(lambda: missed.append("some"))
        await each.wakes.start()
    other.wakes.on("changed", heard.append)
    cache.wakes.on("changed", lambda _: heard.append("its own"))
    await until(lambda: len(missed) == 2)
    cache.wakes.tell("changed", "a key")
    cache.wakes.tell("nothing that anybody knows")
    await until(lambda: heard == ["a key"])
    own_valkey.stop()
    await until(lambda: not cache.link.is_up)
    cache.wakes.tell("changed", "lost")
    own_valkey.start()
    await until(lambda: len(missed) >= 4 and cache.link.is_up and other.wakes.is_listening)
    cache.wakes.tell("changed", "another")
    await until(lambda: heard == ["a key", "another"])
    for each in (cache, other):
        await each.wakes.stop()
    await other.link.stop()


async def test_a_channel_that_hangs_is_opened_anew(own_valkey: OwnValkey) -> None:
    names, link = Names(b"one store"), Link(own_valkey.url, timeout_s=PATIENT_S)
    wakes, missed = Wakes(own_valkey.url, link, names, retry_s=SOON_S, quiet_s=0.1), list[str]()
    wakes.on_missed(lambda: missed.append("some"))
    await wakes.start()
    assert missed == ["some"]
    own_valkey.hang()
    await until(lambda: not wakes.is_listening)
    own_valkey.go_on()
    await until(lambda: len(missed) >= 2)
    await wakes.stop()
