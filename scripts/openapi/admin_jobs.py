"""The admin API of jobs."""

from collections.abc import Callable
from typing import get_args

from openapi.shapes import (
    Json,
    answer,
    boolean,
    choice,
    in_path,
    many,
    maybe,
    moment,
    money,
    number,
    query,
    ref,
    text,
    whole,
    whole_of,
)
from seawall.core.jobs import ENDED, JobKind, Stage
from seawall.server.admin_jobs import JOBS_DEFAULT, JOBS_MAX, STATES

_ENDED = tuple(sorted(ENDED))
_job_id = in_path("id", "The id of a job.")
Operation = Callable[..., Json]


def job_schemas() -> Json:
    """Return a job as the operator sees it, and the line."""
    fields: Json = {
        "id": text(),
        "kind": choice(*get_args(JobKind)),
        "status": choice(*STATES),
        "stage": choice(*get_args(Stage)),
        "endpoint": text("The address that was called, or the name of a task's target."),
        "model": maybe(text()),
        "stream": boolean(),
        "key_id": text(),
        "end_user": maybe(text()),
        "priority": whole(),
        "accepted_at": moment(),
        "due_at": moment(),
        **{name: maybe(moment()) for name in ("started_at", "ended_at", "expires_at")},
        "runs": whole("How often it was begun."),
        "failures": whole("How many runs ended in trouble that may pass."),
        "cancelling": boolean("Whether it is told to stop."),
        "held_usd": money(),
        "status_code": maybe(whole("The HTTP status of its answer.")),
        "code": maybe(text()),
        "why": maybe(text()),
        "call_id": text("The id of its call in the log."),
    }
    failures = whole_of({"code": text(), "is_refusal": boolean(), "jobs": whole()})
    job = whole_of(fields)
    texts: Json = {
        "request": {"description": "What was asked."},
        "answer": {"description": "What came of it."},
    }
    return {
        "OperatorJob": {**job, "properties": {**job["properties"], **texts}},
        "JobLine": whole_of(
            {
                "waiting": whole("Jobs that could begin."),
                "timed": whole("Jobs that wait for their time."),
                "running": whole(),
                "mean_run_s": maybe(number("Of the last hundred.")),
                "oldest_waiting_s": maybe(number()),
                "held_usd": money("For jobs that have not begun."),
                "failed_in_a_day": many(failures),
                "workers": whole("Processes that do jobs and live."),
            }
        ),
    }


def job_paths(operation: Operation) -> Json:
    """Return the operations."""
    listed = [
        query("state", choice(*STATES), "Only jobs in this state."),
        query("user", text(), "Only jobs of this end user."),
        query("before", text(), "Only jobs older than the one with this id."),
        query("limit", whole(minimum=1, maximum=JOBS_MAX, default=JOBS_DEFAULT), "How many."),
    ]
    purged = [
        {**query("before", moment(), "When they ended at the latest."), "required": True},
        query("state", choice(*_ENDED), "Only jobs that ended like this."),
    ]
    texts = query("texts", boolean(), "Show what was asked and answered too.")
    one: Json = {"parameters": [_job_id], "statuses": (404, 409)}
    shown = answer("The job as it is now.", ref("OperatorJob"))
    page = answer("A page.", whole_of({"data": many(ref("OperatorJob"))}))
    deleted = answer("How many are forgotten.", whole_of({"deleted": whole()}))
    return {
        "/jobs": {
            "get": operation("listAllJobs", "Jobs, the newest first", page, parameters=listed),
            "delete": operation("purgeJobs", "Forget jobs at their end", deleted, parameters=purged),
        },
        "/jobs/line": {"get": operation("getJobLine", "How long the line is", answer("It.", ref("JobLine")))},
        "/jobs/{id}": {
            "get": operation(
                "getAnyJob",
                "One job; prompt and answer only where they are asked for",
                answer("It.", ref("OperatorJob")),
                parameters=[_job_id, texts],
                statuses=(404,),
            )
        },
        "/jobs/{id}/retry": {
            "post": operation("retryJob", "Take up a failed or cancelled job again", shown, **one)
        },
        "/jobs/{id}/cancel": {
            "post": operation("cancelAnyJob", "End a job, or tell it to stop", shown, **one)
        },
    }
