"""`seawall cache`: what it prints, and that a running gateway hears of it."""

from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace

from seawall.core.answers import KeptAnswer
from seawall.core.money import Money, Usage
from seawall.stores.sqlite.answers import FILE, GATHER, PLAIN_BYTES_MAX, VERSION, SqliteAnswers
from tests.fixtures.desk import Desk

ANSWER = KeptAnswer(
    "chat", False, True, b"{}", "mock", "gpt", Usage(input=1, output=1), Money(1), 4_000_000_000.0
)


def fill(folder: Path, count: int) -> None:
    file = SqliteAnswers(folder, bytes_max=10_000)
    for number in range(count):
        file.write(b"key%d" % number, ANSWER)
    file.close()


def test_what_is_kept_and_saved_is_shown(desk: Desk) -> None:
    desk.add_refused("call_1")
    fill(desk.data, 3)
    shown = desk.values("cache", "stats")
    assert (shown["enabled"], shown["entries"], shown["answered"], shown["saved_usd"]) == (
        False,
        3,
        0,
        "0.00",
    )
    assert "3 answers" in desk.run("cache", "stats")


def test_what_is_cleared_is_gone(desk: Desk) -> None:
    desk.add_refused("call_1")
    fill(desk.data, 1)
    assert desk.run("cache", "clear") == "Forgot 1 answer.\n"
    assert desk.values("cache", "clear") == {"deleted": 0}


def test_an_empty_folder_is_said(desk: Desk) -> None:
    assert "nothing here yet" in desk.run("cache", "clear", code=2)


async def test_a_running_gateway_hears_that_another_process_has_cleared_the_file(tmp_path: Path) -> None:
    running, other = (SqliteAnswers(tmp_path, bytes_max=10_000) for _ in range(2))
    running.write(b"key", ANSWER)
    assert await running.read(b"key") == ANSWER
    assert not await running.was_cleared()
    await other.clear()
    assert await running.was_cleared()
    assert not running.holds(b"key")
    for file in (running, other):
        file.close()


async def test_a_full_file_drops_what_is_oldest(tmp_path: Path) -> None:
    file = SqliteAnswers(tmp_path, bytes_max=2_000)
    for number in range(60):
        file.write(b"key%d" % number, ANSWER)
    assert await file.read(b"key59") == ANSWER
    entries, size = file.measure()
    assert (0 < entries < 60, size <= 2_000) == (True, True)
    file.close()


@pytest.mark.parametrize("size", [10, PLAIN_BYTES_MAX, 100_000])
async def test_answers_of_every_size_come_back_as_they_were(tmp_path: Path, size: int) -> None:
    kept = replace(ANSWER, body=b"\x78" * size, user=b"somebody")
    first = SqliteAnswers(tmp_path, bytes_max=1_000_000)
    first.write(b"key", ANSWER)
    first.write(b"key", kept)  # Of two under one key the last counts.
    first.close()
    second = SqliteAnswers(tmp_path, bytes_max=1_000_000)
    assert await second.read(b"key") == kept
    assert second.measure()[0] == 1
    second.close()


async def test_more_answers_than_are_gathered_at_once_are_all_written(tmp_path: Path) -> None:
    file = SqliteAnswers(tmp_path, bytes_max=1_000_000)
    for number in range(2 * GATHER + 3):
        file.write(b"key%d" % number, ANSWER)
    assert not await file.was_cleared()  # Whatever is asked, what waits is written first.
    assert (file.measure()[0], file.holds(b"key%d" % (2 * GATHER + 2))) == (2 * GATHER + 3, True)
    file.close()


async def test_what_is_cleared_while_it_waits_is_never_written(tmp_path: Path) -> None:
    file = SqliteAnswers(tmp_path, bytes_max=10_000)
    file.write(b"key", ANSWER)
    assert await file.clear() == 1
    assert (file.holds(b"key"), file.measure()) == (False, (0, 0))
    file.close()


async def test_a_file_of_an_earlier_version_is_begun_anew(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    connection = apsw.Connection(str(tmp_path / FILE))
    connection.pragma("user_version", VERSION - 1)
    connection.close()
    file = SqliteAnswers(tmp_path, bytes_max=10_000)
    file.write(b"new", ANSWER)
    assert (await file.read(b"new"), await file.read(b"key1")) == (ANSWER, None)
    assert file.measure()[0] == 1
    file.close()


async def test_an_answer_in_the_place_of_another_is_never_taken_for_it(tmp_path: Path) -> None:
    running, other = (SqliteAnswers(tmp_path, bytes_max=10_000) for _ in range(2))
    running.write(b"mine", ANSWER)
    assert await running.read(b"mine") == ANSWER
    await other.clear()
    other.write(b"somebody else's", ANSWER)
    assert await other.read(b"somebody else's") == ANSWER  # It lies where the first one did.
    assert await running.read(b"mine") is None
    for file in (running, other):
        file.close()


async def test_a_newer_answer_takes_the_place_and_the_room_of_an_older_one(tmp_path: Path) -> None:
    file = SqliteAnswers(tmp_path, bytes_max=10_000)
    for body in (b"first", b"second", b"third"):
        file.write(b"key", replace(ANSWER, body=body))
        assert await file.read(b"key") == replace(ANSWER, body=body)
    before = file.measure()
    file.close()
    again = SqliteAnswers(tmp_path, bytes_max=10_000)
    assert await again.read(b"key") == replace(ANSWER, body=b"third")
    assert again.measure() == before
    again.close()


async def test_two_processes_may_open_a_new_file_at_the_same_moment(tmp_path: Path) -> None:
    for number in range(30):
        folder = tmp_path / str(number)
        folder.mkdir()
        files = [SqliteAnswers(folder, bytes_max=10_000) for _ in range(2)]
        for file in files:
            file.write(b"key", ANSWER)
            assert await file.read(b"key") == ANSWER
            file.close()
