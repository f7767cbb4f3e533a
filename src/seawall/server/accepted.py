"""What a client is told of a call that was accepted as a job."""

from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec

from seawall.core.call import Call
from seawall.core.contracts import Gateway
from seawall.core.errors import SeawallError
from seawall.core.jobs import Job
from seawall.server.endpoints import Endpoint
from seawall.server.following import response_events
from seawall.server.job_view import is_response, show_job, show_response
from seawall.server.progress import Send
from seawall.server.replies import EVENT_STREAM, Headers

REPLAY = (b"seawall-idempotent-replay", b"true")

_RESPOND_ASYNC = b"respond-async"


async def tell_accepted(call: Call, endpoint: Endpoint, send: Send, cors: Headers, gateway: Gateway) -> None:
    """Answer with the job: as the response that it will be, as its stream, or as 202 and a job object."""
    job = call.job
    assert job is not None and call.asked is not None
    headers: Headers = [(endpoint.request_id_header, call.id.encode()), *cors]
    if call.is_repeated:
        headers.append(REPLAY)
        job = await gateway.jobs.get(job.id) or job  # With its answer, where it is there.
    if is_response(job) and not call.deferral.is_wanted:
        if call.asked.stream:
            await _stream(response_events(job, -1, gateway), headers, send)
            return
        await _whole(200, show_response(job), headers, send)
        return
    line = None
    with suppress(SeawallError):  # It is accepted, wherever it stands.
        line = await gateway.jobs.line(job)
    body = msgspec.json.encode(show_job(job, gateway.telling.labels, line))
    headers += _where(job)
    await _whole(202, body, headers, send)


def _where(job: Job) -> Headers:
    return [
        (b"location", f"/v1/jobs/{job.id}".encode()),
        (b"preference-applied", _RESPOND_ASYNC),
    ]


async def _whole(status: int, body: bytes, headers: Headers, send: Send) -> None:
    about = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*about, *headers]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _stream(events: AsyncIterator[bytes], headers: Headers, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [*EVENT_STREAM, *headers]})
    with suppress(
        SeawallError
    ):  # The stream ends without its last event: the client comes back for the rest.
        async for frame in events:
            if frame:
                await send({"type": "http.response.body", "body": frame, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
