"""The cache of answers in both homes: what is kept comes back as it was, ends, and can be forgotten."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from seawall.core.answers import KeptAnswer
from seawall.core.money import Money, Usage
from seawall.stores.memory.answers import MemoryAnswers
from seawall.stores.sqlite.answers import SqliteAnswers
from seawall.stores.valkey.store import ValkeyStore
from tests.fixtures.counting import PATIENT_S
from tests.fixtures.gateways import Clock

ANSWER = KeptAnswer(
    "chat", False, True, b"{}", "mock", "gpt", Usage(input=1, output=1), Money(1), Clock()(), b"a" * 32
)
KEEP_S = 3_600.0
MEMORY_BYTES = 1_000_000


class Store:
    """One store of answers that several caches stand before, as those of several processes do."""

    def __init__(self, folder: Path, url: str | None) -> None:
        self._folder, self._url = folder, url
        self._files: list[SqliteAnswers] = []
        self._stores: list[ValkeyStore] = []

    async def open(
        self, bytes_max: int = MEMORY_BYTES, clock: Callable[[], float] | None = None
    ) -> MemoryAnswers:
        now = clock or Clock()
        if self._url is None:
            self._files.append(SqliteAnswers(self._folder, bytes_max=MEMORY_BYTES))
            await self.flush()  # By then it is open.
            return MemoryAnswers(bytes_max=bytes_max, keep_s=KEEP_S, file=self._files[-1], now=now)
        store = ValkeyStore(self._url, timeout_s=PATIENT_S, gateways=0)
        self._stores.append(store)
        answers = store.open_answers(bytes_max=bytes_max, keep_s=KEEP_S, answer_bytes_max=200_000, now=now)
        await store.start(b"one store")
        return answers

    async def flush(self) -> None:
        """Wait until what was handed over is written."""
        for file in self._files:
            await file.was_cleared()

    async def close(self) -> None:
        for file in self._files:
            file.close()
        for store in self._stores[::-1]:
            await store.stop()


@pytest.fixture(params=["sqlite", "valkey"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Return a store; each test runs in both homes."""
    url = request.getfixturevalue("valkey_url") if request.param == "valkey" else None
    made = Store(tmp_path, url)
    yield made
    await made.close()


async def keep(answers: MemoryAnswers, key: bytes, answer: KeptAnswer = ANSWER) -> None:
    """Keep an answer as a call does: it has looked for it before."""
    assert await answers.get(key) is None
    answers.put(key, answer)


async def stored(store: Store, answers: MemoryAnswers, key: bytes) -> KeptAnswer | None:
    """Return what the store holds, whatever is in memory."""
    await store.flush()
    answers.drop()
    return await answers.get(key)


async def test_what_is_kept_comes_back(store: Store) -> None:
    answers = await store.open()
    await keep(answers, b"key")
    assert await answers.get(b"key") == ANSWER
    assert await answers.get(b"other") is None
    stats = answers.stats()
    assert (stats.entries, stats.hits, stats.misses) == (1, 1, 2)


@pytest.mark.parametrize("size", [10, 2_048, 100_000])
async def test_answers_of_every_size_come_back_from_the_store_as_they_were(store: Store, size: int) -> None:
    kept = replace(ANSWER, body=b"\x78" * size, user=b"")
    answers = await store.open()
    await keep(answers, b"key", kept)
    assert await stored(store, answers, b"key") == kept


async def test_an_answer_that_is_too_old_is_not_there(store: Store) -> None:
    clock = Clock()
    answers = await store.open(clock=clock)
    await keep(answers, b"key", replace(ANSWER, made_at=clock()))
    clock.turn(KEEP_S + 1)
    assert await answers.get(b"key") is None
    assert await stored(store, answers, b"key") is None


async def test_a_newer_answer_takes_the_place_of_an_older_one(store: Store) -> None:
    answers = await store.open()
    await keep(answers, b"key")
    for body in (b"first", b"second"):
        answers.put(b"key", replace(ANSWER, body=body))
    assert await stored(store, answers, b"key") == replace(ANSWER, body=b"second")


async def test_what_does_not_fit_into_memory_is_found_in_the_store(store: Store) -> None:
    answers = await store.open(bytes_max=2_000)
    for number in range(10):
        await keep(answers, b"key%d" % number)
    assert answers.stats().memory_bytes <= 2_000
    await store.flush()
    found = [await answers.get(b"key%d" % number) for number in range(10)]
    assert found == [ANSWER] * 10


async def test_what_is_cleared_is_gone_and_what_comes_later_is_kept(store: Store) -> None:
    answers = await store.open()
    for key in (b"one", b"two", b"three"):
        await keep(answers, key)
    assert await answers.clear() == 3
    assert [await answers.get(key) for key in (b"one", b"two")] == [None, None]
    await keep(answers, b"one", replace(ANSWER, body=b"later"))
    assert await stored(store, answers, b"one") == replace(ANSWER, body=b"later")


async def test_who_is_forgotten_leaves_no_answers_and_others_keep_theirs(store: Store) -> None:
    answers = await store.open()
    await keep(answers, b"hers")
    await keep(answers, b"hers too", replace(ANSWER, body=b"more"))
    await keep(answers, b"his", replace(ANSWER, user=b"b" * 32))
    await keep(answers, b"nobody's", replace(ANSWER, user=b""))
    await stored(store, answers, b"hers")
    assert await answers.forget_user(b"a" * 32) == 2
    found = [
        await stored(store, answers, key) is not None for key in (b"hers", b"hers too", b"his", b"nobody's")
    ]
    assert found == [False, False, True, True]
    assert await answers.forget_user(b"c" * 32) == 0
