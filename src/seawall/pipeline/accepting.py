"""Calls that are done later: accepted now with their money, made by a worker when their turn comes."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from seawall.core.call import Call
from seawall.core.contracts import Gateway, Reply
from seawall.core.errors import (
    Facts,
    InvalidRequest,
    KeyReused,
    NotAllowed,
    SeawallError,
    TooManyJobs,
    UserBlocked,
)
from seawall.core.jobs import Accepted, Job, JobAsk, JobCaller, JobDraft, Known, Line, TooMany
from seawall.core.ledger import Ask, Busy, Exhausted, NeedsCount
from seawall.core.money import Usage
from seawall.core.periods import day_of
from seawall.core.routing import error_to_tell
from seawall.pipeline.access import authenticate, know_user, read_request
from seawall.pipeline.attempts import attempts
from seawall.pipeline.caching import recall
from seawall.pipeline.calling import call_provider
from seawall.pipeline.guarding import guard_input, guard_output
from seawall.pipeline.recording import record
from seawall.pipeline.routing import plan_route
from seawall.pipeline.spending import Place, first_ask, hold_budget, name_of, place_hold
from seawall.pipeline.state import keep_state, owner_of, recall_state

NO_JOBS = "Work in the background is for keys that stay on a server, and for logged-in users."
NOT_STORED = "Background work is fetched later, so it has to be stored. Leave store out, or set it to true."
RETRY_AFTER_S_MIN = 1.0
_RULES = {
    (True, False): "jobs.waiting_max_per_user",
    (False, False): "jobs.waiting_max",
    (True, True): "jobs.waiting_usd_per_user",
    (False, True): "jobs.waiting_usd",
}
"""The setting that says so, by whether it is the user's and whether it is about money."""


async def accept(call: Call, gateway: Gateway) -> None:
    """Accept the call as a job: its money is held and it is on disk, or it is refused.

    Raises what `hold_budget` raises, TooManyJobs where too much is waiting, KeyReused for an idempotency key
    that came with another request, and NotAllowed for callers whose work is never kept. A client that leaves
    before it knows the job leaves none behind, unless it can ask again under its key.
    """
    assert call.asked is not None and call.principal is not None
    if call.principal.kind == "publishable":
        raise NotAllowed(NO_JOBS)
    if call.asked.is_background and call.asked.body.get("store") is False:
        raise InvalidRequest(NOT_STORED, param="store")
    draft = _draft_of(call)
    await _prepare(call, gateway)
    place: Place[Accepted | Known | TooMany] = partial(_place, draft, call, gateway)
    try:
        placed: tuple[Accepted | Known | TooMany, Ask] = await place_hold(place, call, gateway)
    except asyncio.CancelledError:
        if draft.idempotency_key is None:
            with suppress(SeawallError):
                await gateway.jobs.cancel(draft.id, gateway.now(), gateway.job_rules)
        raise
    answer, ask = placed
    if isinstance(answer, TooMany):
        raise too_many(answer, await gateway.jobs.line(), gateway)
    if isinstance(answer, Known) and not answer.is_same:
        raise KeyReused
    call.job, call.is_repeated = answer.job, isinstance(answer, Known)
    call.outcome = "accepted"
    if isinstance(answer, Accepted):
        call.usage = Usage(input=ask.input_tokens, exact=False)  # What limits on tokens count of it.
        call.decided("accept", "allow", f"accepted as {draft.id}")


async def perform(call: Call, gateway: Gateway, reply: Reply) -> None:
    """Do an accepted call; what was counted when it was accepted is not counted again.

    The caller is looked up again: a key that was revoked or a user who was blocked meanwhile is refused. What
    was held is given back where it is not needed.
    """
    async with record(call, gateway), accepted_hold(call, gateway):
        await authenticate(call, gateway)
        await read_request(call, gateway)
        await know_user(call, gateway)
        await plan_route(call, gateway)
        if call.policy is not None and call.policy.is_blocked:
            raise UserBlocked
        await recall_state(call, gateway)
        await guard_input(call, gateway)
        async with recall(call, gateway, reply) as memory:
            call.decided("perform", "allow", "done as a job that was accepted before")
            if memory.has_answered:
                return
            for attempt in attempts(call, gateway, reply):
                async with attempt, hold_budget(call, gateway), call_provider(call, gateway, reply) as events:
                    async for event in guard_output(events, call, gateway, reply):
                        await reply.send(event)
                    await keep_state(call, gateway, reply)
                    await reply.finish()
                    memory.keep()


