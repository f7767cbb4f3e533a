"""One row per call, whatever happens."""

import logging
from contextlib import suppress
from types import TracebackType

import msgspec

from seawall.core.call import Attempt, Call, Try
from seawall.core.contracts import Gateway
from seawall.core.errors import SeawallError
from seawall.core.ledger import CallRow
from seawall.core.money import Money

log = logging.getLogger("seawall.pipeline")


def record(call: Call, gateway: Gateway) -> "Recording":
    """Write the call's row and its line in the log on every exit.

    The row of a call that held money is written by `hold_budget`, in the transaction that settles it. Any
    other row is handed over and written with the next commit: nobody waits for it. Calls without a valid key
    are only told to the access log, or strangers could fill the database. Where the store is down the answer
    stands and the row is missing: money is never concerned here.
    """
    return Recording(call, gateway)


class Recording:
    """One call on record; a class because every call passes here."""

    __slots__ = ("_call", "_gateway")

    def __init__(self, call: Call, gateway: Gateway) -> None:
        self._call, self._gateway = call, gateway

    async def __aenter__(self) -> None:
        """Begin; nothing is written yet."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Note how the call ended, and hand its row over."""
        call, gateway = self._call, self._gateway
        call.ended(error)
        gateway.tell(call, gateway.now())
        if not call.recorded and call.principal is not None:
            with suppress(SeawallError):
                gateway.call_log.write(row_of(call, gateway))


def first_row_of(call: Call) -> CallRow:
    """Return what is known of a call before an attempt; kept with its hold, in case nobody comes back."""
    assert call.request is not None and call.route is not None and call.principal is not None
    return CallRow(
        id=call.id,
        at_ms=int(call.received_at * 1000),
        endpoint=call.endpoint,
        key_id=call.principal.key_id,
        end_user=call.request.end_user,
        model=call.route.model,
        provider=call.route.provider,
        stream=call.request.stream,
        held=_held(call),
        cost=call.cost,
        overage=call.overage,
        listed_cost=call.listed_cost,
        attempts=msgspec.json.encode(call.tries) if call.tries else b"[]",
    )


def note_try(call: Call, attempt: Attempt, cost: Money, *, is_exact: bool) -> None:
    """Keep a line of an attempt with its call."""
    call.tries.append(
        Try(
            provider=attempt.route.account,
            model=attempt.route.model,
            dialect=attempt.request.dialect,
            ending=attempt.ending,
            held=attempt.held,
            cost=cost,
            exact=is_exact,
            took_ms=round((call.clock() - attempt.began_at) * 1000, 3),
            why=call.code or "",
        )
    )


def row_of(call: Call, gateway: Gateway) -> CallRow:
    """Return what is kept of a call, as far as it is known by now."""
    request, route = call.request, call.route
    call.shape = call.shape or _shape_of(call, gateway)
    first = call.first_event_at
    return CallRow(
        id=call.id,
        at_ms=int(call.received_at * 1000),
        endpoint=call.endpoint,
        key_id=call.principal.key_id if call.principal else "",
        end_user=request.end_user if request else None,
        model=route.model if route else request.model if request else "",
        provider=route.provider if route else "",
        stream=bool(request and request.stream),
        status=call.status,
        outcome=call.outcome,
        code=call.code,
        took_ms=call.took_ms(),
        first_ms=None if first is None else round((first - call.began_at) * 1000, 3),
        usage=call.usage,
        held=_held(call),
        cost=call.cost,
        overage=call.overage,
        listed_cost=call.listed_cost,
        decisions=msgspec.json.encode(call.decisions),
        attempts=msgspec.json.encode(call.tries),
        saved=call.saved,
        shape=call.shape,
    )


def _shape_of(call: Call, gateway: Gateway) -> str | None:
    """Return the shape of a call; whatever goes wrong with it, its money is settled and its row kept."""
    try:
        return gateway.shape_of(call, gateway)
    except Exception:
        log.exception("a call is kept without its shape", extra={"fields": {"id": call.id}})
        return None


def _held(call: Call) -> Money:
    return Money(sum([each.held for each in call.tries]))
