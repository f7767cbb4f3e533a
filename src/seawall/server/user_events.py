"""GET /v1/events: the caller hears of its own jobs as they end, wherever they were done.

Invariants:
- Every event names a place, after which any gateway goes on: nothing depends on this process.
- Ends are looked at again for a few seconds: one that another gateway wrote late, or by a slower clock, is
  told as well. No stream tells the same end twice.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from math import isfinite

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from seawall.core.contracts import Gateway
from seawall.core.errors import InvalidRequest, RateLimited
from seawall.core.jobs import Job
from seawall.core.state import Owner
from seawall.server.job_view import show_ended
from seawall.server.owners import owner_of_jobs
from seawall.wire.progress import KEEP_ALIVE

STREAMS_MAX = 8
"""How many streams of one caller a process keeps open."""
RETRY_AFTER_S = 5.0
POLL_S = 1.0
LOOK_BACK_S = 5.0
PAGE_MAX = 100
PLACE_CHARS_MAX = 200
NOT_FOR_PAGES = "Events are for keys that stay on a server, and for logged-in users."
NO_PLACE = "Last-Event-ID must be the id of an event of this stream."
HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


class Place(Struct, frozen=True, order=True):
    """An end of a job: when it was, in Unix seconds, and of which job."""

    at: float
    job_id: str = ""

    def __str__(self) -> str:
        return f"{self.at!r}-{self.job_id}"


class UserEvents:
    """What the route does; counts the streams that are open."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._open: Counter[Owner] = Counter()

    async def follow(self, request: Request) -> Response:
        """GET /v1/events: an event for each job that ends, after the one that Last-Event-ID names."""
        owner = await owner_of_jobs(request, self._gateway)
        text = request.query_params.get("after") or request.headers.get("last-event-id")
        after = read_place(text) if text else Place(self._gateway.now())
        if self._open[owner] >= STREAMS_MAX:
            raise RateLimited(
                f"{STREAMS_MAX} streams of events are open for this user. Close one.",
                retry_after_s=RETRY_AFTER_S,
            )
        return _Stream(events_of(owner, after, self._gateway), owner, self._open)


class _Stream(StreamingResponse):
    """Counts itself for as long as it is open."""

    def __init__(self, events: AsyncIterator[bytes], owner: Owner, opened: Counter[Owner]) -> None:
        super().__init__(events, headers=HEADERS, media_type="text/event-stream")
        self._owner, self._opened = owner, opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._opened[self._owner] += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._opened[self._owner] -= 1
            if not self._opened[self._owner]:
                del self._opened[self._owner]


async def events_of(owner: Owner, after: Place, gateway: Gateway) -> AsyncIterator[bytes]:
    """Yield the ends of an owner's jobs after a place, and a comment after every silence.

    It ends only where this process is about to stop.
    """
    clock = asyncio.get_running_loop().time
    newest, spoke_at = after, clock()
    told: set[Place] | None = None
    yield b"retry: 1000\n\n"
    while not gateway.job_wakes.is_closed:
        ends = [job async for job in _ends(owner, newest.at - LOOK_BACK_S, gateway)]
        if told is None:  # What is before the place was told by the stream before this one.
            told = {place for place in map(_place, ends) if place <= after}
        for job in ends:
            place = _place(job)
            if place not in told:
                told.add(place)
                newest, spoke_at = max(newest, place), clock()
                yield await _frame(job, newest, gateway)
        told = {place for place in told if place.at >= newest.at - LOOK_BACK_S}
        if clock() - spoke_at >= gateway.telling.heartbeat_s:
            spoke_at = clock()
            yield KEEP_ALIVE
        await asyncio.sleep(POLL_S)


def read_place(text: str) -> Place:
    """Read the id of an event; raises InvalidRequest."""
    moment, mark, job_id = text.partition("-")
    try:
        at = float(moment) if moment.isascii() and len(text) <= PLACE_CHARS_MAX else -1.0
    except ValueError:
        at = -1.0
    if not mark or not isfinite(at) or at < 0 or not job_id.isprintable():
        raise InvalidRequest(NO_PLACE, param="Last-Event-ID")
    return Place(at, job_id)


def event_routes(gateway: Gateway) -> list[Route]:
    """Return the route, which asks for a virtual key or a login token."""
    return [Route("/v1/events", UserEvents(gateway).follow, methods=["GET"])]


async def _ends(owner: Owner, since: float, gateway: Gateway) -> AsyncIterator[Job]:
    """Yield what has ended since a moment, the oldest first."""
    place = Place(since)
    while True:
        page = await gateway.jobs.ended(owner, place.at, place.job_id, PAGE_MAX)
        for job in page:
            yield job
        if len(page) < PAGE_MAX:
            return
        place = _place(page[-1])


def _place(job: Job) -> Place:
    assert job.ended_at is not None
    return Place(job.ended_at, job.id)


async def _frame(job: Job, place: Place, gateway: Gateway) -> bytes:
    shown = await show_ended(job, gateway)
    return b"id: %s\nevent: job.%s\ndata: %s\n\n" % (str(place).encode(), job.state.encode(), shown)
