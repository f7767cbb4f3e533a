"""The admin API of jobs: what waits, what runs, what failed; taking up again, cancelling, forgetting."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seawall.core.contracts import Gateway
from seawall.core.errors import Conflict, InvalidRequest, JobNotFound
from seawall.core.jobs import ENDED, Job, JobEnding, JobFigures, JobRules, Jobs, Line, NewsOf
from seawall.core.money import format_usd
from seawall.server.cold import admin_route, json_response, whole_number
from seawall.server.showing import iso_of

NO_JOB = "There is no job with this id. It may have expired or been deleted."
JOBS_MAX = 1_000
JOBS_DEFAULT = 100
DAY_S = 86_400.0
STATES = ("queued", "in_progress", *sorted(ENDED))
"""The states that jobs can be asked for by."""
AGAIN = frozenset({"failed", "cancelled"})
"""Those from which a job can be taken up again."""


class AdminJobs:
    """What the routes do; one method per route."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def list(self, request: Request) -> Response:
        """GET /admin/v1/jobs?state=&user=&before=&limit=: the newest first, without their texts."""
        query = request.query_params
        found = await self._gateway.jobs.find(
            state=read_state(query.get("state"), STATES),
            user=query.get("user"),
            before=query.get("before"),
            limit=whole_number(request, "limit", JOBS_DEFAULT, JOBS_MAX),
        )
        return json_response({"data": [show_job(job) for job in found]})

    async def show(self, request: Request) -> Response:
        """GET /admin/v1/jobs/{id}?texts=: one job; what was asked and answered only where that is wanted."""
        texts = request.query_params.get("texts", "false")
        if texts not in ("true", "false"):
            raise InvalidRequest("texts must be true or false.", param="texts")
        is_whole = texts == "true"
        job = await self._gateway.jobs.get(request.path_params["id"], is_whole=is_whole)
        if job is None:
            raise JobNotFound(NO_JOB)
        return json_response(show_job(job) | (show_texts(job) if is_whole else {}))

    async def line(self, _: Request) -> Response:
        """GET /admin/v1/jobs/line: how long the line is, how fast it moves, and what is held for it."""
        gateway = self._gateway
        now = gateway.now()
        figures = await gateway.jobs.figures(now - DAY_S, gateway.job_rules)
        return json_response(show_line(await gateway.jobs.line(), figures, now))

    async def retry(self, request: Request) -> Response:
        """POST /admin/v1/jobs/{id}/retry: take up a failed or cancelled job again."""
        return await self._change(request, retry)

    async def cancel(self, request: Request) -> Response:
        """POST /admin/v1/jobs/{id}/cancel: end a job; one that runs is told to stop."""
        return await self._change(request, partial(cancel, news_of=self._gateway.news_of))

    async def purge(self, request: Request) -> Response:
        """DELETE /admin/v1/jobs?state=&before=: forget jobs that ended before a moment."""
        query = request.query_params
        unknown = sorted(set(query) - {"state", "before"})
        if unknown or len(query.multi_items()) > len(query):  # A slip must not widen what is deleted.
            param = unknown[0] if unknown else None
            raise InvalidRequest("Only state and before can be named, each once.", param=param)
        state = read_state(query.get("state"), tuple(sorted(ENDED)))
        before = _moment(query.get("before"))
        return json_response({"deleted": await self._gateway.jobs.purge(state=state, before=before)})

    async def _change(self, request: Request, change: "Change") -> Response:
        gateway = self._gateway
        job = await change(gateway.jobs, request.path_params["id"], gateway.now(), gateway.job_rules)
        gateway.lines.freed()
        gateway.job_wakes.wake(job.id)
        return json_response(show_job(job))


Change = Callable[[Jobs, str, float, JobRules], Awaitable[Job]]


