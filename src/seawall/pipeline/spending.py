"""Holds the money of a call before the provider hears from it, and settles on every exit (money.md)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TypeVar

from msgspec.structs import replace

from seawall.core.call import Attempt, Call, Ending, Request, Route
from seawall.core.contracts import Gateway
from seawall.core.deadline import Deadline
from seawall.core.ledger import (
    Ask,
    Busy,
    Exhausted,
    Held,
    NeedsCount,
    Settlement,
)
from seawall.core.money import FREE, Money, cost_of
from seawall.core.periods import day_of
from seawall.pipeline.access import authenticate, know_user
from seawall.pipeline.accounts import accounts_of
from seawall.pipeline.metering import Settled, is_exact, settle_attempt
from seawall.pipeline.recording import first_row_of, note_try, row_of
from seawall.pipeline.refusals import busy, exhausted

log = logging.getLogger("seawall.money")

Placed = TypeVar("Placed")
Place = Callable[[Ask], Awaitable[Placed | NeedsCount | Busy | Exhausted]]
"""What places a hold, alone or with a job."""

SETTLE_S = 1.0
"""How long a call waits for its settlement; the ledger writes it all the same."""

_BASIS = {
    Ending.COMPLETE: "metered here: the provider told no usage",
    Ending.CUT: "metered here, with what may have come after the cut",
    Ending.CLIENT_LEFT: "the client left: charged what the provider may have billed",
    Ending.UNKNOWN: "charged in full: the provider may have billed it",
}


def hold_budget(call: Call, gateway: Gateway) -> "Holding":
    """Place a hold on all accounts of the call, or refuse; replace it by the cost on every exit.

    The hold is on disk before the block begins. Raises BudgetBusy, BudgetExhausted, and Overloaded where the
    ledger is down: a budget never fails open. The settlement is handed to the ledger at once, which
    writes it whatever becomes of this task.
    """
    return Holding(call, gateway)


class Holding:
    """One attempt and its money; a class because every call passes here."""

    __slots__ = ("_call", "_gateway")

    def __init__(self, call: Call, gateway: Gateway) -> None:
        self._call, self._gateway = call, gateway

    async def __aenter__(self) -> None:
        """Place the hold, or refuse."""
        await _hold(self._call, self._gateway)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Replace the hold by the cost."""
        self._call.ended(error)
        await _settle(self._call, self._gateway)


async def _hold(call: Call, gateway: Gateway) -> None:
    if call.job_hold is not None and await _took_over(call, gateway):
        return
    held, ask = await place_hold(gateway.ledger.hold, call, gateway)
    _note_hold(call, held, ask)


async def _took_over(call: Call, gateway: Gateway) -> bool:
    """Go on with what was held at acceptance, where it is still for this provider and this day."""
    hold, route = call.job_hold, call.route
    assert hold is not None and route is not None
    call.job_hold = None
    if hold.route != name_of(route) or hold.day != day_of(gateway.now()):
        await gateway.ledger.void(hold.id)
        return False
    held = Held(hold.amount, hold.output_tokens)
    _note_hold(call, held, replace(first_ask(call, gateway), input_tokens=hold.input_tokens))
    return True


async def place_hold(place: Place[Placed], call: Call, gateway: Gateway) -> tuple[Placed, Ask]:
    """Ask for a hold; where money is only held, wait in line, and when patience ends take what is there.

    Who has waited is looked up again: a key that was revoked meanwhile is refused, a new cap counts.
    """
    ask = first_ask(call, gateway)
    blocked = None if ask.is_free else gateway.lines.blocking(ask.accounts.accounts)
    if blocked is None:
        answer, ask = await _try(place, ask, call, gateway)
        if not isinstance(answer, Busy):
            return answer, ask
        blocked = answer.standing.account
    clock = asyncio.get_running_loop().time
    give_up_at = clock() + gateway.limits.hold_wait_s
    with gateway.lines.join(blocked) as in_line:
        while True:
            waited = not await in_line.turn(give_up_at - clock())
            await authenticate(call, gateway)
            await know_user(call, gateway)
            ask = replace(ask, waited=waited, accounts=accounts_of(call, gateway))
            answer, ask = await _try(place, ask, call, gateway)
            if not isinstance(answer, Busy):
                return answer, ask
            if ask.waited:
                raise busy(answer.standing, call, gateway)


async def _try(place: Place[Placed], ask: Ask, call: Call, gateway: Gateway) -> tuple[Placed | Busy, Ask]:
    """Ask the ledger once, and again with counted tokens where the rough bound is too coarse."""
    answer = await place(ask)
    if isinstance(answer, NeedsCount):
        assert call.sending is not None and call.route is not None
        request = call.sending.request
        counted = await gateway.router.provider(call.route).count_input_tokens(request, call.route)
        input_rate, output_rate = _rates_of(request, call.route, counted)
        ask = replace(
            ask, input_tokens=counted, input_rate=input_rate, output_rate=output_rate, is_counted=True
        )
        answer = await place(ask)
    if isinstance(answer, Exhausted):
        gateway.lockouts.note([answer.standing], gateway.now())
        raise exhausted(answer.standing, call, gateway)
    assert not isinstance(answer, NeedsCount)
    return answer, ask