async def renew(call: Call, gateway: Gateway, job: Job) -> bool:
    """Move the money of a job that waits to the accounts of today; says whether it lies there."""
    hold = job.hold
    assert hold is not None
    await authenticate(call, gateway)
    await read_request(call, gateway)
    await know_user(call, gateway)
    await plan_route(call, gateway)
    await _prepare(call, gateway)
    ask = replace(
        first_ask(call, gateway),
        input_tokens=hold.input_tokens,
        is_counted=True,
        wanted_tokens=hold.output_tokens,
        is_declared=True,
        waited=True,
    )
    assert call.route is not None
    asked = JobAsk(_draft_of(call), ask, name_of(call.route), day_of(gateway.now()))
    return await gateway.jobs.renew(job.id, asked)


@asynccontextmanager
async def accepted_hold(call: Call, gateway: Gateway) -> AsyncIterator[None]:
    """Give back on every exit what was held for a job and that no attempt has taken over."""
    try:
        yield
    finally:
        if call.job_hold is not None:
            hold, call.job_hold = call.job_hold, None
            await gateway.ledger.void(hold.id)


async def _prepare(call: Call, gateway: Gateway) -> None:
    """Choose the provider whose price is held for: the first one that can be asked for this."""
    request = call.guarded or call.request
    assert request is not None
    errors: list[SeawallError] = []
    for planned in call.plan:
        try:
            call.sending = gateway.router.provider(planned.route).prepare(request, planned.route)
        except InvalidRequest as error:
            errors.append(error)
            continue
        call.route = planned.route
        call.number = 1
        return
    raise error_to_tell(errors)


async def _place(
    draft: JobDraft, call: Call, gateway: Gateway, ask: Ask
) -> Accepted | Known | TooMany | NeedsCount | Busy | Exhausted:
    assert call.route is not None
    asked = JobAsk(draft, ask, name_of(call.route), day_of(gateway.now()))
    return await gateway.jobs.accept(asked, gateway.job_rules)


def _draft_of(call: Call) -> JobDraft:
    request, principal = call.asked, call.principal
    assert request is not None and principal is not None
    owner = owner_of(call)
    body = msgspec.json.encode(request.body)
    stored = msgspec.json.encode(StoredRequest(msgspec.Raw(body), request.raw_bytes, request.headers))
    return JobDraft(
        id=f"job_{call.id.removeprefix('call_')}",
        kind="call",
        owner=owner,
        lane=f"{owner.key_id}/{owner.end_user}",
        endpoint=call.endpoint,
        request=stored,
        accepted_at=call.received_at,
        due_at=call.received_at,
        caller=JobCaller(
            kind="token" if principal.kind == "token" else "key",
            key_name=principal.key_name,
            tier=principal.tier,
            address=principal.address,
            mail_to=call.deferral.mail_to if principal.kind == "key" else "",
        ),
        model=request.model,
        stream=request.stream,
        idempotency_key=call.deferral.idempotency_key,
        request_hash=sha256(call.endpoint.encode() + body).digest(),
    )


class StoredRequest(msgspec.Struct, frozen=True):
    """A request as it is kept for the worker: the body as the client sent it, and what travels along."""

    body: msgspec.Raw
    raw_bytes: int
    headers: tuple[tuple[str, str], ...] = ()


def too_many(told: TooMany, line: Line, gateway: Gateway) -> TooManyJobs:
    """Return the refusal: whose jobs they are, and when the next place is likely to be free."""
    rules = gateway.job_rules
    if told.is_money:
        whose = "of this user " if told.is_lane else ""
        what = f"As much money as may be is held for jobs {whose}that wait"
    else:
        what = f"{told.waiting:,} jobs of this user wait" if told.is_lane else "As many jobs wait as may"
    at_once = min(rules.per_lane_at_once, max(1, line.running)) if told.is_lane else max(1, line.running)
    wait_s = max(RETRY_AFTER_S_MIN, (line.took_s or RETRY_AFTER_S_MIN) / at_once)
    seconds = math.ceil(wait_s)
    when = f"{seconds} second{'s' if seconds != 1 else ''}"
    return TooManyJobs(
        f"{what} already. Try again in {when}.",
        retry_after_s=wait_s,
        facts=Facts(
            rule=_RULES[told.is_lane, told.is_money],
            scope="user" if told.is_lane else "gateway",
            unit="usd" if told.is_money else "jobs",
            say=f"There is much to do at the moment. Please try again in {when}.",
        ),
    )
