"""Calls that come with an idempotency key: each is made once, and who asks again gets the same answer.

Invariants:
- Only the answer of a call that ended cleanly is kept: as its client got it, or would have got it.
- A replay holds no money and costs none; it is a call for the rate limits and a row in the log.
- After a failure the key is free. The provider may have billed it all the same: a retry is a new call.
"""

import asyncio
import hashlib
import logging
from contextlib import suppress
from types import TracebackType

import msgspec

from seawall.core.answers import KeptAnswer
from seawall.core.call import Call
from seawall.core.contracts import Gateway, Reply
from seawall.core.deadline import Deadline
from seawall.core.errors import Conflict, KeyReused, SeawallError
from seawall.core.idempotency import Answered, Claim, IdempotentAnswers, Reused, Running
from seawall.core.money import FREE, Usage
from seawall.pipeline.state import owner_of

log = logging.getLogger("seawall.pipeline")

KEPT_S = 86_400.0
ANSWER_BYTES_MAX = 4 * 1024 * 1024
"""A longer answer is not kept, and its key is free again."""
WRITE_S = 5.0
"""How long a call waits for what it has to write down here."""
RETRY_AFTER_S = 1.0
STILL_RUNNING = "The call with this idempotency key is still running. Ask again in a moment for its answer."

_encode = msgspec.json.Encoder(order="deterministic").encode


def make_once(call: Call, gateway: Gateway, reply: Reply) -> "MakingOnce":
    """Answer the call from what is kept under its key, or claim the key and keep the answer of a clean end.

    Calls without a key pass, and so do those that are done later: their key is the job's. Raises KeyReused
    for a key that came with another request, Conflict while the call that has it is running, and Overloaded
    where the store is down.
    """
    return MakingOnce(call, gateway, reply)


class MakingOnce:
    """One call and its key; a class because every call passes here."""

    __slots__ = ("_call", "_gateway", "_keeping", "_reply", "has_answered")

    def __init__(self, call: Call, gateway: Gateway, reply: Reply) -> None:
        self._call, self._gateway, self._reply = call, gateway, reply
        self._keeping: _Keeping | None = None
        self.has_answered = False

    async def __aenter__(self) -> "MakingOnce":
        """Claim the key, or send what is kept under it; then `has_answered` is true."""
        key = self._call.deferral.idempotency_key
        if key is not None and not self._call.is_deferred:
            await self._claim_key(key)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the key where nothing was kept."""
        if self._keeping is not None and not self._keeping.is_kept:
            freed = self._gateway.idempotent.release(self._keeping.claim)
            with suppress(TimeoutError), Deadline(self._call.task, WRITE_S):
                await freed

    async def _claim_key(self, key: str) -> None:
        call, gateway = self._call, self._gateway
        assert call.request is not None
        now = gateway.now()
        claim = Claim(
            owner=owner_of(call),
            key=key,
            request=hashlib.sha256(_encode([call.endpoint, call.request.body])).digest(),
            call_id=call.id,
            at=now,
            # It may wait for the same call in flight, and then take its place.
            until=now + 2 * gateway.limits.call_s,
        )
        found = await gateway.idempotent.claim(claim)
        if isinstance(found, Reused):
            raise KeyReused
        if isinstance(found, Running):
            raise Conflict(STILL_RUNNING, retry_after_s=RETRY_AFTER_S)
        if isinstance(found, Answered):
            await self._replay(found)
            return
        self._keeping = keeping = _Keeping(claim, call.task, gateway.idempotent)
        self._reply.collect(keeping.keep)

    async def _replay(self, found: Answered) -> None:
        call = self._call
        request = call.request
        assert request is not None
        call.is_repeated = self.has_answered = True
        call.decided("make_once", "replay", f"answered before under this key, as {found.call_id}")
        call.first_event_at = call.clock()
        kept = KeptAnswer(
            dialect=request.dialect,
            stream=request.stream,
            wants_usage=request.wants_usage,
            body=found.body,
            provider="",
            model=request.model,
            usage=Usage(),
            cost=FREE,
            made_at=call.received_at,
        )
        await self._reply.replay(kept, 0.0)


class _Keeping:
    """One claim; it knows nothing of the reply, which knows of it."""

    __slots__ = ("_answers", "_task", "claim", "is_kept")

    def __init__(self, claim: Claim, task: "asyncio.Task[object]", answers: IdempotentAnswers) -> None:
        self.claim, self._task, self._answers = claim, task, answers
        self.is_kept = False

    async def keep(self, body: bytes) -> None:
        """Keep the whole answer, before its client knows that it is whole; trouble fails no call."""
        if len(body) > ANSWER_BYTES_MAX:
            return
        try:
            with Deadline(self._task, WRITE_S):
                await self._answers.keep(self.claim, body, self.claim.at + KEPT_S)
        except (TimeoutError, SeawallError):
            fields = {"id": self.claim.call_id}
            log.warning("an answer could not be kept for its idempotency key", extra={"fields": fields})
        else:
            self.is_kept = True
