"""The exact cache: the same request as a provider would see it is answered once, for those who share it.

Invariants:
- What is asked for is the request that the provider would get, so that whatever changes the answer is in the
  key; and the key holds for whom it is. So nobody is answered with what was made for somebody else.
- Only whole answers are kept that ended by themselves, and hold no tool call. Of identical calls in flight
  one is made: the others wait for it, and where it fails one of them takes its place.
- A hit holds no money and costs none. Where the cache is down, calls are made as without it.
"""

import asyncio
import hashlib
from types import TracebackType

import msgspec

from seawall.core.answers import CacheNote, CacheRules, KeptAnswer
from seawall.core.call import Attempt, Call, Ending, Request, Sending
from seawall.core.contracts import Gateway, Reply
from seawall.core.deadline import Deadline
from seawall.core.errors import InvalidRequest, UpstreamTimeout
from seawall.core.money import cost_of
from seawall.core.policy import Principal
from seawall.pipeline.access import refuse_over_quota

VERSION = 1
"""Of the key; another one makes everything that is kept unreachable."""
BODY_BYTES_MAX = 256 * 1024
REMEMBERED_BYTES_MAX = 64 * 1024
"""A longer question is written again for the shape: calls run for minutes, and hold their body already."""
UNCACHED = "nothing is kept for this request, and the provider was not to be asked"
_FREE_FIELDS = frozenset(
    {
        "stream", "stream_options", "user", "safety_identifier", "metadata", "prompt_cache_key",
        "prompt_cache_retention", "store",
    }
)  # fmt: skip
"""Fields that do not change what a model answers."""
_OWN_FORM = ("logprobs", "top_logprobs", "modalities")
"""What only the form that was asked for can carry."""
_ENDS = frozenset({"stop", "end_turn", "stop_sequence", "eos"})
_DIALECTS = frozenset({"chat", "messages", "responses", "embeddings"})

_encode = msgspec.json.Encoder(order="deterministic").encode


class Flight:
    """One call that others wait for; `kept` is its answer, `is_hopeless` that such answers are not kept."""

    __slots__ = ("done", "is_hopeless", "kept")

    def __init__(self) -> None:
        self.done = asyncio.Event()
        self.kept: KeptAnswer | None = None
        self.is_hopeless = False


def recall(call: Call, gateway: Gateway, reply: Reply) -> "Recalling":
    """Answer the call from the cache, or by a call in flight that is the same.

    Where it could not, a good answer is kept as soon as it is complete, and on every exit those who wait for
    it go on. Raises QuotaExhausted for a user who is over a quota, InvalidRequest where only a kept answer
    was wanted and there is none.
    """
    return Recalling(call, gateway, reply)


