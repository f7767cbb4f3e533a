"""GET, DELETE and the rest of /v1/responses/{id}: what is stored of answers, for those whose it is."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from seawall.core.contracts import Gateway
from seawall.core.errors import Conflict, InvalidRequest, ResponseNotFound
from seawall.core.jobs import Job
from seawall.core.state import StoredItem, StoredResponse
from seawall.server.cold import json_response
from seawall.server.following import response_events
from seawall.server.job_view import is_response, show_response
from seawall.server.jobs import EVENTS, NOT_AT_ITS_END, cancel
from seawall.server.owners import owner_of_jobs, owner_of_state
from seawall.wire import sse
from seawall.wire.responses.objects import PREFIX
from seawall.wire.responses.stored import frames_after, page_of, show_deleted

ITEMS_MAX = 100
ITEMS_DEFAULT = 20
DIGITS_MAX = 9
JOB = "job_"
NOT_STREAMED = "This response was not streamed, so there are no events to send again. Leave stream out."
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}

Endpoint = Callable[[Request], Awaitable[Response]]


class Stored:
    """What the routes do; one method per route. Nothing here reaches a provider or costs money."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def show(self, request: Request) -> Response:
        """GET /v1/responses/{id}: the response as it was answered, or its stream once more."""
        is_stream = _boolean(request, "stream")
        after = _number(request, "starting_after", least=0, most=10**DIGITS_MAX)
        job = await self._job(request)
        if job is not None:
            return self._of_job(job, after, is_stream=is_stream)
        found = await self._find(request)
        if not is_stream:
            return Response(found.body, media_type="application/json")
        if not found.frames:
            raise InvalidRequest(NOT_STREAMED, param="stream")
        frames = found.frames if after is None else await asyncio.to_thread(frames_after, found.frames, after)
        return Response(
            frames + sse.DONE,
            headers=EVENTS,
            media_type="text/event-stream",
        )

    async def delete(self, request: Request) -> Response:
        """DELETE /v1/responses/{id}: forget it with its items, from now on."""
        response_id, owner = request.path_params["id"], await owner_of_state(request, self._gateway)
        job = await self._job(request)
        if job is not None and not (job.has_ended and await self._gateway.jobs.forget(job.id)):
            raise Conflict(NOT_AT_ITS_END)
        was_stored = await self._gateway.conversations.delete(response_id, owner, self._gateway.now())
        if not was_stored and job is None:
            raise ResponseNotFound
        return json_response(show_deleted(response_id))

    async def input_items(self, request: Request) -> Response:
        """GET /v1/responses/{id}/input_items: everything that the answer was made from, the newest first."""
        limit = _number(request, "limit", least=1, most=ITEMS_MAX) or ITEMS_DEFAULT
        order = request.query_params.get("order", "desc")
        if order not in ("asc", "desc"):
            raise InvalidRequest("order must be asc or desc.", param="order")
        found = await self._find(request)
        items = (*await self._before(found), *found.input)
        after = request.query_params.get("after")
        page = page_of(items, is_ascending=order == "asc", after=after, limit=limit)
        if page is None:
            raise InvalidRequest("This response has no input item of that id.", param="after")
        return json_response(page)

    async def cancel(self, request: Request) -> Response:
        """POST /v1/responses/{id}/cancel: for one made in the background; at its end it stays as it is."""
        job = await self._job(request)
        if job is None:
            await self._find(request)
            raise InvalidRequest("Only background responses can be cancelled, and this one is complete.")
        cancelled = await cancel(job, self._gateway)
        whole = await self._gateway.jobs.get(cancelled.id)
        return Response(show_response(whole or job), media_type="application/json")

    async def _job(self, request: Request) -> Job | None:
        """Return the job that makes a response in the background, where one does."""
        owner = await owner_of_jobs(request, self._gateway)
        job_id = JOB + request.path_params["id"].removeprefix(PREFIX)
        job = await self._gateway.jobs.get(job_id, owner)
        return job if job is not None and is_response(job) else None

    def _of_job(self, job: Job, after: int | None, *, is_stream: bool) -> Response:
        if not is_stream:
            return Response(show_response(job), media_type="application/json")
        if not job.stream:
            raise InvalidRequest(NOT_STREAMED, param="stream")
        events = response_events(job, -1 if after is None else after, self._gateway)
        return StreamingResponse(events, headers=EVENTS, media_type="text/event-stream")

    async def _find(self, request: Request) -> StoredResponse:
        owner = await owner_of_state(request, self._gateway)
        now = self._gateway.now()
        found = await self._gateway.conversations.get(request.path_params["id"], owner, now)
        if found is None:
            raise ResponseNotFound
        return found

    async def _before(self, found: StoredResponse) -> tuple[StoredItem, ...]:
        """Return the items of the responses before it, where they are still there."""
        if found.previous_id is None:
            return ()
        now = self._gateway.now()
        return await self._gateway.conversations.history(found.previous_id, found.owner, now) or ()


def stored_routes(gateway: Gateway) -> list[Route]:
    """Return the routes of stored responses; each asks for a virtual key, but for jobs of login tokens."""
    stored = Stored(gateway)

    def route(path: str, methods: dict[str, Endpoint]) -> Route:
        async def endpoint(request: Request) -> Response:
            return await methods["GET" if request.method == "HEAD" else request.method](request)

        return Route(f"/v1/responses/{{id}}{path}", endpoint, methods=list(methods))

    return [
        route("", {"GET": stored.show, "DELETE": stored.delete}),
        route("/input_items", {"GET": stored.input_items}),
        route("/cancel", {"POST": stored.cancel}),
    ]


def _boolean(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false").lower()
    if text not in _BOOLEANS:
        raise InvalidRequest(f"{name} must be true or false.", param=name)
    return _BOOLEANS[text]


def _number(request: Request, name: str, *, least: int, most: int) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    is_number = text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
    if not is_number or not least <= int(text) <= most:
        raise InvalidRequest(f"{name} must be a whole number from {least} to {most}.", param=name)
    return int(text)
