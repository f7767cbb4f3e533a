"""/v1/jobs: what became of work in the background, for those whose it is."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from seawall.core.contracts import Gateway
from seawall.core.errors import Conflict, InvalidRequest, JobNotFound
from seawall.core.jobs import Job, JobEnding
from seawall.server.cold import json_response, whole_number
from seawall.server.following import job_events
from seawall.server.job_view import show_job
from seawall.server.owners import owner_of_jobs

LISTED_MAX = 100
LISTED_DEFAULT = 20
STATES = ("queued", "in_progress", "completed", "incomplete", "failed", "cancelled")
DIGITS_MAX = 9
NOT_AT_ITS_END = "This job is not at its end. Cancel it first."
EVENTS = {"cache-control": "no-cache", "x-accel-buffering": "no"}

Endpoint = Callable[[Request], Awaitable[Response]]


class OwnJobs:
    """What the routes do; one method per route. Nothing here reaches a provider."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def list(self, request: Request) -> Response:
        """GET /v1/jobs: the caller's jobs, the newest first."""
        owner = await owner_of_jobs(request, self._gateway)
        state = request.query_params.get("status")
        if state is not None and state not in STATES:
            raise InvalidRequest(f"status must be one of {', '.join(STATES)}.", param="status")
        limit = whole_number(request, "limit", LISTED_DEFAULT, LISTED_MAX)
        before = request.query_params.get("after")
        found = await self._gateway.jobs.find(state=state, owner=owner, before=before, limit=limit + 1)
        shown = [show_job(job, self._gateway.telling.labels) for job in found[:limit]]
        return json_response({"object": "list", "data": shown, "has_more": len(found) > limit})

    async def show(self, request: Request) -> Response:
        """GET /v1/jobs/{id}: where it stands, and its answer once it is there."""
        return await self._shown(await self._find(request))

    async def cancel(self, request: Request) -> Response:
        """POST /v1/jobs/{id}/cancel: at once where it waits; a running one stops in a moment."""
        job = await self._find(request)
        return await self._shown(await cancel(job, self._gateway))

    async def delete(self, request: Request) -> Response:
        """DELETE /v1/jobs/{id}: forget a job that is at its end, with its answer."""
        job = await self._find(request)
        if not job.has_ended or not await self._gateway.jobs.forget(job.id):
            raise Conflict(NOT_AT_ITS_END)
        return json_response({"id": job.id, "object": "job", "deleted": True})

    async def events(self, request: Request) -> Response:
        """GET /v1/jobs/{id}/events: its stream and its stages, from any number on, until it is at its end."""
        job = await self._find(request)
        after = number_after(request)
        events = job_events(job, after, self._gateway)
        return StreamingResponse(events, headers=EVENTS, media_type="text/event-stream")

    async def _find(self, request: Request) -> Job:
        owner = await owner_of_jobs(request, self._gateway)
        job = await self._gateway.jobs.get(request.path_params["id"], owner)
        if job is None:
            raise JobNotFound
        return job

    async def _shown(self, job: Job) -> Response:
        line = None if job.has_ended else await self._gateway.jobs.line(job)
        return json_response(show_job(job, self._gateway.telling.labels, line))


async def cancel(job: Job, gateway: Gateway) -> Job:
    """Cancel a job, and wake those who follow it; one at its end stays as it is."""
    news = gateway.news_of(job, JobEnding(state="cancelled", status=0))
    cancelled = await gateway.jobs.cancel(job.id, gateway.now(), gateway.job_rules, news)
    gateway.lines.freed()
    gateway.job_wakes.wake(job.id)
    return cancelled or job


def number_after(request: Request) -> int:
    """Return the number after which events are wanted, -1 for all; raises InvalidRequest."""
    text = request.query_params.get("after") or request.headers.get("last-event-id") or ""
    if not text:
        return -1
    if not text.isascii() or not text.isdigit() or len(text) > DIGITS_MAX:
        raise InvalidRequest("after must be the number of an event.", param="after")
    return int(text)


def job_routes(gateway: Gateway) -> list[Route]:
    """Return the routes of jobs; each asks for a virtual key or a login token."""
    jobs = OwnJobs(gateway)

    def route(path: str, methods: dict[str, Endpoint]) -> Route:
        async def endpoint(request: Request) -> Response:
            return await methods["GET" if request.method == "HEAD" else request.method](request)

        return Route(f"/v1/jobs{path}", endpoint, methods=list(methods))

    return [
        route("", {"GET": jobs.list}),
        route("/{id}", {"GET": jobs.show, "DELETE": jobs.delete}),
        route("/{id}/cancel", {"POST": jobs.cancel}),
        route("/{id}/events", {"GET": jobs.events}),
    ]
