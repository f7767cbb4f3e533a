"""Stored responses: what a call goes on from, and what is kept of its answer."""

from msgspec.structs import replace

from seawall.core.call import Call
from seawall.core.contracts import Gateway, Reply
from seawall.core.errors import InvalidRequest, StateNotFound
from seawall.core.state import Owner, StoredItem

NOTHING_KEPT = (
    "This gateway stores no answers, so there is none to go on from. Send the whole conversation as input."
)


async def recall_state(call: Call, gateway: Gateway) -> None:
    """Put the items of earlier responses into the request, where it names any.

    Raises InvalidRequest where this gateway stores nothing, StateNotFound where one is missing, has expired
    or belongs to somebody else, TooLarge where there are too many, and Overloaded where the store is down: a
    conversation never goes on with a part of it lost.
    """
    assert call.request is not None
    state = call.request.state
    if state is None or (state.previous_id is None and not state.references):
        return
    owner, now = owner_of(call), gateway.now()
    before: tuple[StoredItem, ...] = ()
    if state.previous_id is not None:
        if gateway.state_keep_s <= 0:
            raise InvalidRequest(NOTHING_KEPT, param="previous_response_id")
        found = await gateway.conversations.history(state.previous_id, owner, now)
        if found is None:
            raise StateNotFound(param="previous_response_id")
        before = found
    named = await gateway.conversations.items(state.references, owner, now) if state.references else {}
    # The end user may be named by a header, which the body does not know.
    call.request = replace(state.resume(before, named), end_user=call.request.end_user)
    call.decided(
        "recall_state", "allow", f"{len(before) + len(named)} stored items were put before the request"
    )


async def keep_state(call: Call, gateway: Gateway, reply: Reply) -> None:
    """Store the response before the client hears that it is complete; raises Overloaded where that fails."""
    assert call.request is not None
    state = call.request.state
    if state is None or not state.is_kept or gateway.state_keep_s <= 0:
        return
    kept = reply.keepsake(owner_of(call), call.received_at + gateway.state_keep_s)
    if kept is not None:
        await gateway.conversations.put(kept)


def owner_of(call: Call) -> Owner:
    """Return whose the call's state is."""
    assert call.request is not None and call.principal is not None
    return Owner(call.principal.key_id, call.request.end_user or "")