async def retry(jobs: Jobs, job_id: str, now: float, rules: JobRules) -> Job:
    """Take up a failed or cancelled job again; raises JobNotFound, and Conflict for one in another state."""
    job = await jobs.get(job_id, is_whole=False)
    if job is None:
        raise JobNotFound(NO_JOB)
    if job.state not in AGAIN:
        raise Conflict(f"The job is {job.shown_state}. Only failed and cancelled jobs can be taken up again.")
    taken_up = await jobs.retry(job_id, now, rules)
    if taken_up is None:
        raise JobNotFound(NO_JOB)
    return taken_up


async def cancel(jobs: Jobs, job_id: str, now: float, rules: JobRules, news_of: NewsOf | None = None) -> Job:
    """End a job, or tell it to stop where it runs; raises JobNotFound, and Conflict for one at its end.

    One that is cancelled already is returned as it is.
    """
    found = await jobs.get(job_id, is_whole=False)
    ending = JobEnding(state="cancelled", status=0)
    news = news_of(found, ending) if found is not None and news_of is not None else None
    job = await jobs.cancel(job_id, now, rules, news)
    if job is None:
        raise JobNotFound(NO_JOB)
    if job.has_ended and job.state != "cancelled":
        raise Conflict(f"The job is {job.state} already.")
    return job


def read_state(text: str | None, states: tuple[str, ...]) -> str | None:
    """Read the name of a state; raises InvalidRequest for one that there is not."""
    if text is not None and text not in states:
        raise InvalidRequest(f"state must be one of {', '.join(states)}.", param="state")
    return text


def show_job(job: Job) -> dict[str, Any]:
    """Show a job as the operator may see it: no prompt and no answer."""
    return {
        "id": job.id,
        "kind": job.kind,
        "status": job.shown_state,
        "stage": job.stage,
        "endpoint": job.endpoint,
        "model": job.model or None,
        "stream": job.stream,
        "key_id": job.owner.key_id,
        "end_user": job.owner.end_user or None,
        "priority": job.priority,
        "accepted_at": iso_of(job.accepted_at),
        "due_at": iso_of(job.due_at),
        "started_at": iso_of(job.started_at),
        "ended_at": iso_of(job.ended_at),
        "expires_at": iso_of(job.expires_at),
        "runs": job.run,
        "failures": job.failures,
        "cancelling": job.is_cancelling,
        "held_usd": format_usd(job.hold.amount if job.hold is not None else 0),
        "status_code": job.status or None,
        "code": job.code,
        "why": job.why,
        "call_id": job.call_id,
    }


def show_texts(job: Job) -> dict[str, Any]:
    """Show what was asked and what was answered."""
    return {"request": _json_or_text(job.request), "answer": _json_or_text(job.answer)}


def show_line(line: Line, figures: JobFigures, now: float) -> dict[str, Any]:
    """Show how long the line is."""
    oldest_at = figures.oldest_at
    return {
        "waiting": figures.waiting,
        "timed": figures.timed,
        "running": figures.running,
        "mean_run_s": None if line.took_s is None else round(line.took_s, 3),
        "oldest_waiting_s": None if oldest_at is None else round(max(0.0, now - oldest_at), 3),
        "held_usd": format_usd(figures.held),
        "failed_in_a_day": [msgspec.structs.asdict(each) for each in figures.failed],
        "workers": figures.workers,
    }


def job_admin_routes(gateway: Gateway, admin_key: str) -> list[Route]:
    """Return the routes; every one asks for the admin key first."""
    jobs = AdminJobs(gateway)
    return [
        admin_route("/jobs", {"GET": jobs.list, "DELETE": jobs.purge}, admin_key),
        admin_route("/jobs/line", {"GET": jobs.line}, admin_key),
        admin_route("/jobs/{id}", {"GET": jobs.show}, admin_key),
        admin_route("/jobs/{id}/retry", {"POST": jobs.retry}, admin_key),
        admin_route("/jobs/{id}/cancel", {"POST": jobs.cancel}, admin_key),
    ]


def _moment(text: str | None) -> float:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        raise InvalidRequest(
            "before must be a moment such as 2027-01-31T12:00:00Z.", param="before"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _json_or_text(raw: bytes) -> object:
    """Return JSON as it is; what is none, such as the frames of a stream, as text."""
    if not raw:
        return None
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw.decode(errors="replace")
