"""Where the answer of a background call goes: into its job, piece by piece."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

import msgspec

from seawall.core.contracts import Gateway
from seawall.core.errors import ClientGone, SeawallError
from seawall.core.jobs import Ended, Job, JobEnding, Stage
from seawall.core.running import finish, until_written
from seawall.server.job_view import is_response
from seawall.server.replies import CallReply
from seawall.wire import sse
from seawall.wire.progress import progress_frame
from seawall.wire.responses.background import is_told

GATHER_S = 0.05
"""Pieces of a stream that come within this time are written together."""


class _Said(msgspec.Struct):
    status: str = ""


_decode_status = msgspec.json.Decoder(_Said).decode


class JobOutput:
    """Takes what a reply sends to a client. `error` is what ends the job, where anything does.

    Within the block a stream is written as it comes. `stop` is called where the run does not count any more.
    """

    def __init__(
        self,
        job: Job,
        gateway: Gateway,
        stop: Callable[[], None],
    ) -> None:
        self._job, self._gateway, self._stop = job, gateway, stop
        self._status = 0
        self._pending: list[bytes] = [_again(job, gateway)] if job.run > 1 and job.stream else []
        self._has_more = asyncio.Event()
        self._is_closing = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self._stage: Stage = "thinking"
        self.reply: CallReply | None = None
        self.error: SeawallError | None = None

    async def __aenter__(self) -> "JobOutput":
        """Begin to write."""
        self._writing = asyncio.create_task(self._write_as_it_comes())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop writing; what was not written is lost with the run, unless it has ended the job."""
        await self._stop_writing()

    def note_stage(self, stage: Stage) -> None:
        """Note how far the run has come."""
        if stage not in (self._stage, "done"):
            self._stage = stage
            self._has_more.set()

    async def send(self, message: dict[str, Any]) -> None:
        """Take one message of the reply; the last one ends the job. Raises ClientGone for a lost run."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            return
        body: bytes = message["body"]
        if message["more_body"]:
            self._pending.append(body)
            self._has_more.set()
            return
        await self._end(body)

    async def _end(self, body: bytes) -> None:
        is_stream = self._job.stream and self._status == 200
        if is_stream and not (self.error is not None and is_response(self._job)):
            self._pending.append(body)  # How a response failed is told by whoever follows it.
        await self._stop_writing()
        if self._pending and not await until_written(self._flush):
            raise ClientGone
        ending = self._ending(b"" if is_stream else body)
        is_done = await finish(self._job, self._gateway, ending)
        self._gateway.job_wakes.wake(self._job.id)
        if not is_done:
            raise ClientGone

    def _ending(self, body: bytes) -> JobEnding:
        error = self.error
        if error is not None:
            return JobEnding(
                state="failed",
                status=error.wire_status,
                answer=body,
                code=error.wire_code,
                why=error.message,
            )
        state: Ended = "completed"
        if is_response(self._job) and self.reply is not None:
            body = self.reply.response() or body
            if _decode_status(body).status == "incomplete":
                state = "incomplete"
        return JobEnding(state=state, status=self._status, answer=body)

    async def _write_as_it_comes(self) -> None:
        """Write what has come; where the store is down it is kept, and tried again with what comes next."""
        while True:
            await self._has_more.wait()
            if self._is_closing.is_set():
                return
            self._has_more.clear()
            with suppress(SeawallError):
                if not await self._flush():
                    self._stop()
                    return
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_S):
                    await self._is_closing.wait()

    async def _stop_writing(self) -> None:
        """Stop after what is being written now."""
        writing, self._writing = self._writing, None
        if writing is not None:
            self._is_closing.set()
            self._has_more.set()
            await asyncio.wait([writing])

    async def _flush(self) -> bool:
        chunk, self._pending = self._pending, []
        if chunk:
            self._stage = "writing"
        frames = [frame for frame in _cut(b"".join(chunk)) if frame != sse.DONE]
        if is_response(self._job):
            frames = [frame for frame in frames if not is_told(frame)]
        jobs, job = self._gateway.jobs, self._job
        try:
            is_written = await jobs.append(job.id, job.run, self._stage, frames)
        except SeawallError:
            self._pending = [*chunk, *self._pending]
            raise
        self._gateway.job_wakes.wake(job.id)
        return is_written


def _again(job: Job, gateway: Gateway) -> bytes:
    """Write what tells whoever follows that the text begins at the first word; a response says it itself."""
    if is_response(job):
        return b""
    return progress_frame("thinking", gateway.telling.labels.thinking, job=job.id, run=job.run)


def _cut(data: bytes) -> list[bytes]:
    splitter = sse.FrameSplitter()
    frames = splitter.feed(data) if data else []
    return [*frames, splitter.rest] if splitter.rest else frames
