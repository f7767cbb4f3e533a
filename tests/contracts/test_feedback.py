"""What every home promises about what people say of answers."""

from msgspec.structs import replace

from seawall.core.feedback import Feedback, Ratings
from tests.fixtures.ledgers import Process

SAID = Feedback("call_1", 1.5, "key_1", "ä", "m", "down", "It forgot ' what ? I % said.")


async def say(process: Process, *said: Feedback) -> None:
    for each in said:
        await process.store.feedback.put(each)


async def test_what_is_said_is_kept_and_the_newest_word_counts(process: Process) -> None:
    other = replace(SAID, call_id="call_2", at=1.0, end_user="", comment=None)
    await say(process, SAID, other, replace(SAID, at=2.5, rating="up", comment=None))
    found = await process.store.feedback.newest(rating=None, before=None, limit=9)
    assert found == [replace(SAID, at=2.5, rating="up", comment=None), other]


async def test_the_newest_comes_first_and_page_by_page(process: Process) -> None:
    said = [
        replace(SAID, call_id=f"call_{number}", at=float(number // 2), rating="up" if number % 3 else "down")
        for number in range(7)
    ]
    await say(process, *said)
    log, newest = process.store.feedback, said[::-1]
    assert await log.newest(rating=None, before=None, limit=3) == newest[:3]
    assert await log.newest(rating=None, before=newest[2].call_id, limit=9) == newest[3:]
    assert await log.newest(rating="down", before=None, limit=2) == [said[6], said[3]]
    assert await log.newest(rating="down", before="call_3", limit=2) == [said[0]]


async def test_ratings_are_sums_by_model_since_a_moment(process: Process) -> None:
    for number, (model, rating, at) in enumerate(
        [("a", "up", 5.0), ("b", "down", 5.0), ("b", "up", 6.0), ("b", "up", 7.0), ("b", "down", 1.0)]
    ):
        await say(process, replace(SAID, call_id=f"call_{number}", model=model, rating=rating, at=at))
    assert await process.store.feedback.ratings(5.0) == [Ratings("b", 2, 1), Ratings("a", 1, 0)]
    assert await process.store.feedback.ratings(8.0) == []


async def test_the_oldest_is_trimmed_in_batches(process: Process) -> None:
    await say(process, *(replace(SAID, call_id=f"call_{number}", at=float(number)) for number in range(5)))
    log = process.store.feedback
    assert [await log.trim(3.0, at_most=2) for _ in range(3)] == [2, 1, 0]
    assert [said.at for said in await log.newest(rating=None, before=None, limit=9)] == [4.0, 3.0]


async def test_what_an_erased_person_has_said_is_gone(process: Process) -> None:
    others = replace(SAID, call_id="call_2", end_user="bob")
    await say(process, SAID, others)
    await process.store.directory.erase_user("ä", "gone")
    assert await process.store.feedback.newest(rating=None, before=None, limit=9) == [others]
