"""Who counts as dead, and from when."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from seawall.stores.sqlite.process import MISSING_S, ProcessLock, ServingLock


class Clock:
    """Counts the seconds that a test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_process_that_let_go_of_its_lock_is_dead_at_once(tmp_path: Path) -> None:
    mine, other = ProcessLock(tmp_path), ProcessLock(tmp_path)
    assert not mine.is_dead(other.name)
    path = tmp_path / other.name
    kept = path.read_bytes()
    other.release()
    path.write_bytes(kept)
    assert mine.is_dead(other.name)
    mine.forget_dead()
    assert [found.name for found in tmp_path.iterdir()] == [mine.name]


def test_a_file_that_stays_away_means_death(tmp_path: Path) -> None:
    clock = Clock()
    mine = ProcessLock(tmp_path, clock)
    assert not mine.is_dead("gone")
    clock.now += MISSING_S - 0.1
    assert not mine.is_dead("gone")
    clock.now += 0.1
    assert mine.is_dead("gone")


def test_a_file_that_came_back_starts_the_wait_anew(tmp_path: Path) -> None:
    clock = Clock()
    mine, other = ProcessLock(tmp_path, clock), ProcessLock(tmp_path)
    (tmp_path / other.name).unlink()
    assert not mine.is_dead(other.name)
    clock.now += MISSING_S
    other.keep()
    assert not mine.is_dead(other.name)
    (tmp_path / other.name).unlink()
    assert not mine.is_dead(other.name)


def test_a_file_in_the_place_of_the_lock_is_replaced(tmp_path: Path) -> None:
    mine, other = ProcessLock(tmp_path), ProcessLock(tmp_path)
    path = tmp_path / other.name
    path.unlink()
    path.touch()
    assert mine.is_dead(other.name)
    other.keep()
    assert not mine.is_dead(other.name)
    other.keep()
    assert not mine.is_dead(other.name)


def test_one_is_never_dead_to_oneself(tmp_path: Path) -> None:
    mine = ProcessLock(tmp_path)
    (tmp_path / mine.name).unlink()
    assert not mine.is_dead(mine.name)


def test_one_gateway_serves_from_a_folder_until_it_makes_way(tmp_path: Path) -> None:
    first, second = ServingLock(tmp_path), ServingLock(tmp_path)
    assert first.take()
    assert not second.take()
    assert second.holder() == str(os.getpid())
    first.leave()
    assert second.take()


def test_a_gateway_that_died_keeps_nobody_from_serving(tmp_path: Path) -> None:
    holding = (
        "import os, sys, pathlib, signal; from seawall.stores.sqlite.process import ServingLock;"
        "lock = ServingLock(pathlib.Path(sys.argv[1])); lock.take(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    dead = subprocess.run([sys.executable, "-c", holding, tmp_path], check=False)
    assert dead.returncode == -signal.SIGKILL
    mine = ServingLock(tmp_path)
    assert int(mine.holder()) != os.getpid()
    assert mine.take()
