"""Workers that share a socket: who takes the next connection, and what happens when nobody can."""

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.fixtures.mock_calls import until

from seawall.server.sharing import Acceptor, Loads


class Door:
    """A worker that keeps the connections it takes."""

    def __init__(self, listening: socket.socket, loads: Loads, number: int) -> None:
        self.taken: list[socket.socket] = []
        self._listening = listening.dup()
        self.acceptor = Acceptor(
            self._listening, loads, number, connections=lambda: len(self.taken), connect=self._take
        )

    async def _take(self, connection: socket.socket) -> None:
        self.taken.append(connection)

    def close(self) -> None:
        """Take no more, and hang up."""
        self.acceptor.close()
        for connection in (self._listening, *self.taken):
            connection.close()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as bound:
        yield bound


@contextmanager
def clients(listening: socket.socket, count: int) -> Iterator[None]:
    """Have so many connections wait."""
    made = [socket.create_connection(listening.getsockname()) for _ in range(count)]
    yield
    for client in made:
        client.close()


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let nothing be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_the_worker_with_fewer_connections_takes_the_next(listening: socket.socket) -> None:
    loads = Loads.make(2)
    first, second = Door(listening, loads, 1), Door(listening, loads, 2)
    with clients(listening, 8):
        await until(lambda: len(first.taken) + len(second.taken) == 8)
        assert (len(first.taken), len(second.taken)) == (4, 4)
    first.close()
    second.close()


async def test_nobody_waits_for_a_worker_that_is_stuck(listening: socket.socket) -> None:
    loads = Loads.make(2)
    loads.note(2, 0)
    door = Door(listening, loads, 1)
    with clients(listening, 4):
        await until(lambda: len(door.taken) == 4)
    door.close()


async def test_a_worker_that_has_left_is_not_waited_for(listening: socket.socket) -> None:
    loads = Loads.make(2)
    loads.note(2, 0)
    loads.leave(2)
    assert loads.fewest(but=1) > 10**6
    door = Door(listening, loads, 1)
    assert loads.fewest(but=2) == 0
    door.close()
    assert loads.fewest(but=2) > 10**6


async def test_a_worker_without_free_files_takes_connections_once_it_has_some(
    listening: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    with clients(listening, 2):
        door = Door(listening, Loads.make(1), 1)
        with no_more_files():
            await until(lambda: bool(caplog.records))
            for _ in range(100):  # What cannot be taken does not call again and again.
                await asyncio.sleep(0)
            said = [record.getMessage() for record in caplog.records]
            assert set(said) == {"no connection can be taken"} and len(said) < 10  # Once a second.
        await until(lambda: len(door.taken) == 2)
    door.close()
