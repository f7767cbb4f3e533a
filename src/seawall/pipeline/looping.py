"""Stops callers that are caught in a loop."""

import math
from datetime import UTC, datetime

from seawall.core.call import Call
from seawall.core.contracts import Gateway
from seawall.core.errors import Facts, LoopDetected
from seawall.core.looping import fingerprint_of

_FREE = frozenset({"count_tokens", "task"})
"""Dialects that reach no model and cost nothing."""


def refuse_loop(call: Call, gateway: Gateway) -> None:
    """Raise LoopDetected where the same caller has sent this call, or nearly this one, too often."""
    rules, request, principal = gateway.breaker.rules, call.request, call.principal
    assert request is not None and principal is not None
    is_person = principal.end_user is not None or principal.address is not None
    limit = rules.calls if is_person else rules.calls_unnamed
    if not limit or request.dialect in _FREE:
        return
    caller = f"{principal.key_id} {principal.end_user or principal.address or ''}"
    is_near = is_person and request.dialect != "embeddings"
    loop = gateway.breaker.look_at(caller, fingerprint_of(request, is_near=is_near), limit, gateway.clock())
    if loop is None:
        return
    same = "nearly the same call" if is_near else "the same call"
    seen = f"{same.capitalize()} came {loop.count} times within {math.ceil(loop.seconds)} seconds"
    raise LoopDetected(
        f"{seen}; more than {limit} in {rules.window_s:g} seconds are taken for a loop. Look for a retry"
        " without an end, or an effect that runs again and again. A call that differs is answered at once.",
        facts=Facts(
            rule="loop.calls" if is_person else "loop.calls_unnamed",
            scope="user" if principal.end_user else "address" if principal.address else "key",
            unit="requests",
            used=loop.count,
            allowed=limit,
            resets_at=datetime.fromtimestamp(gateway.now() + loop.wait_s, UTC).isoformat(
                timespec="milliseconds"
            ),
            say="The same message was sent again and again, so it was stopped. Please change it, or wait.",
        ),
    )