def first_ask(call: Call, gateway: Gateway) -> Ask:
    """Return what a call needs by the sizes of its parts, before anything is counted."""
    sending, route = call.sending, call.route
    assert sending is not None and route is not None
    request = sending.request
    declared, model_max = request.cap.tokens, route.price.max_output_tokens
    wanted = gateway.limits.undeclared_output_tokens if declared is None else declared
    rough = gateway.router.provider(route).rough_input_tokens(request, route)
    input_rate, output_rate = _rates_of(request, route, rough)
    return Ask(
        hold_id=call.hold_id,
        accounts=accounts_of(call, gateway),
        input_tokens=rough,
        is_counted=False,
        input_rate=input_rate,
        output_rate=output_rate,
        wanted_tokens=wanted if model_max is None else min(wanted, model_max),
        is_declared=declared is not None,
        waited=False,
        row=first_row_of(call),
        counts=not call.counted,
        choices=request.cap.choices,
    )


def _rates_of(request: Request, route: Route, input_tokens: int) -> tuple[int, int]:
    """Return the dearest rates of input and output that apply to a call of that size."""
    rates = route.price.rates_at(input_tokens)
    return (
        rates.dearest_input(audio=request.audio_bytes > 0, hour_writes=request.has_long_cache),
        rates.dearest_output(audio=request.wants_audio) * request.cap.choices,
    )


def name_of(route: Route) -> str:
    """Name the account and the model that a hold is for."""
    return f"{route.account}/{route.model}"


def _note_hold(call: Call, held: Held, ask: Ask) -> None:
    assert call.sending is not None and call.route is not None
    request = call.sending.request
    declared = request.cap.tokens
    lowered_from = declared if declared is not None and held.output_tokens < declared else None
    call.attempt = Attempt(
        call.route,
        request,
        held=held.amount,
        input_bound=ask.input_tokens,
        output_cap=held.output_tokens,
        lowered_from=lowered_from,
    )
    call.attempt.began_at = call.clock()
    call.decided("hold_budget", "allow", f"enough is left for {held.output_tokens} output tokens")


async def _settle(call: Call, gateway: Gateway) -> None:
    """Replace the hold by the cost, or remove it where it is certain that nothing was sent."""
    attempt = call.attempt
    assert attempt is not None
    if attempt.ending is Ending.NOT_SENT:
        note_try(call, attempt, FREE, is_exact=True)
        call.recorded = False
        written = gateway.ledger.void(call.hold_id)
    else:
        settled = await _note_cost(call, attempt, gateway)
        is_first, call.counted, call.recorded = not call.counted, True, True
        overage = Money(max(0, settled.cost - attempt.held))
        row = row_of(call, gateway)
        written = gateway.ledger.settle(
            Settlement(call.hold_id, settled.cost, overage, settled.usage, row, counts=is_first)
        )
    try:
        with Deadline(call.task, SETTLE_S):
            await written
    except TimeoutError:
        log.error("a settlement is not on disk yet; the ledger keeps it", extra={"fields": {"id": call.id}})
    finally:
        gateway.lines.freed()
        if call.policy is not None and call.policy.quotas:
            gateway.lockouts.settled(accounts_of(call, gateway))


async def _note_cost(call: Call, attempt: Attempt, gateway: Gateway) -> Settled:
    provider = gateway.router.provider(attempt.route)
    input_tokens = attempt.input_bound
    if not is_exact(attempt):
        try:
            input_tokens = await provider.count_input_tokens(attempt.request, attempt.route)
        except asyncio.CancelledError:
            log.warning("settled by the rough bound of the input", extra={"fields": {"id": call.id}})
    settled = settle_attempt(attempt, attempt.request, provider, min(input_tokens, attempt.input_bound))
    overage = Money(max(0, settled.cost - attempt.held))
    call.usage = settled.usage
    call.cost = Money(call.cost + settled.cost)
    call.overage = Money(call.overage + overage)
    if attempt.route.listed is not None:
        call.listed_cost = Money(call.listed_cost + cost_of(attempt.route.listed, settled.usage))
    basis = "as the provider says" if settled.usage.exact else _BASIS[attempt.ending]
    call.decided("settle", attempt.ending, basis)
    if overage:
        log.error("a call cost more than was held", extra={"fields": {"id": call.id, "nanos": overage}})
    note_try(call, attempt, settled.cost, is_exact=settled.usage.exact)
    return settled