class Recalling:
    """One call and the cache."""

    __slots__ = ("_call", "_flight", "_gateway", "_guard", "_key", "_reply", "has_answered")

    def __init__(self, call: Call, gateway: Gateway, reply: Reply) -> None:
        self._call, self._gateway, self._reply = call, gateway, reply
        self._key: bytes | None = None
        self._guard = ""
        self._flight: Flight | None = None
        self.has_answered = False

    async def __aenter__(self) -> "Recalling":
        """Look for an answer, and send it where there is one; then `has_answered` is true."""
        if self._gateway.answers is not None:
            self.has_answered = await self._look()
        return self

    async def _look(self) -> bool:
        call = self._call
        key = None if call.wish.no_store else self._prepare()
        if key is None:
            call.cache = CacheNote("bypass")
            return self._must_go_on()
        call.cache = CacheNote("miss")
        self._key = key
        if not call.wish.no_cache and await self._answer_from(key):
            return True
        self._must_go_on()
        self._reply.collect()
        return False

    def keep(self) -> None:
        """Keep the answer if it is one of those that are; it is complete, and the money follows."""
        if self._key is None or self._gateway.answers is None:
            return
        kept = self._kept()
        if kept is not None:
            self._gateway.answers.put(self._key, kept)
        self._land(kept, is_hopeless=kept is None)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let those who wait go on, where there is no answer for them."""
        self._land(None, is_hopeless=False)

    def _land(self, kept: KeptAnswer | None, *, is_hopeless: bool) -> None:
        flight, self._flight = self._flight, None
        if flight is not None and self._key is not None:
            self._gateway.flights.pop(self._key, None)
            flight.kept, flight.is_hopeless = kept, is_hopeless
            flight.done.set()

    def _must_go_on(self) -> bool:
        if self._call.wish.only_if_cached:
            raise InvalidRequest(UNCACHED.capitalize() + ".", param="cache-control")
        return False

    def _prepare(self) -> bytes | None:
        """Return the key of the call, `None` where nothing can be kept of it."""
        call, gateway = self._call, self._gateway
        assert call.request is not None and call.principal is not None
        rules = gateway.cache_rules
        if not is_cacheable(call.request, rules):
            return None
        planned = call.plan[0]
        try:
            asked = call.guarded or call.request
            sending = gateway.router.provider(planned.route).prepare(asked, planned.route)
        except InvalidRequest:
            return None  # The attempt will say so, or another target can take it.
        call.prepared = (planned, sending)
        self._guard = _guard_of(call)
        question = asked_of(call, sending, gateway)
        if len(question) <= REMEMBERED_BYTES_MAX:
            call.question = question
        return hashlib.sha256(question).digest()

    async def _answer_from(self, key: bytes) -> bool:
        """Answer from what is kept, or from a call in flight; where there is neither, lead."""
        call, gateway = self._call, self._gateway
        assert gateway.answers is not None
        waited = False
        while True:
            kept = await gateway.answers.get(key)
            if kept is not None and _is_young(kept, call):
                await self._replay(kept, waited=waited)
                return True
            flight = gateway.flights.get(key)
            if flight is None:
                if call.wish.only_if_cached:
                    return False
                self._flight = gateway.flights[key] = Flight()
                return False
            await self._reply.tell("thinking")
            if not await self._wait_for(flight):
                return False
            if flight.kept is not None:
                await self._replay(flight.kept, waited=True)
                return True
            waited = True

    async def _wait_for(self, flight: Flight) -> bool:
        """Wait for a call in flight; returns false where such answers are not kept: all go on at once."""
        call, limit_s = self._call, self._gateway.limits.call_s
        try:
            with Deadline(call.task, limit_s):
                await flight.done.wait()
        except TimeoutError as error:
            raise UpstreamTimeout("The whole call took longer than this gateway allows.") from error
        return not flight.is_hopeless

    async def _replay(self, kept: KeptAnswer, *, waited: bool) -> None:
        call, gateway = self._call, self._gateway
        await refuse_over_quota(call, gateway)
        age_s = max(0.0, gateway.now() - kept.made_at)
        call.cache = CacheNote("follow" if waited else "hit", age_s, kept.cost)
        call.saved = kept.cost
        why = "the same call was in flight" if waited else f"kept {age_s:.0f} seconds ago"
        call.decided("recall", call.cache.state, why)
        call.first_event_at = call.clock()
        await self._reply.replay(kept, gateway.cache_rules.pace_s)

    def _kept(self) -> KeptAnswer | None:
        """Return what is to be kept of the answer, `None` where it is none of those that are."""
        call, attempt, rules = self._call, self._call.attempt, self._gateway.cache_rules
        body = self._reply.collected()
        assert call.request is not None
        if attempt is None or attempt.usage is None or not is_worth_keeping(call, attempt):
            return None
        if _guard_of(call) != self._guard:
            return None  # While it waited for money another guard was set for it.
        if not 0 < len(body) <= rules.answer_bytes_max:
            return None
        if b'"refusal":"' in body:
            return None
        return KeptAnswer(
            dialect=call.request.dialect,
            stream=call.request.stream,
            wants_usage=call.request.wants_usage,
            body=body,
            provider=attempt.route.provider,
            model=attempt.route.model,
            usage=attempt.usage,
            cost=cost_of(attempt.route.listed or attempt.route.price, attempt.usage),
            made_at=call.received_at,
            user=user_hash(call.request.end_user),
        )


def _guard_of(call: Call) -> str:
    return call.policy.guard.version if call.policy is not None else ""


def is_worth_keeping(call: Call, attempt: Attempt) -> bool:
    """Say whether an answer is whole, ended by itself, and holds nothing that was found or called."""
    assert call.request is not None
    if not call.is_clean or attempt.usage is None or attempt.ending is not Ending.COMPLETE:
        return False
    is_cut = attempt.lowered_from is not None or not attempt.usage.exact
    has_ended = attempt.finish in _ENDS or call.request.dialect == "embeddings"
    return has_ended and not is_cut and not attempt.has_tools


def is_cacheable(request: Request, rules: CacheRules) -> bool:
    """Say whether the answer to a request may be kept at all."""
    state = request.state
    if state is not None and (state.is_kept or state.previous_id is not None or state.references):
        return False
    if request.dialect not in _DIALECTS or request.raw_bytes > BODY_BYTES_MAX:
        return False
    if request.cap.choices > 1 or request.files or request.wants_audio:
        return False
    if any(text.origin == "retrieved" for text in request.texts):
        return False
    return rules.tools or not (request.body.get("tools") or request.body.get("functions"))


def scope_of(principal: Principal, rules: CacheRules) -> str:
    """Say with whom answers are shared: equal texts are one scope.

    By itself: the keys of one owner share, a key without an owner is alone, and so is each user of a browser.
    """
    kind = rules.scope
    if kind == "auto":
        kind = "end_user" if principal.is_browser else "owner"
    if kind == "owner" and principal.owner:
        return msgspec.json.encode(["owner", principal.owner]).decode()
    if kind == "end_user":
        return msgspec.json.encode(["user", principal.key_id, principal.end_user]).decode()
    return msgspec.json.encode(["key", principal.key_id]).decode()


def asked_of(call: Call, sending: Sending, gateway: Gateway) -> bytes:
    """Return what is asked of the first provider of the plan, and for whom: equal bytes are one question."""
    request, route, sent = call.request, call.plan[0].route, sending.request
    assert request is not None and call.principal is not None
    scope = scope_of(call.principal, gateway.cache_rules)
    target = f"{route.provider}/{route.model} {_guard_of(call)}"
    body = {name: value for name, value in sent.body.items() if name not in _FREE_FIELDS}
    own_form = any(request.body.get(name) for name in _OWN_FORM)
    form = [request.dialect, request.stream] if own_form or request.dialect == "embeddings" else None
    return _encode([VERSION, scope, target, sent.dialect, body, sent.headers, form])


def user_hash(end_user: str | None) -> bytes:
    """Return the SHA-256 of an end user's id, b"" for none: by it a person can be forgotten."""
    return hashlib.sha256(end_user.encode()).digest() if end_user else b""


def _is_young(kept: KeptAnswer, call: Call) -> bool:
    most = call.wish.max_age_s
    return most is None or call.received_at - kept.made_at <= most
