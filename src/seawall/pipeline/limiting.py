"""How often: rate limits on calls, tokens and calls at once, all of which must admit a call."""

import math
from datetime import UTC, datetime
from types import TracebackType

from seawall.core.call import Call
from seawall.core.contracts import Gateway
from seawall.core.errors import Facts, RateLimited
from seawall.core.limits import Admitted, Refused
from seawall.core.policy import Limit
from seawall.core.rates import Rate, format_rate

BYTES_PER_TOKEN = 4
"""What a token of input is taken for until the provider has counted: no promise of money hangs on it."""

_WHOSE = {"global": "gateway", "key": "key", "user": "user", "ip": "address"}


def limit_rate(call: Call, gateway: Gateway) -> "Limiting":
    """Take the call from all limits of its scopes or from none; give its place back on every exit.

    Raises RateLimited. Counters that are down answer from memory: a rate limit never fails a call for that.
    """
    return Limiting(call, gateway)


class Limiting:
    """One call within its limits; a class because every call passes here, and it costs a third."""

    __slots__ = ("_admitted", "_call", "_gateway")

    def __init__(self, call: Call, gateway: Gateway) -> None:
        self._call, self._gateway = call, gateway
        self._admitted: Admitted | None = None

    async def __aenter__(self) -> "Limiting":
        """Admit the call, or raise RateLimited."""
        call, gateway = self._call, self._gateway
        assert call.policy is not None and call.request is not None
        limits = call.policy.limits
        if call.policy.model_limits:
            limits += _of_model(call)
        if not limits:
            return self
        tokens = call.request.raw_bytes // BYTES_PER_TOKEN
        answer = await gateway.counters.admit(limits, gateway.clock(), tokens)
        call.marks, call.is_limited_locally = answer.marks, answer.is_local
        if isinstance(answer, Refused):
            raise rate_limited(answer, gateway)
        self._admitted = answer
        return self

    def leave(self) -> None:
        """Free the call's place among those that run at once, before the client has all of its answer."""
        if self._admitted is not None and self._admitted.taken:
            self._gateway.counters.leave(self._admitted)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back what the call no longer takes."""
        self.leave()
        admitted, usage = self._admitted, self._call.usage
        if admitted is not None and admitted.taken:
            tokens = 0 if usage is None else usage.input + usage.output  # None: nobody has billed anything.
            await self._gateway.counters.settle(admitted, self._gateway.clock(), tokens)


async def refuse_before_reading(call: Call, gateway: Gateway) -> None:
    """Refuse a large body unread where a limit on the key or on everybody stands against the call anyway."""
    assert call.policy is not None
    refused = await gateway.counters.peek(call.policy.limits, gateway.clock())
    if refused is not None:
        call.marks, call.is_limited_locally = refused.marks, refused.is_local
        raise rate_limited(refused, gateway)


async def limit_failed(call: Call, gateway: Gateway) -> None:
    """Count a request that cannot become a call; raises RateLimited in its place beyond a limit.

    Nothing else would stop a program that sends what cannot be read, or asks for a model that there is not,
    as fast as it can; each of them is a row in the log.
    """
    assert call.policy is not None
    await _count(call.policy.limits, call, gateway)


async def limit_task(call: Call, gateway: Gateway) -> None:
    """Count a task among the calls of its scopes; raises RateLimited. It has no model, nor a limit of one."""
    assert call.policy is not None
    await _count(call.policy.limits, call, gateway)


async def limit_stranger(call: Call, gateway: Gateway) -> None:
    """Count a failed attempt to log in against its address; raises RateLimited beyond the limit."""
    address = call.credentials.address
    if address is not None:
        await _count(gateway.identity.limits_of_stranger(address), call, gateway)


async def _count(limits: tuple[Limit, ...], call: Call, gateway: Gateway) -> None:
    if not limits:
        return
    answer = await gateway.counters.admit(limits, gateway.clock(), 0)
    call.marks, call.is_limited_locally = answer.marks, answer.is_local
    if isinstance(answer, Refused):
        raise rate_limited(answer, gateway)
    gateway.counters.leave(answer)


def rate_limited(refused: Refused, gateway: Gateway) -> RateLimited:
    """Return the refusal: whose limit, how much it is, and when to come back."""
    limit, wait_s = refused.limit, refused.wait_s
    whose, is_own = _WHOSE[limit.scope.kind], limit.scope.kind != "global"
    seconds = math.ceil(wait_s)
    when = f"{seconds} second{'s' if seconds != 1 else ''}"
    if is_own:
        model = f" of {limit.model}" if limit.model else ""
        may = f"This {whose} may {'use' if limit.unit == 'tokens' else 'make'} {_amount(limit)}{model}"
        message = f"{may}, and that is used up. Try again in {when}."
    else:
        message = f"This gateway takes no more calls at the moment. Try again in {when}."
    resets = datetime.fromtimestamp(gateway.now() + wait_s, UTC)
    return RateLimited(
        message,
        retry_after_s=wait_s,
        facts=Facts(
            rule=limit.name,
            scope=whose,
            unit=limit.unit,
            used=refused.used if is_own else None,
            allowed=limit.count if is_own else None,
            resets_at=resets.isoformat(timespec="milliseconds"),
            say=f"That was a little too fast. Please try again in {when}.",
        ),
    )


def _of_model(call: Call) -> tuple[Limit, ...]:
    """Return the limits of the model that is asked for: as it was named, or as the first target is."""
    assert call.policy is not None and call.request is not None
    route = call.plan[0].route
    names = (call.request.model, route.model, f"{route.provider}/{route.model}")
    return tuple(limit for limit in call.policy.model_limits if limit.model in names)


def _amount(limit: Limit) -> str:
    """Write a limit as people would say it: 5 calls in any 10 seconds."""
    what = "call" if limit.count == 1 else "calls"
    if limit.unit == "at_once":
        return f"{limit.count:,} {what} at once"
    if limit.unit == "tokens":
        what = "tokens"
    if limit.burst is not None:
        return f"{format_rate(Rate(limit.count, limit.period_s, limit.burst))} {what}"
    span = format_rate(Rate(limit.count, limit.period_s)).partition("/")[2]
    return f"{limit.count:,} {what} in any {span}"
