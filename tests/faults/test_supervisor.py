"""Workers that die, will not start or will not end, and a supervisor that is killed itself."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.crews import READY, Crew, crew_of, is_alive
from tests.fixtures.mock_calls import LONGER, until


def logged(crew: Crew, message: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in crew.log().splitlines()]
    return [line for line in lines if line["message"] == message]


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


async def test_it_is_ready_once_all_serve_and_ends_cleanly_with_all_of_them(tmp_path: Path) -> None:
    async with crew_of(tmp_path, ["serve", "serve", "serve"]) as crew:
        assert await crew.ready() == READY
        pids = [pid for number in (1, 2, 3) for pid in crew.pids(number)]
        assert len(pids) == 3
        crew.process.send_signal(signal.SIGTERM)
        assert await crew.process.wait() == 0
        assert not any(map(is_alive, pids))
        assert await crew.ready() == ""  # It greeted once.


@pytest.mark.parametrize("word", ["serve", "stay"])
async def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path, word: str) -> None:
    async with crew_of(tmp_path, [word, word]) as crew:
        assert await crew.ready() == READY
        pids = [*crew.pids(1), *crew.pids(2)]
        crew.process.kill()
        await crew.process.wait()
        await until(lambda: not any(map(is_alive, pids)))


async def test_a_worker_that_dies_has_a_successor_and_leaves_no_zombie(tmp_path: Path) -> None:
    async with crew_of(tmp_path, ["serve", "serve"]) as crew:
        assert await crew.ready() == READY
        [first], [other] = crew.pids(1), crew.pids(2)
        kill(first)
        await until(lambda: len(crew.pids(1)) == 2)
        assert not is_alive(first)  # Nor is it a zombie.
        assert is_alive(other)
        await until(lambda: bool(logged(crew, "a worker serves again")))
        crew.process.send_signal(signal.SIGTERM)
        assert await crew.process.wait() == 0


async def test_a_worker_that_dies_again_and_again_waits_longer_and_longer(tmp_path: Path) -> None:
    async with crew_of(tmp_path, ["serve", "serve"]) as crew:
        assert await crew.ready() == READY
        for deaths in (1, 2):
            await until(lambda n=deaths: len(crew.pids(1)) == n)
            kill(crew.pids(1)[-1])
        await until(lambda: len(crew.pids(1)) == 3)
        waits = [line["again_in_s"] for line in logged(crew, "a worker died and is started again")]
        assert waits == [0.5, 1.0]


async def test_who_is_told_to_stop_while_a_worker_waits_for_its_turn_stops(tmp_path: Path) -> None:
    async with crew_of(tmp_path, ["serve"], wait_s=LONGER * 2) as crew:
        assert await crew.ready() == READY
        kill(crew.pids(1)[0])
        await until(lambda: bool(logged(crew, "a worker died and is started again")))
        crew.process.send_signal(signal.SIGINT)
        assert await crew.process.wait() == 0
        assert len(crew.pids(1)) == 1


@pytest.mark.parametrize(("words", "last"), [("hang serve", 1), ("serve hang", 2)])
async def test_who_is_told_to_stop_while_workers_start_stops(tmp_path: Path, words: str, last: int) -> None:
    async with crew_of(tmp_path, words.split()) as crew:
        await until(lambda: bool(crew.pids(last)))
        crew.process.send_signal(signal.SIGTERM)
        assert await crew.process.wait() == 0
        assert await crew.ready() == ""
        assert crew.pids(last + 1) == []


async def test_a_first_worker_that_says_why_it_cannot_start_decides_the_exit_code(tmp_path: Path) -> None:
    async with crew_of(tmp_path, ["refuse", "serve"]) as crew:
        assert await crew.process.wait() == 2
        assert await crew.ready() == ""
        assert crew.pids(2) == []
        assert crew.log() == ""


@pytest.mark.parametrize(("words", "dead"), [("crash serve", 1), ("serve crash", 2), ("serve refuse", 2)])
async def test_a_worker_that_dies_while_it_starts_ends_all(tmp_path: Path, words: str, dead: int) -> None:
    async with crew_of(tmp_path, words.split()) as crew:
        assert await crew.process.wait() == 1
        assert await crew.ready() == ""
        [line] = logged(crew, "a worker died while it started, so nothing is served")
        assert line["worker"] == dead
        assert not any(is_alive(pid) for number in (1, 2) for pid in crew.pids(number))


async def test_a_worker_that_does_not_end_is_killed_and_the_exit_code_says_so(tmp_path: Path) -> None:
    async with crew_of(tmp_path, ["serve", "stay"], stop_s=5.0) as crew:
        assert await crew.ready() == READY
        crew.process.send_signal(signal.SIGTERM)
        assert await crew.process.wait() == 1
        assert [line["worker"] for line in logged(crew, "a worker did not end and was killed")] == [2]
        assert not any(map(is_alive, crew.pids(2)))
