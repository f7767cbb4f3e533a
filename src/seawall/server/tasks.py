"""POST /v1/tasks: the app's own slow work, accepted now and delivered to a target of the configuration."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Raw
from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import Route

from seawall.core.call import Call, OutputCap, Request
from seawall.core.contracts import Gateway
from seawall.core.errors import InvalidRequest, KeyReused, NotAllowed, SeawallError
from seawall.core.jobs import PRIORITY_MAX, Accepted, JobAsk, JobDraft, Known, TooMany
from seawall.core.policy import Principal
from seawall.core.tasks import TASKS_PATH, TaskRequest, TaskTarget
from seawall.pipeline.accepting import too_many
from seawall.pipeline.access import authenticate, know_user, read_request, refuse_locked_out
from seawall.pipeline.limiting import limit_task
from seawall.pipeline.state import owner_of
from seawall.server.body import BodyLimits, read_json
from seawall.server.calls import is_large
from seawall.server.cold import json_response
from seawall.server.credentials import credentials_of, end_user_of
from seawall.server.job_view import show_job
from seawall.server.wishes import read_key, wishes_of

DIALECT = "task"
ONLY_KEYS = "Tasks are for keys that stay on a server."
FIELDS = ("target", "body", "delay_s", "run_at", "idempotency_key", "priority")
AHEAD_S_MAX = 366 * 86_400.0
TARGET_CHARS_MAX = 100


class Tasks:
    """Accepts tasks. They reach no model and cost nothing, so the call log knows nothing of them."""

    def __init__(self, gateway: Gateway, limits: BodyLimits) -> None:
        self._gateway, self._limits = gateway, limits

    async def create(self, request: WebRequest) -> Response:
        """POST /v1/tasks: 202 with the job, once it is on disk."""
        gateway, task = self._gateway, asyncio.current_task()
        assert task is not None
        now = gateway.now()
        call = Call(
            gateway.new_id(now),
            task=task,
            endpoint=TASKS_PATH,
            received_at=now,
            credentials=credentials_of(request.scope, gateway.proxies),
            read=partial(self._read, request),
        )
        call.is_large = is_large(request.scope["headers"])
        try:
            answer = await self._accept(call, request)
            call.ended(None)
            return await self._shown(answer, call)
        except BaseException as error:
            call.ended(error)
            raise
        finally:
            gateway.tell(call, gateway.now())

    async def _accept(self, call: Call, request: WebRequest) -> Accepted | Known:
        gateway = self._gateway
        await authenticate(call, gateway)
        await read_request(call, gateway)
        await know_user(call, gateway)
        await limit_task(call, gateway)
        await refuse_locked_out(call, gateway)
        draft = self._draft_of(call, wishes_of(request.scope["headers"]).deferral.idempotency_key)
        answer = await gateway.jobs.accept(JobAsk(draft), gateway.job_rules)
        if isinstance(answer, TooMany):
            raise too_many(answer, await gateway.jobs.line(), gateway)
        assert isinstance(answer, Accepted | Known), "a task holds no money"
        if isinstance(answer, Known) and not answer.is_same:
            raise KeyReused
        return answer

    async def _read(self, request: WebRequest, caller: Principal) -> Request:
        """Read the body; raises NotAllowed for callers that are no server."""
        if caller.is_browser:
            raise NotAllowed(ONLY_KEYS)
        headers = request.scope["headers"]
        body, size = await read_json(headers, request.receive, self._limits)  # type: ignore[arg-type] # the same type by another name
        target = body.get("target")
        return Request(
            dialect=DIALECT,
            body=body,
            raw_bytes=size,
            model=target[:TARGET_CHARS_MAX] if isinstance(target, str) else "",
            stream=False,
            cap=OutputCap(),
            end_user=end_user_of(headers),
        )

    def _draft_of(self, call: Call, key: str | None) -> JobDraft:
        """Write the job; raises InvalidRequest for what no task can say."""
        assert call.request is not None and call.principal is not None
        body, owner = call.request.body, owner_of(call)
        unknown = next((name for name in body if name not in FIELDS), None)
        if unknown is not None:
            raise InvalidRequest(f"A task has the fields {', '.join(FIELDS)}.", param=unknown)
        if "body" not in body:
            raise InvalidRequest("body says what the target gets: any JSON.", param="body")
        target = self._target_of(body.get("target"), call.principal)
        due_at = due_of(body, call.received_at)
        stated = {name: value for name, value in body.items() if name != "idempotency_key"}
        return JobDraft(
            id=f"job_{call.id.removeprefix('call_')}",
            kind="task",
            owner=owner,
            lane=f"{owner.key_id}/{owner.end_user} {target.name}",
            endpoint=target.name,
            request=msgspec.json.encode(TaskRequest(Raw(msgspec.json.encode(body["body"])), due_at)),
            accepted_at=call.received_at,
            due_at=due_at,
            priority=_priority_of(body),
            idempotency_key=key_of(body, key),
            request_hash=sha256(msgspec.json.encode(stated, order="deterministic")).digest(),
        )

    def _target_of(self, name: Any, principal: Principal) -> TaskTarget:
        """Return the target that is named; nobody hears of those of other keys."""
        own = {each.name: each for each in self._gateway.tasks.values() if each.admits(principal)}
        if isinstance(name, str) and name in own:
            return own[name]
        there = f"There are {', '.join(own)}." if own else "There are none."
        raise InvalidRequest(
            f"target must name one of the targets that this key may use. {there} The operator of this gateway"
            " states them under [tasks.NAME].",
            param="target",
        )

    async def _shown(self, answer: Accepted | Known, call: Call) -> Response:
        job, gateway = answer.job, self._gateway
        line = None
        with suppress(SeawallError):  # It is accepted, wherever it stands.
            line = await gateway.jobs.line(job)
        call.status = 202 if isinstance(answer, Accepted) else 200
        response = json_response(show_job(job, gateway.telling.labels, line), call.status)
        response.headers["location"] = f"/v1/jobs/{job.id}"
        response.headers["x-request-id"] = call.id
        if isinstance(answer, Known):
            response.headers["seawall-idempotent-replay"] = "true"
        return response


def due_of(body: Mapping[str, Any], now: float) -> float:
    """Return when a task is to be delivered, in Unix seconds; raises InvalidRequest."""
    delay_s, run_at = body.get("delay_s"), body.get("run_at")
    if delay_s is not None and run_at is not None:
        raise InvalidRequest("State either delay_s or run_at, not both.", param="run_at")
    if delay_s is not None:
        if not _is_number(delay_s) or not 0 <= delay_s <= AHEAD_S_MAX:
            raise InvalidRequest(
                f"delay_s must be a number of seconds from 0 to {AHEAD_S_MAX:.0f}.", param="delay_s"
            )
        return now + float(delay_s)
    if run_at is None:
        return now
    at = _moment_of(run_at)
    if at is None or at > now + AHEAD_S_MAX:
        raise InvalidRequest(
            'run_at must be a moment within a year: as in "2026-11-27T07:30:00Z", or in Unix seconds.',
            param="run_at",
        )
    return max(at, now)


def key_of(body: Mapping[str, Any], shown: str | None) -> str | None:
    """Return the idempotency key of body or header; raises InvalidRequest for two, or for what is none."""
    stated = body.get("idempotency_key")
    if stated is None:
        return shown
    if not isinstance(stated, str):
        raise InvalidRequest("idempotency_key must be text.", param="idempotency_key")
    key = read_key(stated)
    if shown is not None and shown != key:
        raise InvalidRequest(
            "The request shows two different idempotency keys. Send one.", param="idempotency_key"
        )
    return key


def task_routes(gateway: Gateway, limits: BodyLimits) -> list[Route]:
    """Return the route of tasks; it asks for a virtual key."""
    return [Route(TASKS_PATH, Tasks(gateway, limits).create, methods=["POST"])]


def _priority_of(body: Mapping[str, Any]) -> int:
    priority = body.get("priority", 0)
    if not isinstance(priority, int) or isinstance(priority, bool) or not 0 <= priority <= PRIORITY_MAX:
        raise InvalidRequest(f"priority must be a whole number from 0 to {PRIORITY_MAX}.", param="priority")
    return priority


def _moment_of(value: Any) -> float | None:
    if _is_number(value):
        return float(value) if abs(value) < 1e12 else None
    if not isinstance(value, str):
        return None
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(value)
        if at.tzinfo is not None:
            return at.timestamp()
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
