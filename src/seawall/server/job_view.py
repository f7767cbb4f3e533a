"""A job as its owner sees it: as a job object, or as the response that it will be."""

import math
from contextlib import suppress
from typing import Any

import msgspec

from seawall.core.contracts import Gateway
from seawall.core.jobs import Job, Labels, Line, Stage
from seawall.pipeline.accepting import StoredRequest
from seawall.wire.dialect import Answering
from seawall.wire.responses.background import show_pending
from seawall.wire.responses.request import read_request

RESPONSES = "/v1/responses"
MESSAGES_MAX = 1_000_000
"""The request was checked when it was accepted."""

_decode_stored = msgspec.json.Decoder(StoredRequest).decode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class _Error(msgspec.Struct):
    details: dict[str, Any] = {}


class _Refusal(msgspec.Struct):
    error: _Error


_decode_refusal = msgspec.json.Decoder(_Refusal).decode


def show_job(job: Job, labels: Labels, line: Line | None = None) -> dict[str, Any]:
    """Return the job object; `line` says where it stands while it waits. Moments in whole Unix seconds."""
    stage: Stage = "done" if job.has_ended else job.stage
    return {
        "id": job.id,
        "object": "job",
        "kind": job.kind,
        "status": job.shown_state,
        "stage": stage,
        "label": labels.of(stage),
        "endpoint": job.endpoint,
        "model": job.model or None,
        "created_at": int(job.accepted_at),
        "started_at": _whole(job.started_at),
        "ended_at": _whole(job.ended_at),
        "expires_at": _whole(job.expires_at) if job.has_ended else None,
        **_place(job, line),
        "runs": job.run,
        "status_code": job.status or None,
        "result": _result(job),
        "error": _error(job),
        "url": f"/v1/jobs/{job.id}",
        "events_url": f"/v1/jobs/{job.id}/events",
    }


async def show_ended(job: Job, gateway: Gateway) -> bytes:
    """Return the job object as an event tells it: all of why it failed, and never the answer."""
    if job.state == "failed":
        job = await gateway.jobs.get(job.id) or job
    return msgspec.json.encode(show_job(job, gateway.telling.labels) | {"result": None})


def starts_in_s(line: Line) -> int | None:
    """Estimate from measured runs when the next in line begins; `None` where nothing was measured."""
    if line.took_s is None:
        return None
    return math.ceil(line.took_s * (line.ahead + 1) / max(1, line.running)) if line.ahead else 0


def is_response(job: Job) -> bool:
    """Say whether a Responses client knows the job under the id of its response."""
    return job.kind == "call" and job.endpoint == RESPONSES


def show_response(job: Job) -> bytes:
    """Return the response object of a job, whatever its state; the job has to be whole."""
    if job.answer and job.state in ("completed", "incomplete"):
        return job.answer
    error = None if job.code is None else (job.code, job.why or "")
    return msgspec.json.encode(show_pending(answering_of(job), job.shown_state, error))


def answering_of(job: Job) -> Answering:
    """Return what a writer has to know of a job that is a response."""
    stored = _decode_stored(job.request)
    request = read_request(_decode(stored.body), raw_bytes=stored.raw_bytes, messages_max=MESSAGES_MAX)
    return Answering(
        request=request,
        answer_id=job.id.removeprefix("job_"),
        created_at=int(job.accepted_at),
        model=job.model,
        output_cap=0,
    )


def _error(job: Job) -> dict[str, Any] | None:
    """Return why a job failed, with the figures of a refusal where the answer was written and is at hand."""
    if job.code is None:
        return None
    told: dict[str, Any] = {"code": job.code, "message": job.why}
    if job.kind == "call" and job.state == "failed" and job.answer:
        with suppress(msgspec.DecodeError):  # A stream that failed on its way ends in an event.
            if details := _decode_refusal(job.answer).error.details:
                told["details"] = details
    return told


def _result(job: Job) -> Any:
    if not job.answer or job.state not in ("completed", "incomplete"):
        return None
    return msgspec.Raw(job.answer)


def _place(job: Job, line: Line | None) -> dict[str, int | None]:
    if line is None or job.shown_state != "queued":
        return {"place": None, "starts_in_s": None}
    return {"place": line.ahead, "starts_in_s": starts_in_s(line)}


def _whole(moment: float | None) -> int | None:
    return None if moment is None else int(moment)
