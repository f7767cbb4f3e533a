"""Follows a job to its end: its stream from any point on, and how far it has come.

Invariants:
- What is shown was on disk before: a client that comes back with the last number that it saw misses nothing
  and sees nothing twice.
- Whoever follows owns nothing: a broken connection leaves the job as it is.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from msgspec import Raw, Struct

from seawall.core.contracts import Gateway
from seawall.core.jobs import Frame, Job, Stage
from seawall.server.job_view import answering_of, is_response, show_ended, show_response, starts_in_s
from seawall.wire import sse
from seawall.wire.progress import KEEP_ALIVE, progress_frame
from seawall.wire.responses.background import CREATED, QUEUED, renumbered, show_pending, write_event

POLL_S = 0.25
"""How often a job is looked at that another process does."""
FRAMES_MAX = 200
HEAD = 2
"""A response's stream begins with two events that no worker writes: it was created, and it waits."""
DONE = "seawall.done"

_SENT_AT_END = {"failed": "response.failed", "cancelled": "response.cancelled"}


async def response_events(job: Job, after: int, gateway: Gateway) -> AsyncIterator[bytes]:
    """Yield the events of a response after a sequence number, -1 for all, until it is at its end."""
    answering = answering_of(job)
    for number, kind in enumerate((CREATED, QUEUED)):
        if number > after:
            yield write_event(kind, number, show_pending(answering, "queued"))
    number = max(after, HEAD - 1)
    async for look in _looks(job.id, number - HEAD, gateway):
        if look is None:
            yield KEEP_ALIVE
            continue
        for frame in look.frames:
            number = frame.number + HEAD
            yield renumbered(frame.data, number)
        kind_at_end = _SENT_AT_END.get(look.job.state) if look.is_last else None
        if kind_at_end is not None:
            whole = await gateway.jobs.get(job.id)
            yield write_event(kind_at_end, number + 1, Raw(show_response(whole or job)))
    yield sse.DONE


async def job_events(job: Job, after: int, gateway: Gateway) -> AsyncIterator[bytes]:
    """Yield a job's stages and the frames after a number, -1 for all, until it is at its end."""
    offset = HEAD if is_response(job) else 0
    stage: Stage | None = None
    async for look in _looks(job.id, max(after - offset, -1), gateway):
        if look is None:
            yield KEEP_ALIVE
            continue
        for frame in look.frames:
            number = frame.number + offset
            data = renumbered(frame.data, number) if offset else frame.data
            if data:
                yield b"id: %d\n%s" % (number, data)
        if not look.job.has_ended and look.job.stage != stage:
            stage = look.job.stage
            yield await _progress(look.job, gateway)
        if look.is_last:
            yield progress_frame("done", gateway.telling.labels.done, job=job.id)
            yield b"event: %s\ndata: %s\n\n" % (DONE.encode(), await show_ended(look.job, gateway))


class _Look(Struct, frozen=True):
    """A job as it stood at one moment, and what is new of its stream."""

    job: Job
    frames: list[Frame]
    is_last: bool


async def _looks(job_id: str, after: int, gateway: Gateway) -> AsyncIterator[_Look | None]:
    """Yield a look whenever there may be news, `None` where there was none for too long.

    Ends with the job, where it is forgotten, and where this process is about to stop.
    """
    clock = asyncio.get_running_loop().time
    spoke_at = clock()
    last: tuple[str, str] | None = None
    with gateway.job_wakes.listening(job_id) as news:
        while not gateway.job_wakes.is_closed:
            news.clear()
            job = await gateway.jobs.get(job_id, is_whole=False)
            if job is None:
                return
            frames = await gateway.jobs.frames(job_id, after, FRAMES_MAX)
            is_last = job.has_ended and len(frames) < FRAMES_MAX
            if frames or is_last or (job.state, job.stage) != last:
                last, spoke_at = (job.state, job.stage), clock()
                after = frames[-1].number if frames else after
                yield _Look(job, frames, is_last)
            elif clock() - spoke_at >= gateway.telling.heartbeat_s:
                spoke_at = clock()
                yield None
            if is_last:
                return
            if len(frames) < FRAMES_MAX:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await news.wait()


async def _progress(job: Job, gateway: Gateway) -> bytes:
    label = gateway.telling.labels.of(job.stage)
    if job.stage != "queued":
        return progress_frame(job.stage, label, job=job.id)
    line = await gateway.jobs.line(job)
    return progress_frame("queued", label, job=job.id, place=line.ahead, starts_in_s=starts_in_s(line))
