"""What every home of idempotency keys promises: one call under a key is made, and its owner alone gets its answer."""

import asyncio
from typing import Any

import pytest

from seawall.core.idempotency import Answered, Claim, Claimed, Reused, Running
from seawall.core.state import Owner
from seawall.stores.postgres.idempotency import PostgresIdempotentAnswers
from seawall.stores.sqlite.idempotency import SqliteIdempotentAnswers
from tests.fixtures.ledgers import Home, Process, ask
from tests.fixtures.mock_calls import LONGER

Kept = SqliteIdempotentAnswers | PostgresIdempotentAnswers

ME = Owner("key_1", "ada")
NOW, LATER, TOMORROW = 1_000.0, 1_600.0, 90_000.0
BODY = b'data: {"n": 1}\n\ndata: [DONE]\n\n'


def claim(call_id: str = "call_1", **fields: Any) -> Claim:
    usual = {"owner": ME, "key": "k", "request": b"r" * 32, "at": NOW, "until": LATER}
    return Claim(call_id=call_id, **{**usual, **fields})


@pytest.fixture
def kept(process: Process) -> Kept:
    return process.store.idempotent


@pytest.mark.parametrize("body", [BODY, b"x" * 1_000_000, bytes(range(256)) * 4_096])
async def test_who_comes_again_gets_the_same_answer(kept: Kept, body: bytes) -> None:
    assert await kept.claim(claim()) == Claimed()
    assert await kept.claim(claim("call_2")) == Running()
    await kept.keep(claim(), body, TOMORROW)
    assert await kept.claim(claim("call_3", at=TOMORROW - 1)) == Answered("call_1", body)


async def test_another_request_never_gets_it(kept: Kept) -> None:
    await kept.claim(claim())
    assert await kept.claim(claim("call_2", request=b"s" * 32)) == Reused()
    await kept.keep(claim(), BODY, TOMORROW)
    assert await kept.claim(claim("call_3", request=b"s" * 32)) == Reused()


@pytest.mark.parametrize(
    "other",
    [
        {"owner": Owner("key_2", "ada")},
        {"owner": Owner("key_1", "bob")},
        {"owner": Owner("key_1")},
        {"owner": Owner("key_1", "ada\x00")},
        {"owner": Owner("key_1", 'ada","k')},
        {"owner": Owner("key_1", "x" * 5_000)},
        {"key": "K"},
        {"key": "k "},
    ],
)
async def test_another_owner_or_key_is_free(kept: Kept, other: dict[str, Any]) -> None:
    await kept.claim(claim())
    await kept.keep(claim(), BODY, TOMORROW)
    assert await kept.claim(claim("call_2", **other)) == Claimed()


async def test_a_released_key_is_free_and_an_answered_one_is_not_released(kept: Kept) -> None:
    await kept.claim(claim())
    await kept.release(claim())
    assert await kept.claim(claim("call_2")) == Claimed()
    await kept.keep(claim("call_2"), BODY, TOMORROW)
    await kept.release(claim("call_2"))
    assert await kept.claim(claim("call_3")) == Answered("call_2", BODY)


async def test_a_claim_whose_time_is_over_is_taken_and_its_call_keeps_nothing(kept: Kept) -> None:
    await kept.claim(claim())
    assert await kept.claim(claim("call_2", at=LATER, until=LATER + 600)) == Claimed()
    await kept.keep(claim(), b"late", TOMORROW)
    await kept.release(claim())
    assert await kept.claim(claim("call_3", at=LATER)) == Running()


async def test_what_expired_is_free_before_it_is_trimmed_and_then_gone(kept: Kept, home: Home) -> None:
    for number in range(5):
        await kept.claim(claim(key=f"k{number}"))
        await kept.keep(claim(key=f"k{number}"), BODY, TOMORROW)
    assert await kept.claim(claim("call_2", key="k0", at=TOMORROW, until=TOMORROW + 600)) == Claimed()
    assert [await kept.trim(TOMORROW, at_most=3) for _ in range(3)] == [3, 1, 0]
    assert await home.count("idempotent_answers") == 1


async def test_of_two_gateways_at_once_one_gets_each_key(home: Home, process: Process) -> None:
    other = home.open()
    stores = [process.store.idempotent, other.store.idempotent]
    claims = [claim(f"call_{number}", key=f"k{number // 4}") for number in range(200)]
    found = await asyncio.gather(*(stores[number % 2].claim(each) for number, each in enumerate(claims)))
    assert [found.count(Claimed()), found.count(Running())] == [50, 150]
    for first in range(0, 200, 4):
        assert found[first : first + 4].count(Claimed()) == 1
    await asyncio.to_thread(other.store.close)


async def test_the_keys_of_a_process_that_died_are_free_and_its_answers_stay(
    home: Home, process: Process
) -> None:
    other = home.open()
    await other.store.ledger.hold(ask("call_1", 100))
    await other.store.idempotent.claim(claim())
    await other.store.idempotent.claim(claim(key="answered"))
    await other.store.idempotent.keep(claim(key="answered"), BODY, TOMORROW)
    await process.store.idempotent.claim(claim(key="mine"))
    await process.reap()
    assert await process.store.idempotent.claim(claim("call_2")) == Running()
    other.crash()
    await process.reap()
    assert await process.store.idempotent.claim(claim("call_2")) == Claimed()
    assert await process.store.idempotent.claim(claim("call_2", key="answered")) == Answered("call_1", BODY)
    assert await process.store.idempotent.claim(claim("call_2", key="mine")) == Running()
    await asyncio.to_thread(other.store.close, timeout_s=1)


async def test_whoever_is_cancelled_while_it_waits_has_claimed_nothing(process: Process) -> None:
    kept = process.store.idempotent
    for number in range(20):
        waiting = asyncio.create_task(kept.claim(claim(f"call_{number}")))
        for _ in range(number % 5):
            await asyncio.sleep(0)
        if not waiting.cancel():  # It was answered before.
            await kept.release(claim(f"call_{number}"))
            continue
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(LONGER):  # On Postgres a claim may arrive after its connection was cut.
        while await kept.claim(claim("call_last")) != Claimed():
            await process.store.ledger.check()


@pytest.mark.parametrize(
    ("key_id", "end_user", "left"), [("key_1", None, 1), (None, "ada", 2), ("key_1", "ada", 3)]
)
async def test_everything_of_a_key_or_of_an_end_user_is_forgotten(
    kept: Kept, home: Home, key_id: str | None, end_user: str | None, left: int
) -> None:
    for owner in (ME, Owner("key_1", "bob"), Owner("key_1"), Owner("key_2", "ada")):
        await kept.claim(claim(owner=owner))
        await kept.keep(claim(owner=owner), BODY, TOMORROW)
    assert await kept.forget(key_id, end_user) == 4 - left
    assert await home.count("idempotent_answers") == left


async def test_an_erased_user_leaves_no_answer_and_no_name(home: Home, process: Process) -> None:
    await process.store.idempotent.claim(claim())
    await process.store.idempotent.keep(claim(), BODY, TOMORROW)
    assert "ada" not in repr(await home.ask("SELECT * FROM idempotent_answers"))
    await process.store.directory.erase_user("ada", "erased_1")
    assert await home.count("idempotent_answers") == 0
