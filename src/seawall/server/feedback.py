"""POST /v1/calls/{id}/feedback: what people say of the answers they got.

Invariants:
- Only who made a call can say anything of it: the same key and the same end user. A call of somebody else is
  not there, so that nobody learns which calls there are.
- No key or other secret in a comment is kept, and no control character.
"""

import asyncio
import math
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seawall.core.call import first_id_at
from seawall.core.contracts import Gateway
from seawall.core.errors import InvalidRequest, RateLimited, UnknownRoute, UserBlocked
from seawall.core.feedback import COMMENT_CHARS_MAX, Feedback, Rating
from seawall.core.ledger import CallRow
from seawall.core.limits import Refused
from seawall.core.policy import Limit, Principal, Scope, StatedLimit
from seawall.guards.redaction import redact
from seawall.guards.secrets import find_secrets
from seawall.server.body import BodyLimits, read_json
from seawall.server.cold import json_response
from seawall.server.credentials import END_USER_CHARS_MAX
from seawall.server.owners import caller_of

LIMITS = BodyLimits(bytes_max=32 * 1024, depth_max=4)
FIELDS = ("rating", "comment", "user")
RATINGS: tuple[Rating, ...] = get_args(Rating)
PER_USER = StatedLimit("requests", 30, 60)
PER_KEY = StatedLimit("requests", 600, 60)
"""For a key whose calls name no end user: its server passes on what all of its users say."""
NAME = "feedback"
NO_CALL = "There is no such call of this key and end user. It may be running still, or older than the log."
YOUNG_MS = 5_000
LOOKS = 10
LOOK_AGAIN_S = 0.05


class CallFeedback:
    """What the route does. Nothing here reaches a provider or costs anything."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def say(self, request: Request) -> Response:
        """POST /v1/calls/{id}/feedback: keep a rating; the newest one of a call counts."""
        gateway = self._gateway
        await caller_of(request, gateway)  # Strangers are refused before anything is read.
        body, _ = await read_json(request.scope["headers"], request.receive, LIMITS)  # type: ignore[arg-type] # the same type by another name
        rating, comment, named = _read(body)
        principal, policy = await caller_of(request, gateway, named)
        if policy.is_blocked:
            raise UserBlocked
        await self._limit(principal)
        row = await self._find(request.path_params["id"], principal)
        said = Feedback(
            call_id=row.id,
            at=gateway.now(),
            key_id=row.key_id,
            end_user=row.end_user or "",
            model=row.model,
            rating=rating,
            comment=comment,
        )
        await gateway.feedback.put(said)
        return json_response({"id": row.id, "object": "feedback", "rating": rating, "comment": comment})

    async def _limit(self, principal: Principal) -> None:
        """Count it against the user's own limit on feedback, or the key's; raises RateLimited."""
        user = principal.end_user
        stated = PER_KEY if user is None else PER_USER
        scope = Scope("key", principal.key_id) if user is None else Scope("user", user)
        limits = (Limit.on(scope, stated, NAME),)
        answer = await self._gateway.counters.admit(limits, self._gateway.clock(), 0)
        if isinstance(answer, Refused):
            seconds = math.ceil(answer.wait_s)
            raise RateLimited(
                f"Feedback is taken {stated.count} times in any minute. Try again in {seconds} s.",
                retry_after_s=answer.wait_s,
            )
        self._gateway.counters.leave(answer)

    async def _find(self, call_id: str, principal: Principal) -> CallRow:
        """Return a call of this caller; one that has only just ended is waited for, until it is written.

        Whether a call is somebody else's or not there at all makes no difference to how long this takes.
        """
        whose, now_ms = (principal.key_id, principal.end_user or ""), int(self._gateway.now() * 1000)
        is_young = first_id_at(now_ms - YOUNG_MS) <= call_id <= first_id_at(now_ms + YOUNG_MS)
        for look in range(LOOKS if is_young else 1):
            if look:
                await asyncio.sleep(LOOK_AGAIN_S)
            row = await self._gateway.call_log.find(call_id)
            if row is not None and (row.key_id, row.end_user or "") == whose:
                return row
        raise UnknownRoute(NO_CALL)


def _read(body: dict[str, Any]) -> tuple[Rating, str | None, str | None]:
    """Read rating, comment and end user; raises InvalidRequest for anything else."""
    unknown = sorted(set(body) - set(FIELDS))
    if unknown:
        raise InvalidRequest("Only rating, comment and user can be said.", param=unknown[0])
    rating, comment, user = body.get("rating"), body.get("comment"), body.get("user")
    if rating not in RATINGS:
        raise InvalidRequest('rating must be "up" or "down".', param="rating")
    if comment is not None and not isinstance(comment, str):
        raise InvalidRequest("comment must be text.", param="comment")
    if comment is not None and len(comment) > COMMENT_CHARS_MAX:
        raise InvalidRequest(f"comment has more than {COMMENT_CHARS_MAX:,} characters.", param="comment")
    if user is not None and (not isinstance(user, str) or len(user) > END_USER_CHARS_MAX):
        raise InvalidRequest(f"user must be text of at most {END_USER_CHARS_MAX} characters.", param="user")
    return rating, _clean(comment), user


def _clean(comment: str | None) -> str | None:
    """Return a comment as it is kept: without secrets, and of control characters with line breaks alone."""
    kept = "".join(char for char in comment or "" if char.isprintable() or char == "\n").strip()
    return redact(kept, find_secrets(kept)) or None


def feedback_routes(gateway: Gateway) -> list[Route]:
    """Return the route; it asks for a virtual key, a publishable key or a login token."""
    return [Route("/v1/calls/{id}/feedback", CallFeedback(gateway).say, methods=["POST"])]
