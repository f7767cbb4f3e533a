"""Work in the background: jobs, and tasks, which are the app's own."""

from openapi.errors import DETAILS, errors
from openapi.shapes import (
    Json,
    answer,
    body,
    boolean,
    choice,
    closed,
    in_path,
    many,
    maybe,
    number,
    query,
    ref,
    text,
    whole,
    whole_of,
)

KEY: list[Json] = [{"virtualKey": []}, {"virtualKeyHeader": []}]
STATES = ("queued", "in_progress", "completed", "incomplete", "failed", "cancelled")
ANY: Json = {"description": "What the target gets: any JSON."}


def job_schemas() -> Json:
    """Return a job as its owner sees it, and what is sent for a task."""
    jobs = {"object": text(const="list"), "data": many(ref("Job")), "has_more": boolean()}
    return {
        "Jobs": whole_of(jobs),
        "Job": whole_of(
            {
                "id": text(),
                "object": text(const="job"),
                "kind": choice("call", "task"),
                "status": choice(*STATES),
                "stage": choice("queued", "thinking", "writing", "checking", "done"),
                "label": text("What people are told of the stage."),
                "endpoint": text("The address that was called, or the target of a task."),
                "model": maybe(text()),
                "created_at": whole(),
                "started_at": maybe(whole()),
                "ended_at": maybe(whole()),
                "expires_at": maybe(whole()),
                "place": maybe(whole("How many are before it, while it is queued.")),
                "starts_in_s": maybe(whole("An estimate, while it is queued.")),
                "runs": whole(),
                "status_code": maybe(whole("The status of the result.")),
                "result": {"description": "The answer, once it is there."},
                "error": maybe(ref("JobError")),
                "url": text(),
                "events_url": text(),
            },
            "Moments are Unix seconds.",
        ),
        "JobError": closed(
            {"code": text(), "message": maybe(text()), "details": DETAILS}, needs=("code", "message")
        ),
        "Task": closed(
            {
                "target": text("The name of a target of the configuration."),
                "body": ANY,
                "delay_s": maybe(number("In how many seconds.", minimum=0, maximum=366 * 86_400)),
                "run_at": {
                    "description": "When: ISO 8601 with its zone, or Unix seconds.",
                    "type": ["string", "number", "null"],
                },
                "idempotency_key": maybe(
                    text("The same key, for the same target, gives the same job.", minLength=1, maxLength=255)
                ),
                "priority": whole("The higher goes first.", minimum=0, maximum=9, default=0),
            },
            needs=("target", "body"),
        ),
    }


def job_paths() -> Json:
    """Return the operations."""
    return {**_jobs(), **_tasks()}


def _operation(name: str, summary: str, ok: Json, *parameters: Json, may_fail: tuple[int, ...] = ()) -> Json:
    whose = [{"$ref": "#/components/parameters/seawall-user"}]
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["Background work"],
        "security": KEY,
        "parameters": [*parameters, *whose],
        "responses": {"200": ok, **errors(401, 403, *may_fail)},
    }


def _jobs() -> Json:
    job, job_id = answer("The job.", ref("Job")), in_path("id", "The id of a job.")
    gone = whole_of({"id": text(), "object": text(const="job"), "deleted": boolean()})
    events = {
        "description": "Its events.",
        "content": {"text/event-stream": {"schema": text("Server-sent events.")}},
    }
    page = [
        query("status", choice(*STATES), "Only jobs that are so."),
        query("limit", whole(minimum=1, maximum=100, default=20), "How many."),
        query("after", text(), "The id of a job to go on from."),
    ]
    after = query("after", whole(minimum=0, maximum=10**9 - 1), "Only events after this number.")
    one = "/v1/jobs/{id}"
    return {
        "/v1/jobs": {
            "get": _operation(
                "listJobs", "The caller's jobs, the newest first", answer("A page.", ref("Jobs")), *page
            )
        },
        one: {
            "get": _operation("getJob", "One job", job, job_id, may_fail=(404,)),
            "delete": _operation(
                "deleteJob", "Forget an ended job", answer("Gone.", gone), job_id, may_fail=(404, 409)
            ),
        },
        f"{one}/cancel": {"post": _operation("cancelJob", "Cancel a job", job, job_id, may_fail=(404,))},
        f"{one}/events": {
            "get": _operation("followJob", "Follow a job to its end", events, job_id, after, may_fail=(404,))
        },
    }


def _tasks() -> Json:
    location = {"location": {"description": "The address of the job.", "schema": text()}}
    key = {
        "name": "idempotency-key",
        "in": "header",
        "description": "The same as `idempotency_key`.",
        "schema": text(minLength=1, maxLength=255),
    }
    return {
        "/v1/tasks": {
            "post": {
                "operationId": "createTask",
                "summary": "Send a task to a target of the configuration",
                "tags": ["Background work"],
                "security": KEY,
                "parameters": [{"$ref": "#/components/parameters/seawall-user"}, key],
                "requestBody": body(ref("Task")),
                "responses": {
                    "202": answer("It is accepted.", ref("Job"), headers=location),
                    "200": answer("It was accepted before, by the same key.", ref("Job"), headers=location),
                    **errors(401, 403, 409, 413, 429),
                },
            }
        }
    }
