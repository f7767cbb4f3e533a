"""The access log of several workers: no line is torn, and each says whose it is."""

import asyncio
import io
import json
from contextlib import redirect_stderr
from select import PIPE_BUF
from typing import Any

from seawall.core.call import Call
from seawall.core.policy import Credentials
from seawall.server.access_log import AccessLog


class Pipe(io.StringIO):
    """Keeps each piece that is written at once."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str) -> int:
        """Take a piece."""
        self.pieces.append(text)
        return len(text)


def a_call(call_id: str) -> Call:
    """Return a call that was refused at the door."""
    task = asyncio.current_task()
    assert task is not None
    nobody: Any = None
    return Call(
        call_id,
        task=task,
        endpoint="/v1/chat/completions",
        received_at=1.0,
        credentials=Credentials(),
        read=nobody,
    )


async def test_lines_are_written_whole_in_pieces_that_a_pipe_takes_at_once() -> None:
    log = AccessLog(style="json", is_on=True, worker=2)
    for number in range(100):
        log(a_call(f"call_{number}"), 0.0)
    with redirect_stderr(Pipe()) as pipe:
        log.flush()
    assert all(piece.endswith("\n") and len(piece.encode()) <= PIPE_BUF for piece in pipe.pieces)
    assert 1 < len(pipe.pieces) < 20
    lines = [json.loads(line) for line in "".join(pipe.pieces).splitlines()]
    assert [line["id"] for line in lines] == [f"call_{number}" for number in range(100)]
    assert {line["worker"] for line in lines} == {2}


async def test_a_gateway_alone_names_no_worker() -> None:
    log = AccessLog(style="json", is_on=True)
    log(a_call("call_1"), 0.0)
    with redirect_stderr(Pipe()) as pipe:
        log.flush()
    assert "worker" not in json.loads("".join(pipe.pieces))
