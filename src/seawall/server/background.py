"""Makes the calls that were accepted before, in the place of the client: their answers go into their jobs.

Invariants:
- A run ends its job, puts it back to wait, or does not count any more; such a one writes nothing.
- The job has its answer before the money is settled: a crash between the two costs what was held, and never a
  second call.
"""

import asyncio
import logging
import random
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from seawall.core.call import Call, Ending, Request, Try
from seawall.core.contracts import Gateway
from seawall.core.errors import (
    Blocked,
    BudgetBusy,
    ClientGone,
    Overloaded,
    SeawallError,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from seawall.core.jobs import Job
from seawall.core.policy import Credentials, OnBehalf, Principal
from seawall.core.running import RunningJobs, put_back
from seawall.pipeline.accepting import StoredRequest, perform, renew
from seawall.server.browsers import of_browser
from seawall.server.endpoints import ENDPOINTS
from seawall.server.job_output import JobOutput
from seawall.server.replies import CallReply

log = logging.getLogger("seawall.jobs")

ATTEMPTS_PER_RUN = 100
"""Attempts are numbered on from here in each run, so that no two holds of a call have one name."""
BACK_OFF_S = 2.0
BACK_OFF_S_MAX = 300.0

_decode_stored = msgspec.json.Decoder(StoredRequest).decode
_decode_body = msgspec.json.Decoder(dict[str, Any]).decode
_decode_tries = msgspec.json.Decoder(list[Try]).decode


class BackgroundCalls:
    """Does jobs of the kind `call`, one at a time for each `run`."""

    def __init__(self, gateway: Gateway, running: RunningJobs, messages_max: int) -> None:
        self._gateway, self._running, self._messages_max = gateway, running, messages_max

    async def renew(self, job: Job) -> bool:
        """Move the money of a job that waits to the accounts of today, where it fits."""
        return await renew(self._call_of(job), self._gateway, job)

    async def run(self, job: Job) -> None:
        """Do one job, which has just been started."""
        gateway, call = self._gateway, self._call_of(job)
        output = JobOutput(job, gateway, partial(self._running.stop, job.id))
        endpoint = ENDPOINTS[job.endpoint]
        reply = CallReply(call, endpoint, output.send, gateway.support_contact, job.accepted_at)
        output.reply, reply.on_stage = reply, output.note_stage
        await self._go_on(call, job)
        try:
            async with output:
                await perform(call, gateway, reply)
        except ClientGone:
            return
        except SeawallError as error:
            await self._failed(job, error, output, reply)
        except asyncio.CancelledError:
            await self._running.break_off(job, gateway)
            raise
        except Exception:
            log.exception("a job failed", extra={"fields": {"id": job.id}})
            await self._failed(job, SeawallError(), output, reply)

    async def _failed(self, job: Job, error: SeawallError, output: JobOutput, reply: CallReply) -> None:
        """Put the job back to wait where another run may mend it, else end it by what the caller is told."""
        gateway, rules = self._gateway, self._gateway.job_rules
        now = gateway.now()
        wait_s = pause_of(error, job.failures)
        may_go_on = job.failures + 1 < rules.runs_max and now + wait_s < job.accepted_at + rules.give_up_s
        if error.private:
            log.warning("a run of a job failed", extra={"fields": {"id": job.id, "why": error.private}})
        if may_mend(error) and may_go_on:
            await put_back(job, gateway, wait_s, error.message)
            return
        is_polite = isinstance(error, Blocked) and error.reply is not None and not reply.has_begun
        output.error = None if is_polite else error
        with suppress(ClientGone):
            await reply.fail(error)

    def _call_of(self, job: Job) -> Call:
        """Return the call of a job as it is made now by the present task, for whom it was accepted."""
        caller, owner, task = job.caller, job.owner, asyncio.current_task()
        assert task is not None
        on_behalf = OnBehalf(
            owner.key_id, owner.end_user or None, caller.kind, tier=caller.tier, address=caller.address
        )
        call = Call(
            job.call_id,
            task=task,
            endpoint=job.endpoint,
            received_at=self._gateway.now(),
            credentials=Credentials(on_behalf=on_behalf),
            read=partial(self._read, job),
        )
        call.job_hold = job.hold
        call.number = max(0, job.run - 1) * ATTEMPTS_PER_RUN
        return call

    async def _read(self, job: Job, caller: Principal) -> Request:
        """Read the request again, as it was read when the job was accepted."""
        stored = _decode_stored(job.request)
        make = partial(
            ENDPOINTS[job.endpoint].read_request,
            _decode_body(stored.body),
            raw_bytes=stored.raw_bytes,
            messages_max=self._messages_max,
            headers=stored.headers,
        )
        request = await asyncio.to_thread(make)
        if caller.is_browser:
            return of_browser(request)
        return replace(request, end_user=job.owner.end_user or None)

    async def _go_on(self, call: Call, job: Job) -> None:
        """Add up with what earlier runs have cost: the call has one row, and is counted once."""
        if job.run <= 1:
            return
        row = await self._gateway.call_log.find(job.call_id)
        if row is None:
            return
        call.cost, call.overage, call.listed_cost = row.cost, row.overage, row.listed_cost
        call.tries = _decode_tries(row.attempts)
        was_billed = any(each.ending != Ending.NOT_SENT for each in call.tries)
        call.counted = was_billed or row.outcome == "crashed"


def may_mend(error: SeawallError) -> bool:
    """Say whether another run may end better: a refused call never does, and a time-out may be billed."""
    if isinstance(error, UpstreamTimeout):
        return False
    if isinstance(error, UpstreamUnavailable | Overloaded | BudgetBusy):
        return True
    return isinstance(error, UpstreamError) and error.wire_status == 429


def pause_of(error: SeawallError, failures: int) -> float:
    """Return how long to wait before another run, in seconds: as told, else twice as long each time."""
    if error.retry_after_s is not None:
        return float(error.retry_after_s)
    pause_s: float = min(BACK_OFF_S_MAX, BACK_OFF_S * 2**failures)
    return pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
